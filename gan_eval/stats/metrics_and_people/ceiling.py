"""Spearman's correlation in bootstrap replicates, where each point counts as often as it was drawn.

How well could a perfect metric agree with people? The reliability of the human scores sets the ceiling.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from gan_eval.stats.resampling import AnswerCounts, Replicates

SPLITS = 200
FEWEST_FOR_CEILING = 5
"""Fewer points say next to nothing of their own reliability."""
_AT_A_TIME = 250_000


class NoCeilingError(Exception):
    """There is no ceiling; the message is the word for the reader."""


def ceiling(
    counts: AnswerCounts, *, seed: int | tuple[int, ...], point: np.ndarray, use: np.ndarray, splits: int = SPLITS
) -> float:
    """The rank correlation with the fooling rates that a metric knowing the true rates would reach.

    Fooling rates are shares of few answers, so their correlation with anything is bounded by the square root of their
    reliability (Spearman 1904). Reliability: the participants are split at random into halves, the rates of the two
    halves are rank-correlated over the points that both have answered, the mean over the splits is stepped up to the
    full number of participants by Spearman and Brown's formula 2r/(1 + r) (1910), and 0 is the least.

    The noise it measures is that of the answers and of the participants, not that of the choice of stimuli.

    Args:
        counts: the answers.
        seed: of the splits.
        point: (S,) int, the point (stimulus or model) that each stimulus belongs to, 0.. without gaps.
        use: (n,) bool, the points that count.
        splits: random splits.

    Returns:
        0..1.

    Raises:
        NoCeilingError: one participant, fewer than 5 points, or halves that share too few points.
    """
    people = len(counts.people)
    if people < 2:
        raise NoCeilingError("one participant: no ceiling")
    if use.sum() < FEWEST_FOR_CEILING:
        raise NoCeilingError(f"fewer than {FEWEST_FOR_CEILING} points: no ceiling")
    found = _split_half_correlations(counts, np.random.default_rng(seed), point, use, splits)
    if np.isfinite(found).mean() < 0.9:
        raise NoCeilingError("too few answers to split the participants into halves: no ceiling")
    half = max(float(np.nanmean(found)), 0.0)
    return float(np.sqrt(2 * half / (1 + half)))


def _split_half_correlations(
    counts: AnswerCounts, rng: np.random.Generator, point: np.ndarray, use: np.ndarray, splits: int
) -> np.ndarray:
    """(splits,) rank correlation of the fooling rates of two halves; NaN where they share too few points."""
    people, size = len(counts.people), int(point.max()) + 1
    total = [np.bincount(point, each, size)[use] for each in counts.totals()]
    at_a_time = max(1, _AT_A_TIME // max(people, len(point)))
    found = []
    for begin in range(0, splits, at_a_time):
        rows = min(at_a_time, splits - begin)
        half = rng.permuted(np.broadcast_to(np.arange(people) < people // 2, (rows, people)), axis=1)
        summed = [np.stack([np.bincount(point, row, size)[use] for row in each]) for each in counts.weighted(half)]
        shares = [_share(*summed), _share(total[0] - summed[0], total[1] - summed[1])]
        found.append(np.array([spearman(a, b) for a, b in zip(*shares, strict=True)]))
    return np.concatenate(found)


def _share(called: np.ndarray, shown: np.ndarray) -> np.ndarray:
    return np.divide(called, shown, out=np.full(shown.shape, np.nan), where=shown > 0)


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
