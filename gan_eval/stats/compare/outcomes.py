"""Rules on the outcome. They would decide the answer, so they leave no trials out; rules on people add sensitivity rows
to `comparisons`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.compare.comparisons import COMPARISONS, comparisons
from gan_eval.stats.compare.questions import TOLD_APART, TOLD_APART_IN_PAIRS
from gan_eval.stats.exclusions import is_right, parse_rule
from gan_eval.stats.trials import OUTCOMES
from gan_eval.tables import TRIALS
from gan_eval.tables.frames import conform

OF_PARTICIPANTS = ("accuracy",)
"""Columns of the table `participation` that hold the outcome."""
SENSITIVITY = "sensitivity: without"
"""Part of a comparison's name, before the rule."""
_LEAST = 8
"""Minimum number of trials on which a column is recognised as a copy of an outcome."""


def refuse_outcome_rules(rules: Sequence[str], trials: pd.DataFrame, *, where: str) -> None:
    """Refuse rules on trials that use their outcome; time-outs (`response=none`) are allowed.

    Args:
        rules: on the table `trials`.
        trials: the table; further columns that copy an outcome under another name are outcomes too.
        where: what an error names.

    Raises:
        UserError: a rule is on the outcome, or is not understood.
    """
    for text in rules:
        rule = parse_rule(text)
        if rule.column in ("response", "choice") and (rule.operator, rule.value) == ("=", "none"):
            continue
        outcome = rule.column if rule.column in OUTCOMES else _copied_outcome(rule.column, trials)
        if outcome:
            copied = "" if outcome == rule.column else f", which says what {outcome} says"
            raise UserError(
                f"{where}: rule {text}: on the outcome ({rule.column}{copied}), so it would decide the answer; leave "
                "trials out by reaction_time_ms, flags or response=none, and people by catch_accuracy or n_answered"
            )


def _copied_outcome(column: str, trials: pd.DataFrame) -> str:
    """The outcome that a further column copies: each of two or more values in the main trials stands for one value of
    the outcome, and the other way round. Empty: none."""
    if column in TRIALS.by_name or column not in trials:
        return ""
    main = trials[(trials["phase"] == "main").to_numpy(bool)]
    for name in OUTCOMES:
        outcome = (is_right(main) if name == "correct" else main[name]).astype("object")
        cells = main[column].astype("object")
        both = pd.DataFrame({"cell": cells, "outcome": outcome.where(outcome != "none")}).dropna()
        if len(both) >= _LEAST and both["outcome"].nunique() > 1:
            distinct = both.astype("str").drop_duplicates()
            if len(distinct) == distinct["cell"].nunique() == distinct["outcome"].nunique():
                return name
    return ""


def is_on_outcome(rule: str) -> bool:
    """Return whether a rule on the table `participation` uses the outcome.

    >>> is_on_outcome("accuracy<0.6"), is_on_outcome("catch_accuracy<0.8")
    (True, False)
    """
    return parse_rule(rule).column in OF_PARTICIPANTS


def sensitivity(
    trials: pd.DataFrame, participation: pd.DataFrame, rules: Sequence[str], *, plan: AnalysisSettings
) -> tuple[pd.DataFrame, str]:
    """Repeat the comparisons over all data sets without the people that each rule names; no verdict.

    Args:
        trials: those that are analysed.
        participation: the table `participation`.
        rules: on the outcome.
        plan: of the study.

    Returns:
        rows of the table `comparisons`, and a note on the people who fulfil each rule; both empty without rules.

    Raises:
        UserError: a rule is not understood.
    """
    tables, notes = [], []
    present = participation[participation["participant"].isin(trials["participant"].unique())]
    everything = plan.model_copy(update={"comparisons": (), "noninferior": ()})
    for rule in rules:
        named = present.loc[np.asarray(parse_rule(rule).holds(present, where="participation"), bool), "participant"]
        of_people = f"{len(named)} of {len(present)} participants"
        note = f"{of_people} fulfil {rule}, a rule on the outcome: nobody is left out by it"
        if 0 < len(named) < len(present):
            note += ", a sensitivity row of comparisons says what it would change"
            of_row = f"sensitivity, without {of_people} ({rule}), a rule on the outcome: not the answer"
            rest = trials[~trials["participant"].isin(named)].reset_index(drop=True)
            table = comparisons(rest, plan=everything)
            table = table[table["comparison"].isin([TOLD_APART, TOLD_APART_IN_PAIRS])]
            tables.append(
                table.assign(
                    comparison=[f"{name}, {SENSITIVITY} {rule}" for name in table["comparison"]],
                    p_holm=np.nan,
                    verdict=None,
                    exploratory=True,
                    note=[f"{of_row}; {own}" if own else of_row for own in table["note"].fillna("")],
                )
            )
        notes.append(note)
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COMPARISONS.names))
    return conform(rows, COMPARISONS, where="comparisons"), "; ".join(notes)
