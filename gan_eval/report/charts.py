"""Figures as inline SVG that follow the page: its fonts, its colours, light and dark.

Each figure is drawn at a phone's width, so that its letters stay readable there, and the page sets several side
by side where there is room. Colours are drawn as marks and replaced by the style sheet's variables.
"""

import io
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

WIDTH = 3.7
"""Inches; 1 inch is 72 units of the SVG."""
LONGEST_TITLE = 36
"""Letters of a group's name that fit into the width."""
INK, MUTED, GRID = "#010101", "#020202", "#030303"
SERIES = {"real": "#040404", "fake": "#050505", "all": "#060606", "other": "#070707"}
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    SERIES["real"]: "var(--real)",
    SERIES["fake"]: "var(--fake)",
    SERIES["all"]: "var(--all)",
    SERIES["other"]: "var(--other)",
}
_MARKERS = {"real": "o", "fake": "s", "all": "D"}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gan_eval",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}


class Span(NamedTuple):
    """A value with its interval."""

    series: str
    """`real`, `fake` or `all`: colour and marker."""
    value: float
    low: float
    high: float


def spans_chart(
    groups: Sequence[tuple[str, Sequence[Span]]], *, axis: str, name: str, reference: float | None = None
) -> str:
    """Dots with their intervals, one band for each named group; the group's name stands above its dots.

    Args:
        groups: name and spans of each group, from top to bottom.
        axis: label of the horizontal axis.
        name: of the figure; also the prefix that keeps identifiers apart on one page.
        reference: where a vertical line marks guessing.
    """
    height = 0.7 + sum(0.26 + 0.17 * len(spans) for _, spans in groups)
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(height)
        depth = 0.0
        for title, spans in groups:
            _draw_title(axes, title, depth)
            for row, span in enumerate(spans, start=1):
                _draw_span(axes, span, depth + 0.2 + 0.72 * row)
            depth += 1.3 + 0.72 * len(spans)
        axes.set_ylim(depth - 0.35, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        if reference is not None:
            axes.set_xlim(0, 100)
            axes.axvline(reference, color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=0)
        else:
            axes.set_xlim(left=0)
        axes.grid(axis="x", color=GRID, linewidth=0.8, zorder=0)
        axes.set_axisbelow(True)
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel(axis)
        return _svg(figure, name)


def _draw_title(axes: Axes, title: str, depth: float) -> None:
    """A group's name in the left corner of its band, cut where it would leave the figure."""
    cut = title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"
    place = axes.get_yaxis_transform()
    axes.text(0, depth, cut, transform=place, va="center", weight="bold", size=9, parse_math=False).set_in_layout(False)


def _draw_span(axes: Axes, span: Span, depth: float) -> None:
    colour = SERIES[span.series]
    axes.plot([span.low, span.high], [depth, depth], color=colour, linewidth=2, solid_capstyle="round", alpha=0.65)
    axes.plot([span.value], [depth], marker=_MARKERS[span.series], color=colour, markersize=6)


def curves_chart(panels: Sequence[tuple[str, dict[str, tuple[np.ndarray, np.ndarray]]]], *, name: str) -> str:
    """Training curves, one panel below the other over the same steps.

    Args:
        panels: label of the vertical axis, and for each term its steps (N,) and values (N,).
        name: of the figure.
    """
    colours = [SERIES["all"], SERIES["real"], SERIES["fake"], SERIES["other"]]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, 1.6 * len(panels) + 0.3), layout="constrained")
        every = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (label, terms) in zip(every, panels, strict=True):
            for colour, (term, (steps, values)) in zip(colours, terms.items(), strict=False):
                axes.plot(steps, values, color=colour, linewidth=0.6, alpha=0.25)
                axes.plot(steps, smoothed(values), color=colour, label=term)
            axes.set_ylabel(label)
            axes.grid(axis="y", color=GRID, linewidth=0.8)
            axes.set_ylim(bottom=0)
            axes.margins(x=0.01)
            if len(terms) > 1:
                axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.24), ncols=len(terms), fontsize=8)
        every[-1].set_xlabel("step")
        return _svg(figure, name)


def smoothed(values: np.ndarray, *, share: float = 0.05) -> np.ndarray:
    """Running mean over a share of the points around each, fewer at both ends.

    >>> smoothed(np.array([1.0, 2.0, 3.0]), share=0.7).tolist()
    [1.5, 2.0, 2.5]
    """
    count, half = len(values), round(len(values) * share / 2)
    first = np.maximum(np.arange(count) - half, 0)
    last = np.minimum(np.arange(count) + half + 1, count)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray((sums[last] - sums[first]) / (last - first))


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Figure, name: str) -> str:
    """The figure as an `<svg>` element: no header, no date, own identifiers, the page's colours and font."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    buffer = io.StringIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"\bid=\"([^\"]+)\"", rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r"href=\"#([^\"]+)\"", rf'href="#{name}-\1"', text)
    text = re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", r"font: \1inherit", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    return re.sub(r"<svg ", '<svg aria-hidden="true" focusable="false" ', text, count=1)
