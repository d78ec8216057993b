"""Files of other programs: read their cells as text, in each format, and join several files by column name."""

import csv
import io
import itertools
import json
import lzma
import re
import zipfile
import zlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import compute

from gan_eval.base.errors import UserError
from gan_eval.base.limits import long_cells, read_small, require_small
from gan_eval.base.reading import plain_file
from gan_eval.judgements.binary_tables import binary_part, chosen_tables, sqlite_parts
from gan_eval.judgements.json_files import json_parts
from gan_eval.judgements.logs import log_part
from gan_eval.judgements.parts import MAX_TITLES, FilePart, column_names, header_row, table_of, titled_tables
from gan_eval.judgements.rejections import WHOLE_ROW, rejection
from gan_eval.judgements.workbooks import EVERY_SHEET, OLD_EXCEL, is_workbook, read_sheets
from gan_eval.tables import REJECTED
from gan_eval.tables.cells import replace_decimal_commas, separator_of, text_records
from gan_eval.tables.frames import Row, plain_table, without_blanks

_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n')
"""First line of a CSV file that Excel wrote."""
_NUMBER = re.compile(r"\s*[-+]?\d+([.,]\d+)?\s*")
_RESULT = re.compile(r"(?:^|/)(study_result_(\d+))/comp[-_]result_\d+/data\.txt$")
"""Path of a component's data in an archive of JATOS."""
_ZIP = b"PK\x03\x04"
"""The first bytes of an archive, such as an Excel file."""
_UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError, OSError)
_OF_TEXT = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".xpd", ".log")
_READ = (*_OF_TEXT, ".xlsx", ".xls", ".ods", ".parquet", ".feather", ".sav", ".dta")
"""Endings of the files in an archive that are read."""
_PERSON_COLUMN = re.compile(r"(?i)subj|partic|prolific|worker|person|^(run_)?id$|^sub$|^jatos")
_END = "END OF FILE"
"""The last line of a file of Gorilla."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_OUTPUT = {"session", "trial", "phase", "simulated"}
"""Columns that every table of trials has that gan_eval wrote, and no other program's."""
JATOS = "jatos."
"""Start of the names of columns about the results of JATOS."""


@dataclass(frozen=True)
class Foreign:
    """Rows of other programs' files as text, numbered through all files from 1."""

    cells: pd.DataFrame
    rejected: Sequence[Row]
    parts: Sequence[FilePart]
    starts: Sequence[int]
    """The number before each part's first row."""
    texts: Mapping[str, str]
    numbers: pd.DataFrame | None = None
    """After a wide table became long: for each row the one that it was (`row`), and what # stands for (`number`)."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """The columns of a form that are called as pictures, by these names."""

    def part_of(self, row: int) -> tuple[FilePart, int]:
        """Return the part in which a row was read, and the row's number there."""
        at = bisect_right(self.starts, row - 1) - 1
        return self.parts[at], row - self.starts[at]

    def origin(self, row: int) -> tuple[str, int, str]:
        """Return the file of a row, its number there, and what # stands for (else nothing)."""
        number = ""
        if self.numbers is not None:
            number, row = str(self.numbers["number"].loc[row]), int(self.numbers["row"].loc[row])
        part, within = self.part_of(row)
        return part.file, within, number

    def groups(self) -> pd.Series:
        """Return the group of each row."""
        names = pd.array([part.group for part in self.parts], dtype="str")
        return pd.Series(names.take(self._part_numbers(self.cells.index)), index=self.cells.index)

    def groups_without(self, rows: pd.Index) -> list[str]:
        """Return the groups that none of these rows are from."""
        used = {self.parts[at].group for at in set(self._part_numbers(rows).tolist())}
        return [group for group in dict.fromkeys(part.group for part in self.parts) if group not in used]

    def repeated(self, count: np.ndarray, numbers: Sequence[str] | None = None) -> "Foreign":
        """Return each row as often as `count` (N,) says, numbered anew.

        Args:
            numbers: what # stands for in each new row; default: the same as in the row before.
        """
        rows = np.repeat(np.arange(len(count)), count)
        index = pd.RangeIndex(1, len(rows) + 1)
        origin = pd.Series(self.cells.index[rows], index=index)
        own = pd.Series("" if numbers is None else numbers, index=index, dtype="str")
        if self.numbers is None:
            table = pd.DataFrame({"row": origin, "number": own, "name": own})
        else:
            table = self.numbers.loc[origin].set_axis(index)
            own = table["number"] if numbers is None else table["number"] + "," + own
            table = table.assign(number=own, name=table["name"] if numbers is None else own)
        return replace(self, cells=self.cells.iloc[rows].set_axis(index), numbers=table)

    def _part_numbers(self, rows: pd.Index) -> np.ndarray:
        """Return (N,) the index of each row's part."""
        before = rows if self.numbers is None else pd.Index(self.numbers["row"].loc[rows])
        return pd.Index(self.starts).searchsorted(before - 1, side="right") - 1


class Labels:
    """Numbers of rows for messages: with several files also the file, in a wide table also the question."""

    def __init__(self, foreign: Foreign, rows: pd.Index) -> None:
        self.foreign, self.rows = foreign, rows
        self.several = len({part.file for part in foreign.parts}) > 1

    def __getitem__(self, at: int) -> str:
        file, row, number = self.foreign.origin(int(self.rows[at]))
        return f"{row}{f' (# {number})' if number else ''}{f' of {file}' if self.several else ''}"


class TableLayout(NamedTuple):
    """Place of a file's table, as the user says."""

    skip_rows: int = 0
    """The number of further header rows below the first one; those of Qualtrics are found."""
    sheet: str | None = None
    """The sheet of a spreadsheet or the table of a database, or `*` for all, each a group; default: the first sheet,
    the only table."""
    columns: Sequence[str] = ()
    """The names of the columns, where no file has a header."""
    names: Sequence[str] = ()
    """Names of columns by which the header is known: lines above it, such as sums, are titles."""


PLAIN = TableLayout()


def read_foreign(files: Sequence[Path], layout: TableLayout = PLAIN) -> Foreign:
    """Read all files as text; a column that a file lacks is empty there."""
    parts = _parts_of_files(files, layout)
    _require_no_output(parts)
    starts, end = [], 0
    for part in parts:
        starts.append(end)
        end += max([*part.numbers[-1:], *(row["row"] for row in part.rejected)], default=0)
    cells = pyarrow.concat_tables([part.table for part in parts], promote_options="default").to_pandas()
    rows = [np.array(part.numbers, "int64") + start for part, start in zip(parts, starts, strict=True)]
    cells = cells.astype("str").set_axis(pd.Index(np.concatenate(rows)))
    cells = cells.assign(**{name: without_blanks(column) for name, column in cells.items()})
    empty = [name for name in cells if name.startswith("unnamed_") and cells[name].isna().all()]
    rejected = [
        row | {"row": row["row"] + start} for part, start in zip(parts, starts, strict=True) for row in part.rejected
    ]
    texts = {name: text for part in parts for name, text in part.texts.items()}
    return Foreign(cells.drop(columns=empty), rejected, parts, starts, texts)


def _parts_of_files(files: Sequence[Path], layout: TableLayout) -> list[FilePart]:
    """Read each file; of files with one stem the group is called after the folder, too."""
    parts, has_sheets = list[FilePart](), False
    for file, group in zip(files, _groups([file.absolute() for file in files]), strict=True):
        if plain_file(file) is None:
            has_sheets = True
            parts += sqlite_parts(file, group, layout.sheet)
            continue
        data = read_small(file)
        has_sheets = has_sheets or data.startswith((_ZIP, OLD_EXCEL))
        parts += _parts(data, str(file), group, layout)
    if layout.sheet is not None and not has_sheets and not any(part.of_sheet for part in parts):
        raise UserError(f"--sheet {layout.sheet}: {files[0]} has no sheets; remove the option")
    if not parts:
        raise UserError(f"{files[0]}: no table in it; expected one of {', '.join(_READ)}")
    return parts


def _groups(files: Sequence[PurePath]) -> list[str]:
    """Return the stems of files, with as many of their folders as tell files with one stem apart, or with one folder.

    >>> _groups([PurePath("P1/a/x.csv"), PurePath("P2/a/x.csv"), PurePath("P2/a/y.csv"), PurePath("b/y.csv")])
    ['P1/a/x', 'P2/a/x', 'a/y', 'b/y']
    """
    paths = [(*file.parts[:-1], file.stem) for file in files]
    ends = Counter(path[-n:] for path in paths for n in range(1, len(path) + 1))
    found = (next((n for n in range(1, len(path) + 1) if ends[path[-n:]] == 1), 2) for path in paths)
    return ["/".join(path[-n:]) for path, n in zip(paths, found, strict=True)]


def _require_no_output(parts: Sequence[FilePart]) -> None:
    """Refuse a file that an earlier import wrote into the folder of the files, which `*.csv` then names, too."""
    ours = {part.file: {*part.table.column_names} >= _OUTPUT for part in parts}
    ours |= {part.file: part.table.column_names == [*REJECTED.names] for part in parts if not ours[part.file]}
    if any(ours.values()) and not all(ours.values()):
        file, other = (next(file for file, is_ours in ours.items() if is_ours is wanted) for wanted in (True, False))
        raise UserError(
            f"{file}: an output of gan-eval, and {other} is not; leave it out, and write --out into a folder of its own"
        )


def _parts(data: bytes, file: str, group: str, layout: TableLayout, *, is_member: bool = False) -> Iterator[FilePart]:
    """Read a file's content by its format; `is_member`: it is in an archive."""
    if data.startswith(_ZIP):
        yield from _archive_parts(data, file, group, layout, is_member=is_member)
        return
    if data.startswith(OLD_EXCEL):
        yield from _sheet_parts(data, file, group, layout)
        return
    if part := binary_part(data, file, group):
        yield part
        return
    text, note = _decoded(data, file)
    if text[:100].lstrip("\ufeff \t\r\n").lower().startswith(("<?xml", "<!doctype", "<html")):
        raise UserError(f"{file}: XML or HTML, not a table; export CSV, Excel or JSON (of CVAT: the format Datumaro)")
    if "\0" in text or file.lower().endswith((".zip", ".xlsx", ".xls", ".ods", ".parquet")):
        raise UserError(f"{file}: not a table of text (damaged, or of another format); restore it, or save it as CSV")
    for part in _text_parts(text, file, group, layout):
        yield part._replace(note="; ".join(filter(None, [note, part.note])))


def _text_parts(text: str, file: str, group: str, layout: TableLayout) -> Iterator[FilePart]:
    if text.lstrip()[:1] in ("[", "{"):
        yield from json_parts(text, file, group)
        return
    if part := log_part(text, file, group):
        yield part
        return
    if tables := titled_tables(text):
        for name in chosen_tables(list(tables), layout.sheet, Path(file)):
            one = f"{group}_{name}" if layout.sheet == EVERY_SHEET else group
            yield from (part._replace(of_sheet=True) for part in _text_parts(tables[name], file, one, layout))
        return
    found = _SEPARATOR_LINE.match(text)
    text = text[found.end() :] if found else text
    comment = text.partition("\n")[0] if text.startswith("#") else ""
    for part in _separated_parts(_without_comments(text), file, group, layout, separator=found and found[1]):
        yield from _sessions(part._replace(comment=comment))


def _separated_parts(
    text: str, file: str, group: str, layout: TableLayout, *, separator: str | None
) -> Iterator[FilePart]:
    """Read cells between commas, blanks or other signs."""
    lines = text.split("\n", MAX_TITLES)[:-1]
    of_lines = (mark for line in lines if line.count(mark := separator_of(line)) > 1)
    separator = separator or next(of_lines, separator_of(text))
    if separator == "," and (part := _plain_part(text, file, group, layout)):
        yield part
    elif between_blanks := _between_blanks(text):
        yield from _record_parts(between_blanks, file, group, layout, separator=" ")
    else:
        yield from _record_parts(text_records(text, file, separator)[0], file, group, layout, separator=separator)


def _plain_part(text: str, file: str, group: str, layout: TableLayout) -> FilePart | None:
    """Read a plain CSV text (`plain_table`) whose first line is its only header; None: it is another."""
    table = None if layout.columns or layout.skip_rows else plain_table(text.encode())
    if table is None or not len(table):
        return None
    rows = [[cell or "" for cell in row] for row in zip(*table[: MAX_TITLES + 1].to_pydict().values(), strict=True)]
    names, first = table.column_names, table.column(0)
    has_more = compute.any(compute.is_in(first, pyarrow.array([*names, _END], pyarrow.large_string()))).as_py()
    if has_more or header_row([names, *rows], layout.names) or _further_headers(names, rows):
        return None
    table = table.rename_columns(column_names(names))
    for at, name in enumerate(table.column_names if '"' in text else ()):
        if compute.any(compute.match_substring(table.column(at), ",")).as_py():
            cells = _with_points(table.column(at).fill_null("").to_pylist(), file, ",")
            table = table.set_column(at, name, table_of([name], [cells]).column(0))
    return FilePart(file, group, table, range(1, len(table) + 1))


def _decoded(data: bytes, file: str) -> tuple[str, str]:
    """Return the text of a file, and a line for the user if it is not Unicode: Windows writes it as cp1252."""
    is_wide = data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[1:2] == b"\0"
    encodings = ["utf-16-le" if data[1:2] == b"\0" else "utf-16"] if is_wide else ["utf-8", "cp1252"]
    for encoding in encodings:
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding).replace("\ufeff", "")  # one for each file that was joined by hand
            if encoding != "cp1252":
                return text, ""
            if not _CONTROL.search(text):
                return text, "not UTF-8: read as cp1252 of Windows; if letters are wrong, save it as CSV in UTF-8"
    raise UserError(f"{file}: not UTF-8 text; save it as CSV in UTF-8")


def _between_blanks(text: str) -> list[list[str]] | None:
    """Return the records of a table whose cells are split by blanks, as of R's write.table or PsyToolkit; None: it is
    another.

    Each line has as many cells, at least three; the header may have one less, as R names no column of row names.
    """
    head = text.lstrip().partition("\n")[0].strip()
    if " " not in head or re.search(r"[,;\t|]", re.sub('"[^"]*"', "", head)):
        return None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 3:
        return None
    try:
        with long_cells():
            header, *rows = csv.reader(lines, delimiter=" ", skipinitialspace=True)
    except csv.Error:
        return None
    width = len(rows[0])
    if width < 3 or any(len(row) != width for row in rows) or len(header) not in (width - 1, width):
        return None
    return [["", *header][-width:], *rows]


def _without_comments(text: str) -> str:
    """Return the text without the lines that begin with # before the header, as Expyriment writes them."""
    lines = text.splitlines(keepends=True) if text.startswith("#") else []
    first = next((at for at, line in enumerate(lines) if not line.startswith("#")), 0)
    if first == 0 or (first == 1 and separator_of(text) in lines[0] and lines[0].count(",") == lines[1].count(",")):
        return text
    return "".join(line for line in lines[first:] if not line.startswith("#"))


def _sessions(part: FilePart) -> Iterator[FilePart]:
    """Divide a file of jsPsych without a column of the participant where its trials begin at 0 again."""
    names = {*part.table.column_names}
    if not {"trial_index", "time_elapsed"} <= names or any(map(_PERSON_COLUMN.search, names)) or part.rejected:
        yield part
        return
    numbers = [int(cell) if cell and cell.isdecimal() else 0 for cell in part.table["trial_index"].to_pylist()]
    starts = [0, *(at for at in range(1, len(numbers)) if numbers[at] < numbers[at - 1]), len(numbers)]
    for number, (begin, end) in enumerate(itertools.pairwise(starts), start=1):
        yield part._replace(
            group=f"{part.group}_{number}" if len(starts) > 2 else part.group,
            table=part.table.slice(begin, end - begin),
            numbers=part.numbers[begin:end],
            begins_again=begin > 0,
        )


def _record_parts(
    records: list[list[str]], file: str, group: str, layout: TableLayout, *, separator: str = ","
) -> Iterator[FilePart]:
    """Read records with a header; below it another header may follow, as where files were joined by hand."""
    header_at = header_row(records, () if layout.skip_rows else layout.names)
    above = [title for row in records[:header_at] if (title := " ".join(filter(None, row)))]
    head = records[header_at]
    if header_at and len(over := records[header_at - 1]) == len(head):  # SurveyMonkey: a picture's name or a title
        head = [name or title for name, title in zip(head, over, strict=True)]
    records = [[*layout.columns], *records[header_at:]] if layout.columns else [head, *records[header_at + 1 :]]
    if records[-1][0] == _END and not any(records[-1][1:]):
        records = records[:-1]
    heads = _headers(records)
    for count, (begin, end) in enumerate(itertools.pairwise([*heads, len(records)]), start=1):
        header, rows = column_names(records[begin]), records[begin + 1 : end]
        skipped = layout.skip_rows or _further_headers(records[begin], rows)
        questions = [" ".join(cell.split()) for cell in rows[0]] if skipped and rows else []
        numbered = dict(enumerate(rows[skipped:], start=begin + 1 + skipped))
        header, note = _with_cells(header, {*map(len, numbered.values())})
        fitting = {number: row for number, row in numbered.items() if len(row) == len(header)}
        rejected = [_of_other_length(at, row, len(header)) for at, row in numbered.items() if at not in fitting]
        cells = list(zip(*fitting.values(), strict=True)) or [()] * len(header)
        columns = [_with_points(each, file, separator) for each in cells]
        name = group if len(heads) == 1 else f"{group}_{count}"
        texts = dict(zip(header, questions, strict=False))
        yield FilePart(file, name, table_of(header, columns), list(fitting), rejected, texts, titles=above, note=note)


def _of_other_length(number: int, row: Sequence[str], cells: int) -> Row:
    """Return the rejection of a row that has not as many cells as the header."""
    return rejection(number, WHOLE_ROW, f"the row has {len(row)} cells, the header has {cells}", ",".join(row))


def _headers(records: Sequence[Sequence[str]]) -> list[int]:
    """Return the numbers of the records that have the names of columns: the first, and later ones like it."""
    names = {*records[0]}
    return [
        at
        for at, record in enumerate(records)
        if at == 0 or (record[0] in names and 2 * len(names.intersection(record)) > min(len(names), len(record)) > 1)
    ]


def _with_cells(header: list[str], lengths: set[int]) -> tuple[list[str], str]:
    """Return the columns that have cells, and a line on the last ones if no row has a cell for them.

    Mechanical Turk's results have the columns Approve and Reject in the header alone.
    """
    (length, *others) = lengths or {len(header)}
    if others or not 1 < length < len(header):
        return header, ""
    return header[:length], f"no row has a cell for the last columns, {', '.join(header[length:])}"


def _with_points(cells: Sequence[str], file: str, separator: str) -> Sequence[str]:
    """Return a column with points in place of decimal commas; between commas only where all its cells are numbers."""
    if "," not in "".join(cells):
        return cells
    if separator == "," and not all(map(_NUMBER.fullmatch, filter(None, cells))):
        return cells
    rows = [[cell] for cell in cells]
    replace_decimal_commas(["-"], rows, file, {})
    return [cell for (cell,) in rows]


def _further_headers(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return the number of header rows of Qualtrics below the first: the questions' texts, then their codes."""
    for number, row in enumerate(rows[:3], start=1):
        if any(cell.startswith('{"ImportId"') for cell in row):
            return number
    titles = zip(header, rows[0], strict=False) if rows else ()
    return int(any(name.lower() == "responseid" and title.lower() == "response id" for name, title in titles))


def _sheet_parts(data: bytes, file: str, group: str, layout: TableLayout) -> Iterator[FilePart]:
    for name, records, unread, hidden in read_sheets(data, file, layout.sheet):
        note = f"{hidden} rows are hidden in the file, as by a filter; they count, too" if hidden else ""
        for part in _record_parts(records, f"{file}, sheet {name}" if name else file, name or group, layout):
            yield part._replace(unread=unread, note=note)


def _archive_parts(data: bytes, file: str, group: str, layout: TableLayout, *, is_member: bool) -> Iterator[FilePart]:
    """Read a file of worksheets, or the tables in a zip file; those of JATOS get columns about each result."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = [name for name in archive.namelist() if not name.startswith(("__MACOSX/", ".")) and name[-1] != "/"]
        if is_workbook(members):
            yield from _sheet_parts(data, file, group, layout)
            return
        if is_member:
            raise UserError(f"{file}: an archive in an archive; unpack it, and name its tables")
        members = [name for name in members if name.lower().endswith(_READ)]
        require_small(sum(archive.getinfo(name).file_size for name in members), file)
        contents = {name: archive.read(name) for name in members}
    except _UNREADABLE as error:
        raise UserError(f"{file}: not a readable zip file ({error})") from error
    yield from _member_parts(contents, file, layout)


def _member_parts(contents: dict[str, bytes], file: str, layout: TableLayout) -> Iterator[FilePart]:
    facts: dict[str, dict[str, str]] = {}
    for name in [name for name in contents if PurePosixPath(name).name == "metadata.json"]:
        try:
            facts |= _jatos_facts(json.loads(contents.pop(name)))
        except (ValueError, RecursionError) as error:
            raise UserError(f"{file}: {name} is not JSON; export the results again") from error
    contents = {name: content for name, content in contents.items() if content.strip()}
    for (name, content), group in zip(contents.items(), _groups([*map(PurePosixPath, contents)]), strict=True):
        result = _RESULT.search(name)
        inner = result[1] if result else group
        for part in _parts(content, f"{file}/{name}", inner, layout, is_member=True):
            about = {f"{JATOS}study_result": result[2], **facts.get(result[2], {})} if result else {}
            table = part.table
            for key, value in about.items():
                table = table.append_column(key, pyarrow.array([value] * len(table), pyarrow.large_string()))
            yield part._replace(table=table, group=inner if result else part.group)


def _jatos_facts(metadata: Any) -> dict[str, dict[str, str]]:
    """Return the worker, the state and the address's parameters of each study result in the metadata."""
    facts_of: dict[str, dict[str, str]] = {}
    pending = [metadata]
    while pending:
        value = pending.pop()
        if isinstance(value, dict) and "componentResults" in value and "id" in value:
            names = {"worker": "workerId", "worker_type": "workerType", "state": "studyState", "batch": "batchTitle"}
            facts = {
                JATOS + ours: str(value[theirs]) for ours, theirs in names.items() if value.get(theirs) is not None
            }
            address = value.get("urlQueryParameters")
            if isinstance(address, dict):
                facts |= {f"{JATOS}{key}": str(text) for key, text in address.items()}
            facts_of[str(value["id"])] = facts
        pending += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return facts_of
