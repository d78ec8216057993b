"""What stands in a stored table, checked: SQLite keeps whatever it is given, of whatever type."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from gan_eval.errors import UserError
from gan_eval.tables.cells import is_too_large, wanted
from gan_eval.tables.schema import Column, Table
from gan_eval.tabular import Row

SHOWN = 60
"""So much of a value is shown in a message."""


def checked_rows(found: Iterable[Mapping[Any, Any]], table: Table, where: str) -> list[Row]:
    """Rows as the database holds them, with the schema's types.

    Args:
        found: the rows; truths may be 0 and 1.
        table: the schema.
        where: the store's path or URL.

    Raises:
        UserError: a cell is of another type than its column, no word of its enumeration, or empty where none may be.
    """
    rows = []
    for row in found:
        made: Row = {}
        for name, value in row.items():
            try:
                made[name] = _checked(value, table.by_name[name])
            except ValueError as error:
                raise UserError(
                    f"{where}: table {table.name}, row {_name(row, table)}, column {name}: found {_short(value)}, "
                    f"wanted {wanted(table.by_name[name])}; mend that cell, or restore the store from a copy"
                ) from error
        rows.append(made)
    return rows


def text_or_bytes(content: bytes) -> str | bytes:
    """SQLite's text, or its bytes where they are no UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _checked(value: Any, column: Column) -> Any:
    """
    Raises:
        ValueError: it is not what the schema wants.
    """
    if value is None and not column.filled:
        return None
    match column.dtype:
        case "bool" if type(value) in (bool, int) and value in (0, 1):
            return bool(value)
        case "int" if type(value) is int:
            return value
        case "float" if type(value) in (int, float) and not is_too_large(float(value), column):
            return float(value)
        case "text" if isinstance(value, str) and (not column.words or value in column.words):
            return value
        case "instant" if isinstance(value, str):
            datetime.fromisoformat(value)
            return value
        case "json" if isinstance(value, str):
            json.loads(value)
            return value
    raise ValueError(value)


def _name(row: Mapping[str, Any], table: Table) -> str:
    """What tells the row from the others."""
    return " ".join(f"{name}={row[name] if type(row[name]) is int else _short(row[name])}" for name in table.key)


def _short(value: Any) -> str:
    """A value as a message shows it, also where it is very long."""
    if value is None:
        return "nothing"
    with suppress(TypeError):
        value = value[: SHOWN + 1]
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
