"""Worksheets of .xlsx, .xls and .ods files: their cells as text."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from gan_eval.base.errors import UserError
from gan_eval.base.limits import require_small

OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""The first bytes of an .xls file, and of an .xlsx file with a password."""
EVERY_SHEET = "*"
"""Word for all sheets of a file."""
_CELL = 32
"""Number of bytes of a cell in memory; the reader takes as much for each empty one between two others."""
Cell = str | bool | int | float | date | datetime | time | timedelta


class Worksheet(NamedTuple):
    """The cells of a sheet."""

    name: str
    """The group of its rows; empty: the file's one."""
    records: list[list[str]]
    """The rows, in one length."""
    unread: list[str]
    """The other sheets that have cells, where none was chosen."""
    hidden: int
    """Number of hidden rows of the file, such as by a filter, where the file says so."""


def is_workbook(members: list[str]) -> bool:
    """Return True for the names of files in an archive that is an .xlsx or .ods file."""
    return "xl/workbook.xml" in members or {"mimetype", "content.xml"} <= {*members}


def read_sheets(data: bytes, file: str, sheet: str | None) -> Iterator[Worksheet]:
    """Yield a sheet, or with the sheet `*` all that have cells, each with its name.

    Args:
        sheet: its name; default: the first.

    Raises:
        UserError: the file cannot be read, has no such sheet, or has more cells than the limit of size.
    """
    with _readable(file):
        hidden = _require_small_sheets(data, file) if data.startswith(b"PK") else 0
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    sheets = [each.name for each in book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    if sheet not in (None, EVERY_SHEET, *sheets):
        raise UserError(f"{file}: --sheet {sheet}: no such sheet; it has {', '.join(sheets)}")
    read = sheets if sheet in (None, EVERY_SHEET) else [sheet]
    filled = {name: records for name in read if name and (records := _records(book, name, file))}
    if sheet != EVERY_SHEET and not filled.keys() & {*read[:1]}:
        raise UserError(f"{file}: the sheet is empty; name another one with --sheet")
    for name in filled if sheet == EVERY_SHEET else read[:1]:
        unread = [other for other in filled if other != name] if sheet is None else []
        yield Worksheet(str(name) if sheet == EVERY_SHEET else "", filled[str(name)], unread, hidden)


@contextmanager
def _readable(file: str) -> Iterator[None]:
    try:
        yield
    except (CalamineError, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{file}: not a readable worksheet ({error}); save it as CSV") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the library's compiled code; not an Exception
            raise
        raise UserError(f"{file}: not a readable worksheet (damaged); save it as CSV") from error


def _require_small_sheets(data: bytes, file: str) -> int:
    """Refuse a file whose XML, or the rectangle around whose cells, is larger than the limit; count hidden rows."""
    hidden = 0
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        require_small(sum(each.file_size for each in archive.infolist() if each.filename.endswith(".xml")), file)
        for each in archive.infolist():
            if each.filename.startswith("xl/worksheets/") and each.filename.endswith(".xml"):
                xml = archive.read(each)
                rows = max(map(int, {*re.findall(rb"""\br=["'][A-Za-z]{0,3}(\d{1,9})["']""", xml)}), default=0)
                columns = max(map(_place, {*re.findall(rb"""\br=["']([A-Za-z]{1,3})\d""", xml)}), default=0)
                require_small(rows * columns * _CELL, f"{file}, the cells of {each.filename}")
                hidden += len(re.findall(rb"""<row\b[^>]*\shidden=["'](?:1|true)""", xml))
    return hidden


def _place(letters: bytes) -> int:
    """Return the number of a column.

    >>> _place(b"A"), _place(b"AB")
    (1, 28)
    """
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


def _records(book: CalamineWorkbook, name: str, file: str) -> list[list[str]]:
    """Return the cells of a sheet as text, without empty rows."""
    with _readable(f"{file}, sheet {name}"):
        sheet: CalamineSheet = book.get_sheet_by_name(name)
        require_small(sheet.total_height * sheet.total_width * _CELL, f"{file}, sheet {name}")
        rows = sheet.to_python(skip_empty_area=False)
    return [record for row in rows if any(record := [cell_text(cell) for cell in row])]


def cell_text(cell: Cell) -> str:
    """Return a cell as text: a date with the time of day, a duration in seconds.

    >>> cell_text(2.0), cell_text(True), cell_text(date(2025, 4, 1)), cell_text(timedelta(seconds=0.776))
    ('2', 'true', '2025-04-01 00:00:00', '0.776')
    """
    match cell:
        case str():
            return cell
        case bool():
            return json.dumps(cell)
        case float() if cell.is_integer() and abs(cell) < 2**63:
            return str(int(cell))
        case datetime():
            return cell.isoformat(sep=" ")
        case date():
            return datetime.combine(cell, time()).isoformat(sep=" ")
        case timedelta():
            return cell_text(cell.total_seconds())
    return str(cell)
