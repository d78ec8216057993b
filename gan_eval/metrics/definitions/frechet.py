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
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import scipy.linalg
from scipy.linalg import lapack

from gan_eval.metrics.definitions.moments import (
    Features,
    Matrix,
    Moments,
    Vector,
    centred,
    moments,
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
