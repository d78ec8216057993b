"""CSV files as text: read whole, with a byte-order mark or without, and written with line feeds.

A cell that a spreadsheet would run as a formula is written with an apostrophe before it, which makes it text there, and
read without.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files import require_file

FORMULA = r"'*([=+@\t\r\n]|-(?!(inf|[0-9.]+([eE][+-]?[0-9]+)?)?$))"
"""Begins a cell that a spreadsheet would run, apostrophes or not; the minus sign of a number does not."""
_FORMULA = re.compile(FORMULA)


def as_text(cell: str) -> str:
    """A cell as it is written: with an apostrophe more where a spreadsheet would run it.

    >>> as_text("=1+1"), as_text("'=1+1"), as_text("-4.5"), as_text("it's")
    ("'=1+1", "''=1+1", '-4.5', "it's")
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _as_meant(cell: str) -> str:
    """What `as_text` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def csv_records(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and records of a CSV file as they were meant, of whatever lengths.

    A byte-order mark, blank lines and the apostrophe before a formula are dropped.

    Raises:
        UserError: no such file, it is no CSV in UTF-8, it is empty, or a column stands twice.
    """
    require_file(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text; save it as CSV in UTF-8") from error
    limit = csv.field_size_limit(2**31 - 1)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV file ({error})") from error
    finally:
        csv.field_size_limit(limit)
    records = [[_as_meant(cell) for cell in record] for record in records if record]
    if not records:
        raise UserError(f"{path}: empty; a table needs a header line")
    header, *rows = records
    require_distinct(header, path)
    return header, rows


def even_records(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and records of a CSV file, all of one length."""
    header, rows = csv_records(path)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise UserError(f"{path}: row {number}: found {len(row)} cells, wanted {len(header)} as in the header")
    return header, rows


class _LineFeeds(io.StringIO):
    """Receives csv.writer's lines, one a call, and ends them with a line feed.

    The writer itself must be told CR LF, or it leaves a carriage return inside a cell unquoted.
    """

    def write(self, line: str) -> int:
        return super().write(line.removesuffix("\r\n") + "\n")


def csv_bytes(header: Sequence[str], records: Iterable[Sequence[str]]) -> bytes:
    text = _LineFeeds(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([as_text(name) for name in header])
    writer.writerows([as_text(cell) for cell in record] for record in records)
    try:
        return text.getvalue().encode()
    except UnicodeEncodeError as error:
        line = text.getvalue()[: error.start].rpartition("\n")[2] + ascii(error.object[error.start])[1:-1]
        raise UserError(f"{line}: this name is not UTF-8 and cannot stand in a table; rename the file") from error


def require_distinct(found: Sequence[str], where: object) -> None:
    for number, name in enumerate(found):
        if name in found[:number]:
            raise UserError(f"{where}: column {name} stands twice; rename or remove one")
