"""The page: a report set as one self-contained HTML file, with the tables behind it as CSV files to save from it."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gan_eval.report.parts.blocks import Block, Download, Report
from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.thumbnails import data_uri
from gan_eval.report.parts.words import NBSP, clean
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.tables import Table
from gan_eval.tables.personal import left_out_line, without_personal

_HERE = Path(__file__).parent
MAX_BYTES = 2_000_000
"""Maximum size in bytes of a file on the page."""
RAW_REASON = "not on this page because it has single sessions: add it with --with-raw-tables"
"""Reason for the absence of a table of single sessions."""
_LOOSE = re.compile(
    r"(?<=\d) (?=%)|(?<=\b[pNMn]) (?=[=<>] [−.\d])|(?<=[=<>]) (?=[−.\d])|(?<=d′) (?==)"
    r"|(?<=%) (?=CI \[)|(?<=CI) (?=\[)|(?<=\d,) (?=[−\d.]+\])"
)
"""Places where a line must not end: before a number's sign, after an equals sign, and within an interval."""


def render(report: Report) -> str:
    """Return the whole HTML file. Every text of the tables is escaped; only the charts are markup of our own."""

    def html_of(block: Block) -> Any:
        """Render a block with its macro; macros of nested blocks call this again."""
        return getattr(macros, type(block).__name__)(block)

    downloads = {file.table: file for file in report.downloads}
    macros = templates().get_template("blocks.jinja").make_module({"downloads": downloads, "html_of": html_of})
    style = Markup((_HERE / "style.css").read_text(encoding="utf-8"))
    return templates().get_template("page.jinja").render(style=style, report=report, html_of=html_of)


@cache
def templates() -> Environment:
    """Return the templates of this folder; every text is escaped, and printed without control characters."""
    return Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=lambda value: _LOOSE.sub(NBSP, clean(value)) if type(value) is str else value,
    )  # fmt: skip


def downloads_of(folder: StudyFolder, *, with_raw_tables: bool = False) -> list[Download]:
    """Return every table that the folder holds, in the order of reading.

    Args:
        with_raw_tables: also put tables of single sessions on the page. Default: only their names, because
            times and places of sessions could identify people in a report that is sent by mail.
    """
    downloads = []
    for index, (name, path) in enumerate(folder.files.items()):
        data = folder.contents[name]
        is_published = name.startswith("published/")
        frame = folder.published[path.name] if is_published else folder.tables[name]
        reason = "" if len(data) <= MAX_BYTES else "too large for a page: see the study’s folder"
        if name in ALL_TABLES and "session" in ALL_TABLES[name].by_name:
            reason = _reason_of_raw(frame, ALL_TABLES[name], reason) if with_raw_tables else RAW_REASON
        downloads.append(
            Download(
                table=name,
                anchor=f"file-{index}",
                file_name=f"published-{path.name}" if is_published else path.name,
                path=path.relative_to(folder.path).as_posix(),
                rows=len(frame),
                size=len(data),
                uri="" if reason else data_uri(data, "text/csv"),
                reason_absent=reason,
            )
        )
    return downloads


def _reason_of_raw(frame: pd.DataFrame, table: Table, reason: str) -> str:
    """Return why a table of single sessions is not on the page: it has columns that could identify people."""
    left_out = without_personal(frame, table)[1]
    return f"{left_out_line(left_out)}; analyze again" if left_out else reason
