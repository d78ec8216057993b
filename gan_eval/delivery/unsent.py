"""What of a station's own store a server does not hold yet.

A row is noted as delivered in the same SQLite file, by its key and by the identity that the server gave itself: rows
are never numbered anew as SQLite's own row numbers may be, and a database that was made anew gets everything again. A
note that was lost costs a second sending, which the server takes for what it is; it is never written too early.
"""

import sqlite3
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Self

from gan_eval import tables
from gan_eval.files import SQLITE_ERRORS, database_message, sha256_json
from gan_eval.store import PATIENCE_S, STORED_TABLES
from gan_eval.store.checked import checked_rows
from gan_eval.store.connect import Address, database_error
from gan_eval.store.layout import DELIVERED
from gan_eval.tables.schema import Table
from gan_eval.tabular import Row

PARTS = tuple(table for table in STORED_TABLES if table is not tables.SESSIONS)
"""The tables whose rows belong to a session, in the order of sending: plans, onsets, trials, ..."""

_NOTES = f"""
CREATE TABLE IF NOT EXISTS {DELIVERED} (
    server TEXT NOT NULL, session TEXT NOT NULL, part TEXT NOT NULL, row TEXT NOT NULL,
    PRIMARY KEY (server, session, part, row)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gan_eval_servers (address TEXT PRIMARY KEY, server TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Parcel:
    """What a server lacks of one session."""

    session: Row
    """The session's row as it is now."""
    changed: bool
    """The server does not hold the session's row, or holds it as it was before."""
    rows: dict[Table, list[Row]]

    @property
    def trials(self) -> int:
        """How many trials it brings."""
        return len(self.rows.get(tables.TRIALS, ()))

    @property
    def size(self) -> int:
        """How many rows it brings, the session's own among them."""
        return self.changed + sum(map(len, self.rows.values()))

    @property
    def waits(self) -> bool:
        """A picture is on the screen: its onset goes with its trial, and nothing is sent in between."""
        return not self.changed and set(self.rows) == {tables.ONSETS}


class UnsentRows:
    """The unsent rows of one SQLite store, for one server. It belongs to the thread that made it."""

    def __init__(self, path: Path, address: Address) -> None:
        """Open an existing, up-to-date store.

        Raises:
            UserError: it cannot be read or written.
        """
        self._path = path
        self._address = address.digest
        self._live: set[str] = set()
        try:
            self._connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA synchronous=NORMAL")  # notes alone: one that is lost is made again
            self._connection.executescript(_NOTES)
            query = "SELECT server FROM gan_eval_servers WHERE address = ?"
            known = self._connection.execute(query, (self._address,)).fetchone()
            self.server = known[0] if known else ""
        except SQLITE_ERRORS as error:
            raise database_error(database_message(error), str(path)) from error

    def note_server(self, server: str) -> None:
        """Take note of the identity of the server that answers at this address."""
        if server != self.server:
            self._connection.execute("INSERT OR REPLACE INTO gan_eval_servers VALUES (?, ?)", (self._address, server))
            self.server = server
            self._live.clear()

    def parcels(self, *, everything: bool = False, again: bool = False) -> list[Parcel]:
        """What the server lacks, a session each, oldest first.

        Args:
            everything: look through all sessions, not through those alone that may have changed meanwhile.
            again: take nothing for delivered.
        """
        noted = "" if again else self.server
        query = "SELECT * FROM sessions ORDER BY started_at, session"
        if not everything:
            query = (
                f"SELECT * FROM sessions s WHERE status = 'open' OR NOT EXISTS (SELECT 1 FROM {DELIVERED} d "
                "WHERE d.server = ? AND d.session = s.session AND d.part = 'sessions') "
                f"OR session IN ({', '.join('?' * len(self._live))}) ORDER BY started_at, session"
            )
        values = () if everything else (noted, *sorted(self._live))
        parcels = []
        for session in self._typed(self._connection.execute(query, values).fetchall(), tables.SESSIONS):
            name = session["session"]
            query = f"SELECT 1 FROM {DELIVERED} WHERE server = ? AND session = ? AND part = 'sessions' AND row = ?"
            changed = self._connection.execute(query, (noted, name, _digest(session))).fetchone() is None
            rows = {}
            for table in PARTS:
                order = ", ".join(f'"{column}"' for column in table.key)
                query = f"SELECT * FROM {table.name} t WHERE {_not_noted(table)} AND t.session = ? ORDER BY {order}"
                unsent = self._connection.execute(query, (noted, table.name, name)).fetchall()
                if unsent:
                    rows[table] = self._typed(unsent, table)
            if changed or rows:
                parcels.append(Parcel(session, changed, rows))
                self._live.add(name)
        return parcels

    def note(self, parcel: Parcel) -> None:
        """The server holds this durably."""
        notes = [("sessions", _digest(parcel.session))]
        for table, rows in parcel.rows.items():  # what tells a row from others of its session, as in `_not_noted`
            columns = [column for column in table.key if column != "session"]
            notes += [(table.name, "/".join(str(row[column]) for column in columns)) for row in rows]
        session = parcel.session["session"]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                f"INSERT OR IGNORE INTO {DELIVERED} VALUES (?, ?, ?, ?)",
                [(self.server, session, part, row) for part, row in notes],
            )

    def trials(self) -> int:
        """How many trials the server does not hold, as far as is known here."""
        query = f"SELECT count(*) FROM trials t WHERE {_not_noted(tables.TRIALS)}"
        return int(self._connection.execute(query, (self.server, "trials")).fetchone()[0])

    def close(self) -> None:
        """Release the store."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _typed(self, rows: list[sqlite3.Row], table: Table) -> list[Row]:
        return checked_rows(({name: row[name] for name in table.names} for row in rows), table, str(self._path))


def _not_noted(table: Table) -> str:
    """The condition that a row of `table t` is not noted as delivered; its values are server and table name."""
    row = " || '/' || ".join(f'CAST(t."{name}" AS TEXT)' for name in table.key if name != "session") or "''"
    return (
        f"NOT EXISTS (SELECT 1 FROM {DELIVERED} d "
        f"WHERE d.server = ? AND d.session = t.session AND d.part = ? AND d.row = {row})"
    )


def _digest(session: Row) -> str:
    """Changes with any value of the session's row, such as its status."""
    infinite = {name: str(value) for name, value in session.items() if value in (inf, -inf)}  # JSON knows none
    return sha256_json(session | infinite)[:16]
