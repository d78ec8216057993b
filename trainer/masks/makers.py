"""Holes of each kind, and `Masks`, which makes each as often as the settings say.

A maker is a function of a generator and a size that changes nothing but the generator's state. A new kind is a name at
the end of `gan_eval.settings.training.MaskKind`, a maker here, and a line in `Masks.__init__`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from math import cos, hypot, pi, sin
from typing import get_args

import numpy as np
from PIL import Image, ImageDraw

from gan_eval.errors import UserError
from gan_eval.settings.training import InpaintingSettings, MaskKind
from gan_eval.stimuli.holes import Hole
from trainer.masks.area import Size, band_of, fitted
from trainer.masks.silhouettes import region

Maker = Callable[[np.random.Generator, Size], Hole]


@dataclass(frozen=True)
class Mask:
    """A hole with its kind."""

    kind: MaskKind
    hole: Hole  # (H, W), True in the hole

    @property
    def area(self) -> float:
        """Proportion of the picture that the hole takes, 0..1."""
        return int(np.count_nonzero(self.hole)) / self.hole.size


class Masks:
    """Masks of several kinds, each as often as `[training.inpainting]` says.

    >>> masks = Masks(InpaintingSettings(masks={"centre": 1, "strokes": 2}))
    >>> masks(np.random.default_rng(1), (128, 128)).hole.shape
    (128, 128)
    """

    def __init__(
        self, settings: InpaintingSettings, *, shapes: Sequence[Hole] = (), folder: Sequence[Hole] = ()
    ) -> None:
        if "blocks" in settings.masks and settings.least_area > MOST_OF_BLOCKS:
            raise UserError(
                f"inpainting.least_area: {settings.least_area:g} cannot be reached by holes of kind blocks, which take "
                f"at most {MOST_OF_BLOCKS:g} of the picture; lower it or leave blocks out"
            )
        if "folder" in settings.masks and not folder:
            raise UserError("inpainting.masks: folder: there are no masks; give their folder with mask_folder")
        least, most = settings.least_area, settings.most_area
        self._makers: dict[MaskKind, Maker] = {
            "centre": partial(centre, share=settings.centre),
            "blocks": partial(blocks, least=least, most=most),
            "region": partial(region, shapes=tuple(shapes), least=least, most=most),
            "strokes": partial(strokes, least=least, most=most),
            "folder": partial(pasted, masks=tuple(folder), least=least, most=most),
        }
        self._kinds: list[MaskKind] = [kind for kind in get_args(MaskKind) if kind in settings.masks]
        self._bounds = list(accumulate(settings.masks[kind] for kind in self._kinds))

    def __call__(self, rng: np.random.Generator, size: Size) -> Mask:
        """A mask for a picture of `size` = (height, width); `rng` decides it.

        Every hole takes between the least and the most area; that of a centre follows from its side alone, in whole
        pixels.
        """
        place = rng.random() * self._bounds[-1]
        bounds = zip(self._kinds, self._bounds, strict=True)
        kind = next((kind for kind, bound in bounds if place < bound), self._kinds[-1])
        return Mask(kind, self._makers[kind](rng, size))


MOST_OF_BLOCKS = 0.25  # blocks take at most this share of the picture (Pathak et al. 2016, section 3.3).

_BLOCKS = (2, 8)
_LONGEST_BLOCK = 3.0  # long side by short side
_TRIES = 40


def centre(rng: np.random.Generator, size: Size, *, share: float = 0.5) -> Hole:
    """A centred square (Pathak et al. 2016, section 3.3)."""
    del rng
    shorter = min(size)
    side = min(max(round(share * shorter), 1), max(shorter - 1, 1))
    hole = np.zeros(size, np.bool_)
    top, left = ((length - side) // 2 for length in size)
    hole[top : top + side, left : left + side] = True
    return hole


def blocks(rng: np.random.Generator, size: Size, *, least: float, most: float) -> Hole:
    """Rectangles anywhere, which may overlap: "random block" of Pathak et al. 2016, section 3.3."""
    band = band_of(size, least, min(most, MOST_OF_BLOCKS))
    target = band.draw(rng)
    number = int(rng.integers(_BLOCKS[0], _BLOCKS[1] + 1))
    hole = np.zeros(size, np.bool_)
    taken = 0
    for _ in range(_TRIES):
        area = target / number * rng.uniform(0.5, 1.75)
        elongation = _LONGEST_BLOCK ** rng.uniform(-0.5, 0.5)
        sides = (area**0.5 * elongation, area**0.5 / elongation)
        height, width = (min(max(round(side), 1), length) for side, length in zip(sides, size, strict=True))
        top = int(rng.integers(0, size[0] - height + 1))
        left = int(rng.integers(0, size[1] - width + 1))
        window = slice(top, top + height), slice(left, left + width)
        more = taken + int(np.count_nonzero(~hole[window]))
        if more > band.most:
            continue
        hole[window] = True
        taken = more
        if taken >= target:
            break
    return fitted(hole, band)


def pasted(rng: np.random.Generator, size: Size, *, masks: Sequence[Hole], least: float, most: float) -> Hole:
    """One of the given masks, turned by quarters and mirrored at random, at the picture's size (nearest neighbour)."""
    band = band_of(size, least, most)
    mask = np.rot90(masks[int(rng.integers(len(masks)))], int(rng.integers(4)))
    mask = mask[:, ::-1] if rng.random() < 0.5 else mask
    return fitted(at_size(mask, size), band)


def at_size(mask: Hole, size: Size) -> Hole:
    """A mask stretched to (height, width), by its nearest pixels."""
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, mask.shape, strict=True))
    return mask[rows[:, None], columns]


_VERTICES = (4, 12)
_WIDTHS = (12 / 256, 40 / 256)  # by the picture's shorter side
_USUAL_SHARE = 0.25  # holes that take less of the picture are painted with a finer brush
_FINEST = 0.35  # width of the finest brush by that of the usual one
_TURN = (4 * pi / 15, 8 * pi / 15)  # change of direction at a vertex, to either side
_STROKE_TRIES = 30


@dataclass(frozen=True)
class Stroke:
    """A line of straight pieces with round joints and ends; lengths are in pixels."""

    points: tuple[tuple[float, float], ...]  # x, y; each inside the picture
    width: float


def strokes(rng: np.random.Generator, size: Size, *, least: float, most: float) -> Hole:
    """Brush strokes in all directions until their area is reached.

    Numbers of vertices, widths (by a picture of 256 pixels) and lengths are those of the free-form masks of Yu et al.
    2019 (arXiv 1806.03589). Their angles are the changes of direction here, so that no direction is preferred.
    """
    band = band_of(size, least, most)
    target = band.draw(rng)
    fineness = min(max((target / (size[0] * size[1] * _USUAL_SHARE)) ** 0.5, _FINEST), 1.0)
    canvas, taken = Image.new("L", (size[1], size[0])), 0
    for _ in range(_STROKE_TRIES):
        candidate, stroke = canvas.copy(), draw_stroke(rng, size, fineness=fineness)
        draw = ImageDraw.Draw(candidate)
        points = [(x - 0.5, y - 0.5) for x, y in stroke.points]  # Pillow counts from the centre of the first pixel
        draw.line(points, fill=255, width=max(round(stroke.width), 1))
        radius = max(stroke.width - 1, 0) / 2
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        more = int(np.count_nonzero(np.asarray(candidate)))
        if more > band.most:
            fineness *= 0.7
            continue
        canvas, taken = candidate, more
        if taken >= target:
            break
    return fitted(np.asarray(canvas) > 0, band)


def draw_stroke(rng: np.random.Generator, size: Size, *, fineness: float = 1.0) -> Stroke:
    """A stroke that starts anywhere in any direction, and turns back at the picture's edges."""
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
