"""The charts of the metrics page: how values lie in each model's pictures, and differences between models."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from scipy import stats

from gan_eval.report.parts.chart import (
    GRID,
    INK,
    LONGEST_TITLE,
    SERIES,
    STYLE,
    Span,
    draw_title,
    inline_svg,
    panel,
    shorter,
    spans_chart,
)

MOST_TICKS = 120
"""Pictures whose values are drawn one by one; of more the outline tells."""
LEAST_OUTLINE = 8
"""Pictures from which an outline is drawn."""
_FOR_OUTLINE = 1000
"""Ordered values from which an outline is made; of more, so many evenly spread ones."""
_BAND, _HILL = 1.5, 0.62
"""Heights of a model's band and of its outline, in units of the vertical axis."""


class Cloud(NamedTuple):
    """One band of a distribution chart."""

    title: str
    series: str
    """`real` or `fake`: the colour."""
    values: np.ndarray
    """(N,) finite"""
    label: str = ""
    """A number told at the band's right end."""


class Drawn(NamedTuple):
    """A chart, and the values that lie beyond its axis."""

    svg: Markup
    beyond: int


def distribution_chart(clouds: Sequence[Cloud], *, axis: str, name: str) -> Drawn:
    """A band for each cloud, all on one axis: outline above; below it median, quartiles, the middle 90 %, and a tick
    for each picture where they are few.

    The number of the drawing's elements does not grow with that of the pictures.
    """
    low, high = _limits(np.concatenate([cloud.values for cloud in clouds]))
    with mpl.rc_context(STYLE):
        figure, axes = panel(0.65 + 0.4 * len(clouds))
        for row, cloud in enumerate(clouds):
            draw_title(axes, cloud.title, _BAND * row, longest=LONGEST_TITLE - len(cloud.label), value=cloud.label)
            _draw_cloud(axes, cloud, _BAND * row + 1.0, (low, high))
        axes.set_xlim(low, high)
        axes.set_ylim(_BAND * len(clouds) - 0.1, -0.45)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=GRID, linewidth=0.8, zorder=0)
        axes.set_axisbelow(True)
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel(axis, parse_math=False)
        svg = Markup(shorter(inline_svg(figure, name)))
    beyond = sum(int(((cloud.values < low) | (cloud.values > high)).sum()) for cloud in clouds)
    return Drawn(svg, beyond)


def differences_chart(groups: Sequence[tuple[str, Span]], *, axis: str, name: str) -> Markup:
    """A model's difference from the leader in each band; the dashed line is no difference."""
    bands = [(title, [span]) for title, span in groups]
    return Markup(shorter(spans_chart(bands, axis=axis, name=name, reference=0, limits=None)))


def _limits(values: np.ndarray) -> tuple[float, float]:
    """The axis: all values; where a few lie far out, the middle 99 % and as much again on each side."""
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = (float(end) for end in np.quantile(values, [0.005, 0.995]))
    width = inner_high - inner_low
    low, high = max(low, inner_low - width), min(high, inner_high + width)
    margin = 0.03 * (high - low) or abs(high) * 0.05 or 1.0
    return low - margin, high + margin


def _draw_cloud(axes: Axes, cloud: Cloud, base: float, limits: tuple[float, float]) -> None:
    colour, values = SERIES[cloud.series], np.sort(cloud.values)
    if len(values) >= LEAST_OUTLINE and values[0] < values[-1]:
        places, heights = _outline(values, limits)
        axes.fill_between(places, base - _HILL * heights, base, color=colour, alpha=0.28, linewidth=0)
    if len(values) <= MOST_TICKS:
        axes.add_patch(_ticks(values, base + 0.04, base + 0.22, colour))
    if len(values) >= LEAST_OUTLINE:
        q05, q25, q50, q75, q95 = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
        axes.plot([q05, q95], [base, base], color=colour, linewidth=1.2)
        axes.plot([q25, q75], [base, base], color=colour, linewidth=4, solid_capstyle="butt")
        axes.plot([q50], [base], marker="|", color=INK, markersize=9, markeredgewidth=2)


def _outline(values: np.ndarray, limits: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Kernel density (Scott's rule) of sorted values at 80 places; the highest is 1."""
    if len(values) > _FOR_OUTLINE:
        values = values[np.linspace(0, len(values) - 1, _FOR_OUTLINE).round().astype(int)]
    places = np.linspace(max(values[0], limits[0]), min(values[-1], limits[1]), 80)
    heights = stats.gaussian_kde(values)(places)
    return places, heights / heights.max()


def _ticks(values: np.ndarray, top: float, bottom: float, colour: str) -> PathPatch:
    """All ticks as one element."""
    ends = np.column_stack([np.repeat(values, 2), np.tile([top, bottom], len(values))])
    codes = np.tile([Outline.MOVETO, Outline.LINETO], len(values))
    return PathPatch(Outline(ends, codes), edgecolor=colour, facecolor="none", linewidth=0.7, alpha=0.8)
