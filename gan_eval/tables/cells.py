"""One cell of a table: text of a file into a value, checked, and a value into text."""

import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from gan_eval.errors import UserError
from gan_eval.tables.schema import Column, Dtype
from gan_eval.words import shown

_WANTED: dict[Dtype, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "instant": "an instant in ISO 8601, such as 2026-01-31T12:00:00Z",
    "json": "JSON",
}
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def wanted(column: Column) -> str:
    """What a column's cells are, for messages."""
    if column.words:
        return f"one of {', '.join(column.words)}"
    return _WANTED.get(column.dtype, "text") + (f" of {_at_most(column)}" if column.most is not None else "")


def is_too_large(value: Any, column: Column) -> bool:
    """Whether a number is beyond what its column may hold."""
    if column.most is None or type(value) is not float or (column.infinite and value == math.inf):
        return False
    return abs(value) > column.most


def _at_most(column: Column) -> str:
    return f"at most {column.most:g} {column.unit}".rstrip()


def is_missing(value: Any) -> bool:
    """None, NaN, and pandas' NA and NaT (told by not equalling themselves, so that pandas need not be imported)."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def parse_any(value: Any, column: Column, where: str) -> Any:
    """A cell of any origin (text from CSV, a NumPy scalar, None, NaN, NA) as the schema's Python value."""
    if is_missing(value):
        return None
    if isinstance(value, str):
        return parse(value, column, where)
    return _check(value.item() if hasattr(value, "item") else value, column, where)


def parse(text: str, column: Column, where: str) -> Any:
    """A cell of CSV text as the schema's Python value; an empty cell is None."""
    if text == "":
        return None
    try:
        return _check(_READERS[column.dtype](text), column, where)
    except (ValueError, KeyError, RecursionError) as error:
        raise UserError(f"{where}: found {shown(text)}, wanted {_WANTED[column.dtype]}") from error


def _check(value: Any, column: Column, where: str) -> Any:
    """The value itself when it has the schema's type and word.

    Raises:
        UserError: it has not.
    """
    match column.dtype:
        case "int" if isinstance(value, float) and value.is_integer():
            value = int(value)
        case "float" if isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        case "json" if not isinstance(value, str):
            value = json.dumps(value, sort_keys=True, ensure_ascii=False)
    wanted: type = {"int": int, "float": float, "bool": bool}.get(column.dtype, str)
    if type(value) is not wanted:
        raise UserError(f"{where}: found {shown(value)}, wanted {_WANTED.get(column.dtype, 'text')}")
    if type(value) is int and not -(2**63) <= value < 2**63:
        raise UserError(f"{where}: found {shown(value)}, wanted a whole number within 64 bits")
    if is_too_large(value, column):
        raise UserError(f"{where}: found {shown(value)}, wanted {_at_most(column)}")
    if column.words and value not in column.words:
        raise UserError(f"{where}: found {shown(value)}, wanted one of {', '.join(column.words)}")
    return None if is_missing(value) else value


def format_cell(value: Any, column: Column | None, where: str) -> str:
    """A Python value as CSV text."""
    if is_missing(value) or value == "":
        return ""
    if column is not None:
        value = parse(value, column, where) if isinstance(value, str) else _check(value, column, where)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _read_instant(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _read_json(text: str) -> str:
    json.loads(text)
    return text


def _read_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        value = float(text)  # other programs write 3.0 where a column has missing values
        if not value.is_integer():
            raise
        return int(value)


_READERS: dict[Dtype, Callable[[str], Any]] = {
    "text": str,
    "instant": _read_instant,
    "json": _read_json,
    "int": _read_int,
    "float": float,
    "bool": lambda text: _TRUTH[text.lower()],
}
