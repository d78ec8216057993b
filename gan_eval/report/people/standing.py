"""What was fixed before the data, and what was not: exclusions and margins in words."""

import pandas as pd

from gan_eval.report.parts.folder import StudyFolder
from gan_eval.report.parts.words import Record, missing, points_of

PRESET, EXPLORATORY, BY_RULE = "preset", "exploratory", "by rule"
BY = {
    PRESET: "by preset rules",
    EXPLORATORY: "by exploratory rules, not in the plan",
    BY_RULE: "by rule, no plan given",
}
"""After `left out`."""
_MARGINS = {PRESET: "planned margin", EXPLORATORY: "exploratory margin", BY_RULE: "margin"}


def of_exclusions(folder: StudyFolder, table: pd.DataFrame) -> pd.Series:
    """(N,) the standing of the rules behind each row of `participation`.

    From its column `standing`; where that is empty, from the rules that the study's plan has.
    """
    plan = None if folder.study is None else folder.study.analysis
    planned = set() if plan is None else {*plan.exclude, *plan.exclude_participants}

    def known(row: Record) -> str:
        if not missing(row.get("standing")):
            return str(row["standing"])
        if plan is None:
            return BY_RULE
        return PRESET if set(str(row["rule"]).split("; ")) <= planned else EXPLORATORY

    return pd.Series([known(row) for row in table.to_dict("records")], index=table.index, dtype="object")


def of_margin(row: Record) -> str:
    """The standing of the margin of a comparison, from its `exploratory` and `note`."""
    if not missing(row["note"]) and "margin is exploratory" in str(row["note"]):
        return EXPLORATORY
    return BY_RULE if missing(row["exploratory"]) else PRESET


def exploratory(row: Record) -> str:
    """A mark where the study's plan does not hold the row."""
    mark = row.get("exploratory")
    return " (exploratory)" if not missing(mark) and bool(mark) else ""


def the_margin(row: Record) -> str:
    """A comparison's margin with its standing: `the planned margin of 5 points`."""
    return f"the {_MARGINS[of_margin(row)]} of {points_of(row['margin'])}"
