"""Which square crops are taken from a photograph."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from gan_eval.errors import UserError
from gan_eval.files import sha256_bytes
from gan_eval.stimuli.pictures import Picture, decode_rgb, read_file, resize
from trainer.datasets.layout import SMALLEST_SIDE, require_halves
from trainer.datasets.sources import centre_square, require_size

Half = Literal["left", "right"]

SMALLEST_SHARE = 0.5
"""A random crop's side, as a share of the picture's shorter side, is drawn from here to 1."""


@dataclass(frozen=True)
class Cut:
    """Which crops are taken.

    Raises:
        UserError: a value is out of range.
    """

    size: int
    """Pixels a side of the crops."""
    half: Half | None = None
    """Of A|B pictures, the half that is the photograph."""
    per_picture: int = 1
    """1: the centre square; more: random squares too."""
    split: str | None = None
    """Where all crops go; None: `split_of` each photograph."""
    seed: int = 0
    """Of the random squares."""
    min_side: int = SMALLEST_SIDE
    """Photographs (or halves) of fewer pixels a side are left out."""

    def __post_init__(self) -> None:
        for name, least in (("size", SMALLEST_SIDE), ("per_picture", 1), ("seed", 0), ("min_side", 1)):
            if getattr(self, name) < least:
                raise UserError(f"--{name.replace('_', '-')} {getattr(self, name)}: wanted {least} or more")
        if self.split is not None and (self.split.startswith(".") or Path(self.split).name != self.split):
            raise UserError(f"--split {self.split}: wanted a folder's name, such as train")


def crops_of(picture: Picture, cut: Cut, key: str) -> list[Picture]:
    """The crops of one photograph, each (size, size, 3) uint8, the centre square first.

    The sides of the others are uniform between half of the shorter side and all of it, and so are their places. They
    follow from the seed and `key`; more crops leave the first ones as they are.
    """
    rng = np.random.default_rng([cut.seed, int(sha256_bytes(key.encode("utf-8", "surrogateescape")), 16)])
    height, width = picture.shape[:2]
    shorter = min(height, width)
    squares = [centre_square(picture)]
    for _ in range(cut.per_picture - 1):
        side = int(rng.integers(round(SMALLEST_SHARE * shorter), shorter, endpoint=True))
        top, left = (int(rng.integers(0, rest, endpoint=True)) for rest in (height - side, width - side))
        squares.append(picture[top : top + side, left : left + side])
    return [resize(square, (cut.size, cut.size)) for square in squares]


def read_part(path: Path, half: Half | None) -> Picture:
    """A photograph, or the half of an A|B picture that is one, (H, W, 3) uint8.

    Raises:
        UserError: the picture is broken or too small, or has no two halves where one is wanted.
    """
    picture = decode_rgb(read_file(path), path)
    height, width = picture.shape[:2]
    if half is None:
        require_size(path, width, height)
        return picture
    require_halves(path, width, height)
    return picture[:, : width // 2] if half == "left" else picture[:, width // 2 :]
