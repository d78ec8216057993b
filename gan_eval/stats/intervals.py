"""Intervals and exact tests of shares, for whole columns at once."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, ndtri

Z95 = float(ndtri(0.975))
"""The two-sided 95 % point of the standard normal distribution."""


def share(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """k / n, NaN where n is 0."""
    k, n = np.broadcast_arrays(np.asarray(k, float), np.asarray(n, float))
    return np.divide(k, n, out=np.full(n.shape, np.nan), where=n > 0)


def wilson(k: ArrayLike, n: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's 95 % score interval of a share k / n (Wilson 1927); NaN where n is 0.

    Args:
        k: successes, 0..n.
        n: trials.

    >>> low, high = wilson(18, 25)
    >>> round(float(low), 5), round(float(high), 5)
    (0.52423, 0.85716)
    """
    p = share(k, n)
    n = np.where(np.isnan(p), 1.0, np.asarray(n, float))
    centre = (p + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * np.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)


def binomial_p(k: ArrayLike, n: ArrayLike) -> np.ndarray:
    """Exact two-sided binomial test of k of n against 1/2; NaN where n is 0.

    At 1/2 the distribution is symmetric, so twice the smaller tail is exact.

    >>> round(float(binomial_p(18, 25)), 6)
    0.043285
    """
    k, n = np.broadcast_arrays(np.asarray(k, float), np.asarray(n, float))
    tail = bdtr(np.minimum(k, n - k), n.astype(int), 0.5)
    return np.where(n > 0, np.minimum(1.0, 2 * tail), np.nan)


def newcombe(k_a: float, n_a: float, k_b: float, n_b: float) -> tuple[float, float]:
    """95 % interval of the difference k_a / n_a - k_b / n_b of two independent shares.

    Newcombe's hybrid of the two Wilson intervals (Newcombe 1998, Statistics in Medicine 17, 873-890, method 10).
    """
    p_a, p_b = k_a / n_a, k_b / n_b
    (low_a, high_a), (low_b, high_b) = wilson(k_a, n_a), wilson(k_b, n_b)
    down = float(np.hypot(p_a - low_a, high_b - p_b))
    up = float(np.hypot(high_a - p_a, p_b - low_b))
    return p_a - p_b - down, p_a - p_b + up
