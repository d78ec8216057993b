"""Rows of another program's table that are left out, each with the reason."""

import re
import shlex
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from gan_eval.stats.trials import REQUIRED, misnamed, model_problem, sessions_of
from gan_eval.tables import TRIALS
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
"""Maximum number of unknown words of a column, or of reasons for rejecting rows, that a message names."""


def rejections_of(frame: pd.DataFrame) -> list[Row]:
    """Return a rejection for each cell that does not fit: words, empty cells, repeated trials."""
    rejected = []
    for row, column, reason in faults(frame, TRIALS):
        cell = frame[column].iloc[row]
        if reason == EMPTY:
            rejected.append(rejection(frame.index[row], column, reason, cell))
            continue
        if column in (*ENUMERATIONS, "choice", "correct"):
            means = f"if it means one of them, add --word {shlex.quote(f'{column}:{cell}')}=MEANING"
            is_correctness = column == "response" and cell in TRUTH_WORDS | CORRECT_WORDS
            reason += f"; {IF_CORRECTNESS if is_correctness else means}"
        reason += if_missing(column, cell)
        if column == "rating":
            reason += f"; give its number with --word {shlex.quote(f'rating:{cell}')}=NUMBER"
        rejected.append(rejection(frame.index[row], column, reason, cell))
    rejected += [
        rejection(row, "model", model_problem(model), model)
        for row, model in frame[misnamed(frame)].get("model", pd.Series(dtype="str")).items()
    ]
    filled = {column.name for column in TRIALS.columns if column.filled}
    for name in sorted(set(REQUIRED) & set(frame) - {"response"} - filled):
        rejected += [rejection(row, name, EMPTY) for row in frame.index[frame[name].isna()]]
    if "trial" in frame:
        keyed, key = frame.assign(session=sessions_of(frame)), ["session", "trial"]
        again = keyed[keyed.duplicated(key) & keyed[key].notna().all(axis=1)]
        rejected += [
            rejection(
                row, "trial", f"session {session} has a trial {trial} already; --map trial= numbers the rows", trial
            )
            for row, session, trial in zip(again.index, again["session"], again["trial"], strict=True)
        ]
    first: dict[tuple[object, object], Row] = {}  # one rejection for each cell
    for each in rejected:
        first.setdefault((each["row"], each["column"]), each)
    return list(first.values())


def rejection_summary(rejected: pd.DataFrame) -> str:
    """Return the most common reasons for rejecting rows, with the number of cells.

    >>> reason = "found 'x', expected one of real, fake"
    >>> rejection_summary(pd.DataFrame([rejection(row, "kind", reason) for row in (3, 4)]))
    '2 kind (expected one of real, fake)'
    """
    columns = rejected["column"].replace(WHOLE_ROW, "row")
    cells = zip(columns, rejected["reason"].str.replace("^found .*?, (?=expected )", "", regex=True), strict=True)
    counts = Counter(f"{column} ({reason.partition(';')[0]})" for column, reason in cells)
    more = f" and {len(counts) - MAX_WORDS} other reasons" if len(counts) > MAX_WORDS else ""
    return ", ".join(f"{count} {what}" for what, count in counts.most_common(MAX_WORDS)) + more


def listed_words(column: str, name: str, counts: pd.Series) -> str:
    """Return the part of a message that names unknown words of a column, with the number of cells."""
    listed = ", ".join(f"{word} {count}" for word, count in counts.head(MAX_WORDS).items())
    more = f" and {len(counts) - MAX_WORDS} others" if len(counts) > MAX_WORDS else ""
    return f"not known in {column}{'' if column == name else f' ({name})'}: {listed}{more}"


def if_missing(column: str, cell: object) -> str:
    """Return the option for a word in a column of times that may mean a missing one; nothing for other cells."""
    if not column.endswith("_ms") or re.search(r"\d", str(cell)):
        return ""
    return f"; if it means that there is none, add --word {shlex.quote(f'{column}:{cell}')}="


def rejection(row: Any, column: str, reason: str, cell: object = None) -> Row:
    text = None if cell is None or cell is np.nan or cell != cell else str(cell)
    return {"row": int(row), "column": column, "found": text, "reason": reason}
