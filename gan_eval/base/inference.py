"""Shares and means with intervals, exact tests, p values by Student's t, Holm's correction, clusters.

An answer's influence is its contribution to an estimate's error. Influences are summed over clusters, and the squared
sums are the variance (Liang & Zeger 1986, Biometrika 73, 13-22). The two-way variance (Cameron, Gelbach & Miller 2011,
Journal of Business & Economic Statistics 29, 238-249) is the variance by participant, plus that by stimulus, minus that
by cell. A cell has the answers of one participant to one stimulus. Stimuli of one item, such as a photograph and its
generated version, need not be independent: the two-way variance by participant and item counts too, if it is larger.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z95 = NormalDist().inv_cdf(0.975)
"""97.5% quantile of the standard normal distribution, for two-sided 95% intervals."""
_CELLS_AT_ONCE = 200_000
"""Approximate number of counts that are drawn at a time."""
REPLICATES = 1000
"""Number of replicates by default, as in `[analysis]`."""


_NO_ERROR = 1e-12
"""Largest standard error, as a share of the estimate, that is a rounding error."""


class Estimate(NamedTuple):
    """A number with its 95% interval; NaN where unknown."""

    value: float
    low: float
    high: float


def proportion(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Return k / n; NaN where n is 0."""
    k, n = np.broadcast_arrays(np.asarray(k, float), np.asarray(n, float))
    return np.divide(k, n, out=np.full(n.shape, np.nan), where=n > 0)


def wilson(k: ArrayLike, n: ArrayLike, *, z: float = Z95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score interval of a proportion k / n (Wilson 1927); NaN where n is 0.

    Args:
        z: standard normal quantile of the interval's ends; default: 95%.

    >>> low, high = wilson(18, 25)
    >>> round(float(low), 5), round(float(high), 5)
    (0.52423, 0.85716)
    """
    k, n = np.broadcast_arrays(np.asarray(k, float), np.asarray(n, float))
    p = np.divide(k, n, out=np.full(n.shape, np.nan), where=n > 0)
    n = np.where(np.isnan(p), 1.0, n)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half_width = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = np.clip(centre - half_width, 0.0, 1.0), np.clip(centre + half_width, 0.0, 1.0)
    return np.where(p == 0, 0.0, low), np.where(p == 1, 1.0, high)  # without rounding errors


def binomial_p(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Exact two-sided binomial test of k of n against 1/2; NaN where n is 0.

    At 1/2 the distribution is symmetric, so twice the smaller tail is exact. A p below 1e-307 is returned
    as 0.

    >>> round(float(binomial_p(18, 25)), 6)
    0.043285
    """
    from scipy.special import bdtr

    k, n = np.broadcast_arrays(np.asarray(k, float), np.asarray(n, float))
    tail = bdtr(np.minimum(k, n - k), n.astype(int), 0.5)
    return np.where(n > 0, np.minimum(1.0, 2 * tail), np.nan)


def mean_interval(values: ArrayLike) -> tuple[float, float, float]:
    """Return the mean of independent values (N,) and its 95% interval by Student's t; NaN with too few values.

    >>> mean, low, high = mean_interval([2.0, 3.0, 4.0])
    >>> mean, round(low, 4), round(high, 4)
    (3.0, 0.5159, 5.4841)
    """
    numbers = np.asarray(values, float)
    mean = float(numbers.mean()) if len(numbers) else np.nan
    if len(numbers) < 2:
        return mean, np.nan, np.nan
    half_width = float(t_95(len(numbers) - 1) * numbers.std(ddof=1) / np.sqrt(len(numbers)))
    return mean, mean - half_width, mean + half_width


def newcombe(k_a: float, n_a: float, k_b: float, n_b: float, *, z: float = Z95) -> tuple[float, float]:
    """Return the interval (default: 95%) of the difference k_a / n_a - k_b / n_b of two independent proportions.

    Newcombe's hybrid of the two Wilson intervals (Newcombe 1998, Statistics in Medicine 17, 873-890, method 10).
    """
    p_a, p_b = k_a / n_a, k_b / n_b
    (low_a, high_a), (low_b, high_b) = wilson(k_a, n_a, z=z), wilson(k_b, n_b, z=z)
    down = float(np.hypot(p_a - low_a, high_b - p_b))
    up = float(np.hypot(high_a - p_a, p_b - low_b))
    return p_a - p_b - down, p_a - p_b + up


def fisher_p(k_a: int, n_a: int, k_b: int, n_b: int) -> float:
    """Fisher's exact two-sided test of k_a of n_a against k_b of n_b.

    p is the probability of all tables with the same sums that are no likelier than the observed one.
    `scipy.stats.fisher_exact` gives the same, but importing `scipy.stats` takes half a second.

    >>> round(fisher_p(8, 10, 3, 10), 6)
    0.069779
    """
    from scipy.special import gammaln

    total = k_a + k_b
    x = np.arange(max(0, total - n_b), min(total, n_a) + 1)
    logs = -(gammaln(x + 1) + gammaln(n_a - x + 1) + gammaln(total - x + 1) + gammaln(n_b - total + x + 1))
    probability = np.exp(logs - logs.max())
    no_likelier = probability <= probability[k_a - x[0]] * (1 + 1e-7)  # equal probabilities may differ by rounding
    return min(1.0, float(probability[no_likelier].sum() / probability.sum()))


def t_critical(df: ArrayLike, *, coverage: float = 0.95) -> np.ndarray:
    """Return the two-sided critical value of Student's t; NaN below one degree of freedom.

    >>> t_critical([24, 0]).round(4).tolist()
    [2.0639, nan]
    """
    from scipy.special import stdtrit

    df = np.asarray(df, float)
    return np.where(df >= 1, stdtrit(np.maximum(df, 1.0), (1 + coverage) / 2), np.nan)


def two_sided_p(estimate: ArrayLike, std_error: ArrayLike, df: ArrayLike) -> np.ndarray:
    """Return p of each estimate against 0 by Student's t; NaN where the error is not above 0."""
    from scipy.special import stdtr

    error = np.asarray(std_error, float)
    return np.asarray(2 * stdtr(df, -np.abs(np.asarray(estimate, float)) / np.where(error > 0, error, np.nan)))


def equivalence_p(estimate: ArrayLike, std_error: ArrayLike, df: ArrayLike, margin: float) -> np.ndarray:
    """Return the larger p of two one-sided tests of -margin < difference < margin; NaN where the error is not above 0.

    See Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.
    """
    from scipy.special import stdtr

    error = np.asarray(std_error, float)
    beyond = np.abs(np.asarray(estimate, float)) - margin
    return np.asarray(stdtr(df, beyond / np.where(error > 0, error, np.nan)))


def t_95(df: int) -> float:
    """Return the 97.5% quantile of Student's t with `df` degrees of freedom, by Newton's method from its expansion.

    It needs no SciPy, whose import takes longer than most commands.

    Abramowitz and Stegun 1964: 26.7.5, and 26.7.3 or 26.7.4 for the probability of the interval.

    >>> round(t_95(9), 12), round(t_95(1), 10)
    (2.262157162798, 12.7062047362)
    """
    z = NormalDist().inv_cdf(0.975)
    t = z + (z**3 + z) / (4 * df) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
    t += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * df**3)
    t += (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * df**4)
    if df > 2000:
        return t
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    for _ in range(6):
        t -= (_inside(t, df) - 0.95) / (2 * scale * (1 + t * t / df) ** (-(df + 1) / 2))
    return t


def _inside(t: float, df: int) -> float:
    """Return the probability of values between -t and t."""
    angle = math.atan2(t, math.sqrt(df))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    term, total = (math.cos(angle), 0.0) if df % 2 else (1.0, 0.0)
    for k in range(1 if df % 2 else 0, df - 1, 2):
        total += term
        term *= square * (k + 1) / (k + 2)
    return 2 / math.pi * (angle + sine * total) if df % 2 else sine * total


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return Holm's step-down adjusted p values (Scandinavian Journal of Statistics 6, 1979, 65-70); missing ones stay
    missing and do not count.

    Args:
        p: (..., m) families of m tests along the last axis; NaN is missing.

    >>> holm([[0.01, 0.04, 0.03], [0.5, np.nan, 0.01]]).round(2).tolist()
    [[0.03, 0.06, 0.06], [0.5, nan, 0.02]]
    """
    p = np.asarray(p, np.float64)
    order = np.argsort(p, axis=-1, kind="stable")  # missing ones come last
    ordered = np.take_along_axis(p, order, axis=-1)
    left = (~np.isnan(p)).sum(axis=-1, keepdims=True) - np.arange(p.shape[-1])
    raised = np.where(np.isnan(ordered), np.nan, np.minimum(1.0, np.maximum.accumulate(ordered * left, axis=-1)))
    adjusted = np.empty(p.shape)
    np.put_along_axis(adjusted, order, raised, axis=-1)
    return adjusted


def sampled_counts(rng: np.random.Generator, of: int, size: int) -> np.ndarray:
    """Draw (size, of): how often each of `of` is sampled in `of` draws with replacement."""
    counts, step = np.empty((size, of)), max(1, _CELLS_AT_ONCE // max(of, 1))
    for start in range(0, size, step):
        part = counts[start : start + step]
        cell = rng.integers(of, size=part.shape) + np.arange(len(part))[:, None] * of
        part[:] = np.bincount(cell.ravel(), minlength=part.size).reshape(part.shape)
    return counts


def bootstrap_interval(replicates: np.ndarray, estimate: float, *, n: int | None = None) -> tuple[float, float]:
    """Return the 95% interval from the standard deviation of the finite replicates; NaN if fewer than 9 in 10 are so.

    Resampling people and items adds the answers' noise, which pulls correlations towards 0: percentiles are too low,
    and bias-corrected ones (BC, BCa) too narrow (results/calibration.md). So only the replicates' spread is used.

    Args:
        replicates: (B,) statistics.
        n: the points of a correlation: spread on Fisher's scale (`inner_rank`).
    """
    finite = replicates[np.isfinite(replicates)]
    if len(finite) < 0.9 * len(replicates) or len(finite) < 2:
        return np.nan, np.nan
    if n is None:
        half_width = Z95 * float(finite.std(ddof=1))
        return estimate - half_width, estimate + half_width
    half_width = Z95 * float(np.arctanh(inner_rank(finite, n)).std(ddof=1))
    low, high = np.tanh(np.arctanh(inner_rank(estimate, n)) + np.array([-half_width, half_width]))
    return min(float(low), estimate), max(float(high), estimate)


def inner_rank(r: ArrayLike, n: int) -> np.ndarray:
    """Return rank correlations of n points for Fisher's scale, where ±1 is infinite.

    ±1 becomes the middle between it and the next value that n ranks without ties can have.

    >>> inner_rank([1.0, 0.5, -1.0], 5).tolist()
    [0.95, 0.5, -0.95]
    """
    most = 1 - 6 / (n * (n * n - 1))
    return np.clip(np.asarray(r, float), -most, most)


def two_way(
    influence: np.ndarray,
    participant: np.ndarray,
    stimulus: np.ndarray,
    *,
    item: np.ndarray | None = None,
    side: np.ndarray | None = None,
) -> np.ndarray:
    """Return (K,) variances of K estimates: the largest of the two-way variance and the two one-way variances.

    The two-way variance can be too small, or negative. A factor with only one level is ignored, since one level shows
    no variance.

    Args:
        influence: (N, K) what each trial adds to the estimates' errors.
        participant: (N,) int, 0.. .
        stimulus: (N,) int, 0.. .
        item: (N,) int, 0..: items that several stimuli share (`shared_items`). The variances by item and by participant
            and item count too, if they are larger. None: each stimulus has an item of its own.
        side: (N,) bool, if two groups of trials are compared: each has its own number of clusters; None: one group.

    >>> influence = np.array([[1.0], [-1.0], [1.0], [1.0]])
    >>> two_way(influence, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])).round(2).tolist()
    [10.67]
    """
    pictures = [factor for factor in (stimulus, item) if factor is not None and _varies(factor)]
    people = [participant] if _varies(participant) else []
    if not people and not pictures:
        return np.asarray(influence.sum(axis=0) ** 2)
    return np.asarray(np.max(ways(lambda cluster: one_way(influence, cluster, side=side), people, pictures), axis=0))


def ways(
    of: Callable[[np.ndarray], np.ndarray], people: Sequence[np.ndarray], pictures: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Return each one-way variance, and the two-way variance of each pair of factors.

    Args:
        of: variance or covariance by one factor.
        people: (N,) participants, 0.. ; empty: one participant, not a factor.
        pictures: stimuli, and items if stimuli share them, (N,) each.
    """
    by_people, by_pictures = [of(factor) for factor in people], [of(factor) for factor in pictures]
    both = [
        by_person + by_picture - of(cells(person, picture))
        for person, by_person in zip(people, by_people, strict=True)
        for picture, by_picture in zip(pictures, by_pictures, strict=True)
    ]
    return [*by_people, *by_pictures, *both]


def _varies(factor: np.ndarray) -> bool:
    return bool(len(factor) and factor.min() < factor.max())


def shared_items(item: np.ndarray, stimulus: np.ndarray, *, side: np.ndarray | None = None) -> np.ndarray | None:
    """Return the items if several stimuli share one, such as a photograph and its generated version; else None.

    A side whose pictures are all of one item shows no variance of items; then the result is None, too.

    Args:
        item: (N,) int, 0.. .
        stimulus: (N,) int, 0.. ; each is of one item.
        side: (N,) bool; None: one side.

    >>> stimulus = np.arange(4)
    >>> shared_items(np.array([0, 1, 0, 1]), stimulus).tolist(), shared_items(stimulus, stimulus)
    ([0, 1, 0, 1], None)
    """
    is_shared = n_levels(item) < n_levels(stimulus) and degrees_of_freedom(item, side=side) > 0
    return item if is_shared else None


def item_covariance(
    influence: np.ndarray,
    participant: np.ndarray,
    stimulus: np.ndarray,
    item: np.ndarray | None,
    *,
    side: np.ndarray | None = None,
) -> np.ndarray:
    """Return the (K, K) covariance that items have beyond stimuli: two-way by item minus two-way by stimulus.

    It may be negative in some directions: items then have no variance beyond that of their stimuli. The arguments are
    those of `two_way`; without an item the covariance is 0.
    """
    if item is None:
        return np.zeros(2 * influence.shape[1:])
    of = partial(cluster_covariance, influence, side=side)
    by_item, by_stimulus = of(item) - of(cells(participant, item)), of(stimulus) - of(cells(participant, stimulus))
    return np.asarray(by_item - by_stimulus)


def cluster_covariance(influence: np.ndarray, cluster: np.ndarray, *, side: np.ndarray | None = None) -> np.ndarray:
    """Return the (K, K) covariance clustered by one factor, whose diagonal is that of `one_way`."""
    sums = cluster_sums(influence, cluster, side=side).sum(axis=1)
    return np.asarray(sums @ sums.T)


def cells(participant: np.ndarray, stimulus: np.ndarray) -> np.ndarray:
    """Return (N,) a number for each combination of a participant and a stimulus."""
    return participant.astype(np.int64) * (int(stimulus.max(initial=0)) + 1) + stimulus


def one_way(influence: np.ndarray, cluster: np.ndarray | None, *, side: np.ndarray | None = None) -> np.ndarray:
    """Return (K,) sums over clusters of squared sums of influences, times C / (C - 1) for each side's C clusters.

    The result is NaN if a side has one cluster.

    Args:
        influence: (N, K).
        cluster: (N,) int, 0.. ; None: each trial is a cluster of its own.
        side: (N,) bool; None: one side.
    """
    return np.asarray((cluster_sums(influence, cluster, side=side).sum(axis=1) ** 2).sum(axis=1))


def cluster_sums(influence: np.ndarray, cluster: np.ndarray | None, *, side: np.ndarray | None = None) -> np.ndarray:
    """Return (K, sides, C) sums of influences by cluster and side, times the root of C / (C - 1) of each side.

    The arguments are those of `one_way`; C is the side's number of clusters. A cluster without answers of a side has 0;
    the only cluster of a side has NaN.
    """
    cell = np.arange(len(influence)) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    clusters, sides = int(cell.max(initial=-1)) + 1, 1 if side is None else 2
    if side is not None:
        cell *= 2
        cell += side
    occurs = np.bincount(cell, minlength=sides * clusters).reshape(-1, sides).T > 0
    number = occurs.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(number > 1, np.sqrt(number / (number - 1)), np.nan)
    sums = np.empty((influence.shape[1], *occurs.shape))
    for sums_here, column in zip(sums, influence.T, strict=True):
        sums_here[:] = np.bincount(cell, column, sides * clusters).reshape(-1, sides).T
    np.copyto(np.multiply(sums, factor, out=sums), 0.0, where=~occurs)
    return sums


def degrees_of_freedom(*factors: np.ndarray, side: np.ndarray | None = None) -> int:
    """Return the degrees of freedom: one fewer than the smallest number of levels of a factor on either side.

    Args:
        factors: (N,) int, 0.. each: participants, stimuli.
        side: (N,) bool; None: one side.

    >>> side = np.array([True, True, False, False, False])
    >>> degrees_of_freedom(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 3, 4]), side=side)
    0
    """
    sides = (slice(None),) if side is None else (side, ~side)
    return min(n_levels(factor[chosen]) for factor in factors for chosen in sides) - 1


def two_way_interval(
    estimate: float, influence: np.ndarray, participant: np.ndarray, picture: np.ndarray
) -> tuple[float, float]:
    """Return the 95% interval of an estimate over people and pictures: `two_way`, and Student's t with the degrees of
    freedom of `degrees_of_freedom`. Of one participant it is over pictures alone.

    Args:
        influence: (N,) what each answer adds to the estimate's error.
        participant: (N,) int, 0.. .
        picture: (N,) int, 0.. .

    Returns:
        NaN with fewer than two pictures, and if neither differ.
    """
    people = [participant] if _varies(participant) else []
    if len(influence) == 0 or (df := degrees_of_freedom(picture, *people)) < 1:
        return np.nan, np.nan
    error = float(np.sqrt(two_way(influence[:, None], participant, picture)[0]))
    if error <= _NO_ERROR * max(1.0, abs(estimate)):
        return np.nan, np.nan
    half_width = float(t_critical(df)) * error
    return estimate - half_width, estimate + half_width


def mean_of_people(values: np.ndarray, participant: np.ndarray, picture: np.ndarray) -> Estimate:
    """Return the mean of the participants' means, each counting alike, with its interval over people and pictures.

    Args:
        values: (N,) answers, such as grades.
        participant: (N,) int, 0.. without gaps.
        picture: (N,) int, 0.. .

    Returns:
        The interval is that of `two_way_interval`; all is NaN without a value.

    >>> person, picture = np.array([0, 0, 1, 1, 1, 2, 2, 2]), np.array([0, 1, 0, 1, 2, 0, 1, 2])
    >>> [round(number, 4) for number in mean_of_people(np.array([1.0, 2, 2, 2, 4, 3, 3, 3]), person, picture)]
    [2.3889, 0.272, 4.5058]
    """
    if len(values) == 0:
        return Estimate(np.nan, np.nan, np.nan)
    answers = np.bincount(participant)
    weight = 1 / (len(answers) * answers[participant])
    mean = float(weight @ values)
    return Estimate(mean, *two_way_interval(mean, weight * (values - mean), participant, picture))


def satterthwaite(variances: ArrayLike, df: ArrayLike) -> float:
    """Return the approximate degrees of freedom of a sum of independent variances; the smallest if all are 0.

    See Satterthwaite 1946, Biometrics Bulletin 2, 110-114, and Welch 1947, Biometrika 34, 28-35.

    >>> satterthwaite([1.0, 1.0], [5, 5]), satterthwaite([1.0, 0.0], [5, 9])
    (10.0, 5.0)
    """
    variances, df = np.asarray(variances, float), np.asarray(df, float)
    squares = float((variances**2 / df).sum())
    return float(variances.sum()) ** 2 / squares if squares > 0 else float(df.min())


def n_levels(factor: np.ndarray) -> int:
    """Return the number of distinct values (N,), int and 0.. .

    >>> n_levels(np.array([3, 0, 3]))
    2
    """
    return int(np.count_nonzero(np.bincount(factor)))


def side_of(column: np.ndarray) -> np.ndarray | None:
    """Return (N,) bool: the rows with the smaller of a covariate's two values; None if it has not exactly two."""
    low, high = column.min(initial=np.inf), column.max(initial=-np.inf)
    return column == low if low < high and ((column == low) | (column == high)).all() else None
