"""The tables of `gan_eval.tables` in a database."""

from typing import Any

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.tables.schema import Dtype, Table

SCHEMA_VERSION = 3
"""Raised when a table or a column changes; a store of another version is refused."""

SERVER_LOCK = 0x67616E5F6576616C
"""The advisory lock under which a PostgreSQL server's tables are made and sessions begin (`gan_eval` in ASCII)."""

STORED_TABLES = tables.STORED_TABLES
"""The tables that a store holds."""

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
        """Return the schema's version of a store; None where there is none yet.

        Raises:
            UserError: the store has another version than this program, or one that cannot be read.
        """
        known = sa.inspect(connection).has_table(META)
        version = connection.execute(sa.select(self._meta.c.schema_version)).scalar() if known else None
        if version not in (None, SCHEMA_VERSION):
            raise UserError(
                f"{where}: the store has schema version {str(version)[:20]}, this program knows {SCHEMA_VERSION}; open "
                "it with the version of gan_eval that made it"
            )
        return version

    def create(self, connection: sa.Connection, where: str) -> None:
        """Make the tables of a new store.

        Raises:
            UserError: the store has another version, or has lost a table.
        """
        if self.version(connection, where) is None:
            self._metadata.create_all(connection)
            connection.execute(self._meta.insert().values(schema_version=SCHEMA_VERSION))
        elif missing := set(self._tables) - set(sa.inspect(connection).get_table_names()):
            raise UserError(
                f"{where}: the store is damaged (no such table: {', '.join(sorted(missing))}); restore it from a copy"
            )
