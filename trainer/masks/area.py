"""Limits of a hole's area, and growing or shrinking a hole to fit them."""

from dataclasses import dataclass

import numpy as np

from gan_eval.errors import UserError
from gan_eval.stimuli.holes import Hole

Size = tuple[int, int]  # (height, width) in pixels


@dataclass(frozen=True)
class Band:
    """The numbers of pixels that a hole may have; never none, never all."""

    least: int
    most: int

    def __contains__(self, pixels: int) -> bool:
        return self.least <= pixels <= self.most

    def draw(self, rng: np.random.Generator) -> int:
        """A number of pixels in the band, each as likely as any other."""
        return int(rng.integers(self.least, self.most + 1))


def band_of(size: Size, least: float, most: float) -> Band:
    """The band of pixels for proportions of the picture `least` .. `most`, both of them included.

    >>> band_of((10, 10), 0.07, 0.255)
    Band(least=7, most=25)
    """
    pixels = size[0] * size[1]
    fewest, highest = round(least * pixels), round(most * pixels)
    fewest += fewest / pixels < least
    highest -= highest / pixels > most
    band = Band(max(fewest, 1), min(highest, pixels - 1))
    if band.least > band.most:
        raise UserError(
            f"inpainting.least_area, most_area: no hole in a picture of {size[1]}x{size[0]} takes between {least:g} "
            f"and {most:g} of it; move them apart"
        )
    return band


def fitted(hole: Hole, band: Band) -> Hole:
    """The hole itself if its number of pixels is in the band, else grown or shrunk until it is.

    It grows and shrinks evenly on all sides, pixel by pixel; of the last layer only as much as is needed changes.
    Where there is nothing to grow from it grows from the picture's centre.
    """
    count = int(np.count_nonzero(hole))
    if count < band.least:
        return _grown(hole, band.least)
    if count > band.most:
        return ~_grown(~hole, hole.size - band.most)
    return hole


def _grown(hole: Hole, pixels: int) -> Hole:
    """Return the hole with layers added until it has exactly `pixels` pixels (at most the whole picture)."""
    grown = hole.copy()
    if not grown.any():
        grown[grown.shape[0] // 2, grown.shape[1] // 2] = True
    while (missing := pixels - int(np.count_nonzero(grown))) > 0:
        rows = grown.copy()
        rows[1:] |= grown[:-1]
        rows[:-1] |= grown[1:]
        dilated = rows.copy()  # with the eight neighbours of each pixel
        dilated[:, 1:] |= rows[:, :-1]
        dilated[:, :-1] |= rows[:, 1:]
        layer = np.flatnonzero(dilated & ~grown)
        grown.flat[layer[:missing]] = True
    return grown
