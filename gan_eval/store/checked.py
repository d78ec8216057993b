"""Checked contents of stored tables, by row or as a frame: SQLite keeps values of any type in any column."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gan_eval.errors import UserError, abbreviated
from gan_eval.tables.cells import expected, is_outside
from gan_eval.tables.frames import Row, conform
from gan_eval.tables.schema import Column, Table

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa


def checked_rows(rows: Iterable[Mapping[Any, Any]], table: Table, where: str) -> list[Row]:
    """Rows as the database holds them, with the schema's types.

    Args:
        rows: as read; truths may be 0 and 1.
        table: the schema.
        where: the store's path or URL.

    Raises:
        UserError: a cell is of another type than its column, no word of its enumeration, or empty where none may be.
    """
    checked = []
    for row in rows:
        values: Row = {}
        for name, value in row.items():
            try:
                values[name] = _checked(value, table.by_name[name])
            except ValueError as error:
                key = " ".join(f"{part}={abbreviated(row[part])}" for part in table.key)
                found = "nothing" if value is None else abbreviated(value)
                raise UserError(
                    f"{where}: table {table.name}, row {key}, column {name}: found {found}, "
                    f"wanted {expected(table.by_name[name])}; fix that cell, or restore the store from a copy"
                ) from error
        checked.append(values)
    return checked


def _checked(value: Any, column: Column) -> Any:
    """A stored value as the schema's type."""
    if value is None and not column.filled:
        return None
    match column.dtype:
        case "bool" if type(value) in (bool, int) and value in (0, 1):
            return bool(value)
        case "int" if type(value) is int:
            return value
        case "float" if type(value) in (int, float) and not is_outside(float(value), column):
            return float(value)
        case "text" if isinstance(value, str) and (not column.words or value in column.words):
            if not value and column.filled:
                raise ValueError(value)
            return value
        case "instant" if isinstance(value, str):
            datetime.fromisoformat(value)
            return value
        case "json" if isinstance(value, str):
            json.loads(value)
            return value
    raise ValueError(value)


def read_frame(connection: "sa.Connection", select: "sa.Select[Any]", table: Table) -> "pd.DataFrame | None":
    """Return the rows of a selection as a frame with the schema's dtypes; None where some cell needs a closer look.

    Args:
        connection: the store's.
        select: all columns of one table, in their order and under any names.
        table: the schema.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the store cannot be read.
    """
    import pandas as pd

    try:
        frame = pd.read_sql(select, connection).set_axis(table.names, axis=1)
    except pd.errors.DatabaseError as error:
        raise error.__cause__ or error from None
    if not all(_has_type(frame[column.name], column) for column in table.columns):
        return None
    types = {"int": "Int64", "bool": "boolean"}  # pandas reads 0, 1 and nothing as floats
    try:
        frame = frame.astype({column.name: types[column.dtype] for column in table.columns if column.dtype in types})
        return conform(frame, table, where=table.name)
    except UserError:
        return None


def _has_type(cells: "pd.Series", column: Column) -> bool:
    """Return whether the stored values have the column's type: SQLite converts nothing, and neither may a frame."""
    from pandas.api import types

    known = cells.dropna()
    if known.empty:
        return True
    match column.dtype:
        case "bool":
            return types.is_bool_dtype(known) or (types.is_numeric_dtype(known) and bool(known.isin((0, 1)).all()))
        case "int":  # floats are exact up to 2^53
            whole = types.is_float_dtype(known) and bool(((known % 1 == 0) & (known.abs() < 2**53)).all())
            return types.is_integer_dtype(known) or whole
        case "float":
            return types.is_numeric_dtype(known) and not types.is_bool_dtype(known)
    return known.dtype == "str"
