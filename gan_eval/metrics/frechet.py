"""The Fréchet distance between two sets of features, each taken as one Gaussian (FID's second half).

d² = |μx - μy|² + tr Σx + tr Σy - 2 tr (Σx Σy)^(1/2), covariances with n - 1, everything in float64. The trace of the
root never passes through a matrix root, so it is never complex, and a singular covariance needs no epsilon.

For any factors with Σx = AᵀA and Σy = BᵀB that trace is the nuclear norm |A Bᵀ|_*, the sum of singular values:

- `nuclear`: with the centred features themselves as factors (or R of their QR decomposition, where there are more
  pictures than features) the sum is exact to the last digits at any rank. Eigenvalues of the squared product would
  lose half of the digits.
- `cholesky`: with more pictures than features, the roots of the eigenvalues of Lᵀ Σx L with Σy = L Lᵀ are faster,
  and as exact where both covariances are regular. Where one is singular (features that never vary, or that depend
  on each other), an eigenvalue 0 comes out as rounding noise ε and its root as √ε: `nuclear` is taken.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from gan_eval.metrics.unmeasurable import Unmeasurable

Features = NDArray[np.floating]
"""(N, d)"""
Matrix = NDArray[np.float64]
Estimator = Literal["nuclear", "cholesky"]

SINGULAR = 1e-11
"""A covariance counts as singular where a squared pivot is below this share of its greatest variance."""


@dataclass(frozen=True)
class Frechet:
    """A Fréchet distance and the way its trace was computed."""

    value: float
    estimator: Estimator


def frechet_distance(real: Features, fake: Features) -> Frechet:
    """Squared Fréchet distance (Heusel et al. 2017, equation 6).

    Args:
        real: (N, d) features of the real pictures.
        fake: (M, d) features of the generated ones.

    Returns:
        The distance, 0 and above.

    Raises:
        Unmeasurable: a set has fewer than two members.

    >>> x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(frechet_distance(x, x + 3).value, 12)
    18.0
    """
    real, fake = np.asarray(real, dtype=np.float64), np.asarray(fake, dtype=np.float64)
    if min(len(real), len(fake)) < 2:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; a Fréchet distance needs two of each")
    if not (np.isfinite(real).all() and np.isfinite(fake).all()):
        raise Unmeasurable("a feature is not finite")
    mean_real, mean_fake = real.mean(axis=0), fake.mean(axis=0)
    x = (real - mean_real) / math.sqrt(len(real) - 1)
    y = (fake - mean_fake) / math.sqrt(len(fake) - 1)
    root, estimator = _trace_of_root(x, y)
    shift = mean_real - mean_fake
    value = float(shift @ shift) + float(np.vdot(x, x)) + float(np.vdot(y, y)) - 2 * root
    return Frechet(max(value, 0.0), estimator)


def _trace_of_root(x: Matrix, y: Matrix) -> tuple[float, Estimator]:
    """tr (Σx Σy)^(1/2) for Σx = xᵀx and Σy = yᵀy; x (N, d), y (M, d)."""
    if min(len(x), len(y)) > x.shape[1]:
        root = _trace_by_cholesky(x.T @ x, y.T @ y)
        if root is not None:
            return root, "cholesky"
    return float(np.linalg.svd(_short_factor(x) @ _short_factor(y).T, compute_uv=False).sum()), "nuclear"


def _trace_by_cholesky(covariance_x: Matrix, covariance_y: Matrix) -> float | None:
    """The trace from the eigenvalues of Lᵀ Σx L, or None where a covariance is singular."""
    factor = _regular_factor(covariance_y)
    if factor is None or _regular_factor(covariance_x) is None:
        return None
    eigenvalues = scipy.linalg.eigvalsh(factor.T @ covariance_x @ factor, overwrite_a=True, check_finite=False)
    return float(np.sqrt(np.maximum(eigenvalues, 0)).sum())


def _regular_factor(covariance: Matrix) -> Matrix | None:
    """L with Σ = L Lᵀ, or None where Σ is singular."""
    try:
        factor = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    pivots, variances = np.diag(factor) ** 2, np.diag(covariance)
    return factor if pivots.min() > SINGULAR * variances.max() else None


def _short_factor(x: Matrix) -> Matrix:
    """A factor of xᵀx with at most d rows: x itself, or R of its QR decomposition where x is longer."""
    return x if len(x) <= x.shape[1] else np.asarray(np.linalg.qr(x, mode="r"), dtype=np.float64)
