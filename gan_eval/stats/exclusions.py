"""Who took part, how, and who is left out by a preset rule.

Rules in plain text that choose rows: `reaction_time_ms<200`, `flags~late`, `passed_check=True`.

A rule is one comparison of a column with a value; nothing is evaluated as a program.

What preset rules, and rules beyond the plan, leave out, and the words for it.
"""

import difflib
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from gan_eval.errors import UserError
from gan_eval.settings.analysis import rule_parts
from gan_eval.stats.shares import share
from gan_eval.stats.trials import possible_times
from gan_eval.tables import PARTICIPATION
from gan_eval.tabular import conform

_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Rule:
    """One comparison: `column operator value`."""

    column: str
    operator: str
    """`<`, `<=`, `>`, `>=` for numbers; `=`, `!=` for anything; `~`: the cell holds the word.

    `=` compares numbers where the column is numbers, else text: the participants 7 and 007 are two."""
    value: str

    def holds(self, frame: pd.DataFrame, *, where: str) -> np.ndarray:
        """(N,) bool: the rows in which the rule holds. An empty cell fulfils no rule.

        Raises:
            UserError: the frame has no such column, or an order is asked of a column that is not numbers.
        """
        cells = frame[column_named(self.column, frame, where=where)]
        if self.operator in _ORDER:
            return self._ordered(cells, where)
        as_cell = _number if is_numeric_dtype(cells.dtype) else _word  # numpy and pandas count truth as numeric
        text = cells.astype("object").map(as_cell, na_action="ignore")
        wanted = as_cell(self.value)
        if self.operator == "~":
            return np.array([wanted in str(cell).split() for cell in text.where(text.notna(), "")], bool)
        equal = (text == wanted).to_numpy(bool)
        return equal if self.operator == "=" else ~equal & cells.notna().to_numpy(bool)

    def _ordered(self, cells: pd.Series, where: str) -> np.ndarray:
        try:
            limit = float(self.value)
            numbers = pd.to_numeric(cells).to_numpy("float64", na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"{where}: rule {self.column}{self.operator}{self.value}: {self.operator} compares numbers ({error})"
            ) from error
        return np.asarray(_ORDER[self.operator](numbers, limit), bool)


def parse_rule(text: str) -> Rule:
    """A rule from its text.

    Raises:
        UserError: it is not `COLUMN<NUMBER` or `COLUMN=VALUE` with one of < <= > >= = != ~.

    >>> parse_rule("reaction_time_ms<200")
    Rule(column='reaction_time_ms', operator='<', value='200')
    """
    try:
        return Rule(*rule_parts(text))
    except ValueError as error:
        raise UserError(str(error)) from error


def holding(frame: pd.DataFrame, rules: Sequence[str], *, where: str) -> np.ndarray:
    """(N,) bool: the rows that fulfil every rule."""
    chosen = np.ones(len(frame), bool)
    for rule in map(parse_rule, rules):
        chosen &= rule.holds(frame, where=where)
    return chosen


def exclude(frame: pd.DataFrame, rules: Sequence[str], *, where: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that fulfil none of the rules, and for each rule how many rows it named."""
    named = {rule: parse_rule(rule).holds(frame, where=where) for rule in rules}
    dropped = np.zeros(len(frame), bool)
    for rows in named.values():
        dropped |= rows
    return frame[~dropped].reset_index(drop=True), {rule: int(rows.sum()) for rule, rows in named.items()}


def column_named(name: str, frame: pd.DataFrame, *, where: str) -> str:
    """`name` itself when the frame has that column.

    Raises:
        UserError: it has not; the nearest name is given.
    """
    if name in frame.columns:
        return name
    near = difflib.get_close_matches(name, [str(column) for column in frame.columns], n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(map(str, frame.columns))}"
    raise UserError(f"{where}: no column {name!r}; {hint}")


def _word(cell: Any) -> str:
    """A cell of text as a rule compares it: truth in lower case, all else as it stands."""
    text = str(cell).strip()
    return text.lower() if text.lower() in ("true", "false") else text


def _number(cell: Any) -> str:
    """A number as a rule compares it, without needless digits; truth is a word."""
    try:
        return repr(float(str(cell)))
    except ValueError:
        return _word(cell)


WHERE = "participation"
PLANNED = "analysis.exclude_participants"
"""What an error names where the rule is the plan's."""


def participation(
    trials: pd.DataFrame,
    *,
    sessions: pd.DataFrame | None = None,
    rules: Sequence[str] = (),
    planned: Collection[str] = (),
    excluded_trials: Mapping[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """The table `participation`: one row a participant, in sorted order.

    Args:
        trials: the table `trials`, nothing excluded.
        sessions: the table `sessions`; it tells of sessions without a trial and how each ended.
        rules: such as `catch_accuracy<0.8`, on the columns of this table; a participant who fulfils any is left out.
            An empty cell fulfils no rule.
        planned: those of them that the plan has.
        excluded_trials: for each rule on trials, the trials (N,) bool that it leaves out.

    Raises:
        UserError: a rule is not understood, or names a column that the table does not have.
    """
    measured = _measured(trials, sessions)
    left_out = {rule: parse_rule(rule).holds(measured, where=PLANNED if rule in planned else WHERE) for rule in rules}
    excluded = np.any([np.zeros(len(measured), bool), *left_out.values()], axis=0)
    of_trials = {
        rule: _count(trials, _is_main(trials) & mask, measured["participant"])
        for rule, mask in (excluded_trials or {}).items()
    }
    any_rule = np.any([np.zeros(len(trials), bool), *(excluded_trials or {}).values()], axis=0)
    dropped = _count(trials, _is_main(trials) & any_rule, measured["participant"])
    named = [
        "; ".join(rule for rule, rows in (*left_out.items(), *of_trials.items()) if rows[position])
        for position in range(len(measured))
    ]
    table = measured.assign(
        excluded=excluded,
        n_excluded=np.where(excluded, measured["n_trials"], dropped).astype(int),
        rule=pd.Series(named, index=measured.index, dtype="object").replace("", None),
    )
    return conform(table, PARTICIPATION, where=WHERE)


def _measured(trials: pd.DataFrame, sessions: pd.DataFrame | None) -> pd.DataFrame:
    """All columns but those of exclusion."""
    sittings = trials[["participant", "session", "simulated"]].drop_duplicates(["participant", "session"])
    if sessions is not None:
        sittings = pd.concat([sessions[["participant", "session", "simulated"]], sittings])
        sittings = sittings.drop_duplicates(["participant", "session"])
    who = pd.Series(sorted(sittings["participant"].dropna().unique()), dtype="object")
    answer, right = _answers(trials), is_right(trials)
    given = answer.notna().to_numpy(bool)
    main, catch = _is_main(trials), (trials["phase"] == "catch").to_numpy(bool)
    graded = right.notna().to_numpy(bool)
    correct = right.fillna(False).to_numpy(bool)
    flagged = trials["flags"].fillna("").str.strip().ne("").to_numpy(bool)

    def count(chosen: np.ndarray) -> np.ndarray:
        return _count(trials, chosen, who)

    def per_person(values: pd.Series) -> np.ndarray:
        return who.map(values).to_numpy("float64", na_value=np.nan)

    times = trials["reaction_time_ms"].where(main & given & possible_times(trials))
    commonest = pd.DataFrame({"who": trials["participant"], "answer": answer})[main & given].value_counts()
    mixed = sittings.groupby("participant")["simulated"].nunique()
    n_catch = count(catch & given)
    fractions = trials.groupby("participant")["fraction"].agg(["min", "max"]).reindex(who).reset_index(drop=True)
    return pd.DataFrame(
        {
            "participant": who,
            "sessions": who.map(sittings.groupby("participant").size()),
            "status": who.map(_last_status(sessions)),
            "n_trials": count(main),
            "n_answered": count(main & given),
            "n_catch": n_catch,
            "catch_accuracy": share(count(catch & given & graded & correct), count(catch & given & graded)),
            "accuracy": share(count(main & given & graded & correct), count(main & given & graded)),
            "same_answer_share": share(per_person(commonest.groupby("who").max()), count(main & given)),
            "median_reaction_time_ms": per_person(times.groupby(trials["participant"]).median()),
            "flagged_share": share(count(main & flagged), count(main)),
            "fraction": np.where(fractions["min"] == fractions["max"], fractions["min"], np.nan),
            "simulated": who.map(sittings.groupby("participant")["simulated"].any()),
            "note": who.map(
                lambda name: "a person and a simulated participant of one name" if mixed[name] > 1 else None
            ),
        }
    )


def _count(trials: pd.DataFrame, chosen: np.ndarray, who: pd.Series) -> np.ndarray:
    """How many of the chosen trials each participant has."""
    counts = trials["participant"][np.asarray(chosen, bool)].value_counts()
    return np.asarray(who.map(counts).fillna(0).to_numpy(int))


def _is_main(trials: pd.DataFrame) -> np.ndarray:
    return (trials["phase"] == "main").to_numpy(bool)


def _answers(trials: pd.DataFrame) -> pd.Series:
    """The judgement of any protocol's kind as text; missing where there is none."""
    response, choice = (trials[name].astype("object").where(trials[name] != "none") for name in ("response", "choice"))
    grade = trials["rating"].astype("object").where(trials["rating"].notna())
    return response.where(response.notna(), choice.where(choice.notna(), grade)).map(str, na_action="ignore")


def is_right(trials: pd.DataFrame) -> pd.Series:
    """From kind and answer where both are known, else the column `correct`."""
    judged = trials["kind"].notna() & trials["response"].isin(["real", "fake"])
    agrees = (trials["kind"] == trials["response"]).astype("boolean")
    return agrees.where(judged, trials["correct"])


def _last_status(sessions: pd.DataFrame | None) -> dict[str, str]:
    if sessions is None:
        return {}
    ordered = sessions.sort_values("started_at", na_position="first", kind="stable")
    return dict(zip(ordered["participant"], ordered["status"], strict=True))


EXCLUSIONS_PLANNED = "analysis.exclude"
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
        **dict.fromkeys(preset.trials, EXCLUSIONS_PLANNED if planned else "trials"),
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
