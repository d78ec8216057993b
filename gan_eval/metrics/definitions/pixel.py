"""PSNR and L1 of two 8-bit RGB pictures: from exact sums, so in any order and on any device the same number."""

import math

from gan_eval.metrics.kernels.backends import Pixels, as_pair, backend_of


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
