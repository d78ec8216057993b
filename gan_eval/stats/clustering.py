"""Errors when answers hang together by participant and by stimulus: of any estimate, and of two rates of many groups.

Two-way clustering (Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics 29, 238-249): the variance
by participant plus that by stimulus less that by their cells, a cell being all answers of one participant to one
stimulus. `two_way` takes it from influences, trial by trial; `Clusters` from counts, for many groups at once.
"""

from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit


def two_way(
    influence: np.ndarray, participant: np.ndarray, stimulus: np.ndarray, *, side: np.ndarray | None = None
) -> np.ndarray:
    """(K,) variances of K estimates: the largest of the two-way and the two one-way ones.

    The two-way sum can be too small, or negative. A factor of which all trials have one level is left out, since one
    level shows no variance.

    Args:
        influence: (N, K) what each trial adds to the estimates' errors.
        participant: (N,) int, 0.. .
        stimulus: (N,) int, 0.. .
        side: (N,) bool, where two groups of trials are compared: each has its own number of clusters; None: one group.

    >>> influence = np.array([[1.0], [-1.0], [1.0], [1.0]])
    >>> two_way(influence, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])).round(2).tolist()
    [10.67]
    """
    people, pictures = (np.unique(code, return_inverse=True)[1] for code in (participant, stimulus))
    several = [code for code in (people, pictures) if code.max(initial=0) > 0]
    one_ways = [one_way(influence, code, side=side) for code in several or [people]]
    if len(several) < 2:
        return one_ways[0]
    cell = people.astype(np.int64) * (int(pictures.max()) + 1) + pictures
    return np.asarray(np.max([sum(one_ways) - one_way(influence, cell, side=side), *one_ways], axis=0))


def one_way(influence: np.ndarray, cluster: np.ndarray, *, side: np.ndarray | None = None) -> np.ndarray:
    """(K,) sums over clusters of squared sums of influences, with the factor G / (G - 1) for each side's G clusters.

    Args:
        influence: (N, K).
        cluster: (N,) int.
        side: (N,) bool; None: one side.
    """
    _, code = np.unique(cluster, return_inverse=True)
    size = int(code.max(initial=-1)) + 1
    sums = np.zeros((size, influence.shape[1]))
    for chosen in (np.ones(len(code), bool),) if side is None else (side, ~side):
        own = code[chosen]
        number = len(np.unique(own))
        factor = np.sqrt(number / max(number - 1, 1))
        sums += factor * np.stack([np.bincount(own, column, size) for column in influence[chosen].T], axis=1)
    return np.asarray((sums**2).sum(axis=0))


class Answers(NamedTuple):
    """Judgements of reals and of fakes, one number for each group."""

    hits: np.ndarray
    """Fakes called fake."""
    n_fake: np.ndarray
    false_alarms: np.ndarray
    """Reals called fake."""
    n_real: np.ndarray

    def hit_rate(self) -> np.ndarray:
        """With the log-linear correction, so within 0..1 without the ends."""
        return (self.hits + 0.5) / (self.n_fake + 1.0)

    def false_alarm_rate(self) -> np.ndarray:
        """With the log-linear correction."""
        return (self.false_alarms + 0.5) / (self.n_real + 1.0)


class Covariance(NamedTuple):
    """Of hit rate and false-alarm rate, each (G,); NaN where a single cluster stands behind a rate."""

    hit: np.ndarray
    both: np.ndarray
    false_alarm: np.ndarray

    def plus(self, other: Self, sign: float) -> "Covariance":
        """This one plus `sign` times another."""
        return Covariance(*(a + sign * b for a, b in zip(self, other, strict=True)))

    def of(self, a: np.ndarray | float, b: np.ndarray | float) -> np.ndarray:
        """The variance of a hit rate + b false-alarm rate."""
        with np.errstate(invalid="ignore"):  # of rates that have no variance
            return np.asarray(a * a * self.hit + 2 * a * b * self.both + b * b * self.false_alarm)


class Clusters(NamedTuple):
    """Answers of each group by cluster."""

    group: np.ndarray
    """(K,) the group, 0..G-1."""
    answers: Answers
    """(K,) of this group in one cluster."""
    size: int
    """G."""

    def number(self, of: np.ndarray) -> np.ndarray:
        """(G,) clusters in which `of` (K,) is above 0."""
        return np.bincount(self.group[of > 0], minlength=self.size)

    def totals(self) -> Answers:
        """(G,) over all clusters."""
        return Answers(*(_sums(self.group, part, self.size) for part in self.answers))

    def covariance(self) -> Covariance:
        """Covariance of the rates when answers within a cluster hang together.

        The sum over clusters of the products of the clusters' influences (Liang & Zeger 1986, Biometrika 73, 13-22),
        with the factor C / (C - 1) for the C clusters of each rate.
        """
        total, own = self.totals(), self.answers
        hit = _influence(self, own.hits, own.n_fake, total.hit_rate(), total.n_fake)
        false_alarm = _influence(self, own.false_alarms, own.n_real, total.false_alarm_rate(), total.n_real)
        products = (hit * hit, hit * false_alarm, false_alarm * false_alarm)
        return Covariance(*(_sums(self.group, product, self.size) for product in products))


def clusters(group: np.ndarray, size: int, cluster: np.ndarray, is_fake: np.ndarray, says_fake: np.ndarray) -> Clusters:
    """Count answers by group and cluster.

    Args:
        group: (M,) 0..size-1.
        size: number of groups.
        cluster: (M,) 0.. .
        is_fake: (M,) bool.
        says_fake: (M,) bool.
    """
    found, owner = places(group, size, cluster)
    kind = 2 * is_fake.astype(np.int64) + says_fake
    real_real, real_fake, fake_real, fake_fake = (
        np.bincount(4 * found + kind, minlength=4 * len(owner)).reshape(-1, 4).T
    )
    return Clusters(owner, Answers(fake_fake, fake_real + fake_fake, real_fake, real_real + real_fake), size)


def places(group: np.ndarray, size: int, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, from 0, of the combinations of a group and a code, in the order of both, and each one's group.

    Few possible combinations are all numbered, whether they occur or not; of many only those that occur.

    Args:
        group: (M,) 0..size-1.
        size: number of groups.
        code: (M,) 0.. .

    Returns:
        (M,) each row's combination, and (K,) each combination's group.
    """
    many = int(code.max(initial=0)) + 1
    place = group.astype(np.int64) * many + code
    if size * many <= len(place):
        return place, np.repeat(np.arange(size), many)
    found, occurring = pd.factorize(place, sort=True)
    return found, np.asarray(occurring) // many


def t95(freedom: ArrayLike) -> np.ndarray:
    """Two-sided 95 % point of Student's t; NaN below one degree of freedom.

    >>> t95([24, 0]).round(4).tolist()
    [2.0639, nan]
    """
    freedom = np.asarray(freedom, float)
    return np.where(freedom >= 1, stdtrit(np.maximum(freedom, 1.0), 0.975), np.nan)


def covariance_of_single_answers(total: Answers) -> Covariance:
    """Covariance of the rates when every answer is a cluster of its own."""
    hit = _scatter(total.hits, total.n_fake, total.hit_rate())
    return Covariance(hit, np.zeros_like(hit), _scatter(total.false_alarms, total.n_real, total.false_alarm_rate()))


def _influence(
    clustered: Clusters, success: np.ndarray, n: np.ndarray, rate: np.ndarray, total: np.ndarray
) -> np.ndarray:
    """(K,) what each cluster adds to the error of its group's rate."""
    number = clustered.number(n).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(number > 1, np.sqrt(number / (number - 1)) / total, np.where(number == 0, 0.0, np.nan))
    found = (success - rate[clustered.group] * n) * factor[clustered.group]
    return np.where(n > 0, found, 0.0)  # a cluster without such pictures has no part in the rate


def _scatter(success: np.ndarray, n: np.ndarray, rate: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((success * (1 - rate) ** 2 + (n - success) * rate**2) / (n * (n - 1.0)))


def _sums(group: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(group, values, minlength=size)
