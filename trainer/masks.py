"""Holes for inpainting: pure functions of a NumPy generator and a size (height, width) that give a bool array.

| kind | hole |
| --- | --- |
| centre | a centred square |
| blocks | rectangles that may overlap, a quarter of the picture at most |
| region | a silhouette |
| folder | the user's own masks |

A maker changes nothing but the generator's state. A new kind is a name at the end of
`gan_eval.settings.training.MaskKind`, a maker here, and a line in `Masks.__init__`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from math import ceil, cos, pi, sin
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gan_eval.base.digests import sha256_bytes, sha256_json
from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import list_pictures, read_rgb
from gan_eval.pictures.holes import Hole, hole_of, mask_of
from gan_eval.settings.training import InpaintingSettings, MaskKind

Size = tuple[int, int]  # (height, width) in pixels


@dataclass(frozen=True)
class Band:
    """Range of the number of pixels of a hole; at least one pixel, and never the whole picture."""

    least: int
    most: int

    def __contains__(self, pixels: int) -> bool:
        return self.least <= pixels <= self.most

    def draw(self, rng: np.random.Generator) -> int:
        """Draw a number of pixels from the band, uniformly."""
        return int(rng.integers(self.least, self.most + 1))


def band_of(size: Size, least: float, most: float) -> Band:
    """Return the band of pixels for the proportions of the picture from `least` to `most`, both included."""
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
    """Return the hole, grown or shrunk until its number of pixels is in the band.

    It grows and shrinks evenly on all sides, by layers of one pixel; the last layer changes only as far as needed. An
    empty hole grows from the picture's centre.
    """
    count = int(np.count_nonzero(hole))
    if count < band.least:
        return _grown(hole, band.least)
    if count > band.most:
        return ~_grown(~hole, hole.size - band.most)
    return hole


def _grown(hole: Hole, pixels: int) -> Hole:
    """Return the hole with layers added until it has exactly `pixels` pixels (at most the whole picture)."""
    from scipy.ndimage import binary_dilation

    grown = hole.copy()
    if not grown.any():
        grown[grown.shape[0] // 2, grown.shape[1] // 2] = True
    while (missing := pixels - int(np.count_nonzero(grown))) > 0:
        dilated = binary_dilation(grown, np.ones((3, 3), np.bool_))  # with the eight neighbours of each pixel
        layer = np.flatnonzero(dilated & ~grown)
        grown.flat[layer[:missing]] = True
    return grown


Maker = Callable[[np.random.Generator, Size], Hole]


@dataclass(frozen=True)
class Mask:
    """A hole with its kind."""

    kind: MaskKind
    hole: Hole  # (H, W), True in the hole

    @property
    def area(self) -> float:
        """Area of the hole as a proportion of the picture, 0..1."""
        return int(np.count_nonzero(self.hole)) / self.hole.size


class Masks:
    """Masks of several kinds, with the frequencies of `[training.inpainting]`."""

    def __init__(
        self, settings: InpaintingSettings, *, shapes: Sequence[Hole] = (), folder: Sequence[Hole] = ()
    ) -> None:
        if "blocks" in settings.masks and settings.least_area > MAX_BLOCKS_AREA:
            raise UserError(
                f"inpainting.least_area: {settings.least_area:g} cannot be reached by holes of kind blocks, which take "
                f"at most {MAX_BLOCKS_AREA:g} of the picture; lower it or remove blocks"
            )
        least, most = settings.least_area, settings.most_area
        self._makers: dict[MaskKind, Maker] = {
            "centre": partial(centre, share=settings.centre),
            "blocks": partial(blocks, least=least, most=most),
            "region": partial(region, shapes=tuple(shapes), least=least, most=most),
            "folder": partial(pasted, masks=tuple(folder), least=least, most=most),
        }
        self._kinds: list[MaskKind] = [kind for kind in get_args(MaskKind) if kind in settings.masks]
        self._bounds = list(accumulate(settings.masks[kind] for kind in self._kinds))

    def __call__(self, rng: np.random.Generator, size: Size) -> Mask:
        """Return a mask for a picture of `size` = (height, width), drawn with `rng`.

        The area of every hole is between the minimum and the maximum; that of a centre depends only on its side in
        pixels.
        """
        drawn = rng.random() * self._bounds[-1]
        bounds = zip(self._kinds, self._bounds, strict=True)
        kind = next((kind for kind, bound in bounds if drawn < bound), self._kinds[-1])
        return Mask(kind, self._makers[kind](rng, size))


MAX_BLOCKS_AREA = 0.25  # blocks take at most this share of the picture (Pathak et al. 2016, section 3.3).

_BLOCKS = (2, 8)
_MAX_BLOCK_RATIO = 3.0  # long side by short side
_TRIES = 40


def centre(rng: np.random.Generator, size: Size, *, share: float = 0.5) -> Hole:
    """Return a centred square (Pathak et al. 2016, section 3.3)."""
    del rng
    shorter = min(size)
    side = min(max(round(share * shorter), 1), max(shorter - 1, 1))
    hole = np.zeros(size, np.bool_)
    top, left = ((length - side) // 2 for length in size)
    hole[top : top + side, left : left + side] = True
    return hole


def blocks(rng: np.random.Generator, size: Size, *, least: float, most: float) -> Hole:
    """Return rectangles at random places, which may overlap: "random block" of Pathak et al. 2016, section 3.3."""
    band = band_of(size, least, min(most, MAX_BLOCKS_AREA))
    target = band.draw(rng)
    number = int(rng.integers(_BLOCKS[0], _BLOCKS[1] + 1))
    hole = np.zeros(size, np.bool_)
    taken = 0
    for _ in range(_TRIES):
        area = target / number * rng.uniform(0.5, 1.75)
        elongation = _MAX_BLOCK_RATIO ** rng.uniform(-0.5, 0.5)
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
    """Return one of the given masks, rotated by quarters and mirrored at random, and resized by nearest neighbour."""
    band = band_of(size, least, most)
    mask = np.rot90(masks[int(rng.integers(len(masks)))], int(rng.integers(4)))
    mask = mask[:, ::-1] if rng.random() < 0.5 else mask
    return fitted(at_size(mask, size), band)


def at_size(mask: Hole, size: Size) -> Hole:
    """Return a mask resized to (height, width) by nearest neighbour."""
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, mask.shape, strict=True))
    return mask[rows[:, None], columns]


Outline = NDArray[np.float64]  # (N, 2): corners x, y of a closed polygon, at any scale

MADE_SIDE = 192  # longer side of a made silhouette in pixels

_CORNERS = 72
_POSES = 5
_ADJUSTMENTS = 3  # number of scales to try at a place before another place
_SMALL = 48  # longer side of the picture on which a scale is looked for
_ENLARGED = 1.6


@dataclass(frozen=True)
class Pose:
    """Position and angle of a silhouette in a picture."""

    x: float
    y: float  # middle in pixels from the picture's upper left corner
    angle: float  # angle in radians, clockwise
    mirrored: bool


def region(rng: np.random.Generator, size: Size, *, shapes: Sequence[Hole], least: float, most: float) -> Hole:
    """Return a silhouette at any angle, mirrored half of the time ("random region" of Pathak et al. 2016, section 3.3).

    Its middle is in the picture, more often near the picture's middle, so parts of it may be outside.
    """
    band = band_of(size, least, most)
    hole = np.zeros(size, np.bool_)
    for _ in range(_POSES):
        shape = shapes[int(rng.integers(len(shapes)))] if shapes else made_shape(rng)
        height, width = size  # a random place in the picture, more often near its middle
        x, y = rng.uniform(0, width / 2, 2).sum(), rng.uniform(0, height / 2, 2).sum()
        pose = Pose(float(x), float(y), rng.uniform(0, 2 * pi), rng.random() < 0.5)
        target = band.draw(rng)
        scale = scale_for(shape, size, pose, target)
        for _ in range(1 + _ADJUSTMENTS):
            hole = _placed(shape, size, pose, scale)
            pixels = int(np.count_nonzero(hole))
            if pixels in band:
                return hole
            scale *= _correction(target, pixels)
    return fitted(hole, band)


def scale_for(shape: Hole, size: Size, pose: Pose, target: int) -> float:
    """Return the scale at which about `target` pixels of a silhouette are in the picture, found on a small picture.

    The silhouette is enlarged to make up for parts outside the picture, at most by `_ENLARGED`.
    """
    inside = scale = (target / max(int(np.count_nonzero(shape)), 1)) ** 0.5
    factor = max(max(size) / _SMALL, 1.0)
    small = ceil(size[0] / factor), ceil(size[1] / factor)
    near = replace(pose, x=pose.x / factor, y=pose.y / factor)
    for _ in range(_ADJUSTMENTS):
        pixels = np.count_nonzero(_placed(shape, small, near, scale / factor)) * factor**2
        scale = min(scale * _correction(target, pixels), inside * _ENLARGED)
    return scale


def _correction(target: float, pixels: float) -> float:
    """Return the factor of the scale if area is proportional to its square; at most 2."""
    return (target / max(pixels, target / 4)) ** 0.5


def _placed(shape: Hole, size: Size, pose: Pose, scale: float) -> Hole:
    """Draw the silhouette in an empty picture of `size`, enlarged by the factor `scale`."""
    rows, columns = np.flatnonzero(shape.any(axis=1)), np.flatnonzero(shape.any(axis=0))
    middle_x, middle_y = shape.shape[1] / 2, shape.shape[0] / 2  # of the whole array if nothing is True
    if rows.size:
        middle_x, middle_y = (int(columns[0]) + int(columns[-1]) + 1) / 2, (int(rows[0]) + int(rows[-1]) + 1) / 2
    flip = -1 if pose.mirrored else 1
    right, down = cos(pose.angle) / scale, sin(pose.angle) / scale
    across = (flip * right, flip * down, middle_x - flip * (right * pose.x + down * pose.y))
    along = (-down, right, middle_y + down * pose.x - right * pose.y)
    picture = Image.fromarray(shape.view(np.uint8) * np.uint8(255))
    placed = picture.transform((size[1], size[0]), Image.Transform.AFFINE, (*across, *along), Image.Resampling.BILINEAR)
    return np.asarray(placed) > 127


def made_shape(rng: np.random.Generator) -> Hole:
    """Make a silhouette: a blob, a polygon, a body with limbs, or a bent blob; stretched up to twice its width.

    Returns:
        Its bounding box, True inside, `MADE_SIDE` pixels on the longer side.
    """
    outline = _FAMILIES[int(rng.integers(len(_FAMILIES)))](rng)
    outline = outline * (1, rng.uniform(0.5, 1))
    outline -= outline.min(axis=0)
    outline *= (MADE_SIDE - 1) / outline.max()
    width, height = (round(length) + 1 for length in outline.max(axis=0))
    canvas = Image.new("L", (width, height))
    ImageDraw.Draw(canvas).polygon(outline.ravel().tolist(), fill=255)
    return np.asarray(canvas) > 127


def _blob(rng: np.random.Generator) -> Outline:
    """Return a circle with harmonics 2 to 7, whose strength falls with their order."""
    orders = np.arange(2, 8)
    return _polar(_harmonics(rng, orders, rng.normal(0, 0.55, len(orders)) / orders))


def _polygon(rng: np.random.Generator) -> Outline:
    """Return a polygon of three to nine corners around a middle."""
    corners = int(rng.integers(3, 10))
    angles = 2 * pi / corners * (np.arange(corners) + rng.uniform(-0.35, 0.35, corners))
    return rng.uniform(0.45, 1, (corners, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _limbs(rng: np.random.Generator) -> Outline:
    """Return a body with three to six limbs of different lengths."""
    limbs = int(rng.integers(3, 7))
    lengths = _harmonics(rng, np.array([limbs, limbs - 1, limbs + 1]), rng.uniform([0.5, 0.1, 0.1], [0.9, 0.4, 0.4]))
    return _polar(lengths)


def _bent(rng: np.random.Generator) -> Outline:
    """Return a long, curved blob."""
    outline = _blob(rng) * (1, 0.45)
    outline[:, 1] += rng.uniform(0.4, 1) * outline[:, 0] ** 2
    return outline


_FAMILIES: tuple[Callable[[np.random.Generator], Outline], ...] = (_blob, _polygon, _limbs, _bent)

_ANGLES = 2 * pi * np.arange(_CORNERS) / _CORNERS


def _harmonics(rng: np.random.Generator, orders: NDArray[np.int_], strengths: NDArray[np.float64]) -> Outline:
    """Return radii (_CORNERS,), all positive."""
    phases = rng.uniform(0, 2 * pi, len(orders))
    waves: NDArray[np.float64] = np.cos(orders[:, None] * _ANGLES + phases[:, None])
    return np.asarray(np.exp(strengths @ waves))


def _polar(radii: NDArray[np.float64]) -> Outline:
    return radii[:, None] * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


MAX_SIDE = 256  # longer side in pixels to which silhouettes are reduced

MIN_PIXELS = 2  # minimum number of pixels of a silhouette


def read_holes(folder: Path, *, least: float = 0.0, most: float = 1.0, longest: int = MAX_SIDE) -> dict[str, Hole]:
    """Read the silhouettes or masks of a folder, by file name in natural order: (H, W), True where white.

    Args:
        least, most: share of its picture that a hole may take.
        longest: pictures with a longer side are reduced to it (mean over each new pixel, then the nearer of black and
            white).
    """
    holes: dict[str, Hole] = {}
    for path in list_pictures(folder):
        hole = hole_of(read_rgb(path))
        white = np.count_nonzero(hole) / hole.size
        if white and not least <= white <= most:
            raise UserError(
                f"{path}: its white takes {white:.3g} of the picture, which is not between least_area {least:g} and "
                f"most_area {most:g}; change these or remove the mask"
            )
        height, width = hole.shape
        if max(height, width) > longest:
            factor = longest / max(height, width)
            size = max(round(width * factor), 1), max(round(height * factor), 1)
            hole = np.asarray(Image.fromarray(mask_of(hole)).resize(size, Image.Resampling.BOX)) > 127
        pixels = int(np.count_nonzero(hole))
        if not MIN_PIXELS <= pixels < hole.size:
            text = f"{pixels} of {hole.shape[1]}x{hole.shape[0]} pixels are white"
            raise UserError(f"{path}: {text}; a mask is white where the hole is, and black elsewhere")
        holes[path.name] = hole
    return holes


def hash_holes(holes: Mapping[str, Hole]) -> str:
    """Return the SHA-256 of the names, sizes and contents of holes, in order."""
    return sha256_json([[name, *hole.shape, sha256_bytes(np.packbits(hole).tobytes())] for name, hole in holes.items()])
