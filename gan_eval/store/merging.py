"""Several stations' stores as one."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files import (
    FAILURES,
    check_output_file,
    complaint,
    flush_to_disk,
    make_folder,
    remove_leftovers_of,
    temporary_name,
    write_error,
)
from gan_eval.store.connect import PATIENCE_S, copy_in_memory, is_address, require_store_file
from gan_eval.store.layout import STORED_TABLES
from gan_eval.store.results import Store, open_store
from gan_eval.store.transaction import database_error
from gan_eval.tables.schema import Table
from gan_eval.tabular import Row

NAMED = 3
"""So many of the rows that two stores tell differently are named."""

Rows = dict[tuple[Any, ...], tuple[Row, str]]
"""The rows of one table by their key, each with the store that it was found in first."""


@dataclass(frozen=True)
class Merged:
    """What came of a merge."""

    sessions: int
    trials: int
    repeated: int
    """Rows that stood in several stores, the same in each, and were taken once."""


def merge(sources: Sequence[str | Path], out: Path) -> Merged:
    """Write one new store that holds what the others hold; they stay as they are.

    What a merge that was killed has left behind goes; where it had come to its end, the same merge again finds that.

    Args:
        sources: paths or URLs; of older versions, too.
        out: the new store's file.

    Raises:
        UserError: two stores tell a row differently, or hold one participant of a study; `out` exists and holds
            something else; a source is no store, or is held by another program.
    """
    out = Path(out)
    if any(not is_address(source) and _is_same_file(Path(source), out) for source in sources):
        raise UserError(
            f"--out {out}: exists already and is one of the stores; name a new file, nothing is overwritten"
        )
    check_output_file(out)
    found: dict[Table, Rows] = {table: {} for table in STORED_TABLES}
    repeated = 0
    differing: list[str] = []
    for source in sources:
        name, held = _read(source)
        for table, rows in held.items():
            again, different = _take(found[table], rows, table, name)
            repeated += again
            differing += different
    if differing:
        more = f" and {len(differing) - NAMED} more" if len(differing) > NAMED else ""
        raise UserError(f"store merge: {'; '.join(differing[:NAMED])}{more}; nothing was merged")
    _require_one_sitting(found[tables.SESSIONS])
    try:
        make_folder(out.parent)
        with _alone_in(out.parent):
            remove_leftovers_of(out)
            if not _holds(out, found):
                _write(found, out)
    except OSError as error:
        raise write_error(out, error) from error
    return Merged(len(found[tables.SESSIONS]), len(found[tables.TRIALS]), repeated)


def _is_same_file(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _read(source: str | Path) -> tuple[str, dict[Table, list[Row]]]:
    """A store's name, without a password, and every row of it.

    A file is copied into memory first, so that an older one is brought up to date in the copy.
    """
    with open_store(source, create=False) if is_address(source) else _copy(Path(source)) as store:
        return store.where, {table: store.rows(table) for table in STORED_TABLES}


def _copy(source: Path) -> Store:
    """A copy of a SQLite store in memory.

    Raises:
        UserError: it is no store, or cannot be read.
    """
    require_store_file(source, create=False)
    try:
        store = Store(copy_in_memory(source), str(source))
    except FAILURES as error:
        raise database_error(complaint(error), str(source)) from error
    try:
        store.prepare(create=False)
    except BaseException:
        store.close()
        raise
    return store


def _holds(out: Path, found: dict[Table, Rows]) -> bool:
    """Whether the store is there already with these rows and no others.

    Raises:
        UserError: there is something else.
    """
    if not out.exists():
        return False
    try:
        _, held = _read(out)
    except UserError:
        held = {}
    if all(
        _by_key(held.get(table, ()), table) == {key: row for key, (row, _) in found[table].items()} for table in found
    ):
        return True
    raise UserError(f"--out {out}: exists already and holds something else; name a new file, nothing is overwritten")


def _by_key(rows: Sequence[Row], table: Table) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[name] for name in table.key): row for row in rows}


def _take(known: Rows, rows: list[Row], table: Table, source: str) -> tuple[int, list[str]]:
    """Add rows to those that are known; how many were known already, and those that are told differently."""
    again, different = 0, []
    for row in rows:
        key = tuple(row[name] for name in table.key)
        kept, where = known.setdefault(key, (row, source))
        if kept is row:
            continue
        if kept == row:
            again += 1
            continue
        names = [name for name in row if row[name] != kept[name]]
        what = " ".join(f"{name} {value}" for name, value in zip(table.key, key, strict=True))
        different.append(f"{where} and {source} differ in {table.name}, {what}: {', '.join(names)}")
    return again, different


def _require_one_sitting(sessions: Rows) -> None:
    seen: dict[tuple[str, str], str] = {}
    for row, source in sessions.values():
        who = (row["study"], row["participant"])
        if who in seen:
            raise UserError(
                f"store merge: participant {who[1]} of study {who[0]} has one session in {seen[who]} and another in "
                f"{source}; were they two persons? `participants forget` removes one; nothing was merged"
            )
        seen[who] = source


def _write(found: dict[Table, Rows], out: Path) -> None:
    temporary = out.parent / temporary_name(out.name)
    try:
        with open_store(temporary) as store:
            for table, rows in found.items():
                store.add(table, [row for row, _ in rows.values()])
        flush_to_disk(temporary)
        temporary.replace(out)
        flush_to_disk(out.parent)
    except UserError as error:
        raise UserError(str(error).replace(str(temporary), f"--out {out}")) from error
    finally:
        remove_leftovers_of(out)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let one merge at a time write into a folder; the lock is gone with the process.

    Raises:
        UserError: another one goes on for longer than `PATIENCE_S`.
    """
    if sys.platform == "win32":  # which removes no file that is open
        yield
        return
    import fcntl

    handle, deadline = os.open(folder, os.O_RDONLY), time.monotonic() + PATIENCE_S
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise UserError(f"{folder}: another merge is writing there; wait for its end") from error
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)
