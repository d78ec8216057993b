"""Are quick answers worse? Accuracy by fifths of each participant's own reaction times.

The conditional accuracy function (Luce 1986, Response Times, ch. 6): parts are made within participants, so that quick
people are not mistaken for quick answers.

How long do people take? Medians, quartiles and geometric means of the reaction times by scope.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, stdtrit

from gan_eval.stats.clustering import two_way
from gan_eval.stats.groups import Codes, Groups, groups, provenance
from gan_eval.stats.shares import share, wilson
from gan_eval.stats.trials import answered_trials, possible_times
from gan_eval.tables import KINDS, REACTION_TIMES, SCOPES, SPEED_ACCURACY
from gan_eval.tabular import Row, conform, frame_of


def reaction_times(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `reaction_times`: answered main trials with a reaction time above 0, by scope, truth and answer.

    Scope `model` takes the reals of the same data sets in the same sessions beside the model's fakes; scope
    `stimulus` has one truth only, so its rows are for `kind` all. Groups without a trial have no row, but the
    row for everything is always there.
    """
    answered = answered_trials(trials)
    milliseconds = answered["reaction_time_ms"].to_numpy("float64")
    possible = possible_times(answered)
    impossible = int((~possible & ~np.isnan(milliseconds)).sum())
    timed = answered[possible].reset_index(drop=True)
    codes = Codes(timed)
    table = pd.concat([_scope_times(timed, codes, scope) for scope in SCOPES], ignore_index=True)
    everything = table["scope"] == "all"
    if impossible:
        table.loc[everything, "note"] = f"{impossible} impossible times (not above 0, or infinite) left out"
    elif timed.empty:
        table.loc[everything, "note"] = "no answered trial has a reaction time"
    return conform(table, REACTION_TIMES, where="reaction_times")


def _scope_times(timed: pd.DataFrame, codes: Codes, scope: str) -> pd.DataFrame:
    grouped = groups(timed, scope, codes)
    carried = provenance(timed, grouped, codes)
    times = timed["reaction_time_ms"].to_numpy("float64")[grouped.row]
    order = np.lexsort((times, grouped.group))
    row = grouped.row[order]
    ordered = _Ordered(
        group=grouped.group[order],
        is_fake=timed["is_fake"].to_numpy(bool)[row],
        correct=timed["correct"].to_numpy(bool)[row],
        milliseconds=times[order],
        size=len(grouped.ids),
    )
    parts = [
        _summary(ordered, kind=kind, answers=answers)
        for kind in (("all",) if scope == "stimulus" else ("all", *KINDS))
        for answers in ("all", "correct", "wrong")
    ]
    table = pd.concat(parts, ignore_index=True)
    needed = (table["n"] > 0) | ((scope == "all") & (table["kind"] == "all") & (table["answers"] == "all"))
    table = table[needed].sort_values("group", kind="stable")
    position = table["group"].to_numpy()
    return table.assign(
        scope=scope,
        id=[grouped.ids[number] for number in position],
        simulated=carried["simulated"].to_numpy()[position],
        fraction=carried["fraction"].to_numpy()[position],
        note=carried["note"].mask(carried["note"] == "").to_numpy()[position],
    ).drop(columns="group")


@dataclass(frozen=True)
class _Ordered:
    """Reaction times (M,) in the order of group, then time."""

    group: np.ndarray
    is_fake: np.ndarray
    correct: np.ndarray
    milliseconds: np.ndarray
    size: int
    """Number of groups."""


def _summary(ordered: _Ordered, *, kind: str, answers: str) -> pd.DataFrame:
    """One row a group: the trials of one truth (or all) with one kind of answer (or all)."""
    chosen = np.ones(len(ordered.group), bool)
    if kind != "all":
        chosen &= ordered.is_fake == (kind == "fake")
    if answers != "all":
        chosen &= ordered.correct == (answers == "correct")
    group, milliseconds = ordered.group[chosen], ordered.milliseconds[chosen]
    n = np.bincount(group, minlength=ordered.size)
    logs = np.bincount(group, np.log(milliseconds), ordered.size)
    return pd.DataFrame(
        {
            "group": np.arange(ordered.size),
            "kind": kind,
            "answers": answers,
            "n": n,
            "median_ms": _quantile(milliseconds, n, 0.5),
            "q25_ms": _quantile(milliseconds, n, 0.25),
            "q75_ms": _quantile(milliseconds, n, 0.75),
            "geometric_mean_ms": np.exp(share(logs, n)),
        }
    )


def _quantile(ordered: np.ndarray, n: np.ndarray, q: float) -> np.ndarray:
    """Linear quantile of each of consecutive groups of n (G,) ascending values; NaN for an empty group."""
    place = q * np.maximum(n - 1, 0)
    start, low = np.cumsum(n) - n, np.floor(place).astype(int)
    last = np.maximum(len(ordered) - 1, 0)
    padded = ordered if len(ordered) else np.array([np.nan])
    below = padded[np.minimum(start + low, last)]
    above = padded[np.minimum(start + np.minimum(low + 1, np.maximum(n - 1, 0)), last)]
    return np.where(n > 0, below + (place - low) * (above - below), np.nan)


PARTS = 5


def speed_accuracy(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `speed_accuracy`: five rows each for all pictures, reals and fakes, quickest fifth first.

    The fifths are of all answered main trials of a participant with a time above 0; equal times stand in the same
    fifth, that of their mean rank. Participants with fewer than five such trials are left out, and the note says how
    many. The interval is symmetric on the log-odds scale, with the larger of the two-way and the one-way variances
    clustered by participant and by stimulus (Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics
    29, 238-249), Student's t with one degree of freedom fewer than the fewer of the two, and never narrower than
    Wilson's. Where all answers agree it is Wilson's as if each stimulus (or participant, if fewer) had answered once.

    Args:
        trials: the table `trials`. Without a usable trial the table is empty.
    """
    timed = _timed(answered_trials(trials))
    person, _ = pd.factorize(timed["participant"])
    enough = (np.bincount(person) >= PARTS)[person] if len(timed) else np.zeros(0, bool)
    few = len(np.unique(person[~enough]))
    kept = timed[enough].reset_index(drop=True)
    note = f"{few} participants with fewer than {PARTS} trials left out" if few else ""
    return frame_of(_rows(kept, note), SPEED_ACCURACY) if len(kept) else frame_of([], SPEED_ACCURACY)


def fifths(milliseconds: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(N,) the part 1..5 of each person's own times that a trial stands in.

    The part of the mean rank r among n times is floor(5 (r - 1/2) / n) + 1, computed in whole numbers.

    Args:
        milliseconds: (N,) finite.
        person: (N,) int, 0.. .

    >>> fifths(np.array([300.0, 100.0, 200.0, 500.0, 400.0, 7.0]), np.array([0, 0, 0, 0, 0, 1])).tolist()
    [3, 1, 2, 5, 4, 3]
    """
    if not len(person):
        return np.zeros(0, np.intp)
    order = np.lexsort((milliseconds, person))
    times, people = milliseconds[order], person[order]
    n = np.bincount(person)
    first = (np.cumsum(n) - n)[people]
    fresh = np.r_[True, (times[1:] != times[:-1]) | (people[1:] != people[:-1])]
    tie = np.cumsum(fresh) - 1
    starts = np.flatnonzero(fresh)
    ends = np.r_[starts[1:], len(times)] - 1
    twice_rank = (starts + ends)[tie] - 2 * first + 2  # of ranks from 1 within the person
    part = np.empty(len(times), np.intp)
    part[order] = PARTS * (twice_rank - 1) // (2 * n[people]) + 1
    return part


def _timed(answered: pd.DataFrame) -> pd.DataFrame:
    return answered[possible_times(answered)].reset_index(drop=True)


@dataclass(frozen=True)
class _Answers:
    """Trials of one row."""

    correct: np.ndarray
    """(N,) bool"""
    participant: np.ndarray
    """(N,) int"""
    stimulus: np.ndarray
    """(N,) int"""


def _rows(kept: pd.DataFrame, left_out: str) -> list[Row]:
    milliseconds = kept["reaction_time_ms"].to_numpy("float64")
    answers = _Answers(
        kept["correct"].to_numpy(bool), pd.factorize(kept["participant"])[0], pd.factorize(kept["stimulus"])[0]
    )
    part, is_fake = fifths(milliseconds, answers.participant), kept["is_fake"].to_numpy(bool)
    of_kind = {"all": np.ones(len(kept), bool), "real": ~is_fake, "fake": is_fake}
    cells = [(kind, number) for kind in ("all", *KINDS) for number in range(1, PARTS + 1)]
    members = [np.flatnonzero(of_kind[kind] & (part == number)) for kind, number in cells]
    grouped = Groups(
        [f"{kind} {number}" for kind, number in cells],
        np.concatenate(members),
        np.repeat(np.arange(len(cells)), [len(rows) for rows in members]),
    )
    carried = provenance(kept, grouped)
    rows: list[Row] = []
    for place, ((kind, number), chosen) in enumerate(zip(cells, members, strict=True)):
        of_cell = _Answers(answers.correct[chosen], answers.participant[chosen], answers.stimulus[chosen])
        low, high, note = _interval(of_cell)
        notes = filter(None, [note, left_out, carried["note"].iloc[place]])
        rows.append(
            {
                "kind": kind,
                "part": number,
                "n": len(chosen),
                "median_ms": float(np.median(milliseconds[chosen])) if len(chosen) else None,
                "accuracy": float(of_cell.correct.mean()) if len(chosen) else None,
                "ci_low": low,
                "ci_high": high,
                "simulated": bool(carried["simulated"].iloc[place]),
                "note": "; ".join(notes) or None,
                "fraction": carried["fraction"].iloc[place],
            }
        )
    return rows


def _interval(answers: _Answers) -> tuple[float, float, str]:
    """Ends of the share's 95 % interval, NaN where there is none, and what a reader must know."""
    n, k = len(answers.correct), int(answers.correct.sum())
    if n == 0:
        return np.nan, np.nan, "no trials"
    codes = [np.unique(level, return_inverse=True)[1] for level in (answers.participant, answers.stimulus)]
    people, stimuli = (int(code.max()) + 1 for code in codes)
    if stimuli < 2:
        return np.nan, np.nan, "one stimulus: no interval"
    alone = "one participant: says nothing of people in general" if people == 1 else ""
    units = stimuli if people == 1 else min(people, stimuli)
    if k in (0, n):
        low, high = wilson(units * (k > 0), units)
        agree = "all answers agree: interval as if each stimulus or participant had answered once"
        return float(low), float(high), "; ".join(filter(None, [agree, alone]))
    middle = k / n
    influence = ((answers.correct - middle) / n)[:, None]
    error = float(np.sqrt(two_way(influence, *codes)[0])) / (middle * (1 - middle))
    half = float(stdtrit(units - 1, 0.975)) * error
    independent_low, independent_high = wilson(k, n)
    ends = expit(logit(middle) + np.array([-half, half]))
    return min(float(ends[0]), float(independent_low)), max(float(ends[1]), float(independent_high)), alone
