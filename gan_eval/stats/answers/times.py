"""How long do people take, and are quick answers worse? Reaction times by scope, and accuracy by fifths of them."""

from itertools import product

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from gan_eval.stats.clustering import n_levels, t_critical, two_way
from gan_eval.stats.groups import Codes, Groups, groups, provenance
from gan_eval.stats.shares import proportion, wilson
from gan_eval.stats.trials import answered_trials, possible_times
from gan_eval.tables.schema import KINDS, PROVENANCE, SCOPES, SHARE, Table, ends, integer, milliseconds, number, text
from gan_eval.tabular import conform, frame_of

REACTION_TIMES = Table(
    "reaction_times",
    "Reaction times of answered trials by group.",
    (
        text("scope", "what the row is about", words=SCOPES, filled=True),
        text("id", "which participant, model, ...; `all` for the scope all", filled=True),
        text("kind", "truth of the trials in the row", words=("all", *KINDS), filled=True),
        text("answers", "which answers are in the row", words=("all", "correct", "wrong"), filled=True),
        integer("n", "number of answered trials with a reaction time", filled=True),
        milliseconds("median_ms", "median"),
        milliseconds("q25_ms", "lower quartile"),
        milliseconds("q75_ms", "upper quartile"),
        milliseconds("geometric_mean_ms", "exp of the mean log reaction time"),
        *PROVENANCE,
    ),
    key=("scope", "id", "kind", "answers"),
)

SPEED_ACCURACY = Table(
    "speed_accuracy",
    "Are quick answers worse? Accuracy by fifths of each participant's own reaction times.",
    (
        text("kind", "truth of the pictures", words=("all", *KINDS), filled=True),
        integer("part", "1 is each participant's quickest fifth", filled=True),
        integer("n", "trials", filled=True),
        milliseconds("median_ms", "median reaction time"),
        number("accuracy", "share of right answers", unit=SHARE),
        *ends("ci", "its 95 % interval, clustered by participant and by stimulus", unit=SHARE),
        *PROVENANCE,
    ),
    key=("kind", "part"),
)

PARTS = 5
_CELLS = tuple(product(KINDS, ("wrong", "correct")))


def reaction_times(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `reaction_times`: answered main trials with a reaction time above 0, by scope, truth and answer.

    Scope `model` takes the reals of the same data sets in the same sessions beside the model's fakes; scope
    `stimulus` has one truth only, so its rows are for `kind` all. Groups without a trial have no row, but the
    row for everything is always there.
    """
    answered = answered_trials(trials)
    times = answered["reaction_time_ms"].to_numpy("float64")
    possible = possible_times(answered)
    impossible = int((~possible & ~np.isnan(times)).sum())
    timed = answered[possible].sort_values("reaction_time_ms", kind="stable", ignore_index=True)
    codes = Codes(timed)
    table = pd.concat([_scope_times(timed, codes, scope) for scope in SCOPES], ignore_index=True)
    everything = table["scope"] == "all"
    if impossible:
        table.loc[everything, "note"] = f"{impossible} impossible times (not above 0, or infinite) left out"
    elif timed.empty:
        table.loc[everything, "note"] = "no answered trial has a reaction time"
    return conform(table, REACTION_TIMES, where="reaction_times")


def _scope_times(timed: pd.DataFrame, codes: Codes, scope: str) -> pd.DataFrame:
    """The rows of one scope of trials in the order of their times: each group, truth and kind of answer."""
    grouped = groups(timed, scope, codes)
    size = len(grouped.ids)
    # runs of rows and small whole numbers sort several times faster than times
    order = np.lexsort((grouped.row, grouped.group.astype(np.min_scalar_type(size))))
    group, row = grouped.group[order], grouped.row[order]
    times, is_fake, correct = (timed[name].to_numpy()[row] for name in ("reaction_time_ms", "is_fake", "correct"))
    cell = 2 * is_fake + correct
    counts, logs = (
        np.bincount(4 * group + cell, weights, 4 * size).reshape(size, 4) for weights in (None, np.log(times))
    )
    parts = []
    for kind, answers in product(("all",) if scope == "stimulus" else ("all", *KINDS), ("all", "correct", "wrong")):
        cells = np.array([kind in ("all", name) and answers in ("all", right) for name, right in _CELLS])
        own, n = times[cells[cell]], counts[:, cells].sum(axis=1)
        summary = pd.DataFrame(
            {
                "scope": scope,
                "id": grouped.ids,
                "kind": kind,
                "answers": answers,
                "n": n,
                "median_ms": _quantile(own, n, 0.5),
                "q25_ms": _quantile(own, n, 0.25),
                "q75_ms": _quantile(own, n, 0.75),
                "geometric_mean_ms": np.exp(proportion(logs[:, cells].sum(axis=1), n)),
            }
        )
        always = scope == "all" and kind == "all" and answers == "all"
        parts.append(summary if always else summary[n > 0])
    table = pd.concat(parts).sort_index(kind="stable")  # by group
    return table.join(provenance(timed, grouped, codes))


def _quantile(ordered: np.ndarray, n: np.ndarray, q: float) -> np.ndarray:
    """Linear quantile of each of consecutive groups of n (G,) ascending values; NaN for an empty group."""
    place = q * np.maximum(n - 1, 0)
    start, low = np.cumsum(n) - n, np.floor(place).astype(int)
    last = np.maximum(len(ordered) - 1, 0)
    padded = ordered if len(ordered) else np.array([np.nan])
    below = padded[np.minimum(start + low, last)]
    above = padded[np.minimum(start + np.minimum(low + 1, np.maximum(n - 1, 0)), last)]
    return np.where(n > 0, below + (place - low) * (above - below), np.nan)


def speed_accuracy(trials: pd.DataFrame) -> pd.DataFrame:
    """The table `speed_accuracy`: five rows each for all pictures, reals and fakes, quickest fifth first.

    This is the conditional accuracy function (Luce 1986, Response Times, ch. 6). The fifths are of all answered main
    trials of a participant with a time above 0, so that quick people are not mistaken for quick answers; equal times
    stand in the same fifth, that of their mean rank. Participants with fewer than five such trials are left out, and
    the note says how many. The interval is symmetric on the log-odds scale, with the clustered variance by participant
    and by stimulus (`clustering.two_way`), Student's t with one degree of freedom fewer than the fewer of the two, and
    never narrower than Wilson's. Where all answers agree it is Wilson's as if each stimulus (or participant, if fewer)
    had answered once.

    Args:
        trials: the table `trials`. Without a usable trial the table is empty.
    """
    answered = answered_trials(trials)
    timed = answered[possible_times(answered)].reset_index(drop=True)
    person, _ = pd.factorize(timed["participant"])
    enough = np.bincount(person)[person] >= PARTS if len(timed) else np.zeros(0, bool)
    few = len(np.unique(person[~enough]))
    timed = timed[enough].reset_index(drop=True)
    if timed.empty:
        return frame_of([], SPEED_ACCURACY)
    times = timed["reaction_time_ms"].to_numpy("float64")
    participant, stimulus = (pd.factorize(timed[name])[0] for name in ("participant", "stimulus"))
    correct, is_fake = timed["correct"].to_numpy(bool), timed["is_fake"].to_numpy(bool)
    part = fifths(times, participant)
    of_kind = {"all": np.ones(len(timed), bool), "real": ~is_fake, "fake": is_fake}
    cells = list(product(of_kind, range(1, PARTS + 1)))
    members = [np.flatnonzero(of_kind[kind] & (part == fifth)) for kind, fifth in cells]
    rows, notes = [], []
    for (kind, fifth), chosen in zip(cells, members, strict=True):
        low, high, note = _interval(correct[chosen], participant[chosen], stimulus[chosen])
        notes.append(note)
        rows.append(
            {
                "kind": kind,
                "part": fifth,
                "n": len(chosen),
                "median_ms": np.median(times[chosen]) if len(chosen) else None,
                "accuracy": correct[chosen].mean() if len(chosen) else None,
                "ci_low": low,
                "ci_high": high,
            }
        )
    grouped = Groups(
        [f"{kind} {fifth}" for kind, fifth in cells],
        np.concatenate(members),
        np.repeat(np.arange(len(cells)), [len(chosen) for chosen in members]),
    )
    texts = np.array(notes, dtype=object)
    masks = [(texts == note, note) for note in dict.fromkeys(notes)]
    left_out = (np.full(len(cells), few > 0), f"{few} participants with fewer than {PARTS} trials left out")
    table = pd.DataFrame(rows).join(provenance(timed, grouped, notes=[*masks, left_out]))
    return conform(table, SPEED_ACCURACY, where="speed_accuracy")


def fifths(times: np.ndarray, person: np.ndarray) -> np.ndarray:
    """(N,) the part 1..5 of each person's own times that a trial stands in.

    The part of the mean rank r among n times is floor(5 (r - 1/2) / n) + 1, computed in whole numbers.

    Args:
        times: (N,) in ms, finite.
        person: (N,) int, 0.. .

    >>> fifths(np.array([300.0, 100.0, 200.0, 500.0, 400.0, 7.0]), np.array([0, 0, 0, 0, 0, 1])).tolist()
    [3, 1, 2, 5, 4, 3]
    """
    if not len(person):
        return np.zeros(0, np.intp)
    order = np.lexsort((times, person))
    ordered, owner = times[order], person[order]
    n = np.bincount(person)
    first = (np.cumsum(n) - n)[owner]
    fresh = np.r_[True, (ordered[1:] != ordered[:-1]) | (owner[1:] != owner[:-1])]
    tie = np.cumsum(fresh) - 1
    starts = np.flatnonzero(fresh)
    last = np.r_[starts[1:], len(times)] - 1
    twice_rank = (starts + last)[tie] - 2 * first + 2  # of ranks from 1 within the person
    part = np.empty(len(times), np.intp)
    part[order] = PARTS * (twice_rank - 1) // (2 * n[owner]) + 1
    return part


def _interval(correct: np.ndarray, participant: np.ndarray, stimulus: np.ndarray) -> tuple[float, float, str]:
    """Ends of the 95 % interval of the share of right answers (N,), NaN where there is none, and the row's note."""
    n, k = len(correct), int(correct.sum())
    if n == 0:
        return np.nan, np.nan, "no trials"
    participants, stimuli = n_levels(participant), n_levels(stimulus)
    if stimuli < 2:
        return np.nan, np.nan, "one stimulus: no interval"
    note = "one participant: says nothing of people in general" if participants == 1 else ""
    units = stimuli if participants == 1 else min(participants, stimuli)
    if k in (0, n):
        low, high = wilson(units * (k > 0), units)
        agree = "all answers agree: interval as if each stimulus or participant had answered once"
        return float(low), float(high), "; ".join(filter(None, [agree, note]))
    accuracy = k / n
    influence = ((correct - accuracy) / n)[:, None]
    error = float(np.sqrt(two_way(influence, participant, stimulus)[0])) / (accuracy * (1 - accuracy))
    half_width = float(t_critical(units - 1)) * error
    independent_low, independent_high = wilson(k, n)
    low, high = expit(logit(accuracy) + np.array([-half_width, half_width]))
    return min(float(low), float(independent_low)), max(float(high), float(independent_high)), note
