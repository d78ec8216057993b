"""Copies between stores: push to a lab's PostgreSQL server or another file, and merge of several stations' stores.

    pushed = push("gan-eval.sqlite", "postgresql://lab@server/quiz")

Each session is copied in one transaction, so a killed push leaves whole sessions; repeat it to copy the rest. The
source is not changed: the target's rows show what is missing there.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.atomic import flush_to_disk, remove_leftovers_of, temporary_folder, write_error
from gan_eval.files.locks import hold_lock
from gan_eval.files.output_folders import check_output_file
from gan_eval.files.reading import Place, place_of
from gan_eval.store.consistency import require_consistent
from gan_eval.store.layout import LAYOUTS
from gan_eval.store.people import rows_by_session
from gan_eval.store.results import Store, lock_writes, open_store
from gan_eval.tables.cells import person_of
from gan_eval.tables.frames import Row

FIXED = ("study", "design_hash", "participant", "list", "seed", "simulated", "started_at")
"""Columns of `sessions` that never change."""


class _RefusedError(Exception):
    """The target has other values, or a different session of this participant."""


@dataclass(frozen=True)
class Pushed:
    """Result of a push."""

    sessions: int
    """Number of sessions with at least one copied or updated row."""
    trials: int
    """Number of copied trials."""
    refused: tuple[str, ...]
    """One line for each session that could not be copied; its rows stay in the source."""
    source: str
    target: str
    """The two stores, without passwords."""
    is_new: bool
    """True if the target's file was made."""


def push(source: str | Place, target: str | Place, *, only_ended: bool = False) -> Pushed:
    """Copy every row that is missing in the target.

    Args:
        only_ended: copy no open session, whose participant may still delete the data, and no simulated one.

    Raises:
        UserError: both are the same store, or one of them cannot be opened, read or written.
    """
    source, target = place_of(source), place_of(target)
    if source.resolve() == target.resolve():
        raise UserError(f"store push: {source} and {target} are the same store; name another one")
    new_in = target.parent if isinstance(target, Path) and not target.exists() else None
    if new_in is not None and not new_in.is_dir():
        raise UserError(f"{target}: no such store, and no such folder for a new one; fix the path or make the folder")
    sessions = trials = 0
    refusals = []
    with open_store(source, create=False) as here, open_store(target) as there:
        for earlier in here.rows(tables.SESSIONS):
            with here.snapshot():  # else what is stored at this moment could be copied in part
                session = next(iter(here.rows(tables.SESSIONS, session=earlier["session"])), None)
                if session is None or (only_ended and (session["status"] == "open" or session["simulated"])):
                    continue
                try:
                    counts = _push_session(here, there, session)
                except _RefusedError as error:
                    refusals.append(str(error))
                    continue
            sessions += any(counts.values())
            trials += counts["trials"]
    return Pushed(sessions, trials, tuple(refusals), here.where, there.where, is_new=new_in is not None)


def push_lines(source: Place, target: str) -> list[str]:
    """Push ended sessions to the address of a study's `push_to`; return one line for each that was not copied."""
    try:
        pushed = push(source, target, only_ended=True)
        return [f"quiz.push_to: refused: {line}; the rows are safe in {source}" for line in pushed.refused]
    except UserError as error:
        command = f"gan-eval store push {shlex.quote(str(source))} URL"
        return [f"quiz.push_to: {error}; all answers are safe in {source}; copy them later with `{command}`"]


def _push_session(here: Store, there: Store, session: Row) -> dict[str, int]:
    """Copy one session in one transaction; return the number of new rows of each table."""
    with there.transaction() as connection:
        lock_writes(connection)
        counts = {"sessions": _push_row(connection, session)}
        for table in tables.STORED_TABLES:
            if table is tables.SESSIONS:
                continue
            layout, new = LAYOUTS[table], []
            query = layout.select().where(layout.c.session == session["session"])
            theirs = {tuple(row[name] for name in table.key): dict(row) for row in connection.execute(query).mappings()}
            for row in here.rows(table, session=session["session"]):
                key = {name: row[name] for name in table.key}
                their_row = theirs.get(tuple(key.values()))
                if their_row is None:
                    new.append(row)
                elif their_row != row:
                    which = " ".join(f"{name} {value}" for name, value in key.items())
                    raise _RefusedError(f"the two stores hold different rows of {table.name} for {which}")
            if new:
                connection.execute(layout.insert(), new)
            counts[table.name] = len(new)
    return counts


def _push_row(connection: sa.Connection, session: Row) -> int:
    """Insert a session's row, or update that of an open session; return the number of changed rows."""
    layout = LAYOUTS[tables.SESSIONS]
    theirs = None
    same_study = layout.select().where(layout.c.study == session["study"])
    # lock the rows: a participant cannot be forgotten while being copied
    for other in connection.execute(same_study.with_for_update(read=True, key_share=True)).mappings():
        if other["session"] == session["session"]:
            theirs = dict(other)
        elif person_of(other["participant"]) == person_of(session["participant"]):
            raise _RefusedError(
                f"participant {session['participant']} of study {session['study']} has another session there, "
                f"{other['session']}; here it is {session['session']}"
            )
    if theirs is None:
        connection.execute(layout.insert(), [session])
        return 1
    is_ended = theirs["status"] != "open"
    if any(theirs[name] != session[name] for name in FIXED) or (
        is_ended and session["status"] not in ("open", theirs["status"])
    ):
        raise _RefusedError(f"the two stores hold different rows for session {session['session']}")
    if is_ended or theirs == session:
        return 0
    same = layout.c.session == session["session"]
    return connection.execute(layout.update().where(same).values(session)).rowcount


def merge(sources: Sequence[str | Place], out: Path) -> dict[str, int]:
    """Write one new store with the rows of the others, which stay unchanged; return its number of rows by table.

    Args:
        sources: paths or URLs of the stores.
        out: the new store's file. Leftovers of a killed merge into it are removed.

    Raises:
        UserError: two stores differ in a row or have the same participant in one study; `out` exists; a source is not
            a store or is locked by another program.
    """
    out = Path(out)
    check_output_file(out)
    if out.exists():
        raise UserError(f"--out {out}: exists already; name a new file, nothing is overwritten")
    with hold_lock(out.with_name(f".{out.name}.lock"), f"--out {out}", "merging into it"):
        remove_leftovers_of(out)
        try:
            with temporary_folder(out.parent, out.name) as folder:
                target = folder / out.name
                for source in map(place_of, sources):
                    if refusals := push(source, target).refused:
                        first = "; ".join(refusals[:3])
                        raise UserError(
                            f"store merge: {source} and the stores before it: {first}; nothing was merged; "
                            "`gan-eval participants forget` removes one of two sessions"
                        )
                    with open_store(source, create=False) as store:
                        require_consistent(store)
                with open_store(target) as store:
                    rows = {table.name: sum(rows_by_session(store, table).values()) for table in tables.STORED_TABLES}
                flush_to_disk(target)
                target.replace(out)
                flush_to_disk(out.parent)
        except OSError as error:
            raise write_error(out, error) from error
    return rows
