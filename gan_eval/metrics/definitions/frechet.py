"""The Fréchet distance between two sets of features, each taken as one Gaussian: FID.

d² = |μx - μy|² + tr Σx + tr Σy - 2 tr (Σx Σy)^(1/2), covariances with n - 1, in float64. For factors with Σx = AᵀA and
Σy = BᵀB that trace is the nuclear norm |A Bᵀ|_*, exact at any rank. With more pictures than features in both sets, the
roots of the eigenvalues of Lᵀ Σx L with Σy = L Lᵀ are faster, and taken where their rounding error is below 1e-8.

Everything is taken from a point near the set's mean, so that large offsets cost no digits, and only blocks and d x d
matrices are float64, so that memory does not grow with the number of pictures.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

Features = NDArray[np.floating]
"""(N, d) float32 or float64, in memory or mapped from a file."""
Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

BLOCK = 1024
"""Number of rows that are converted to float64 at a time."""
MAX_FEATURE = 1e50
"""Features beyond it have no value: KID's kernel takes the sixth power of their size."""
FIRST = 256
"""Number of rows whose mean is subtracted from all rows; it is within 1/16 standard deviation of their mean."""


def near_mean(features: Features) -> Vector:
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


def fid(real: Features, fake: Features) -> float:
    """Squared Fréchet distance (Heusel et al. 2017, equation 6), in float64.

    Memory beyond the features: five d x d matrices of float64 (168 MB for d = 2048), for any number of pictures.

    Raises:
        Unmeasurable: a set has fewer than two members, or a feature is not finite.

    >>> x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(fid(x, x + 3), 12)
    18.0
    """
    from scipy.linalg import lapack, svdvals

    if min(len(real), len(fake)) < 2:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; a Fréchet distance needs two of each")
    x, y = _Set(real), _Set(fake)
    offset = (x.origin - y.origin) + (x.offset - y.offset)  # the origins first: an offset of both costs no digits
    shift = float(offset @ offset)
    if x.has_sums and y.has_sums:
        factor, is_singular = lapack.dpotrf(y.covariance(), lower=1, overwrite_a=1, clean=0)
        if not is_singular:
            root, slack = trace_with_factor(x.covariance(), factor)
            value = shift + x.trace() + y.trace() - 2 * root
            if 2 * slack <= TOLERANCE * value:
                return value
    a, b = x.factor(), y.factor()
    traces = float(np.vdot(a, a)) + float(np.vdot(b, b))
    return max(shift + traces - 2 * float(svdvals(a @ b.T, check_finite=False).sum()), 0.0)


@dataclass(frozen=True)
class Gaussian:
    """A set of features as one Gaussian, without the features."""

    mean: Vector
    """(d,)"""
    covariance: Matrix
    """(d, d), with n - 1."""


def gaussian_of(features: Features) -> Gaussian:
    """Return mean and covariance (n - 1) of (N, d) features.

    Raises:
        Unmeasurable: fewer than two members, or a feature is not finite.
    """
    if len(features) < 2:
        raise Unmeasurable(f"{len(features)} pictures; a covariance needs two")
    found = _Set(features)
    factor = found.factor()
    return Gaussian(found.origin + found.offset, factor.T @ factor)


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
    found = _Set(fake)
    offset = (found.origin - real.mean) + found.offset
    factor = found.factor()
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh(factor @ real.covariance @ factor.T), 0)).sum()
    traces = float(np.trace(real.covariance)) + float(np.vdot(factor, factor))
    return max(float(offset @ offset) + traces - 2 * float(roots), 0.0)


class _Set:
    """A set of (N, d) features as one Gaussian. It keeps sums over blocks if there are more pictures than features,
    else the centred features in float64.
    """

    def __init__(self, features: Features) -> None:
        from scipy.linalg import blas

        self._features = features
        self._count, width = features.shape
        self.has_sums = self._count > width
        self.origin = near_mean(features)
        """(d,) a point near the mean, which is subtracted from all rows."""
        if self.has_sums:
            total, self._products = np.zeros(width), np.zeros((width, width), order="F")
            for start in range(0, self._count, BLOCK):
                block = features[start : start + BLOCK] - self.origin  # float64, because the origin is
                total += block.sum(axis=0)
                self._products = blas.dsyrk(1.0, block.T, beta=1.0, c=self._products, lower=1, overwrite_c=1)
            self.offset = total / self._count
            """(d,) the mean minus the origin."""
        else:
            self._rows = np.asarray(features - self.origin, dtype=np.float64)
            self.offset = self._rows.mean(axis=0)
            self._rows -= self.offset
            self._rows /= np.sqrt(self._count - 1)
        require_finite(self.offset)

    def trace(self) -> float:
        """Return the trace of the covariance, from the sums."""
        squares = float(np.trace(self._products)) - self._count * float(self.offset @ self.offset)
        return squares / (self._count - 1)

    def covariance(self) -> Matrix:
        """Return the covariance (d, d) with n - 1, from the sums; the lower triangle, in Fortran's order."""
        from scipy.linalg import blas

        scaled = self._products / (self._count - 1)
        return blas.dsyr(-self._count / (self._count - 1), self.offset, a=scaled, lower=1, overwrite_a=1)

    def factor(self) -> Matrix:
        """Return F (min(N, d), d) with FᵀF the covariance; QR decompositions of blocks lose no digit to squaring."""
        if not self.has_sums:
            return self._rows
        mean, width = self.origin + self.offset, len(self.origin)
        factor: Matrix = np.empty((0, width))
        for start in range(0, self._count, max(BLOCK, width)):
            block = np.asarray(self._features[start : start + max(BLOCK, width)], dtype=np.float64) - mean
            factor = np.asarray(np.linalg.qr(np.vstack([factor, block]), mode="r"), dtype=np.float64)
        return factor / np.sqrt(self._count - 1)


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


FID = Metric(
    name="fid",
    title="FID",
    kind="set",
    measures="distance of two sets' Inception features, each taken as one Gaussian; biased upwards if small",
    source="Heusel et al. 2017; Inception 2015-12-05, 2048 features",
    definition="fid/inception-2015-12-05",
    function=fid,
    weights=("inception",),
    extractor="inception",
    depends_on_count=True,
)


METRICS = (FID,)
