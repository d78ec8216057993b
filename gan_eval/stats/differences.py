"""The difference of two shares when answers hang together by participant and by stimulus."""

from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

from gan_eval.stats.intervals import newcombe


class Difference(NamedTuple):
    """Share of a minus share of b."""

    difference: float
    ci_low: float
    ci_high: float
    p: float
    """Two-sided; NaN where there can be none."""
    note: str


def difference_of_shares(
    success: np.ndarray, in_a: np.ndarray, participant: np.ndarray, stimulus: np.ndarray
) -> Difference:
    """Share of `success` among the trials of a minus the share among those of b.

    The variance adds what participants and what stimuli have in common (two-way clustering: Cameron, Gelbach &
    Miller 2011, Journal of Business & Economic Statistics 29, 238-249); the largest of the two-way and the two
    one-way variances is taken, since the two-way sum can be too small or negative. The reference is Student's t with
    one degree of freedom fewer than the smaller number of participants or stimuli.

    Args:
        success: (N,) bool.
        in_a: (N,) bool, true for a's trials, false for b's; both must occur.
        participant: (N,) int, 0.. .
        stimulus: (N,) int, 0.. .
    """
    n_a, n_b = int(in_a.sum()), int((~in_a).sum())
    k_a, k_b = int(success[in_a].sum()), int(success[~in_a].sum())
    difference = k_a / n_a - k_b / n_b
    if k_a in (0, n_a) and k_b in (0, n_b):
        low, high = newcombe(k_a, n_a, k_b, n_b)
        return Difference(
            difference, low, high, np.nan, "all answers of each group agree: interval as if answers were independent"
        )
    share = np.where(in_a, k_a / n_a, k_b / n_b)
    influence = (success - share) * np.where(in_a, 1 / n_a, -1 / n_b)
    people, pictures = len(np.unique(participant)), len(np.unique(stimulus))
    if people > 1:
        variance, freedom, note = _two_way(influence, participant, stimulus), min(people, pictures) - 1, ""
    else:
        variance, freedom = _clustered(influence, stimulus), pictures - 1
        note = "one participant: says nothing of people in general"
    if freedom < 1 or variance <= 0:
        return Difference(difference, np.nan, np.nan, np.nan, "too few participants or stimuli for an interval")
    error = float(np.sqrt(variance))
    half = float(student.ppf(0.975, freedom)) * error
    p = float(2 * student.sf(abs(difference) / error, freedom))
    return Difference(difference, max(-1.0, difference - half), min(1.0, difference + half), p, note)


def _two_way(influence: np.ndarray, participant: np.ndarray, stimulus: np.ndarray) -> float:
    by_participant, by_stimulus = _clustered(influence, participant), _clustered(influence, stimulus)
    alone = _clustered(influence, np.arange(len(influence)))
    return max(by_participant + by_stimulus - alone, by_participant, by_stimulus)


def _clustered(influence: np.ndarray, cluster: np.ndarray) -> float:
    """Sum over clusters of the squared sum of influences, with the factor G / (G - 1) for few clusters."""
    _, code = np.unique(cluster, return_inverse=True)
    sums = np.bincount(code, influence)
    return float(sums @ sums) * len(sums) / max(len(sums) - 1, 1)
