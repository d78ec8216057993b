"""NIQE (Mittal, Soundararajan, Bovik 2013), in a definition that gives one number on every machine.

The algorithm and the pristine model are those of the official release. Two deviations make the value reproducible:
the luma is a whole number, and the mean-subtracted luma is set to exactly 0 where it is below 1e-6. Without the
latter the release counts the signs of rounding noise wherever a picture is flat.

Only whole blocks of 96x96 count: of a 256x256 picture the upper left 192x192 (2x2 blocks) is measured.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gan_eval.metrics.pixel import Pixels, as_picture, luma
from gan_eval.metrics.unmeasurable import Unmeasurable

BLOCK = 96
_ZERO = 1e-6
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))


def niqe(picture: Pixels) -> float:
    """Natural image quality evaluator: distance of a picture's statistics from those of pristine photographs.

    Args:
        picture: (H, W, 3) uint8, 0..255.

    Returns:
        0 and above; lower is more natural.

    Raises:
        Unmeasurable: fewer than two blocks of 96x96 pixels with any texture.

    >>> import numpy as np
    >>> noise = np.random.default_rng(0).integers(0, 256, (96, 192, 3), dtype=np.uint8)
    >>> niqe(noise) > 10
    True
    """
    y = luma(as_picture(picture))
    height, width = y.shape
    rows, columns = height // BLOCK, width // BLOCK
    if rows * columns < 2:
        raise Unmeasurable(f"{width}x{height} pixels hold {rows * columns} blocks of {BLOCK}x{BLOCK}; NIQE needs two")
    features = block_features(y[: rows * BLOCK, : columns * BLOCK].to(torch.float64))
    valid = features[~features.isnan().any(dim=1)]
    if len(valid) < 2:
        raise Unmeasurable(f"only {len(valid)} of {len(features)} blocks have a texture; NIQE needs two")
    pristine = _pristine_model(str(features.device))
    difference = pristine.mean - features.nanmean(dim=0)
    factor = torch.linalg.cholesky((pristine.covariance + torch.cov(valid.T)) / 2)
    whitened = torch.linalg.solve_triangular(factor, difference[:, None], upper=False)
    return float(torch.linalg.vector_norm(whitened))


def block_features(y: Tensor) -> Tensor:
    """The 36 natural-scene features of every block.

    Args:
        y: (96 r, 96 c) float64 luma, 0..255.

    Returns:
        (r c, 36) float64: 18 features at full size, then 18 at half size. NaN where a block has no texture.
    """
    return torch.cat([_scale_features(y, BLOCK), _scale_features(_halve(y), BLOCK // 2)], dim=1)


def _scale_features(y: Tensor, block: int) -> Tensor:
    """(blocks, 18): the fit of the normalised luma, then of its products with four neighbours inside the block."""
    rows, columns = y.shape[0] // block, y.shape[1] // block
    m = _normalised(y).reshape(rows, block, columns, block).transpose(1, 2).reshape(-1, block, block)
    products = [m * m.roll(shift, dims=(1, 2)) for shift in _SHIFTS]
    fit = _fit_aggd(torch.stack([_moments(samples) for samples in (m, *products)], dim=1), block**2)
    own = torch.stack([fit.alpha[0], (fit.left[0] + fit.right[0]) / 2], dim=1)
    mean = (fit.right - fit.left) * fit.mean_factor
    neighbours = torch.stack([fit.alpha[1:], mean[1:], fit.left[1:], fit.right[1:]], dim=1)
    return torch.cat([own, neighbours.flatten(0, 1).T], dim=1)


def _normalised(y: Tensor) -> Tensor:
    """Mean-subtracted, contrast-normalised luma: 7x7 Gaussian window, sigma 7/6, edges replicated."""
    mean = _gaussian_mean(y)
    deviation = _gaussian_mean(y.square()).addcmul_(mean, mean, value=-1).abs_().sqrt_()
    difference = y - mean
    difference.masked_fill_(difference.abs() < _ZERO, 0)
    return difference.div_(deviation.add_(1))


def _gaussian_mean(y: Tensor) -> Tensor:
    weights = [math.exp(-(k**2) / (2 * (7 / 6) ** 2)) for k in range(-3, 4)]
    total = sum(weights)
    padded = F.pad(y[None], (3, 3, 3, 3), mode="replicate")[0]
    return _correlate(padded, [w / total for w in weights], stride=1)


def _halve(y: Tensor) -> Tensor:
    """MATLAB's `imresize(y, 0.5)`: bicubic (a = -0.5) widened to 8 taps, symmetric border, no rounding."""
    taps = [_cubic((k - 3.5) / 2) for k in range(8)]
    total = sum(taps)
    padded = torch.cat([y[:3].flip(0), y, y[-3:].flip(0)], dim=0)
    padded = torch.cat([padded[:, :3].flip(1), padded, padded[:, -3:].flip(1)], dim=1)
    return _correlate(padded, [t / total for t in taps], stride=2)


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


def _moments(samples: Tensor) -> Tensor:
    """(6, blocks): sum, sum of squares and count of each block's positive samples, then of its negative ones."""
    v = samples.flatten(1)
    positive = v.clamp(min=0)
    sides = (positive, v - positive)
    return torch.stack(
        [
            moment
            for side in sides
            for moment in (side.sum(dim=1), torch.linalg.vecdot(side, side), side.sign().sum(dim=1).abs())
        ]
    )


class _Fit(NamedTuple):
    """Asymmetric generalised Gaussians; each field (fits, blocks) float64."""

    alpha: Tensor
    left: Tensor
    right: Tensor
    mean_factor: Tensor
    """Γ(2/α) / Γ(1/α)"""


def _fit_aggd(moments: Tensor, samples: int) -> _Fit:
    """Moment fit of an asymmetric generalised Gaussian (Lasmar et al. 2009) to (6, fits, blocks) of `samples` each.

    A side without samples gives NaN. As in the release, a shape that cannot be estimated is the grid's first.
    """
    sum_right, squares_right, count_right, sum_left, squares_left, count_left = moments
    right = (squares_right / count_right).sqrt()
    left = (squares_left / count_left).sqrt()
    gamma = left / right
    mean_absolute = (sum_right - sum_left) / samples
    r = mean_absolute.square() / ((squares_right + squares_left) / samples)
    ratio = r * (gamma**3 + 1) * (gamma + 1) / (gamma**2 + 1) ** 2
    grid = _shape_grid(str(moments.device))
    nearest = torch.searchsorted(grid.midpoints, ratio).masked_fill_(ratio.isnan(), 0)
    spread = grid.spread[nearest]
    return _Fit(grid.alpha[nearest], left * spread, right * spread, grid.mean_factor[nearest])


class _ShapeGrid(NamedTuple):
    alpha: Tensor
    """0.2, 0.201, ..., 10"""
    midpoints: Tensor
    """between neighbouring values of ρ(α) = Γ(2/α)² / (Γ(1/α) Γ(3/α)), which rises"""
    spread: Tensor
    """sqrt(Γ(1/α) / Γ(3/α))"""
    mean_factor: Tensor
    """Γ(2/α) / Γ(1/α)"""


@lru_cache(maxsize=4)
def _shape_grid(device: str) -> _ShapeGrid:
    alpha = torch.arange(200, 10_001, dtype=torch.float64) / 1000
    g1, g2, g3 = (torch.lgamma(k / alpha) for k in (1, 2, 3))
    rho = torch.exp(2 * g2 - g1 - g3)
    grid = _ShapeGrid(alpha, (rho[:-1] + rho[1:]) / 2, torch.exp((g1 - g3) / 2), torch.exp(g2 - g1))
    return _ShapeGrid(*(part.to(device) for part in grid))


class _PristineModel(NamedTuple):
    mean: Tensor
    covariance: Tensor


@lru_cache(maxsize=4)
def _pristine_model(device: str) -> _PristineModel:
    """The release's Gaussian model of pristine photographs (see data/NIQE-LICENSE.txt)."""
    with files("gan_eval.metrics").joinpath("data/niqe_pristine.npz").open("rb") as file, np.load(file) as arrays:
        return _PristineModel(*(torch.from_numpy(arrays[name]).to(device) for name in ("mu", "cov")))
