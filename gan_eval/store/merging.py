"""Several stations' stores as one."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files import atomic_path
from gan_eval.schema import Table
from gan_eval.store.address import is_address
from gan_eval.store.connect import connect_to_read, may_write, require_store_file
from gan_eval.store.layout import STORED_TABLES
from gan_eval.store.results import open_store
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

    Args:
        sources: paths or URLs; of older versions, too.
        out: the new store's file.

    Raises:
        UserError: two stores tell a row differently, or hold one participant of a study; `out` exists; a source is no
            store.
    """
    out = Path(out)
    if out.exists():
        raise UserError(f"--out {out}: exists already; name a new file, nothing is overwritten")
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
    _write(found, out)
    return Merged(len(found[tables.SESSIONS]), len(found[tables.TRIALS]), repeated)


def _read(source: str | Path) -> tuple[str, dict[Table, list[Row]]]:
    """A store's name, without a password, and every row of it.

    A file is copied first, so that an older one is brought up to date in the copy.
    """
    with TemporaryDirectory() as folder:
        remote = is_address(source)
        where = source if remote else _copy(Path(source), Path(folder) / "copy.sqlite")
        with open_store(where, create=False) as store:
            name = store.where if remote else str(source)
            return name, {table: store.rows(table) for table in STORED_TABLES}


def _copy(source: Path, copy: Path) -> Path:
    """A copy of a SQLite store that nobody else writes.

    Raises:
        UserError: it is no store, or cannot be read.
    """
    require_store_file(source, create=False)
    try:
        with (
            closing(_connect(source)) as original,
            closing(sqlite3.connect(copy)) as target,
        ):
            original.backup(target)
    except sqlite3.Error as error:
        raise UserError(
            f"{source}: cannot be read as a results store ({error}); copy it to a writable folder"
        ) from error
    return copy


def _connect(source: Path) -> sqlite3.Connection:
    if not may_write(source):
        return connect_to_read(source)
    return sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True)


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
    with atomic_path(out) as temporary:
        temporary.unlink()  # a store is made by opening it
        with open_store(temporary) as store:
            for table, rows in found.items():
                store.add(table, [row for row, _ in rows.values()])
