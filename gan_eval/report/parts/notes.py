"""Notes that stand in many tables, told once."""

from collections import Counter
from dataclasses import replace

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.stats.groups import SEVERAL_STUDIES
from gan_eval.tables import PARTICIPATION

MANY = 3
"""A note in so many tables is told once for all."""
_BETWEEN = "; "


def common_notes(folder: StudyFolder) -> list[str]:
    """That several studies are pooled, and what rules left out where that stands in `MANY` tables or more."""
    count = Counter(
        part for table in folder.tables.values() for part in dict.fromkeys(p for cell in _notes(table) for p in cell)
    )
    ruled = " excluded by " if len(folder.table(PARTICIPATION)) else SEVERAL_STUDIES
    return [part for part, tables in count.items() if part == SEVERAL_STUDIES or (tables >= MANY and ruled in part)]


def without_common_notes(folder: StudyFolder) -> StudyFolder:
    """The folder, its tables without those notes."""
    common = set(common_notes(folder))
    return folder if not common else replace(folder, tables={n: _less(t, common) for n, t in folder.tables.items()})


def several_studies(folder: StudyFolder) -> list[str]:
    """A sentence where trials of several studies were pooled."""
    found = SEVERAL_STUDIES in common_notes(folder)
    return ["Trials of several studies are pooled: differences between them are in no interval."] if found else []


def _notes(table: pd.DataFrame) -> list[list[str]]:
    if "note" not in table:
        return []
    return [str(note).split(_BETWEEN) for note in table["note"].dropna().unique()]


def _less(table: pd.DataFrame, common: set[str]) -> pd.DataFrame:
    if "note" not in table:
        return table
    kept = [
        None if pd.isna(note) else _BETWEEN.join(part for part in str(note).split(_BETWEEN) if part not in common)
        for note in table["note"]
    ]
    return table.assign(note=pd.Series([note or None for note in kept], index=table.index, dtype="object"))
