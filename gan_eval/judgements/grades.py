"""Grades from surely real to surely fake: answers with a confidence."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.judgements.contradictions import Sources
from gan_eval.judgements.mapping import GRADE
from gan_eval.judgements.words import graded

_RANGE = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*\.\.\s*(-?\d+(?:\.\d+)?)\s*")


def with_graded_answers(
    frame: pd.DataFrame, sources: Sources, scale: str | None, meanings: Mapping[str, str], *, where: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return the answer and the confidence that each grade stands for, and a line.

    A grade nearer to the first number of the scale is the answer real, one nearer to the last is fake, the middle is
    none. The confidence is the distance from the middle, in steps from 1.

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
            f"or '{word}=none' if it is no answer"
        )
    towards_fake = (grades - (real + fake) / 2) * np.sign(fake - real)
    answers = np.select([towards_fake < 0, towards_fake > 0], ["real", "fake"], "none")
    confidence = pd.Series(np.ceil(np.abs(towards_fake)), frame.index)
    texts = confidence.where(answers != "none").map("{:.0f}".format, na_action="ignore").astype("str")
    line = f"grades {real:g} (surely real) to {fake:g} (surely fake) are answers with a confidence from 1"
    if middle := int((towards_fake == 0).sum()):
        line += f"; {middle} in the middle are no answer"
    return frame.assign(response=pd.Series(answers, frame.index, dtype="str"), confidence=texts), [*lines, line]
