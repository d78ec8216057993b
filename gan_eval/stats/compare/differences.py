"""Differences of two proportions, or of one proportion and one half, with errors clustered by participant and stimulus.

Clustering can only take information away, so no interval is narrower and no p lower than those of independent answers.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from gan_eval.stats.clustering import equivalence_p, freedom, n_levels, t_critical, two_sided_p, two_way
from gan_eval.stats.groups import joined
from gan_eval.stats.shares import Z90, Z95, binomial_p, fisher_p, newcombe, wilson

HALF = 0.5
"""Share of choices of either of two pictures by chance."""
_TOO_FEW = "too few participants or stimuli for an interval"
ONE_PARTICIPANT = "one participant: says nothing of people in general"
"""Note of a row that has an interval over pictures, but no test and no verdict."""


FEW_PEOPLE = 6
"""Number of people below which a note says that intervals are wide by necessity."""


def few_people(number: int) -> str:
    """The note on intervals between so few people; empty for one, who has a note of their own, and for enough."""
    if not 1 < number < FEW_PEOPLE:
        return ""
    return f"{number} participants: too few to know how people differ, so the intervals are wide by necessity"


class WaldTest(NamedTuple):
    """Intervals and test of an estimate, with Student's t as the reference."""

    ci_low: float
    ci_high: float
    ci90_low: float
    ci90_high: float
    p: float
    """Two-sided, against 0."""


Interval = Callable[[float], tuple[float, float]]
"""The ends of an interval by its coverage, below 1."""


def wald(estimate: float, std_error: float, df: float) -> WaldTest:
    """Intervals within -1..1 and test of a difference, Student's t with `df` degrees of freedom as the reference.

    >>> test = wald(0.1, 0.05, 1e9)
    >>> round(test.ci_low, 4), round(test.ci90_high, 4), round(test.p, 4)
    (0.002, 0.1822, 0.0455)
    """
    interval = wald_interval(estimate, std_error, df)
    return WaldTest(*interval(0.95), *interval(0.9), float(two_sided_p(estimate, std_error, df)))


class Difference(NamedTuple):
    """Proportion of a minus proportion of b, or minus one half; NaN where unknown."""

    difference: float
    ci_low: float
    ci_high: float
    p: float
    """Two-sided."""
    note: str | None
    ci90_low: float = np.nan
    ci90_high: float = np.nan
    p_equivalent: float = np.nan
    """The larger p of two one-sided tests against the margin; NaN without a margin."""
    basis: str | None = None
    """`crossed_model`, `two_way_cluster` or `independent`; None without an interval."""
    check_p: float = np.nan
    """p of the clustered proportions, next to a crossed model."""
    interval: Interval | None = None
    """Its interval at any coverage; None without one."""
    bound: float = 1.0
    """Largest size of such a difference."""


def wald_interval(estimate: float, std_error: float, df: float, *, bound: float = 1.0) -> Interval:
    """The interval of `wald` at any coverage, within -bound..bound."""

    def interval(coverage: float) -> tuple[float, float]:
        reach = float(t_critical(df, coverage=coverage)) * std_error
        return max(-bound, estimate - reach), min(bound, estimate + reach)

    return interval


_BESIDE_ZERO = 1e-9
"""Stands for an end at 0 that is left out."""


def simultaneous_intervals(
    intervals: Sequence[Interval | None], bounds: np.ndarray, p_holm: np.ndarray, *, alpha: float
) -> np.ndarray:
    """Intervals (M, 2) of M differences that are tested together, which agree with Holm's test.

    An interval leaves out 0 exactly where p_holm < alpha, and all hold their true differences at once in 1 - alpha of
    studies. That is the confidence region of Holm's test (Guilbaud 2008, Biometrical Journal 50, 678-692; Strassburger
    & Bretz 2008, Statistics in Medicine 27, 4914-4927). Where the test rejects some hypotheses only, it has used up
    alpha: the intervals of these say the sign alone and reach to the end of the scale. The others, and all where all
    are rejected, are Bonferroni's, at 1 - alpha / M.

    The step-down levels 1 - alpha / (M - k + 1) for the k-th smallest p would leave 0 out in the same rows, but miss
    one of two large differences in 7.4 % of studies. With ours the worst case known is one true null next to a
    difference that is significant unless its interval misses it: 6.2 % of two.

    Args:
        intervals: of each difference; None without one.
        bounds: (M,) largest size of each difference.
        p_holm: (M,) p values after Holm's correction; NaN where there is no test, and then no interval.
        alpha: level; NaN: no test yet, and no intervals.
    """
    ends = np.full((len(intervals), 2), np.nan)
    is_tested, rejected = ~np.isnan(p_holm), p_holm < alpha
    number = int(is_tested.sum())
    if np.isnan(alpha):
        return ends
    for place, interval in enumerate(intervals):
        if interval is None or not is_tested[place]:
            continue
        low, high = interval(1 - alpha / number)
        if not rejected[place]:
            ends[place] = min(low, 0.0), max(high, 0.0)
            continue
        is_above = low + high > 0
        if rejected.sum() < number:
            low, high = (0.0, float(bounds[place])) if is_above else (-float(bounds[place]), 0.0)
        ends[place] = (max(low, _BESIDE_ZERO), high) if is_above else (low, min(high, -_BESIDE_ZERO))
    return ends


def difference_of_proportions(
    success: np.ndarray, in_a: np.ndarray, participant: np.ndarray, stimulus: np.ndarray, *, margin: float | None = None
) -> Difference:
    """Proportion of `success` among the trials of a minus the proportion among those of b.

    The variance is two-way clustered (`gan_eval.stats.clustering`). Residuals are taken from the proportion with one
    success and one failure added (Agresti & Caffo 2000, The American Statistician 54, 280-288), so that a group whose
    answers agree is not taken for certain. The reference is Student's t with one degree of freedom fewer than the
    smallest number of participants or stimuli behind either group.

    The interval is never narrower than Newcombe's and p never below Fisher's, both of which take the answers as
    independent. Where all answers of each group agree these two are taken as if each stimulus (or participant, if fewer
    and not all judged both groups) had been judged once.

    Args:
        success: (N,) bool.
        in_a: (N,) bool, true for a's trials, false for b's; both must occur.
        participant: (N,) int, 0.. .
        stimulus: (N,) int, 0.. .
    """
    (k_a, n_a), (k_b, n_b) = ((int(success[group].sum()), int(group.sum())) for group in (in_a, ~in_a))
    difference = k_a / n_a - k_b / n_b
    participants = n_levels(participant)
    factors = (stimulus,) if participants == 1 else (participant, stimulus)
    df = freedom(*factors, side=in_a)
    if df < 1:
        return Difference(difference, np.nan, np.nan, np.nan, _TOO_FEW)
    note = ONE_PARTICIPANT if participants == 1 else ""
    if all(success[group].all() or not success[group].any() for group in (in_a, ~in_a)):
        (stimuli_a, people_a), (stimuli_b, people_b) = (
            [n_levels(factor[group]) for factor in (stimulus, participant)] for group in (in_a, ~in_a)
        )
        crossed = people_a == people_b == participants
        units_a, units_b = (stimuli_a, stimuli_b) if crossed else (min(stimuli_a, people_a), min(stimuli_b, people_b))
        agree = "all answers of each group agree: interval and p as if each stimulus had been judged once"
        independent = _newcombe_and_fisher(units_a * (k_a > 0), units_a, units_b * (k_b > 0), units_b, margin)
        return independent._replace(difference=difference, note=joined(agree, note))
    smoothed = np.where(in_a, (k_a + 1) / (n_a + 2), (k_b + 1) / (n_b + 2))
    influence = (success - smoothed) * np.where(in_a, 1 / n_a, -1 / n_b)
    error = float(np.sqrt(two_way(influence[:, None], participant, stimulus, side=in_a)[0]))
    independent = _newcombe_and_fisher(k_a, n_a, k_b, n_b, margin)
    return _clustered(difference, error, df, independent, margin, note=note, single=participants == 1)


def proportion_less_half(
    success: np.ndarray,
    participant: np.ndarray,
    picture: np.ndarray,
    *,
    margin: float | None = None,
    row: np.ndarray | None = None,
    mean: float | None = None,
) -> Difference:
    """The proportion of `success` minus one half; of several rows the mean of their proportions.

    As `difference_of_proportions`; Wilson's interval and the exact binomial test take the answers as independent, of
    rows with unequal numbers of answers so many that the variance is the mean's. One success and one failure are added,
    in equal parts to each row (Price & Bonett 2004, Computational Statistics & Data Analysis 45, 449-456). Where all
    answers agree Wilson's interval and the test are taken as if each picture (or participant, if fewer) had been judged
    once.

    Args:
        success: (N,) bool, N of 1 or more.
        participant: (N,) int, 0.. .
        picture: (N,) int, 0.. .
        row: (N,) int, 0.. without gaps: rows, each counted once; None: one.
        mean: the difference, if it is known better than by the observed proportions.

    >>> result = proportion_less_half(np.arange(40) % 4 > 0, np.repeat(np.arange(4), 10), np.tile(np.arange(10), 4))
    >>> result.difference, result.basis
    (0.25, 'two_way_cluster')
    """
    row = np.zeros(len(success), int) if row is None else row
    of_row, yes = np.bincount(row), np.bincount(row, success)
    rows = len(of_row)
    difference = float((yes / of_row).mean()) - HALF if mean is None else mean
    single = n_levels(participant) == 1
    if n_levels(picture) < 2:
        return Difference(difference, np.nan, np.nan, np.nan, _TOO_FEW)
    df = freedom(*((picture,) if single else (participant, picture)))
    note = ONE_PARTICIPANT if single else ""
    if success.all() or not success.any():
        agree = "all answers agree: interval and p as if each picture or participant had answered once"
        independent = _wilson_and_binomial(float((df + 1) * success.all()), df + 1, margin)
        return independent._replace(difference=difference, note=joined(agree, note))
    smoothed = (yes + 1 / rows) / (of_row + 2 / rows)
    influence = (success - smoothed[row]) / (rows * of_row[row])
    error = float(np.sqrt(two_way(influence[:, None], participant, picture)[0]))
    n = rows**2 / float((1 / of_row).sum())
    independent = _wilson_and_binomial((HALF + difference) * n, n, margin)
    return _clustered(difference, error, df, independent, margin, note=note, single=single, bound=HALF)


def _clustered(
    difference: float,
    error: float,
    df: int,
    independent: Difference,
    margin: float | None,
    *,
    note: str,
    single: bool,
    bound: float = 1.0,
) -> Difference:
    """The clustered test, never more certain than that of independent answers; `single`: of one participant."""
    test, clustered = wald(difference, error, df), wald_interval(difference, error, df, bound=bound)
    p_equivalent = np.nan

    def interval(coverage: float) -> tuple[float, float]:
        assert independent.interval is not None
        ends = clustered(coverage), independent.interval(coverage)
        return min(low for low, _ in ends), max(high for _, high in ends)

    if margin is not None:
        p_equivalent = max(independent.p_equivalent, float(equivalence_p(difference, error, df, margin)))
    return Difference(
        difference,
        max(-bound, min(independent.ci_low, test.ci_low)),
        min(bound, max(independent.ci_high, test.ci_high)),
        max(independent.p, test.p),
        note,
        max(-bound, min(independent.ci90_low, test.ci90_low)),
        min(bound, max(independent.ci90_high, test.ci90_high)),
        p_equivalent,
        "independent" if single else "two_way_cluster",
        interval=interval,
        bound=bound,
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
    """The result of an interval at any quantile z. `p_equivalent` is the one-sided p at which it just touches the
    margin; where the estimate itself lies outside, 1."""
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
    ends = (*interval(Z95), p, "", *interval(Z90))
    return Difference(
        difference,
        *ends,
        p_equivalent,
        "independent",
        interval=lambda coverage: interval(float(ndtri((1 + coverage) / 2))),
    )
