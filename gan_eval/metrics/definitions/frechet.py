"""The Fréchet distance between two sets of features, each taken as one Gaussian: FID.

d² = |μx - μy|² + tr Σx + tr Σy - 2 tr (Σx Σy)^(1/2), covariances with n - 1, in float64. For factors with Σx = AᵀA and
Σy = BᵀB that trace is the nuclear norm |A Bᵀ|_*, exact at any rank. With more pictures than features in both sets, the
roots of the eigenvalues of Lᵀ Σx L with Σy = L Lᵀ are faster, and taken where their rounding error is below 1e-8.

Everything is taken from a point near the set's mean, so that large offsets cost no digits, and only blocks and d x d
matrices are float64, so that memory does not grow with the number of pictures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.jackknife import (
    GROUPS,
    NO_GROUP,
    JackknifeEstimate,
    OnPart,
    PictureSet,
    SetComparison,
    as_of_equal_groups,
    silent,
)
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

Features = NDArray[np.floating]
"""(N, d) float32 or float64, in memory or mapped from a file."""


class Rows:
    """Some rows of features, copied when they are read."""

    def __init__(self, features: Features, mask: NDArray[np.bool_]) -> None:
        self._features, self._numbers = features, np.flatnonzero(mask)
        self.shape = len(self._numbers), features.shape[1]

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, rows: slice) -> Features:
        return self._features[self._numbers[rows]]


Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

BLOCK = 256
"""Number of rows that are converted to float64 at a time."""
PANEL = 32
"""Number of columns that a QR decomposition turns at a time; of 16,000 rows, 16 and 64 take longer."""
MAX_FEATURE = 1e50
"""Features beyond it have no value: KID's kernel takes the sixth power of their size."""
MANY = 8
"""Number of pictures for each feature from which a set's covariance is kept, in d x d numbers of memory."""
FIRST = 256
"""Number of rows whose mean is subtracted from all rows; it is within 1/16 standard deviation of their mean."""


def near_mean(features: Features | Rows) -> Vector:
    """Return (d,) the mean of the first rows."""
    return np.asarray(features[:FIRST].mean(axis=0, dtype=np.float64))


def require_finite(values: Vector | float) -> None:
    """Refuse features that are not finite; `values` are the features, or made from all of them.

    Raises:
        Unmeasurable: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise Unmeasurable("a feature is not finite")


TOLERANCE = 1e-8
"""Maximum relative rounding error of the faster method, as estimated from above."""
REGULAR = 1024
"""Rounding moves eigenvalues above this multiple of it up or down; below, those that should be 0 come out positive."""
OVERRATED = 16
"""Divisor of the regular roots' estimated error, which was too large by at least this where it mattered. No simulated
distance computed from them (d = 14 to 1024, spectra that end at 0 or fall steeply) was off by more than 2e-9."""


def fid(real: Features | Rows, fake: Features | Rows) -> float:
    """Squared Fréchet distance (Heusel et al. 2017, equation 6), in float64.

    Memory beyond the features: two d x d matrices of float64 and 256 rows (80 MB for d = 2048), for any number of
    pictures.

    Raises:
        Unmeasurable: a set has fewer than two members, or a feature is not finite.

    >>> x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(fid(x, x + 3), 12)
    18.0
    """
    if min(len(real), len(fake)) < 2:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; a Fréchet distance needs two of each")
    return _distance(_Set(real), _Set(fake))


def _distance(x: "_Set", y: "_Set") -> float:
    from scipy.linalg import blas, lapack, svdvals

    offset = (x.origin - y.origin) + (x.offset - y.offset)  # the origins first: an offset of both costs no digits
    shift = float(offset @ offset)
    if x.is_large and y.is_large:
        covariance = y.covariance()
        traces, varies = float(np.trace(covariance)), covariance.diagonal() > 0
        factor, is_singular = lapack.dpotrf(_part(covariance, varies), lower=1, overwrite_a=1, clean=0)
        del covariance
        if not is_singular:
            covariance = x.covariance()
            traces += float(np.trace(covariance))
            covariance = _part(covariance, varies)  # the root's trace has nothing of the features that do not vary
            root, slack = trace_with_factor(covariance, factor)
            value = shift + traces - 2 * root
            if 2 * slack <= TOLERANCE * value:
                return value
            del covariance
        del factor
    a, b = x.factor(), y.factor()
    traces = _sum_of_squares(a) + _sum_of_squares(b)
    in_place = partial(blas.dtrmm, 1.0, side=1, trans_a=1, overwrite_b=1)  # with a triangle as the first matrix
    product = in_place(a, np.asfortranarray(b)) if x.is_large else a @ b.T
    del a, b
    return max(shift + traces - 2 * float(svdvals(product, overwrite_a=True, check_finite=False).sum()), 0.0)


@dataclass(frozen=True)
class Gaussian:
    """A set of features as one Gaussian, without the features."""

    mean: Vector
    """(d,)"""
    covariance: Matrix
    """(d, d), with n - 1."""


def gaussian_of(features: Features | Rows) -> Gaussian:
    """Return mean and covariance (n - 1) of (N, d) features.

    Raises:
        Unmeasurable: fewer than two members, or a feature is not finite.
    """
    if len(features) < 2:
        raise Unmeasurable(f"{len(features)} pictures; a covariance needs two")
    reals = _Set(features)
    factor = reals.factor()
    return Gaussian(reals.origin + reals.offset, factor.T @ factor)


def fid_to(real: Gaussian, fake: Features) -> float:
    """Squared Fréchet distance of (N, d) features to a Gaussian.

    With Σy = BᵀB, tr (Σx Σy)^(1/2) is the sum of the roots of the eigenvalues of B Σx Bᵀ.

    Raises:
        Unmeasurable: fewer than two members, another number of features, or a feature is not finite.

    >>> x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(fid_to(gaussian_of(x), x + 3), 12)
    18.0
    """
    if len(fake) < 2:
        raise Unmeasurable(f"{len(fake)} generated pictures; a Fréchet distance needs two")
    if fake.shape[1] != len(real.mean):
        raise Unmeasurable(f"the reference has {len(real.mean)} features, this network {fake.shape[1]}")
    fakes = _Set(fake)
    offset = (fakes.origin - real.mean) + fakes.offset
    factor = fakes.factor()
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh(factor @ real.covariance @ factor.T), 0)).sum()
    traces = float(np.trace(real.covariance)) + _sum_of_squares(factor)
    return max(float(offset @ offset) + traces - 2 * float(roots), 0.0)


class _Set:
    """A set of (N, d) features as one Gaussian. Matrices are made when they are asked for, and not kept."""

    def __init__(self, features: Features | Rows) -> None:
        self._features = features
        self.count, self.width = features.shape
        self.is_large = self.count > self.width
        """True if there are more pictures than features."""
        self.origin = near_mean(features)
        """(d,) a point near the mean, which is subtracted from all rows."""
        starts = range(0, self.count, BLOCK)
        total = sum(((features[start : start + BLOCK] - self.origin).sum(axis=0) for start in starts), 0.0)
        self.offset: Vector = np.asarray(total / self.count)
        """(d,) the mean minus the origin."""
        require_finite(self.offset)

    def _rows(self, start: int, count: int) -> Matrix:
        """Return up to `count` rows in float64, minus the mean, over the root of n - 1."""
        return self.scaled(self._features[start : start + count])

    def scaled(self, features: Features) -> Matrix:
        """Return rows in float64, minus the mean, over the root of n - 1."""
        rows = np.asarray(features - self.origin)  # float64, because the origin is
        rows -= self.offset
        rows /= np.sqrt(self.count - 1)
        return rows

    def covariance(self) -> Matrix:
        """Return the covariance (d, d) with n - 1; the lower triangle, in Fortran's order."""
        from scipy.linalg import blas

        covariance = np.zeros((self.width, self.width), order="F")
        for start in range(0, self.count, BLOCK):
            rows = self._rows(start, BLOCK)
            covariance = blas.dsyrk(1.0, rows.T, beta=1.0, c=covariance, lower=1, overwrite_c=1)
        return covariance

    def factor(self) -> Matrix:
        """Return F (min(N, d), d) with FᵀF the covariance; QR decompositions of blocks lose no digit to squaring."""
        from scipy.linalg import lapack

        if not self.is_large:
            return self._rows(0, self.count)
        triangle = np.zeros((self.width, self.width), order="F")
        for start in range(0, self.count, BLOCK):
            rows = np.asfortranarray(self._rows(start, BLOCK))
            triangle, *_ = lapack.dtpqrt(0, min(PANEL, self.width), triangle, rows, overwrite_a=1, overwrite_b=1)
        return np.asarray(triangle)


class _Kept:
    """A set whose covariance is kept, for its parts without a group of pictures."""

    def __init__(self, features: Features) -> None:
        self.features, self.all = features, _Set(features)
        self.covariance = cache(self.all.covariance)

    def without(self, is_out: NDArray[np.bool_]) -> _Set:
        """Return the set without some pictures; of few pictures, its covariance is faster computed than kept."""
        if self.all.count < MANY * self.all.width:
            return _Set(Rows(self.features, ~is_out))
        return _SetWithout(self, is_out)


class _SetWithout(_Set):
    """A set without some pictures. Its covariance is that of all pictures minus the part of these."""

    def __init__(self, kept: _Kept, is_out: NDArray[np.bool_]) -> None:
        whole = kept.all
        self._whole, self._whole_covariance = whole, kept.covariance
        self._out, self._features = Rows(kept.features, is_out), Rows(kept.features, ~is_out)
        self.count, self.width = self._features.shape
        self.is_large = self.count > self.width
        self.origin = whole.origin
        total = sum((rows.sum(axis=0) for rows in self._rows_out()), np.zeros(self.width))
        self._shift = -total / self.count
        """(d,) the change of the mean, over the root of n - 1 of all pictures, as the rows."""
        self.offset = whole.offset + self._shift * np.sqrt(whole.count - 1)

    def _rows_out(self) -> Iterator[Matrix]:
        for start in range(0, len(self._out), BLOCK):
            yield self._whole.scaled(self._out[start : start + BLOCK])

    def covariance(self) -> Matrix:
        """Return the covariance (d, d) with n - 1; the lower triangle, in Fortran's order."""
        from scipy.linalg import blas

        covariance = self._whole_covariance().copy(order="F")
        for rows in self._rows_out():
            covariance = blas.dsyrk(-1.0, rows.T, beta=1.0, c=covariance, lower=1, overwrite_c=1)
        covariance = blas.dsyr(-float(self.count), self._shift, a=covariance, lower=1, overwrite_a=1)
        covariance *= (self._whole.count - 1) / (self.count - 1)
        return covariance


def _sum_of_squares(matrix: Matrix) -> float:
    values = matrix.ravel("K")  # in the order of the memory, so no copy
    return float(values @ values)


def _part(covariance: Matrix, chosen: NDArray[np.bool_]) -> Matrix:
    """Return the rows and columns of those features, in Fortran's order, in the memory of the covariance."""
    if chosen.all():
        return covariance
    numbers = np.flatnonzero(chosen)
    memory, count = covariance.ravel("K"), len(numbers)
    for position, number in enumerate(numbers):  # no column is written before it is read
        memory[position * count : (position + 1) * count] = covariance[numbers, number]
    return memory[: count * count].reshape((count, count), order="F")


def trace_with_factor(covariance: Matrix, factor: Matrix) -> tuple[float, float]:
    """Return tr (Σx Σy)^(1/2) from the eigenvalues of Lᵀ Σx L with Σy = L Lᵀ, and what rounding may have done to it.

    Args:
        covariance: (d, d) Σx; overwritten.
        factor: (d, d) L. Only the lower triangles of both are read, in Fortran's order.
    """
    from scipy.linalg import eigh, lapack

    squared, _ = lapack.dsygst(covariance, factor, itype=2, lower=1, overwrite_a=1)
    eigenvalues = eigh(squared, lower=True, eigvals_only=True, driver="evd", overwrite_a=True, check_finite=False)
    eigenvalues = np.maximum(eigenvalues, 0)
    rounding = np.finfo(float).eps * eigenvalues[-1]
    moved = np.sqrt(eigenvalues + rounding) - np.sqrt(eigenvalues)
    regular = eigenvalues > REGULAR * rounding
    slack = np.linalg.norm(moved[regular]) / OVERRATED + moved[~regular].sum()
    return float(np.sqrt(eigenvalues).sum()), float(slack)


def compare_fid(real: PictureSet) -> SetComparison:
    """Return a function for FID with its interval. A set's covariance is computed once, for all groups."""

    kept: list[_Kept] = []

    def compare(fake: PictureSet, _: Sequence[str], on_part: OnPart = silent) -> dict[str, JackknifeEstimate]:
        if real.groups is None or fake.groups is None:
            return {"fid": JackknifeEstimate(fid(real.features, fake.features))}
        if not kept:
            kept.append(_Kept(real.features))
        sets = (kept[0], real.groups), (_Kept(fake.features), fake.groups)
        values: list[float] = []
        for group in (NO_GROUP, *range(GROUPS)):
            is_out = [groups == group for _, groups in sets]
            counts = [int(np.count_nonzero(~out)) for out in is_out]
            if min(counts) < 2:
                why = f"{counts[0]} real and {counts[1]} generated pictures; a Fréchet distance needs two of each"
                return {"fid": JackknifeEstimate(values[0], why_no_interval=why)}
            x, y = (each.without(out) for (each, _), out in zip(sets, is_out, strict=True))
            values.append(_distance(x, y))
            on_part(len(values) / (1 + GROUPS))
        return {"fid": JackknifeEstimate(values[0], as_of_equal_groups(values[0], np.array(values[1:]), fake.groups))}

    return compare


FID = Metric(
    name="fid",
    title="FID",
    kind="set",
    measures="distance of two sets' Inception features, each taken as one Gaussian; biased upwards if small",
    source="Heusel et al. 2017; Inception 2015-12-05, 2048 features",
    definition="fid/inception-2015-12-05",
    function=fid,
    compare=compare_fid,
    weights=("inception",),
    extractor="inception",
    depends_on_count=True,
)


METRICS = (FID,)
