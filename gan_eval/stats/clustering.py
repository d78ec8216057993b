"""Clustered inference: influences → variances → degrees of freedom.

An answer's influence is its contribution to an estimate's error. Influences are summed over clusters, and the squared
sums are the variance (Liang & Zeger 1986, Biometrika 73, 13-22). The two-way variance (Cameron, Gelbach & Miller 2011,
Journal of Business & Economic Statistics 29, 238-249) is the variance by participant, plus that by stimulus, minus that
by cell. A cell has the answers of one participant to one stimulus.
"""

import numpy as np
import pandas as pd


def two_way(
    influence: np.ndarray, participant: np.ndarray, stimulus: np.ndarray, *, side: np.ndarray | None = None
) -> np.ndarray:
    """Return (K,) variances of K estimates: the largest of the two-way variance and the two one-way variances.

    The two-way variance can be too small, or negative. A factor with only one level is ignored, since one level shows
    no variance.

    Args:
        influence: (N, K) what each trial adds to the estimates' errors.
        participant: (N,) int, 0.. .
        stimulus: (N,) int, 0.. .
        side: (N,) bool, if two groups of trials are compared: each has its own number of clusters; None: one group.

    >>> influence = np.array([[1.0], [-1.0], [1.0], [1.0]])
    >>> two_way(influence, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])).round(2).tolist()
    [10.67]
    """
    several = [factor for factor in (participant, stimulus) if len(factor) and factor.min() < factor.max()]
    if not several:
        return np.asarray(influence.sum(axis=0) ** 2)
    if len(several) == 1:
        return one_way(influence, several[0], side=side)
    by_participant, by_stimulus, by_cell = (
        one_way(influence, cluster, side=side) for cluster in (participant, stimulus, cells(participant, stimulus))
    )
    return largest_variance(by_participant, by_stimulus, by_cell)


def largest_variance(by_participant: np.ndarray, by_stimulus: np.ndarray, by_cell: np.ndarray) -> np.ndarray:
    """Return the largest of the two-way variance and the two one-way ones, all of one shape."""
    return np.asarray(np.max([by_participant + by_stimulus - by_cell, by_participant, by_stimulus], axis=0))


def cells(participant: np.ndarray, stimulus: np.ndarray) -> np.ndarray:
    """Return (N,) a number for each combination of a participant and a stimulus."""
    return participant.astype(np.int64) * (int(stimulus.max(initial=0)) + 1) + stimulus


def one_way(influence: np.ndarray, cluster: np.ndarray | None, *, side: np.ndarray | None = None) -> np.ndarray:
    """Return (K,) sums over clusters of squared sums of influences, times C / (C - 1) for each side's C clusters.

    The result is NaN if a side has one cluster.

    Args:
        influence: (N, K).
        cluster: (N,) int, 0.. ; None: each trial is a cluster of its own.
        side: (N,) bool; None: one side.
    """
    return np.asarray((cluster_sums(influence, cluster, side=side).sum(axis=1) ** 2).sum(axis=1))


def cluster_sums(influence: np.ndarray, cluster: np.ndarray | None, *, side: np.ndarray | None = None) -> np.ndarray:
    """Return (K, sides, C) sums of influences by cluster and side, times the root of C / (C - 1) of each side.

    The arguments are those of `one_way`; C is the side's number of clusters. A cluster without answers of a side has 0;
    the only cluster of a side has NaN.
    """
    place = np.arange(len(influence)) if cluster is None else pd.factorize(cluster)[0]
    clusters, sides = int(place.max(initial=-1)) + 1, 1 if side is None else 2
    place = place if side is None else 2 * place + side
    occurs = np.bincount(place, minlength=sides * clusters).reshape(-1, sides).T > 0
    number = occurs.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(number > 1, np.sqrt(number / (number - 1)), np.nan)
    sums = [np.bincount(place, column, sides * clusters).reshape(-1, sides).T for column in influence.T]
    return np.where(occurs, np.reshape(sums, (influence.shape[1], *occurs.shape)) * factor, 0.0)


def degrees_of_freedom(*factors: np.ndarray, side: np.ndarray | None = None) -> int:
    """Return the degrees of freedom: one fewer than the smallest number of levels of a factor on either side.

    Args:
        factors: (N,) int, 0.. each: participants, stimuli.
        side: (N,) bool; None: one side.

    >>> side = np.array([True, True, False, False, False])
    >>> degrees_of_freedom(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 3, 4]), side=side)
    0
    """
    sides = (slice(None),) if side is None else (side, ~side)
    return min(n_levels(factor[chosen]) for factor in factors for chosen in sides) - 1


def n_levels(factor: np.ndarray) -> int:
    """Return the number of distinct values (N,), int and 0.. .

    >>> n_levels(np.array([3, 0, 3]))
    2
    """
    return int(np.count_nonzero(np.bincount(factor)))


def side_of(column: np.ndarray) -> np.ndarray | None:
    """Return (N,) bool: the rows with the smaller of a covariate's two values; None if it has not exactly two."""
    low, high = column.min(initial=np.inf), column.max(initial=-np.inf)
    return column == low if low < high and ((column == low) | (column == high)).all() else None
