"""How well could a perfect metric agree with people? Spearman's correlation, in bootstrap replicates too, where each
point counts as often as it was sampled, and the ceiling that the reliability of the human scores sets to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.resampling import AnswerCounts, Replicates
from gan_eval.stats.shares import proportion

FEWEST = 3
"""Fewer points have no correlation worth a number."""
SPLITS = 200
FEWEST_FOR_CEILING = 5
"""Fewer points say next to nothing of their own reliability."""
_AT_A_TIME = 250_000
"""Participants, or stimuli, times splits held at a time."""


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
    x, y = (rankdata(values[known]) - (known.sum() + 1) / 2 for values in (x, y))
    squares = float((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / np.sqrt(squares)) if squares > 0 else np.nan


def rank_correlations(parts: Iterable[Replicates], pairings: Sequence[Pairing]) -> np.ndarray:
    """(len(pairings), B) Spearman's correlation of each pairing with the fooling rates of each replicate.

    Equals Spearman's correlation of the values and rates written out as often as they were sampled, ties at their
    mid-ranks. NaN where fewer than 3 points or samples count, or where all values or all rates are equal.

    Ranks of the rates are shared by the pairings that use the same points, and ranks of the values come from counting,
    so a further metric costs little.
    """
    masks: dict[bytes, list[int]] = {}
    runs = []  # of each pairing the points in use by rising value, and where each run of equal values begins
    for number, pairing in enumerate(pairings):
        masks.setdefault(pairing.use.tobytes(), []).append(number)
        order = np.argsort(np.where(pairing.use, pairing.value, np.nan), kind="stable")[: int(pairing.use.sum())]
        value = pairing.value[order]
        begins = np.concatenate([[True], value[1:] != value[:-1]]) if len(order) else np.empty(0, bool)
        runs.append((order, np.flatnonzero(begins)))
    correlations = [np.empty((len(pairings), 0))]
    for part in parts:
        by_rate = np.argsort(part.rate, axis=1)  # NaN last; their weight is 0
        sorted_rate = np.take_along_axis(part.rate, by_rate, axis=1)
        of_part = np.empty((len(pairings), len(part.rate)))
        for numbers in masks.values():
            weight = part.weight * pairings[numbers[0]].use
            total = weight.sum(axis=1)
            deviation = _rate_ranks(by_rate, sorted_rate, weight) - (total[:, None] + 1) / 2
            weighted = weight * deviation
            squares = np.einsum("ij,ij->i", weighted, deviation)
            for number in numbers:
                of_part[number] = _correlation(*runs[number], weight, weighted, squares, total)
        correlations.append(of_part)
    return np.concatenate(correlations, axis=1)


def _rate_ranks(by_rate: np.ndarray, sorted_rate: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(B, n) mid-rank of each point's rate among the samples of its replicate."""
    sampled = np.take_along_axis(weight, by_rate, axis=1)
    upto = np.cumsum(sampled, axis=1)
    new = np.ones(sampled.shape, bool)
    new[:, 1:] = sorted_rate[:, 1:] != sorted_rate[:, :-1]
    last = np.ones(sampled.shape, bool)
    last[:, :-1] = new[:, 1:]
    before = np.maximum.accumulate(np.where(new, upto - sampled, 0.0), axis=1)
    through = np.minimum.accumulate(np.where(last, upto, np.inf)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty_like(sampled)
    np.put_along_axis(ranks, by_rate, (before + through + 1) / 2, axis=1)
    return ranks


def _correlation(
    order: np.ndarray,
    begins: np.ndarray,
    weight: np.ndarray,
    weighted: np.ndarray,
    squares: np.ndarray,
    total: np.ndarray,
) -> np.ndarray:
    """(B,) correlations of one pairing.

    Args:
        order: (m,) the points in use by rising value.
        begins: where in `order` each run of equal values begins.
        weight: (B, n) how often each point counts.
        weighted: (B, n) the same times the deviation of its rate's rank.
        squares: (B,) weighted sums of these deviations' squares.
        total: (B,) sums of the weights.
    """
    if len(order) < FEWEST:
        return np.full(len(weight), np.nan)
    sampled, moment = weight[:, order], weighted[:, order]
    if len(begins) < len(order):
        sampled, moment = (np.add.reduceat(values, begins, axis=1) for values in (sampled, moment))
    rank = np.cumsum(sampled, axis=1) - (sampled - 1) / 2 - (total[:, None] + 1) / 2
    own = np.einsum("ij,ij,ij->i", sampled, rank, rank)
    both = np.einsum("ij,ij->i", moment, rank)
    defined = (total >= FEWEST) & (own > 1e-9) & (squares > 1e-9)
    return np.divide(both, np.sqrt(own * squares), out=np.full(len(total), np.nan), where=defined)


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
        NoFitError: one participant, fewer than 5 points, or halves that share too few points.
    """
    participants, size = len(counts.people), int(point.max(initial=-1)) + 1
    if participants < 2:
        raise NoFitError("one participant: no ceiling")
    if use.sum() < FEWEST_FOR_CEILING:
        raise NoFitError(f"fewer than {FEWEST_FOR_CEILING} points: no ceiling")
    rng = np.random.default_rng(seed)
    total_called, total = (np.bincount(point, of_stimuli, size)[use] for of_stimuli in counts.totals())
    at_a_time = max(1, _AT_A_TIME // max(participants, len(point)))
    correlations = []
    for begin in range(0, splits, at_a_time):
        rows = min(at_a_time, splits - begin)
        first_half = np.broadcast_to(np.arange(participants) < participants // 2, (rows, participants))
        weighted = counts.weighted(rng.permuted(first_half, axis=1))
        called, answers = (np.stack([np.bincount(point, row, size)[use] for row in part]) for part in weighted)
        halves = zip(proportion(called, answers), proportion(total_called - called, total - answers), strict=True)
        correlations += [spearman(first, second) for first, second in halves]
    if np.isfinite(correlations).mean() < 0.9:
        raise NoFitError("too few answers to split the participants into halves: no ceiling")
    reliability = max(float(np.nanmean(correlations)), 0.0)
    return float(np.sqrt(2 * reliability / (1 + reliability)))
