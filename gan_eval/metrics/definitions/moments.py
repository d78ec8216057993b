"""A set of features as one Gaussian: its mean, its covariance and factors of it, read in blocks.

Everything is taken from a point near the set's mean, so that large offsets cost no digits, and only blocks and d x d
matrices are float64, so that memory does not grow with the number of pictures.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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
