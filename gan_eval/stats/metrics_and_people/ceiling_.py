"""How well could a perfect metric agree with people? The reliability of the human scores sets the ceiling."""

import numpy as np

from gan_eval.stats.metrics_and_people.ceiling import spearman
from gan_eval.stats.resampling import AnswerCounts

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
