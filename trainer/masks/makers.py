"""Holes of squares and rectangles, and holes that are given as pictures.

Every maker is a function of a generator and a size that changes nothing but the generator's state.

How much of a picture a hole may take, and the mending of a hole that takes too much or too little.

Free-form holes: strokes of a round brush.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from gan_eval.errors import UserError
from gan_eval.stimuli.holes import Hole

Size = tuple[int, int]
"""(height, width) in pixels."""


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
    """The band of pixels for shares of the picture `least` .. `most`, both of them included.

    >>> band_of((10, 10), 0.07, 0.255)
    Band(least=7, most=25)

    Raises:
        UserError: no whole number of pixels has such a share.
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
    """The hole with layers added until it has exactly so many pixels (at most all of the picture's)."""
    grown = hole.copy()
    if not grown.any():
        grown[grown.shape[0] // 2, grown.shape[1] // 2] = True
    while (missing := pixels - int(np.count_nonzero(grown))) > 0:
        layer = np.flatnonzero(_dilated(grown) & ~grown)
        grown.flat[layer[:missing]] = True
    return grown


def _dilated(hole: Hole) -> Hole:
    """The hole with the eight neighbours of each of its pixels."""
    rows = hole.copy()
    rows[1:] |= hole[:-1]
    rows[:-1] |= hole[1:]
    both = rows.copy()
    both[:, 1:] |= rows[:, :-1]
    both[:, :-1] |= rows[:, 1:]
    return both


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


_VERTICES = (4, 12)
_WIDTHS = (12 / 256, 40 / 256)
"""By the picture's shorter side."""
_USUAL_SHARE = 0.25
"""Holes that take less of the picture are painted with a finer brush."""
_FINEST = 0.35
"""Width of the finest brush by that of the usual one."""
_TURN = (4 * pi / 15, 8 * pi / 15)
"""Change of direction at a vertex, to either side."""
_STROKE_TRIES = 30


@dataclass(frozen=True)
class Stroke:
    """A line of straight pieces with round joints and ends; lengths are in pixels."""

    points: tuple[tuple[float, float], ...]
    """x, y; each inside the picture."""
    width: float


def strokes(rng: np.random.Generator, size: Size, *, least: float, most: float) -> Hole:
    """Brush strokes in all directions until their area is reached.

    Numbers of vertices, widths (by a picture of 256 pixels) and lengths are those of the free-form masks of Yu et al.
    2019 (arXiv 1806.03589). Their angles are the changes of direction here, so that no direction is preferred.

    Args:
        rng: decides the area and the strokes.
        size: (height, width).
        least, most: share of the picture that they take together.

    Raises:
        UserError: the band lies between two pixels.
    """
    band = band_of(size, least, most)
    wanted = band.draw(rng)
    fineness = min(max((wanted / (size[0] * size[1] * _USUAL_SHARE)) ** 0.5, _FINEST), 1.0)
    canvas, taken = Image.new("L", (size[1], size[0])), 0
    for _ in range(_STROKE_TRIES):
        candidate = canvas.copy()
        _paint(candidate, draw_stroke(rng, size, fineness=fineness))
        more = int(np.count_nonzero(np.asarray(candidate)))
        if more > band.most:
            fineness *= 0.7
            continue
        canvas, taken = candidate, more
        if taken >= wanted:
            break
    return fitted(np.asarray(canvas) > 0, band)


def draw_stroke(rng: np.random.Generator, size: Size, *, fineness: float = 1.0) -> Stroke:
    """A stroke that starts anywhere in any direction, and turns back at the picture's edges.

    Args:
        rng: decides it.
        size: (height, width).
        fineness: scales width and length, and the number of vertices down to two.
    """
    height, width = size
    vertices = max(round(int(rng.integers(_VERTICES[0], _VERTICES[1] + 1)) * min(fineness, 1)), 2)
    lengths = np.abs(rng.normal(1 / 8, 1 / 16, vertices - 1)) * hypot(height, width) * fineness
    turns = rng.uniform(*_TURN, vertices - 1) * rng.choice((-1, 1), vertices - 1)
    headings = rng.uniform(0, 2 * pi) + np.cumsum(turns)
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    points = [(x, y)]
    for length, heading in zip(lengths.tolist(), headings.tolist(), strict=True):
        x, y = _folded(x + length * cos(heading), width), _folded(y + length * sin(heading), height)
        points.append((x, y))
    return Stroke(tuple(points), rng.uniform(*_WIDTHS) * min(size) * fineness)


def _folded(place: float, length: int) -> float:
    """A place outside of 0 .. length mirrored at the ends."""
    return length - abs(length - place % (2 * length))


def _paint(canvas: Image.Image, stroke: Stroke) -> None:
    draw = ImageDraw.Draw(canvas)
    points = [(x - 0.5, y - 0.5) for x, y in stroke.points]  # Pillow counts from the centre of the first pixel
    draw.line(points, fill=255, width=max(round(stroke.width), 1))
    radius = max(stroke.width - 1, 0) / 2
    for x, y in points:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
