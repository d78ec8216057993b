"""NIQE (Mittal, Soundararajan, Bovik 2013), in a definition that gives one number on every machine.

The algorithm and the pristine model are those of the official release. Two deviations make the value reproducible:
the luma is a whole number, and the mean-subtracted luma is set to exactly 0 where it is below 1e-6. Without the
latter the release counts the signs of rounding noise wherever a picture is flat.

Only whole blocks of 96x96 count: of a 256x256 picture the upper left 192x192 (2x2 blocks) is measured.
"""

from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan_eval.metrics.natural_scenes import Moments, fit_asymmetric, halve, moments, normalised_luma
from gan_eval.metrics.pixel import Pixels, as_picture, luma
from gan_eval.metrics.unmeasurable import Unmeasurable

BLOCK = 96
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
    return torch.cat([_scale_features(y, BLOCK), _scale_features(halve(y), BLOCK // 2)], dim=1)


def _scale_features(y: Tensor, block: int) -> Tensor:
    """(blocks, 18): the fit of the normalised luma, then of its products with four neighbours inside the block."""
    rows, columns = y.shape[0] // block, y.shape[1] // block
    m = normalised_luma(y, border="replicate").reshape(rows, block, columns, block)
    m = m.transpose(1, 2).reshape(-1, block, block)
    products = [m * m.roll(shift, dims=(1, 2)) for shift in _SHIFTS]
    each = [moments(samples) for samples in (m, *products)]
    fit = fit_asymmetric(Moments(*(torch.stack(parts) for parts in zip(*each, strict=True))), block**2)
    left, right = fit.deviation_left * fit.spread, fit.deviation_right * fit.spread
    own = torch.stack([fit.alpha[0], (left[0] + right[0]) / 2], dim=1)
    mean = (right - left) * fit.mean_factor
    neighbours = torch.stack([fit.alpha[1:], mean[1:], left[1:], right[1:]], dim=1)
    return torch.cat([own, neighbours.flatten(0, 1).T], dim=1)


class _PristineModel(NamedTuple):
    mean: Tensor
    covariance: Tensor


@lru_cache(maxsize=4)
def _pristine_model(device: str) -> _PristineModel:
    """The release's Gaussian model of pristine photographs (see data/NIQE-LICENSE.txt)."""
    with files("gan_eval.metrics").joinpath("data/niqe_pristine.npz").open("rb") as file, np.load(file) as arrays:
        return _PristineModel(*(torch.from_numpy(arrays[name]).to(device) for name in ("mu", "cov")))
