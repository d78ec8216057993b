"""The page: a report's content put into the template."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gan_eval.report.content import Content
from gan_eval.report.downloads import Link, links
from gan_eval.report.parts.words import clean
from gan_eval.report.training.training_looks import curve_styles

_HERE = Path(__file__).parent


def render(content: Content) -> str:
    """The whole HTML file. Every text of the tables is escaped; only the figures are markup of our own."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_clean,
    )  # fmt: skip
    files = {file.table: file for file in content.downloads}

    def links_of(source: Sequence[str]) -> list[Link]:
        return links(source, files)

    environment.globals["links_of"] = links_of
    return environment.get_template("page.jinja").render(
        style=Markup((_HERE / "style.css").read_text(encoding="utf-8")) + curve_styles(), content=content
    )


def _clean(value: Any) -> Any:
    """No control letters; markup of our own stays as it is."""
    return clean(value) if type(value) is str else value
