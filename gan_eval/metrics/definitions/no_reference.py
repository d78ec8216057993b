"""BRISQUE (Mittal, Moorthy, Bovik 2012): what a support vector regression on people's ratings says of one picture.

Features, feature ranges and regression are those of the official release. What differs from it:

- the luma is a whole number, and the mean-subtracted luma is set to exactly 0 where it is below 1e-6, as in NIQE:
  in flat areas the release counts the signs of rounding noise, so its value hangs on the order of the additions;
- nothing is rounded on the way: the release passes features through text files with six digits.

Beside piq 0.8 on the same luma in float64: equal to 1e-3 on photographs of even size without flat areas; 0.07 apart on
one with a little flat black, 8 apart where half of the picture is flat white. A picture of odd size is halved to
ceil(size / 2) at a scale of exactly 0.5, as in the release; piq takes floor, which moved one photograph by 0.5.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gan_eval.errors import UserError
from gan_eval.metrics.definitions.natural_scenes import Moments, Values, fit_asymmetric, fit_symmetric_shape
from gan_eval.metrics.kernels.backends import Backend, Pixels, as_picture, backend_of
from gan_eval.metrics.kernels.pictures import Unmeasurable

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
