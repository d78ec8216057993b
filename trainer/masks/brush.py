"""Free-form holes: strokes of a round brush."""

from dataclasses import dataclass
from math import cos, hypot, pi, sin

import numpy as np
from PIL import Image, ImageDraw

from gan_eval.stimuli.holes import Hole
from trainer.masks.area import Size, band_of, fitted

_VERTICES = (4, 12)
_WIDTHS = (12 / 256, 40 / 256)
"""By the picture's shorter side."""
_USUAL_SHARE = 0.25
"""Holes that take less of the picture are painted with a finer brush."""
_FINEST = 0.35
"""Width of the finest brush by that of the usual one."""
_TURN = (4 * pi / 15, 8 * pi / 15)
"""Change of direction at a vertex, to either side."""
_TRIES = 30


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
    for _ in range(_TRIES):
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
