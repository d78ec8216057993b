"""Forget a participant: what was computed from the answers goes first, then the answers themselves.

In this order a kill at any moment leaves nothing half done that is not seen: as long as the store has the participant,
the same command does the rest. Tables and report are made again by `run`, without them.
"""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gan_eval.files import OWN_FOLDER, remove_leftovers, write_error
from gan_eval.locks import hold_lock
from gan_eval.store import Forgotten, forget, list_participants, open_store, person_of
from gan_eval.store.connect import is_address
from gan_eval.study.markers import run_lock
from gan_eval.study.plan import STORE, is_study_folder

UNREACHED = (
    "not reached from here: exports, reports, figures and tables in other folders, merged stores, copies and backups; "
    "delete these yourself, and give the same command for each other store"
)
"""What no command finds."""


@dataclass(frozen=True)
class Traces:
    """What a study's folder holds of its participants beside the store."""

    folder: Path | None = None
    """The study's folder; None where the store lies in none."""
    derived: tuple[Path, ...] = ()
    """Files and folders that were made from answers, also those that were moved aside."""
    stores: tuple[Path, ...] = ()
    """Stores that `run --redo quiz` has moved aside and that hold the participant."""


def traces_of(store: str | Path, participant: str, *, study: str | None = None) -> Traces:
    """Return what lies in the study's folder of a store, and would go with a participant.

    Raises:
        UserError: a store that was moved aside cannot be read.
    """
    folder = Path(store).resolve().parent
    if is_address(store) or Path(store).resolve().name != STORE or not is_study_folder(folder):
        return Traces()
    from gan_eval.stats import ALL_TABLES, SUFFIXES

    tables, own = folder / "tables", folder / OWN_FOLDER
    derived = [
        *(tables / f"{name}{suffix}" for name in ALL_TABLES for suffix in SUFFIXES),
        *(tables / name for name in ("paper.tex", OWN_FOLDER)),
        *(folder / name for name in ("report.html", "report.md", "report_files")),
        *(own / name for name in ("analyze.json", "report.json")),
        *sorted(path for stage in ("analyze", "report") for path in (own / "old").glob(f"{stage}-*")),
    ]
    earlier = sorted((own / "old").glob(f"quiz-*/{STORE}"))
    return Traces(
        folder,
        tuple(path for path in derived if path.exists() or path.is_symlink()),
        tuple(path for path in earlier if _holds(path, participant, study)),
    )


def _holds(store: Path, participant: str, study: str | None) -> bool:
    with open_store(store, create=False) as opened:
        return any(person_of(known.participant) == person_of(participant) for known in list_participants(opened, study))


def forget_everywhere(store: str | Path, participant: str, *, study: str | None = None) -> Forgotten:
    """Remove a participant from a store and, where it lies in a study's folder, from what is there.

    Args:
        store: path or URL of the store.
        participant: the pseudonym.
        study: only this study's sessions.

    Returns:
        What was removed from `store`.

    Raises:
        UserError: as for `gan_eval.store.forget`; a `run` is at work in the folder; or a file cannot be removed. The
            participant is in the store then, and the same command starts again.
    """
    traces = traces_of(store, participant, study=study)
    with ExitStack() as stack:
        if traces.folder is not None:
            stack.enter_context(hold_lock(*run_lock(traces.folder)))
            for path in traces.derived:
                _remove(path)
            remove_leftovers(traces.folder, older_than_s=60)  # of killed writers
            for earlier in traces.stores:
                forget(earlier, participant, study=study)
        return forget(store, participant, study=study)


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(path, error, "removed") from error
