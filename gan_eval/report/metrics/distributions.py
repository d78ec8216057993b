"""How the values of each picture metric lie in each model's pictures."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from scipy import stats

from gan_eval.report.metrics.data import REAL, Measured, decimals, unit_of, with_arrow
from gan_eval.report.metrics.sections import section_by_dataset
from gan_eval.report.parts.blocks import Charts, Paragraph, Section
from gan_eval.report.parts.chart import (
    LONGEST_TITLE,
    STYLE,
    Chart,
    draw_title,
    panel,
    set_band_axes,
    svg_element,
)
from gan_eval.report.parts.palette import INK, SERIES
from gan_eval.report.parts.words import NBSP, number, plural, whole

HOW_TO_READ = (
    "A band for each model, all on one axis: the hill shows where its pictures' values lie, the upright mark their "
    f"median, the thick bar the middle half, the thin one the middle 90{NBSP}%. Of few pictures each has its dot."
)
MOST_MODELS = 12
"""Bands of a distribution chart; of more models the first are drawn."""
MOST_DOTS = 120
"""Pictures whose values are drawn one by one; of more the outline tells."""
LEAST_OUTLINE = 8
"""Pictures from which an outline is drawn."""
_FOR_OUTLINE = 1000
"""Ordered values from which an outline is made; of more, so many evenly spread ones."""
_SCATTER = (0.0, 0.8, -0.6, 0.4, -1.0, 1.0, -0.3, 0.6, -0.8, 0.2)
"""Heights of a strip's dots in turn, so that equal values stand beside each other."""
_BAND, _HILL = 1.7, 0.62
"""Heights of a model's band and of its outline, in units of the vertical axis."""


class Distribution(NamedTuple):
    """One band of a distribution chart."""

    title: str
    series: str
    """`real` or `fake`: the colour."""
    values: np.ndarray
    """(N,) finite"""
    label: str = ""
    """A number at the band's right end."""


def distributions_section(measured: Measured) -> Section:
    """A chart for each picture metric."""
    return section_by_dataset(
        "distributions",
        "How the values lie",
        measured,
        lambda dataset: [Charts(distribution_charts(measured, dataset), "bands")],
        before=[Paragraph(HOW_TO_READ)],
    )


def distribution_charts(measured: Measured, dataset: str) -> list[Chart]:
    """A band for each model, and for the real pictures where they have values."""
    models = measured.models(dataset)
    names = [*models[:MOST_MODELS], REAL]
    charts = []
    for place, metric in enumerate(measured.picture_metrics(dataset)):
        all_values = {name: measured.values(dataset, metric, name) for name in names}
        finite = {name: values[np.isfinite(values)] for name, values in all_values.items()}
        finite = {name: values for name, values in finite.items() if len(values)}
        if not finite:
            continue
        medians = {name: float(np.median(values)) for name, values in finite.items()}
        digits = decimals(list(medians.values()))
        bands = [
            Distribution(
                name, "real" if name == REAL else "fake", values, f"median {number(medians[name], digits=digits)}"
            )
            for name, values in finite.items()
        ]
        figure, beyond = distribution_figure(bands, axis=unit_of(metric))
        quartiles = []
        for name, values in finite.items():
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            digits = decimals([low, middle, high])
            low, middle, high = (number(value, digits=digits) for value in (low, middle, high))
            quartiles.append(f"{name}: median {middle}, quartiles {low} to {high}")
        counts = sorted({len(values) for values in finite.values()})
        caption = f"{whole(counts[0])}{f' to {whole(counts[-1])}' if len(counts) > 1 else ''} pictures each."
        if beyond:
            caption += f" {plural(beyond, 'value lies', 'values lie')} beyond the axis."
        infinite = sum(measured.summary(dataset, metric, name).infinite for name in names)
        if infinite:
            values_are = plural(infinite, "infinite value is", "infinite values are")
            caption += f" {values_are} not drawn and in no median."
        if len(models) > MOST_MODELS:
            caption += f" The first {MOST_MODELS} of {len(models)} models."
        charts.append(
            Chart(
                title=with_arrow(metric),
                svg=svg_element(figure, f"d{measured.datasets.index(dataset)}-distribution-{place}"),
                caption=caption,
                alternative="; ".join(quartiles),
            )
        )
    return charts


def distribution_figure(bands: Sequence[Distribution], *, axis: str) -> tuple[Figure, int]:
    """All bands on one axis: outline above; below it median, quartiles, the middle 90 %, and a dot for each picture
    where they are few.

    The axis shows all values; where a few lie far out, the middle 99 % and as much again on each side. The number of
    the drawing's elements does not grow with that of the pictures.

    Returns:
        The drawing, and how many values lie beyond its axis.
    """
    values = np.concatenate([band.values for band in bands])
    inner_low, inner_high = (float(end) for end in np.quantile(values, [0.005, 0.995]))
    width = inner_high - inner_low
    low, high = max(float(values.min()), inner_low - width), min(float(values.max()), inner_high + width)
    margin = 0.03 * (high - low) or abs(high) * 0.05 or 1.0
    low, high = low - margin, high + margin
    with mpl.rc_context(STYLE):
        figure, axes = panel(0.65 + 0.45 * len(bands))
        for row, band in enumerate(bands):
            draw_title(axes, band.title, _BAND * row, longest=LONGEST_TITLE - len(band.label), value=band.label)
            _draw_band(axes, band, _BAND * row + 1.0, (low, high))
        axes.set_xlim(low, high)
        axes.set_ylim(_BAND * len(bands) - 0.1, -0.45)
        set_band_axes(axes, axis, [(_BAND * row + 1.0 - _HILL, _BAND * row + 1.3) for row in range(len(bands))])
    return figure, int(((values < low) | (values > high)).sum())


def _draw_band(axes: Axes, band: Distribution, base: float, limits: tuple[float, float]) -> None:
    colour, values = SERIES[band.series], np.sort(band.values)
    if len(values) >= LEAST_OUTLINE and values[0] < values[-1]:
        # kernel density (Scott's rule) at 80 places, the highest at the band's full height
        spread = np.linspace(0, len(values) - 1, _FOR_OUTLINE).round().astype(int)
        sample = values[spread] if len(values) > _FOR_OUTLINE else values
        places = np.linspace(max(sample[0], limits[0]), min(sample[-1], limits[1]), 80)
        heights = stats.gaussian_kde(sample)(places)
        top = base - _HILL * (heights / heights.max())
        axes.fill_between(places, top, base, color=colour, alpha=0.28, linewidth=0)
    if len(values) <= MOST_DOTS:  # all dots as one element: round ends of lines without length
        heights = base + 0.13 + 0.1 * np.resize(_SCATTER, len(values))
        dot = 1e-4 * (limits[1] - limits[0])
        ends = np.column_stack([np.column_stack([values, values + dot]).ravel(), np.repeat(heights, 2)])
        codes = np.tile([Outline.MOVETO, Outline.LINETO], len(values))
        dots = PathPatch(Outline(ends, codes), edgecolor=colour, facecolor="none", linewidth=2.6, alpha=0.55)
        dots.set_capstyle("round")
        axes.add_patch(dots)
    if len(values) >= LEAST_OUTLINE:
        q05, q25, q50, q75, q95 = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
        axes.plot([q05, q95], [base, base], color=colour, linewidth=1.2)
        axes.plot([q25, q75], [base, base], color=colour, linewidth=4, solid_capstyle="butt")
        axes.plot([q50], [base], marker="|", color=INK, markersize=9, markeredgewidth=2)
