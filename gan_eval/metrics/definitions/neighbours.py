"""Precision and recall, density and coverage: how two sets lie among each other's nearest neighbours.

The ball of a picture reaches to the k-th nearest other picture of its own set.

| metric | k | is the share of | with |
| --- | --- | --- | --- |
| precision | 3 | generated pictures | a real picture whose ball they are in |
| recall | 3 | real pictures | a generated picture whose ball they are in |
| coverage | 5 | real pictures | a generated picture in their ball |
| density | 5 | | real pictures whose ball a generated one is in, counted, divided by k; mean over the generated ones |

As their sources define it, a ball of precision and recall holds its rim (Kynkäänniemi et al. 2019, equation 1), a ball
of density and coverage does not (Naeem et al. 2020, in the authors' program): a set compared with itself has density 1.
Where pictures stand k + 1 times in a set, their ball is a point: a further copy is in it with the rim and not without.
Distances that agree to 1e-11 of the squared norms (taken from a point near the real pictures' mean) count as equal, so
that copies are found as such in spite of rounding.

One pass over all distances gives the four values and those without each group of items: the nearest members of each
picture are kept, so that its radius without a group is known too.
"""

import math
from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.jackknife import GROUPS, Comparison, Estimate, Groups, PictureSet, as_of_equal_groups
from gan_eval.metrics.definitions.moments import Features, Matrix, near_mean, require_finite
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

K = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}
"""The neighbour that a ball reaches to."""
_RADII = (3, 5)
TIE = 1e-11
"""Distances whose squares agree to this share of the squared norms count as equal."""
CELLS = 2**22
"""Distances that are held at a time."""
NEAREST = 32
"""Nearest members that are kept for the radii without a group."""


def precision(real: Features, fake: Features) -> float:
    """Share of the generated pictures that lie among the real ones (Kynkäänniemi et al. 2019, k = 3).

    Raises:
        Unmeasurable: a set has fewer than k + 1 members, or a feature is not finite.

    >>> line = np.arange(8.0)[:, None]
    >>> precision(line, line + 5)
    0.75
    """
    return _value("precision", real, fake)


def recall(real: Features, fake: Features) -> float:
    """Share of the real pictures that lie among the generated ones; all else as `precision`.

    >>> line = np.arange(8.0)[:, None]
    >>> recall(line, line[:4])
    0.875
    """
    return _value("recall", real, fake)


def density(real: Features, fake: Features) -> float:
    """Number of real balls around each generated one (Naeem et al. 2020, k = 5).

    Arguments and errors as `precision`; 0 and above, 1 where both sets are alike; higher is better.

    >>> line = np.arange(8.0)[:, None] ** 1.1
    >>> density(line, line)
    1.0
    """
    return _value("density", real, fake)


def coverage(real: Features, fake: Features) -> float:
    """Share of the real pictures with a generated one in their ball (Naeem et al. 2020, k = 5); as `precision`.

    >>> line = np.arange(8.0)[:, None]
    >>> coverage(line, np.concatenate([line[:6], line[:6]]))
    1.0
    """
    return _value("coverage", real, fake)


def _value(name: str, real: Features, fake: Features) -> float:
    return NeighbourReference(real, None).compare(fake, None, names=[name])[name].value


class NeighbourReference:
    """The real pictures' part of the four metrics, computed once for all models.

    Args:
        real: (N, d) features of the real pictures.
        groups: (N,) the group of each; None where none is to be left out.
    """

    def __init__(self, real: Features, groups: Groups | None) -> None:
        self._real = real
        self._groups = groups
        self._origin = near_mean(real)
        self._balls: _Balls | None = None

    def compare(
        self, fake: Features, groups: Groups | None, *, names: Collection[str] = tuple(K)
    ) -> dict[str, Estimate]:
        """The metrics of generated pictures, by name.

        Raises:
            Unmeasurable: as `precision`.
        """
        least = max(K[name] for name in names) + 1
        if min(len(self._real), len(fake)) < least:
            raise Unmeasurable(
                f"{len(self._real)} real and {len(fake)} generated pictures; {', '.join(names)} needs {least} of each"
            )
        self._balls = self._balls or _Balls(self._real, self._groups, self._origin)
        estimates = _crossing(self._balls, _Balls(fake, groups, self._origin))
        return {name: estimates[name] for name in names}


def compare_neighbours(real: PictureSet) -> Comparison:
    """Return a function that computes the four metrics of sets against these real pictures, in one pass."""
    reference = NeighbourReference(real.features, real.groups)
    return lambda fake, names: reference.compare(fake.features, fake.groups, names=names)


def _metric(function: Callable[..., float], measures: str, high: float, source: str) -> Metric:
    name = function.__name__
    return Metric(
        name=f"{name}_inception",
        title=f"{name}, Inception",
        kind="set",
        measures=measures,
        high=high,
        higher_is_better=True,
        source=f"{source}; Inception 2015-12-05, 2048 features (not VGG16's, as in the papers)",
        definition=f"{name}/inception/k={K[name]}",
        function=function,
        weights=("inception",),
        extractor="inception",
        depends_on_count=True,
        compare=compare_neighbours,
    )


METRICS = (
    _metric(
        precision,
        "share of the generated pictures that lie among the real ones",
        1.0,
        "Kynkäänniemi et al. 2019; k = 3",
    ),
    _metric(
        recall, "share of the real pictures that lie among the generated ones", 1.0, "Kynkäänniemi et al. 2019; k = 3"
    ),
    _metric(
        density,
        "how densely the real pictures surround each generated one; 1 where both sets are alike, more is possible",
        math.inf,
        "Naeem et al. 2020; k = 5",
    ),
    _metric(coverage, "share of the real pictures with a generated one nearby", 1.0, "Naeem et al. 2020; k = 5"),
)


class _Balls:
    """The members of one set with their squared radii, for all members and without each group."""

    def __init__(self, features: Features, groups: Groups | None, origin: Matrix) -> None:
        self.features = features
        self.origin = origin
        self.count = len(features)
        self.step = max(1, CELLS // self.count)
        self.groups = np.full(self.count, -1, dtype=np.intp) if groups is None else groups
        self.norms = np.concatenate([np.square(self.rows(i, self.step)).sum(axis=1) for i in self.starts()])
        require_finite(self.norms)
        sizes = np.array([self.count - (self.groups == g).sum() for g in range(GROUPS)])
        self.can_leave_out = groups is not None and sizes.min() > max(_RADII)
        self.radii = np.concatenate([self._radii(i) for i in self.starts()], axis=2)
        """(replicates, 2, N): squared, by k = 3, 5; the first replicate is that of all."""

    def starts(self) -> range:
        return range(0, self.count, self.step)

    def rows(self, start: int, step: int) -> Matrix:
        return np.asarray(self.features[start : start + step], dtype=np.float64) - self.origin

    def products(self, rows: Matrix) -> Matrix:
        """(n, N) inner products of other vectors with the members."""
        block = 1024
        return np.concatenate([rows @ self.rows(j, block).T for j in range(0, self.count, block)], axis=1)

    def _radii(self, start: int) -> Matrix:
        rows = self.rows(start, self.step)
        squares = self.norms[start : start + len(rows), None] + self.norms - 2 * self.products(rows)
        squares[np.arange(len(rows)), start + np.arange(len(rows))] = np.inf
        nearest, groups = self._sorted(squares, min(NEAREST, self.count - 1))
        radii = np.stack([_kth(nearest, groups, g) for g in self._replicates()])
        lacking = np.isnan(radii).any(axis=(0, 1)) & (self.count - 1 > NEAREST)
        for i in np.flatnonzero(lacking):  # nearly all of its neighbours are in one group
            nearest, groups = self._sorted(squares[i : i + 1], self.count - 1)
            radii[:, :, i] = np.stack([_kth(nearest, groups, g)[:, 0] for g in self._replicates()])
        return radii

    def _replicates(self) -> range:
        return range(-1, GROUPS) if self.can_leave_out else range(-1, 0)

    def _sorted(self, squares: Matrix, count: int) -> tuple[Matrix, NDArray[np.intp]]:
        """The `count` least of each row in order, and the groups of those members."""
        members = np.argpartition(squares, count - 1, axis=1)[:, :count]
        nearest = np.take_along_axis(squares, members, axis=1)
        order = np.argsort(nearest, axis=1)
        return np.take_along_axis(nearest, order, axis=1), self.groups[np.take_along_axis(members, order, axis=1)]


def _kth(nearest: Matrix, groups: NDArray[np.intp], left_out: int) -> Matrix:
    """(2, n) the 3rd and the 5th of the sorted `nearest` (n, c) outside a group; NaN where c is too few."""
    rank = np.cumsum((groups != left_out) | (left_out < 0), axis=1)
    radii = []
    for k in _RADII:
        value = nearest[np.arange(len(nearest)), (rank >= k).argmax(axis=1)]
        radii.append(np.where(rank[:, -1] >= k, value, np.nan))
    return np.stack(radii)


def _crossing(real: _Balls, fake: _Balls) -> dict[str, Estimate]:
    """Find the pictures inside the other set's balls: the four metrics, for all pictures and without each group."""
    replicates = min(len(real.radii), len(fake.radii))
    fake_inside = np.zeros((replicates, fake.count), dtype=bool)
    real_inside, real_covered = np.zeros((2, replicates, real.count), dtype=bool)
    pairs_inside = np.zeros(replicates)
    step = max(1, CELLS // fake.count)
    for start in range(0, real.count, step):
        rows = real.rows(start, step)
        norms = real.norms[start : start + len(rows), None] + fake.norms
        squares = norms - 2 * fake.products(rows)
        slack = TIE * norms
        real_radii = real.radii[:replicates, :, start : start + len(rows)]
        fake_radii = fake.radii[:replicates, 0]
        reach = np.maximum(np.nanmax(real_radii, axis=(0, 1))[:, None], np.nanmax(fake_radii, axis=0))
        i, j = np.nonzero(squares - slack <= reach)  # few distances are within a radius: only these are looked at again
        square, tie = squares[i, j], slack[i, j]
        with_rim, without_rim = square - tie, square + tie
        for replicate in range(replicates):
            group = replicate - 1
            included = _included(real.groups[start + i], group) & _included(fake.groups[j], group)
            fake_inside[replicate, j[included & (with_rim <= real_radii[replicate, 0, i])]] = True
            real_inside[replicate, start + i[included & (with_rim <= fake_radii[replicate, j])]] = True
            covered = included & (without_rim < real_radii[replicate, 1, i])
            real_covered[replicate, start + i[covered]] = True
            pairs_inside[replicate] += np.count_nonzero(covered)
    real_included = np.stack([_included(real.groups, group) for group in range(-1, replicates - 1)])
    fake_included = np.stack([_included(fake.groups, group) for group in range(-1, replicates - 1)])
    reals, fakes = real_included.sum(axis=1), fake_included.sum(axis=1)

    def estimate(values: Matrix, share_of: int | None = None) -> Estimate:
        value = float(values[0])
        left_out = as_of_equal_groups(value, values[1:], fake.groups) if len(values) > 1 else None
        return Estimate(value, left_out, share_of)

    return {
        "precision": estimate((fake_inside & fake_included).sum(axis=1) / fakes, int(fakes[0])),
        "recall": estimate((real_inside & real_included).sum(axis=1) / reals, int(reals[0])),
        "density": estimate(pairs_inside / (K["density"] * fakes)),
        "coverage": estimate((real_covered & real_included).sum(axis=1) / reals, int(reals[0])),
    }


def _included(groups: Groups, left_out: int) -> NDArray[np.bool_]:
    """(n,) whether a picture counts where a group is left out; all do for -1."""
    return groups != left_out if left_out >= 0 else np.ones(len(groups), dtype=bool)
