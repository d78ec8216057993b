"""Several stations' stores as one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.atomic import flush_to_disk, remove_leftovers_of, temporary_name, write_error
from gan_eval.files.locks import system_lock
from gan_eval.files.output_folders import check_output_file
from gan_eval.files.sqlite_files import SQLITE_ERRORS, database_message, is_address
from gan_eval.store.connect import PATIENCE_S, copy_in_memory, database_error, require_store_file
from gan_eval.store.consistency import require_consistent
from gan_eval.store.layout import STORED_TABLES
from gan_eval.store.results import Store, open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.names import person_of
from gan_eval.tables.schema import Table

NAMED = 3
"""Number of differing rows that a message names."""

Rows = dict[tuple[Any, ...], tuple[Row, str]]
"""The rows of one table by their key, each with the first store that has it."""


@dataclass(frozen=True)
class Merged:
    """Result of a merge."""

    sessions: int
    trials: int
    repeated: int
    """Rows that stood in several stores, the same in each, and were taken once."""


def merge(sources: Sequence[str | Path], out: Path) -> Merged:
    """Write one new store with the rows of the others, which stay unchanged.

    What a merge that was killed has left behind goes; where it had come to its end, the same merge again finds that.

    Args:
        sources: paths or URLs.
        out: the new store's file.

    Raises:
        UserError: two stores differ in a row, or hold one participant of a study; `out` exists and holds
            something else; a source is not a store, or another program uses it.
    """
    out = Path(out)
    for source in sources:
        if not is_address(source) and Path(source).exists() and out.exists() and out.samefile(source):
            raise UserError(
                f"--out {out}: exists already and is one of the stores; name a new file, nothing is overwritten"
            )
    check_output_file(out)
    merged, repeated = _joined([_read(source) for source in sources])
    try:
        lock = out.with_name(f".{out.name}.lock")
        with system_lock(lock, lambda: f"{out}: another merge is writing it; wait for its end", patience_s=PATIENCE_S):
            try:
                remove_leftovers_of(out)
                if not _holds(out, merged):
                    _write(merged, out)
            finally:
                with suppress(OSError):  # Windows removes no open file
                    lock.unlink()
    except OSError as error:
        raise write_error(out, error) from error
    return Merged(len(merged[tables.SESSIONS]), len(merged[tables.TRIALS]), repeated)


def _read(source: str | Path) -> tuple[str, dict[Table, list[Row]]]:
    """A store's name, without a password, and every row of it.

    A file is copied into memory first, so that no other program's write comes in between.

    Raises:
        UserError: it is not a store, cannot be read, or rows are missing or contradict each other.
    """
    if is_address(source):
        store = open_store(source, create=False)
    else:
        require_store_file(Path(source), create=False)
        try:
            store = Store(copy_in_memory(Path(source)), str(source))
        except SQLITE_ERRORS as error:
            raise database_error(database_message(error), str(source)) from error
    with store:
        store.prepare(create=False)
        rows = {table: store.rows(table) for table in STORED_TABLES}
        require_consistent(store)
        return store.where, rows


def _joined(stores: Sequence[tuple[str, dict[Table, list[Row]]]]) -> tuple[dict[Table, Rows], int]:
    """The rows of all stores, each once, and how many stood in several.

    Raises:
        UserError: two stores differ in a row, or hold one participant of a study in two sessions.
    """
    merged: dict[Table, Rows] = {table: {} for table in STORED_TABLES}
    repeated = 0
    differences: list[str] = []
    for source, rows_by_table in stores:
        for table, rows in rows_by_table.items():
            for row in rows:
                key = tuple(row[name] for name in table.key)
                known, where = merged[table].setdefault(key, (row, source))
                if known is row:
                    continue
                if known == row:
                    repeated += 1
                    continue
                columns = ", ".join(name for name in row if row[name] != known[name])
                which = " ".join(f"{name} {value}" for name, value in zip(table.key, key, strict=True))
                differences.append(f"{where} and {source} differ in {table.name}, {which}: {columns}")
    if differences:
        more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        raise UserError(f"store merge: {'; '.join(differences[:NAMED])}{more}; nothing was merged")
    sittings: dict[tuple[str, str], tuple[str, str]] = {}
    for row, source in merged[tables.SESSIONS].values():
        person, code = (row["study"], person_of(row["participant"])), row["participant"]
        if person in sittings:
            first, place = sittings[person]
            same = "" if code == first else f", there as {code}"
            raise UserError(
                f"store merge: participant {first} of study {row['study']} has one session in {place} and another in "
                f"{source}{same}; were they two persons? `gan-eval participants forget` removes one; nothing was merged"
            )
        sittings[person] = code, source
    return merged, repeated


def _holds(out: Path, merged: dict[Table, Rows]) -> bool:
    """Return whether the store is there already with these rows and no others.

    Raises:
        UserError: there is something else.
    """
    if not out.exists():
        return False
    with suppress(UserError):
        _, held = _read(out)
        if all(
            {tuple(row[name] for name in table.key): row for row in held[table]}
            == {key: row for key, (row, _) in rows.items()}
            for table, rows in merged.items()
        ):
            return True
    raise UserError(f"--out {out}: exists already and holds something else; name a new file, nothing is overwritten")


def _write(merged: dict[Table, Rows], out: Path) -> None:
    temporary = out.parent / temporary_name(out.name)
    try:
        with open_store(temporary) as store:
            for table, rows in merged.items():
                store.add(table, [row for row, _ in rows.values()])
        flush_to_disk(temporary)
        temporary.replace(out)
        flush_to_disk(out.parent)
    except UserError as error:
        raise UserError(str(error).replace(str(temporary), f"--out {out}")) from error
    finally:
        remove_leftovers_of(out)
