"""Mask pictures of inpainting: white is hole."""

import numpy as np
from numpy.typing import NDArray

from gan_eval.images import Picture

Hole = NDArray[np.bool_]
"""(H, W), True in the hole."""


def hole_of(mask: Picture) -> Hole:
    """The hole that a mask picture shows: where its grey, floor((299 R + 587 G + 114 B + 500) / 1000), is above 127.

    >>> hole_of(np.array([[[0, 0, 0], [127, 127, 127], [128, 128, 128], [0, 255, 0]]], np.uint8)).tolist()
    [[False, False, True, True]]
    """
    red, green, blue = (mask[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray(299 * red + 587 * green + 114 * blue + 500 >= 128_000)


def mask_of(hole: Hole) -> NDArray[np.uint8]:
    """(H, W) grey, 255 in the hole and 0 elsewhere.

    >>> mask_of(np.array([[True, False]])).tolist()
    [[255, 0]]
    """
    return np.where(hole, np.uint8(255), np.uint8(0))
