"""Metrics of one picture without a reference: NIQE, BRISQUE and sharpness.

NIQE and BRISQUE fit generalised Gaussians to the normalised luma (7x7 Gaussian window, sigma 7/6; Mittal et al. 2012,
equations 1-3) and to its products with neighbours, at two sizes. Three choices make the values reproducible: the luma
is a whole number; a difference from the local mean below 1e-6 is exactly 0, where the releases count the signs of
rounding noise; halving is MATLAB's `imresize(y, 0.5)`.
"""

import math
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_eval.base.errors import UserError
from gan_eval.metrics.definitions.record import Metric, PictureFunction
from gan_eval.metrics.kernels import compiled
from gan_eval.metrics.kernels.pictures import Pixels, Unmeasurable, as_picture, require_side

Values = NDArray[np.float64]


class Moments(NamedTuple):
    """Sums over samples for the moment fits; all fields have one shape."""

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
    """Shape, on the grid 0.2, 0.201, ..., 10."""
    deviation_left: Values
    """Root mean square of the negative samples."""
    deviation_right: Values
    """Root mean square of the positive samples."""
    scale: Values
    """sqrt(Γ(1/α) / Γ(3/α)): a deviation times this is the scale β."""
    mean_factor: Values
    """Γ(2/α) / Γ(1/α)"""


def fit_asymmetric(sums: Moments, samples: int) -> AsymmetricFit:
    """Fit an asymmetric generalised Gaussian (Lasmar et al. 2009) by moments to sets of `samples` each.

    A side without samples gives NaN. As in the releases, a shape that cannot be estimated is the grid's first.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.sqrt(sums.squares_left / sums.count_left)
        right = np.sqrt(sums.squares_right / sums.count_right)
        gamma = left / right
        r = (sums.absolute / samples) ** 2 / ((sums.squares_left + sums.squares_right) / samples)
        ratio = r * (gamma**3 + 1) * (gamma + 1) / (gamma**2 + 1) ** 2
    grid = _shape_grid()
    nearest = _nearest(grid.midpoints, ratio)
    return AsymmetricFit(grid.alpha[nearest], left, right, grid.scale[nearest], grid.mean_factor[nearest])


def fit_symmetric_shape(sums: Moments, samples: int) -> Values:
    """Fit the shape α of a generalised Gaussian with mean 0 (Sharifi and Leon-Garcia 1995) by E[v²] / E[|v|]².

    Samples with NaN, or samples that are all 0, give the grid's first shape, 0.2.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        kurtosis = (sums.squares_left + sums.squares_right) / samples / (sums.absolute / samples) ** 2
    grid = _shape_grid()
    return grid.alpha[_nearest(grid.falling_midpoints, -kurtosis)]


def _nearest(midpoints: Values, values: Values) -> NDArray[np.intp]:
    """Return the index of the grid point nearest to each value; 0 for NaN."""
    return np.where(np.isnan(values), 0, np.searchsorted(midpoints, values))


class _ShapeGrid(NamedTuple):
    alpha: Values
    """0.2, 0.201, ..., 10"""
    midpoints: Values
    """midpoints of ρ(α) = Γ(2/α)² / (Γ(1/α) Γ(3/α)), an increasing function"""
    falling_midpoints: Values
    """midpoints of -1/ρ(α), also increasing"""
    scale: Values
    mean_factor: Values


@lru_cache(maxsize=1)
def _shape_grid() -> _ShapeGrid:
    alpha = np.arange(200, 10_001) / 1000
    g1, g2, g3 = (np.array([math.lgamma(k / a) for a in alpha]) for k in (1, 2, 3))
    rho = np.exp(2 * g2 - g1 - g3)
    return _ShapeGrid(
        alpha, (rho[:-1] + rho[1:]) / 2, -(1 / rho[:-1] + 1 / rho[1:]) / 2, np.exp((g1 - g3) / 2), np.exp(g2 - g1)
    )


BLOCK = 96


def niqe(picture: Pixels) -> float:
    """Natural image quality evaluator: distance of a picture's statistics from those of pristine photographs.

    Mittal, Soundararajan, Bovik 2013; algorithm and pristine model of the official release. Only whole blocks of 96x96
    count: of a 256x256 picture the upper left 192x192 (2x2 blocks) is measured.

    Raises:
        Unmeasurable: fewer than two blocks of 96x96 pixels that are neither flat nor strictly regular.

    >>> noise = np.random.default_rng(0).integers(0, 256, (96, 192, 3), dtype=np.uint8)
    >>> niqe(noise) > 10
    True
    """
    features, factor = _blocks(as_picture(picture))
    return float(np.linalg.norm(np.linalg.solve(factor, _pristine_model()[0] - np.nanmean(features, axis=0))))


def niqe_blocks(picture: Pixels) -> Values:
    """Return the distance of each block's statistics from those of pristine photographs, as (rows, columns).

    `niqe` is the length of the mean of the blocks' vectors, so it is at most the mean of these distances. NaN where a
    block is flat or strictly regular.

    Raises:
        Unmeasurable: as for `niqe`.

    >>> noise = np.random.default_rng(0).integers(0, 256, (96, 200, 3), dtype=np.uint8)
    >>> niqe_blocks(noise).shape
    (1, 2)
    """
    picture = as_picture(picture)
    features, factor = _blocks(picture)
    vectors = np.linalg.solve(factor, (_pristine_model()[0] - features).T)
    return np.linalg.norm(vectors, axis=0).reshape(-1, picture.shape[1] // BLOCK)


def _blocks(picture: NDArray[np.uint8]) -> tuple[Values, Values]:
    """Return the features of every block, and the Cholesky factor of the covariance for NIQE's distance."""
    height, width, _ = picture.shape
    rows, columns = height // BLOCK, width // BLOCK
    if rows * columns < 2:
        raise Unmeasurable(f"{width}x{height} pixels; NIQE needs at least {2 * BLOCK}x{BLOCK} or {BLOCK}x{2 * BLOCK}")
    features = block_features(compiled.luma(picture[: rows * BLOCK, : columns * BLOCK]))
    valid = features[~np.isnan(features).any(axis=1)]
    if len(valid) < 2:
        raise Unmeasurable(
            "the statistics cannot be fitted: the picture is flat or strictly regular "
            f"({len(valid)} of {len(features)} blocks can be used; NIQE needs two)"
        )
    centred = valid - valid.mean(axis=0)
    covariance = centred.T @ centred / (len(valid) - 1)
    # Mahalanobis distance from the pristine model's mean, by the mean of both covariances
    return features, np.linalg.cholesky((_pristine_model()[1] + covariance) / 2)


NIQE = Metric(
    name="niqe",
    title="NIQE",
    kind="single",
    measures="distance of one picture's local statistics from those of pristine photographs; no reference",
    source="Mittal et al. 2013; official model, blocks of 96, integer luma, zero below 1e-6",
    definition="niqe/official-params/int-luma/zero1e-6",
    function=niqe,
    min_size=(BLOCK, 2 * BLOCK),
)


def block_features(luma: NDArray[np.uint8]) -> Values:
    """Return the 36 natural-scene features of every block.

    Args:
        luma: (96 r, 96 c), 0..255.

    Returns:
        (r c, 36) float64: at full size, then at half size, the fit of the normalised luma (2) and of its products
        with four neighbours inside the block (16). NaN where a block is flat or strictly regular.
    """
    scales = []
    for plane, side in ((luma, BLOCK), (compiled.halve(luma), BLOCK // 2)):
        sums = Moments(*compiled.sample_moments(plane, block=(side, side), zero_border=False))
        fit = fit_asymmetric(sums, side**2)
        left, right = fit.deviation_left * fit.scale, fit.deviation_right * fit.scale
        luma_fit = np.stack([fit.alpha[0], (left[0] + right[0]) / 2])
        neighbours = np.stack([fit.alpha, (right - left) * fit.mean_factor, left, right], axis=1)[1:]
        scales.append(np.vstack([luma_fit, neighbours.reshape(16, -1)]).T)
    return np.hstack(scales)


@lru_cache(maxsize=1)
def _pristine_model() -> tuple[Values, Values]:
    """Return the mean and covariance of the release's model of pristine photographs (see data/NIQE-LICENSE.txt)."""
    with files("gan_eval.metrics").joinpath("data/niqe_pristine.npz").open("rb") as file, np.load(file) as arrays:
        return arrays["mu"], arrays["cov"]


FEATURES = 36
MIN_SIDE = 13
"""Minimum side in pixels: the window of 7 still fits into half of it."""

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
"""Minimum and maximum of each feature over the release's training pictures, which are scaled to -1 and 1."""


@dataclass(frozen=True)
class Regression:
    """A support vector regression with a Gaussian kernel."""

    coefficients: Values
    """(S,) float64"""
    vectors: Values
    """(S, 36) float64, of scaled features"""
    gamma: float = 0.05
    rho: float = -153.591

    def __call__(self, scaled: Values) -> float:
        """Return the regression's value at (36,) scaled features."""
        distances = np.square(self.vectors - scaled).sum(axis=1)
        return float(self.coefficients @ np.exp(-self.gamma * distances)) - self.rho


def brisque(picture: Pixels, regression: Regression) -> float:
    """Blind/referenceless image spatial quality evaluator (Mittal, Moorthy, Bovik 2012).

    A support vector regression predicts people's ratings from 36 features: at full and at half size, the fit of the
    normalised luma (2) and of its products with four neighbours, round the picture's edge (16). Features, their ranges
    and the regression are those of the official release, except for the choices above. Unlike the release, which
    passes features through text files with six digits, it rounds nothing.

    piq 0.8 gives the same to 1e-3 on photographs of even size without flat areas. It differs in flat areas, and halves
    odd sizes to floor(size / 2) instead of the release's ceil(size / 2).

    Raises:
        Unmeasurable: a side is shorter than 13 pixels, or the picture is flat or strictly regular.

    >>> noise = np.random.default_rng(0).integers(0, 256, (32, 40, 3), dtype=np.uint8)
    >>> flat = Regression(np.zeros(1), np.zeros((1, FEATURES)))
    >>> brisque(noise, flat)
    153.591
    """
    picture = as_picture(picture)
    require_side(picture, MIN_SIDE, "BRISQUE")
    luma = compiled.luma(picture)
    parts: list[Values] = []
    for plane in (luma, compiled.halve(luma)):
        rows, columns = plane.shape
        sums = Moments(*compiled.sample_moments(plane, block=(rows, columns), zero_border=True)[..., 0])
        samples = rows * columns
        fit = fit_asymmetric(sums, samples)
        mean = (fit.deviation_right - fit.deviation_left) * fit.mean_factor * fit.scale
        neighbours = np.stack([fit.alpha, mean, fit.deviation_left**2, fit.deviation_right**2], axis=1)[1:]
        variance = (sums.squares_left + sums.squares_right)[0] / samples
        parts += [np.array([fit_symmetric_shape(sums, samples)[0], variance]), neighbours.ravel()]
    features = np.concatenate(parts)
    if np.isnan(features).any():
        raise Unmeasurable("the statistics cannot be fitted: the picture is flat or strictly regular")
    low, high = np.array(_RANGES).T
    return regression(2 * (features - low) / (high - low) - 1)


def brisque_function(regression: Regression, *, device: str) -> PictureFunction:
    """Compute `brisque` with this regression, on the CPU."""
    return partial(brisque, regression=regression)


def load_regression(path: Path) -> Regression:
    """Read the regression from a libsvm model, `allmodel` of the release.

    The text is a head, `SV`, then for each vector a line: its coefficient, and INDEX:VALUE from 1 without zeros.

    Raises:
        UserError: the file is not such a model.
    """
    try:
        head, _, body = Path(path).read_text(encoding="ascii").partition("\nSV\n")
        facts = dict(line.split(maxsplit=1) for line in head.splitlines())
        lines = [line.split() for line in body.splitlines()]
        kind, count = (facts["svm_type"], facts["kernel_type"]), int(facts["total_sv"])
        if kind != ("epsilon_svr", "rbf") or len(lines) != count:
            raise ValueError("another kind of model, or vectors are missing")
        vectors = np.zeros((count, FEATURES))
        for row, (_, *cells) in zip(vectors, lines, strict=True):
            for position, value in (cell.split(":") for cell in cells):
                row[int(position) - 1] = float(value)
        coefficients = np.array([float(line[0]) for line in lines])
        regression = Regression(coefficients, vectors, float(facts["gamma"]), float(facts["rho"]))
        if not all(np.isfinite(part).all() for part in vars(regression).values()):
            raise ValueError("numbers that are not finite")
        return regression
    except (OSError, ValueError, LookupError) as error:
        raise UserError(
            f"{path}: not BRISQUE's regression as libsvm text ({type(error).__name__}); "
            "`gan-eval weights fetch brisque`"
        ) from error


BRISQUE = Metric(
    name="brisque",
    title="BRISQUE",
    kind="single",
    measures="how bad people would rate one picture, learned from distorted photographs; no reference",
    low=-math.inf,
    source="Mittal et al. 2012; the release's regression, integer luma, zero below 1e-6; about 0 to 100",
    definition="brisque/release/int-luma/zero1e-6",
    min_size=(MIN_SIDE, MIN_SIDE),
    weights=("brisque",),
    readers=(load_regression,),
    make=brisque_function,
)


def sharpness(picture: Pixels) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000, LAPV) of the integer luma.

    The Laplacian of a pixel is the sum of its 4 neighbours minus 4 times itself; pixels at the border have none. The
    variance is that of the population, from exact sums.

    Raises:
        Unmeasurable: a side is below 3 pixels.

    >>> point = np.zeros((5, 5, 3), np.uint8)
    >>> point[2, 2] = 90
    >>> sharpness(point) == 90**2 * (4**2 + 4) / 9
    True
    """
    picture = as_picture(picture)
    require_side(picture, 3, "sharpness")
    luma = compiled.luma(picture).astype(np.int64)
    neighbours = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    laplacian = neighbours - 4 * luma[1:-1, 1:-1]
    total, count = int(laplacian.sum()), laplacian.size
    return (count * int(np.square(laplacian).sum()) - total**2) / count**2


SHARPNESS = Metric(
    name="sharpness",
    kind="single",
    measures="strength of fine detail in one picture, noise included; no reference",
    higher_is_better=True,
    unit="squared grey levels",
    source="Pech-Pacheco et al. 2000; variance of the Laplacian (4 neighbours) of the integer luma, no border",
    definition="sharpness/laplacian4/int-luma/valid",
    function=sharpness,
    min_size=(3, 3),
)


METRICS = (NIQE, BRISQUE, SHARPNESS)
