"""Who has done what.

A participant's wish to be forgotten: every row of theirs goes, from the tables and from the file's bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files import FAILURES, complaint
from gan_eval.store.layout import DELIVERED, STORED_TABLES
from gan_eval.store.results import Store, open_store, reserve
from gan_eval.tables.schema import Table


@dataclass(frozen=True)
class Participation:
    """One participant's session in one study."""

    participant: str
    study: str
    protocol: str
    list: int | None
    status: str
    trials: int
    """Trials that are stored."""
    planned: int
    started_at: str | None
    station: str | None
    simulated: bool


def list_participants(store: Store, study: str | None = None) -> list[Participation]:
    """Who has done what, in the order of the sessions; of one study where it is named.

    Raises:
        UserError: the store cannot be read.
    """
    equal = {} if study is None else {"study": study}
    sessions = store.rows(tables.SESSIONS, **equal)
    trials, planned = _rows_by_session(store, tables.TRIALS), _rows_by_session(store, tables.PLANS)
    copied = ("participant", "study", "protocol", "list", "status", "started_at", "station", "simulated")
    return [
        Participation(
            **{name: row[name] for name in copied},
            trials=trials.get(row["session"], 0),
            planned=planned.get(row["session"], 0),
        )
        for row in sessions
    ]


def has_people(store: Store, study: str) -> bool:
    """Whether a person, not a simulated participant, has answered anything in a study.

    Raises:
        UserError: the store cannot be read.
    """
    layout = store.layout(tables.TRIALS)
    of_people = sa.select(layout.c.session).where(layout.c.study == study, layout.c.simulated == sa.false()).limit(1)
    with store.transaction() as connection:
        return connection.execute(of_people).first() is not None


def _rows_by_session(store: Store, table: Table) -> dict[str, int]:
    session = store.layout(table).c.session
    with store.transaction() as connection:
        found = connection.execute(sa.select(session, sa.func.count()).group_by(session))
        return {name: number for name, number in found}  # noqa: C416


_PENDING = "PRAGMA user_version=1"
"""Stands in the file itself from the removal of rows until the file was rewritten."""

_REWRITE = ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA user_version=0")
"""Pages keep bytes of rows that were once moved within them, so the file is written anew."""


@dataclass(frozen=True)
class Forgotten:
    """What was removed."""

    rows: Mapping[str, int]
    """How many rows of each table."""
    delivered: bool
    """A lab's server was sent some of them, and holds them still."""


def forget(where: str | Path, participant: str, *, study: str | None = None) -> Forgotten:
    """Remove a participant's rows from every table in one transaction.

    A SQLite file is rewritten then, so that nothing is left of them between the rows or in the write-ahead log; no
    other program may use the store meanwhile. Where that failed, the same call made again rewrites it, and has no
    rows left to remove.

    Args:
        where: path or URL of the store.
        participant: the pseudonym.
        study: only this study's sessions.

    Raises:
        UserError: no such store, no such participant in it, another program is using it, or the rows are removed and
            the file could not be rewritten.
    """
    with open_store(where, create=False, alone=True) as store:
        sqlite = store.engine.dialect.name == "sqlite"
        with store.transaction() as connection:
            if sqlite:
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            reserve(connection)
            sessions = _sessions_of(store, connection, participant, study)
            if not sessions and not (sqlite and _is_pending(connection)):
                within = f" in the study {study}" if study else ""
                raise UserError(
                    f"{store.where}: no participant {participant}{within}; `participants list` tells who there is"
                )
            removed = _remove(connection, sessions)
            if sqlite:
                connection.exec_driver_sql(_PENDING)
        delivered = bool(removed.get(DELIVERED))
        if sqlite:
            _rewrite(store, delivered=delivered)
    return Forgotten({table.name: removed.get(table.name, 0) for table in STORED_TABLES}, delivered)


def _sessions_of(store: Store, connection: sa.Connection, participant: str, study: str | None) -> list[str]:
    layout = store.layout(tables.SESSIONS)
    who = layout.c.participant == participant
    wanted = who if study is None else who & (layout.c.study == study)
    return list(connection.execute(sa.select(layout.c.session).where(wanted)).scalars())


def _is_pending(connection: sa.Connection) -> bool:
    """Whether rows were removed earlier and the file could not be rewritten."""
    return bool(connection.exec_driver_sql("PRAGMA user_version").scalar())


def _remove(connection: sa.Connection, sessions: list[str]) -> dict[str, int]:
    """Delete the sessions from every table that tells rows by session; how many rows of each."""
    inspector = sa.inspect(connection)
    removed = {}
    for name in inspector.get_table_names():
        if any(column["name"] == "session" for column in inspector.get_columns(name)):
            table = sa.table(name, sa.column("session"))
            removed[name] = connection.execute(table.delete().where(table.c.session.in_(sessions))).rowcount
    return removed


def _rewrite(store: Store, *, delivered: bool) -> None:
    with store.transaction() as connection:
        alone = connection.connection.driver_connection
        assert alone is not None
        try:
            for statement in _REWRITE:
                alone.execute(statement)
        except FAILURES as error:
            elsewhere = "; the lab's server has a copy: give the command with its URL, too" if delivered else ""
            raise UserError(
                f"{store.where}: the rows are removed, but their bytes are still in the file, which could not be "
                f"rewritten ({complaint(error)}); free some space, then give the same command again{elsewhere}"
            ) from error
