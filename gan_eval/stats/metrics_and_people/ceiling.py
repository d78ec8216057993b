"""Spearman's correlation, also in bootstrap replicates, and the ceiling set by the reliability of people's scores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gan_eval.base.inference import proportion
from gan_eval.stats.groups import one_participant
from gan_eval.stats.metrics_and_people.scores import Replicates, Scores
from gan_eval.stats.mixed import NoFitError

MIN_POINTS = 3
_SPLITS = 200
MIN_POINTS_FOR_CEILING = 5
_NO_SPREAD = 1e-12
_AT_A_TIME = 250_000
"""Maximum of participants or stimuli, times splits, in memory at a time."""


@dataclass(frozen=True)
class Pairing:
    """Metric values of points, and a mark for points with a value."""

    value: np.ndarray
    """(n,) metric values; infinite ones have ranks, too."""
    use: np.ndarray
    """(n,) bool, False wherever the value is missing."""
    group: np.ndarray | None = None
    """(n,) int, model of each point, if points are ranked within their model."""

    @property
    def key(self) -> tuple[bytes, bool]:
        """Key of the points and their ranking, without the metric."""
        return self.use.tobytes(), self.group is not None


def spearman(x: np.ndarray, y: np.ndarray, group: np.ndarray | None = None) -> float:
    """Compute Spearman's correlation of the points that both vectors have; NaN where there is none.

    With groups each point is ranked among those of its group (`rank_deviations`).

    >>> spearman(np.array([1.0, 2.0, 4.0, np.nan]), np.array([0.1, 0.3, 0.2, 0.9]))
    0.5
    >>> spearman(np.array([1.0, 2.0, 11.0, 12.0]), np.array([0.2, 0.1, 0.9, 0.8]), np.array([0, 0, 1, 1]))
    -1.0
    """
    return float(_spearman_of_rows(x[None], y[None], group)[0])


def _spearman_of_rows(x: np.ndarray, y: np.ndarray, group: np.ndarray | None) -> np.ndarray:
    """(R,) `spearman` of each row of two arrays (R, n)."""
    both = ~np.isnan(x) & ~np.isnan(y)
    x, y = (rank_deviations(np.where(both, values, np.nan), group) for values in (x, y))
    squares = (x * x).sum(axis=1) * (y * y).sum(axis=1)
    defined = (both.sum(axis=1) >= MIN_POINTS) & (squares > 0)
    return np.divide((x * y).sum(axis=1), np.sqrt(squares), out=np.full(len(x), np.nan), where=defined)


def rank_deviations(values: np.ndarray, group: np.ndarray | None) -> np.ndarray:
    """Compute each value's mid-rank minus the middle one, over the number of values in its row, or in its group (R, n).

    It is 0 where a value is missing.

    The product moment of two such rows, over the root of their squares, is Spearman's correlation; with groups it is
    the mean of the groups' correlations, a group counting by its points (exactly so without ties).
    """
    deviations = np.zeros(values.shape)
    for columns in [slice(None)] if group is None else [group == number for number in np.unique(group)]:
        part = values[:, columns]
        weight = (~np.isnan(part)).astype(float)
        by_value, total = np.argsort(part, axis=1), weight.sum(axis=1, keepdims=True)
        rank = _mid_ranks(by_value, np.take_along_axis(part, by_value, axis=1), weight)
        deviations[:, columns] = weight * (rank - (total + 1) / 2) / np.maximum(total, 1)
    return deviations


def rank_correlations(parts: Iterable[Replicates], pairings: Sequence[Pairing]) -> np.ndarray:
    """Compute Spearman's correlation of each pairing with the mean scores of each replicate (len(pairings), B).

    It equals `spearman` of the values and scores repeated as often as they were sampled. NaN where fewer than 3 points
    or samples count, or where all values or all scores are equal. Pairings with the same points share their ranks.
    """
    ranked: dict[bytes, tuple[np.ndarray, list[tuple[int, np.ndarray, np.ndarray]]]] = {}
    for number, pairing in enumerate(pairings):
        groups = [pairing.use]
        if pairing.group is not None:
            groups = [pairing.use & (pairing.group == group) for group in np.unique(pairing.group)]
        for use in groups:
            points, members = ranked.setdefault(use.tobytes(), (np.flatnonzero(use), []))
            # the points by ascending value, and the start of each run of equal values
            order = np.argsort(pairing.value[points], kind="stable")
            value = pairing.value[points][order]
            begins = np.flatnonzero(np.concatenate([[True], value[1:] != value[:-1]])) if len(order) else order
            members.append((number, order, begins))
    few = np.array([pairing.use.sum() < MIN_POINTS for pairing in pairings], bool)
    correlations = []
    for part in parts:
        both, squares_value, squares_score, count = np.zeros((4, len(pairings), len(part.score)))
        for points, members in ranked.values():
            if len(points) == 0:
                continue
            weight, score = part.weight[:, points], part.score[:, points]
            by_score = np.argsort(score, axis=1)  # NaN last; their weight is 0
            total = weight.sum(axis=1)
            middle, scale = (total[:, None] + 1) / 2, np.maximum(total, 1.0) ** 2
            deviation = _mid_ranks(by_score, np.take_along_axis(score, by_score, axis=1), weight) - middle
            weighted = weight * deviation
            of_scores = np.einsum("ij,ij->i", weighted, deviation) / scale
            for number, order, begins in members:
                sampled, moment = weight[:, order], weighted[:, order]
                if len(begins) < len(order):
                    sampled, moment = (np.add.reduceat(values, begins, axis=1) for values in (sampled, moment))
                rank = np.cumsum(sampled, axis=1) - (sampled - 1) / 2 - middle
                both[number] += np.einsum("ij,ij->i", moment, rank) / scale
                squares_value[number] += np.einsum("ij,ij,ij->i", sampled, rank, rank) / scale
                squares_score[number] += of_scores
                count[number] += total
        defined = (count >= MIN_POINTS) & (squares_value > _NO_SPREAD) & (squares_score > _NO_SPREAD) & ~few[:, None]
        squares = np.sqrt(np.where(defined, squares_value * squares_score, 1.0))
        correlations.append(np.where(defined, both / squares, np.nan))
    return np.concatenate(correlations, axis=1)


def _mid_ranks(by_value: np.ndarray, in_order: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Compute the mid-rank of each value in its row (B, n), where values count by whole weights, 0 if missing.

    `by_value` has the places of the values by rising value, `in_order` the values in this order.
    """
    sampled = np.take_along_axis(weight, by_value, axis=1)
    upto = np.cumsum(sampled, axis=1)
    new = np.ones(sampled.shape, bool)
    new[:, 1:] = in_order[:, 1:] != in_order[:, :-1]
    last = np.ones(sampled.shape, bool)
    last[:, :-1] = new[:, 1:]
    before = np.maximum.accumulate(np.where(new, upto - sampled, 0.0), axis=1)
    through = np.minimum.accumulate(np.where(last, upto, np.inf)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty_like(sampled)
    np.put_along_axis(ranks, by_value, (before + through + 1) / 2, axis=1)
    return ranks


def effective_points(x: np.ndarray, y: np.ndarray, item: np.ndarray, groups: int) -> float:
    """Compute the effective number of independent points of the pictures of several models.

    Models' pictures of one item may be alike. The variance of a correlation grows by the factor 1 + ρ_x ρ_y (m - 1) of
    m alike ones each (Moulton 1986, Journal of Econometrics 32, 385-397; Clifford, Richardson & Hémon 1989, Biometrics
    45, 123-134).

    Args:
        x, y: (n,) deviations from the middle of each group.
        item: (n,) int, 0.. .

    Returns:
        n - groups + 1 where nothing is alike, or does not vary at all; less otherwise.
    """
    others = float((np.bincount(item) ** 2).sum()) - len(item)  # ordered pairs of different pictures of an item
    factor = 1.0
    if others > 0 and x.any() and y.any():
        alike = [(np.bincount(item, v) ** 2).sum() / (v * v).sum() - 1 for v in (x, y)]
        factor = max(1.0, 1 + len(item) / others * float(alike[0] * alike[1]))
    return (len(x) - groups) / factor + 1


def ceiling(
    scores: Scores, *, seed: int | tuple[int, ...], point: np.ndarray, use: np.ndarray, group: np.ndarray | None = None
) -> float:
    """Estimate the rank correlation with people's mean scores of a metric that knows the true ones (0..1).

    It is the square root of the scores' reliability (Spearman 1904): the participants are split at random into halves,
    the scores of the halves are rank-correlated, and the mean over the splits is stepped up by Spearman and Brown's
    formula 2r/(1 + r) (1910).

    Args:
        point: (S,) int, the point (stimulus or model) that each stimulus belongs to, 0.. without gaps.
        use: (n,) bool, the points that count.
        group: (n,) int, where points are ranked within groups.

    Raises:
        NoFitError: one participant, fewer than 5 points, or halves that share too few points.
    """
    participants, size = len(scores.people), int(point.max(initial=-1)) + 1
    if participants < 2:
        raise NoFitError(one_participant(scores.people, "no ceiling"))
    if use.sum() < MIN_POINTS_FOR_CEILING:
        raise NoFitError(f"fewer than {MIN_POINTS_FOR_CEILING} points: no ceiling")
    rng = np.random.default_rng(seed)
    sums, total = (np.bincount(point, of_stimuli, size)[use] for of_stimuli in scores.totals())
    at_a_time = max(1, _AT_A_TIME // max(participants, len(point)))
    correlations = []
    for begin in range(0, _SPLITS, at_a_time):
        rows = min(at_a_time, _SPLITS - begin)
        first_half = np.broadcast_to(np.arange(participants) < participants // 2, (rows, participants))
        weighted = scores.weighted(rng.permuted(first_half, axis=1))
        of_half, answers = (np.stack([np.bincount(point, row, size)[use] for row in part]) for part in weighted)
        halves = proportion(of_half, answers), proportion(sums - of_half, total - answers)
        correlations += [_spearman_of_rows(*halves, None if group is None else group[use])]
    by_split = np.concatenate(correlations)
    if np.isfinite(by_split).mean() < 0.9:
        raise NoFitError("too few answers to split the participants into halves: no ceiling")
    reliability = max(float(np.nanmean(by_split)), 0.0)
    return float(np.sqrt(2 * reliability / (1 + reliability)))
