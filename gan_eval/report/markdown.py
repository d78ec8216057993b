"""The report as Markdown: the same sentences and tables; figures, pictures and tables as files beside it."""

import base64
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gan_eval.files.atomic import write_bytes, write_text
from gan_eval.files.sets import replaced_set
from gan_eval.machine.commands import as_typed
from gan_eval.report.downloads import RAW_REASON
from gan_eval.report.parts.blocks import (
    Block,
    Charts,
    Facts,
    Files,
    Lead,
    Lines,
    Listing,
    Paragraph,
    Quote,
    RankedPicture,
    Ranking,
    Report,
    Table,
)
from gan_eval.report.parts.chart import svg_file
from gan_eval.report.parts.palette import PAPER
from gan_eval.report.parts.words import clean, whole

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#|~$!+\-&])")
_HARMLESS = re.compile(r"\\([()\-+!#])")
"""Marks that mean something at the start of a line or after `]` only; lines begin with words of ours."""


def write_markdown(report: Report, out: Path) -> Path:
    """Write the file and the folder `STEM_files` beside it, in place of an earlier report's; return the file.

    Equal reports give equal bytes.

    Raises:
        UserError: a file cannot be written.
    """
    folder = out.with_name(f"{out.stem}_files")
    writer = _Writer(folder.name)
    text = "\n".join(writer.lines_of_report(report))
    with replaced_set(folder, "report") as new:
        for name, data in writer.files.items():
            write_bytes(new.folder / name, data)
    write_text(out, as_typed(re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n", in_file=True))
    return out


def escape(text: str) -> str:
    """A text as it stands, whatever letters it holds: nothing becomes markup, no cell ends early.

    >>> escape("a|b <i> *c*")
    'a\\\\|b \\\\<i\\\\> \\\\*c\\\\*'
    """
    line = " ".join(clean(text).split("\n"))
    escaped = _HARMLESS.sub(r"\1", _SPECIAL.sub(r"\\\1", line.replace("\r", " ")))
    return re.sub(r"^(\s*)([-+#]|\d+[.)])", r"\1\\\2", escaped) if re.match(r"\s*([-+#]|\d+\))", escaped) else escaped


def _bullets(lines: Sequence[str]) -> list[str]:
    return ["", *(f"- {escape(line)}" for line in lines)] if lines else []


class _Writer:
    """Lines of Markdown, and the files that they name."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.files: dict[str, bytes] = {}
        """By their path in the folder."""

    def lines_of_report(self, report: Report) -> Iterable[str]:
        """Title and sections; a section whose blocks are for a page alone is left out."""
        yield f"# {'Simulated participants: ' if report.simulated else ''}{escape(report.title)}"
        yield from ["", *(f"**{escape(badge)}**  " for badge in report.badges)]
        for section in report.sections:
            lines = [line for block in section.blocks for line in self._lines_of(block)]
            if lines:
                yield from ["", f"## {escape(section.heading)}", *lines]

    def _lines_of(self, block: Block) -> list[str]:
        match block:
            case Lead(sentences):
                return ["", f"**{escape(sentences[0])}**", *_bullets(sentences[1:])]
            case Lines(lines):
                return _bullets(lines)
            case Paragraph(text):
                return ["", escape(text)]
            case Quote(heading, text):
                quoted = "\n>\n".join(f"> {escape(part)}" for part in text.split("\n\n"))
                return ["", f"### {escape(heading)}", "", *quoted.split("\n")]
            case Listing(heading, text, file_name):
                self.files[f"paper/{file_name}"] = text.encode()
                return ["", f"[{escape(heading)}](<{self.folder}/paper/{file_name}>)"]
            case Facts(items):
                return ["", *(f"- **{escape(term)}**: {escape(description)}" for term, description in items)]
            case Ranking(title, pictures):
                return ["", f"### {escape(title)}", "", *map(self._ranked_line, pictures)]
            case Charts(charts):
                lines = []
                for chart in charts:
                    path = f"figures/{chart.name}.svg"
                    self.files[path] = svg_file(chart.figure(), PAPER, title=chart.title)
                    alternative = escape(f"{chart.title}. {chart.alternative}")
                    image = f"![{alternative}](<{self.folder}/{path}>)"
                    lines += ["", f"### {escape(chart.title)}", "", image, "", escape(chart.caption)]
                return lines
            case Table():
                footnotes = [f"{sign}: {text}" for sign, text in block.footnotes]
                return [
                    "",
                    f"### {escape(block.caption)}",
                    *self._table_lines(block),
                    *_bullets([*footnotes, *block.notes]),
                ]
            case Files():
                return self._file_lines(block)
        return []

    def _table_lines(self, table: Table) -> list[str]:
        last = len(table.head) - 1
        is_text = [place < table.text_columns or (place == last and table.last_is_text) for place in range(last + 1)]
        rows = ["| " + " | ".join(escape(str(cell)) for cell in row) + " |" for row in (table.head, *table.rows)]
        return ["", rows[0], "| " + " | ".join("---" if text else "---:" for text in is_text) + " |", *rows[1:]]

    def _ranked_line(self, picture: RankedPicture) -> str:
        stimulus = escape(picture.stimulus)
        images = ""
        for uri, description in ((picture.uri, stimulus), (picture.masked, f"{stimulus} with its hole")):
            if uri:
                path = f"pictures/{len(self.files):03d}.jpg"
                self.files[path] = base64.b64decode(uri.partition(",")[2])
                images = f"![{description}](<{self.folder}/{path}>) {images}"
        return f"- {images}{stimulus}: {escape(picture.caption)}"

    def _file_lines(self, block: Files) -> list[str]:
        included = [file for file in block.downloads if file.reason_absent != RAW_REASON]
        names = {f"tables/{file.file_name.removesuffix('.gz')}": file.data for file in included}
        self.files |= names
        rows = [[file.path, whole(file.rows), file.size_text, file.sha256] for file in block.downloads]
        table = Table("All tables", ["file", "rows", "size", "SHA-256"], rows, last_is_text=True)
        paths = [f"{self.folder}/{name}" for name in names]
        return [
            *self._table_lines(table),
            "",
            *(f"- [{escape(path)}](<{path}>)" for path in paths),
            *_bullets([f"{file.path}: {file.reason_absent}." for file in block.downloads if file not in included]),
        ]
