"""Cells and CSV files: convert text into checked values and back, and whole files into records of text.

A cell that a spreadsheet would run as a formula is written with an apostrophe before it, and read without.
"""

import csv
import io
import itertools
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gan_eval.base.errors import UserError, abbreviated, shortened
from gan_eval.base.limits import long_cells
from gan_eval.base.reading import read_bytes
from gan_eval.tables.schema import Column, Dtype, Table

_EXPECTED: dict[Dtype, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "instant": "an instant in ISO 8601, such as 2026-01-31T12:00:00Z",
    "json": "JSON",
}
_SEPARATOR = "; a spreadsheet may have taken the decimal point for a separator of thousands (0.875 becomes 875)"
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


_ROUNDING = 1e-12
"""Largest distance of a sum of many shares from its limits."""


def expected(column: Column) -> str:
    """Return a description of a column's cells, for messages."""
    if column.words:
        return f"one of {', '.join(column.words)}"
    limits = limits_of(column)
    return _EXPECTED.get(column.dtype, "text") + (f" of {limits}" if limits else "")


def limits_of(column: Column) -> str:
    """Return the limits of a column's numbers, for messages; empty without limits."""
    ends = (("at least", column.least), ("at most", column.most))
    limits = [f"{word} {end:g}" for word, end in ends if end is not None]
    return f"{limits[0]} {column.unit}".rstrip() if len(limits) == 1 else " and ".join(limits)


def is_outside(value: Any, column: Column) -> Any:
    """Return True for a number outside the limits of its column, but for rounding; for a series, a series."""
    most = math.inf if column.most is None else column.most
    least = -most if column.least is None else column.least
    outside = (value < least - _ROUNDING) | (value > most + _ROUNDING)
    return outside & (value != math.inf) if column.infinite else outside


_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def invisible_in(text: str) -> str | None:
    """Return the first invisible character of a name (a control, a direction mark, half of a surrogate pair), or None.

    >>> invisible_in("a\u202eb"), invisible_in("photo 1.png")
    ('U+202E', None)
    """
    if text.isprintable():
        return None
    return next((f"U+{ord(letter):04X}" for letter in text if unicodedata.category(letter) in _INVISIBLE), None)


def is_missing(value: Any) -> bool:
    """Return True for None, NaN, and pandas' NA and NaT, without importing pandas."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


TYPES: dict[Dtype, type] = {"text": str, "instant": str, "json": str, "int": int, "float": float, "bool": bool}
"""The type of the cells of each column."""
_FORMS: dict[Dtype, Callable[[str], object]] = {"instant": datetime.fromisoformat, "json": json.loads}
"""Functions by type of column that raise an error for a text of another form."""


def all_fit(values: Sequence[Any], column: Column) -> bool:
    """Return True if all values are plainly cells of the column: each is of its type and within its limits.

    False may also be the answer for values that `parse_any` accepts or converts.
    """
    kind = TYPES[column.dtype]
    if not all(type(value) is kind for value in values):
        return False
    if kind is str:
        return _all_have_form(values, column)
    if kind is bool or not values:
        return True
    ends = min(values), max(values)
    return -(2**63) <= ends[0] <= ends[1] < 2**63 and (
        column.is_free or not any(is_outside(end, column) for end in ends)
    )


def _all_have_form(texts: Sequence[str], column: Column) -> bool:
    """Return True if all texts are plainly words, names, instants or JSON, as the column requires."""
    if "" in texts or (column.words and not {*texts} <= {*column.words}):
        return False
    if column.is_name:
        return all(text.isprintable() and text[-2:] != ".0" for text in texts)
    form = _FORMS.get(column.dtype, str)
    try:
        for text in texts:
            form(text)
    except (ValueError, RecursionError):
        return False
    return True


def parse_any(value: Any, column: Column) -> Any:
    """Return a cell (text from CSV, a NumPy scalar, None, NaN, NA) as the Python value of the column's dtype."""
    if is_missing(value):
        return None
    if isinstance(value, str):
        return parse(value, column, "")
    return _check(value.item() if hasattr(value, "item") else value, column, "")


def name_of(value: Any) -> Any:
    """Return an identifier that is a whole number, as `pandas.read_csv` gives it, as text; other values unchanged.

    >>> name_of(3), name_of(3.0), name_of("007")
    ('3', '3', '007')
    """
    value = value.item() if hasattr(value, "item") else value
    is_whole = type(value) is int or (type(value) is float and value.is_integer())
    return str(int(value)) if is_whole else value


def person_of(code: str) -> str:
    """Return the common form of the codes of one person: `P01`, `p01` and `P01 ` differ only in case and spaces.

    >>> {person_of(code) for code in ("P01", "p01", "P01 ")}
    {'p01'}
    """
    return code.strip().casefold()


_WHOLE = re.compile(r"\d+\.0")


def whole_names(names: list[Any]) -> list[Any]:
    """Return identifiers without `.0` if all end so: pandas writes whole numbers of a column with gaps like that.

    >>> whole_names(["7.0", None, "8.0"]), whole_names(["7.0", "v1"])
    (['7', None, '8'], ['7.0', 'v1'])
    """
    texts = [name for name in names if name is not None]
    if not texts or not all(isinstance(name, str) and _WHOLE.fullmatch(name) for name in texts):
        return names
    return [name if name is None else name[:-2] for name in names]


def parse(text: str, column: Column, where: str) -> Any:
    """Return a cell of CSV text as the Python value of the column's dtype; an empty cell is None."""
    if text == "":
        return None
    try:
        value: Any = text
        match column.dtype:
            case "instant" | "json":
                _FORMS[column.dtype](text)
            case "float":
                value = number_of(text)
            case "bool":
                value = _TRUTH[text.lower()]
            case "int":
                value = number_of(text)  # other programs write 3.0 where a column has missing values
                if not value.is_integer():
                    raise ValueError(text)
                value = int(value) if "." in text or "e" in text.lower() else int(text)  # of any size
        return _check(value, column, where)
    except (ValueError, KeyError, RecursionError) as error:
        point = with_point(text) if column.dtype == "float" else ""
        raise UserError(f"{where}found {abbreviated(text)}, expected {_EXPECTED[column.dtype]}{point}") from error


def number_of(text: str) -> float:
    """Return the number that a text from outside is; `float` would also take 12_3 and digits of other scripts.

    Raises:
        ValueError: it is none.

    >>> number_of(" 1.5e3"), number_of("inf")
    (1500.0, inf)
    """
    if "_" in text or not text.strip().isascii():
        raise ValueError(f"could not convert string to float: {text!r}")
    return float(text)


def with_point(text: str) -> str:
    """Return the end of the message "expected a number" if the text has a decimal comma; else nothing."""
    return " with a decimal point" if "," in text else ""


def _check(value: Any, column: Column, where: str) -> Any:
    """Return the value, converted to the column's dtype; refuse a value that the column does not allow."""
    value = _converted(value, column)
    if missed := _missed(value, column):
        raise UserError(f"{where}found {abbreviated(value)}, expected {missed}")
    if column.is_name and isinstance(value, str) and (mark := invisible_in(value)):
        raise UserError(f"{where}found {shortened(value, 100)!a} with the invisible character {mark}; remove it")
    return None if is_missing(value) else value


def _converted(value: Any, column: Column) -> Any:
    """Return a value as the type of its column, where it means the same; else unchanged."""
    match column.dtype:
        case "text" if not column.words and type(name := name_of(value)) in (int, float, str):
            return name if column.is_name else str(name)  # pandas.read_csv takes text of digits only for numbers
        case "int" if isinstance(value, float) and value.is_integer():
            return int(value)
        case "float" if type(value) is int:
            return float(value)
        case "bool" if type(value) in (int, float) and value in (0, 1):
            return bool(value)
        case "json" if not isinstance(value, str):
            return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value


def _missed(value: Any, column: Column) -> str:
    """Return what the column expects in place of a value; empty: the value fits."""
    is_fitting = type(value) is TYPES[column.dtype] and (not column.words or value in column.words)
    if not is_fitting or (column.is_number and not column.is_free and is_outside(value, column)):
        return "a finite number" if value in (math.inf, -math.inf) else expected(column) + _of_separator(value, column)
    return "a whole number within 64 bits" if type(value) is int and not -(2**63) <= value < 2**63 else ""


def _of_separator(value: Any, column: Column) -> str:
    """Return the end of a message if a spreadsheet may have made the value of three decimals."""
    is_thousandfold = column.dtype == "float" and column.most == 1 and type(value) is float and value.is_integer()
    return _SEPARATOR if is_thousandfold else ""


def padded(text: str) -> str:
    """Return the text of a float with a fourth decimal if it has three: spreadsheets may read 0.875 as 875.

    >>> padded("0.875"), padded("0.5"), padded("1.125e-07")
    ('0.8750', '0.5', '1.1250e-07')
    """
    if text[-4:-3] == ".":
        return text + "0"
    if "e" in text:
        digits, _, exponent = text.partition("e")
        return f"{digits}0e{exponent}" if digits[-4:-3] == "." else text
    return text


def format_cell(value: Any, column: Column | None, where: str) -> str:
    """Return a Python value as CSV text."""
    if is_missing(value) or value == "":
        return ""
    if column is not None:
        value = parse(value, column, where) if isinstance(value, str) else _check(value, column, where)
    if isinstance(value, bool):
        return "true" if value else "false"
    return padded(repr(value)) if isinstance(value, float) else str(value)


FORMULA = r"'*([=+@\t\r\n]|-(?!(inf|[0-9.]+([eE][+-]?[0-9]+)?)?$))"
"""Start of a cell that a spreadsheet would run, after any apostrophes; not the minus sign of a number."""
_FORMULA = re.compile(FORMULA)
_TO_QUOTE = re.compile('[,"\r\n]')
"""A sign in a cell that must be quoted."""


def csv_cells(texts: Iterable[str]) -> list[str]:
    """Return texts as cells of a CSV file: quoted where needed, and with an apostrophe if a spreadsheet would run them.

    >>> csv_cells(["=1+1", "'=1+1", "-4.5", "it's", "a, b"])
    ["'=1+1", "''=1+1", '-4.5', "it's", '"a, b"']
    """
    cells = (f"'{text}" if _FORMULA.match(text) else text for text in texts)
    return ['"' + cell.replace('"', '""') + '"' if _TO_QUOTE.search(cell) else cell for cell in cells]


_HEADER = re.compile(r"""[\r\n]*((?:"[^"]*"|[^"\r\n])*)""")
"""The first line with text; a quoted cell may have several lines."""
_QUOTED = re.compile(r'"[^"]*"')
_DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
_DECIMAL_COMMA_CELL = re.compile(rf"(?<![^;\t|]){_DECIMAL_COMMA.pattern}(?![^;\t|])")


def csv_records(
    path: Path, table: Table | None = None, *, has_header: bool = True, number_unnamed: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Return header and records of a CSV file, of any lengths; without a header, an empty one.

    A byte-order mark, blank lines and the apostrophe before a formula are removed. If the first line has no comma but
    decimal ones, cells may be separated by semicolons, tabs or bars; then a decimal comma becomes a point in columns of
    numbers, and in columns that are not in `table` if it cannot be anything else.

    Args:
        number_unnamed: columns without a name are called `unnamed_1`, `unnamed_2`, ... after their numbers.

    Raises:
        UserError: the file is missing, empty, or not CSV in UTF-8, a column occurs twice, or one of the table's columns
            of numbers may have thousands separators (`require_clear_numbers`).
    """
    data = read_bytes(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = "an Excel file or another zip" if data.startswith(b"PK") else "not UTF-8 text"
        raise UserError(f"{path}: {kind}; save it as CSV in UTF-8") from error
    records, separator = text_records(text, str(path))
    header, rows = (records[0], records[1:]) if has_header else ([], records)
    if number_unnamed:
        header = [name if name.strip() else f"unnamed_{number}" for number, name in enumerate(header, start=1)]
    require_distinct(header, path)
    if separator != ",":
        names = header or [""] * max(map(len, rows))
        replace_decimal_commas(names, rows, str(path), {} if table is None else table.by_name)
    return header, rows


def separator_of(text: str) -> str:
    """Return the character between the cells of the first line: comma, semicolon, tab or bar."""
    head = _QUOTED.sub("", _HEADER.match(text)[1])  # type: ignore[index]  # it matches anything
    return next((mark for mark in ";\t|" if mark in head and "," not in _DECIMAL_COMMA_CELL.sub("", head)), ",")


def text_records(text: str, where: str, separator: str | None = None) -> tuple[list[list[str]], str]:
    """Return the records of a CSV text, without blank lines and the apostrophe before a formula, and the separator."""
    separator = separator or separator_of(text)
    try:
        with long_cells():
            records = list(csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator))
    except csv.Error as error:
        raise UserError(f"{where}: not a CSV file ({error})") from error
    if "'" in text:  # perhaps that of `csv_cells`
        records = [
            [cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell for cell in record]
            for record in records
        ]
    records = [record for record in records if record]
    if not records:
        raise UserError(f"{where}: empty; a table needs a header line")
    return records, separator


def replace_decimal_commas(
    header: Sequence[str], rows: Sequence[list[str]], where: str, columns: Mapping[str, Column]
) -> None:
    """Replace numbers such as 0,53 by 0.53, in place; columns of text do not change."""
    for at, name in enumerate(header):
        column = columns.get(name)
        if column is not None and not column.is_number:
            continue
        cells = [row[at] if at < len(row) else "" for row in rows]
        try:
            require_clear_numbers(cells, f"{where}: column {name}")
        except UserError:
            if column is not None:
                raise
            continue  # perhaps text; reading numbers from it fails later
        for row in rows:
            if at < len(row) and _DECIMAL_COMMA.fullmatch(row[at]):
                row[at] = row[at].replace(",", ".")


_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:([.,'’ \u00a0\u202f])\d{3})(?:\1\d{3})*(?:(?!\1)[.,]\d+)?")
"""A number that has, or may have, a thousands separator: 1.240, 1,240,000, 1 240, 1.240,5."""
_SINGLE = re.compile(r"[-+]?\d{1,3}[.,]\d{3}")
_NUMBER = re.compile(r"[-+]?[\d.,]*\d([eE][-+]?\d+)?")
_MARKS = ",'’ \u00a0\u202f"
_THREE_DIGITS = re.compile(r"\.\d{3}$", re.MULTILINE)
_GROUPED_BY_POINTS = re.compile(r"^[-+]?[1-9]\d{0,2}(\.\d{3})+$", re.MULTILINE)
_DECIMAL_POINT = re.compile(r"^[-+]?(0?\.\d+|\d+\.(\d\d?|\d{4,}))$", re.MULTILINE)
_TWO_POINTS = re.compile(r"\.\d+\.")


def require_clear_numbers(cells: Sequence[str], where: str, rows: Iterable[int] | None = None) -> None:
    """Refuse a column in which a point or comma may be a thousands separator: next to 982, 1.240 is 1240 or 1.24.

    A point or comma is a decimal mark if another cell shows it (0.240, 1.24, 1234.567), or if no number is whole.

    Args:
        cells: a whole column of numbers, or each different cell once; empty cells and text are ignored.
        where: file and column, for the message.
        rows: the number of each cell's row; default: 1, 2, ...

    >>> require_clear_numbers(["1.240", "0.982"], "t.csv: column rt")
    """
    if _are_clear("\n".join(filter(None, cells))):
        return
    numbers = _numbers(cells, rows or itertools.count(1))
    marks = {mark for _, cell in numbers for mark in ".," if mark in cell}
    has_whole = any(cell.lstrip("+-").isdigit() for _, cell in numbers)
    has_decimal = any(marks & set(cell) and not _GROUPED.fullmatch(cell) for _, cell in numbers)
    for number, cell in numbers:
        if _is_unclear(cell, marks, may_group=has_whole and not has_decimal):
            raise UserError(
                f"{where}: {cell!r} in row {number} may have a thousands separator; write numbers without one and "
                "with a decimal point"
            )


def _numbers(cells: Iterable[str], rows: Iterable[int]) -> list[tuple[int, str]]:
    """Return the cells with digits and marks only, and the numbers of their rows."""
    entries = [(number, cell.strip()) for number, cell in zip(rows, cells, strict=False)]
    return [(number, cell) for number, cell in entries if _NUMBER.fullmatch(cell) or _GROUPED.fullmatch(cell)]


def _is_unclear(cell: str, marks: set[str], *, may_group: bool) -> bool:
    """Return True if a number has, or may have, a thousands separator.

    Args:
        marks: those of the whole column.
        may_group: a single mark before three digits may separate thousands.
    """
    is_grouped = bool(_GROUPED.fullmatch(cell)) and (may_group or not _SINGLE.fullmatch(cell))
    return is_grouped or (len(marks) == 2 and "," in cell)


def _are_clear(lines: str) -> bool:
    """Return True if no cell, each in a line, has a mark but a point, and no point may be one of thousands.

    These are quick searches, the quickest first: most columns need no other.
    """
    if any(map(lines.count, _MARKS)):
        return False
    has_groups = _THREE_DIGITS.search(lines) and _GROUPED_BY_POINTS.search(lines)
    return not has_groups or bool(_DECIMAL_POINT.search(lines) and not _TWO_POINTS.search(lines))


def even_records(path: Path, table: Table | None = None) -> tuple[list[str], list[list[str]]]:
    """Return header and records of a CSV file, all of one length; `table` as for `csv_records`."""
    header, rows = csv_records(path, table)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise UserError(f"{path}: row {number}: found {len(row)} cells, expected {len(header)} as in the header")
    return header, rows


def csv_rows(records: Iterable[Sequence[str]]) -> bytes:
    """Return lines of a CSV file.

    Args:
        records: cells as `csv_cells` gives them.
    """
    text = "\n".join([*map(",".join, records), ""])
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        line = text[: error.start].rpartition("\n")[2] + ascii(error.object[error.start])[1:-1]
        raise UserError(f"{line}: this name is not UTF-8 and cannot be written to a table; rename the file") from error


def require_distinct(names: Sequence[str], where: object) -> None:
    """Refuse a table with two columns of one name."""
    for number, name in enumerate(names):
        if name in names[:number]:
            raise UserError(f"{where}: column {name} occurs twice; rename or remove one")
