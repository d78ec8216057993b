"""Robustness of the results: drift over a session, bias to one side of a pair, sensitivity to who is included.

A rule on the outcome would decide the result. Such rules on trials are refused; those on people only add sensitivity
rows to `comparisons`.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from gan_eval.base.errors import UserError
from gan_eval.base.inference import degrees_of_freedom, two_way
from gan_eval.judgements.rules import parse_rule
from gan_eval.judgements.trials import OUTCOMES, PAIRED, AnyTrials, TypedTrials, items_of, typed
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.settings.protocols import ADAPTIVE_PROTOCOLS
from gan_eval.stats.estimate.differences import wald
from gan_eval.stats.groups import joined, provenance_cells
from gan_eval.stats.tables.comparisons import ONE_ANSWER, WITH_UNFINISHED, compare
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.schema import NOTED, SHARE, Table, integer, interval_columns, number, text

DRIFT, SIDE_BIAS = "drift over trials", "side bias"
ROBUSTNESS = Table(
    "robustness",
    "Drift of accuracy over a session, and bias to one side of a pair. The p values are not corrected.",
    (
        text("check", "what is checked", words=(DRIFT, SIDE_BIAS), filled=True),
        text("comparison", "of which trials: single pictures, or pairs", filled=True),
        text("a", "`last trial`; the side"),
        text("b", "`first trial`; the other side"),
        text("measure", "the number that is compared"),
        number(
            "estimate",
            "drift: share of correct answers at the last trial minus that at the first, by a straight line; side bias: "
            "share of choices of that side minus one half",
        ),
        *interval_columns("ci"),
        number("p", "two-sided", unit=SHARE),
        integer("n_units", "participants"),
        *NOTED,
    ),
    key=("check", "comparison", "a", "b", "measure"),
)

_MIN_ANSWERS = 8
"""Minimum number of answers of a participant to whom the rule `ONE_ANSWER` applies."""


def robustness(trials: AnyTrials) -> pd.DataFrame:
    """Return the table `robustness`."""
    trials = typed(trials)
    side_biases = _side_biases(trials) if len(trials.pairs) else ()
    return frame_of([*_drifts(trials), *side_biases], ROBUSTNESS)


def _drifts(trials: TypedTrials) -> Iterator[Row]:
    """Yield the slopes of correctness over a session (0 to 1), within sessions, data sets and kinds of picture."""
    single, pairs = trials.answered, trials.pairs
    single = single[~single["protocol"].isin(ADAPTIVE_PROTOCOLS).to_numpy(bool)].reset_index(drop=True)
    pairs = pairs[pairs["answered"].to_numpy(bool) & (pairs["protocol"] == PAIRED).fillna(False).to_numpy(bool)]
    pairs = pairs.reset_index(drop=True).assign(is_fake=True, correct=(pairs["choice"] == "a").to_numpy(bool))
    for name, part in (("single pictures", single), ("pairs", pairs)):
        if part.empty:
            continue
        rank = part.groupby("session", sort=False)["trial"].rank(method="first").to_numpy(float)
        last = part.groupby("session", sort=False)["trial"].transform("size").to_numpy(float)
        position = (rank - 1) / np.maximum(last - 1, 1)
        group = part.groupby(["session", "dataset", "is_fake"], dropna=False, sort=False).ngroup().to_numpy()
        x, y = (
            values - (np.bincount(group, values) / np.bincount(group))[group]
            for values in (position, part["correct"].to_numpy(float))
        )
        information = float(x @ x) if x @ x >= 1e-9 else np.inf
        slope = float(x @ y) / information
        too_few = "too few participants, pictures or trials of each for a drift"
        yield {
            "check": DRIFT,
            "comparison": name,
            "a": "last trial",
            "b": "first trial",
            "measure": "accuracy",
            **_tested(
                part,
                slope,
                x * (y - slope * x) / information,
                too_few=too_few,
                unvaried=too_few if np.isinf(information) else "the answers to pictures of a kind do not vary",
            ),
        }


def _side_biases(trials: TypedTrials) -> Iterator[Row]:
    """Yield the share of choices of a side minus one half, with equal weight of both places of picture a."""
    pairs = trials.pairs
    pairs = pairs[pairs["answered"].to_numpy(bool) & pairs["position"].notna().to_numpy(bool)]
    for side, other in (("left", "right"), ("first", "second")):
        part = pairs[pairs["position"].isin([side, other]).to_numpy(bool)].reset_index(drop=True)
        if part["position"].nunique() < 2:
            continue
        is_there = (part["position"] == side).to_numpy(bool)
        chosen = (part["choice"] == "a").to_numpy(bool) == is_there
        there, elsewhere = (float(chosen[mask].mean()) for mask in (is_there, ~is_there))
        weight = np.where(is_there, 0.5 / is_there.sum(), 0.5 / (~is_there).sum())
        yield {
            "check": SIDE_BIAS,
            "comparison": "pairs",
            "a": side,
            "b": other,
            "measure": "chosen",
            **_tested(
                part,
                (there + elsewhere) / 2 - 0.5,
                (chosen - np.where(is_there, there, elsewhere)) * weight,
                too_few="too few participants or pairs",
                unvaried="for each place of the first picture all choices are the same",
            ),
        }


def _tested(part: pd.DataFrame, value: float, influence: np.ndarray, *, too_few: str, unvaried: str) -> Row:
    """Return the cells of an estimate and its two-way clustered test, from each trial's part (N,) of the error."""
    participant, stimulus = (pd.factorize(part[name])[0] for name in ("participant", "stimulus"))
    item = items_of(part)
    shown = [stimulus] if item is None else [stimulus, item]
    carried, df = provenance_cells(part), degrees_of_freedom(participant, *shown)
    if df < 2 or not influence.any():
        return {**carried, "note": joined(too_few if df < 2 else unvaried, carried["note"])}
    test = wald(value, float(np.sqrt(two_way(influence[:, None], participant, stimulus, item=item)[0])), df)
    low, high = test.interval(0.95)
    cells = {"estimate": value, "ci_low": low, "ci_high": high, "p": test.p}
    return {**cells, "n_units": int(participant.max()) + 1, **carried}


def refuse_outcome_rules(rules: Sequence[str], *, where: str) -> None:
    """Refuse rules on trials that use their outcome; time-outs (`response=none`) are allowed."""
    for given in rules:
        rule = parse_rule(given)
        if rule.column in ("response", "choice") and (rule.operator, rule.value) == ("=", "none"):
            continue
        if rule.column in OUTCOMES:
            raise UserError(
                f"{where}: rule {given}: on the outcome ({rule.column}), so it would decide the answer; exclude "
                "trials by reaction_time_ms, flags or response=none, and people by catch_accuracy or n_answered"
            )


def is_on_outcome(rule: str) -> bool:
    """Return whether a rule on the table `participation` uses the outcome.

    >>> is_on_outcome("accuracy<0.6"), is_on_outcome("catch_accuracy<0.8")
    (True, False)
    """
    return parse_rule(rule).column == "accuracy"


def sensitivity(
    trials: TypedTrials,
    participation: pd.DataFrame,
    rules: Sequence[str],
    *,
    plan: AnalysisSettings,
    unfinished: pd.DataFrame,
) -> tuple[list[Row], str]:
    """Repeat the comparisons over all data sets with other answers, as rows without a verdict.

    They are repeated without the people that each rule selects, without those who gave one answer only, and with the
    unfinished sessions.

    Args:
        rules: rules on the outcome.
        unfinished: trials of unfinished sessions that no rule leaves out.

    Returns:
        Rows of the table `comparisons`, and a note on the people who fulfil each rule.
    """
    rows, notes = list[Row](), list[str]()
    present = participation[participation["participant"].isin(trials.every["participant"].unique())]
    chosen = {
        rule: present.loc[np.asarray(parse_rule(rule).holds(present, where="participation"), bool), "participant"]
        for rule in rules
    }
    code, people = pd.factorize(trials.answered["participant"].array)
    n, said_fake, fakes = (np.bincount(code, trials.answered[name]) for name in ("answered", "says_fake", "is_fake"))
    is_constant = (n >= _MIN_ANSWERS) & ((said_fake == 0) | (said_fake == n)) & (fakes > 0) & (fakes < n)
    if is_constant.any():
        chosen[ONE_ANSWER] = pd.Series(people[is_constant]).astype("str")
    for rule, named in chosen.items():
        of_people = f"{len(named)} of {len(present)} participants"
        verb = "gave" if rule == ONE_ANSWER else "fulfil"
        note = f"{of_people} {verb} {rule}, a rule on the outcome: it excludes no participants"
        if 0 < len(named) < len(present):
            note += ", a sensitivity row of comparisons says what it would change"
            rest = trials.every[~trials.every["participant"].isin(named)].reset_index(drop=True)
            without = f"without {of_people} ({rule}), a rule on the outcome"
            rows += _repeated(rest, plan, rule, f"without {rule}", note=without)
        notes.append(note)
    if (unfinished["phase"] == "main").any():
        more = pd.concat([trials.every, unfinished], ignore_index=True)
        of_sessions = f"{len(unfinished)} trials of {unfinished['session'].nunique()}"
        rows += _repeated(more, plan, WITH_UNFINISHED, WITH_UNFINISHED, note=f"with {of_sessions} unfinished sessions")
    return rows, "; ".join(notes)


def _repeated(trials: pd.DataFrame, plan: AnalysisSettings, rule: str, name: str, *, note: str) -> list[Row]:
    """Return the sensitivity rows: the comparisons over all data sets of these trials, without a verdict."""
    of_row = f"sensitivity, {note}: not the answer"
    cells: Row = {"sensitivity": rule, "p_holm": np.nan, "verdict": None, "exploratory": True}
    cells |= {"simultaneous_low": np.nan, "simultaneous_high": np.nan}
    return [
        row | cells | {"comparison": f"{row['comparison']}, sensitivity: {name}", "note": joined(of_row, row["note"])}
        for row in compare(trials, plan=plan, only_overall=True).rows
    ]
