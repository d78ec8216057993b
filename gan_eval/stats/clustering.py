"""Clustered inference: influences → variances → degrees of freedom → intervals and p values.

Answers are correlated within participants and within stimuli. An answer's influence is what it adds to an estimate's
error.
Influences are summed over clusters, and the squared sums are the variance (Liang & Zeger 1986, Biometrika 73, 13-22).
Two-way clustering (Cameron, Gelbach & Miller 2011, Journal of Business & Economic Statistics 29, 238-249) takes the
variance by participant plus that by stimulus less that by their cells, a cell being all answers of one participant to
one stimulus. The reference is Student's t with one degree of freedom fewer than the fewest clusters behind an estimate.
"""

from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit


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
    """The largest of the two-way variance and the two one-way ones, all of one shape."""
    return np.asarray(np.max([by_participant + by_stimulus - by_cell, by_participant, by_stimulus], axis=0))


def cells(participant: np.ndarray, stimulus: np.ndarray) -> np.ndarray:
    """(N,) a number for each combination of a participant and a stimulus."""
    return participant.astype(np.int64) * (int(stimulus.max(initial=0)) + 1) + stimulus


def one_way(
    influence: np.ndarray,
    cluster: np.ndarray | None,
    *,
    side: np.ndarray | None = None,
    group: np.ndarray | None = None,
    size: int = 1,
) -> np.ndarray:
    """(K,) sums over clusters of squared sums of influences, with the factor C / (C - 1) for each side's C clusters.

    NaN where a side has one cluster.

    Args:
        influence: (N, K).
        cluster: (N,) int, 0.. ; None: each trial is a cluster of its own.
        side: (N,) bool; None: one side.
        group: (N,) int, 0..size-1, where each group of trials has estimates of its own: the result is (size, K).
        size: number of groups.
    """
    if cluster is None:
        place, owner = np.arange(len(influence)), np.zeros(len(influence), np.int64) if group is None else group
    else:
        place, owner = places(group, cluster)
    sides = 1 if side is None else 2
    place = place if side is None else 2 * place + side
    n = np.bincount(place, minlength=sides * len(owner)).reshape(-1, sides).T
    variances = np.zeros((size, influence.shape[1]))
    for k, column in enumerate(influence.T):
        by_side = np.bincount(place, column, sides * len(owner)).reshape(-1, sides).T
        sums = np.sum([_scaled(part, of, owner, size) for part, of in zip(by_side, n, strict=True)], axis=0)
        variances[:, k] = np.bincount(owner, sums**2, size)
    return np.asarray(variances[0] if group is None else variances)


def freedom(*factors: np.ndarray, side: np.ndarray | None = None) -> int:
    """Degrees of freedom: one fewer than the smallest number of levels of a factor behind either side.

    Args:
        factors: (N,) int, 0.. each: participants, stimuli.
        side: (N,) bool; None: one side.

    >>> freedom(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 2, 3, 4]), side=np.array([True, True, False, False, False]))
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
    """(N,) bool: a covariate's two sides, as of reals and fakes; None where it has one value or more than two."""
    low, high = column.min(initial=np.inf), column.max(initial=-np.inf)
    return column == low if low < high and ((column == low) | (column == high)).all() else None


def t_critical(freedom: ArrayLike, *, coverage: float = 0.95) -> np.ndarray:
    """Two-sided critical value of Student's t; NaN below one degree of freedom.

    >>> t_critical([24, 0]).round(4).tolist()
    [2.0639, nan]
    """
    freedom = np.asarray(freedom, float)
    return np.where(freedom >= 1, stdtrit(np.maximum(freedom, 1.0), (1 + coverage) / 2), np.nan)


def two_sided_p(estimate: ArrayLike, std_error: ArrayLike, freedom: ArrayLike) -> np.ndarray:
    """p of each estimate against 0, Student's t as the reference; NaN where the error is not above 0."""
    error = np.asarray(std_error, float)
    return np.asarray(2 * stdtr(freedom, -np.abs(np.asarray(estimate, float)) / np.where(error > 0, error, np.nan)))


def equivalence_p(estimate: ArrayLike, std_error: ArrayLike, freedom: ArrayLike, margin: float) -> np.ndarray:
    """The larger p of the two one-sided tests of -margin < difference < margin (Schuirmann 1987, Journal of
    Pharmacokinetics and Biopharmaceutics 15, 657-680); NaN where the error is not above 0."""
    error = np.asarray(std_error, float)
    beyond = np.abs(np.asarray(estimate, float)) - margin
    return np.asarray(stdtr(freedom, beyond / np.where(error > 0, error, np.nan)))


class Answers(NamedTuple):
    """Judgements of reals and of fakes, one number for each group."""

    hits: np.ndarray
    """Fakes called fake."""
    n_fake: np.ndarray
    false_alarms: np.ndarray
    """Reals called fake."""
    n_real: np.ndarray

    def hit_rate(self) -> np.ndarray:
        """Rate with the log-linear correction, above 0 and below 1."""
        return (self.hits + 0.5) / (self.n_fake + 1.0)

    def false_alarm_rate(self) -> np.ndarray:
        """Rate with the log-linear correction."""
        return (self.false_alarms + 0.5) / (self.n_real + 1.0)


class Covariance(NamedTuple):
    """Covariance of hit rate and false-alarm rate, each (G,); NaN where a rate rests on a single cluster."""

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
        return Answers(*(np.bincount(self.group, part, minlength=self.size) for part in self.answers))

    def covariance(self) -> Covariance:
        """Covariance of the rates when answers within a cluster hang together: `one_way`'s, from counts."""
        total, own, of = self.totals(), self.answers, self.group
        with np.errstate(divide="ignore", invalid="ignore"):
            hits = (own.hits - total.hit_rate()[of] * own.n_fake) / total.n_fake[of]
            false_alarms = (own.false_alarms - total.false_alarm_rate()[of] * own.n_real) / total.n_real[of]
        hit = _scaled([hits], own.n_fake, of, self.size)[0]
        false_alarm = _scaled([false_alarms], own.n_real, of, self.size)[0]
        products = (hit * hit, hit * false_alarm, false_alarm * false_alarm)
        return Covariance(*(np.bincount(of, product, minlength=self.size) for product in products))


def clusters(group: np.ndarray, size: int, cluster: np.ndarray, is_fake: np.ndarray, says_fake: np.ndarray) -> Clusters:
    """Count answers by group and cluster.

    Args:
        group: (M,) 0..size-1.
        size: number of groups.
        cluster: (M,) 0.. .
        is_fake: (M,) bool.
        says_fake: (M,) bool.
    """
    place, owner = places(group, cluster)
    kind = 2 * is_fake.astype(np.int64) + says_fake
    real_real, real_fake, fake_real, fake_fake = (
        np.bincount(4 * place + kind, minlength=4 * len(owner)).reshape(-1, 4).T
    )
    return Clusters(owner, Answers(fake_fake, fake_real + fake_fake, real_fake, real_real + real_fake), size)


def covariance_of_single_answers(total: Answers) -> Covariance:
    """Covariance of the rates when every answer is a cluster of its own."""
    variances = []
    for success, n, rate in (
        (total.hits, total.n_fake, total.hit_rate()),
        (total.false_alarms, total.n_real, total.false_alarm_rate()),
    ):
        with np.errstate(divide="ignore", invalid="ignore"):
            variances.append((success * (1 - rate) ** 2 + (n - success) * rate**2) / (n * (n - 1.0)))
    return Covariance(variances[0], np.zeros_like(variances[0]), variances[1])


def places(group: np.ndarray | None, code: np.ndarray, *, in_order: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, from 0, of the combinations of a group and a code that occur, and each one's group.

    Args:
        group: (M,) 0.. ; None: one group.
        code: (M,) 0.. .
        in_order: number them in the order of both.

    Returns:
        (M,) each row's combination, and (K,) each combination's group.
    """
    many = int(code.max(initial=0)) + 1
    place = code if group is None else group.astype(np.int64) * many + code
    occurring_place, occurring = pd.factorize(place, sort=in_order)
    return occurring_place, np.asarray(occurring) // many


def _scaled(sums: ArrayLike, n: np.ndarray, owner: np.ndarray, size: int) -> np.ndarray:
    """(..., K) sums of influences of K clusters, `n` answers each, times the root of C / (C - 1).

    C are the clusters with answers of the group, `owner` (K,), that a cluster belongs to. A cluster without answers has
    0, one that is the only one of its group NaN.
    """
    number = np.bincount(owner, n > 0, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(number > 1, np.sqrt(number / (number - 1)), np.nan)
        return np.where(n > 0, np.asarray(sums) * factor[owner], 0.0)
