"""Natural-scene statistics: what NIQE and BRISQUE have in common.

Both look at the luma less its local mean and over its local contrast, fit generalised Gaussians to it and to its
products with neighbours, and look again at half the size. They differ in where the samples come from (blocks, the
whole picture), in the border, and in the features that they make of the fits.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

Border = Literal["replicate", "zero"]
"""What lies beyond the picture for the local mean: its edge repeated, or nothing."""

_ZERO = 1e-6


def normalised_luma(y: Tensor, *, border: Border) -> Tensor:
    """Mean-subtracted, contrast-normalised luma: 7x7 Gaussian window, sigma 7/6 (Mittal et al. 2012, equations 1-3).

    A difference from the mean below 1e-6 is set to exactly 0: where a picture is flat, the releases count the signs
    of rounding noise, which are others on every machine.

    Args:
        y: (H, W) float64 luma, 0..255.
        border: for the local mean.

    Returns:
        (H, W) float64.
    """
    mean = _gaussian_mean(y, border)
    deviation = _gaussian_mean(y.square(), border).addcmul_(mean, mean, value=-1).abs_().sqrt_()
    difference = y - mean
    difference.masked_fill_(difference.abs() < _ZERO, 0)
    return difference.div_(deviation.add_(1))


def halve(y: Tensor) -> Tensor:
    """MATLAB's `imresize(y, 0.5)`: bicubic (a = -0.5) widened to 8 taps, symmetric border, no rounding.

    Args:
        y: (H, W) float64.

    Returns:
        (ceil(H/2), ceil(W/2)) float64.
    """
    taps = [_cubic((k - 3.5) / 2) for k in range(8)]
    total = sum(taps)
    height, width = y.shape
    padded = torch.cat([y[:3].flip(0), y, y[-3 - height % 2 :].flip(0)], dim=0)
    padded = torch.cat([padded[:, :3].flip(1), padded, padded[:, -3 - width % 2 :].flip(1)], dim=1)
    return _correlate(padded, [t / total for t in taps], stride=2)


class Moments(NamedTuple):
    """Sums over samples, from which the fits are made; every field of one shape."""

    sum_right: Tensor
    """of the positive samples"""
    squares_right: Tensor
    count_right: Tensor
    sum_left: Tensor
    """of the negative samples"""
    squares_left: Tensor
    count_left: Tensor


def moments(samples: Tensor) -> Moments:
    """The moments of each of B sets of samples, (B, ...) float64."""
    v = samples.flatten(1)
    positive = v.clamp(min=0)
    sides = (positive, v - positive)
    return Moments(
        *(
            moment
            for side in sides
            for moment in (side.sum(dim=1), torch.linalg.vecdot(side, side), side.sign().sum(dim=1).abs())
        )
    )


class AsymmetricFit(NamedTuple):
    """Asymmetric generalised Gaussians; every field of the moments' shape."""

    alpha: Tensor
    """The shape, on the grid 0.2, 0.201, ..., 10."""
    deviation_left: Tensor
    """Root mean square of the negative samples."""
    deviation_right: Tensor
    """Root mean square of the positive samples."""
    spread: Tensor
    """sqrt(Γ(1/α) / Γ(3/α)): a deviation times this is the scale β."""
    mean_factor: Tensor
    """Γ(2/α) / Γ(1/α)"""


def fit_asymmetric(found: Moments, samples: int) -> AsymmetricFit:
    """Moment fit of an asymmetric generalised Gaussian (Lasmar et al. 2009) to sets of `samples` each.

    A side without samples gives NaN. As in the releases, a shape that cannot be estimated is the grid's first.
    """
    right = (found.squares_right / found.count_right).sqrt()
    left = (found.squares_left / found.count_left).sqrt()
    gamma = left / right
    mean_absolute = (found.sum_right - found.sum_left) / samples
    r = mean_absolute.square() / ((found.squares_right + found.squares_left) / samples)
    ratio = r * (gamma**3 + 1) * (gamma + 1) / (gamma**2 + 1) ** 2
    grid = _shape_grid(str(ratio.device))
    nearest = torch.searchsorted(grid.midpoints, ratio).masked_fill_(ratio.isnan(), 0)
    return AsymmetricFit(grid.alpha[nearest], left, right, grid.spread[nearest], grid.mean_factor[nearest])


def fit_symmetric_shape(found: Moments, samples: int) -> Tensor:
    """The shape α of a generalised Gaussian with mean 0 (Sharifi and Leon-Garcia 1995): nearest in E[v²] / E[|v|]².

    NaN samples or none that differs from 0 give the grid's first, 0.2.
    """
    mean_absolute = (found.sum_right - found.sum_left) / samples
    kurtosis = (found.squares_right + found.squares_left) / samples / mean_absolute.square()
    grid = _shape_grid(str(kurtosis.device))
    nearest = torch.searchsorted(grid.falling_midpoints, -kurtosis).masked_fill_(kurtosis.isnan(), 0)
    return grid.alpha[nearest]


class _ShapeGrid(NamedTuple):
    alpha: Tensor
    """0.2, 0.201, ..., 10"""
    midpoints: Tensor
    """between neighbouring values of ρ(α) = Γ(2/α)² / (Γ(1/α) Γ(3/α)), which rises"""
    falling_midpoints: Tensor
    """between neighbouring values of -1/ρ(α), which rises too"""
    spread: Tensor
    mean_factor: Tensor


@lru_cache(maxsize=4)
def _shape_grid(device: str) -> _ShapeGrid:
    alpha = torch.arange(200, 10_001, dtype=torch.float64) / 1000
    g1, g2, g3 = (torch.lgamma(k / alpha) for k in (1, 2, 3))
    rho = torch.exp(2 * g2 - g1 - g3)
    grid = _ShapeGrid(
        alpha,
        (rho[:-1] + rho[1:]) / 2,
        -(1 / rho[:-1] + 1 / rho[1:]) / 2,
        torch.exp((g1 - g3) / 2),
        torch.exp(g2 - g1),
    )
    return _ShapeGrid(*(part.to(device) for part in grid))


def _gaussian_mean(y: Tensor, border: Border) -> Tensor:
    weights = [math.exp(-(k**2) / (2 * (7 / 6) ** 2)) for k in range(-3, 4)]
    total = sum(weights)
    padded = F.pad(y[None], (3, 3, 3, 3), mode="constant" if border == "zero" else "replicate")[0]
    return _correlate(padded, [w / total for w in weights], stride=1)


def _cubic(x: float) -> float:
    """Keys' cubic convolution kernel with a = -0.5."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def _correlate(padded: Tensor, weights: Sequence[float], *, stride: int) -> Tensor:
    """Separable correlation, every `stride`-th place, as shifted multiply-adds in place."""
    for dim in (0, 1):
        length = (padded.shape[dim] - len(weights)) // stride + 1
        places = [slice(k, k + stride * (length - 1) + 1, stride) for k in range(len(weights))]
        windows = [padded[place] if dim == 0 else padded[:, place] for place in places]
        result = windows[0] * weights[0]
        for window, weight in zip(windows[1:], weights[1:], strict=True):
            result.add_(window, alpha=weight)
        padded = result
    return padded
