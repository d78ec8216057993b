"""What stands in a stored table, checked, by row or in bulk: SQLite keeps whatever it is given, of whatever type.

In bulk, Arrow's ADBC driver reads; it brings a SQLite library of its own. POSIX file locks belong to a process: when
one library closes a file, the locks of the other on that file are gone (sqlite.org/howtocorrupt.html, 2.2.1). So a
store closes its own connection before it is read in bulk, and a process that writes a store never reads that store in
bulk meanwhile.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.errors import UserError
from gan_eval.store.connect import database_error
from gan_eval.tables.cells import expected, is_outside
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Column, Table

if TYPE_CHECKING:
    import sqlalchemy as sa

ABBREVIATED = 60
"""So many characters of a value stand in a message."""

ROWS_AT_ONCE = 1 << 24
"""The driver infers a column's type from the first batch of rows; a column may be empty in many of them."""

INSTANT = r"^\d{4}-(0\d|1[012])-([012]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{3})?Z$"
"""Instants as this program writes them."""


class UnexpectedError(Exception):
    """Something is wrong in a store; reading by row says what and where."""


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
                key = " ".join(
                    f"{part}={row[part] if type(row[part]) is int else _abbreviated(row[part])}" for part in table.key
                )
                raise UserError(
                    f"{where}: table {table.name}, row {key}, column {name}: found {_abbreviated(value)}, "
                    f"wanted {expected(table.by_name[name])}; mend that cell, or restore the store from a copy"
                ) from error
        checked.append(values)
    return checked


def text_or_bytes(content: bytes) -> str | bytes:
    """SQLite's text, or its bytes where they are no UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _checked(value: Any, column: Column) -> Any:
    """A stored value as the schema's type.

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


def _abbreviated(value: Any) -> str:
    """A value as a message has it, also where it is very long."""
    if value is None:
        return "nothing"
    with suppress(TypeError):
        value = value[: ABBREVIATED + 1]
    text = repr(value)
    return text if len(text) <= ABBREVIATED else f"{text[:ABBREVIATED]}…"


def can_read_in_bulk(engine: "sa.Engine") -> bool:
    """Whether this is a SQLite file that may be written beside, and ADBC's driver is installed."""
    return engine.dialect.name == "sqlite" and bool(engine.url.database) and find_spec("adbc_driver_sqlite") is not None


def checked_frame(path: Path, select: "sa.Select[Any]", order: Sequence[str], table: Table) -> Any:
    """The rows of a selection as a pandas frame with the schema's dtypes.

    Rows lie in a store in the order in which they came, mostly that of the key: reading them so and sorting where need
    be is quicker than reading along the key.

    Args:
        path: the store.
        select: columns of one table, in any order.
        order: columns of the selection by which the rows are to be sorted.
        table: the schema.

    Raises:
        UserError: another program holds the store.
        UnexpectedError: it is damaged, or some cell is not what its column wants.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    from adbc_driver_sqlite import StatementOptions, dbapi
    from sqlalchemy.dialects import sqlite

    query = str(select.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    try:
        with dbapi.connect(str(path)) as connection, connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 10000")
            cursor.fetchall()
            cursor.adbc_statement.set_options(**{StatementOptions.BATCH_ROWS.value: str(ROWS_AT_ONCE)})
            cursor.execute(query)
            rows = cursor.fetch_arrow_table()
    except dbapi.Error as error:
        if "locked" in str(error):
            raise database_error(str(error), str(path)) from error
        raise UnexpectedError(str(error)) from error
    for place, name in enumerate(rows.column_names):
        column, cells = table.by_name[name], rows[name]
        if not column.filled and pa.types.is_string(cells.type):  # an empty text is no value
            cells = pc.if_else(pc.equal(cells, ""), pa.scalar(None, cells.type), cells)
            rows = rows.set_column(place, name, cells)
        if not _is_right(cells, column):
            raise UnexpectedError(f"{table.name}, {name}")
    types = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    rows = rows.cast(pa.schema([(n, types.get(table.by_name[n].dtype, pa.large_string())) for n in rows.column_names]))

    pairs = {name: (rows[name].slice(0, max(0, len(rows) - 1)), rows[name].slice(1)) for name in order}  # neighbours
    in_order: Any = True
    for before, after in reversed(pairs.values()):
        in_order = pc.or_(pc.greater(after, before), pc.and_(pc.equal(after, before), in_order))
    if len(rows) > 1 and not pc.all(in_order, skip_nulls=False).as_py():
        rows = rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in order]))
        pairs = {name: (rows[name].slice(0, len(rows) - 1), rows[name].slice(1)) for name in order}
    same: Any = True
    for name in order:
        if name in table.key:
            same = pc.and_(pc.equal(*pairs[name]), same)
    if len(rows) > 1 and pc.any(same).as_py():
        raise UnexpectedError(f"{table.name}: one row twice")
    text = pd.StringDtype("pyarrow", na_value=float("nan"))
    dtypes = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype(), pa.large_string(): text}
    return rows.to_pandas(types_mapper=dtypes.get)


def _is_right(cells: Any, column: Column) -> bool:
    """Whether an Arrow column holds what the schema wants."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.filled and cells.null_count:
        return False
    if cells.null_count == len(cells):  # then the driver infers any type
        return True
    match column.dtype:
        case "bool":
            return bool(pa.types.is_integer(cells.type) and pc.all(pc.is_in(cells, pa.array([0, 1, None]))).as_py())
        case "int":
            return bool(pa.types.is_integer(cells.type))
        case "float":
            if not (pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)):
                return False
            ends = pc.min_max(cells.cast(pa.float64())).as_py().values()
            return not any(is_outside(end, column) for end in ends)
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return False
    try:
        cells.validate(full=True)  # is it UTF-8?
    except pa.ArrowInvalid:
        return False
    if column.filled and pc.any(pc.equal(cells, "")).as_py():
        return False
    if column.dtype == "instant":
        return bool(pc.all(pc.match_substring_regex(cells, INSTANT)).as_py())
    return not column.words or set(pc.unique(cells).drop_null().to_pylist()) <= set(column.words)
