"""The tables of `gan_eval.tables` in a database, and checks of their cells, because SQLite checks no types."""

from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.base.errors import UserError, abbreviated
from gan_eval.tables.cells import TYPES, parse_any
from gan_eval.tables.frames import EMPTY, Row, conform, faults, pandas_dtype
from gan_eval.tables.schema import Column, Dtype, Table

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 3
"""Version of the tables; increased when a table or column changes. A store of another version is refused."""

SERVER_LOCK = 0x67616E5F6576616C
"""Number of the advisory lock for creating tables and beginning sessions in PostgreSQL (`gan_eval` in ASCII)."""

META = "gan_eval_meta"
"""Table that marks a database as a results store; it holds the schema version."""

_TYPES: dict[Dtype, type[sa.types.TypeEngine[Any]]] = {
    "text": sa.Text,
    "instant": sa.Text,
    "json": sa.Text,
    "int": sa.BigInteger,
    "float": sa.Double,
    "bool": sa.Boolean,
}


METADATA = sa.MetaData()
_META = sa.Table(META, METADATA, sa.Column("schema_version", sa.Integer, nullable=False))
LAYOUTS = {
    table: sa.Table(
        table.name,
        METADATA,
        *(
            sa.Column(name, _TYPES[column.dtype], nullable=not column.filled, primary_key=name in key)
            for name, column in table.by_name.items()
        ),
    )
    for table in tables.STORED_TABLES
    for key in [() if table is tables.MARKS else table.key]  # a mark may have no number
}
"""The stored tables in SQLAlchemy."""
INSERTS = {table: layout.insert() for table, layout in LAYOUTS.items()}
"""The statement that adds rows to each table."""
_marks = LAYOUTS[tables.MARKS]
sa.Index("marks_key", _marks.c.session, _marks.c.trial, sa.func.coalesce(_marks.c.mark, 0), unique=True)
ADDED = (tables.MARKS,)
"""Tables that an older store of the same schema version lacks; they are added when it is opened for writing."""


def version_of(connection: sa.Connection, where: str) -> int | None:
    """Return the schema version of a store; None if the database is not a store yet.

    Raises:
        UserError: the store has another version than this program.
    """
    has_meta = sa.inspect(connection).has_table(META)
    version = connection.execute(sa.select(_META.c.schema_version)).scalar() if has_meta else None
    if version not in (None, SCHEMA_VERSION):
        raise UserError(
            f"{where}: the store has schema version {str(version)[:20]}, this program knows {SCHEMA_VERSION}; open it "
            "with the version of gan_eval that made it"
        )
    return version


def absent_columns(connection: sa.Connection) -> frozenset[tuple[Table, str]]:
    """Return the optional columns that an older store lacks, each with its table; they are added as `ADDED`."""
    stored = sa.inspect(connection).get_multi_columns(filter_names=[table.name for table in LAYOUTS])
    found = {name: {column["name"] for column in columns} for (_, name), columns in stored.items()}
    return frozenset(
        (table, column.name)
        for table in LAYOUTS
        for column in table.columns
        if column.optional and column.name not in found.get(table.name, table.names)
    )


def make_tables(connection: sa.Connection, where: str) -> None:
    """Create the tables of a new store."""
    if version_of(connection, where) is None:
        METADATA.create_all(connection)
        connection.execute(_META.insert().values(schema_version=SCHEMA_VERSION))
        return
    METADATA.create_all(connection, tables=[LAYOUTS[table] for table in ADDED])
    for table, name in absent_columns(connection):
        column = sa.schema.CreateColumn(LAYOUTS[table].c[name]).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column}")
    if missing := {table.name for table in LAYOUTS} - set(sa.inspect(connection).get_table_names()):
        raise UserError(
            f"{where}: the store is damaged (no such table: {', '.join(sorted(missing))}); restore it from a copy"
        )


def checked_rows(rows: Iterable[Mapping[Any, Any]], table: Table, where: str) -> list[Row]:
    """Return a database's rows with the schema's types; 0 and 1 become booleans.

    Raises:
        UserError: a cell does not fit its column, or is empty where a value is required.
    """
    checked = []
    for row in rows:
        values: Row = {}
        for name, value in row.items():
            column = table.by_name[name]
            try:
                is_truth = column.dtype == "bool" and type(value) is int and value in (0, 1)
                values[name] = parse_any(bool(value) if is_truth else value, column)
                if values[name] is None and column.filled:
                    raise UserError(EMPTY)
            except UserError as error:
                raise _wrong_cell(row, name, table, where, str(error)) from error
        checked.append(values)
    return checked


def frame_of(rows: Sequence[Sequence[Any]], table: Table) -> "pd.DataFrame":
    """Return a database's rows as a frame; a column with cells of other types than the stored one has dtype object.

    Not as `pandas.read_sql`, which guesses types, and converts a damaged cell to text.
    """
    import pandas as pd

    cells = zip(*rows, strict=True) if rows else [()] * len(table.columns)
    columns = zip(table.columns, cells, strict=True)
    return pd.DataFrame({column.name: _typed(those, column) for column, those in columns}, copy=False)


def checked_frame(frame: "pd.DataFrame", table: Table, where: str) -> "pd.DataFrame":
    """Return a frame as the database holds it with the schema's dtypes; the same as `checked_rows` for many rows."""
    try:
        return conform(frame, table, where=f"{where}: table {table.name}")
    except UserError as error:
        if not (problems := faults(frame, table)):
            raise
        row, name, reason = problems[0]
        raise _wrong_cell(frame.iloc[row].to_dict(), name, table, where, reason) from error


def _typed(cells: Sequence[Any], column: Column) -> "pd.api.extensions.ExtensionArray":
    import pandas as pd

    if column.dtype == "bool" and {*cells} <= {0, 1, None} and {*map(type, cells)} <= {int, NoneType}:
        return pd.array(cells, dtype="Int64").astype(pandas_dtype("bool"))
    is_fit = {*map(type, cells)} <= {TYPES[column.dtype], NoneType}
    return pd.array(cells, dtype=pandas_dtype(column.dtype) if is_fit else "object")


def _wrong_cell(row: Mapping[Any, Any], name: str, table: Table, where: str, reason: str) -> UserError:
    key = " ".join(f"{part}={abbreviated(row[part])}" for part in table.key)
    return UserError(
        f"{where}: table {table.name}, row {key}, column {name}: {reason}; fix that cell, or restore the store from a "
        "copy"
    )
