"""A|B pictures: `DATA/<split>/*.jpg`, each with A as its left half and B as its right half; and which half is drawn.

Or A and B in files of their own, of any channels and depth: `DATA/A/<split>/*` and `DATA/B/<split>/*` of one stem.

What is drawn (labels, a map, edges) has areas of one level; what is photographed has noise and texture. The proportion
of neighbouring pixels with nearly the same grey level identified the drawn half of each of 905 pictures of facades,
maps, cityscapes, edges2shoes and a set with exchanged sides.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import (
    Picture,
    as_shown,
    by_stem,
    common_format,
    contents_of,
    list_pictures,
    names_a_picture,
    range_from,
    read_as,
    resize,
    sides_of,
)
from gan_eval.stimuli.pixel_formats import RGB8, PixelFormat, Samples
from trainer.datasets.dataset import LOOKED_AT, SMALLEST_SIDE, SPLITS, DataSet, Size, evenly_spread, try_pictures

Side = Literal["A", "B"]
Formats = tuple[PixelFormat, PixelFormat]  # values of input and target

SAME_LEVEL = 2  # grey levels by which neighbours of a drawn area may differ: JPEG moves them a little
MARGIN = 0.01  # A difference of the proportions below this says nothing
FEWEST = 3  # minimum number of pictures with a clear drawn side
MAJORITY = 0.75  # share of these pictures that must agree


class PairedSet(DataSet):
    """A|B pictures: an item is the half that is the input, and the half that is the target.

    Where A and B have folders of their own, an item goes by its file of A.
    """

    pictures_per_item = 2
    pattern = "<split>/*.jpg"

    def __init__(self, folder: Path, direction: Direction = "AtoB", formats: Formats = (RGB8, RGB8)) -> None:
        super().__init__(folder)
        self.direction = direction
        self.formats = formats
        self._sides = sides_of(self.folder)
        self._partners: dict[Path, dict[str, Path]] = {}

    @property
    def root(self) -> Path:
        """The folder of the splits' folders: the data set's own, or its A."""
        return self._sides[0] if self._sides else self.folder

    def by_split(self) -> dict[str, list[Path]]:
        return {split: list_pictures(self.root / split) for split in list_splits(self.folder)}

    def has_split(self, split: str) -> bool:
        return (self.root / split).is_dir()

    def paths(self, split: str, *, limit: int | None = None) -> list[Path]:
        self.require_folder()
        data = self.root
        if not self.has_split(split):
            splits = ", ".join(sorted(folder.name for folder in data.iterdir() if folder.is_dir())) or "none"
            raise UserError(f"{data}: no split {split!r} (a folder of pictures); there are: {splits}")
        return list_pictures(data / split)[:limit]

    def names(self, paths: list[Path], split: str) -> dict[str, Path]:
        return by_stem(paths)

    def files(self, paths: list[Path]) -> list[Path]:
        return [*paths, *map(self.partner, paths)] if self._sides else paths

    def partner(self, path: Path) -> Path:
        """The file of B of an item's file of A; the file itself where both are halves of it."""
        if self._sides is None:
            return path
        folder = self._sides[1] / path.parent.relative_to(self._sides[0])
        if folder not in self._partners:
            self._partners[folder] = by_stem(list_pictures(folder))
        if path.stem not in self._partners[folder]:
            raise UserError(f"{path}: no picture with this stem in {folder}; add it, or remove this one")
        return self._partners[folder][path.stem]

    def sides(self, path: Path) -> tuple[Samples, Samples]:
        """Return A and B of an item with all stored samples."""
        of_a, of_b = self.formats if self.direction == "AtoB" else self.formats[::-1]
        a = read_as(path, of_a)
        height, width = a.shape[:2]
        if self._sides is None:
            self.require_shape(path, width, height)
            whole = a if (of_a.channels, of_a.bits) == (of_b.channels, of_b.bits) else read_as(path, of_b)
            return a[:, : width // 2], whole[:, width // 2 :]
        partner = self.partner(path)
        b = read_as(partner, of_b)
        if b.shape[:2] != (height, width):
            other = f"{b.shape[1]}x{b.shape[0]} in {partner}"
            raise UserError(f"{path}: {width}x{height} pixels, but {other}; make them equal")
        self.require_shape(path, 2 * width, height)
        return a, b

    def shown_sides(self, path: Path) -> tuple[Picture, Picture]:
        """A and B of an item as a screen shows them, each (H, W, 3) uint8."""
        of_a, of_b = self.formats if self.direction == "AtoB" else self.formats[::-1]
        a, b = self.sides(path)
        return as_shown(a, of_a), as_shown(b, of_b)

    def read(self, path: Path, size: Size = "native") -> tuple[Samples, ...]:
        """Input and target; halves of any shape become squares, as in the reference implementation."""
        a, b = self.sides(path)
        halves = (a, b) if self.direction == "AtoB" else (b, a)
        return halves if size == "native" else tuple(resize(half, (size, size)) for half in halves)

    def found_formats(self, paths: list[Path]) -> Formats:
        """The formats of input and target that the files hold; pictures that cannot be read are passed over.

        What is not 8-bit grey or RGB is shown from the least to the largest sample of these pictures: one mapping for
        all of them, and for all that a generator makes of others.
        """
        found = [self._found_format(paths, "A")]
        one_file = self._sides is None and found[0].is_plain
        found.append(found[0] if one_file else self._found_format(paths, "B"))
        return (found[0], found[1]) if self.direction == "AtoB" else (found[1], found[0])

    def _found_format(self, paths: list[Path], side: Side) -> PixelFormat:
        files = paths if side == "A" else [self.partner(path) for path in paths]
        contents = dict(zip(files, try_pictures(files, contents_of), strict=True))
        found = common_format({path: held for path, held in contents.items() if not isinstance(held, UserError)})
        if found.is_plain:
            return found

        def extremes(path: Path) -> tuple[int, int]:
            samples = read_as(path, found)
            if self._sides is None:
                middle = samples.shape[1] // 2
                samples = samples[:, :middle] if side == "A" else samples[:, middle:]
            return int(samples.min()), int(samples.max())

        tried = try_pictures(files, extremes) if found.bits == 16 else []
        pairs = [pair for pair in tried if not isinstance(pair, UserError)]
        display = range_from(pairs, found)
        return replace(found, limits=(display.low, display.high) if found.bits == 16 else None, display=display)

    @staticmethod
    def require_shape(path: Path, width: int, height: int) -> None:
        if width % 2:
            raise UserError(f"{path}: the width {width} is odd, so A and B cannot be halves; make it even or remove it")
        if min(height, width // 2) < SMALLEST_SIDE:
            raise UserError(f"{path}: halves of {width // 2}x{height} pixels are too small; remove it")

    def remarks(self, paths: list[Path]) -> list[str]:
        """A doubtful direction."""
        if not all(side.is_plain for side in self.formats):  # neither is drawn
            return []
        results = try_pictures(evenly_spread(paths, LOOKED_AT), self.shown_sides)
        halves = [result for result in results if not isinstance(result, UserError)]
        drawn = drawn_side([flatness(a) for a, _ in halves], [flatness(b) for _, b in halves])
        doubt = doubtful_direction(drawn, self.direction)
        return [f"{doubt}; gan-eval data preview shows it"] if doubt else []


def list_splits(data: Path) -> list[str]:
    """The folders in `data` that hold pictures, the usual ones first."""
    data_set = PairedSet(data)
    data_set.require_folder()
    names = [folder.name for folder in data_set.root.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    splits = [name for name in names if any(names_a_picture(path) for path in (data_set.root / name).iterdir())]
    return sorted(splits, key=lambda name: (SPLITS.index(name) if name in SPLITS else len(SPLITS), name))


def flatness(half: Picture) -> float:
    """The proportion of horizontally neighbouring pixels whose grey levels differ by at most two, 0..1."""
    grey = half.sum(axis=2, dtype=np.int16) // 3
    return float((np.abs(np.diff(grey, axis=1)) <= SAME_LEVEL).mean())


def drawn_side(flat_a: Sequence[float], flat_b: Sequence[float]) -> Side | None:
    """Return the half that is drawn in most pictures of a set; None where that is not clear."""
    apart = [a - b for a, b in zip(flat_a, flat_b, strict=True) if abs(a - b) > MARGIN]
    for_a = sum(difference > 0 for difference in apart)
    if len(apart) < FEWEST:
        return None
    if for_a >= MAJORITY * len(apart):
        return "A"
    return "B" if for_a <= (1 - MAJORITY) * len(apart) else None


def direction_from(drawn: Side) -> Direction:
    """The direction from what is drawn to what is photographed."""
    return "AtoB" if drawn == "A" else "BtoA"


def doubtful_direction(drawn: Side | None, direction: Direction) -> str | None:
    """Return the message where a direction makes drawings from photographs, else None."""
    if drawn is None or direction_from(drawn) == direction:
        return None
    turned = direction_from(drawn)
    return f"{drawn} looks drawn, and {direction} makes drawings from photographs; --direction {turned} turns it round"
