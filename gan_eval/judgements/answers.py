"""Answers that a table does not hold as such: kinds by names of pictures, responses by `correct`, grades, counts."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.limits import require_small
from gan_eval.judgements.contradictions import Source, Sources
from gan_eval.judgements.mapping import COUNT, COUNT_CORRECT, GRADE, PLACES
from gan_eval.judgements.names import kinds_by_name, names_a_kind
from gan_eval.judgements.reading import Foreign, Labels
from gan_eval.judgements.trials import response_from_correct
from gan_eval.judgements.words import TRUTH, graded
from gan_eval.tables import TRIALS
from gan_eval.tables.names import NOT_KNOWN

_RANGE = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*\.\.\s*(-?\d+(?:\.\d+)?)\s*")
"""A scale of grades: 1..7."""
_ANSWER = 1000
"""Number of bytes of an answer in memory."""


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
    computed = facts["kind"].isin(TRIALS.by_name["kind"].words)
    if "response" in frame:
        computed &= facts["correct"].notna() & ~frame["response"].isin(TRIALS.by_name["response"].words)
        _refuse_words_of_no_answer(frame["response"], facts["correct"], computed, where=where)
    else:
        facts["reaction_time_ms"] = frame.get("reaction_time_ms")
    if not computed.any():
        return frame, []
    responses = response_from_correct(facts[computed])
    line = f"response follows from kind and correct in {len(responses)} rows"
    if "response" not in frame:
        unanswered = int((responses == "none").sum())
        hint = "; if some have no answer, name the column of keys with --map response=COLUMN"
        line += f", {unanswered} of them without an answer" if unanswered else hint
    given = frame.get("response", pd.Series(None, index=frame.index, dtype="str"))
    return frame.assign(response=given.mask(computed, responses)), [line]


def _refuse_words_of_no_answer(words: pd.Series, correct: pd.Series, unknown: pd.Series, *, where: str) -> None:
    """Refuse an unknown word that is never correct where others are, such as `timeout`, or a confidence."""
    is_right = correct.groupby(words).any()
    never = sorted({*words[unknown]} - {*is_right.index[is_right]})
    if never and is_right.any():
        word = never[0]
        raise UserError(
            f"{where}: response {word!r} is never correct, other words are; if it is not an answer, add "
            f" --word {shlex.quote(f'response:{word}=none')}; else name its meaning: real or fake"
        )


def with_graded_answers(
    frame: pd.DataFrame, sources: Sources, scale: str | None, meanings: Mapping[str, str], *, where: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return the answer and the confidence that each grade stands for, and a line.

    A grade nearer to the first number of the scale is the answer real, one nearer to the last is fake, the middle is
    none. The confidence is the distance from the middle, of whole grades in steps from 1.

    Args:
        scale: such as `1..7`: the numbers of surely real and of surely fake.
        meanings: the numbers (none, empty: no answer) of the file's words.

    Raises:
        UserError: column or scale is missing, or a grade is not a number of the scale.
    """
    if not sources.get(GRADE):
        if scale is not None:
            raise UserError(f"{where}: --grade {scale}: nothing says where the grades are; add --map {GRADE}=COLUMN")
        return frame, []
    if scale is None or not (found := _RANGE.fullmatch(scale)) or float(found[1]) == float(found[2]):
        raise UserError(
            f"{where}: --map {GRADE}: expected --grade 1..7 (1 is surely real, 7 surely fake) or 7..1; found {scale}"
        )
    real, fake = float(found[1]), float(found[2])
    read = {word.strip().lower(): "" if meaning == "none" else meaning for word, meaning in meanings.items()}
    cells, lines = graded(frame[[GRADE]].set_axis(["rating"], axis="columns"), {"rating": meanings})
    plain = cells["rating"].str.strip().str.lower()
    numbers = plain.replace(read).replace("", None)
    grades = pd.to_numeric(numbers, errors="coerce").to_numpy("float64", na_value=np.nan)
    outside = numbers.notna().to_numpy() & ~((grades >= min(real, fake)) & (grades <= max(real, fake)))
    if outside.any():
        counts = frame[GRADE][outside].value_counts()
        named = ", ".join(f"{word} ({count})" for word, count in counts.head(4).items())
        word = f"{GRADE}:{counts.index[0]}"
        raise UserError(
            f"{where}: {GRADE}: found {named}, expected numbers from {real:g} to {fake:g}; add --word '{word}=NUMBER', "
            f"or '{word}=none' if it is not an answer"
        )
    towards_fake = (grades - (real + fake) / 2) * np.sign(fake - real)
    answers = np.select([towards_fake < 0, towards_fake > 0], ["real", "fake"], "none")
    has_fractions = bool((grades[~np.isnan(grades)] % 1).any())
    distance = np.abs(towards_fake)
    confidence = pd.Series(distance if has_fractions else np.ceil(distance), frame.index)
    texts = confidence.where(answers != "none").map("{:g}".format, na_action="ignore").astype("str")
    steps = "the distance from the middle as their confidence" if has_fractions else "a confidence from 1"
    line = f"grades {real:g} (surely real) to {fake:g} (surely fake) are answers with {steps}"
    if middle := int((towards_fake == 0).sum()):
        line += f"; {middle} in the middle are no answer"
    return frame.assign(response=pd.Series(answers, frame.index, dtype="str"), confidence=texts), [*lines, line]


def with_counted_answers(foreign: Foreign, sources: Sources, *, where: str) -> tuple[Foreign, Sources, list[str]]:
    """Return a row for each answer that `count` counts, the sources of its columns, and a line.

    With `count_correct`, that many of them are correct. Where nothing names the participant, all answers are of the
    one participant `NOT_KNOWN`: the statistics then have intervals over pictures only.

    Raises:
        UserError: a cell is not a count, or more answers are correct than there are.
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
        number = np.arange(total.sum()) - np.repeat(np.cumsum(total) - total, total)
        is_correct = number < np.repeat(of[COUNT_CORRECT], total)
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
