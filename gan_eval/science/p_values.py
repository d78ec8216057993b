"""p values and intervals by Student's t, and p values corrected for several tests."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
    known = np.take_along_axis(p, order, axis=-1)
    left = (~np.isnan(p)).sum(axis=-1, keepdims=True) - np.arange(p.shape[-1])
    raised = np.where(np.isnan(known), np.nan, np.minimum(1.0, np.maximum.accumulate(known * left, axis=-1)))
    adjusted = np.empty(p.shape)
    np.put_along_axis(adjusted, order, raised, axis=-1)
    return adjusted
