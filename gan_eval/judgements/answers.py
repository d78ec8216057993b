"""Truths and answers that another program's table does not hold: kinds by names of pictures, responses by `correct`."""

import shlex

import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.mapping import PLACES
from gan_eval.judgements.names import kinds_by_name, names_a_kind
from gan_eval.judgements.trials import response_from_correct
from gan_eval.tables import TRIALS

TRUTH = {"true": True, "1": True, "false": False, "0": False}
"""Cells of a column of truth values."""


def with_kinds(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Add the column `kind` if it is absent and the names of the pictures have it (`kinds_by_name`).

    Returns:
        The frame, and a problem if the names have the words real and fake, but may mean something else.
    """
    if "kind" in frame or "stimulus" not in frame or {"stimulus_b", "choice", "rating"} & set(frame):
        return frame, []
    names = frame["stimulus"].dropna().unique()
    if (kinds := kinds_by_name(names)) is not None:
        return frame.assign(kind=frame["stimulus"].map(kinds).astype("str")), []
    if (name := names_a_kind(names)) is None:
        return frame, []
    return frame, [f"the names of the pictures, such as {name}, do not clearly say which are real: --map kind=COLUMN"]


def with_responses(frame: pd.DataFrame, *, where: str) -> tuple[pd.DataFrame, list[str]]:
    """Compute the responses that are absent or of unknown words from `kind` and `correct`; return a line that says so.

    A key may mean real for one participant and fake for the next; `correct` shows which.

    Args:
        frame: text in the words of the schema.

    Raises:
        UserError: an unknown word is never correct, and others are.
    """
    is_graded = "rating" in frame and "response" not in frame
    if not {"kind", "correct"} <= set(frame) or is_graded or any({*places} <= set(frame) for places in PLACES):
        return frame, []
    facts = frame[["kind"]].assign(correct=frame["correct"].map(TRUTH).astype("boolean"), reaction_time_ms=None)
    known_kind = facts["kind"].isin(TRIALS.by_name["kind"].words)
    if "response" not in frame:
        facts["reaction_time_ms"] = frame.get("reaction_time_ms")
        computed = known_kind
    else:
        computed = known_kind & facts["correct"].notna() & ~frame["response"].isin(TRIALS.by_name["response"].words)
    if not computed.any():
        return frame, []
    responses = response_from_correct(facts[computed])
    if "response" in frame:
        _refuse_words_of_no_answer(frame["response"][computed], facts["correct"][computed], where=where)
    given = frame.get("response", pd.Series(None, index=frame.index, dtype="str"))
    unanswered = int((responses == "none").sum())
    line = f"response follows from kind and correct in {len(responses)} rows"
    if "response" not in frame:
        line += (
            f", {unanswered} of them without an answer"
            if unanswered
            else ("; if some have no answer, name the column of keys with --map response=COLUMN")
        )
    return frame.assign(response=given.mask(computed, responses)), [line]


def _refuse_words_of_no_answer(words: pd.Series, correct: pd.Series, *, where: str) -> None:
    """Refuse a word that is never correct where others are, such as `timeout`, or a confidence."""
    is_right = correct.groupby(words).any()
    if (never := ~is_right).any() and is_right.any():
        word = str(never.index[never][0])
        raise UserError(
            f"{where}: response {word!r} is never correct, other words are; if it is no answer, add "
            f" --word {shlex.quote(f'response:{word}=none')}; else name its meaning: real or fake"
        )
