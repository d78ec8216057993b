"""The report as Markdown: the same sentences and tables; figures, pictures and tables as files beside it."""

import base64
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gan_eval.file_sets import replaced_set
from gan_eval.files import write_bytes, write_text
from gan_eval.report.chart_files import as_files
from gan_eval.report.downloads import RAW_LEFT_OUT, files_view, is_raw
from gan_eval.report.metrics.tables import MetricTable
from gan_eval.report.parts.chart import Picture
from gan_eval.report.parts.words import View, clean
from gan_eval.report.people.pictures import Ranking
from gan_eval.report.sections import Content, Section
from gan_eval.tables import TABLES

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#|~$!+\-&])")
_HARMLESS = re.compile(r"\\([()\-+!#])")
"""Marks that mean something at the start of a line or after `]` only; lines begin with words of ours."""


def write_markdown(content: Content, out: Path) -> Path:
    """Write the file and the folder `STEM_files` beside it, in place of an earlier report's; return the file.

    Equal content gives equal bytes.

    Raises:
        UserError: a file cannot be written.
    """
    beside = out.with_name(f"{out.stem}_files")
    files: dict[str, bytes] = {}
    text = "\n".join(_lines(content, beside.name, files))
    with replaced_set(beside, "report") as new:
        for name, data in files.items():
            write_bytes(new.folder / name, data)
        new.obsolete += [beside / "tables" / f"{name}.csv" for name in TABLES if is_raw(name)]
    write_text(out, re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n")
    return out


def escape(words: str) -> str:
    """Words as they stand, whatever letters they hold: nothing becomes markup, no cell ends early.

    >>> escape("a|b <i> *c*")
    'a\\\\|b \\\\<i\\\\> \\\\*c\\\\*'
    """
    line = " ".join(clean(words).split("\n"))
    escaped = _HARMLESS.sub(r"\1", _SPECIAL.sub(r"\\\1", line.replace("\r", " ")))
    return re.sub(r"^(\s*)([-+#]|\d+[.)])", r"\1\\\2", escaped) if re.match(r"\s*([-+#]|\d+\))", escaped) else escaped


def _lines(content: Content, beside: str, files: dict[str, bytes]) -> Iterable[str]:
    simulated = "Simulated participants: " if content.simulated else ""
    yield f"# {simulated}{escape(content.title)}"
    yield from ["", *(f"**{escape(badge)}**  " for badge in content.badges)]
    if content.answer:
        yield from ["", "## The answer", "", f"**{escape(content.answer[0])}**", *_list(content.answer[1:])]
    if content.facts:
        yield from ["", "## What was done", *_facts(content.facts)]
    for section in content.sections:
        yield from _section(section, beside, files)
    if content.notes:
        yield from ["", "## What to bear in mind", *_list(content.notes)]
    if content.methods or content.paper:
        yield from ["", "## Method", "", escape(content.methods)]
    if content.paper:
        yield from ["", "### To copy into a paper", "", f"> {escape(content.paper)}"]
    if content.downloads:
        given = [file for file in content.downloads if file.left_out != RAW_LEFT_OUT]
        for file in given:
            files[f"tables/{file.file_name.removesuffix('.gz')}"] = file.data
        names = [f"{beside}/tables/{file.file_name.removesuffix('.gz')}" for file in given]
        yield from ["", "## All tables", *_table(files_view(content.downloads))]
        yield from ["", *(f"- [{escape(name)}](<{name}>)" for name in names)]
        yield from _list([f"{file.path}: {file.left_out}." for file in content.downloads if file not in given])
    if content.versions:
        yield from ["", "## Versions and hashes", *_facts(content.versions)]


def _section(section: Section, beside: str, files: dict[str, bytes]) -> Iterable[str]:
    yield from ["", f"## {escape(section.heading)}"]
    yield from _list([*section.sentences, *section.training.warnings])
    for ranking in section.rankings:
        yield from _ranking(ranking, beside, files)
    for place, picture in enumerate(section.figures):
        yield from _figure(picture, f"{section.id}-{place}", beside, files)
    for metric_table in section.metrics.tables:
        yield from _metric_table(metric_table)
    yield from _list(section.metrics.notes)
    if section.metrics.paragraph:
        yield from ["", "### To put into a paper", "", f"> {escape(section.metrics.paragraph)}"]
    for view in section.tables:
        yield from ["", f"### {escape(view.caption)}", *_table(view), *_list(view.notes)]


def _list(lines: Sequence[str]) -> list[str]:
    return ["", *(f"- {escape(line)}" for line in lines)] if lines else []


def _facts(facts: Sequence[tuple[str, str]]) -> list[str]:
    return ["", *(f"- **{escape(term)}**: {escape(words)}" for term, words in facts)]


def _table(view: View) -> list[str]:
    if not view.rows:
        return []
    last = len(view.head) - 1
    is_text = [place < view.text_columns or (place == last and view.last_is_text) for place in range(len(view.head))]
    return [
        "",
        _row(view.head),
        "| " + " | ".join("---" if words else "---:" for words in is_text) + " |",
        *(_row(row) for row in view.rows),
    ]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escape(str(cell)) for cell in cells) + " |"


def _metric_table(view: MetricTable) -> list[str]:
    head = ["model", *(f"{column.name} {column.unit}".strip() for column in view.columns)]
    rows = [
        [
            model,
            *(
                " ".join(filter(None, [cell.value, cell.signs, cell.interval, cell.mark, cell.warning]))
                for cell in cells
            ),
        ]
        for model, cells in view.rows
    ]
    notes = [*(f"{sign}: {words}" for sign, words in view.footnotes), *view.notes]
    return ["", f"### {escape(view.caption)}", *_table(View(view.caption, head, rows)), *_list(notes)]


def _figure(picture: Picture, name: str, beside: str, files: dict[str, bytes]) -> list[str]:
    """The figure as a file where it is one drawing, else its words."""
    told = ["", escape(picture.caption)]
    if picture.draw is None:
        return ["", f"### {escape(picture.title)}", *told, "", escape(picture.alternative)]
    path = f"figures/{picture.name or name}.svg"
    files[path] = as_files(picture.draw(), picture.title)["svg"]
    alternative = escape(f"{picture.title}. {picture.alternative}")
    return ["", f"### {escape(picture.title)}", "", f"![{alternative}](<{beside}/{path}>)", *told]


def _ranking(ranking: Ranking, beside: str, files: dict[str, bytes]) -> list[str]:
    lines = ["", f"### {escape(ranking.title)}", ""]
    for picture in ranking.pictures:
        shown = ""
        if picture.uri:
            path = f"pictures/{len(files):03d}.jpg"
            files[path] = base64.b64decode(picture.uri.partition(",")[2])
            shown = f"![{escape(picture.stimulus)}](<{beside}/{path}>) "
        if picture.masked:
            path = f"pictures/{len(files):03d}.jpg"
            files[path] = base64.b64decode(picture.masked.partition(",")[2])
            shown = f"![{escape(picture.stimulus)} with its hole](<{beside}/{path}>) {shown}"
        lines.append(f"- {shown}{escape(picture.stimulus)}: {escape(picture.said)}")
    return lines
