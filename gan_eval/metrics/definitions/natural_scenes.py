"""Natural-scene statistics: what NIQE and BRISQUE have in common.

Both look at the luma less its local mean and over its local contrast (7x7 Gaussian window, sigma 7/6; Mittal et al.
2012, equations 1-3), fit generalised Gaussians to it and to its products with neighbours, and look again at half the
size. They differ in where the samples come from (blocks, the whole picture), in the border, and in the features that
they make of the fits. Two choices, shared, make the values reproducible:

- a difference from the local mean below 1e-6 is exactly 0: where a picture is flat, the releases count the signs of
  rounding noise, which are others on every machine;
- halving is MATLAB's `imresize(y, 0.5)`: bicubic (a = -0.5) widened to 8 taps, symmetric border, no rounding.

The samples' moments come from a backend (`gan_eval.metrics.kernels.backends`); the fits are made here.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class Moments(NamedTuple):
    """Sums over samples, from which the fits are made; every field of one shape."""

    absolute: Values
    """Sum of |v|."""
    squares_left: Values
    """Sum of v² over the negative samples."""
    squares_right: Values
    """Sum of v² over the positive samples."""
    count_left: Values
    count_right: Values


class AsymmetricFit(NamedTuple):
    """Asymmetric generalised Gaussians; every field of the moments' shape."""

    alpha: Values
    """The shape, on the grid 0.2, 0.201, ..., 10."""
    deviation_left: Values
    """Root mean square of the negative samples."""
    deviation_right: Values
    """Root mean square of the positive samples."""
    spread: Values
    """sqrt(Γ(1/α) / Γ(3/α)): a deviation times this is the scale β."""
    mean_factor: Values
    """Γ(2/α) / Γ(1/α)"""


def fit_asymmetric(found: Moments, samples: int) -> AsymmetricFit:
    """Moment fit of an asymmetric generalised Gaussian (Lasmar et al. 2009) to sets of `samples` each.

    A side without samples gives NaN. As in the releases, a shape that cannot be estimated is the grid's first.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.sqrt(found.squares_left / found.count_left)
        right = np.sqrt(found.squares_right / found.count_right)
        gamma = left / right
        r = (found.absolute / samples) ** 2 / ((found.squares_left + found.squares_right) / samples)
        ratio = r * (gamma**3 + 1) * (gamma + 1) / (gamma**2 + 1) ** 2
    grid = _shape_grid()
    nearest = _nearest(grid.midpoints, ratio)
    return AsymmetricFit(grid.alpha[nearest], left, right, grid.spread[nearest], grid.mean_factor[nearest])


def fit_symmetric_shape(found: Moments, samples: int) -> Values:
    """The shape α of a generalised Gaussian with mean 0 (Sharifi and Leon-Garcia 1995): nearest in E[v²] / E[|v|]².

    NaN samples or none that differs from 0 give the grid's first, 0.2.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        kurtosis = (found.squares_left + found.squares_right) / samples / (found.absolute / samples) ** 2
    grid = _shape_grid()
    return grid.alpha[_nearest(grid.falling_midpoints, -kurtosis)]


def _nearest(midpoints: Values, wanted: Values) -> NDArray[np.intp]:
    """The grid's place nearest each value, 0 for NaN."""
    return np.where(np.isnan(wanted), 0, np.searchsorted(midpoints, wanted))


class _ShapeGrid(NamedTuple):
    alpha: Values
    """0.2, 0.201, ..., 10"""
    midpoints: Values
    """between neighbouring values of ρ(α) = Γ(2/α)² / (Γ(1/α) Γ(3/α)), which rises"""
    falling_midpoints: Values
    """between neighbouring values of -1/ρ(α), which rises too"""
    spread: Values
    mean_factor: Values


@lru_cache(maxsize=1)
def _shape_grid() -> _ShapeGrid:
    alpha = np.arange(200, 10_001) / 1000
    g1, g2, g3 = (np.array([math.lgamma(k / a) for a in alpha]) for k in (1, 2, 3))
    rho = np.exp(2 * g2 - g1 - g3)
    return _ShapeGrid(
        alpha,
        (rho[:-1] + rho[1:]) / 2,
        -(1 / rho[:-1] + 1 / rho[1:]) / 2,
        np.exp((g1 - g3) / 2),
        np.exp(g2 - g1),
    )
