"""Several stations' stores as one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.files.atomic import flush_to_disk, remove_leftovers_of, temporary_name, write_error
from gan_eval.files.locks import system_lock
from gan_eval.files.output_folders import check_output_file
from gan_eval.files.sqlite_files import is_address
from gan_eval.store.connect import PATIENCE_S
from gan_eval.store.consistency import require_consistent
from gan_eval.store.layout import STORED_TABLES
from gan_eval.store.push import push
from gan_eval.store.results import Store, open_store
from gan_eval.tables.schema import Table


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
    lock = out.with_name(f".{out.name}.lock")
    temporary = out.with_name(temporary_name(out.name))
    try:
        with system_lock(lock, lambda: f"{out}: another merge is writing it; wait for its end", patience_s=PATIENCE_S):
            try:
                remove_leftovers_of(out)
                merged = _joined(sources, temporary)
                if not out.exists():
                    flush_to_disk(temporary)
                    temporary.replace(out)
                    flush_to_disk(out.parent)
                elif _contents(out) != _contents(temporary):
                    raise UserError(
                        f"--out {out}: exists already and holds something else; name a new file, nothing is overwritten"
                    )
            except UserError as error:
                raise UserError(str(error).replace(str(temporary), f"--out {out}")) from error
            finally:
                remove_leftovers_of(out)
                with suppress(OSError):  # Windows removes no open file
                    lock.unlink()
    except OSError as error:
        raise write_error(out, error) from error
    return merged


def _joined(sources: Sequence[str | Path], out: Path) -> Merged:
    """Copy the rows of all stores, each once, into a new one."""
    given = 0
    with open_store(out) as merged:
        for source in sources:
            if refused := push(source, out, compare_all=True).refused:
                raise UserError(f"store merge: {source} and the stores before it: {'; '.join(refused[:3])}; "
                                "nothing was merged")  # fmt: skip
            with open_store(source, create=False) as store:
                require_consistent(store)
                given += sum(_count(store, table) for table in STORED_TABLES)
        kept = {table: _count(merged, table) for table in STORED_TABLES}
    return Merged(kept[tables.SESSIONS], kept[tables.TRIALS], given - sum(kept.values()))


def _count(store: Store, table: Table) -> int:
    with store.transaction() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(store.layout(table))).scalar_one()


def _contents(path: Path) -> object:
    """Every row of a store; None where it is none."""
    with suppress(UserError), open_store(path, create=False) as store:
        return [store.rows(table) for table in STORED_TABLES]
    return None
