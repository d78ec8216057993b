"""The difference of two shares when answers hang together by participant and by stimulus."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr
from scipy.stats import fisher_exact

from gan_eval.stats.clustering import two_way
from gan_eval.stats.compare.marginal import equivalence_p, wald
from gan_eval.stats.shares import Z90, Z95, newcombe


class Difference(NamedTuple):
    """Share of a minus share of b."""

    difference: float
    ci_low: float
    ci_high: float
    p: float
    """Two-sided; NaN where there can be none."""
    note: str
    ci90_low: float = np.nan
    ci90_high: float = np.nan
    p_equivalent: float = np.nan
    """The larger p of two one-sided tests against the margin; NaN without a margin."""
    basis: str | None = None
    """`two_way_cluster` or `independent`; None without an interval."""


def difference_of_shares(
    success: np.ndarray,
    in_a: np.ndarray,
    participant: np.ndarray,
    stimulus: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    margin: float | None = None,
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
        margin: of equivalence, above 0.
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
        note = "; ".join(filter(None, [agree, one]))
        return _independent(units_a * (k_a > 0), units_a, units_b * (k_b > 0), units_b, margin)._replace(
            difference=difference, note=note
        )
    least = _independent(k_a, n_a, k_b, n_b, margin)
    share = np.where(in_a, (k_a + 1) / (n_a + 2), (k_b + 1) / (n_b + 2))
    total_a, total_b = weight[in_a].sum(), weight[~in_a].sum()
    influence = (success - share) * weight * np.where(in_a, 1 / total_a, -1 / total_b)
    error = float(np.sqrt(two_way(influence[:, None], participant, stimulus, side=in_a)[0]))
    freedom = min(min(_sizes(factor, in_a)) for factor in factors) - 1
    found = wald(difference, error, freedom)
    return Difference(
        difference,
        min(least.ci_low, found.ci_low),
        max(least.ci_high, found.ci_high),
        max(least.p, found.p),
        one,
        min(least.ci90_low, found.ci90_low),
        max(least.ci90_high, found.ci90_high),
        np.nan if margin is None else max(least.p_equivalent, equivalence_p(difference, error, freedom, margin)),
        "independent" if alone else "two_way_cluster",
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


def _independent(k_a: float, n_a: float, k_b: float, n_b: float, margin: float | None) -> Difference:
    """Newcombe's interval and Fisher's exact p."""

    def ends(z: float) -> tuple[float, float]:
        low, high = newcombe(k_a, n_a, k_b, n_b, z=z)
        return max(-1.0, low), min(1.0, high)

    p = float(fisher_exact(np.rint([[k_a, n_a - k_a], [k_b, n_b - k_b]]).astype(int)).pvalue)
    p_equivalent = np.nan if margin is None else where_it_touches(ends, margin)
    return Difference(k_a / n_a - k_b / n_b, *ends(Z95), p, "", *ends(Z90), p_equivalent, "independent")


def where_it_touches(ends: Callable[[float], tuple[float, float]], margin: float) -> float:
    """The one-sided p at which an interval, `ends` at the quantile z, just stays within the margin; 1/2 or more where
    the estimate itself lies outside, said as 1."""
    low, high = ends(1e-9)
    if low <= -margin or high >= margin:
        return 1.0
    inside, outside = 1e-9, 40.0
    for _ in range(60):
        z = (inside + outside) / 2
        low, high = ends(z)
        inside, outside = (z, outside) if -margin < low and high < margin else (inside, z)
    return float(ndtr(-inside))
