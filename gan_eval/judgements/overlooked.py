"""Columns of another program's table that are not what their names say in ours: pairs, sessions and blocks."""

import re
import shlex

import pandas as pd

from gan_eval.judgements.checks import CHECKS
from gan_eval.judgements.contradictions import Sources
from gan_eval.judgements.names import PICTURE_FILE
from gan_eval.judgements.rejections import MAX_WORDS

_COUNT = re.compile(
    r"(?i)(^|_| )(n|num|number|count|total|sum|mean|avg|average|rate|err|error|share|percent|pct)s?(_| |$)"
)
"""Names of counts and shares."""
_TIME_STAMP = r"\s*\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\D+\d{1,2}:\d{2}.*"


def pictures_of_pair(foreign: pd.DataFrame) -> list[str]:
    """Return the two columns in which most cells are files of pictures; none if there are not two."""
    is_file = {str(name): foreign[name].dropna().str.contains(PICTURE_FILE, regex=True) for name in foreign}
    found = [shlex.quote(name) for name, cells in is_file.items() if len(cells) and cells.mean() > 0.9]
    return found if len(found) == 2 else []


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


def counts_in(foreign: pd.DataFrame) -> list[str]:
    """Return the columns of numbers whose names say that they are counts or shares of several answers."""
    named = [str(name) for name in foreign if _COUNT.search(str(name))]
    return [name for name in named if pd.to_numeric(foreign[name].dropna(), errors="coerce").notna().all()]


def people_of_rows(frame: pd.DataFrame, row: pd.Series) -> tuple[pd.DataFrame, list[str]]:
    """Return a wide table whose participants are time stamps with another code where two rows have an equal one.

    Args:
        row: the row of the file of each row.
    """
    if "participant" not in frame or not frame["participant"].str.fullmatch(_TIME_STAMP).all():
        return frame, []
    people = pd.DataFrame({"participant": frame["participant"], "row": row.reindex(frame.index)}).drop_duplicates()
    again = people.groupby("participant").cumcount()
    if again.sum() < CHECKS["one_time_stamp"].threshold:
        return frame, []
    codes = people["participant"].where(again == 0, people["participant"] + " (" + (again + 1).astype("str") + ")")
    named = row.reindex(frame.index).map(dict(zip(people["row"], codes, strict=True)))
    line = CHECKS["one_time_stamp"].line(count=int((again > 0).sum()), example=codes[again > 0].iloc[0])
    return frame.assign(participant=named.astype("str")), [line]
