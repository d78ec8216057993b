"""Participants, sessions and blocks of another program's rows, where they are not as in ours."""

import re

import pandas as pd

from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.contradictions import Sources
from gan_eval.judgements.rejections import MAX_WORDS

_TIME_STAMP = r"\s*\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\D+\d{1,2}:\d{2}.*"


def with_own_sessions(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Name sessions after their participant where a column numbers them: 1 or `day1` of each person; and say so."""
    if not {"session", "participant"} <= set(frame):
        return frame, []
    people = frame.groupby("session")["participant"].nunique()
    if people.empty or (people < 2).any() or len(people) >= frame["participant"].nunique():
        return frame, []
    named = ", ".join(map(str, people.index[:MAX_WORDS]))
    own = (frame["participant"] + "-" + frame["session"]).where(frame["session"].notna(), frame["session"])
    line = f"session is {named} for several participants: read as a session of each, such as {own.dropna().iloc[0]}"
    return frame.assign(session=own), [line]


def without_named_blocks(frame: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """Leave out a column `block` that was not asked for and has words, such as practice and main, not numbers."""
    if "block" not in frame or "block" in sources:
        return frame
    words = frame["block"].dropna().unique()
    has_number = any(re.fullmatch(r"\s*\d+(\.0+)?\s*", word) for word in words)
    return frame if has_number or not len(words) else frame.drop(columns="block")


def people_of_rows(frame: pd.DataFrame, numbers: pd.DataFrame | None) -> tuple[pd.DataFrame, list[str]]:
    """Return a wide table whose participants are time stamps with another code where two rows have an equal one.

    Args:
        numbers: for each row the row of the file (`Foreign.numbers`); None: the table is not wide.
    """
    if numbers is None or "participant" not in frame or not frame["participant"].str.fullmatch(_TIME_STAMP).all():
        return frame, []
    people = frame[["participant"]].assign(row=numbers["row"]).drop_duplicates()
    again = people.groupby("participant").cumcount()
    if again.sum() < CHECKS["one_time_stamp"].threshold:
        return frame, []
    codes = people["participant"].where(again == 0, people["participant"] + " (" + (again + 1).astype("str") + ")")
    named = numbers["row"].reindex(frame.index).map(dict(zip(people["row"], codes, strict=True)))
    line = CHECKS["one_time_stamp"].line(count=int((again > 0).sum()), example=codes[again > 0].iloc[0])
    return frame.assign(participant=named.astype("str")), [line]
