"""Rules on the outcome: they choose the answer beforehand, so trials are not left out by them, and people only beside
the answer, in a sensitivity row."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.compare.comparisons import comparisons
from gan_eval.stats.compare.questions import TOLD_APART, TOLD_APART_IN_PAIRS
from gan_eval.stats.exclusions import Rule, is_right, parse_rule
from gan_eval.tables import COMPARISONS, TRIALS
from gan_eval.tabular import conform

OF_TRIALS = ("kind", "response", "choice", "rating", "correct", "confidence")
"""What was answered, how surely, and what was true."""
OF_PARTICIPANTS = ("accuracy",)
"""Columns of the table `participation` that hold what the study asks for."""
SENSITIVITY = "sensitivity: without"
"""In the name of a comparison, before the rule."""
_UNANSWERED = ("response", "choice")
_LEAST = 8
"""Trials on which a further column that copies an outcome is recognised as such."""
_INSTEAD = "leave trials out by reaction_time_ms, flags or response=none, and people by catch_accuracy or n_answered"


def refuse_outcome_rules(rules: Sequence[str], trials: pd.DataFrame, *, where: str) -> None:
    """Rules on single trials may not speak of their outcome; time-outs (`response=none`) are none.

    Args:
        rules: on the table `trials`.
        trials: the table; further columns that copy an outcome under another name are outcomes too.
        where: what an error names.

    Raises:
        UserError: a rule is on the outcome, or is not understood.
    """
    for text in rules:
        rule = parse_rule(text)
        if outcome := _outcome(rule, trials):
            copied = "" if outcome == rule.column else f", which says what {outcome} says"
            raise UserError(
                f"{where}: rule {text}: on the outcome ({rule.column}{copied}), so it would decide the answer; "
                f"{_INSTEAD}"
            )


def is_on_outcome(rule: str) -> bool:
    """Whether a rule on the table `participation` speaks of the outcome.

    >>> is_on_outcome("accuracy<0.6"), is_on_outcome("catch_accuracy<0.8")
    (True, False)
    """
    return parse_rule(rule).column in OF_PARTICIPANTS


def _outcome(rule: Rule, trials: pd.DataFrame) -> str:
    """The outcome that a rule is on; empty: none."""
    if rule.column in OF_TRIALS:
        unanswered = rule.column in _UNANSWERED and (rule.operator, rule.value) == ("=", "none")
        return "" if unanswered else rule.column
    if rule.column in TRIALS.by_name or rule.column not in trials:
        return ""
    main = trials[(trials["phase"] == "main").to_numpy(bool)]
    cells = main[rule.column].astype("object")
    outcomes = {**{name: main[name] for name in OF_TRIALS}, "correct": is_right(main)}
    return next((name for name, outcome in outcomes.items() if _copies(cells, outcome.astype("object"))), "")


def _copies(cells: pd.Series, outcome: pd.Series) -> bool:
    """Whether each of two or more values stands for one value of the outcome, and the other way round."""
    both = pd.DataFrame({"cell": cells, "outcome": outcome.where(outcome != "none")}).dropna()
    if len(both) < _LEAST or both["outcome"].nunique() < 2:
        return False
    distinct = both.astype("str").drop_duplicates()
    return len(distinct) == distinct["cell"].nunique() == distinct["outcome"].nunique()


class Sensitivity(NamedTuple):
    """What rules on people's outcome would change."""

    rows: pd.DataFrame
    """Of the table `comparisons`."""
    note: str
    """For each rule, how many people fulfil it; empty: there are no such rules."""


def sensitivity(
    kept: pd.DataFrame, people: pd.DataFrame, rules: Sequence[str], *, plan: AnalysisSettings
) -> Sensitivity:
    """Whether real and generated pictures were told apart, without the people that each rule names.

    Args:
        kept: the trials that are analysed.
        people: the table `participation`.
        rules: on the outcome.
        plan: of the study.

    Raises:
        UserError: a rule is not understood.
    """
    found, notes = [], []
    there = people[people["participant"].isin(kept["participant"])]
    for text in rules:
        named = there.loc[np.asarray(parse_rule(text).holds(there, where="participation"), bool), "participant"]
        said = (
            f"{len(named)} of {len(there)} participants fulfil {text}, a rule on the outcome: nobody is left out by it"
        )
        if 0 < len(named) < len(there):
            said += ", a sensitivity row of comparisons says what it would change"
            without = (
                f"without {len(named)} of {len(there)} participants ({text}), a rule on the outcome: not the answer"
            )
            found.append(_rows(kept[~kept["participant"].isin(named)], text, f"sensitivity, {without}", plan))
        notes.append(said)
    empty = conform(pd.DataFrame(columns=list(COMPARISONS.names)), COMPARISONS, where="comparisons")
    return Sensitivity(pd.concat(found, ignore_index=True) if found else empty, "; ".join(notes))


def _rows(kept: pd.DataFrame, rule: str, words: str, plan: AnalysisSettings) -> pd.DataFrame:
    """The comparisons over all data sets, as no verdict."""
    table = comparisons(
        kept.reset_index(drop=True), plan=plan.model_copy(update={"comparisons": (), "noninferior": ()})
    )
    table = table[table["comparison"].isin([TOLD_APART, TOLD_APART_IN_PAIRS])]
    table = table.assign(
        comparison=[f"{name}, {SENSITIVITY} {rule}" for name in table["comparison"]],
        p_holm=np.nan,
        verdict=None,
        exploratory=True,
        note=[words if pd.isna(note) else f"{words}; {note}" for note in table["note"]],
    )
    return conform(table, COMPARISONS, where="comparisons")
