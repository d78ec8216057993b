"""Spearman's correlation in bootstrap replicates, where each point counts as often as it was drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from gan_eval.stats.resampling import Replicates

FEWEST = 3
"""Fewer points have no correlation worth a number."""


@dataclass(frozen=True)
class Pairing:
    """Metric values of points, and which of the points count."""

    value: np.ndarray
    """(n,) metric values; infinite ones have a rank like any other."""
    use: np.ndarray
    """(n,) bool, False wherever the value is missing."""


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's correlation of two vectors, points missing in either left out; NaN where there is none.

    >>> spearman(np.array([1.0, 2.0, 4.0, np.nan]), np.array([0.1, 0.3, 0.2, 0.9]))
    0.5
    """
    known = ~np.isnan(x) & ~np.isnan(y)
    if known.sum() < FEWEST:
        return np.nan
    x, y = (rankdata(each[known]) - (known.sum() + 1) / 2 for each in (x, y))
    spread = float((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / np.sqrt(spread)) if spread > 0 else np.nan


def rank_correlations(parts: Iterable[Replicates], pairings: Sequence[Pairing]) -> np.ndarray:
    """(len(pairings), B) Spearman's correlation of each pairing with the fooling rates of each replicate.

    Equals Spearman's correlation of the values and rates written out as often as they were drawn, ties at their
    mid-ranks. NaN where fewer than 3 points or draws count, or where all values or all rates are equal.

    Ranks of the rates are shared by the pairings that use the same points, and ranks of the values come from counting,
    so a further metric costs little.
    """
    masks: dict[bytes, list[int]] = {}
    for number, pairing in enumerate(pairings):
        masks.setdefault(pairing.use.tobytes(), []).append(number)
    orders = [_ordered(pairing) for pairing in pairings]
    found = [_part(part, pairings, orders, masks) for part in parts]
    return np.concatenate(found, axis=1) if found else np.empty((len(pairings), 0))


def _part(
    part: Replicates,
    pairings: Sequence[Pairing],
    orders: Sequence[tuple[np.ndarray, np.ndarray]],
    masks: dict[bytes, list[int]],
) -> np.ndarray:
    by_rate = np.argsort(part.rate, axis=1)  # NaN last; their weight is 0
    sorted_rate = np.take_along_axis(part.rate, by_rate, axis=1)
    found = np.empty((len(pairings), len(part.rate)))
    for numbers in masks.values():
        weight = part.weight * pairings[numbers[0]].use
        total = weight.sum(axis=1)
        deviation = _rate_ranks(by_rate, sorted_rate, weight) - (total[:, None] + 1) / 2
        weighted = weight * deviation
        spread = np.einsum("ij,ij->i", weighted, deviation)
        for number in numbers:
            found[number] = _correlation(orders[number], weight, weighted, spread, total)
    return found


def _ordered(pairing: Pairing) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the points in use by rising value, and (m,) where each run of equal values begins."""
    order = np.argsort(np.where(pairing.use, pairing.value, np.nan), kind="stable")[: int(pairing.use.sum())]
    value = pairing.value[order]
    begins = np.flatnonzero(np.concatenate([[True], value[1:] != value[:-1]])) if len(order) else np.empty(0, int)
    return order, begins


def _correlation(
    ordered: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray,
    weighted: np.ndarray,
    spread: np.ndarray,
    total: np.ndarray,
) -> np.ndarray:
    order, begins = ordered
    if len(order) < FEWEST:
        return np.full(len(weight), np.nan)
    drawn, moment = weight[:, order], weighted[:, order]
    if len(begins) < len(order):
        drawn, moment = (np.add.reduceat(values, begins, axis=1) for values in (drawn, moment))
    rank = np.cumsum(drawn, axis=1) - (drawn - 1) / 2 - (total[:, None] + 1) / 2
    own = np.einsum("ij,ij,ij->i", drawn, rank, rank)
    both = np.einsum("ij,ij->i", moment, rank)
    defined = (total >= FEWEST) & (own > 1e-9) & (spread > 1e-9)
    return np.divide(both, np.sqrt(own * spread), out=np.full(len(total), np.nan), where=defined)


def _rate_ranks(by_rate: np.ndarray, sorted_rate: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(B, n) mid-rank of each point's rate among the draws of its replicate."""
    drawn = np.take_along_axis(weight, by_rate, axis=1)
    upto = np.cumsum(drawn, axis=1)
    new = np.ones(drawn.shape, bool)
    new[:, 1:] = sorted_rate[:, 1:] != sorted_rate[:, :-1]
    last = np.ones(drawn.shape, bool)
    last[:, :-1] = new[:, 1:]
    before = np.maximum.accumulate(np.where(new, upto - drawn, 0.0), axis=1)
    through = np.minimum.accumulate(np.where(last, upto, np.inf)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty_like(drawn)
    np.put_along_axis(ranks, by_rate, (before + through + 1) / 2, axis=1)
    return ranks
