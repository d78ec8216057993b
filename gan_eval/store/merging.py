"""Copies between stores: push to a lab's PostgreSQL server or another file, and merge of several stations' stores.

    pushed = push("gan-eval.sqlite", "postgresql://lab@server/quiz")

Each session is copied in one transaction, so a killed push leaves whole sessions; repeat it to copy the rest. The
source is not changed: the target's rows show what is missing there. Sessions that were deleted from one of the stores
are left out; the target then keeps the digests of their identifiers, too.
"""

import errno
import os
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.base.atomic import flush_to_disk, remove_leftovers_of, rename_new, temporary_folder, write_error
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
from gan_eval.base.output_folders import check_output_file
from gan_eval.base.reading import Place, place_of, resolved
from gan_eval.base.sqlite_files import LOGS, refuse_left_logs
from gan_eval.store.consistency import require_consistent
from gan_eval.store.deleted import deleted_digests, deleted_from_moved, digest_of, keep_deleted
from gan_eval.store.layout import LAYOUTS
from gan_eval.store.people import rows_by_session
from gan_eval.store.results import Store, lock_writes, open_store
from gan_eval.tables.cells import person_of
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

FIXED = ("study", "design_hash", "participant", "list", "seed", "simulated", "started_at")
"""Columns of `sessions` that never change."""


DIFFERENT = "one was changed: restore it from a copy, or leave it out (`participants forget` would delete both)"
"""Remedy for one session with two contents."""


class _RefusedError(Exception):
    """The target has other values, or a different session of this participant."""


class _DeletedError(Exception):
    """The session was deleted from one of the two stores."""


@dataclass(frozen=True)
class Pushed:
    """Result of a push."""

    sessions: int
    """Number of sessions with at least one copied or updated row."""
    trials: int
    """Number of copied trials."""
    refused: tuple[str, ...]
    """One line for each session that could not be copied; its rows stay in the source."""
    deleted: tuple[str, ...]
    """Sessions of the source that were left out, because they were deleted from one of the stores."""
    remaining: tuple[str, ...]
    """Participants of the target whose data were deleted from the source."""
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
        UserError: both are the same store; one of them cannot be opened, read or written; rows of the source are
            missing or contradict each other.
    """
    source, target = place_of(source), place_of(target)
    if resolved(source) == resolved(target):
        raise UserError(f"store push: {source} and {target} are the same store; name another one")
    new_in = target.parent if isinstance(target, Path) and not target.exists() else None
    if new_in is not None and not new_in.is_dir():
        raise UserError(f"{target}: no such store, and no such folder for a new one; fix the path or make the folder")
    copied: list[dict[str, int]] = []
    refusals, deleted = list[str](), list[str]()
    with open_store(source, create=False) as here:
        require_consistent(here)
        with open_store(target) as there:
            remaining = _carry_deleted(here, there)
            for session in here.rows(tables.SESSIONS):
                try:
                    copied.append(_push_session(here, there, session["session"], only_ended=only_ended))
                except _RefusedError as error:
                    refusals.append(str(error))
                except _DeletedError:
                    deleted.append(session["session"])
    return Pushed(
        sessions=sum(any(counts.values()) for counts in copied),
        trials=sum(counts.get("trials", 0) for counts in copied),
        refused=tuple(refusals),
        deleted=tuple(deleted),
        remaining=remaining,
        source=here.where,
        target=there.where,
        is_new=new_in is not None,
    )


def push_lines(source: Place, target: str) -> list[str]:
    """Push ended sessions to the address of a study's `push_to`; return lines about those that were not copied."""
    try:
        pushed = push(source, target, only_ended=True)
        lines = [f"quiz.push_to: refused: {line}; the rows are safe in {source}" for line in pushed.refused]
        left_out = (
            f"quiz.push_to: sessions left out, because they were deleted from {pushed.target}: {len(pushed.deleted)}"
        )
        return [*lines, left_out] if pushed.deleted else lines
    except UserError as error:
        command = f"gan-eval store push {shlex.quote(str(source))} URL"
        return [f"quiz.push_to: {error}; all answers are safe in {source}; copy them later with `{command}`"]


def _carry_deleted(here: Store, there: Store) -> tuple[str, ...]:
    """Store in `there` which sessions were deleted from `here`; return the participants of those that it still has."""
    with here.transaction() as connection:
        digests = deleted_digests(connection)
    if not digests:
        return ()
    layout = LAYOUTS[tables.SESSIONS].c
    with there.transaction() as connection:
        lock_writes(connection)
        keep_deleted(connection, digests)
        sessions = connection.execute(sa.select(layout.session, layout.participant)).all()
    return tuple(sorted(str(code) for session, code in sessions if digest_of(str(session)) in digests))


def _push_session(here: Store, there: Store, name: str, *, only_ended: bool) -> dict[str, int]:
    """Copy one session in one transaction; return the number of new rows of each table, none if it is not to be copied.

    Raises:
        _RefusedError: the target has other rows, or another session of this participant.
        _DeletedError: the session was deleted from one of the stores.
    """
    with here.snapshot():  # else what is stored at this moment could be copied in part
        session = next(iter(here.rows(tables.SESSIONS, session=name)), None)
        if session is None or (only_ended and (session["status"] == "open" or session["simulated"])):
            return {}
        return _push_rows(here, there, session)


def _push_rows(here: Store, there: Store, session: Row) -> dict[str, int]:
    with there.transaction() as connection:
        lock_writes(connection)
        counts = {"sessions": _push_row(connection, session)}
        for table in tables.STORED_TABLES:
            if table is not tables.SESSIONS:
                new = _new_rows(connection, table, here.rows(table, session=session["session"]), session["session"])
                if new:
                    connection.execute(LAYOUTS[table].insert(), new)
                counts[table.name] = len(new)
    return counts


def _new_rows(connection: sa.Connection, table: Table, rows: Iterable[Row], session: str) -> list[Row]:
    """Return the rows of a session that the target lacks; refuse a row that differs there."""
    query = LAYOUTS[table].select().where(LAYOUTS[table].c.session == session)
    theirs = {tuple(row[name] for name in table.key): dict(row) for row in connection.execute(query).mappings()}
    new = []
    for row in rows:
        key = {name: row[name] for name in table.key}
        their_row = theirs.get(tuple(key.values()))
        if their_row is None:
            new.append(row)
        elif their_row != row:
            which = " ".join(f"{name} {value}" for name, value in key.items())
            raise _RefusedError(f"the two stores hold different rows of {table.name} for {which}; {DIFFERENT}")
    return new


def _push_row(connection: sa.Connection, session: Row) -> int:
    """Insert a session's row, or update that of an open session; return the number of changed rows."""
    layout = LAYOUTS[tables.SESSIONS]
    theirs = _row_there(connection, session)
    if digest_of(session["session"]) in deleted_digests(connection):  # after the lock: it may just have been deleted
        raise _DeletedError
    if theirs is None:
        connection.execute(layout.insert(), [session])
        return 1
    is_ended = theirs["status"] != "open"
    if any(theirs[name] != session[name] for name in FIXED) or (
        is_ended and session["status"] not in ("open", theirs["status"])
    ):
        raise _RefusedError(f"the two stores hold different rows for session {session['session']}; {DIFFERENT}")
    if is_ended or theirs == session:
        return 0
    same = layout.c.session == session["session"]
    return connection.execute(layout.update().where(same).values(session)).rowcount


def _row_there(connection: sa.Connection, session: Row) -> Row | None:
    """Return the target's row of a session; refuse another session of this participant."""
    layout, theirs = LAYOUTS[tables.SESSIONS], None
    same_study = layout.select().where(layout.c.study == session["study"])
    # lock the rows: a participant cannot be forgotten while being copied
    for other in connection.execute(same_study.with_for_update(read=True, key_share=True)).mappings():
        if other["session"] == session["session"]:
            theirs = dict(other)
        elif person_of(other["participant"]) == person_of(session["participant"]):
            raise _RefusedError(
                f"participant {session['participant']} of study {session['study']} has another session there, "
                f"{other['session']}; here it is {session['session']}; `gan-eval participants forget` removes one of "
                "the two"
            )
    return theirs


@dataclass(frozen=True)
class Merged:
    """Result of a merge."""

    rows: Mapping[str, int]
    """Number of the new store's rows by table."""
    deleted: int
    """Number of sessions that were left out, because they were deleted from one of the stores."""


def merge(sources: Sequence[str | Place], out: Path) -> Merged:
    """Write one new store with the rows of the others, which stay unchanged.

    Args:
        sources: paths or URLs of the stores.
        out: the new store's file. Leftovers of a killed merge into it are removed.

    Raises:
        UserError: two stores differ in a row or have the same participant in one study; `out` exists, or a log of an
            earlier file of this name; a source is not a store, is damaged or is locked by another program.
    """
    out = Path(out)
    check_output_file(out)
    exists = f"--out {out}: exists already; name a new file, nothing is overwritten"
    if out.exists():
        raise UserError(exists)
    refuse_left_logs(out)
    with hold_lock(out.with_name(f".{out.name}.lock"), f"--out {out}", "merging into it"):
        remove_leftovers_of(out)
        try:
            with temporary_folder(out.parent, out.name) as folder:
                merged = _merged(sources, folder / out.name, deleted=deleted_from_moved(out))
                flush_to_disk(folder / out.name)
                refuse_left_logs(out)  # another program may have made and lost a store meanwhile
                rename_new(folder / out.name, out)
                flush_to_disk(out.parent)
        except FileExistsError as error:
            raise UserError(exists) from error
        except OSError as error:
            raise write_error(out, error) from error
    return merged


def _merged(sources: Sequence[str | Place], target: Path, *, deleted: Collection[str]) -> Merged:
    """Write the stores, without the sessions of these digests, into the new file `target`; it has no log at the end."""
    stores, left = [*map(place_of, sources)], set[str]()
    with open_store(target) as store, store.transaction() as connection:
        keep_deleted(connection, deleted)
    for source in stores:  # first what was deleted from any of them
        with open_store(source, create=False) as here, open_store(target) as there:
            _carry_deleted(here, there)
    for source in stores:
        pushed = push(source, target)
        left |= {*pushed.deleted}
        if pushed.refused:
            raise UserError(
                f"store merge: {source} and the stores before it: {'; '.join(pushed.refused[:3])}; nothing was merged"
            )
    with open_store(target) as store:
        rows = {table.name: sum(rows_by_session(store, table).values()) for table in tables.STORED_TABLES}
    if any(os.path.lexists(f"{target}{ending}") for ending in LOGS):  # SQLite could not empty its log
        raise OSError(errno.ENOSPC, "")
    return Merged(rows, len(left))
