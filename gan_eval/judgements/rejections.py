"""Rows of another program's table that are left out, each with the reason."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from gan_eval.base.errors import shortened
from gan_eval.judgements.trials import REQUIRED, misnamed, model_problem, sessions_of
from gan_eval.tables import TRIALS
from gan_eval.tables.cells import is_missing
from gan_eval.tables.frames import EMPTY, Row, faults

ENUMERATIONS = ("kind", "phase", "response")
"""Columns whose words may differ in a foreign table."""
TRUTH_WORDS = dict.fromkeys(("true", "t", "yes", "y", "1.0"), "true")
TRUTH_WORDS |= dict.fromkeys(("false", "f", "no", "n", "0.0"), "false")
"""Words of columns of true and false."""
CORRECT_WORDS = {"correct": "true", "right": "true", "incorrect": "false", "wrong": "false", "error": "false"}
"""Further words of the column `correct`."""
IF_CORRECTNESS = (
    "if that says whether the answer was correct, give --map correct=COLUMN in place of --map response=COLUMN, and the "
    "response follows from kind and correct; else name the meanings with --word response:WORD=MEANING"
)
WHOLE_ROW = "(whole row)"
"""Stands in place of the column at fault: the row's number of cells differs from the header's."""
MAX_WORDS = 8
"""Maximum number of words of a column's cells that a message names."""
MAX_CELL = 40
"""Maximum number of characters of such a word."""


def rejections_of(frame: pd.DataFrame) -> list[Row]:
    """Return a rejection for each cell that does not fit: words, empty cells, repeated trials."""
    rejected = []
    for row, column, reason in faults(frame, TRIALS):
        cell = frame[column].iloc[row]
        rejected.append(rejection(frame.index[row], column, reason, cell, _advice(column, cell)))
    rejected += [
        rejection(row, "model", model_problem(model), model)
        for row, model in frame[misnamed(frame)].get("model", pd.Series(dtype="str")).items()
    ]
    filled = {column.name for column in TRIALS.columns if column.filled}
    for name in sorted(set(REQUIRED) & set(frame) - {"response"} - filled):
        rejected += [rejection(row, name, EMPTY) for row in frame.index[frame[name].isna()]]
    rejected += _repeated(frame) if "trial" in frame else ()
    first: dict[tuple[object, object], Row] = {}  # one rejection for each cell
    for each in rejected:
        first.setdefault((each["row"], each["column"]), each)
    return list(first.values())


def _advice(column: str, cell: object) -> str:
    """Return the options that may give a cell a meaning."""
    if is_missing(cell) or cell == "":
        return "; if the one above holds: --map participant=@fill:COLUMN" if column == "participant" else ""
    advice = if_missing(column, cell)
    if column in (*ENUMERATIONS, "choice", "correct"):
        means = f"if it means one of them, add --word {shlex.quote(f'{column}:{cell}')}=MEANING"
        is_correctness = column == "response" and cell in TRUTH_WORDS | CORRECT_WORDS
        return f"; {IF_CORRECTNESS if is_correctness else means}{advice}"
    return advice + (
        f"; give its number with --word {shlex.quote(f'rating:{cell}')}=NUMBER" if column == "rating" else ""
    )


def _repeated(frame: pd.DataFrame) -> Iterator[Row]:
    """Yield a rejection for each row with the session and trial of an earlier one."""
    keyed, key = frame.assign(session=sessions_of(frame)), ["session", "trial"]
    again = keyed[keyed.duplicated(key) & keyed[key].notna().all(axis=1)]
    for row, session, trial in zip(again.index, again["session"], again["trial"], strict=True):
        reason = f"session {session} has a trial {trial} already; --map trial= numbers the rows"
        yield rejection(row, "trial", reason, trial)


def rejection_summary(rejected: pd.DataFrame) -> str:
    """Return the number of rejected cells of each column, and their words.

    >>> rejection_summary(pd.DataFrame([rejection(row, "kind", "unknown", "x") for row in (3, 4)]))
    '2 kind (x 2)'
    """
    parts = []
    for column, cells in rejected.groupby("column")["found"]:
        words = counted_words(cells[cells != ""].value_counts())
        name = "row" if column == WHOLE_ROW else str(column)
        parts.append(f"{len(cells)} {name}{f' ({words})' if words else ''}")
    return ", ".join(parts)


def listed_words(column: str, name: str, counts: pd.Series) -> str:
    """Return the part of a message that names unknown words of a column, with the number of cells."""
    return f"not known in {column}{'' if column == name else f' ({name})'}: {counted_words(counts)}"


def counted_words(counts: pd.Series) -> str:
    """Return the words that index their numbers of cells, the first ones by name."""
    listed = ", ".join(f"{shortened(str(word), MAX_CELL)} {count}" for word, count in counts.head(MAX_WORDS).items())
    return listed + (f" and {len(counts) - MAX_WORDS} others" if len(counts) > MAX_WORDS else "")


def if_missing(column: str, cell: object) -> str:
    """Return the option for a word of a column of times that may mean a missing one, or the fix of a unit."""
    if not column.endswith("_ms") or re.fullmatch(r"[-+.\deE\s]*\d[-+.\deE\s]*", str(cell)):
        return ""
    if re.search(r"\d", str(cell)):
        return "; write the number alone, in milliseconds"
    return f"; if it means that there is none, add --word {shlex.quote(f'{column}:{cell}')}="


def rejection(row: Any, column: str, reason: str, cell: object = None, advice: str = "") -> Row:
    """Return a rejected cell; `advice` ends the reason in the table, and is empty or begins with a semicolon."""
    text = None if cell is None or cell is np.nan or cell != cell else str(cell)
    return {"row": int(row), "column": column, "found": text, "reason": reason, "advice": advice}
