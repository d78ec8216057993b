"""Charts: how values with intervals are drawn, and how any drawing becomes SVG or PDF in the colours of a palette.

Each chart is drawn at a phone's width, so that its letters stay readable there, and the page sets several side
by side where there is room.
"""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gan_eval.report.parts.palette import GRID, INK, MUTED, PAGE, SERIES, Palette
from gan_eval.report.parts.words import clean

WIDTH = 3.7
"""Inches; 1 inch is 72 units of the SVG."""
LONGEST_TITLE = 36
"""Letters of a group's name that fit into the width."""
MOST_GROUPS = 12
"""Groups of a chart; of more the first are drawn."""
_MARKERS = {"real": "o", "fake": "s", "all": "D", "open": "o"}
_COLOURS = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")
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
    label: str = ""
    """What it is: beside its row where the group has several, else in the right corner of the group's band."""


def spans_figure(
    groups: Sequence[tuple[str, Sequence[Span]]],
    *,
    axis: str,
    reference: float | None = None,
    limits: tuple[float, float] | None = (0, 100),
    scale: tuple[float, float] | None = None,
    band: float | None = None,
) -> Figure:
    """Dots with their intervals, one band for each named group; the group's name stands above its dots.

    Args:
        groups: name and spans of each group, from top to bottom.
        axis: label of the horizontal axis.
        reference: where a vertical line marks guessing, or no difference.
        limits: of the axis where there is a reference; None: from the spans.
        scale: the ends of the axis where there is none; None: from 0.
        band: so far to both sides of the reference a wash marks what counts as equal.
    """
    height = 0.7 + sum(0.26 + 0.17 * len(spans) for _, spans in groups)
    with mpl.rc_context(STYLE):
        figure, axes = panel(height)
        depth, bands, rows = 0.0, [], []
        for title, spans in groups:
            value = spans[0].label if len(spans) == 1 else ""
            draw_title(axes, title, depth, longest=LONGEST_TITLE - len(value), value=value)
            for row, span in enumerate(spans, start=1):
                level, colour = depth + 0.2 + 0.72 * row, SERIES[span.series]
                rows += [(level, span.label)] if len(spans) > 1 and span.label else []
                ends = [span.low, span.high]
                axes.plot(ends, [level, level], color=colour, linewidth=2, solid_capstyle="round", alpha=0.65)
                axes.plot([span.value], [level], marker=_MARKERS[span.series], color=colour, markersize=6)
            bands.append((depth + 0.45, depth + 0.2 + 0.72 * len(spans) + 0.45))
            depth += 1.3 + 0.72 * len(spans)
        axes.set_ylim(depth - 0.35, -0.6)
        if reference is not None:
            if limits is not None:
                axes.set_xlim(*limits)
            for top, bottom in bands:
                if band is not None:
                    ends = [reference - band, reference + band]
                    axes.fill_between(ends, top, bottom, color=GRID, alpha=0.6, linewidth=0, zorder=-2)
                axes.plot([reference] * 2, [top, bottom], color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=0)
        elif scale is not None:
            axes.set_xlim(*scale)
        else:
            axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        set_band_axes(axes, axis, bands)
        axes.set_yticks([level for level, _ in rows], [label for _, label in rows], fontsize=8)
        axes.tick_params(axis="y", length=0, labelcolor=MUTED)
    return figure


def set_band_axes(axes: Axes, label: str, bands: Sequence[tuple[float, float]]) -> None:
    """Axes of bands below each other: a scale below, no scale at the side, upright lines behind the bands.

    Args:
        axes: with their limits.
        label: of the scale.
        bands: top and bottom of each band, without its name: no line goes through a name.
    """
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.xaxis.get_major_locator()() if low <= tick <= high]
    for top, bottom in bands:
        axes.vlines(ticks, top, bottom, color=GRID, linewidth=0.8, zorder=-1)
    axes.set_xlim(low, high)
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel(label, parse_math=False)


def draw_title(axes: Axes, title: str, depth: float, *, longest: int = LONGEST_TITLE, value: str = "") -> None:
    """A group's name in the left corner of its band, cut in its middle where it would leave the figure, and a value
    in its right corner."""
    half, title = longest // 2, clean(title)
    cut = title if len(title) <= longest else f"{title[: half - 1]}…{title[-half:]}"
    place = axes.get_yaxis_transform()
    axes.text(0, depth, cut, transform=place, va="center", weight="bold", size=9, parse_math=False).set_in_layout(False)
    if value:
        axes.text(1, depth, value, transform=place, ha="right", va="center", size=8, color=MUTED, parse_math=False)


def panel(height: float) -> tuple[Figure, Axes]:
    """An empty drawing of a phone's width."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def svg_text(figure: Figure, palette: Palette, *, title: str | None = None, letters: str = "none") -> str:
    """A drawing as SVG, its marks in the colours of a palette.

    Args:
        figure: drawn with the marks of `palette`.
        palette: what they become.
        title: of the file.
        letters: `none`: letters stay text; `path`: they are outlines, for which no font is needed.
    """
    set_background(figure, palette)
    metadata: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    metadata |= {} if title is None else {"Title": title}
    buffer = io.StringIO()
    with mpl.rc_context({**STYLE, "svg.fonttype": letters}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # others have the letter
        FigureCanvasSVG(figure).print_svg(buffer, metadata=metadata)
    text = buffer.getvalue()
    for mark, colour in palette.colours.items():
        text = text.replace(mark, colour)
    return text


def set_background(figure: Figure, palette: Palette) -> None:
    """The palette's background, on which the axes have none of their own."""
    figure.patch.set(facecolor=palette.background, alpha=0 if palette.background == "none" else 1)
    for axes in figure.axes:
        axes.patch.set_alpha(0)


def svg_element(figure: Figure, name: str) -> Markup:
    """The drawing as an `<svg>` element that follows the page: its font, its colours, light and dark.

    Coordinates are cut to a hundredth of a point: half the size.

    Args:
        figure: drawn with the marks of `palette`.
        name: prefix that keeps identifiers apart on one page.
    """
    text = svg_text(figure, PAGE)
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"\bid=\"([^\"]+)\"", rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r"href=\"#([^\"]+)\"", rf'href="#{name}-\1"', text)
    text = re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", r"font: \1inherit", text)
    text = re.sub(r"<svg ", '<svg aria-hidden="true" focusable="false" ', text, count=1)
    return Markup(re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0]), text))


def svg_file(figure: Figure, palette: Palette, *, title: str) -> bytes:
    """The drawing as an SVG file for a paper: letters are outlines; equal drawings give equal bytes."""
    text = svg_text(figure, palette, title=clean(title), letters="path")
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).encode()


def pdf_file(figure: Figure, palette: Palette, *, title: str) -> bytes:
    """The drawing as a PDF with its fonts within; equal drawings give equal bytes. Its marks become the colours."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    set_background(figure, palette)
    for artist in figure.findobj():
        for name in _COLOURS:
            get, put = getattr(artist, f"get_{name}", None), getattr(artist, f"set_{name}", None)
            if get is None or put is None:
                continue
            try:
                colour = get()
                if getattr(colour, "ndim", 1) == 2:
                    colour = colour[0] if len(colour) else None
                mark = to_hex(colour)
            except (TypeError, ValueError):  # `none`, `auto`: nothing to repaint
                continue
            if mark in palette.colours:
                put(palette.colours[mark])
    buffer = io.BytesIO()
    with mpl.rc_context({**STYLE, "pdf.fonttype": 42}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        metadata = {"Title": clean(title), "CreationDate": None, "Creator": None}
        FigureCanvasPdf(figure).print_pdf(buffer, metadata=metadata)
    return buffer.getvalue()


@dataclass(frozen=True)
class Chart:
    """A chart for the page."""

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
    """Of its files."""
    figure: Callable[[], Figure] = Figure
    """Gives the drawing for files; empty on the metrics page, of which there are none."""


def first_of(count: int) -> str:
    """For a caption: that a chart has not all of so many groups; else empty."""
    return f" The first {MOST_GROUPS} of {count}; the table has all." if count > MOST_GROUPS else ""


def chart_of(title: str, figure: Figure, *, name: str, caption: str, alternative: str) -> Chart:
    """A chart of one drawing, for the page and for files of its name."""
    svg = svg_element(figure, name)
    return Chart(title, svg, caption, alternative, name=name, figure=lambda: figure)
