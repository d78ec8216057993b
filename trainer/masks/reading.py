"""Silhouettes and masks from picture files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes, sha256_json
from gan_eval.stimuli.holes import Hole, hole_of, mask_of
from gan_eval.stimuli.pictures import list_pictures, read_rgb

LONGEST = 256
"""Longer side in pixels to which silhouettes are reduced."""

FEWEST = 2
"""Pixels of the smallest silhouette."""


def read_holes(folder: Path, *, least: float = 0.0, most: float = 1.0, longest: int = LONGEST) -> dict[str, Hole]:
    """The silhouettes or masks of a folder by file name, in natural order: white is hole, black is not.

    Args:
        folder: holds pictures of any kind that `gan_eval.stimuli.pictures.read_rgb` decodes.
        least, most: share of its picture that a hole may take.
        longest: pictures with a longer side are reduced to it (mean over each new pixel, then the nearer of black and
            white).

    Returns:
        Arrays (H, W), True where the grey level is above 127.

    Raises:
        UserError: no such folder, no pictures in it, or one that cannot be read, is all black or all white, or whose
            white is outside of `least` .. `most`.
    """
    return {path.name: _reduced(_read(path, least, most), path, longest) for path in list_pictures(folder)}


def hash_holes(holes: Mapping[str, Hole]) -> str:
    """SHA-256 over the names, sizes and contents of holes, in order."""
    return sha256_json([[name, *hole.shape, sha256_bytes(np.packbits(hole).tobytes())] for name, hole in holes.items()])


def _read(path: Path, least: float, most: float) -> Hole:
    hole = hole_of(read_rgb(path))
    pixels = int(np.count_nonzero(hole))
    if pixels < FEWEST:
        found = "no white in it" if not pixels else "a single white pixel"
        raise UserError(f"{path}: {found}; a mask is white where the hole is, and black elsewhere")
    if pixels == hole.size:
        raise UserError(f"{path}: all of it is white; a mask is white where the hole is, and black elsewhere")
    if not least <= pixels / hole.size <= most:
        raise UserError(
            f"{path}: its white takes {pixels / hole.size:.3g} of the picture, which is not between least_area "
            f"{least:g} and most_area {most:g}; change these or remove the mask"
        )
    return hole


def _reduced(hole: Hole, path: Path, longest: int) -> Hole:
    height, width = hole.shape
    if max(height, width) <= longest:
        return hole
    factor = longest / max(height, width)
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    reduced = np.asarray(Image.fromarray(mask_of(hole)).resize(size, Image.Resampling.BOX)) > 127
    if not 0 < np.count_nonzero(reduced) < reduced.size:
        raise UserError(f"{path}: nothing of its form is left at {size[0]}x{size[1]} pixels; draw it larger")
    return reduced
