"""The tables of `gan_eval.tables` in a database, and their checked contents: SQLite keeps any value in any column."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError, abbreviated
from gan_eval.tables.cells import expected, parse_any
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Dtype, Table

SCHEMA_VERSION = 3
"""Raised when a table or a column changes; a store of another version is refused."""

SERVER_LOCK = 0x67616E5F6576616C
"""The advisory lock under which a PostgreSQL server's tables are made and sessions begin (`gan_eval` in ASCII)."""

META = "gan_eval_meta"
"""The table that marks a database as a results store; it holds the schema's version."""

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
            sa.Column(name, _TYPES[column.dtype], nullable=not column.filled, primary_key=name in table.key)
            for name, column in table.by_name.items()
        ),
    )
    for table in tables.STORED_TABLES
}
"""The stored tables as SQLAlchemy knows them."""


def version_of(connection: sa.Connection, where: str) -> int | None:
    """Return the schema's version of a store; None where there is none yet.

    Raises:
        UserError: the store has another version than this program, or one that cannot be read.
    """
    known = sa.inspect(connection).has_table(META)
    version = connection.execute(sa.select(_META.c.schema_version)).scalar() if known else None
    if version not in (None, SCHEMA_VERSION):
        raise UserError(
            f"{where}: the store has schema version {str(version)[:20]}, this program knows {SCHEMA_VERSION}; open it "
            "with the version of gan_eval that made it"
        )
    return version


def make_tables(connection: sa.Connection, where: str) -> None:
    """Make the tables of a new store.

    Raises:
        UserError: the store has another version, or has lost a table.
    """
    if version_of(connection, where) is None:
        METADATA.create_all(connection)
        connection.execute(_META.insert().values(schema_version=SCHEMA_VERSION))
    elif missing := {table.name for table in LAYOUTS} - set(sa.inspect(connection).get_table_names()):
        raise UserError(
            f"{where}: the store is damaged (no such table: {', '.join(sorted(missing))}); restore it from a copy"
        )


def checked_rows(rows: Iterable[Mapping[Any, Any]], table: Table, where: str) -> list[Row]:
    """Rows as the database holds them, of which truths may be 0 and 1, with the schema's types.

    Raises:
        UserError: a cell is of another type than its column, no word of its enumeration, or empty where none may be.
    """
    checked = []
    for row in rows:
        values: Row = {}
        for name, value in row.items():
            column = table.by_name[name]
            is_truth = column.dtype == "bool" and type(value) is int and value in (0, 1)
            try:
                values[name] = parse_any(bool(value) if is_truth else value, column)
                if values[name] is None and column.filled:
                    found = "nothing" if value is None else abbreviated(value)
                    raise UserError(f"found {found}, wanted {expected(column)}")
            except UserError as error:
                key = " ".join(f"{part}={abbreviated(row[part])}" for part in table.key)
                raise UserError(
                    f"{where}: table {table.name}, row {key}, column {name}: {str(error).removeprefix(': ')}; fix that "
                    "cell, or restore the store from a copy"
                ) from error
        checked.append(values)
    return checked
