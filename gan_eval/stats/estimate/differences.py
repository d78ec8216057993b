"""Differences of two proportions, or of one proportion and one half, with errors clustered by participant and stimulus.

Clustering can only reduce the information. So no interval is narrower, and no p lower, than those of independent
answers.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from gan_eval.base.inference import (
    binomial_p,
    degrees_of_freedom,
    equivalence_p,
    fisher_p,
    n_levels,
    newcombe,
    one_way,
    t_critical,
    two_sided_p,
    two_way,
    wilson,
)
from gan_eval.stats.estimate.persons import effective_numbers, person_weights
from gan_eval.stats.groups import joined, one_participant
from gan_eval.stats.recruitment import ALPHA

HALF = 0.5
"""Share of choices of one of two pictures by chance."""
_TOO_FEW = "too few participants or pictures for an interval"
FEW_PEOPLE = 6
"""Number of people; with fewer, a note says why intervals are wide."""


def few_people(number: int) -> str:
    """Return the note on intervals between few people; empty for enough, and for one, who has another note."""
    if not 1 < number < FEW_PEOPLE:
        return ""
    return f"{number} participants: too few to know how people differ, so the intervals are wide by necessity"


def other_p(p: float, check_p: float, of: str = "shares") -> str:
    """Return the note on the p of clustered shares (or means) if only one of both is below 5%; else empty."""
    differs = not np.isnan(check_p) and (p < ALPHA) != (check_p < ALPHA)
    return f"p of clustered {of} {check_p:.2g}, uncorrected" if differs else ""


Untested = Literal["one participant", "constant answers", "one side", "too few", "nearly constant answers"]
"""Reason for no test, hence no verdict; nearly constant answers are tested against chance, but not for equivalence."""
UNTESTED: tuple[str, ...] = get_args(Untested)
Interval = Callable[[float], tuple[float, float]]
"""Function from a coverage, below 1, to the ends of the interval."""


def no_interval(_coverage: float) -> tuple[float, float]:
    """Return NaN for both ends."""
    return np.nan, np.nan


class Difference(NamedTuple):
    """Proportion of a minus proportion of b, or minus one half; NaN where unknown."""

    difference: float
    p: float = np.nan
    """Two-sided, against 0."""
    note: str | None = None
    interval: Interval = no_interval
    p_equivalent: float = np.nan
    """The larger p of two one-sided tests against the margin; NaN without a margin."""
    basis: str | None = None
    """A word of the column of that name; None without an interval."""
    check_p: float = np.nan
    """p of the clustered proportions, next to a crossed model."""
    bound: float = 1.0
    """Largest size of such a difference."""
    untested: Untested | None = None

    def note_on(self, participants: pd.Series) -> str | None:
        """Return the note, with that on answers of one participant; they are of these participants (N,)."""
        return joined(self.note, one_participant(participants) if self.untested == "one participant" else None)


def wald(
    estimate: float,
    std_error: float,
    df: float,
    *,
    margin: float | None = None,
    bound: float = 1.0,
    basis: str | None = None,
) -> Difference:
    """Test a difference by Student's t with `df` degrees of freedom; its interval lies within -bound..bound.

    >>> test = wald(0.1, 0.05, 1e9)
    >>> round(test.interval(0.95)[0], 4), round(test.interval(0.9)[1], 4), round(test.p, 4)
    (0.002, 0.1822, 0.0455)
    """

    def interval(coverage: float) -> tuple[float, float]:
        reach = float(t_critical(df, coverage=coverage)) * std_error
        low, high = np.clip([estimate - reach, estimate + reach], -bound, bound).tolist()  # NaN stays NaN
        return low, high

    p = float(two_sided_p(estimate, std_error, df))
    p_equivalent = np.nan if margin is None else float(equivalence_p(estimate, std_error, df, margin))
    return Difference(estimate, p, None, interval, p_equivalent, basis, bound=bound)


_BESIDE_ZERO = 1e-9
"""End of an interval that excludes 0 itself."""


def simultaneous_intervals(differences: Sequence[Difference], p_holm: np.ndarray) -> np.ndarray:
    """Return the intervals (M, 2) of M differences that are tested together, consistent with Holm's test.

    An interval excludes 0 exactly if p_holm < 5%, and all intervals together hold their true differences in 95% of
    studies (93.8% in the worst known case). This is the confidence region of Holm's test
    (Guilbaud 2008, Biometrical Journal 50, 678-692; Strassburger & Bretz 2008, Statistics in Medicine 27, 4914-4927).
    If the test rejects only some hypotheses, it has used up the 5%: the intervals of these show the sign only and reach
    to the end of the scale. All other intervals are Bonferroni's, at 1 - 5% / M.

    Args:
        p_holm: (M,) p values after Holm's correction; NaN without a test, and then no interval.
    """
    intervals = np.full((len(differences), 2), np.nan)
    tested = np.flatnonzero(~np.isnan(p_holm)).tolist()
    all_rejected = (p_holm[tested] < ALPHA).all()
    for index in tested:
        bound = differences[index].bound
        low, high = differences[index].interval(1 - ALPHA / len(tested))
        is_above = low + high > 0
        if p_holm[index] >= ALPHA:
            intervals[index] = min(low, 0.0), max(high, 0.0)
            continue
        if not all_rejected:
            low, high = (0.0, bound) if is_above else (-bound, 0.0)
        intervals[index] = (max(low, _BESIDE_ZERO), high) if is_above else (low, min(high, -_BESIDE_ZERO))
    return intervals


def difference_of_proportions(
    success: np.ndarray,
    in_a: np.ndarray,
    participant: np.ndarray,
    stimulus: np.ndarray,
    *,
    item: np.ndarray | None = None,
    margin: float | None = None,
    weights: np.ndarray | None = None,
) -> Difference:
    """Return the proportion of `success` among the trials of a minus the proportion among those of b.

    Each participant counts once in each group: the proportion is the mean of the participants' own.

    The variance is two-way clustered (`gan_eval.base.inference`). Residuals are differences from the proportion with
    one success and one failure added (Agresti & Caffo 2000, The American Statistician 54, 280-288), so that a group
    whose answers agree still has an error. The reference is Student's t with one degree of freedom fewer than the
    smallest number of participants, stimuli or shared items behind either group.

    The interval is never narrower than Newcombe's and p never below Fisher's; both treat the answers as independent. If
    all answers of each group agree, these two are computed as if each stimulus (or participant, if fewer and not all
    judged both groups) had been judged once.

    Args:
        success: (N,) bool.
        in_a: (N,) bool, true for a's trials, false for b's; both must occur.
        participant: (N,) int, 0.. .
        stimulus: (N,) int, 0.. .
        item: (N,) int, 0..: items that several stimuli share (`base.inference.shared_items`); None: none.
        weights: (N,) weights of the trials, whose mean is 1 in each group; None: each participant counts once.
    """
    group = (~in_a).astype(int)
    weights = person_weights(participant, group) if weights is None else weights
    (k_a, k_b), (n_a, n_b) = _effective(success, weights, group).tolist()
    difference = k_a / n_a - k_b / n_b
    is_alone = n_levels(participant) == 1
    shown = [stimulus] if item is None else [stimulus, item]
    factors = shown if is_alone else [participant, *shown]
    df = degrees_of_freedom(*factors, side=in_a)
    if df < 1:
        return Difference(difference, note=_TOO_FEW, untested="too few")
    if all(success[group].all() or not success[group].any() for group in (in_a, ~in_a)):
        units_a, units_b = _judged_once(stimulus, participant, in_a)
        agree = "all answers of each group agree: interval and p as if each stimulus had been judged once"
        independent = _newcombe_and_fisher(units_a * (k_a > 0), units_a, units_b * (k_b > 0), units_b, margin)
        return _where_all_agree(independent, difference, is_alone, agree)
    smoothed = np.where(in_a, (k_a + 1) / (n_a + 2), (k_b + 1) / (n_b + 2))
    influence = (success - smoothed) * np.where(in_a, weights, -weights) / np.bincount(group, weights)[group]
    error = float(np.sqrt(two_way(influence[:, None], participant, stimulus, item=item, side=in_a)[0]))
    independent = _newcombe_and_fisher(k_a, n_a, k_b, n_b, margin)
    return _never_more_certain(wald(difference, error, df, margin=margin), independent, is_alone)


def _judged_once(stimulus: np.ndarray, participant: np.ndarray, in_a: np.ndarray) -> tuple[int, int]:
    """Return each group's number of stimuli, or of participants, if fewer and not all of them judged both groups."""
    (stimuli_a, people_a), (stimuli_b, people_b) = (
        [n_levels(factor[group]) for factor in (stimulus, participant)] for group in (in_a, ~in_a)
    )
    crossed = people_a == people_b == n_levels(participant)
    return (stimuli_a, stimuli_b) if crossed else (min(stimuli_a, people_a), min(stimuli_b, people_b))


def _effective(success: np.ndarray, weights: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the numbers of successes and of answers, (2, C), as if each cell had independent answers of equal weight.

    Args:
        weights: (N,) weights of the answers, whose mean is 1 in each cell.
        cell: (N,) int, 0.. without gaps.
    """
    n = effective_numbers(weights, cell)
    return np.array([np.bincount(cell, weights * success) * (n / np.bincount(cell, weights)), n])


def proportion_less_half(
    success: np.ndarray,
    participant: np.ndarray,
    picture: np.ndarray,
    *,
    margin: float | None = None,
    row: np.ndarray | None = None,
    mean: float | None = None,
    other: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> Difference:
    """Return the proportion of `success`, or the mean of several rows' proportions, minus one half.

    The method is that of `difference_of_proportions`, with Wilson's interval and the exact binomial test as those of
    independent answers. Their number, of rows with unequal numbers of answers, is the one that gives the mean its
    variance. One success and one failure are added, in equal parts to each row (Price & Bonett 2004, Computational
    Statistics & Data Analysis 45, 449-456). If all answers agree, the two are computed as if each picture (or
    participant, if fewer) had been judged once.

    Args:
        success: (N,) bool, N of 1 or more.
        participant: (N,) int, 0.. .
        picture: (N,) int, 0.. .
        row: (N,) int, 0.. without gaps: the row of each answer; rows have equal weights. None: one row.
        mean: a better estimate of the difference than that of the observed proportions, if there is one.
        other: (N,) int, 0..: the other picture of each pair, if any two are paired (`other_variance`).
        weights: (N,) weights of the answers, whose mean is 1 in each row; None: each participant counts once.

    >>> result = proportion_less_half(np.arange(40) % 4 > 0, np.repeat(np.arange(4), 10), np.tile(np.arange(10), 4))
    >>> result.difference, result.basis
    (0.25, 'two_way_cluster')
    """
    row = np.zeros(len(success), int) if row is None else row
    weights = person_weights(participant, row) if weights is None else weights
    yes, of_row = _effective(success, weights, row)
    rows = len(of_row)
    difference = float((yes / of_row).mean()) - HALF if mean is None else mean
    is_alone = n_levels(participant) == 1
    if n_levels(picture) < 2:
        return Difference(difference, note=_TOO_FEW, untested="too few")
    df = degrees_of_freedom(*((picture,) if is_alone else (participant, picture)))
    if success.all() or not success.any():
        agree = "all answers agree: interval and p as if each picture or participant had answered once"
        independent = _wilson_and_binomial(float((df + 1) * success.all()), df + 1, margin)
        return _where_all_agree(independent, difference, is_alone, agree)
    variance = two_way(_influence(success, row, weights)[:, None], participant, picture)[0]
    error = float(np.sqrt(variance + (0.0 if other is None else other_variance(success, row, other, weights))))
    n = rows**2 / float((1 / of_row).sum())
    independent = _wilson_and_binomial((HALF + difference) * n, n, margin)
    return _never_more_certain(wald(difference, error, df, margin=margin, bound=HALF), independent, is_alone)


def _influence(success: np.ndarray, row: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return (N,) what each answer adds to the error of the mean of rows' proportions, with two answers added."""
    yes, of_row = _effective(success, weights, row)
    rows = len(of_row)
    smoothed = (yes + 1 / rows) / (of_row + 2 / rows)
    return np.asarray((success - smoothed[row]) * weights / (rows * np.bincount(row, weights)[row]))


def other_variance(success: np.ndarray, row: np.ndarray, other: np.ndarray, weights: np.ndarray) -> float:
    """Return the variance that a third crossed factor adds to the mean of rows' proportions.

    It is the variance clustered by the factor less that of independent answers, as in three-way clustering (Cameron,
    Gelbach & Miller 2011).
    """
    if n_levels(other) < 2:
        return 0.0
    influence = _influence(success, row, weights)[:, None]
    return max(0.0, float((one_way(influence, other) - one_way(influence, None))[0]))


def _where_all_agree(independent: Difference, difference: float, is_alone: bool, note: str) -> Difference:
    """Return the observed difference with the interval and the p of as many answers as there are pictures or people."""
    untested: Untested | None = "one participant" if is_alone else None
    return independent._replace(difference=difference, note=note, untested=untested)


def _never_more_certain(clustered: Difference, independent: Difference, is_alone: bool) -> Difference:
    """Return the clustered test, with the interval and the p of independent answers where these are less certain."""

    def interval(coverage: float) -> tuple[float, float]:
        lows, highs = zip(clustered.interval(coverage), independent.interval(coverage), strict=True)
        return min(lows), max(highs)

    return clustered._replace(
        p=max(independent.p, clustered.p),
        interval=interval,
        p_equivalent=max(independent.p_equivalent, clustered.p_equivalent),
        basis="independent" if is_alone else "two_way_cluster",
        untested="one participant" if is_alone else None,
    )


def _newcombe_and_fisher(k_a: float, n_a: float, k_b: float, n_b: float, margin: float | None) -> Difference:
    def interval(z: float) -> tuple[float, float]:
        low, high = newcombe(k_a, n_a, k_b, n_b, z=z)
        return max(-1.0, low), min(1.0, high)

    p = fisher_p(*(round(k) for k in (k_a, n_a, k_b, n_b)))
    return _independent(k_a / n_a - k_b / n_b, interval, p, margin)


def _wilson_and_binomial(k: float, n: float, margin: float | None) -> Difference:
    def interval(z: float) -> tuple[float, float]:
        low, high = wilson(k, n, z=z)
        return float(low) - HALF, float(high) - HALF

    p = float(binomial_p(round(k), round(n)))
    return _independent(k / n - HALF, interval, p, margin)._replace(bound=HALF)


def _independent(
    difference: float, interval: Callable[[float], tuple[float, float]], p: float, margin: float | None
) -> Difference:
    """Return the result of an interval that can be computed for any quantile z.

    `p_equivalent` is the one-sided p at which the interval just touches the margin; 1 if the estimate is outside.
    """
    p_equivalent = np.nan
    if margin is not None:
        low, high = interval(1e-9)
        if low <= -margin or high >= margin:
            p_equivalent = 1.0
        else:
            inside, outside = 1e-9, 40.0
            for _ in range(60):
                z = (inside + outside) / 2
                low, high = interval(z)
                inside, outside = (z, outside) if -margin < low and high < margin else (inside, z)
            p_equivalent = float(ndtr(-inside))

    def at(coverage: float) -> tuple[float, float]:
        return interval(float(ndtri((1 + coverage) / 2)))

    return Difference(difference, p, None, at, p_equivalent, "independent")
