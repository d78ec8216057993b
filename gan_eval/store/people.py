"""Participants of a store: list their sessions, count rows, delete a participant's data."""

import shlex
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.base.reading import Address, Place
from gan_eval.base.sqlite_files import SQLITE_ERRORS, database_message
from gan_eval.store.deleted import deleted_digests, digest_of, keep_deleted, moved_stores
from gan_eval.store.layout import LAYOUTS
from gan_eval.store.records import keep_highest_numbers
from gan_eval.store.results import Store, lock_writes, open_store, sittings_of
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table


def list_participants(store: Store, study: str | None = None) -> list[Row]:
    """Return a row for each session of one study or (None) of all studies, in the order of their start.

    Trials are counted without practice, as participants see them.
    """
    equal = {} if study is None else {"study": study}
    trials, plans = LAYOUTS[tables.TRIALS].c, LAYOUTS[tables.PLANS].c
    with store.snapshot():
        sessions = store.rows(tables.SESSIONS, **equal)
        counts = {
            "trials": rows_by_session(store, tables.TRIALS, trials.phase != "practice"),
            "planned": rows_by_session(store, tables.PLANS, plans.phase != "practice"),
            "flagged": rows_by_session(store, tables.TRIALS, trials.phase != "practice", trials.flags.is_not(None)),
        }
    names = (
        "session", "participant", "study", "protocol", "list", "status", "started_at", "ended_at", "station",
        "simulated",
    )  # fmt: skip
    return [
        {name: row[name] for name in names} | {name: of.get(row["session"], 0) for name, of in counts.items()}
        for row in sessions
    ]


def sessions_text(people: int, wanted: int, *, simulated: int = 0, command: str = "") -> str:
    """Return a text with the numbers of complete, planned and simulated sessions.

    >>> sessions_text(1, 8, simulated=3, command="gan-eval quiz study.toml")
    '1 of 8 sessions (3 simulated); next: gan-eval quiz study.toml'
    """
    following = f"; next: {command}" if command else ""
    rehearsal = f" ({simulated} simulated)" if simulated else ""
    return f"{people} of {wanted} session{'' if wanted == 1 else 's'}{rehearsal}{following}"


def has_people(store: Store, study: str) -> bool:
    """Return whether a study has answers of people; those of simulated participants do not count."""
    layout = LAYOUTS[tables.TRIALS]
    query = sa.select(layout.c.session).where(layout.c.study == study, layout.c.simulated == sa.false()).limit(1)
    with store.transaction() as connection:
        return connection.execute(query).first() is not None


def session_of(store: Store, study: str, participant: str) -> Row | None:
    """Return the row of a participant's session in a study; None if none exists."""
    with store.transaction() as connection:
        sittings = sittings_of(connection, participant, study)
    return store.rows(tables.SESSIONS, session=min(sittings))[0] if sittings else None


def other_design(store: Store, study: str, design_hash: str) -> str | None:
    """Return the least design hash of sessions with another design than `design_hash`; None if all have this design."""
    design = LAYOUTS[tables.SESSIONS].c.design_hash
    of_study = LAYOUTS[tables.SESSIONS].c.study == study
    query = sa.select(sa.func.min(design)).where(of_study, design != design_hash)
    with store.transaction() as connection:
        return connection.execute(query).scalar()


def session_ids(store: Store) -> set[str]:
    """Return the identifiers of a store's sessions."""
    with store.transaction() as connection:
        return {*connection.execute(sa.select(LAYOUTS[tables.SESSIONS].c.session)).scalars()}


def rows_by_session(store: Store, table: Table, *conditions: sa.ColumnElement[bool]) -> dict[str, int]:
    """Return the number of rows in a table that meet all conditions, by session."""
    session = LAYOUTS[table].c.session
    with store.transaction() as connection:
        counts = connection.execute(sa.select(session, sa.func.count()).where(*conditions).group_by(session))
        return {name: number for name, number in counts}  # noqa: C416


def flags_by_session(store: Store) -> dict[str, Counter[str]]:
    """Return the number of trials with each flag by session, without practice."""
    trials = LAYOUTS[tables.TRIALS].c
    query = sa.select(trials.session, trials.flags).where(trials.phase != "practice", trials.flags.is_not(None))
    counts: dict[str, Counter[str]] = {}
    with store.transaction() as connection:
        for session, flags in connection.execute(query):
            counts.setdefault(session, Counter()).update(flags.split())
    return counts


def last_answers(store: Store) -> dict[str, str]:
    """Return the time of the last answer (UTC, ISO 8601) by session."""
    trials = LAYOUTS[tables.TRIALS].c
    with store.transaction() as connection:
        latest = connection.execute(sa.select(trials.session, sa.func.max(trials.answered_at)).group_by(trials.session))
        return {session: str(when) for session, when in latest if when is not None}


def with_moved_stores(store: Place) -> list[Place]:
    """Return a store, if it is still there, and the earlier ones that `run --redo quiz` moved aside, oldest first."""
    if isinstance(store, Address):
        return [store]
    moved = moved_stores(store)
    return [store, *moved] if store.exists() or not moved else [*moved]


class NoParticipantError(UserError):
    """A store does not hold the participant."""


@dataclass(frozen=True)
class Stored:
    """A participant's rows in a store."""

    sessions: tuple[Row, ...]
    """Study, status, started_at and ended_at of each; not checked, so that damaged rows can be removed, too."""
    rows: Mapping[str, int]
    """Number of rows by table."""


def stored_of(where: str | Place, participant: str, *, study: str | None = None) -> Stored:
    """Return the rows that `forget` with the same arguments would remove.

    Raises:
        NoParticipantError: no such participant in the store.
    """
    with open_store(where, create=False) as store, store.transaction() as connection:
        sessions = _sessions_of(store, connection, participant, study)
        rows = {
            table.name: connection.execute(
                sa.select(sa.func.count()).select_from(table).where(table.c.session.in_(sessions))
            ).scalar_one()
            for table in _tables_of_sessions(connection)
        }
        layout = LAYOUTS[tables.SESSIONS]
        columns: list[Any] = [
            sa.type_coerce(layout.c[name], sa.types.NULLTYPE).label(name)
            for name in ("study", "status", "started_at", "ended_at")
        ]
        query = sa.select(*columns).where(layout.c.session.in_(sessions)).order_by(layout.c.started_at)
        facts = tuple(dict(row) for row in connection.execute(query).mappings())
    return Stored(facts, {table.name: rows.get(table.name, 0) for table in tables.STORED_TABLES})


_REWRITE = ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA user_version=0")
"""Statements that rewrite the SQLite file, because its pages may still contain bytes of removed rows."""


def forget(where: str | Place, participant: str, *, study: str | None = None) -> dict[str, int]:
    """Remove a participant's rows from every table in one transaction; return the number of removed rows by table.

    The store keeps digests of the sessions' identifiers, so that no import, push or merge brings the rows back.

    Then a SQLite file is rewritten, so that no bytes of the rows remain in it or in the write-ahead log. No other
    program may use the store during this. If rewriting the file fails, repeat the call: only this step is left.

    Raises:
        NoParticipantError: no such participant in the store.
        UserError: no such store, another program is using it, or the rows were removed but the file could not be
            rewritten.
    """
    with open_store(where, create=False, exclusive=True) as store:
        return forget_in(store, participant, study=study)


def forget_in(store: Store, participant: str, *, study: str | None = None) -> dict[str, int]:
    """Do the same as `forget` in an open store, which other programs may use at the same time.

    With a `Writer`: `submit(lambda store: forget_in(store, "P07"), alone=True)`. If another program is adding rows to
    the sessions, this function waits and removes them, too. Rows that are added later are refused.

    Raises:
        NoParticipantError: no such participant in the store.
        UserError: the store cannot be written, or the rows were removed but the file could not be rewritten, for
            example because another program was reading it.
    """
    sqlite = store.engine.dialect.name == "sqlite"
    counts: dict[str, int] = {}
    with store.transaction() as connection:
        if sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
            lock_writes(connection)
        sessions = _sessions_of(store, connection, participant, study)
        # Lock rows. With the server's advisory lock, a program that adds a row and then waits for it would deadlock.
        layout = LAYOUTS[tables.SESSIONS].c
        connection.execute(sa.select(layout.session).where(layout.session.in_(sessions)).with_for_update())
        keep_highest_numbers(connection, sessions)
        keep_deleted(connection, [digest_of(session) for session in sessions])
        for table in _tables_of_sessions(connection):
            counts[table.name] = connection.execute(table.delete().where(table.c.session.in_(sessions))).rowcount
        if sqlite:
            connection.exec_driver_sql("PRAGMA user_version=1")
    if sqlite:
        _rewrite(store)
    return {table.name: counts.get(table.name, 0) for table in tables.STORED_TABLES}


def _rewrite(store: Store) -> None:
    """Rewrite a SQLite file, so that no bytes of removed rows remain."""
    with store.transaction() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        try:
            for statement in _REWRITE:
                result = driver.execute(statement).fetchone()
                if result is not None and result[0]:  # SQLite could not empty the write-ahead log
                    raise sqlite3.OperationalError("another program is reading it")
        except SQLITE_ERRORS as error:
            raise UserError(
                f"{store.where}: the rows are removed, but the file could not be rewritten "
                f"({database_message(error)}) and still contains their bytes; free disk space or end other programs "
                "that use the store, then repeat the command"
            ) from error


def deleted_among(store: Store, sessions: Iterable[str]) -> set[str]:
    """Return those sessions that were deleted from a store, or from one that was pushed or merged into it."""
    with store.transaction() as connection:
        deleted = deleted_digests(connection)
    return {session for session in sessions if digest_of(session) in deleted}


def left_out(store: Store, session: str, *, forget: bool) -> bool:
    """Return whether a session that comes from elsewhere is to be left out, because its participant's data are deleted.

    Args:
        forget: the participant asks for that now: delete what the store has, as `forget_in`, and keep the digest.

    Raises:
        UserError: the data cannot be deleted, as for `forget_in`.
    """
    if forget and (rows := store.rows(tables.SESSIONS, session=session)):
        forget_in(store, rows[0]["participant"], study=rows[0]["study"])
    elif forget:
        with store.transaction() as connection:
            lock_writes(connection)
            keep_deleted(connection, [digest_of(session)])
    return forget or bool(deleted_among(store, [session]))


def _sessions_of(store: Store, connection: sa.Connection, participant: str, study: str | None) -> list[str]:
    """Return a participant's sessions; none if an earlier call has removed the rows but not yet rewritten the file."""
    sessions = list(sittings_of(connection, participant, study))
    # user_version is 1 from the removal of rows until the file is rewritten
    sqlite = connection.dialect.name == "sqlite"
    must_rewrite = sqlite and bool(connection.exec_driver_sql("PRAGMA user_version").scalar())
    if not sessions and not must_rewrite:
        within = f" in the study {study}" if study else ""
        raise NoParticipantError(
            f"{store.where}: no participant {participant}{within}; list them with: "
            f"gan-eval participants list --store {shlex.quote(store.where)}"
        )
    return sessions


def _tables_of_sessions(connection: sa.Connection) -> list[sa.TableClause]:
    """Return all tables with a column `session`, including those of `records.py`."""
    inspector = sa.inspect(connection)
    return [
        sa.table(name, sa.column("session"))
        for name in inspector.get_table_names()
        if any(column["name"] == "session" for column in inspector.get_columns(name))
    ]
