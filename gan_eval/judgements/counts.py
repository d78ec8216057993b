"""Tables of counts: a row that stands for several answers becomes as many rows, of people who may not be known."""

from dataclasses import replace

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.limits import require_small
from gan_eval.judgements.contradictions import Source, Sources
from gan_eval.judgements.mapping import COUNT, COUNT_CORRECT
from gan_eval.judgements.reading import Foreign, Labels
from gan_eval.tables.names import NOT_KNOWN

_ANSWER = 1000
"""Number of bytes of an answer in memory."""


def with_counted_answers(foreign: Foreign, sources: Sources, *, where: str) -> tuple[Foreign, Sources, list[str]]:
    """Return a row for each answer that `count` counts, the sources of its columns, and a line.

    With `count_correct`, that many of them are correct. Where nothing names the participant, all answers are of the
    one participant `NOT_KNOWN`: the statistics then have intervals over pictures only.

    Raises:
        UserError: a cell is no count, or more answers are correct than there are.
    """
    read = {name: source.column for name in (COUNT, COUNT_CORRECT) if (source := sources.get(name))}
    if not read:
        return foreign, sources, []
    if COUNT not in read:
        raise UserError(f"{where}: --map {COUNT_CORRECT}={read[COUNT_CORRECT]}: add --map {COUNT}=COLUMN, all answers")
    of = {name: _counts(foreign, column, where=where) for name, column in read.items()}
    total = of[COUNT]
    require_small(int(total.sum()) * _ANSWER, f"{where}: the {int(total.sum())} answers that {read[COUNT]} counts")
    long = foreign.repeated(total)
    further: dict[str, pd.Series] = {}
    sources = {name: source for name, source in sources.items() if name not in read}
    if COUNT_CORRECT in of:
        if (wrong := np.flatnonzero(of[COUNT_CORRECT] > total)).size:
            row = Labels(foreign, foreign.cells.index)[int(wrong[0])]
            raise UserError(f"{where}: row {row}: more answers are correct ({read[COUNT_CORRECT]}) than {read[COUNT]}")
        name = f"{read[COUNT_CORRECT]} of {read[COUNT]}"
        place = np.arange(total.sum()) - np.repeat(np.cumsum(total) - total, total)
        is_correct = place < np.repeat(of[COUNT_CORRECT], total)
        further[name] = pd.Series(np.where(is_correct, "true", "false"), index=long.cells.index, dtype="str")
        sources["correct"] = Source(name)
    who = ""
    if not {"participant"} & {*sources, *foreign.cells}:
        further["participant"] = pd.Series(NOT_KNOWN, index=long.cells.index, dtype="str")
        who = "; who gave them is not known, so intervals are over pictures only and say nothing about other people"
    line = f"{read[COUNT]} counts answers: {len(foreign.cells)} rows are {int(total.sum())} answers{who}"
    cells = long.cells.drop(columns=[*read.values()]).assign(**further)
    return replace(long, cells=cells), sources, [line]


def _counts(foreign: Foreign, column: str, *, where: str) -> np.ndarray:
    """Return (N,) int64, the cells of a column of counts; an empty one is 0."""
    cells = foreign.cells[column].fillna("0").str.strip()
    if (wrong := np.flatnonzero(~cells.str.fullmatch(r"\d{1,9}(\.0+)?"))).size:
        row = Labels(foreign, cells.index)[int(wrong[0])]
        raise UserError(
            f"{where}: row {row}: column {column}: found {cells.iloc[wrong[0]]!r}, expected a count (0, 1, 2, ...)"
        )
    return cells.astype("float64").to_numpy("int64")
