"""Charts: how a figure becomes inline SVG on the page, drawn at a phone's width, or a file for a paper."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#1c1d21", "#4a4d55", "#dfddd6"
SERIES = {"real": "#1b6f8a", "fake": "#c2571a", "all": "#55427a"}
ON_PAGE = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    **{colour: f"var(--{name})" for name, colour in SERIES.items()},
}
"""Variables of the style sheet, which follow light and dark mode, by the colour of a figure."""
CURVES = ("#2a7fc9", "#d4651f", "#3d9a50", "#9a6fd0", "#c2477f", "#84842a", "#1f9595", "#a0705a")
"""Colours of curves without an order, readable on light and dark."""
DASHES = ("-", (0, (4, 1.6)), (0, (1.2, 1.2)))
FORMATS = (".pdf", ".svg", ".png")
"""Endings of files that a figure can be written to."""
WIDTH = 3.7
"""Inches; 1 inch is 72 units of the SVG."""
MAX_TITLE = 36
"""Number of characters of a name that fit into the width."""
MAX_GROUPS = 12
"""Maximum number of groups in a chart; the first ones are drawn."""
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gan_eval",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}


@dataclass(frozen=True)
class Chart:
    """A chart of one drawing or of several panels."""

    title: str
    figures: Sequence["Figure"]
    caption: str
    alternative: str
    """Description for readers who cannot see the chart."""
    name: str
    """Prefix of its identifiers on the page."""

    @property
    def svg(self) -> Markup:
        """The drawings as inline SVG."""
        return Markup().join(svg_element(figure, f"{self.name}-{index}") for index, figure in enumerate(self.figures))


@contextmanager
def panel(height: float) -> "Iterator[tuple[Figure, Axes]]":
    """Yield an empty drawing of a phone's width, to draw on in the block."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure, figure.subplots()


def line_style(index: int) -> dict[str, Any]:
    """Return colour and dashes of the curve `index` (from 0)."""
    return {"color": CURVES[index % len(CURVES)], "linestyle": DASHES[index // len(CURVES) % len(DASHES)]}


def figure_file(figure: "Figure", suffix: str, *, title: str, description: str) -> bytes:
    """Return a drawing as a file for a paper, in which letters stay text; equal drawings give equal bytes.

    Args:
        suffix: one of FORMATS.
    """
    figure.patch.set(facecolor="white", alpha=1)
    if suffix == ".svg":
        text = _svg(figure, {"Title": title, "Description": description})
        return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).encode()
    if suffix == ".pdf":
        return _saved(figure, "pdf", {"Title": title, "Subject": description, "CreationDate": None, "Creator": None})
    return _saved(figure, "png", {"Title": title, "Description": description, "Software": None})


def _saved(figure: "Figure", form: str, metadata: dict[str, Any]) -> bytes:
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a browser has the letter
        figure.savefig(buffer, format=form, metadata=metadata, dpi=300 if form == "png" else 72)
    return buffer.getvalue()


def _svg(figure: "Figure", words: dict[str, str]) -> str:
    """Return an SVG with numbered clip paths: Matplotlib names them by positions, whose last bits differ by run."""
    text = _saved(figure, "svg", dict.fromkeys(("Date", "Creator")) | words).decode()
    names = dict.fromkeys(re.findall(r'<clipPath id="(\w+)"', text))
    numbers = {name: f"clip{number}" for number, name in enumerate(names)}
    return re.sub(r"\bp[0-9a-f]{10}\b", lambda name: numbers.get(name[0], name[0]), text)


def svg_element(figure: "Figure", name: str) -> Markup:
    """Return the drawing as an `<svg>` element with the font and colours of the page, in light and dark mode.

    Args:
        name: prefix that keeps identifiers apart on one page.
    """
    figure.patch.set_alpha(0)
    text = _svg(figure, {})
    text = text[text.index("<svg") :]
    for colour, variable in ON_PAGE.items():
        text = text.replace(colour, variable)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"\bid=\"([^\"]+)\"", rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r"href=\"#([^\"]+)\"", rf'href="#{name}-\1"', text)
    text = re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", r"font: \1inherit", text)
    text = re.sub(r"<svg ", '<svg aria-hidden="true" focusable="false" ', text, count=1)
    # coordinates to a hundredth of a point: half the size
    return Markup(re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0]), text))


def first_of(count: int) -> str:
    """Return the end of a caption if a chart does not show all of its groups; else an empty text."""
    return f" The first {MAX_GROUPS} of {count}; the table has all." if count > MAX_GROUPS else ""
