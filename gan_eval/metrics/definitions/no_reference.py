"""BRISQUE (Mittal, Moorthy, Bovik 2012): what a support vector regression on people's ratings says of one picture.

Features, feature ranges and regression are those of the official release. What differs from it:

- the luma is a whole number, and the mean-subtracted luma is set to exactly 0 where it is below 1e-6, as in NIQE:
  in flat areas the release counts the signs of rounding noise, so its value hangs on the order of the additions;
- nothing is rounded on the way: the release passes features through text files with six digits.

Beside piq 0.8 on the same luma in float64: equal to 1e-3 on photographs of even size without flat areas; 0.07 apart on
one with a little flat black, 8 apart where half of the picture is flat white. A picture of odd size is halved to
ceil(size / 2) at a scale of exactly 0.5, as in the release; piq takes floor, which moved one photograph by 0.5.

Sharpness: how strongly the grey values of one picture bend, without a reference.

Natural-scene statistics: what NIQE and BRISQUE have in common.

Both look at the luma less its local mean and over its local contrast (7x7 Gaussian window, sigma 7/6; Mittal et al.
2012, equations 1-3), fit generalised Gaussians to it and to its products with neighbours, and look again at half the
size. They differ in where the samples come from (blocks, the whole picture), in the border, and in the features that
they make of the fits. Two choices, shared, make the values reproducible:

- a difference from the local mean below 1e-6 is exactly 0: where a picture is flat, the releases count the signs of
  rounding noise, which are others on every machine;
- halving is MATLAB's `imresize(y, 0.5)`: bicubic (a = -0.5) widened to 8 taps, symmetric border, no rounding.

The samples' moments come from a backend (`gan_eval.metrics.kernels.backends`); the fits are made here.

NIQE (Mittal, Soundararajan, Bovik 2013), in a definition that gives one number on every machine.

The algorithm and the pristine model are those of the official release. Two deviations make the value reproducible:
the luma is a whole number, and the mean-subtracted luma is set to exactly 0 where it is below 1e-6. Without the
latter the release counts the signs of rounding noise wherever a picture is flat.

Only whole blocks of 96x96 count: of a 256x256 picture the upper left 192x192 (2x2 blocks) is measured.
"""

import math
import pickle
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.metrics.kernels.backends import Backend, backend_of
from gan_eval.metrics.kernels.pictures import Pixels, Unmeasurable, as_picture


def sharpness(picture: Pixels) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000, LAPV) of the integer luma.

    The Laplacian of a pixel is the sum of its 4 neighbours less 4 times itself; pixels at the border have none. The
    variance is that of the population, from exact sums.

    Args:
        picture: (H, W, 3) uint8, 0..255.

    Returns:
        0 and above, in squared grey levels; higher is sharper, noise included.

    Raises:
        Unmeasurable: a side is below 3 pixels.

    >>> import numpy as np
    >>> point = np.zeros((5, 5, 3), np.uint8)
    >>> point[2, 2] = 90
    >>> sharpness(point) == 90**2 * (4**2 + 4) / 9
    True
    """
    picture = as_picture(picture)
    height, width, _ = picture.shape
    if min(height, width) < 3:
        raise Unmeasurable(f"{width}x{height} pixels; sharpness needs at least 3x3")
    backend = backend_of(picture)
    total, squares = backend.laplacian_sums(backend.luma(picture))
    count = (height - 2) * (width - 2)
    return (count * squares - total**2) / count**2


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
    return np.hstack([_niqe_scale_features(plane, side, backend) for plane, side in scales])


def _niqe_scale_features(plane: Any, side: int, backend: Backend) -> Values:
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


FEATURES = 36
SMALLEST = 13
"""Least side in pixels: half of it still holds the window of 7."""
_GAMMA, _RHO = 0.05, -153.591
"""The regression's constants in the release; a file that holds vectors alone is taken to mean them."""

_RANGES = (
    (0.338, 10), (0.017204, 0.806612),
    (0.236, 1.642), (-0.123884, 0.20293), (0.000155, 0.712298), (0.001122, 0.470257),
    (0.244, 1.641), (-0.123586, 0.179083), (0.000152, 0.710456), (0.000975, 0.470984),
    (0.249, 1.555), (-0.135687, 0.100858), (0.000174, 0.684173), (0.000913, 0.534174),
    (0.258, 1.561), (-0.143408, 0.100486), (0.000179, 0.685696), (0.000888, 0.536508),
    (0.471, 3.264), (0.012809, 0.703171),
    (0.218, 1.046), (-0.094876, 0.187459), (0.000015, 0.442057), (0.001272, 0.40803),
    (0.222, 1.042), (-0.115772, 0.162604), (0.000016, 0.444362), (0.001374, 0.40243),
    (0.227, 0.996), (-0.117188, 0.098323), (0.00003, 0.531903), (0.001122, 0.369589),
    (0.228, 0.99), (-0.12243, 0.098658), (0.000028, 0.530092), (0.001118, 0.370399),
)  # fmt: skip
"""Least and greatest value of each feature over the release's training pictures; they become -1 and 1."""

# What torch.load and the parsing below raise for another file.
_UNREADABLE = (
    OSError, RuntimeError, ValueError, LookupError, TypeError, EOFError, pickle.UnpicklingError
)  # fmt: skip


@dataclass(frozen=True)
class Regression:
    """A support vector regression with a Gaussian kernel."""

    coefficients: Values
    """(S,) float64"""
    vectors: Values
    """(S, 36) float64, of scaled features"""
    gamma: float = _GAMMA
    rho: float = _RHO

    def __call__(self, scaled: Values) -> float:
        """The regression's value at (36,) scaled features."""
        distances = np.square(self.vectors - scaled).sum(axis=1)
        return float(self.coefficients @ np.exp(-self.gamma * distances)) - self.rho


def brisque(picture: Pixels, regression: Regression) -> float:
    """Blind/referenceless image spatial quality evaluator.

    Args:
        picture: (H, W, 3) uint8, 0..255.
        regression: from `load_regression`.

    Returns:
        About 0 (pristine) to 100 (badly distorted); values outside occur and are kept. Lower is better.

    Raises:
        Unmeasurable: a side is shorter than 13 pixels, or the picture is flat or strictly regular.

    >>> noise = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    >>> flat = Regression(np.zeros(1), np.zeros((1, FEATURES)))
    >>> brisque(noise, flat)
    153.591
    """
    picture = as_picture(picture)
    height, width, _ = picture.shape
    if min(height, width) < SMALLEST:
        raise Unmeasurable(f"{width}x{height} pixels; BRISQUE needs at least {SMALLEST}x{SMALLEST}")
    backend = backend_of(picture)
    luma = backend.luma(picture)
    features = np.concatenate([_scale_features(plane, backend) for plane in (luma, backend.halve(luma))])
    if np.isnan(features).any():
        raise Unmeasurable("the statistics cannot be fitted: the picture is flat or strictly regular")
    low, high = np.array(_RANGES).T
    return regression(2 * (features - low) / (high - low) - 1)


def load_regression(path: Path) -> Regression:
    """The regression in a libsvm model (`allmodel` of the release) or in piq's `brisque_svm_weights.pt`.

    Raises:
        UserError: neither of them.
    """
    path = Path(path)
    try:
        found = _read_tensors(path) if path.suffix in (".pt", ".pth") else _read_libsvm(path)
        if not all(np.isfinite(part).all() for part in (found.coefficients, found.vectors, found.gamma, found.rho)):
            raise ValueError("numbers that are not finite")
        return found
    except _UNREADABLE as error:
        raise UserError(
            f"{path}: not BRISQUE's regression, as libsvm text or as piq's .pt ({type(error).__name__}); "
            "`gan-eval weights fetch brisque`"
        ) from error


def _scale_features(plane: Any, backend: Backend) -> Values:
    """(18,): the fit of the normalised luma, then of its products with four neighbours, round the picture's edge."""
    height, width = plane.shape
    found = Moments(*backend.sample_moments(plane, block=(height, width), border="zero")[..., 0])
    alpha = fit_symmetric_shape(found, height * width)[0]
    variance = (found.squares_left + found.squares_right)[0] / (height * width)
    fit = fit_asymmetric(found, height * width)
    mean = (fit.deviation_right - fit.deviation_left) * fit.mean_factor * fit.spread
    neighbours = np.stack([fit.alpha, mean, fit.deviation_left**2, fit.deviation_right**2], axis=1)[1:]
    return np.concatenate([[alpha, variance], neighbours.ravel()])


def _read_libsvm(path: Path) -> Regression:
    """A head, `SV`, then for each vector a line: its coefficient, and INDEX:VALUE from 1, zeros left out."""
    head, _, body = path.read_text(encoding="ascii").partition("\nSV\n")
    facts = dict(line.split(maxsplit=1) for line in head.splitlines())
    if (facts["svm_type"], facts["kernel_type"]) != ("epsilon_svr", "rbf"):
        raise ValueError("another kind of model")
    lines = [line.split() for line in body.splitlines()]
    vectors = np.zeros((len(lines), FEATURES))
    for row, (_, *cells) in zip(vectors, lines, strict=True):
        for cell in cells:
            index, value = cell.split(":")
            if not 1 <= int(index) <= FEATURES:
                raise ValueError(f"feature {index}")
            row[int(index) - 1] = float(value)
    if len(lines) != int(facts["total_sv"]):
        raise ValueError("vectors are missing")
    coefficients = np.array([float(line[0]) for line in lines])
    return Regression(coefficients, vectors, float(facts["gamma"]), float(facts["rho"]))


def _read_tensors(path: Path) -> Regression:
    """A tuple of coefficients (S, 1) and vectors (S, 36)."""
    import torch

    from gan_eval.weights.files import load_torch_file, without_numbers

    found = load_torch_file(path)
    if not (isinstance(found, tuple | list) and all(isinstance(part, torch.Tensor) for part in found)):
        raise TypeError("no tensors")
    if any(without_numbers(part) for part in found):
        raise ValueError("no numbers")
    coefficients, vectors = found
    if vectors.ndim != 2 or vectors.shape[1] != FEATURES or coefficients.numel() != len(vectors):
        raise ValueError("other shapes")
    return Regression(coefficients.flatten().numpy().astype(np.float64), vectors.numpy().astype(np.float64))
