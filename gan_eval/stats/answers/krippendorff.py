"""Krippendorff's alpha of answers counted by unit, with a bootstrap over units.

Krippendorff 2004, Content Analysis, 2nd edition, chapter 11.
"""

from typing import Literal

import numpy as np

from gan_eval.stats.resampling import draws_of_alike, percentile_interval

REPLICATES = 1000
"""Of the bootstrap; very many units get fewer, never under 200."""
_CELLS = 4_000_000
"""Units times replicates held at a time."""
_WORK = 2e9
"""Different units times values times replicates, at most."""
_DRAWS = 20_000_000
"""Units times replicates, at most."""

Level = Literal["nominal", "ordinal"]


def alpha(counts: np.ndarray, level: Level) -> float:
    """1 - observed / expected disagreement; NaN where all answers are the same or nothing can be compared.

    Any number of answers to a unit; units with fewer than two say nothing and are left out.

    Args:
        counts: (U, V) how often each of V values, in their order, was given to each of U units.
        level: of measurement.

    >>> round(alpha(np.array([[2, 0], [2, 0], [1, 1], [0, 2]]), "nominal"), 4)
    0.5333
    """
    pairable = counts[counts.sum(axis=1) >= 2].astype(float)
    return float(_alphas(pairable, np.ones((1, len(pairable))), level)[0])


def alpha_interval(counts: np.ndarray, level: Level, *, seed: int) -> tuple[float, float]:
    """95 % percentile interval of alpha under resampling of units; NaN where it cannot be told.

    Units with equal counts are drawn together, which is the same and quicker. Where fewer than nine in ten replicates
    have an alpha there is no interval.

    Args:
        counts: (U, V) as for `alpha`.
        level: of measurement.
        seed: equal seeds give equal intervals, whatever the order of the units.
    """
    pairable = counts[counts.sum(axis=1) >= 2].astype(float)
    if len(pairable) < 2:
        return np.nan, np.nan
    different, times = _profiles(pairable)
    replicates = int(np.clip(min(_WORK // different.size, _DRAWS // len(pairable)), 200, REPLICATES))
    rng, chunk = np.random.default_rng(seed), max(1, _CELLS // len(different))
    sizes = [min(chunk, replicates - start) for start in range(0, replicates, chunk)]
    found = np.concatenate([_alphas(different, draws_of_alike(rng, times, size), level) for size in sizes])
    return percentile_interval(found)


def _profiles(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(D, V) the different units, in an order that is theirs alone, and (D,) how many there are of each."""
    base = int(counts.max()) + 1
    if base ** counts.shape[1] >= 2**53:  # too many to be told apart by one number
        return np.unique(counts, axis=0, return_counts=True)
    key = counts @ (float(base) ** np.arange(counts.shape[1]))
    _, first, times = np.unique(key, return_index=True, return_counts=True)
    return counts[first], times


def _alphas(counts: np.ndarray, weight: np.ndarray, level: Level) -> np.ndarray:
    """(B,) alpha with each unit counted `weight` (B, U) times; every unit has two answers or more.

    The ordinal distance of two values is the difference, squared, of their mean ranks among all answers; so the sum
    over pairs within a unit follows from the sum of the ranks and the sum of their squares.
    """
    answers = counts.sum(axis=1)
    total = weight @ counts
    every = total.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if level == "nominal":
            within = (answers**2 - (counts**2).sum(axis=1)) / (answers - 1)
            observed = weight @ within
            expected = (every**2 - (total**2).sum(axis=1)) / (every - 1)
        else:
            rank = np.cumsum(total, axis=1) - total / 2
            rank -= every[:, None] / 2  # centred, so that the differences of squares below lose no digits
            squares = (weight @ (counts * (answers / (answers - 1))[:, None]) * rank**2).sum(axis=1)
            sums = rank @ counts.T
            observed = squares - (weight / (answers - 1) * sums**2).sum(axis=1)
            expected = (every * (total * rank**2).sum(axis=1) - (total * rank).sum(axis=1) ** 2) / (every - 1)
        varied = (total > 0).sum(axis=1) > 1
        return np.where(varied, 1 - observed / expected, np.nan)
