"""NIQE (Mittal, Soundararajan, Bovik 2013), in a definition that gives one number on every machine.

The algorithm and the pristine model are those of the official release. Two deviations make the value reproducible:
the luma is a whole number, and the mean-subtracted luma is set to exactly 0 where it is below 1e-6. Without the
latter the release counts the signs of rounding noise wherever a picture is flat.

Only whole blocks of 96x96 count: of a 256x256 picture the upper left 192x192 (2x2 blocks) is measured.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from gan_eval.metrics.definitions.natural_scenes import Moments, Values, fit_asymmetric
from gan_eval.metrics.kernels.backends import Backend, Pixels, as_picture, backend_of
from gan_eval.metrics.kernels.pictures import Unmeasurable

BLOCK = 96


def niqe(picture: Pixels) -> float:
    """Natural image quality evaluator: distance of a picture's statistics from those of pristine photographs.

    Args:
        picture: (H, W, 3) uint8, 0..255.

    Returns:
        0 and above; lower is more natural.

    Raises:
        Unmeasurable: fewer than two blocks of 96x96 pixels that are neither flat nor strictly regular.

    >>> import numpy as np
    >>> noise = np.random.default_rng(0).integers(0, 256, (96, 192, 3), dtype=np.uint8)
    >>> niqe(noise) > 10
    True
    """
    picture = as_picture(picture)
    height, width, _ = picture.shape
    rows, columns = height // BLOCK, width // BLOCK
    if rows * columns < 2:
        raise Unmeasurable(f"{width}x{height} pixels hold {rows * columns} blocks of {BLOCK}x{BLOCK}; NIQE needs two")
    backend = backend_of(picture)
    features = block_features(backend.luma(picture[: rows * BLOCK, : columns * BLOCK]), backend)
    valid = features[~np.isnan(features).any(axis=1)]
    if len(valid) < 2:
        raise Unmeasurable(
            "the statistics cannot be fitted: the picture is flat or strictly regular "
            f"({len(valid)} of {len(features)} blocks can be used; NIQE needs two)"
        )
    return _distance_from_pristine(np.nanmean(features, axis=0), valid)


def block_features(luma: Any, backend: Backend) -> Values:
    """The 36 natural-scene features of every block.

    Args:
        luma: (96 r, 96 c), 0..255.
        backend: the one that the luma came from.

    Returns:
        (r c, 36) float64: 18 features at full size, then 18 at half size. NaN where a block is flat or
        strictly regular.
    """
    scales = ((luma, BLOCK), (backend.halve(luma), BLOCK // 2))
    return np.hstack([_scale_features(plane, side, backend) for plane, side in scales])


def _scale_features(plane: Any, side: int, backend: Backend) -> Values:
    """(blocks, 18): the fit of the normalised luma, then of its products with four neighbours inside the block."""
    found = Moments(*backend.sample_moments(plane, block=(side, side), border="replicate"))
    fit = fit_asymmetric(found, side**2)
    left, right = fit.deviation_left * fit.spread, fit.deviation_right * fit.spread
    own = np.stack([fit.alpha[0], (left[0] + right[0]) / 2])
    neighbours = np.stack([fit.alpha, (right - left) * fit.mean_factor, left, right], axis=1)[1:]
    return np.vstack([own, neighbours.reshape(16, -1)]).T


class _PristineModel(NamedTuple):
    mean: Values
    covariance: Values


@lru_cache(maxsize=1)
def _pristine_model() -> _PristineModel:
    """The release's Gaussian model of pristine photographs (see data/NIQE-LICENSE.txt)."""
    with files("gan_eval.metrics").joinpath("data/niqe_pristine.npz").open("rb") as file, np.load(file) as arrays:
        return _PristineModel(arrays["mu"], arrays["cov"])


def _distance_from_pristine(mean: Values, features: Values) -> float:
    """Mahalanobis distance of a mean from the pristine model's, by the mean of its covariance and the features'."""
    pristine = _pristine_model()
    centred = features - features.mean(axis=0)
    covariance = centred.T @ centred / (len(features) - 1)
    factor = np.linalg.cholesky((pristine.covariance + covariance) / 2)
    return float(np.linalg.norm(np.linalg.solve(factor, pristine.mean - mean)))
