"""Curves over the steps of training: small panels that share their horizontal axis, for the page and as a file.

How a curve of training looks: colours and dashes by which the curves of many models are told apart.

Where models differ by the weights of their loss, dashes tell the loss (L1, L2, SSIM, the GAN alone) and the colours of
one loss run from dark to light with its weight, so that neighbours differ in lightness too, whatever colours a reader
sees. Models that differ otherwise have colours without an order, and neighbours have other dashes.
"""

import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gan_eval.report.parts.chart import GRID, INK, MUTED, STYLE, inline_svg, shorter
from gan_eval.report.training.runs import TrainingRun, ratios

_LIGHT = {
    "": ("#1b6f8a", "#c2571a", "#55427a", "#5d7a2f", "#b0305c", "#8a6d00", "#2a5fc4", "#8c4a2f", "#2f7d63", "#5f636b"),
    "L1": ("#37005b", "#2e177f", "#01388b", "#035276", "#066475", "#077573", "#03886a", "#289b45", "#7ba011"),
    "L2": ("#80011d", "#9e170c", "#b13d02", "#c35b00", "#d57703"),
    "SSIM": ("#80027c", "#9d188a", "#b73095", "#d244a0", "#ed58a9"),
    "GAN": ("#33363d",),
}
"""On white; each family from dark to light in equal steps of OKLCH lightness and hue."""
_DARK = {
    "": ("#62bfdb", "#f29a5f", "#bda7ea", "#a8c972", "#f08bb0", "#e0c35a", "#8fb4ff", "#d6a58c", "#7fd1b5", "#b4b9c2"),
    "L1": ("#9065d0", "#7680ec", "#4b9dfa", "#06b7f2", "#0bcde1", "#09e1cf", "#59f2b0", "#a9f98e", "#ebfb74"),
    "L2": ("#d8625c", "#eb7956", "#fc9252", "#ffb168", "#fece8c"),
    "SSIM": ("#cf64bb", "#e472c5", "#f881ce", "#ff9cd3", "#febad9"),
    "GAN": ("#c9cdd6",),
}
_PLACES = [(family, place) for family, colours in _LIGHT.items() for place in range(len(colours))]
_DASHES: tuple[tuple[float, ...], ...] = ((), (4, 1.6), (1.2, 1.2), (5, 1.4, 1.2, 1.4))
"""Drawn and blank in turn, in widths of the line: solid, dashed, dotted, dashes with dots."""
_FAMILY_DASHES = {"L1": 0, "L2": 1, "SSIM": 2, "GAN": 3}
_WEIGHTS = {"SSIM": "lambda_ssim", "L2": "lambda_l2", "L1": "lambda_l1"}


class Look(NamedTuple):
    """A curve's colour and dashes."""

    number: int
    """Of its colour in the style sheet, from 1."""
    dashes: tuple[float, ...]
    """Drawn and blank in turn, in widths of the line; empty for a solid line."""

    @property
    def mark(self) -> str:
        """The colour that stands for this one in a drawing until it is put on a page or into a file."""
        return f"#0a0a{self.number:02x}"

    @property
    def light(self) -> str:
        """The colour on white."""
        family, place = _PLACES[self.number - 1]
        return _LIGHT[family][place]

    @property
    def css(self) -> str:
        """The style of an SVG line, 2.5 wide, that looks so on the page."""
        dashes = " ".join(f"{2.5 * length:g}" for length in self.dashes)
        return f"stroke: var(--curve-{self.number})" + (f"; stroke-dasharray: {dashes}" if dashes else "")


def series_look(number: int) -> Look:
    """The look of the curve `number` (from 0) of things without an order; twenty in turn are unlike each other."""
    return Look(1 + number % len(_LIGHT[""]), _DASHES[number % len(_DASHES)])


def looks_of(runs: Sequence[TrainingRun]) -> list[Look]:
    """A look for each run: by its loss where the weights tell the runs apart, else by its number."""
    families = [loss_family(run.settings) for run in runs]
    if not all(ratios(runs)) or any(families.count(family) > len(_LIGHT[family]) for family in families):
        return [series_look(number) for number in range(len(runs))]
    found: dict[str, Look] = {}
    for family in dict.fromkeys(families):
        members = [run for run, one in zip(runs, families, strict=True) if one == family]
        members.sort(key=lambda run: (_weight(run, family), run.model))
        places = np.linspace(0, len(_LIGHT[family]) - 1, len(members)).round().astype(int)
        for run, place in zip(members, places, strict=True):
            found[run.model] = Look(1 + _PLACES.index((family, place)), _DASHES[_FAMILY_DASHES[family]])
    return [found[run.model] for run in runs]


def loss_family(settings: Mapping[str, Any]) -> str:
    """`SSIM`, `L2` or `L1`, the first that has a weight; `GAN` for the adversarial loss alone.

    >>> loss_family({"adversarial_weight": 1.0, "lambda_l1": 16.0, "lambda_ssim": 84.0})
    'SSIM'
    """
    return next((family for family, key in _WEIGHTS.items() if settings.get(key)), "GAN")


def legend_of(names: Sequence[str], looks: Sequence[Look]) -> list[tuple[str, str]]:
    """Each name with the style of its line."""
    return [(name, look.css) for name, look in zip(names, looks, strict=True)]


def curve_variables() -> dict[str, str]:
    """The style sheet's word for each colour that stands for another."""
    return {Look(number, ()).mark: f"var(--curve-{number})" for number in range(1, len(_PLACES) + 1)}


def curve_colours() -> dict[str, str]:
    """The colour on white for each that stands for another."""
    return {look.mark: look.light for look in (Look(number, ()) for number in range(1, len(_PLACES) + 1))}


def curve_styles() -> Markup:
    """The curves' colours for the page's style sheet: light, dark, and light again on paper."""

    def variables(colours: Mapping[str, Sequence[str]]) -> str:
        values = [colours[family][place] for family, place in _PLACES]
        return " ".join(f"--curve-{number}: {colour};" for number, colour in enumerate(values, start=1))

    return Markup(
        f":root {{ {variables(_LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(_DARK)} }} }}\n"
        f"@media print {{ :root {{ {variables(_LIGHT)} }} }}"
    )


def _weight(run: TrainingRun, family: str) -> float:
    """The weight of the family's loss beside the adversarial one."""
    adversarial = float(run.settings.get("adversarial_weight") or 0.0)
    weight = float(run.settings.get(_WEIGHTS.get(family, "adversarial_weight")) or 0.0)
    return weight / adversarial if adversarial else math.inf


SHARE = 0.05
"""Of a curve's points: the window of the running median."""
MOST_POINTS = 150
"""Points of a curve as drawn; more are averaged."""
_WIDTH, _HEIGHT = 3.5, 1.9
"""Inches of a panel,"""
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.52, 0.14, 0.28, 0.42
"""and of its margins: fixed, so that the axes of all panels are of one size."""
_PAPER = {INK: "#1c1d21", MUTED: "#4a4d55", GRID: "#dfddd6"}
"""Dark on white, for files."""


class Curve(NamedTuple):
    """One line of a panel."""

    series: int
    """Its number in the legend, and that of its look."""
    steps: np.ndarray
    """(N,)"""
    heights: np.ndarray
    """(N,) values of what is drawn"""


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
    drawn = []
    with mpl.rc_context(STYLE):
        for number, panel in enumerate(panels):
            figure, (axes,) = _figure(1, 1)
            _draw(axes, panel, looks, last)
            drawn.append(shorter(inline_svg(figure, f"{name}-{number}", variables=curve_variables())))
    return Markup(f'<div class="panels">{"".join(drawn)}</div>')


def panels_as_file(
    panels: Sequence[Panel], legend: Sequence[str], looks: Sequence[Look], *, heading: str = "", columns: int = 2
) -> str:
    """`panels_figure` as one SVG file, dark on white."""
    figure = panels_figure(panels, legend, looks, heading=heading, columns=columns)
    with mpl.rc_context(STYLE):
        buffer = io.StringIO()
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    text = re.sub(r"'DejaVu Sans'", "'DejaVu Sans', sans-serif", buffer.getvalue())
    for mark, colour in {**_PAPER, **curve_colours()}.items():
        text = text.replace(mark, colour)
    return shorter(text)


def panels_figure(
    panels: Sequence[Panel], legend: Sequence[str], looks: Sequence[Look], *, heading: str = "", columns: int = 2
) -> Figure:
    """The panels, with a heading above and below a legend of the lines that any has, in the page's colours.

    Args:
        legend, looks: name and look of each series, by its number.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    drawn = sorted({curve.series for panel in panels for curve in panel.curves})
    widest = 0.75 + 0.063 * max(len(legend[series]) for series in drawn)
    beside = max(1, int(_WIDTH * columns / widest))
    foot = 0.17 * -(-len(drawn) // beside) + 0.15 if len(drawn) > 1 else 0.0
    head = 0.3 if heading else 0.0
    with mpl.rc_context(STYLE):
        figure, every = _figure(rows, columns, head=head, foot=foot)
        if heading:
            top = 1 - 0.08 / figure.get_figheight()
            figure.text(0.01, top, heading, va="top", fontsize=10, weight="bold", parse_math=False)
        for axes, panel in zip(every, panels, strict=False):
            _draw(axes, panel, looks, _last_step(panels))
        for axes in every[len(panels) :]:
            axes.set_axis_off()
        if len(drawn) > 1:
            lines = [Line2D([], [], **_line(looks[series])) for series in drawn]
            names = [legend[series] for series in drawn]
            figure.legend(lines, names, loc="lower center", ncols=beside, fontsize=8, handlelength=4.5)
    return figure


def running_median(values: np.ndarray) -> np.ndarray:
    """Median over SHARE of the points around each, fewer at both ends; (N,).

    >>> running_median(np.array([1.0, 9.0, 3.0])).tolist()
    [1.0, 9.0, 3.0]
    """
    window = 2 * round(len(values) * SHARE / 2) + 1
    return np.asarray(pd.Series(values).rolling(window, center=True, min_periods=1).median(), float)


def _figure(rows: int, columns: int, *, head: float = 0.0, foot: float = 0.0) -> tuple[Figure, list[Axes]]:
    """White, with a place for each panel, `head` inches above and `foot` inches below them."""
    width, height = _WIDTH * columns, _HEIGHT * rows + head + foot
    figure = Figure(figsize=(width, height), facecolor="white")
    figure.subplots_adjust(
        left=_LEFT / width,
        right=1 - _RIGHT / width,
        top=1 - (_TOP + head) / height,
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
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: _step_label(step, last)))
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=8)


def _line(look: Look) -> dict[str, Any]:
    return {"color": look.mark, "linestyle": (0, look.dashes) if look.dashes else "solid", "linewidth": 1.5}


def _step_label(step: float, last: float) -> str:
    return f"{step / 1000:g}k" if step and last >= 10_000 else f"{step:g}"


def _last_step(panels: Sequence[Panel]) -> float:
    return float(max((curve.steps.max() for panel in panels for curve in panel.curves), default=1)) or 1.0


def _thinned(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means over neighbours, so that at most MOST_POINTS are left."""
    parts = min(MOST_POINTS, len(steps))
    return tuple(np.array([part.mean() for part in np.array_split(array, parts)]) for array in (steps, values))  # type: ignore[return-value]
