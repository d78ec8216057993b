"""Sharpness: how strongly the grey values of one picture bend, without a reference."""

from gan_eval.metrics.kernels.backends import Pixels, as_picture, backend_of
from gan_eval.metrics.kernels.pictures import Unmeasurable


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
