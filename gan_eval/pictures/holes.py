"""Mask pictures of inpainting: white is hole."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gan_eval.pictures.decode import Picture  # imports Pillow

Hole = NDArray[np.bool_]
"""(H, W), True in the hole."""


def hole_of(mask: "Picture") -> Hole:
    """Return the hole of a mask picture: its grey, floor((299 R + 587 G + 114 B + 500) / 1000), is above 127.

    >>> hole_of(np.array([[[0, 0, 0], [127, 127, 127], [128, 128, 128], [0, 255, 0]]], np.uint8)).tolist()
    [[False, False, True, True]]
    """
    red, green, blue = (mask[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray(299 * red + 587 * green + 114 * blue + 500 >= 128_000)


def mask_of(hole: Hole) -> NDArray[np.uint8]:
    """Return the mask picture of a hole: (H, W) grey, 255 in the hole and 0 elsewhere.

    >>> mask_of(np.array([[True, False]])).tolist()
    [[255, 0]]
    """
    return np.where(hole, np.uint8(255), np.uint8(0))


AREA_BANDS = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
"""Ends of the usual bands of the hole's share of the picture (Liu et al. 2018, arXiv 1804.07723, section 4.1)."""


def area_band(area: float) -> str:
    """Return the band of a hole's share of the picture, in per cent; a band includes its upper end, not its lower one.

    >>> area_band(0.1), area_band(0.25), area_band(0.005), area_band(0.7)
    ('1-10', '20-30', '0-1', '60-100')
    """
    band = int(np.searchsorted(AREA_BANDS, area))
    low, high = (0.0, *AREA_BANDS, 1.0)[band : band + 2]
    return f"{100 * low:.0f}-{100 * high:.0f}"
