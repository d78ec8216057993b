"""The Fréchet distance of many subsets of the same two sets: for the jackknife and for FID∞.

Nothing is read twice that need not be. With at most d pictures in both sets, all inner products between them are
computed once, and a subset's distance is the nuclear norm of its part of them, centred. With more pictures than
features, a group's moments are subtracted from those of all.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.linalg import lapack

from gan_eval.metrics.definitions.frechet import frechet_distance, squared_shift, trace_by_cholesky, trace_with_factor
from gan_eval.metrics.definitions.jackknife import GROUPS, Estimate, Groups
from gan_eval.metrics.definitions.moments import Features, Matrix, Moments, Rows, Vector, centred, moments

SubsetDistance = Callable[[Rows, Rows], float]
"""The distance of the real and the generated pictures in these rows."""


class FrechetReference:
    """The real pictures' part of the distance, computed once for all models.

    Memory beyond the features, with more pictures than features: the factors of the real pictures' covariance without
    each group, 11 d x d matrices of float64, and six more for a comparison (570 MB in all for d = 2048).

    Args:
        real: (N, d) features of the real pictures.
        groups: (N,) the group of each; None where none is to be left out.
    """

    def __init__(self, real: Features, groups: Groups | None) -> None:
        self._real = real
        self._groups = groups

    def compare(self, fake: Features, groups: Groups | None) -> Estimate:
        """The distance of generated pictures.

        Args:
            fake: (M, d) features.
            groups: (M,) the group of each.

        Raises:
            Unmeasurable: as `frechet_distance`.
        """
        value = frechet_distance(self._real, fake).value
        if self._groups is None or groups is None:
            return Estimate(value)
        return Estimate(value, self._left_out(fake, self._groups, groups))

    def _left_out(self, fake: Features, real_groups: Groups, groups: Groups) -> NDArray[np.float64] | None:
        counts = [np.sum(real_groups != g) for g in range(GROUPS)], [np.sum(groups != g) for g in range(GROUPS)]
        if min(map(min, counts)) < 2:
            return None
        if min(map(min, counts)) > fake.shape[1] and all(part is not None for part in self._parts):
            of_all = moments(fake)
            return np.array([self._without(g, fake, groups, of_all) for g in range(GROUPS)])
        distance = subset_distance(self._real, fake)
        return np.array(
            [distance(np.flatnonzero(real_groups != g), np.flatnonzero(groups != g)) for g in range(GROUPS)]
        )

    def _without(self, g: int, fake: Features, groups: Groups, of_all: Moments) -> float:
        part = self._parts[g]
        assert part is not None
        rest = of_all - moments(fake, np.flatnonzero(groups == g), origin=of_all.origin)
        root = trace_with_factor(rest.covariance(), part.factor).value
        return squared_shift(part, rest) + part.trace + rest.trace - 2 * root

    @cached_property
    def _parts(self) -> "list[_Part | None]":
        """The real pictures without each group; None where their covariance is singular."""
        assert self._groups is not None
        of_all = moments(self._real)
        return [
            _part(of_all - moments(self._real, np.flatnonzero(self._groups == g), origin=of_all.origin))
            for g in range(GROUPS)
        ]


@dataclass(frozen=True)
class _Part:
    """Some of the real pictures: their mean, and their covariance as its factor."""

    origin: Vector
    offset: Vector
    trace: float
    factor: Matrix


def _part(rest: Moments) -> _Part | None:
    factor, failed = lapack.dpotrf(rest.covariance(), lower=1, overwrite_a=1, clean=0)
    return None if failed else _Part(rest.origin, rest.offset, rest.trace, factor)


def subset_distance(real: Features, fake: Features) -> SubsetDistance:
    """A function that gives the Fréchet distance of some rows of two sets."""
    if max(len(real), len(fake)) <= real.shape[1]:
        return _Products(real, fake)
    return lambda rows, others: _by_moments(real, fake, rows, others)


def _by_moments(real: Features, fake: Features, rows: Rows, others: Rows) -> float:
    if min(len(rows), len(others)) > real.shape[1]:
        x, y = moments(real, rows), moments(fake, others)
        root = trace_by_cholesky(x.covariance(), y.covariance())
        if root is not None:
            return squared_shift(x, y) + x.trace + y.trace - 2 * root.value
    return frechet_distance(real[rows], fake[others]).value


class _Products:
    """The distances of subsets of two small sets, from all inner products between their members."""

    def __init__(self, real: Features, fake: Features) -> None:
        real_origin, real_offset, self._real = centred(real)
        fake_origin, fake_offset, self._fake = centred(fake)
        self._scale = len(real) - 1, len(fake) - 1
        self._shift = (real_origin - fake_origin) + (real_offset - fake_offset)
        self._products = self._real @ self._fake.T
        self._squares = np.square(self._real).sum(axis=1), np.square(self._fake).sum(axis=1)

    def __call__(self, rows: Rows, others: Rows) -> float:
        scale_x, scale_y = self._scale[0] / (len(rows) - 1), self._scale[1] / (len(others) - 1)
        mean_x, mean_y = self._real[rows].mean(axis=0), self._fake[others].mean(axis=0)
        trace_x = scale_x * (self._squares[0][rows].sum() - len(rows) * mean_x @ mean_x)
        trace_y = scale_y * (self._squares[1][others].sum() - len(others) * mean_y @ mean_y)
        products = self._products[np.ix_(rows, others)]
        products = products - products.mean(axis=0) - products.mean(axis=1, keepdims=True) + products.mean()
        root = math.sqrt(scale_x * scale_y) * scipy.linalg.svdvals(products, overwrite_a=True, check_finite=False).sum()
        shift = self._shift + math.sqrt(self._scale[0]) * mean_x - math.sqrt(self._scale[1]) * mean_y
        return float(shift @ shift + trace_x + trace_y - 2 * root)
