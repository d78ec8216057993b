"""Agreement of a generated picture with its reference, by pixel and by small window: PSNR, L1, SSIM, MS-SSIM.

PSNR, L1 and SSIM can also be computed over a hole alone. Over a whole composite, the known pixels are equal by
construction and hide how well the hole is filled.

PSNR and L1 are computed from exact sums, so they do not depend on the order of the pixels or the device. SSIM and
MS-SSIM slide a Gaussian window of 11 x 11 pixels, sigma 1.5, over both pictures. They use population covariances and
only windows that lie wholly inside the picture. C1 = (0.01·255)², C2 = (0.03·255)².

PSNR, L1, SSIM and MS-SSIM also accept grey and 16-bit pictures, without rounding them. With 16 bits, the peak of PSNR
is 65535; L1, and the values for SSIM, are divided by 257, so that results are comparable with those of 8 bits.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels import compiled
from gan_eval.metrics.kernels.pictures import HolePixels, Pixels, Unmeasurable, as_hole, as_pair, require_side


def psnr(fake: Pixels, real: Pixels, hole: "HolePixels | None" = None) -> float:
    """Peak signal-to-noise ratio in dB: 10 log10(peak² / MSE). The peak is 255, or 65535 with 16 bits.

    The MSE is over all channels of all pixels or, with a hole, of the hole's pixels.

    Raises:
        Unmeasurable: the sizes differ, or the hole is empty.

    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> round(psnr(black + np.uint8(1), black), 4), psnr(black, black)
    (48.1308, inf)
    >>> deep = np.zeros((16, 16, 1), np.uint16)
    >>> round(psnr(deep + np.uint16(257), deep), 4)
    48.1308
    """
    squares, _, count, peak = _difference_sums(fake, real, hole)
    return math.inf if squares == 0 else 10 * math.log10(peak**2 * count / squares)


PSNR = Metric(
    name="psnr",
    title="PSNR",
    kind="pair",
    measures="pixel-wise agreement with the reference: mean squared error on a logarithmic scale",
    higher_is_better=True,
    unit="dB",
    source="10 log10(peak² / MSE) over all pixels and channels, peak 255; inf for equal pictures",
    of_16_bits="peak 65535",
    definition="psnr/rgb8",
    any_format=True,
    function=psnr,
)


def l1(fake: Pixels, real: Pixels, hole: "HolePixels | None" = None) -> float:
    """Mean absolute difference, 0..255, over all channels of all pixels or, with a hole, of the hole's pixels.

    Raises:
        Unmeasurable: the sizes differ, or the hole is empty.

    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> l1(black + np.uint8(3), black)
    3.0
    """
    _, absolutes, count, peak = _difference_sums(fake, real, hole)
    return absolutes / (count * (peak // 255))


L1 = Metric(
    name="l1",
    title="L1",
    kind="pair",
    measures="mean absolute difference from the reference over all pixels and channels",
    high=255,
    unit="grey levels",
    source="mean |x - y|, 0 to 255",
    of_16_bits="samples divided by 257",
    definition="l1/rgb8",
    any_format=True,
    function=l1,
)


def l1_map(fake: Pixels, real: Pixels) -> NDArray[np.float32]:
    """Return (H, W) absolute differences, 0..255: at each pixel, the mean of its channels. The mean is `l1`.

    Raises:
        Unmeasurable: the sizes differ.

    >>> black = np.zeros((2, 2, 3), np.uint8)
    >>> l1_map(black + np.uint8(3), black).tolist()
    [[3.0, 3.0], [3.0, 3.0]]
    """
    fake, real = as_pair(fake, real, any_format=True)
    return np.abs(fake.astype(np.float32) - real).mean(axis=2) / np.float32(peak_of(fake) // 255)


def _difference_sums(fake: Pixels, real: Pixels, hole: "HolePixels | None") -> tuple[int, int, int, int]:
    """Return the exact sums of squared and absolute differences, the number of values, and their maximum value."""
    fake, real = as_pair(fake, real, any_format=True)
    peak = int(np.iinfo(fake.dtype).max)
    if hole is None:
        return *compiled.difference_sums(fake, real), math.prod(fake.shape), peak
    where = as_hole(hole, fake)
    return *compiled.difference_sums(fake, real, where), fake.shape[2] * int(where.sum()), peak


def peak_of(picture: Pixels) -> int:
    """Return the maximum value of the picture's type: 255 or 65535."""
    return 65535 if str(picture.dtype).endswith("uint16") else 255


def in_eight_bits(picture: Any) -> Any:
    """Return a 16-bit picture as float32 in 0..255, not rounded; return an 8-bit picture unchanged."""
    return picture.astype(np.float32) / np.float32(257) if peak_of(picture) > 255 else picture


WINDOW = 11
"""Side of the window in pixels, and minimum side of a picture."""
_BORDER = WINDOW // 2
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""MS-SSIM's exponents, finest scale first (Wang et al. 2003, section 3.2)."""
_MIN_SIDE = (WINDOW - 1) * 2 ** (len(SCALE_WEIGHTS) - 1) + 1


def ssim(fake: Pixels, real: Pixels, hole: "HolePixels | None" = None) -> float:
    """Structural similarity (Wang et al. 2004): the mean of the SSIM map over pixels and channels.

    Equal to scikit-image's with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
    channel_axis=-1`. With a hole, the mean over the hole's pixels, without those less than 5 pixels from the border,
    which have no window. Windows near the hole's edge contain known pixels, too.

    Raises:
        Unmeasurable: the sizes differ, a side is below 11 pixels, or the map has no pixel in the hole.

    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> ssim(black, black)
    1.0
    """
    fake, real = as_pair(fake, real, any_format=True)
    require_side(fake, WINDOW, "SSIM")
    where = None
    if hole is not None:
        where = as_hole(hole, fake)[_BORDER:-_BORDER, _BORDER:-_BORDER]
        if not bool(where.any()):
            raise Unmeasurable(f"the whole hole is within {_BORDER} pixels of the border, where SSIM has no window")
    x, y = in_eight_bits(fake), in_eight_bits(real)
    return float(compiled.similarity(x, y, luminance=True, where=where).mean())


def ssim_map(fake: Pixels, real: Pixels) -> NDArray[np.float32]:
    """Return the SSIM map, the mean of the channels: (H - 10, W - 10), -1..1. Its mean is `ssim`.

    Each value belongs to the middle pixel of its window, so the map begins 5 pixels inside the picture.

    Raises:
        Unmeasurable: the sizes differ, or a side is below 11 pixels.

    >>> black = np.zeros((12, 16, 3), np.uint8)
    >>> ssim_map(black, black).shape
    (2, 6)
    """
    fake, real = as_pair(fake, real, any_format=True)
    require_side(fake, WINDOW, "SSIM")
    return compiled.similarity_map(in_eight_bits(fake), in_eight_bits(real)).mean(axis=2)


SSIM = Metric(
    name="ssim",
    title="SSIM",
    kind="pair",
    measures="local agreement with the reference in luminance, contrast and structure; mean of R, G, B",
    low=-1,
    high=1,
    higher_is_better=True,
    source="Wang et al. 2004; Gaussian window 11, sigma 1.5, population covariance, no border",
    definition="ssim/gauss11/rgb/valid",
    any_format=True,
    function=ssim,
    min_size=(WINDOW, WINDOW),
)


def ssim_luma(fake: Pixels, real: Pixels) -> float:
    """SSIM of the integer luma, floor((299 R + 587 G + 114 B + 500) / 1000); returns and raises the same as `ssim`.

    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> ssim_luma(black, black)
    1.0
    """
    fake, real = as_pair(fake, real)
    require_side(fake, WINDOW, "SSIM")
    x, y = (compiled.luma(picture)[..., None] for picture in (fake, real))
    return float(compiled.similarity(x, y, luminance=True)[0])


SSIM_LUMA = replace(
    SSIM,
    name="ssim_luma",
    title="SSIM, luma",
    measures="as ssim, on the integer BT.601 luma",
    definition="ssim/gauss11/luma601-int/valid",
    any_format=False,
    function=ssim_luma,
)


def ms_ssim(fake: Pixels, real: Pixels) -> float:
    """Multi-scale structural similarity (Wang et al. 2003, equation 7): at five scales, each half of the one before.

    A channel's value is the product of five means, each to the power of its weight: contrast-structure at scales 1 to 4
    and SSIM at scale 5. Negative means count as 0. The result is the mean of the channels. Each scale has the means of
    2x2 pixels of the one before. If that has an odd side, its first row and column are repeated first, as in piq.

    Raises:
        Unmeasurable: the sizes differ, or a side is below 161 pixels, so that the window does not fit at scale 5.

    >>> black = np.zeros((161, 200, 3), np.uint8)
    >>> ms_ssim(black, black)
    1.0
    """
    x, y = as_pair(fake, real, any_format=True)
    require_side(x, _MIN_SIDE, "MS-SSIM")
    x, y = in_eight_bits(x), in_eight_bits(y)
    value = np.ones(x.shape[2])
    for scale, weight in enumerate(SCALE_WEIGHTS):
        if scale > 0:
            x, y = compiled.pool(x), compiled.pool(y)
        means = compiled.similarity(x, y, luminance=scale == len(SCALE_WEIGHTS) - 1)
        value *= np.maximum(means, 0) ** weight
    return float(value.mean())


MS_SSIM = Metric(
    name="ms_ssim",
    title="MS-SSIM",
    kind="pair",
    measures="as ssim at five scales, each half of the one before; mean of R, G, B",
    high=1,
    higher_is_better=True,
    source="Wang et al. 2003; 2x2 mean pooling, odd sides as piq, negative contrast-structure is 0; "
    "both sides above 160",
    definition="ms-ssim/5-scales/gauss11/rgb/valid",
    any_format=True,
    function=ms_ssim,
    min_size=(_MIN_SIDE, _MIN_SIDE),
)


HOLE = "hole: where the set's mask_file is white"
"""Source of the holes of metrics in a hole."""
PSNR_HOLE = replace(
    PSNR,
    name="psnr_hole",
    title="PSNR, hole",
    measures="as psnr, over the hole's pixels alone",
    source=f"10 log10(peak² / MSE) over the hole's pixels and their channels, peak 255; inf where equal; {HOLE}",
    definition="psnr/rgb8/hole",
    takes_hole=True,
)
SSIM_HOLE = replace(
    SSIM,
    name="ssim_hole",
    title="SSIM, hole",
    measures="as ssim: its map averaged over the hole's pixels, those 5 pixels from the border or more",
    source=f"{SSIM.source}; windows with their middle in the {HOLE}",
    definition="ssim/gauss11/rgb/valid/hole",
    takes_hole=True,
)
L1_HOLE = replace(
    L1,
    name="l1_hole",
    title="L1, hole",
    measures="mean absolute difference from the reference over the hole's pixels and their channels",
    source=f"mean |x - y|, 0 to 255, over the hole; {HOLE}",
    definition="l1/rgb8/hole",
    takes_hole=True,
)

METRICS = (PSNR, L1, SSIM, SSIM_LUMA, MS_SSIM, PSNR_HOLE, SSIM_HOLE, L1_HOLE)
