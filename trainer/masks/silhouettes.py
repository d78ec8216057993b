"""Holes in the form of silhouettes, given or made; and silhouettes and masks from picture files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, cos, pi, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_bytes, sha256_json
from gan_eval.stimuli.holes import Hole, hole_of, mask_of
from gan_eval.stimuli.pictures import list_pictures, read_rgb
from trainer.masks.area import Size, band_of, fitted

Outline = NDArray[np.float64]  # (N, 2): the corners x, y of a closed polygon, at any scale

MADE_SIDE = 192  # longer side of a made silhouette in pixels

_CORNERS = 72
_TRIES = 5
_ADJUSTMENTS = 3  # changes of scale at a place before another place is tried
_SMALL = 48  # longer side of the picture on which a scale is looked for
_ENLARGED = 1.6


@dataclass(frozen=True)
class Pose:
    """Position and angle of a silhouette in a picture."""

    x: float
    y: float  # its middle, in pixels from the picture's upper left corner
    angle: float  # angle in radians, clockwise
    mirrored: bool


def region(rng: np.random.Generator, size: Size, *, shapes: Sequence[Hole], least: float, most: float) -> Hole:
    """A silhouette at any angle, mirrored half of the time ("random region" of Pathak et al. 2016, section 3.3).

    Its middle is in the picture, most often towards the picture's own, so it may hang over the edge.
    """
    band = band_of(size, least, most)
    hole = np.zeros(size, np.bool_)
    for _ in range(_TRIES):
        shape = shapes[int(rng.integers(len(shapes)))] if shapes else made_shape(rng)
        height, width = size  # a place anywhere in the picture, more often towards its middle
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
    """The scale at which about `target` pixels of a silhouette are in the picture, found on a small one.

    What hangs over the edge is made up for by enlarging the rest, but no further than `_ENLARGED`.
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
    """Return the factor of the scale, if area went with its square; at most 2."""
    return (target / max(pixels, target / 4)) ** 0.5


def _placed(shape: Hole, size: Size, pose: Pose, scale: float) -> Hole:
    """The silhouette in an empty picture of `size`, at `scale` pixels of the picture by pixel of the silhouette."""
    rows, columns = np.flatnonzero(shape.any(axis=1)), np.flatnonzero(shape.any(axis=0))
    middle_x, middle_y = shape.shape[1] / 2, shape.shape[0] / 2  # of the whole array where nothing is True
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
    """A silhouette: a blob, a polygon, a body with limbs, or a bent blob; stretched up to twice its width.

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
    """A circle with harmonics 2 to 7, the higher the weaker."""
    orders = np.arange(2, 8)
    return _polar(_harmonics(rng, orders, rng.normal(0, 0.55, len(orders)) / orders))


def _polygon(rng: np.random.Generator) -> Outline:
    """Three to nine corners around a middle."""
    corners = int(rng.integers(3, 10))
    angles = 2 * pi / corners * (np.arange(corners) + rng.uniform(-0.35, 0.35, corners))
    return rng.uniform(0.45, 1, (corners, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _limbs(rng: np.random.Generator) -> Outline:
    """A body with three to six limbs of unequal lengths."""
    limbs = int(rng.integers(3, 7))
    lengths = _harmonics(rng, np.array([limbs, limbs - 1, limbs + 1]), rng.uniform([0.5, 0.1, 0.1], [0.9, 0.4, 0.4]))
    return _polar(lengths)


def _bent(rng: np.random.Generator) -> Outline:
    """A long blob, curved."""
    outline = _blob(rng) * (1, 0.45)
    outline[:, 1] += rng.uniform(0.4, 1) * outline[:, 0] ** 2
    return outline


_FAMILIES: tuple[Callable[[np.random.Generator], Outline], ...] = (_blob, _polygon, _limbs, _bent)

_ANGLES = 2 * pi * np.arange(_CORNERS) / _CORNERS


def _harmonics(rng: np.random.Generator, orders: NDArray[np.int_], strengths: NDArray[np.float64]) -> Outline:
    """Radii (_CORNERS,), all of them positive."""
    phases = rng.uniform(0, 2 * pi, len(orders))
    waves: NDArray[np.float64] = np.cos(orders[:, None] * _ANGLES + phases[:, None])
    return np.asarray(np.exp(strengths @ waves))


def _polar(radii: NDArray[np.float64]) -> Outline:
    return radii[:, None] * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


LONGEST = 256  # longer side in pixels to which silhouettes are reduced

FEWEST = 2  # pixels of the smallest silhouette


def read_holes(folder: Path, *, least: float = 0.0, most: float = 1.0, longest: int = LONGEST) -> dict[str, Hole]:
    """Read the silhouettes or masks of a folder by file name, in natural order: (H, W), True where it is white.

    Args:
        least, most: share of its picture that a hole may take.
        longest: pictures with a longer side are reduced to it (mean over each new pixel, then the nearer of black and
            white).
    """
    holes: dict[str, Hole] = {}
    for path in list_pictures(folder):
        hole = hole_of(read_rgb(path))
        pixels = int(np.count_nonzero(hole))
        white = pixels / hole.size
        if pixels < FEWEST:
            problem = "no white in it" if not pixels else "a single white pixel"
            raise UserError(f"{path}: {problem}; a mask is white where the hole is, and black elsewhere")
        if pixels == hole.size:
            raise UserError(f"{path}: all of it is white; a mask is white where the hole is, and black elsewhere")
        if not least <= white <= most:
            raise UserError(
                f"{path}: its white takes {white:.3g} of the picture, which is not between least_area {least:g} and "
                f"most_area {most:g}; change these or remove the mask"
            )
        height, width = hole.shape
        if max(height, width) > longest:
            factor = longest / max(height, width)
            size = max(round(width * factor), 1), max(round(height * factor), 1)
            hole = np.asarray(Image.fromarray(mask_of(hole)).resize(size, Image.Resampling.BOX)) > 127
            if not 0 < np.count_nonzero(hole) < hole.size:
                raise UserError(f"{path}: nothing of its form is left at {size[0]}x{size[1]} pixels; draw it larger")
        holes[path.name] = hole
    return holes


def hash_holes(holes: Mapping[str, Hole]) -> str:
    """SHA-256 over the names, sizes and contents of holes, in order."""
    return sha256_json([[name, *hole.shape, sha256_bytes(np.packbits(hole).tobytes())] for name, hole in holes.items()])
