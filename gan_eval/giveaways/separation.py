"""How well one clue separates generated from real pictures: the area under the ROC curve (AUC), its interval and test.

The AUC is the share of (real, fake) pairs that a rule orders rightly, ties counting half: 0.5 tells nothing, 1 and 0
tell everything. For numbers the rule is "the fake has the larger one"; for categories see `categories`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Separation:
    """An AUC with its interval and its test."""

    auc: float
    low: float
    high: float
    p: float | None
    """Two-sided, against no separation; None where no test was wanted."""
    certain: float | None = None
    """Of a category: share of the pictures that are told for sure, see `categories.certain_share`."""


def separate_numbers(real: ArrayLike, fake: ArrayLike, *, tried: int = 1) -> Separation:
    """AUC of "the fake has the larger number", with interval and test.

    Args:
        real, fake: (m,) and (n,) finite numbers.
        tried: how many such rules this one was chosen from; interval and test are Bonferroni's for as many.
    """
    real, fake = np.asarray(real, dtype=np.float64), np.asarray(fake, dtype=np.float64)
    auc = mann_whitney_auc(real, fake)
    low, high = auc_interval(auc, len(real), len(fake), level=1 - 0.05 / tried)
    p = mann_whitney_p(real, fake)
    return Separation(auc, low, high, min(1.0, p * tried))


def mann_whitney_auc(real: NDArray[np.float64], fake: NDArray[np.float64]) -> float:
    """Share of pairs in which the fake's number is larger, ties counting half (the Mann-Whitney U over m n).

    >>> mann_whitney_auc(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.875
    """
    ordered = np.sort(real)
    below = np.searchsorted(ordered, fake, side="left").sum(dtype=np.float64)
    not_above = np.searchsorted(ordered, fake, side="right").sum(dtype=np.float64)
    return float((below + not_above) / (2 * len(real) * len(fake)))


def mann_whitney_p(real: NDArray[np.float64], fake: NDArray[np.float64]) -> float:
    """Two-sided Mann-Whitney test: normal approximation with the variance under ties, no continuity correction."""
    m, n = len(real), len(fake)
    _, ties = np.unique(np.concatenate([real, fake]), return_counts=True)
    both = m + n
    ties_share = (ties.astype(np.float64) ** 3 - ties).sum() / (float(both) ** 3 - both)
    variance = (both + 1) / (12 * m * n) * (1 - ties_share)
    if variance <= 0:  # all numbers are one
        return 1.0
    z = abs(mann_whitney_auc(real, fake) - 0.5) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))


def auc_interval(auc: float, m: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Newcombe's interval for an AUC from m and n cases (Statistics in Medicine 25, 2006, 559-573, method 5).

    The bounds are the values from which the AUC is just as far as chance allows, by Hanley and McNeil's variance with
    both sample sizes at their mean. It stays open at a perfect separation, and is too wide, never too narrow, where
    values are tied.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)

    def spread(value: float) -> float:
        mean_size = (m + n) / 2 - 1
        more = mean_size * ((1 - value) / (2 - value) + value / (1 + value))
        return z * math.sqrt(max(0.0, value * (1 - value) * (1 + more) / (m * n)))

    return _crossing(lambda value: auc - value - spread(value), auc, 0.0), _crossing(
        lambda value: value - auc - spread(value), auc, 1.0
    )


def _crossing(excess: Callable[[float], float], inner: float, outer: float) -> float:
    """Where `excess` turns from at most 0 (at `inner`) to positive (towards `outer`), by bisection."""
    if excess(outer) <= 0:
        return outer
    for _ in range(60):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if excess(middle) <= 0 else (inner, middle)
    return (inner + outer) / 2
