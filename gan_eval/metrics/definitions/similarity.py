"""SSIM and MS-SSIM of two 8-bit RGB pictures.

Both slide a Gaussian window of 11 taps, sigma 1.5, over the pictures, take population covariances, and count only
windows that lie wholly inside. C1 = (0.01·255)², C2 = (0.03·255)².
"""

import numpy as np

from gan_eval.metrics.kernels.backends import Pixels, as_pair, backend_of
from gan_eval.metrics.kernels.pictures import Unmeasurable

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
