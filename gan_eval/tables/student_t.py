"""The quantile of Student's t for 95% intervals, without SciPy, whose import takes longer than most commands."""

import math
from statistics import NormalDist


def t_95(df: int) -> float:
    """Return the 97.5% quantile of Student's t with `df` degrees of freedom, by Newton's method from its expansion.

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
