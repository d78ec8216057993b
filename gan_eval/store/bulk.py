"""Whole tables out of a SQLite store into pandas, by ADBC where its driver is installed.

ADBC's driver brings a SQLite library of its own. POSIX file locks belong to a process: when one library closes a
file, the locks of the other on that file are gone (sqlite.org/howtocorrupt.html, 2.2.1). So a store closes its own
connection before it is read in bulk, and a process that writes a store never reads that store in bulk meanwhile.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.store.transaction import database_error
from gan_eval.tables.cells import is_too_large
from gan_eval.tables.schema import Column, Dtype, Table

if TYPE_CHECKING:
    import sqlalchemy as sa

ROWS_AT_ONCE = 1 << 24
"""The driver tells a column's type by the first rows it reads; a column may be empty in many of them."""

_INSTANT = r"^\d{4}-(0\d|1[012])-([012]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{3})?Z$"
"""Instants as this program writes them."""

FEW_ROWS = 100_000
"""So few are read by one thread."""


class UnexpectedError(Exception):
    """Reading by row has the words for what is wrong."""


def can_read_in_bulk(engine: "sa.Engine") -> bool:
    """Whether this is a SQLite file that may be written beside, and ADBC's driver is installed."""
    return engine.dialect.name == "sqlite" and bool(engine.url.database) and find_spec("adbc_driver_sqlite") is not None


def bulk_frame(path: Path, layout: "sa.Table", order: Sequence[str], select: "sa.Select[Any]", table: Table) -> Any:
    """The rows of a selection as a pandas frame with the schema's dtypes, read by a thread for each processor.

    Rows lie in a store in the order in which they came, mostly that of the key: reading them so and sorting where need
    be is quicker than reading along the key.

    Args:
        path: the store.
        layout: the database's table.
        order: columns of the selection by which the rows are to be sorted.
        select: columns of that one table, in any order.
        table: the schema.

    Raises:
        UserError: another program holds the store.
        UnexpectedError: it is damaged, or some cell is not what its column wants; which one, reading by row tells.
    """
    from concurrent.futures import ThreadPoolExecutor

    import pandas as pd
    import pyarrow as pa

    names = [column.name for column in select.selected_columns]
    wanted = pa.schema([(name, _arrow_type(table.by_name[name].dtype)) for name in names])
    with _connected(path) as connection:  # the last one to be closed: closing the last one moves the log into the file
        parts = _parts(connection, select, layout)
        with ThreadPoolExecutor(len(parts)) as threads:
            found = pa.concat_tables(
                threads.map(lambda part: _required(_fetch_alone(path, part), table).cast(wanted), parts)
            )
    text = pd.StringDtype("pyarrow", na_value=float("nan"))
    dtypes = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype(), pa.large_string(): text}
    found = _sorted(found, order)
    if _has_twins(found, [name for name in order if name in table.key]):
        raise UnexpectedError(f"{table.name}: one row twice")
    return found.to_pandas(types_mapper=dtypes.get)


def _required(found: Any, table: Table) -> Any:
    """What was found, where it is all that the schema wants; SQLite keeps any value in any column.

    Raises:
        UnexpectedError: it is not.
    """
    for name in found.column_names:
        if not _is_right(found[name], table.by_name[name]):
            raise UnexpectedError(f"{table.name}, {name}")
    return found


def _is_right(cells: Any, column: Column) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.filled and cells.null_count:
        return False
    if cells.null_count == len(cells):  # then the driver tells any type
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
            return not any(is_too_large(end, column) for end in ends)
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return False
    try:
        cells.validate(full=True)  # is it UTF-8?
    except pa.ArrowInvalid:
        return False
    if column.dtype == "instant":
        return bool(pc.all(pc.match_substring_regex(cells, _INSTANT)).as_py())
    return not column.words or set(pc.unique(cells).drop_null().to_pylist()) <= set(column.words)


def _parts(connection: Any, select: "sa.Select[Any]", layout: "sa.Table") -> "list[sa.Select[Any]]":
    """The selection in as many parts as there are processors, by the number that SQLite gives each row."""
    import sqlalchemy as sa

    rowid: sa.ColumnClause[int] = sa.literal_column(f"{layout.name}.rowid")
    ends: Any = sa.select(  # one after the other: SQLite looks at the ends alone, for both at once at every row
        *(sa.select(end(rowid)).select_from(layout).scalar_subquery() for end in (sa.func.min, sa.func.max))
    )
    low, high = (column[0].as_py() for column in _fetch(connection, ends).columns)
    if low is None or high - low < FEW_ROWS:
        return [select]
    wanted = min(os.cpu_count() or 1, 4)
    edges = [low + (high + 1 - low) * number // wanted for number in range(wanted + 1)]
    return [select.where(rowid >= first, rowid < last) for first, last in pairwise(edges)]


def _sorted(found: Any, order: Sequence[str]) -> Any:
    """An Arrow table in the order of these columns."""
    import pyarrow.compute as pc

    in_order: Any = True
    for name in reversed(order):
        before, after = found[name].slice(0, len(found) - 1), found[name].slice(1)
        in_order = pc.or_(pc.greater(after, before), pc.and_(pc.equal(after, before), in_order))
    if len(found) < 2 or pc.all(in_order, skip_nulls=False).as_py():
        return found
    return found.take(pc.sort_indices(found, sort_keys=[(name, "ascending") for name in order]))


def _has_twins(found: Any, key: Sequence[str]) -> bool:
    """Whether two neighbours are equal in these columns."""
    import pyarrow.compute as pc

    if len(found) < 2:
        return False
    same: Any = True
    for name in key:
        before, after = found[name].slice(0, len(found) - 1), found[name].slice(1)
        same = pc.and_(pc.equal(before, after), same)
    return bool(pc.any(same).as_py())


@contextmanager
def _connected(path: Path) -> Iterator[Any]:
    from adbc_driver_sqlite import dbapi

    try:
        with dbapi.connect(str(path)) as connection:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 10000")
                cursor.fetchall()
            yield connection
    except dbapi.Error as error:
        if "locked" in str(error):
            raise database_error(str(error), str(path)) from error
        raise UnexpectedError(str(error)) from error


def _fetch_alone(path: Path, select: "sa.Select[Any]") -> Any:
    with _connected(path) as connection:
        return _fetch(connection, select)


def _fetch(connection: Any, select: "sa.Select[Any]") -> Any:
    """What a selection finds, as an Arrow table."""
    from adbc_driver_sqlite import StatementOptions
    from sqlalchemy.dialects import sqlite

    query = str(select.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{StatementOptions.BATCH_ROWS.value: str(ROWS_AT_ONCE)})
        cursor.execute(query)
        return cursor.fetch_arrow_table()


def _arrow_type(dtype: Dtype) -> Any:
    import pyarrow as pa

    kinds = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    return kinds.get(dtype, pa.large_string())
