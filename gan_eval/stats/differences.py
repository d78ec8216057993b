"""The difference of two shares when answers hang together by participant and by stimulus."""

from typing import NamedTuple

import numpy as np
from scipy.stats import fisher_exact
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
    success: np.ndarray,
    in_a: np.ndarray,
    participant: np.ndarray,
    stimulus: np.ndarray,
    *,
    weight: np.ndarray | None = None,
) -> Difference:
    """Share of `success` among the trials of a minus the share among those of b.

    The variance adds what participants and what stimuli have in common (two-way clustering: Cameron, Gelbach &
    Miller 2011, Journal of Business & Economic Statistics 29, 238-249); the largest of the two-way and the two
    one-way variances is taken, since the two-way sum can be too small or negative. Residuals are taken from the share
    with one success and one failure added (Agresti & Caffo 2000, The American Statistician 54, 280-288), so that a
    group whose answers agree is not taken for certain. The reference is Student's t with one degree of freedom fewer
    than the smallest number of participants or stimuli behind either group.

    Clustering can only take information away, so the interval is never narrower than Newcombe's and p never below
    Fisher's, both of which take the answers as independent. With weights both take as many answers as would give the
    same precision unweighted (Kish's effective number).

    Args:
        success: (N,) bool.
        in_a: (N,) bool, true for a's trials, false for b's; both must occur.
        participant: (N,) int, 0.. .
        stimulus: (N,) int, 0.. .
        weight: (N,) above 0, what a trial counts; default: all alike.
    """
    weight = np.ones(len(success)) if weight is None else weight
    (k_a, n_a), (k_b, n_b) = (_counts(success[group], weight[group]) for group in (in_a, ~in_a))
    difference = k_a / n_a - k_b / n_b
    alone = len(np.unique(participant)) == 1
    factors = (stimulus,) if alone else (participant, stimulus)
    if min(min(_sizes(factor, in_a)) for factor in factors) < 2:
        return Difference(difference, np.nan, np.nan, np.nan, "too few participants or stimuli for an interval")
    one = "one participant: says nothing of people in general" if alone else ""
    if all(success[group].all() or not success[group].any() for group in (in_a, ~in_a)):
        agree = "all answers of each group agree: interval and p as if each stimulus had been judged once"
        units_a, units_b = _units(in_a, participant, stimulus)
        low, high, p = _independent(units_a * (k_a > 0), units_a, units_b * (k_b > 0), units_b)
        return Difference(difference, low, high, p, "; ".join(filter(None, [agree, one])))
    low, high, p = _independent(k_a, n_a, k_b, n_b)
    share = np.where(in_a, (k_a + 1) / (n_a + 2), (k_b + 1) / (n_b + 2))
    total_a, total_b = weight[in_a].sum(), weight[~in_a].sum()
    influence = (success - share) * weight * np.where(in_a, 1 / total_a, -1 / total_b)
    error = float(np.sqrt(_variance(influence, in_a, *factors)))
    freedom = min(min(_sizes(factor, in_a)) for factor in factors) - 1
    half = float(student.ppf(0.975, freedom)) * error
    p = max(p, float(2 * student.sf(abs(difference) / error, freedom)))
    return Difference(
        difference, max(-1.0, min(low, difference - half)), min(1.0, max(high, difference + half)), p, one
    )


def _counts(success: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Successes and trials of a group, unweighted ones of the same share and precision (Kish 1965, Survey Sampling)."""
    effective = float(weight.sum() ** 2 / (weight @ weight))
    return float(weight @ success / weight.sum()) * effective, effective


def _sizes(cluster: np.ndarray, in_a: np.ndarray) -> tuple[int, int]:
    """How many clusters stand behind a and behind b."""
    return len(np.unique(cluster[in_a])), len(np.unique(cluster[~in_a]))


def _units(in_a: np.ndarray, participant: np.ndarray, stimulus: np.ndarray) -> tuple[int, int]:
    """What counts once where all answers agree: the stimuli; the participants, if fewer, where not all judged both."""
    (stimuli_a, stimuli_b), (people_a, people_b) = _sizes(stimulus, in_a), _sizes(participant, in_a)
    if people_a == people_b == len(np.unique(participant)):
        return stimuli_a, stimuli_b
    return min(stimuli_a, people_a), min(stimuli_b, people_b)


def _independent(k_a: float, n_a: float, k_b: float, n_b: float) -> tuple[float, float, float]:
    """Newcombe's interval and Fisher's exact p."""
    low, high = newcombe(k_a, n_a, k_b, n_b)
    p = fisher_exact(np.rint([[k_a, n_a - k_a], [k_b, n_b - k_b]]).astype(int)).pvalue
    return max(-1.0, low), min(1.0, high), float(p)


def _variance(influence: np.ndarray, in_a: np.ndarray, *factors: np.ndarray) -> float:
    """The variance of the sum of influences, clustered by one factor or by two crossed ones."""
    one_way = [_clustered(influence, in_a, factor) for factor in factors]
    if len(one_way) == 1:
        return one_way[0]
    return max(sum(one_way) - _clustered(influence, in_a, np.arange(len(influence))), *one_way)


def _clustered(influence: np.ndarray, in_a: np.ndarray, cluster: np.ndarray) -> float:
    """Sum over clusters of the squared sum of influences, with the factor G / (G - 1) for each group's G clusters."""
    _, code = np.unique(cluster, return_inverse=True)
    sums = np.zeros(code.max() + 1)
    for chosen, size in zip((in_a, ~in_a), _sizes(cluster, in_a), strict=True):
        sums += np.sqrt(size / (size - 1)) * np.bincount(code[chosen], influence[chosen], len(sums))
    return float(sums @ sums)
