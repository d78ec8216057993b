"""Copies between stores: push to a lab's PostgreSQL server or another file, and merge of several stations' stores.

    pushed = push("gan-eval.sqlite", "postgresql://lab@server/quiz")

Each session is one transaction of the target, so a push that is killed anywhere leaves whole sessions; the same push
again copies the rest. Nothing is noted in the source: the rows of the target itself say what it lacks.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.atomic import flush_to_disk, remove_leftovers_of, temporary_folder, write_error
from gan_eval.files.locks import hold_lock
from gan_eval.files.output_folders import check_output_file
from gan_eval.files.sqlite_files import is_address
from gan_eval.store.consistency import require_consistent
from gan_eval.store.layout import LAYOUTS, STORED_TABLES
from gan_eval.store.people import rows_by_session
from gan_eval.store.results import Store, lock_writes, open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.names import person_of
from gan_eval.tables.schema import Table

PARTS = tuple(table for table in STORED_TABLES if table is not tables.SESSIONS)
"""The tables whose rows belong to a session."""

FIXED = ("study", "design_hash", "participant", "list", "seed", "simulated", "started_at")
"""Columns of a session's row that never change."""


class _RefusedError(Exception):
    """The target has other values, or another session of this participant."""


@dataclass(frozen=True)
class Pushed:
    """Result of a push."""

    sessions: int
    """Sessions of which at least one row was copied or updated."""
    trials: int
    """Trials that were copied."""
    refused: tuple[str, ...]
    """One line for each session that the target does not take; its rows stay in the source."""


def push(source: str | Path, target: str | Path, *, compare_all: bool = False) -> Pushed:
    """Copy every row that the target lacks.

    Args:
        source: path or URL of an existing store; nothing in it changes.
        target: path or URL of the other store; it is made where there is none.
        compare_all: also compare the rows of sessions that have as many in both.

    Raises:
        UserError: both are one store; one of them cannot be opened, read or written.
    """
    if not is_address(source) and not is_address(target) and Path(source).resolve() == Path(target).resolve():
        raise UserError(f"store push: {source} and {target} are the same store; name another one")
    sent = trials = 0
    refused = []
    with open_store(source, create=False) as here, open_store(target) as there:
        known = {row["session"]: row for row in there.rows(tables.SESSIONS)}
        counts = [(rows_by_session(here, table), rows_by_session(there, table)) for table in PARTS]
        missing = {name for ours, theirs in counts for name in ours if theirs.get(name) != ours[name]}
        for session in here.rows(tables.SESSIONS):
            name = session["session"]
            if known.get(name) == session and name not in missing and not compare_all:
                continue
            rows = {table: here.rows(table, session=name) for table in PARTS}
            try:
                copied = _push_session(there, session, rows)
            except _RefusedError as error:
                refused.append(str(error))
                continue
            sent += any(copied.values())
            trials += copied[tables.TRIALS]
    return Pushed(sent, trials, tuple(refused))


def _push_session(there: Store, session: Row, rows: Mapping[Table, list[Row]]) -> dict[Table, int]:
    """Copy one session in one transaction; return the number of new rows of each table."""
    with there.transaction() as connection:
        lock_writes(connection)
        copied = {tables.SESSIONS: _push_row(connection, session)}
        for table, ours in rows.items():
            layout = LAYOUTS[table]
            query = layout.select().where(layout.c.session == session["session"])
            theirs = {_key(row, table): dict(row) for row in connection.execute(query).mappings()}
            for row in ours:
                if theirs.get(_key(row, table), row) != row:
                    key = " ".join(f"{name} {row[name]}" for name in table.key)
                    raise _RefusedError(f"the two stores hold different rows of {table.name} for {key}")
            new = [row for row in ours if _key(row, table) not in theirs]
            if new:
                connection.execute(layout.insert(), new)
            copied[table] = len(new)
    return copied


def _push_row(connection: sa.Connection, session: Row) -> int:
    """Insert a session's row, or bring an open session's row up to date; return the number of changed rows."""
    layout = LAYOUTS[tables.SESSIONS]
    of_study = layout.select().where(layout.c.study == session["study"])
    for known in connection.execute(of_study).mappings():
        if known["session"] == session["session"]:
            continue
        if person_of(known["participant"]) == person_of(session["participant"]):
            raise _RefusedError(
                f"participant {session['participant']} of study {session['study']} has another session there, "
                f"{known['session']}; here it is {session['session']}"
            )
    same = layout.c.session == session["session"]
    stored = connection.execute(layout.select().where(same)).mappings().first()
    if stored is None:
        connection.execute(layout.insert(), [session])
        return 1
    ended = stored["status"] != "open"
    if any(stored[name] != session[name] for name in FIXED) or (
        ended and session["status"] not in ("open", stored["status"])
    ):
        raise _RefusedError(f"the two stores hold different rows for session {session['session']}")
    if ended or dict(stored) == session:
        return 0
    return connection.execute(layout.update().where(same).values(session)).rowcount


def _key(row: Mapping[Any, Any], table: Table) -> tuple[object, ...]:
    return tuple(row[name] for name in table.key)


def merge(sources: Sequence[str | Path], out: Path) -> dict[str, int]:
    """Write one new store with the rows of the others, which stay unchanged; return its number of rows by table.

    Args:
        sources: paths or URLs.
        out: the new store's file. What a merge into it that was killed has left behind goes; where that merge had
            come to its end, the same merge again changes nothing.

    Raises:
        UserError: two stores differ in a row, or hold one participant of a study; `out` exists and holds
            something else; a source is not a store, or another program uses it.
    """
    out = Path(out)
    for source in sources:
        if not is_address(source) and Path(source).exists() and out.exists() and out.samefile(source):
            raise UserError(f"--out {out}: exists already and is one of the stores; name a new file")
    check_output_file(out)
    with hold_lock(out.with_name(f".{out.name}.lock"), f"--out {out}", "merging into it"):
        remove_leftovers_of(out)
        try:
            with temporary_folder(out.parent, out.name) as folder:
                temporary = folder / out.name
                rows = _joined(sources, temporary)
                if not out.exists():
                    flush_to_disk(temporary)
                    temporary.replace(out)
                    flush_to_disk(out.parent)
                elif _contents(out) != _contents(temporary):
                    raise UserError(
                        f"--out {out}: exists already and holds something else; name a new file, nothing is overwritten"
                    )
        except OSError as error:
            raise write_error(out, error) from error
        except UserError as error:
            raise UserError(str(error).replace(str(temporary), f"--out {out}")) from error
    return rows


def _joined(sources: Sequence[str | Path], out: Path) -> dict[str, int]:
    """Copy the rows of all stores, each once, into a new one; return their numbers."""
    with open_store(out) as merged:
        for source in sources:
            if refused := push(source, out, compare_all=True).refused:
                first = "; ".join(refused[:3])
                raise UserError(f"store merge: {source} and the stores before it: {first}; nothing was merged")
            with open_store(source, create=False) as store:
                require_consistent(store)
        return {table.name: sum(rows_by_session(merged, table).values()) for table in STORED_TABLES}


def _contents(path: Path) -> object:
    """Every row of a store; None where it is none."""
    with suppress(UserError), open_store(path, create=False) as store:
        return [store.rows(table) for table in STORED_TABLES]
    return None
