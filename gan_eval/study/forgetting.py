"""Forget a participant: first remove the results that were computed from the answers, then the answers.

After a kill at any moment the store still has the participant, so the same command removes the rest. `run` makes tables
and report again, without the participant.
"""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gan_eval.base.atomic import OWN_FOLDER, remove_leftovers, write_error
from gan_eval.base.locks import hold_lock
from gan_eval.base.output_folders import study_folder_of
from gan_eval.base.reading import Place, resolved
from gan_eval.store import NoParticipantError, Stored, forget, stored_of, with_moved_stores
from gan_eval.study.markers import run_lock
from gan_eval.tables import STORED_TABLES, TABLES
from gan_eval.tables.names import MODELS_TEX

UNREACHED = (
    "not reached from here: exports, reports, figures and tables in other folders, files with answers of a page, "
    "merged stores, copies and backups; delete these yourself, and give the same command for each other store"
)
"""Places that the command cannot reach."""


@dataclass(frozen=True)
class Traces:
    """A participant's rows in a store, and files in the study's folder around it."""

    stores: Mapping[Place, Stored]
    """Stores with the participant: the given one, and those that `run --redo quiz` has moved aside."""
    folder: Path | None = None
    """The study's folder; None if the store is not in one."""
    derived: tuple[Path, ...] = ()
    """Files and folders that were made from answers, also those that were moved aside."""

    @property
    def rows(self) -> Mapping[str, int]:
        """Number of the participant's rows in each table, in all stores."""
        return {table.name: sum(stored.rows[table.name] for stored in self.stores.values()) for table in STORED_TABLES}


def traces_of(store: Place, participant: str, *, study: str | None = None) -> Traces:
    """Find what `forget_everywhere` with the same arguments would remove; change nothing.

    Raises:
        NoParticipantError: no store holds the participant.
    """
    folder = study_folder_of(store) or study_folder_of(resolved(store))
    stores: dict[Place, Stored] = {}
    absent: list[NoParticipantError] = []
    for where in with_moved_stores(store):
        try:
            stores[where] = stored_of(where, participant, study=study)
        except NoParticipantError as error:
            absent.append(error)
    if not stores:
        raise absent[0]
    return Traces(stores) if folder is None else Traces(stores, folder, tuple(_made_from_answers(folder)))


def _made_from_answers(folder: Path) -> list[Path]:
    """Return the files and folders of a study's folder that were made from answers."""
    from gan_eval.stats.all_tables import OF_ANALYSIS
    from gan_eval.stats.writing import SUFFIXES

    tables, records = folder / "tables", folder / OWN_FOLDER
    derived = [
        *(tables / f"{name}{suffix}" for name in (*TABLES, *OF_ANALYSIS) for suffix in SUFFIXES),
        *(tables / name for name in ("paper.tex", MODELS_TEX, OWN_FOLDER)),
        folder / "report.html",
        *(records / name for name in ("analyze.json", "report.json")),
        *sorted(path for stage in ("analyze", "report") for path in (records / "old").glob(f"{stage}-*")),
    ]
    return [path for path in derived if path.exists() or path.is_symlink()]


def forget_everywhere(store: Place, participant: str, *, study: str | None = None) -> dict[str, int]:
    """Remove a participant from a store and, if it is in a study's folder, from the files in that folder.

    Raises:
        UserError: as for `traces_of` and `gan_eval.store.forget`; a `run` is working in the folder; or a file cannot be
            removed. The participant is then still in a store, and the same command starts again.
    """
    traces = traces_of(store, participant, study=study)
    with ExitStack() as stack:
        if traces.folder is not None:
            stack.enter_context(hold_lock(*run_lock(traces.folder)))
            for path in traces.derived:
                try:
                    if path.is_dir() and not path.is_symlink():
                        shutil.rmtree(path)
                    else:
                        path.unlink(missing_ok=True)
                except OSError as error:
                    raise write_error(path, error, "removed") from error
            remove_leftovers(traces.folder, older_than_s=60)  # of killed writers
        # The given store is the last one: as long as it holds the participant, the same command finds the others.
        forgotten = [forget(where, participant, study=study) for where in reversed(list(traces.stores))]
    return {table.name: sum(rows[table.name] for rows in forgotten) for table in STORED_TABLES}
