"""The Fréchet distance between two sets of features, each taken as one Gaussian: FID.

d² = |μx - μy|² + tr Σx + tr Σy - 2 tr (Σx Σy)^(1/2), covariances with n - 1, in float64. For factors with Σx = AᵀA and
Σy = BᵀB that trace is the nuclear norm |A Bᵀ|_*, exact at any rank. With more pictures than features in both sets, the
roots of the eigenvalues of Lᵀ Σx L with Σy = L Lᵀ are faster, and taken where their rounding error is below 1e-8.

Everything is taken from a point near the set's mean, so that large offsets cost no digits, and only blocks and d x d
matrices are float64, so that memory does not grow with the number of pictures.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

Features = NDArray[np.floating]
"""(N, d) float32 or float64, in memory or mapped from a file."""
Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

BLOCK = 1024
"""Rows that are held in float64 at a time."""
FIRST = 256
"""Rows whose mean is the point that all are taken from: it lies within a sixteenth of a standard deviation."""


@dataclass(frozen=True)
class Moments:
    """Count, sum and sum of products of a set."""

    count: int
    origin: Vector
    """(d,) a point near the mean."""
    total: Vector
    """(d,) sum of the features less the origin."""
    products: Matrix
    """(d, d) sum of their outer products; the lower triangle, in Fortran's order."""

    @property
    def offset(self) -> Vector:
        """(d,) the mean less the origin."""
        return self.total / self.count

    @cached_property
    def trace(self) -> float:
        """Trace of the covariance."""
        squares = float(np.trace(self.products)) - self.count * float(self.offset @ self.offset)
        return squares / (self.count - 1)

    def covariance(self) -> Matrix:
        """(d, d) with n - 1; the lower triangle, in Fortran's order."""
        from scipy.linalg import blas

        scaled = self.products / (self.count - 1)
        return blas.dsyr(-self.count / (self.count - 1), self.offset, a=scaled, lower=1, overwrite_a=1)


def moments(features: Features) -> Moments:
    """Return the moments of a set of (N, d) features."""
    from scipy.linalg import blas

    count, width = features.shape
    origin = near_mean(features)
    total, products = np.zeros(width), np.zeros((width, width), order="F")
    for start in range(0, count, BLOCK):
        block = features[start : start + BLOCK] - origin  # float64, as the origin
        total += block.sum(axis=0)
        products = blas.dsyrk(1.0, block.T, beta=1.0, c=products, lower=1, overwrite_c=1)
    return Moments(count, origin, total, products)


def near_mean(features: Features) -> Vector:
    """(d,) the mean of the first rows."""
    return np.asarray(features[:FIRST].mean(axis=0, dtype=np.float64))


def centred(features: Features) -> tuple[Vector, Vector, Matrix]:
    """Return, for a set that fits into memory as float64, its mean, and its members as a factor of its covariance.

    Returns:
        (d,) a point near the mean, (d,) the mean less that point, and (N, d) F with FᵀF the covariance.
    """
    origin = near_mean(features)
    factor = np.asarray(features - origin, dtype=np.float64)
    offset = factor.mean(axis=0)
    factor -= offset
    factor /= np.sqrt(len(features) - 1)
    return origin, offset, factor


def triangular_factor(features: Features, of: Moments) -> Matrix:
    """(d, d) R with RᵀR the covariance, by QR decompositions of blocks: no digit is lost to squaring."""
    mean, width = of.origin + of.offset, features.shape[1]
    factor: Matrix = np.empty((0, width))
    for start in range(0, len(features), max(BLOCK, width)):
        block = np.asarray(features[start : start + max(BLOCK, width)], dtype=np.float64) - mean
        factor = np.asarray(np.linalg.qr(np.vstack([factor, block]), mode="r"), dtype=np.float64)
    return factor / np.sqrt(of.count - 1)


def require_finite(mean: Vector) -> None:
    """Refuse features that are not finite, by their mean.

    Raises:
        Unmeasurable: the mean is not finite.
    """
    if not np.isfinite(mean).all():
        raise Unmeasurable("a feature is not finite")


TOLERANCE = 1e-8
"""Largest share of the distance that rounding may change with `cholesky`, estimated too high."""
REGULAR = 1024
"""Times rounding: above, eigenvalues are moved either way; below, those that should be 0 come out above it."""
OVERRATED = 16
"""The regular roots together were moved by less than this part of the estimate wherever that mattered. No simulated
distance taken from them (d = 14 to 1024, spectra that end at 0 or fall steeply) was off by more than 2e-9."""


def fid(real: Features, fake: Features) -> float:
    """Squared Fréchet distance (Heusel et al. 2017, equation 6), in float64.

    Memory beyond the features: five d x d matrices of float64 (168 MB for d = 2048), for any number of pictures.

    Raises:
        Unmeasurable: a set has fewer than two members, or a feature is not finite.

    >>> x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(fid(x, x + 3), 12)
    18.0
    """
    if min(len(real), len(fake)) < 2:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; a Fréchet distance needs two of each")
    x, y = _Set(real), _Set(fake)
    offset = (x.origin - y.origin) + (x.offset - y.offset)  # the origins first: an offset of both costs no digits
    shift = float(offset @ offset)
    if x.moments is not None and y.moments is not None:
        factor = cholesky(y.moments.covariance())
        if factor is not None:
            root, slack = trace_with_factor(x.moments.covariance(), factor)
            value = shift + x.trace + y.trace - 2 * root
            if 2 * slack <= TOLERANCE * value:
                return value
    return distance_of_factors(shift, x.factor(), y.factor())


def distance_of_factors(shift: float, a: Matrix, b: Matrix) -> float:
    """Compute the distance of two Gaussians from factors of their covariances."""
    from scipy.linalg import svdvals

    traces = float(np.vdot(a, a)) + float(np.vdot(b, b))
    return max(shift + traces - 2 * float(svdvals(a @ b.T, check_finite=False).sum()), 0.0)


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


def trace_with_factor(covariance: Matrix, factor: Matrix) -> tuple[float, float]:
    """Return tr (Σx Σy)^(1/2) from the eigenvalues of Lᵀ Σx L with Σy = L Lᵀ, and what rounding may have done to it.

    Args:
        covariance: (d, d) Σx; overwritten.
        factor: (d, d) L. Of both the lower triangles count, in Fortran's order.
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


def cholesky(covariance: Matrix) -> Matrix | None:
    """Return L with L Lᵀ the covariance (lower triangles; overwritten); None if it is singular."""
    from scipy.linalg import lapack

    factor, failed = lapack.dpotrf(covariance, lower=1, overwrite_a=1, clean=0)
    return None if failed else factor


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
