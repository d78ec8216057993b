"""Are quick answers worse? Accuracy by fifths of each participant's own reaction times.

The conditional accuracy function (Luce 1986, Response Times, ch. 6): parts are made within participants, so that quick
people are not mistaken for quick answers.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, stdtrit

from gan_eval.stats.clustering import two_way
from gan_eval.stats.groups import Groups, provenance
from gan_eval.stats.shares import wilson
from gan_eval.stats.trials import answered_trials, possible_times
from gan_eval.tables import KINDS, SPEED_ACCURACY
from gan_eval.tabular import Row, frame_of

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
