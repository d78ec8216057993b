"""The page: a report set as one self-contained HTML file."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gan_eval.report.parts.blocks import Block, Folded, Gallery, Report
from gan_eval.report.parts.thumbnails import Picture
from gan_eval.report.parts.words import NBSP, clean

_HERE = Path(__file__).parent
_LOOSE = re.compile(r"(?<=\d) (?=%)|(?<=\bp) (?=[=<] \d)|(?<=\bp [=<]) (?=\d)|(?<=\d,) (?=[−\d.]+\])")
"""Places where a line must not end: before a number's sign, before a p value, and within an interval."""


def render(report: Report) -> str:
    """Return the whole HTML file. Every text of the tables is escaped; only the charts are markup of our own."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=lambda value: _LOOSE.sub(NBSP, clean(value)) if type(value) is str else value,
    )  # fmt: skip

    def html_of(block: Block) -> Any:
        """Set a block by its macro; blocks that hold others call it again."""
        return getattr(environment.get_template("blocks.jinja").module, type(block).__name__)(block)

    repeated = _repeated_pictures(report)
    downloads = {file.table: file for file in report.downloads}
    environment.globals |= {"downloads": downloads, "html_of": html_of, "repeated": repeated}
    style = Markup((_HERE / "style.css").read_text(encoding="utf-8"))
    return environment.get_template("page.jinja").render(style=style, report=report, repeated=repeated)


def _repeated_pictures(report: Report) -> dict[str, tuple[str, Picture]]:
    """Return pictures that galleries show several times, with an identifier each: they are in the page once."""
    blocks = [block for section in report.sections for block in section.blocks]
    blocks += [inner for block in blocks if isinstance(block, Folded) for inner in block.blocks]
    shown = [
        picture
        for block in blocks
        if isinstance(block, Gallery)
        for entry in block.entries
        for picture in entry.pictures
        if picture is not None
    ]
    counts = Counter(picture.uri for picture in shown)
    several = {picture.uri: picture for picture in shown if counts[picture.uri] > 1}
    return {uri: (f"p{place}", picture) for place, (uri, picture) in enumerate(several.items())}
