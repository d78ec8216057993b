"""How the tables of `gan_eval.tables` lie in a database, and how an older store is brought up to date."""

from typing import Any

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.tables.schema import Dtype, Table

SCHEMA_VERSION = 3
"""Raised when a table or a column is added; a store of a newer version is refused, an older one brought up to date."""

SERVER_LOCK = 0x67616E5F6576616C
"""The advisory lock under which a PostgreSQL server's tables are made and sessions begin (`gan_eval` in ASCII)."""

STORED_TABLES = (
    tables.SESSIONS,
    tables.PLANS,
    tables.ONSETS,
    tables.TRIALS,
    tables.CONSENTS,
    tables.CHECKS,
    tables.PARTICIPANTS,
)
"""The tables that a store holds."""

META = "gan_eval_meta"
"""The table that tells a results store from another program's database; it holds the schema's version."""

DELIVERED = "gan_eval_delivered"
"""The table of a station's own store that tells which rows a server holds."""

_TYPES: dict[Dtype, type[sa.types.TypeEngine[Any]]] = {
    "text": sa.Text,
    "instant": sa.Text,
    "json": sa.Text,
    "int": sa.BigInteger,
    "float": sa.Double,
    "bool": sa.Boolean,
}


class Layout:
    """The stored tables as SQLAlchemy knows them."""

    def __init__(self) -> None:
        self._metadata = sa.MetaData()
        self._meta = sa.Table(META, self._metadata, sa.Column("schema_version", sa.Integer, nullable=False))
        self._tables = {
            table.name: sa.Table(
                table.name,
                self._metadata,
                *(
                    sa.Column(name, _TYPES[column.dtype], nullable=not column.filled, primary_key=name in table.key)
                    for name, column in table.by_name.items()
                ),
            )
            for table in STORED_TABLES
        }

    def __getitem__(self, table: Table) -> sa.Table:
        return self._tables[table.name]

    def version(self, connection: sa.Connection, where: str) -> int | None:
        """The schema's version of a store; None where there is none yet.

        Raises:
            UserError: the store is of a newer version, or of none that can be read.
        """
        known = sa.inspect(connection).has_table(META)
        version = connection.execute(sa.select(self._meta.c.schema_version)).scalar() if known else None
        if version is not None and type(version) is not int:
            raise UserError(
                f"{where}: table {META}, column schema_version: found {str(version)[:20]!r}, wanted a whole number; "
                "restore the store from a copy"
            )
        if version is not None and version > SCHEMA_VERSION:
            raise UserError(
                f"{where}: the store has schema version {version}, this program knows {SCHEMA_VERSION}; update gan_eval"
            )
        return version

    def bring_up_to_date(self, connection: sa.Connection, where: str) -> None:
        """Make what is missing: all of a new store, the tables and columns that an older program did not know.

        Raises:
            UserError: the store is of a newer version, or has lost a table.
        """
        version = self.version(connection, where)
        if version == SCHEMA_VERSION:
            missing = set(self._tables) - set(sa.inspect(connection).get_table_names())
            if missing:  # making it anew would hide what is lost
                raise UserError(
                    f"{where}: the store is damaged (no such table: {', '.join(sorted(missing))}); restore it from a "
                    "copy"
                )
        self._metadata.create_all(connection)
        if version is None:
            connection.execute(self._meta.insert().values(schema_version=SCHEMA_VERSION))
            return
        for table in self._tables.values():
            _add_missing_columns(connection, table)
        if version < SCHEMA_VERSION:
            connection.execute(self._meta.update().values(schema_version=SCHEMA_VERSION))


def _add_missing_columns(connection: sa.Connection, table: sa.Table) -> None:
    """Older rows hold nothing in a new column, so it may be empty even where new rows must fill it."""
    quote = connection.dialect.identifier_preparer.quote
    existing = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in existing:
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} ADD COLUMN {quote(column.name)} {kind}")
