"""Intervals and exact tests of proportions and means, for whole columns."""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gan_eval.science.p_values import t_95

Z95 = NormalDist().inv_cdf(0.975)
"""97.5% quantile of the standard normal distribution, for two-sided 95% intervals."""


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
    p = proportion(k, n)
    n = np.where(np.isnan(p), 1.0, np.asarray(n, float))
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
