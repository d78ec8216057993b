"""Holes of squares and rectangles, and holes that are given as pictures.

Every maker is a function of a generator and a size that changes nothing but the generator's state.
"""

from collections.abc import Sequence

import numpy as np

from gan_eval.stimuli.holes import Hole
from trainer.masks.area import Size, band_of, fitted

MOST_OF_BLOCKS = 0.25
"""Blocks take at most this share of the picture (Pathak et al. 2016, section 3.3)."""

_BLOCKS = (2, 8)
_LONGEST_BLOCK = 3.0
"""Long side by short side."""
_TRIES = 40


def centre(rng: np.random.Generator, size: Size, *, share: float = 0.5) -> Hole:
    """A centred square (Pathak et al. 2016, section 3.3).

    Args:
        rng: not used; all makers are called alike.
        size: (height, width).
        share: its side by the shorter side of the picture; rounded to whole pixels, at least one and not all.
    """
    del rng
    shorter = min(size)
    side = min(max(round(share * shorter), 1), max(shorter - 1, 1))
    hole = np.zeros(size, np.bool_)
    top, left = ((length - side) // 2 for length in size)
    hole[top : top + side, left : left + side] = True
    return hole


def blocks(rng: np.random.Generator, size: Size, *, least: float, most: float) -> Hole:
    """Rectangles anywhere, which may overlap: "random block" of Pathak et al. 2016, section 3.3.

    Args:
        rng: decides their number, sizes and places.
        size: (height, width).
        least, most: share of the picture that they take together; never more than a quarter.

    Raises:
        UserError: there is no such hole: `least` is more than a quarter, or the band lies between two pixels.
    """
    band = band_of(size, least, min(most, MOST_OF_BLOCKS))
    wanted = band.draw(rng)
    number = int(rng.integers(_BLOCKS[0], _BLOCKS[1] + 1))
    hole = np.zeros(size, np.bool_)
    taken = 0
    for _ in range(_TRIES):
        window = _rectangle(rng, size, wanted / number * rng.uniform(0.5, 1.75))
        more = taken + int(np.count_nonzero(~hole[window]))
        if more > band.most:
            continue
        hole[window] = True
        taken = more
        if taken >= wanted:
            break
    return fitted(hole, band)


def _rectangle(rng: np.random.Generator, size: Size, area: float) -> tuple[slice, slice]:
    """A rectangle of about `area` pixels anywhere in the picture."""
    elongation = _LONGEST_BLOCK ** rng.uniform(-0.5, 0.5)
    sides = (area**0.5 * elongation, area**0.5 / elongation)
    height, width = (min(max(round(side), 1), length) for side, length in zip(sides, size, strict=True))
    top = int(rng.integers(0, size[0] - height + 1))
    left = int(rng.integers(0, size[1] - width + 1))
    return slice(top, top + height), slice(left, left + width)


def pasted(rng: np.random.Generator, size: Size, *, masks: Sequence[Hole], least: float, most: float) -> Hole:
    """One of the given masks, turned by quarters and mirrored at random, at the picture's size (nearest neighbour).

    Args:
        rng: decides which mask, and which of its eight positions.
        size: (height, width); masks of another shape are stretched.
        masks: at least one, True in the hole.
        least, most: share of the picture; a mask whose share is outside of it is grown or shrunk on all sides.

    Raises:
        UserError: the band lies between two pixels.
    """
    band = band_of(size, least, most)
    mask = np.rot90(masks[int(rng.integers(len(masks)))], int(rng.integers(4)))
    mask = mask[:, ::-1] if rng.random() < 0.5 else mask
    return fitted(at_size(mask, size), band)


def at_size(mask: Hole, size: Size) -> Hole:
    """A mask stretched to (height, width), by its nearest pixels."""
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, mask.shape, strict=True))
    return mask[rows[:, None], columns]
