"""The page: a report set as one self-contained HTML file."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gan_eval.report.downloads import file_links
from gan_eval.report.parts.blocks import Block, Report
from gan_eval.report.parts.palette import curve_styles
from gan_eval.report.parts.words import NBSP, clean

_HERE = Path(__file__).parent
_LOOSE = re.compile(r"(?<=\d) (?=%)|(?<=\bp) (?=[=<] \d)|(?<=\bp [=<]) (?=\d)|(?<=\d,) (?=[−\d.]+\])")
"""Where a line must not end: before a number's sign, before a p value, and within an interval."""


def render(report: Report) -> str:
    """The whole HTML file. Every text of the tables is escaped; only the charts are markup of our own."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=lambda value: _LOOSE.sub(NBSP, clean(value)) if type(value) is str else value,
    )  # fmt: skip
    files = {file.table: file for file in report.downloads}

    def html_of(block: Block) -> Any:
        """A block by its macro; blocks that hold others call it again."""
        return getattr(environment.get_template("blocks.jinja").module, block.macro)(block)

    environment.globals |= {"links_of": lambda source: file_links(source, files), "html_of": html_of}
    style = Markup((_HERE / "style.css").read_text(encoding="utf-8")) + curve_styles()
    return environment.get_template("page.jinja").render(style=style, report=report)
