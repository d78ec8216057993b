"""What preset rules, and rules beyond the plan, leave out, and the words for it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.stats.exclusions import participation
from gan_eval.stats.rules import parse_rule

PLANNED = "analysis.exclude"
"""What an error names where the rule is the plan's."""


class Rules(NamedTuple):
    """Rules of one standing."""

    trials: Sequence[str] = ()
    participants: Sequence[str] = ()


class Kept(NamedTuple):
    """What is left to analyse."""

    trials: pd.DataFrame
    participation: pd.DataFrame
    note: str
    """What was left out by which rule; empty where there are no rules."""
    beyond: int
    """Main trials that only rules beyond the plan leave out."""


def leave_out(
    whole: pd.DataFrame, sessions: pd.DataFrame | None, preset: Rules, beyond: Rules, *, planned: bool = True
) -> Kept:
    """The trials that fulfil no rule, of participants who fulfil none; every rule is asked of the whole table.

    Args:
        whole: the table `trials`.
        sessions: the table `sessions`.
        preset: rules of the plan.
        beyond: rules that the plan does not have; what they leave out is said to be exploratory.
        planned: there is a plan; without one the participants' `standing` is empty, and no rule is called preset.

    Raises:
        UserError: a rule is not understood.
    """
    places = {
        **dict.fromkeys(beyond.trials, "trials"),
        **dict.fromkeys(preset.trials, PLANNED if planned else "trials"),
    }
    masks = {rule: parse_rule(rule).holds(whole, where=places[rule]) for rule in (*preset.trials, *beyond.trials)}
    people = participation(
        whole,
        sessions=sessions,
        rules=[*preset.participants, *beyond.participants],
        planned=preset.participants if planned else (),
        excluded_trials=masks,
    )
    main = (whole["phase"] == "main").to_numpy(bool)
    by_plan, by_both = (
        _dropped(whole, people, masks, rules)
        for rules in (preset, Rules((*preset.trials, *beyond.trials), (*preset.participants, *beyond.participants)))
    )
    only_beyond = by_both & ~by_plan
    if planned:
        people = people.assign(standing=_standing(people, preset, beyond, set(whole.loc[only_beyond, "participant"])))
    note = "; ".join(
        filter(
            None,
            [
                _words(rules, masks, people, whole, standing)
                for rules, standing in (
                    (preset, "preset rules" if planned else "rule, no plan given"),
                    (beyond, "exploratory rules, not in the plan"),
                )
            ],
        )
    )
    return Kept(whole[~by_both].reset_index(drop=True), people, note, int((only_beyond & main).sum()))


def _dropped(whole: pd.DataFrame, people: pd.DataFrame, masks: Mapping[str, np.ndarray], rules: Rules) -> np.ndarray:
    """(N,) bool: the trials that these rules leave out."""
    out = people.loc[_named_by_any(people, rules.participants), "participant"]
    return np.any([whole["participant"].isin(out).to_numpy(bool), *(masks[rule] for rule in rules.trials)], axis=0)


def _standing(people: pd.DataFrame, preset: Rules, beyond: Rules, losing_more: set[str]) -> pd.Series:
    """Each participant's `standing`; `losing_more` are those whose trials rules beyond the plan alone leave out."""
    unplanned = _named_by_any(people, beyond.participants) & ~_named_by_any(people, preset.participants)
    exploratory = unplanned | people["participant"].isin(losing_more).to_numpy(bool)
    left_out = people["rule"].notna().to_numpy(bool)
    words = np.select([exploratory, left_out], ["exploratory", "preset"], default="")
    return pd.Series(words, index=people.index, dtype=people["rule"].dtype).replace("", None)


def _named_by_any(people: pd.DataFrame, rules: Sequence[str]) -> np.ndarray:
    return np.any([np.zeros(len(people), bool), *(_named(people, rule) for rule in rules)], axis=0)


def _words(
    rules: Rules, masks: Mapping[str, np.ndarray], people: pd.DataFrame, whole: pd.DataFrame, standing: str
) -> str:
    """How many trials and participants these rules leave out, each counted alone.

    >>> _words(Rules(), {}, pd.DataFrame(), pd.DataFrame(), "preset rules")
    ''
    """
    said = []
    if rules.trials:
        dropped = np.any([masks[rule] for rule in rules.trials], axis=0).sum()
        each = ", ".join(f"{rule}: {masks[rule].sum()}" for rule in rules.trials)
        said.append(f"{dropped} of {len(whole)} trials excluded by {standing} ({each})")
    if rules.participants:
        named = {rule: _named(people, rule) for rule in rules.participants}
        dropped = np.any([*named.values()], axis=0).sum()
        each = ", ".join(f"{rule}: {rows.sum()}" for rule, rows in named.items())
        said.append(f"{dropped} of {len(people)} participants excluded by {standing} ({each})")
    return "; ".join(said)


def _named(people: pd.DataFrame, rule: str) -> np.ndarray:
    return np.asarray(parse_rule(rule).holds(people, where="participation"), bool)
