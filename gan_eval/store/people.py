"""The participants of a store: who has done what, and who wants to be forgotten."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER
from gan_eval.files.sqlite_files import SQLITE_ERRORS, database_message
from gan_eval.store.layout import LAYOUTS
from gan_eval.store.results import Store, lock_writes, open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.names import person_of
from gan_eval.tables.schema import Table


def list_participants(store: Store, study: str | None = None) -> list[Row]:
    """List the participants' sessions, in the order of the sessions; of one study where it is named."""
    equal = {} if study is None else {"study": study}
    sessions = store.rows(tables.SESSIONS, **equal)
    trials, planned = rows_by_session(store, tables.TRIALS), rows_by_session(store, tables.PLANS)
    flagged = rows_by_session(store, tables.TRIALS, LAYOUTS[tables.TRIALS].c.flags.is_not(None))
    names = (
        "session", "participant", "study", "protocol", "list", "status", "started_at", "ended_at", "station",
        "simulated",
    )  # fmt: skip
    return [
        {name: row[name] for name in names}
        | {
            "trials": trials.get(row["session"], 0),
            "planned": planned.get(row["session"], 0),
            "flagged": flagged.get(row["session"], 0),
        }
        for row in sessions
    ]


def sessions_text(people: int, wanted: int, *, simulated: int = 0, command: str = "") -> str:
    """Describe how many of a study's sessions are complete, in the words that every command and the report use.

    >>> sessions_text(1, 8, simulated=3, command="gan-eval quiz study.toml")
    '1 of 8 sessions; next: gan-eval quiz study.toml (3 simulated)'
    """
    following = f"; next: {command}" if command else ""
    rehearsed = f" ({simulated} simulated)" if simulated else ""
    return f"{people} of {wanted} session{'' if wanted == 1 else 's'}{following}{rehearsed}"


def has_people(store: Store, study: str) -> bool:
    """Return whether a person, not a simulated participant, has answered anything in a study."""
    layout = LAYOUTS[tables.TRIALS]
    of_people = sa.select(layout.c.session).where(layout.c.study == study, layout.c.simulated == sa.false()).limit(1)
    with store.transaction() as connection:
        return connection.execute(of_people).first() is not None


def session_of(store: Store, study: str, participant: str) -> Row | None:
    """Return the row of a participant's session in a study; None: there is none."""
    layout, person = LAYOUTS[tables.SESSIONS].c, person_of(participant)
    query = sa.select(layout.session, layout.participant).where(layout.study == study)
    with store.transaction() as connection:
        found = [name for name, code in connection.execute(query) if person_of(str(code)) == person]
    return store.rows(tables.SESSIONS, session=min(found))[0] if found else None


def other_design(store: Store, study: str, design_hash: str) -> str | None:
    """Return the hash of another design that sessions of a study have; None: there is none."""
    layout = LAYOUTS[tables.SESSIONS].c
    query = sa.select(layout.design_hash).where(layout.study == study, layout.design_hash != design_hash).limit(1)
    with store.transaction() as connection:
        return connection.execute(query).scalar()


def session_ids(store: Store) -> set[str]:
    """Return the sessions that a store holds."""
    with store.transaction() as connection:
        return {*connection.execute(sa.select(LAYOUTS[tables.SESSIONS].c.session)).scalars()}


def rows_by_session(store: Store, table: Table, *which: sa.ColumnElement[bool]) -> dict[str, int]:
    """Count the rows of each session in one table, of those that meet the conditions."""
    session = LAYOUTS[table].c.session
    with store.transaction() as connection:
        counts = connection.execute(sa.select(session, sa.func.count()).where(*which).group_by(session))
        return {name: number for name, number in counts}  # noqa: C416


def last_answers(store: Store) -> dict[str, str]:
    """Return when the last trial of each session was answered (UTC, ISO 8601)."""
    trials = LAYOUTS[tables.TRIALS].c
    with store.transaction() as connection:
        latest = connection.execute(sa.select(trials.session, sa.func.max(trials.answered_at)).group_by(trials.session))
        return {session: str(when) for session, when in latest if when is not None}


def moved_stores(where: Path) -> list[Path]:
    """Return the stores of the same name that `run --redo quiz` has moved aside in a store's folder, oldest first."""
    return sorted((where.parent / OWN_FOLDER / "old").glob(f"quiz-*/{where.name}"))


class NoParticipantError(UserError):
    """A store does not hold the participant."""


@dataclass(frozen=True)
class Stored:
    """A participant's rows in a store."""

    sessions: tuple[Row, ...]
    """Study, status, started_at and ended_at of each, unchecked: a damaged row can be removed."""
    rows: Mapping[str, int]
    """Number of rows of each table."""


def stored_of(where: str | Path, participant: str, *, study: str | None = None) -> Stored:
    """Return what `forget` with the same arguments would remove; nothing is changed.

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
        known = tuple(dict(row) for row in connection.execute(query).mappings())
    return Stored(known, {table.name: rows.get(table.name, 0) for table in tables.STORED_TABLES})


_REWRITE = ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA user_version=0")
"""Pages keep bytes of rows that were once moved within them, so the file is written anew."""


def forget(where: str | Path, participant: str, *, study: str | None = None) -> dict[str, int]:
    """Remove a participant's rows from every table in one transaction; return their number by table.

    A SQLite file is rewritten then, so that nothing is left of them between the rows or in the write-ahead log; no
    other program may use the store meanwhile. Where that failed, the same call made again rewrites it, and has no
    rows left to remove.

    Raises:
        NoParticipantError: no such participant in the store.
        UserError: no such store, another program is using it, or the rows are removed and the file could not be
            rewritten.
    """
    with open_store(where, create=False, exclusive=True) as store:
        return forget_in(store, participant, study=study)


def forget_in(store: Store, participant: str, *, study: str | None = None) -> dict[str, int]:
    """Do what `forget` does in a store that is open, such as a server's; other programs may use it meanwhile.

    A `Writer` does it by `submit(lambda store: forget_in(store, "P07"), alone=True)`. Rows that
    another program is just adding to the sessions are waited for and removed, too; later ones are refused.

    Raises:
        NoParticipantError: no such participant in the store.
        UserError: the store cannot be written, or the rows are removed and the file could not be rewritten, such as
            while another program was reading it.
    """
    sqlite = store.engine.dialect.name == "sqlite"
    removed: dict[str, int] = {}
    with store.transaction() as connection:
        if sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete=ON")
            lock_writes(connection)
        sessions = _sessions_of(store, connection, participant, study)
        # Without the server's one lock: whoever adds a row and then waits for that lock would wait for ever.
        layout = LAYOUTS[tables.SESSIONS].c
        connection.execute(sa.select(layout.session).where(layout.session.in_(sessions)).with_for_update())
        for table in _tables_of_sessions(connection):
            removed[table.name] = connection.execute(table.delete().where(table.c.session.in_(sessions))).rowcount
        if sqlite:
            connection.exec_driver_sql("PRAGMA user_version=1")
    if sqlite:
        with store.transaction() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            try:
                for statement in _REWRITE:
                    result = driver.execute(statement).fetchone()
                    if result is not None and result[0]:  # SQLite's way to say that the log could not be emptied
                        raise sqlite3.OperationalError("another program is reading it")
            except SQLITE_ERRORS as error:
                raise UserError(
                    f"{store.where}: the rows are removed, but their bytes are still in the file, which could not be "
                    f"rewritten ({database_message(error)}); free some space or end other programs that use the "
                    "store, then give the same command again"
                ) from error
    return {table.name: removed.get(table.name, 0) for table in tables.STORED_TABLES}


def _sessions_of(store: Store, connection: sa.Connection, participant: str, study: str | None) -> list[str]:
    """Return the sessions of the participant, also under the code in another case (`person_of`).

    There may be none where the file is still to be rewritten after an earlier removal.
    """
    layout = LAYOUTS[tables.SESSIONS]
    query = sa.select(layout.c.session, layout.c.participant)
    if study is not None:
        query = query.where(layout.c.study == study)
    sessions = [
        session for session, code in connection.execute(query) if person_of(str(code)) == person_of(participant)
    ]
    # The number stands in the file itself from the removal of rows until the file was rewritten.
    sqlite = connection.dialect.name == "sqlite"
    pending = sqlite and bool(connection.exec_driver_sql("PRAGMA user_version").scalar())
    if not sessions and not pending:
        within = f" in the study {study}" if study else ""
        raise NoParticipantError(
            f"{store.where}: no participant {participant}{within}; `gan-eval participants list` lists them"
        )
    return sessions


def _tables_of_sessions(connection: sa.Connection) -> list[sa.TableClause]:
    """The tables whose rows belong to sessions, also those of other versions of this program."""
    inspector = sa.inspect(connection)
    return [
        sa.table(name, sa.column("session"))
        for name in inspector.get_table_names()
        if any(column["name"] == "session" for column in inspector.get_columns(name))
    ]
