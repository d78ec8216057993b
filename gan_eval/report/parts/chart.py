"""Figures as inline SVG that follow the page: its fonts, its colours, light and dark.

Each figure is drawn at a phone's width, so that its letters stay readable there, and the page sets several side
by side where there is room. Colours are drawn as marks and replaced by the style sheet's variables.
"""

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gan_eval.report.parts.words import clean

WIDTH = 3.7
"""Inches; 1 inch is 72 units of the SVG."""
LONGEST_TITLE = 36
"""Letters of a group's name that fit into the width."""
INK, MUTED, GRID = "#010101", "#020202", "#030303"
SERIES = {"real": "#040404", "fake": "#050505", "all": "#060606", "open": MUTED}
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    SERIES["real"]: "var(--real)",
    SERIES["fake"]: "var(--fake)",
    SERIES["all"]: "var(--all)",
}
_MARKERS = {"real": "o", "fake": "s", "all": "D", "open": "o"}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
STYLE: dict[Any, Any] = {
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
    """`real`, `fake`, `all` or `open`: colour and marker."""
    value: float
    low: float
    high: float


def spans_chart(
    groups: Sequence[tuple[str, Sequence[Span]]],
    *,
    axis: str,
    name: str,
    reference: float | None = None,
    limits: tuple[float, float] | None = (0, 100),
) -> str:
    """`spans_figure` as an `<svg>` element, `name` being the prefix that keeps identifiers apart on one page."""
    return on_page(spans_figure(groups, axis=axis, reference=reference, limits=limits), name)


def spans_figure(
    groups: Sequence[tuple[str, Sequence[Span]]],
    *,
    axis: str,
    reference: float | None = None,
    limits: tuple[float, float] | None = (0, 100),
    band: float | None = None,
) -> Figure:
    """Dots with their intervals, one band for each named group; the group's name stands above its dots.

    Args:
        groups: name and spans of each group, from top to bottom.
        axis: label of the horizontal axis.
        reference: where a vertical line marks guessing, or no difference.
        limits: of the axis where there is a reference; None: from the spans.
        band: so far to both sides of the reference a wash marks what counts as equal.
    """
    height = 0.7 + sum(0.26 + 0.17 * len(spans) for _, spans in groups)
    with mpl.rc_context(STYLE):
        figure, axes = panel(height)
        depth, bands = 0.0, []
        for title, spans in groups:
            draw_title(axes, title, depth)
            for row, span in enumerate(spans, start=1):
                _draw_span(axes, span, depth + 0.2 + 0.72 * row)
            bands.append((depth + 0.45, depth + 0.2 + 0.72 * len(spans) + 0.45))
            depth += 1.3 + 0.72 * len(spans)
        axes.set_ylim(depth - 0.35, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        if reference is not None:
            if limits is not None:
                axes.set_xlim(*limits)
            if band is not None:
                axes.axvspan(reference - band, reference + band, color=GRID, alpha=0.6, linewidth=0, zorder=0)
            for top, bottom in bands:  # not through the names
                axes.plot([reference] * 2, [top, bottom], color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=0)
        else:
            axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.grid(axis="x", color=GRID, linewidth=0.8, zorder=0)
        axes.set_axisbelow(True)
        axes.tick_params(axis="x", length=0)
        axes.set_xlabel(axis)
    return figure


def on_page(figure: Figure, name: str) -> str:
    """`inline_svg` in the page's style."""
    with mpl.rc_context(STYLE):
        return inline_svg(figure, name)


def draw_title(axes: Axes, title: str, depth: float, *, longest: int = LONGEST_TITLE, value: str = "") -> None:
    """A group's name in the left corner of its band, cut in its middle where it would leave the figure, and a value
    in its right corner."""
    half, title = longest // 2, clean(title)
    cut = title if len(title) <= longest else f"{title[: half - 1]}…{title[-half:]}"
    place = axes.get_yaxis_transform()
    axes.text(0, depth, cut, transform=place, va="center", weight="bold", size=9, parse_math=False).set_in_layout(False)
    if value:
        axes.text(1, depth, value, transform=place, ha="right", va="center", size=8, color=MUTED, parse_math=False)


def _draw_span(axes: Axes, span: Span, depth: float) -> None:
    colour = SERIES[span.series]
    axes.plot([span.low, span.high], [depth, depth], color=colour, linewidth=2, solid_capstyle="round", alpha=0.65)
    axes.plot([span.value], [depth], marker=_MARKERS[span.series], color=colour, markersize=6)


def panel(height: float) -> tuple[Figure, Axes]:
    """An empty drawing of a phone's width."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def inline_svg(figure: Figure, name: str, *, variables: Mapping[str, str] | None = None) -> str:
    """The figure as an `<svg>` element: no header, no date, own identifiers, the page's colours and font.

    Args:
        figure: drawn with the colours of this module.
        name: prefix of the identifiers.
        variables: more colours, and the style sheet's words for them.
    """
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    buffer = io.StringIO()
    with warnings.catch_warnings():  # a letter that the font lacks: the page's own fonts have it
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        FigureCanvasSVG(figure).print_svg(buffer, metadata=_NO_METADATA)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"\bid=\"([^\"]+)\"", rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r"href=\"#([^\"]+)\"", rf'href="#{name}-\1"', text)
    text = re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", r"font: \1inherit", text)
    for colour, variable in {**_VARIABLES, **(variables or {})}.items():
        text = text.replace(colour, variable)
    return re.sub(r"<svg ", '<svg aria-hidden="true" focusable="false" ', text, count=1)


def shorter(svg: str) -> str:
    """Coordinates to a hundredth of a point: half the size. What stands between the tags is text and stays.

    >>> shorter('<text x="12.34567">0.005</text>')
    '<text x="12.34">0.005</text>'
    """
    return re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0]), svg)


@dataclass(frozen=True)
class Picture:
    """A figure for the page."""

    title: str
    svg: Markup
    caption: str
    alternative: str
    """What is to be seen, for whoever does not see it."""
    legend: Sequence[tuple[str, str]] = ()
    """Name, and the style of its line."""
    wide: bool = False
    """Takes the page's whole width."""
    name: str = ""
    """Of its files; empty: it has none."""
    draw: Callable[[], Figure] | None = None
    """Gives the drawing itself; None: it has none of its own."""


def picture(title: str, figure: Figure, *, name: str, caption: str, alternative: str) -> Picture:
    """A figure of one drawing, for the page and for files of its name."""
    svg = Markup(shorter(on_page(figure, name)))
    return Picture(title=title, svg=svg, caption=caption, alternative=alternative, name=name, draw=lambda: figure)
