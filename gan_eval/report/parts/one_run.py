"""Whether a folder's tables are those of one analysis, and of one run of the metrics."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from gan_eval.errors import UserError
from gan_eval.file_sets import FileSet
from gan_eval.files import sha256_file
from gan_eval.tables import (
    CHECKS,
    IMAGE_METRICS,
    METRIC_COMPARISONS,
    OF_ANALYSIS,
    RUNS,
    SESSIONS,
    SET_METRICS,
    TABLES,
    TRIALS,
)
from gan_eval.tabular import holds_table

_MADE = {
    "analysis": tuple(table.name for table in OF_ANALYSIS),
    "metrics": tuple(table.name for table in (IMAGE_METRICS, SET_METRICS, METRIC_COMPARISONS, RUNS)),
}
"""The tables that belong to each set, by the set's name."""
_ANALYSED = (TRIALS.name, SESSIONS.name, CHECKS.name)
"""Tables of what was analysed; they belong to an analysis that wrote its trials beside it."""
_VERB = {"analysis": "analyze", "metrics": "metrics"}


def require_one_run(files: Mapping[str, Path], sets: Mapping[Path, Sequence[FileSet]]) -> dict[str, Path]:
    """The files that are to be read, by table: where a set has a record, those that it names.

    Args:
        files: those that are there.
        sets: by folder.

    Raises:
        UserError: a table beside a set is not of it, or has been changed since.
    """
    return {
        name: path
        for name, path in files.items()
        if all(_is_of(known, name, path) for known in sets.get(path.parent, ()) if name in _members(known))
    }


def require_one_mark(files: Mapping[str, Path], tables: Mapping[str, pd.DataFrame]) -> None:
    """Where there is no record, the column `run` tells.

    Raises:
        UserError: the tables are of several analyses.
    """
    marks = [
        (name, str(mark) or "an unknown one")
        for name in _MADE["analysis"]
        if name in tables
        for mark in tables[name]["run"].fillna("").unique()
    ]
    for name, mark in marks[1:]:
        first, its_mark = marks[0]
        if mark != its_mark:
            raise UserError(
                f"{files[name]}: rows of another analysis ({mark}) than in {files[first].name} ({its_mark}); analyze "
                "again into one folder"
            )


def _members(known: FileSet) -> tuple[str, ...]:
    own = _MADE.get(known.name, ())
    return (*own, *_ANALYSED) if known.name == "analysis" and f"{TRIALS.name}.csv" in known.files else own


def _is_of(known: FileSet, name: str, path: Path) -> bool:
    """Whether a file is to be read; one that is no table of ours is left alone.

    Raises:
        UserError: it is a table, and not the set's.
    """
    if path.name not in known.files:
        if not holds_table(path, TABLES[name]):
            return False
        raise UserError(
            f"{path}: not of the run {known.run} whose tables lie beside it; remove it, or give "
            f"gan-eval {_VERB[known.name]} again"
        )
    if sha256_file(path) != known.files[path.name] and holds_table(path, TABLES[name]):  # else reading says what it is
        raise UserError(
            f"{path}: is not what the run {known.run} wrote, whose tables lie beside it; give "
            f"gan-eval {_VERB[known.name]} again"
        )
    return True
