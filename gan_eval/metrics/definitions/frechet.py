"""The Fréchet distance between two sets of features, each taken as one Gaussian (FID's second half).

d² = |μx - μy|² + tr Σx + tr Σy - 2 tr (Σx Σy)^(1/2), covariances with n - 1, everything in float64. The trace of the
root never passes through a matrix root, so it is never complex, and a singular covariance needs no epsilon.

For any factors with Σx = AᵀA and Σy = BᵀB that trace is the nuclear norm |A Bᵀ|_*, the sum of singular values:

- `nuclear`: with the centred features themselves as factors (or R of their QR decomposition, where there are more
  pictures than features) the sum is exact to the last digits at any rank. Eigenvalues of the squared product would
  lose half of the digits.
- `cholesky`: with more pictures than features in both sets, the roots of the eigenvalues of Lᵀ Σx L with Σy = L Lᵀ are
  faster. Rounding moves the eigenvalues by about ε times the largest, which is nothing for the root of a large one and
  √ε for the root of one that should be 0. What all roots together may be off is estimated, and where it is above 1e-8
  of the distance (a covariance is singular or nearly so, or the sets are nearly alike) `nuclear` is taken.
- `aligned`: between sets that are nearly alike the three traces cancel. Below 1e-4 of their sum the same quantity is
  taken as |A - U B|², with U the rotation that brings B nearest to A: a sum of squares of small numbers, in which
  nothing cancels. The distance's own root is then off by a few 1e-16 of √(tr Σx + tr Σy): equal sets give 0 to 1e-28 of
  the traces, and the squared distance has 8 right digits down to 1e-14 of them.

The Fréchet distance of many subsets of the same two sets: for the jackknife and for FID∞.

Nothing is read twice that need not be. With at most d pictures in both sets, all inner products between them are
computed once, and a subset's distance is the nuclear norm of its part of them, centred. With more pictures than
features, a group's moments are subtracted from those of all.

FID extrapolated to sets without end: FID of smaller sets on a straight line in 1/N, read off at 1/N = 0.

The bias of FID falls with 1/N only where N is above the number of features that vary. Below, the line leaves some:
on Gaussians of 2048 features (standard deviations falling as n^-0.7 and n^-1, true FID 4.5, traces of 31.6),

| N | falling | FID | FID∞ | its spread over draws |
| --- | --- | --- | --- | --- |
| 50 | -0.7 | 19.3 | 13.5 | 2.0 |
| 50 | -1 | 9.4 | 5.7 | 2.8 |
| 106 | -0.7 | 14.1 | 10.0 | 0.8 |
| 106 | -1 | 6.6 | 4.7 | 0.9 |

with -1 and N = 500: 4.7, 4.15, 0.3; with 512 features, -0.7 and N = 500: 6.9, 4.75, 0.2, and N = 2000: 5.0, 4.45, 0.2.
Sizes from half of the pictures upwards had the least error in most of these, out of 0.1 to 0.8: smaller sizes bend the
line, larger ones lever the noise.

The fit's own standard error is that of independent points, and of the draws alone: it was 0.6 to 1.6 times the spread
over draws of new pictures. The interval is therefore the jackknife's, of the whole extrapolation: 165 distances, each
of a few milliseconds with some hundred pictures and of about a second with some thousand.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal, Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.linalg import lapack

from gan_eval.metrics.definitions.jackknife import GROUPS, Estimate, Groups
from gan_eval.metrics.definitions.moments import (
    Features,
    Matrix,
    Moments,
    Rows,
    Vector,
    centred,
    moments,
    near_mean,
    require_finite,
    triangular_factor,
)
from gan_eval.metrics.kernels.pictures import Unmeasurable

Estimator = Literal["nuclear", "cholesky", "aligned"]

TOLERANCE = 1e-8
"""What rounding may do to the distance by way of `cholesky`, as a share of it and estimated too high."""
REGULAR = 1024
"""Times rounding: above, eigenvalues are moved either way; below, those that should be 0 come out above it."""
OVERRATED = 16
"""The regular roots together were moved by less than this part of the estimate wherever that mattered. No simulated
distance taken from them (d = 14 to 1024, spectra that end at 0 or fall steeply) was off by more than 2e-9."""
NEAR = 1e-4
"""Sets are nearly alike where the distance is below this share of the traces."""


@dataclass(frozen=True)
class Frechet:
    """A Fréchet distance and the way its trace was computed."""

    value: float
    estimator: Estimator


def frechet_distance(real: Features, fake: Features) -> Frechet:
    """Squared Fréchet distance (Heusel et al. 2017, equation 6).

    Memory beyond the features: five d x d matrices of float64 (168 MB for d = 2048), whatever their number.

    Args:
        real: (N, d) features of the real pictures.
        fake: (M, d) features of the generated ones.

    Returns:
        The distance, 0 and above.

    Raises:
        Unmeasurable: a set has fewer than two members, or a feature is not finite.

    >>> x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(frechet_distance(x, x + 3).value, 12)
    18.0
    """
    if min(len(real), len(fake)) < 2:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; a Fréchet distance needs two of each")
    x, y = _Set(real), _Set(fake)
    shift = squared_shift(x, y)
    traces = x.trace + y.trace
    if x.moments is not None and y.moments is not None:
        found = trace_by_cholesky(x.moments.covariance(), y.moments.covariance())
        if found is not None:
            value = shift + traces - 2 * found.value
            if 2 * found.slack <= TOLERANCE * value:
                return Frechet(value, "cholesky")
    return distance_of_factors(shift, x.factor(), y.factor())


def distance_of_factors(shift: float, a: Matrix, b: Matrix) -> Frechet:
    """The distance of two Gaussians from factors of their covariances.

    Args:
        shift: the squared distance of their means.
        a, b: (n, d) and (m, d), with aᵀa and bᵀb the covariances.
    """
    traces = float(np.vdot(a, a)) + float(np.vdot(b, b))
    value = shift + traces - 2 * float(scipy.linalg.svdvals(a @ b.T, check_finite=False).sum())
    if value < NEAR * traces:
        return Frechet(shift + _aligned(a, b), "aligned")
    return Frechet(value, "nuclear")


class _Set:
    """One set: where there are more pictures than features its moments, else the features themselves."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self.moments: Moments | None = None
        if len(features) > features.shape[1]:
            self.moments = moments(features)
            self.origin, self.offset = self.moments.origin, self.moments.offset
            self.trace = self.moments.trace
        else:
            self.origin, self.offset, self._rows = centred(features)
            self.trace = float(np.vdot(self._rows, self._rows))
        require_finite(self.offset)

    def factor(self) -> Matrix:
        """(min(N, d), d) F with FᵀF the covariance."""
        return self._rows if self.moments is None else triangular_factor(self._features, self.moments)


class HasMean(Protocol):
    """A set whose mean is known as a point and what to add to it."""

    @property
    def origin(self) -> Vector:
        """(d,)"""

    @property
    def offset(self) -> Vector:
        """(d,)"""


def squared_shift(x: HasMean, y: HasMean) -> float:
    """The squared distance of two means. The origins cancel first, so that an offset of both costs no digits."""
    shift = (x.origin - y.origin) + (x.offset - y.offset)
    return float(shift @ shift)


@dataclass(frozen=True)
class Trace:
    """tr (Σx Σy)^(1/2), and what rounding may have done to it."""

    value: float
    slack: float


def trace_by_cholesky(covariance_x: Matrix, covariance_y: Matrix) -> Trace | None:
    """The trace from the eigenvalues of Lᵀ Σx L with Σy = L Lᵀ, or None where Σy is singular.

    Args:
        covariance_x, covariance_y: (d, d); lower triangles, in Fortran's order. Both are overwritten.
    """
    factor, failed = lapack.dpotrf(covariance_y, lower=1, overwrite_a=1, clean=0)
    return None if failed else trace_with_factor(covariance_x, factor)


def trace_with_factor(covariance: Matrix, factor: Matrix) -> Trace:
    """The trace from the eigenvalues of Lᵀ Σ L; `covariance` is overwritten."""
    squared, _ = lapack.dsygst(covariance, factor, itype=2, lower=1, overwrite_a=1)
    eigenvalues = scipy.linalg.eigh(
        squared, lower=True, eigvals_only=True, driver="evd", overwrite_a=True, check_finite=False
    )
    eigenvalues = np.maximum(eigenvalues, 0)
    rounding = np.finfo(float).eps * eigenvalues[-1]
    moved = np.sqrt(eigenvalues + rounding) - np.sqrt(eigenvalues)
    regular = eigenvalues > REGULAR * rounding
    slack = np.linalg.norm(moved[regular]) / OVERRATED + moved[~regular].sum()
    return Trace(float(np.sqrt(eigenvalues).sum()), float(slack))


def _aligned(a: Matrix, b: Matrix) -> float:
    """|A - U B|² for the orthogonal U that makes it least; A (n, d), B (m, d)."""
    rows = max(len(a), len(b))
    a, b = (np.vstack([factor, np.zeros((rows - len(factor), factor.shape[1]))]) for factor in (a, b))
    left, _, right = scipy.linalg.svd(a @ b.T, check_finite=False)
    rest = a - (left @ right) @ b
    return float(np.vdot(rest, rest))


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


SIZES = 15
"""Sizes of the smaller sets; the last is that of all pictures."""
LEAST = 0.5
"""The smallest of them, as a share of all pictures."""
FEWEST = 20
"""Pictures that a set needs."""
SEED = 2020
"""Draws the smaller sets."""


def fid_infinity(
    real: Features,
    fake: Features,
    *,
    real_items: Sequence[str] | None = None,
    fake_items: Sequence[str] | None = None,
) -> float:
    """FID∞ (Chong and Forsyth 2020): an item's real and generated pictures are drawn together.

    Without items, real and generated pictures are drawn on their own, by the rank of their features: the order of the
    rows has no part in it. Sets of unequal size shrink by the same share, as FID's bias falls with either; 1/N is then
    the mean of both.

    Args:
        real: (N, d) features of the real pictures.
        fake: (M, d) features of the generated ones.
        real_items, fake_items: the item of each picture; both or neither.

    Raises:
        Unmeasurable: fewer than 20 pictures in a set, or a feature is not finite.
        ValueError: items of one set alone, or not one for each picture.

    >>> from gan_eval.metrics.definitions.frechet import frechet_distance
    >>> rng = np.random.default_rng(0)
    >>> real, fake = rng.normal(size=(300, 20)), rng.normal(0.5, 1, size=(300, 20))  # at a distance of 5
    >>> round(frechet_distance(real, fake).value, 2), round(fid_infinity(real, fake), 2)
    (6.2, 4.91)
    """
    if real_items is None and fake_items is None:
        real_items, fake_items = _names_by_rank("r", real), _names_by_rank("f", fake)
    if real_items is None or fake_items is None:
        raise ValueError("items of one set alone; name those of the real and of the generated pictures, or neither")
    if (len(real), len(fake)) != (len(real_items), len(fake_items)):
        raise ValueError(
            f"{len(real)} real and {len(fake)} generated pictures, but {len(real_items)} and {len(fake_items)} items"
        )
    if min(len(real), len(fake)) < FEWEST:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; fid_infinity needs {FEWEST} of each")
    require_finite(near_mean(real) + near_mean(fake))
    return Draws(real_items, fake_items).extrapolate(subset_distance(real, fake))


def infinity_estimate(
    real: Features,
    fake: Features,
    real_items: Sequence[str],
    fake_items: Sequence[str],
    real_groups: Groups | None,
    fake_groups: Groups | None,
) -> Estimate:
    """FID∞, and FID∞ of what is left without each group of items.

    Args:
        real, fake: (N, d) and (M, d) features.
        real_items, fake_items: the item of each picture.
        real_groups, fake_groups: the group of each; None where none is to be left out.

    Raises:
        Unmeasurable: as `fid_infinity`.
    """
    value = fid_infinity(real, fake, real_items=real_items, fake_items=fake_items)
    if real_groups is None or fake_groups is None:
        return Estimate(value)
    draws = Draws(real_items, fake_items)
    distance = subset_distance(real, fake)
    left_out = [
        draws.extrapolate(distance, real_kept=real_groups != g, fake_kept=fake_groups != g) for g in range(GROUPS)
    ]
    return Estimate(value, np.array(left_out))


class Draws:
    """Which pictures are in the smaller sets: drawn by item, without replacement, with a stored seed.

    Every item gets a random number for each size, and the least of them are in: the draws with and without a group of
    items are alike. Items with a real picture alone, with generated ones alone and with both are drawn apart, so that
    both sets shrink by the same share.
    """

    def __init__(self, real_items: Sequence[str], fake_items: Sequence[str]) -> None:
        items = sorted({*real_items, *fake_items})
        place = {item: n for n, item in enumerate(items)}
        self._real = np.array([place[item] for item in real_items], dtype=np.intp)
        self._fake = np.array([place[item] for item in fake_items], dtype=np.intp)
        in_real, in_fake = np.isin(np.arange(len(items)), self._real), np.isin(np.arange(len(items)), self._fake)
        self._strata = [in_real & ~in_fake, in_fake & ~in_real, in_real & in_fake]
        self._numbers = np.random.default_rng(SEED).random((SIZES, len(items)))

    def extrapolate(
        self,
        distance: SubsetDistance,
        *,
        real_kept: NDArray[np.bool_] | None = None,
        fake_kept: NDArray[np.bool_] | None = None,
    ) -> float:
        """The distance at 1/N = 0, on the line through those of the subsets.

        Args:
            distance: of the real and the generated pictures in given rows.
            real_kept, fake_kept: (N,) and (M,) the pictures to draw from; default: all.
        """
        kept = np.ones(self._numbers.shape[1], dtype=bool)
        for places, keep in ((self._real, real_kept), (self._fake, fake_kept)):
            if keep is not None:
                kept[places[~keep]] = False
        shares = np.linspace(LEAST, 1, SIZES)
        inverse, values = [], []
        for share, numbers in zip(shares, self._numbers, strict=True):
            chosen = self._choose(float(share), numbers, kept)
            rows, others = np.flatnonzero(chosen[self._real]), np.flatnonzero(chosen[self._fake])
            inverse.append((1 / len(rows) + 1 / len(others)) / 2)
            values.append(distance(rows, others))
        return intercept(np.array(inverse), np.array(values))

    def _choose(self, share: float, numbers: Vector, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        chosen = np.zeros(len(numbers), dtype=bool)
        for stratum in self._strata:
            members = np.flatnonzero(stratum & kept)
            chosen[members[np.argsort(numbers[members])[: round(share * len(members))]]] = True
        return chosen


def intercept(inverse: Vector, values: Vector) -> float:
    """The least-squares line through `values` over `inverse`, at 0.

    >>> round(intercept(np.array([0.01, 0.02, 0.04]), np.array([7.0, 9.0, 13.0])), 9)
    5.0
    """
    centred = inverse - inverse.mean()
    slope = float(centred @ values) / float(centred @ centred)
    return float(values.mean() - slope * inverse.mean())


def content_order(features: Features) -> list[int]:
    """The rows by their sum, then by their hash: an order that no order of the rows changes, in float32 or float64.

    By the sum first, so that rounding in the features leaves it alone but for near ties.

    >>> content_order(np.array([[3.0, 1.0], [0.0, 2.0], [1.0, 0.5]]))
    [2, 1, 0]
    """
    rows = (np.ascontiguousarray(row, dtype="<f8") + 0.0 for row in features)  # 0.0 makes -0.0 the 0.0 that it equals
    keys = [(float(row.sum()), sha256(row.tobytes()).digest()) for row in rows]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _names_by_rank(prefix: str, features: Features) -> list[str]:
    names = [""] * len(features)
    for rank, row in enumerate(content_order(features)):
        names[row] = f"{prefix}{rank}"
    return names
