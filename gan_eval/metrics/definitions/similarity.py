"""SSIM and MS-SSIM of two 8-bit RGB pictures.

Both slide a Gaussian window of 11 taps, sigma 1.5, over the pictures, take population covariances, and count only
windows that lie wholly inside. C1 = (0.01·255)², C2 = (0.03·255)².

PSNR and L1 of two 8-bit RGB pictures: from exact sums, so in any order and on any device the same number.

PSNR, L1 and SSIM in the hole of an inpainted picture: the map of each metric averaged over the hole's pixels.

Over the whole picture the known pixels, which are equal by construction in a composite, hide how the hole was filled.
"""

import math

import numpy as np

from gan_eval.metrics.kernels.backends import backend_of
from gan_eval.metrics.kernels.pictures import HolePixels, Pixels, Unmeasurable, as_hole, as_pair


def psnr(fake: Pixels, real: Pixels) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels: 10 log10(255² / MSE).

    Args:
        fake, real: (H, W, 3) uint8, 0..255.

    Returns:
        dB; `inf` for equal pictures.

    Raises:
        Unmeasurable: the sizes differ.

    >>> import numpy as np
    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> round(psnr(black + np.uint8(1), black), 4), psnr(black, black)
    (48.1308, inf)
    """
    fake, real = as_pair(fake, real)
    squares, _ = backend_of(fake).difference_sums(fake, real)
    return decibels(squares, math.prod(fake.shape))


def l1(fake: Pixels, real: Pixels) -> float:
    """Mean absolute difference over all pixels and channels.

    Args:
        fake, real: (H, W, 3) uint8, 0..255.

    Returns:
        0..255 grey levels; lower is better.

    Raises:
        Unmeasurable: the sizes differ.

    >>> import numpy as np
    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> l1(black + np.uint8(3), black)
    3.0
    """
    fake, real = as_pair(fake, real)
    _, absolutes = backend_of(fake).difference_sums(fake, real)
    return absolutes / math.prod(fake.shape)


def decibels(squares: int, count: int) -> float:
    """PSNR in dB from the sum of squared differences of `count` 8-bit values; `inf` where it is 0.

    >>> decibels(255**2, 1)
    0.0
    """
    return math.inf if squares == 0 else 10 * math.log10(255**2 * count / squares)


WINDOW = 11
"""Taps of the window; the least side of a picture."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""MS-SSIM's exponents, finest scale first (Wang et al. 2003, section 3.2)."""
_LEAST_SIDE = (WINDOW - 1) * 2 ** (len(SCALE_WEIGHTS) - 1) + 1


def ssim(fake: Pixels, real: Pixels) -> float:
    """Structural similarity (Wang et al. 2004): mean over the map and over R, G, B.

    As scikit-image with `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
    channel_axis=-1`.

    Args:
        fake, real: (H, W, 3) uint8, 0..255.

    Returns:
        -1..1; 1 for equal pictures.

    Raises:
        Unmeasurable: the sizes differ, or a side is below 11 pixels.

    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> ssim(black, black)
    1.0
    """
    fake, real = as_pair(fake, real)
    require_side(fake.shape, WINDOW, "SSIM")
    return float(backend_of(fake).similarity(fake, real, luminance=True).mean())


def ssim_luma(fake: Pixels, real: Pixels) -> float:
    """SSIM of the integer lumas, floor((299 R + 587 G + 114 B + 500) / 1000).

    Args, Returns, Raises: as `ssim`.

    >>> black = np.zeros((16, 16, 3), np.uint8)
    >>> ssim_luma(black, black)
    1.0
    """
    fake, real = as_pair(fake, real)
    require_side(fake.shape, WINDOW, "SSIM")
    backend = backend_of(fake)
    x, y = (backend.luma(picture)[..., None] for picture in (fake, real))
    return float(backend.similarity(x, y, luminance=True)[0])


def ms_ssim(fake: Pixels, real: Pixels) -> float:
    """Multi-scale structural similarity (Wang et al. 2003, equation 7): at five scales, each half of the one before.

    Contrast-structure at scales 1 to 4, the whole of SSIM at scale 5, negative means taken as 0, each to the power
    of its weight and multiplied; for R, G and B alone, then their mean. A scale is the means of 2x2 pixels of the one
    before; where that has an odd side, its first row and first column are doubled first, as in piq.

    Args:
        fake, real: (H, W, 3) uint8, 0..255.

    Returns:
        0..1; 1 for equal pictures.

    Raises:
        Unmeasurable: the sizes differ, or a side is not above 160 pixels: the window must fit at scale 5.

    >>> black = np.zeros((161, 200, 3), np.uint8)
    >>> ms_ssim(black, black)
    1.0
    """
    x, y = as_pair(fake, real)
    require_side(x.shape, _LEAST_SIDE, "MS-SSIM")
    backend = backend_of(x)
    value = np.ones(3)
    for scale, weight in enumerate(SCALE_WEIGHTS):
        if scale > 0:
            x, y = backend.pool(x), backend.pool(y)
        means = backend.similarity(x, y, luminance=scale == len(SCALE_WEIGHTS) - 1)
        value *= np.maximum(means, 0) ** weight
    return float(value.mean())


def require_side(shape: tuple[int, ...], side: int, metric: str) -> None:
    """Raises Unmeasurable where a side of the picture is below `side` pixels."""
    height, width, _ = shape
    if min(height, width) < side:
        raise Unmeasurable(f"{width}x{height} pixels; {metric} needs at least {side}x{side}")


_REACH = WINDOW // 2


def psnr_hole(fake: Pixels, real: Pixels, hole: HolePixels) -> float:
    """Peak signal-to-noise ratio in dB over the hole's pixels and their channels: 10 log10(255² / MSE).

    Args:
        fake, real: (H, W, 3) uint8, 0..255.
        hole: (H, W) bool, True in the hole.

    Returns:
        dB; `inf` where the pictures are equal in the hole.

    Raises:
        Unmeasurable: the sizes differ, or there is no hole.

    >>> import numpy as np
    >>> black, hole = np.zeros((16, 16, 3), np.uint8), np.eye(16, dtype=bool)
    >>> round(psnr_hole(black + np.uint8(1), black, hole), 4), psnr_hole(black, black, hole)
    (48.1308, inf)
    """
    squares, _, count = _sums(fake, real, hole)
    return decibels(squares, count)


def l1_hole(fake: Pixels, real: Pixels, hole: HolePixels) -> float:
    """Mean absolute difference over the hole's pixels and their channels.

    Args, Raises: as `psnr_hole`.

    Returns:
        0..255 grey levels; lower is better.

    >>> import numpy as np
    >>> black, hole = np.zeros((16, 16, 3), np.uint8), np.eye(16, dtype=bool)
    >>> l1_hole(black + np.uint8(3), black, hole)
    3.0
    """
    _, absolutes, count = _sums(fake, real, hole)
    return absolutes / count


def ssim_hole(fake: Pixels, real: Pixels, hole: HolePixels) -> float:
    """Structural similarity (Wang et al. 2004): mean of the map of `ssim` over the hole, then over R, G, B.

    A pixel of the map is the middle of its window, and windows lie wholly inside the picture: pixels of the hole
    nearer to the border than 5 do not count. A window at the hole's edge sees known pixels too.

    Args:
        fake, real: (H, W, 3) uint8, 0..255.
        hole: (H, W) bool, True in the hole.

    Returns:
        -1..1; 1 where the pictures are equal in all windows.

    Raises:
        Unmeasurable: the sizes differ, a side is below 11 pixels, or the map has no pixel in the hole.

    >>> import numpy as np
    >>> black, hole = np.zeros((16, 16, 3), np.uint8), np.eye(16, dtype=bool)
    >>> ssim_hole(black, black, hole)
    1.0
    """
    fake, real = as_pair(fake, real)
    require_side(fake.shape, WINDOW, "SSIM")
    where = as_hole(hole, fake)[_REACH:-_REACH, _REACH:-_REACH]
    if not bool(where.any()):
        raise Unmeasurable(f"no pixel of the hole is {_REACH} pixels from the border or more, as SSIM's window needs")
    return float(backend_of(fake).similarity(fake, real, luminance=True, where=where).mean())


def _sums(fake: Pixels, real: Pixels, hole: HolePixels) -> tuple[int, int, int]:
    """The exact sums of squared and of absolute differences in the hole, and the count of its values."""
    fake, real = as_pair(fake, real)
    where = as_hole(hole, fake)
    return *backend_of(fake).difference_sums(fake, real, where), 3 * int(where.sum())
