"""Each figure of the report as SVG and PDF for a paper: dark on white, fonts within, equal bytes from equal figures."""

import io
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from gan_eval.files import write_bytes
from gan_eval.report.parts.chart import GRID, INK, MUTED, SERIES, STYLE, Picture
from gan_eval.report.parts.words import clean
from gan_eval.report.training.curves import curve_colours

PAPER = {
    INK: "#1c1d21",
    MUTED: "#4a4d55",
    GRID: "#dfddd6",
    SERIES["real"]: "#1b6f8a",
    SERIES["fake"]: "#c2571a",
    SERIES["all"]: "#55427a",
    **curve_colours(),
}
"""What stands for the page's colours."""
_SETTINGS: dict[Any, Any] = {**STYLE, "svg.fonttype": "path", "pdf.fonttype": 42}
"""Letters are outlines in SVG, and an embedded TrueType font in PDF."""
_COLOURS = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")


def write_figures(pictures: Sequence[Picture], out: Path) -> list[Path]:
    """Write `NAME.svg` and `NAME.pdf` of each figure that has a drawing of its own, and return the paths.

    Raises:
        UserError: a file cannot be written.
    """
    paths = []
    for picture in pictures:
        if picture.draw is None:
            continue
        for suffix, data in as_files(picture.draw(), picture.title).items():
            paths.append(Path(out) / f"{picture.name}.{suffix}")
            write_bytes(paths[-1], data)
    return paths


def as_files(figure: Figure, title: str) -> dict[str, bytes]:
    """The figure's files by suffix: `svg` and `pdf`."""
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        _repaint(figure)
        pdf, svg = io.BytesIO(), io.StringIO()
        FigureCanvasPdf(figure).print_pdf(pdf, metadata={"Title": clean(title), "CreationDate": None, "Creator": None})
        FigureCanvasSVG(figure).print_svg(svg, metadata={"Title": clean(title), "Date": None, "Creator": None})
    text = re.sub(r"[ \t]+$", "", svg.getvalue(), flags=re.MULTILINE)
    return {"svg": text.encode(), "pdf": pdf.getvalue()}


def _repaint(figure: Figure) -> None:
    """The page's colours to those of paper, in every part of the figure."""
    figure.patch.set(facecolor="white", alpha=1)
    for artist in figure.findobj():
        for name in _COLOURS:
            _repaint_one(artist, name)


def _repaint_one(artist: Artist, name: str) -> None:
    get, put = getattr(artist, f"get_{name}", None), getattr(artist, f"set_{name}", None)
    if get is None or put is None:
        return
    try:
        found = get()
        if getattr(found, "ndim", 1) == 2:
            found = found[0] if len(found) else None
        colour = PAPER.get(to_hex(found))
    except (TypeError, ValueError):  # `none`, `auto`: nothing to repaint
        return
    if colour is not None:
        put(colour)
