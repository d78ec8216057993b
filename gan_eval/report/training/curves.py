"""Curves over the steps of training: small panels that share their horizontal axis, and how the curves of many models
are told apart."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gan_eval.report.parts.chart import STYLE, svg_element
from gan_eval.report.parts.palette import DASHES, GRID, LIGHT, Look, family_look, series_look
from gan_eval.report.training.runs import TrainingRun, loss_weights, ratios

SHARE = 0.05
"""Of a curve's points: the window of the running median."""
MOST_POINTS = 150
"""Points of a curve as drawn; more are averaged."""
_WIDTH, _HEIGHT = 3.5, 1.9
"""Inches of a panel,"""
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.52, 0.14, 0.28, 0.42
"""and of its margins: fixed, so that the axes of all panels are of one size."""
_FAMILY_DASHES = {"L1": 0, "L2": 1, "SSIM": 2, "GAN": 3}


def looks_of(runs: Sequence[TrainingRun]) -> list[Look]:
    """A look for each run: by its loss where the weights tell the runs apart, else by its number."""
    families = [loss_family(run.settings) for run in runs]
    if not all(ratios(runs)) or any(families.count(family) > len(LIGHT.get(family, ())) for family in families):
        return [series_look(number) for number in range(len(runs))]

    def relative_weight(run: TrainingRun, family: str) -> float:
        """The weight of the family's loss, that of the adversarial one being 1."""
        adversarial = float(run.settings.get("adversarial_weight") or 0.0)
        weight = loss_weights(run.settings).get(family, adversarial)
        return weight / adversarial if adversarial else math.inf

    looks: dict[str, Look] = {}
    for family in dict.fromkeys(families):
        members = [run for run, run_family in zip(runs, families, strict=True) if run_family == family]
        members.sort(key=lambda run, family=family: (relative_weight(run, family), run.model))  # type: ignore[misc]
        places = np.linspace(0, len(LIGHT[family]) - 1, len(members)).round().astype(int)
        for run, place in zip(members, places, strict=True):
            looks[run.model] = family_look(family, int(place), DASHES[_FAMILY_DASHES[family]])
    return [looks[run.model] for run in runs]


def loss_family(settings: Mapping[str, Any]) -> str:
    """The last by name of the losses with a weight, such as `SSIM` of L1 and SSIM; `GAN` for the adversarial one alone.

    >>> loss_family({"adversarial_weight": 1.0, "lambda_l1": 16.0, "lambda_ssim": 84.0})
    'SSIM'
    """
    return max(loss_weights(settings), default="GAN")


def legend_of(names: Sequence[str], looks: Sequence[Look]) -> list[tuple[str, str]]:
    """Each name with the style of its line."""
    return [(name, look.css) for name, look in zip(names, looks, strict=True)]


class Curve(NamedTuple):
    """One line of a panel."""

    series: int
    """Its number in the legend, and that of its look."""
    steps: np.ndarray
    """(N,)"""
    heights: np.ndarray
    """(N,)"""


class Mark(NamedTuple):
    """A step on the horizontal axis with its interval."""

    series: int
    step: float
    low: float
    high: float


class Panel(NamedTuple):
    """A small chart."""

    title: str
    curves: Sequence[Curve]
    smooth: bool = True
    """Draw the running median strong and the values faint; else, and where there are few, the values with dots."""
    logarithmic: bool = False
    limits: tuple[float, float] | None = None
    """Of the vertical axis; default: from the curves."""
    marks: Sequence[Mark] = ()


def panels_on_page(panels: Sequence[Panel], looks: Sequence[Look], *, name: str) -> Markup:
    """The panels as inline SVG that follow the page's colours, side by side where there is room."""
    last = _last_step(panels)
    elements = []
    with mpl.rc_context(STYLE):
        for number, panel in enumerate(panels):
            figure, (axes,) = _figure(1, 1)
            _draw(axes, panel, looks, last)
            elements.append(svg_element(figure, f"{name}-{number}"))
    return Markup(f'<div class="panels">{"".join(elements)}</div>')


def panels_figure(panels: Sequence[Panel], legend: Sequence[str], looks: Sequence[Look], *, columns: int = 2) -> Figure:
    """The panels, with a legend of the lines that any has below, as one drawing.

    Args:
        legend, looks: name and look of each series, by its number.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    plotted = sorted({curve.series for panel in panels for curve in panel.curves})
    widest = 0.75 + 0.063 * max(len(legend[series]) for series in plotted)
    legend_columns = max(1, int(_WIDTH * columns / widest))
    foot = 0.17 * -(-len(plotted) // legend_columns) + 0.15 if len(plotted) > 1 else 0.0
    with mpl.rc_context(STYLE):
        figure, all_axes = _figure(rows, columns, foot=foot)
        for axes, panel in zip(all_axes, panels, strict=False):
            _draw(axes, panel, looks, _last_step(panels))
        for axes in all_axes[len(panels) :]:
            axes.set_axis_off()
        if len(plotted) > 1:
            lines = [Line2D([], [], **_line(looks[series])) for series in plotted]
            names = [legend[series] for series in plotted]
            figure.legend(lines, names, loc="lower center", ncols=legend_columns, fontsize=8, handlelength=4.5)
    return figure


def running_median(values: np.ndarray) -> np.ndarray:
    """Median over SHARE of the points around each, fewer at both ends; (N,).

    >>> running_median(np.array([1.0, 9.0, 3.0])).tolist()
    [1.0, 9.0, 3.0]
    """
    window = 2 * round(len(values) * SHARE / 2) + 1
    return np.asarray(pd.Series(values).rolling(window, center=True, min_periods=1).median(), float)


def _figure(rows: int, columns: int, *, foot: float = 0.0) -> tuple[Figure, list[Axes]]:
    """A place for each panel, and `foot` inches below them."""
    width, height = _WIDTH * columns, _HEIGHT * rows + foot
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(
        left=_LEFT / width,
        right=1 - _RIGHT / width,
        top=1 - _TOP / height,
        bottom=(_BOTTOM + foot) / height,
        wspace=(_LEFT + _RIGHT) / (_WIDTH - _LEFT - _RIGHT),
        hspace=(_TOP + _BOTTOM) / (_HEIGHT - _TOP - _BOTTOM),
    )
    return figure, list(figure.subplots(rows, columns, squeeze=False).ravel())


def _draw(axes: Axes, panel: Panel, looks: Sequence[Look], last: float) -> None:
    for curve in panel.curves:
        look = _line(looks[curve.series])
        if panel.smooth and len(curve.steps) > 2:
            axes.plot(*_thinned(curve.steps, curve.heights), color=look["color"], linewidth=0.5, alpha=0.22)
            axes.plot(*_thinned(curve.steps, running_median(curve.heights)), **look)
        else:
            axes.plot(curve.steps, curve.heights, marker="o", markersize=2.4, clip_on=False, **look)
    for mark in panel.marks:
        colour = looks[mark.series].mark
        axes.axvspan(mark.low, mark.high, color=colour, alpha=0.14, linewidth=0)
        axes.axvline(mark.step, color=colour, linewidth=1.1, linestyle=(0, (3, 2)))
    axes.set_title(panel.title, fontsize=9, loc="left", parse_math=False)
    axes.set_xlim(0, last)
    if panel.logarithmic:
        axes.set_yscale("log")
    elif panel.limits is not None:
        axes.set_ylim(*panel.limits)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    thousands = last >= 10_000
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda step, _: f"{step / 1000:g}k" if step and thousands else f"{step:g}")
    )
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=8)


def _line(look: Look) -> dict[str, Any]:
    return {"color": look.mark, "linestyle": (0, look.dashes) if look.dashes else "solid", "linewidth": 1.5}


def _last_step(panels: Sequence[Panel]) -> float:
    return float(max((curve.steps.max() for panel in panels for curve in panel.curves), default=1)) or 1.0


def _thinned(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means over neighbours, so that at most MOST_POINTS are left."""
    parts = min(MOST_POINTS, len(steps))
    return tuple(np.array([part.mean() for part in np.array_split(array, parts)]) for array in (steps, values))  # type: ignore[return-value]
