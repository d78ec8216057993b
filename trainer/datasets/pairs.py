"""A|B pictures: `DATA/<split>/*.jpg`, each with A as its left half and B as its right half; and which half is drawn.

What is drawn (labels, a map, edges) has areas of one level; what is photographed has noise and texture. The proportion
of neighbouring pixels with nearly the same grey level identified the drawn half of each of 905 pictures of facades,
maps, cityscapes, edges2shoes and a set with exchanged sides.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from gan_eval.base.errors import UserError
from gan_eval.pictures.agreement import halves_line, spread_neighbours
from gan_eval.pictures.checks import CHECKS
from gan_eval.pictures.decode import Picture, by_stem, list_pictures, names_a_picture, read_rgb, resize
from gan_eval.settings.choices import Direction
from trainer.datasets.dataset import MIN_SIDE, SPLITS, DataSet, Role, Size, try_pictures

Side = Literal["A", "B"]

SAME_LEVEL = 2  # grey levels by which neighbours in a drawn area may differ, because of JPEG
MARGIN = 0.01  # smaller differences of the proportions do not decide
MIN_CLEAR = 3  # minimum number of pictures with a clear drawn side
MAJORITY = 0.75  # share of these pictures that must agree
SURELY = 0.1
"""Smallest clear difference between the two halves of a picture."""
NEARLY_ALL = 0.9
"""Smallest share of the pictures with a clear difference, if some are exchanged."""


class PairedSet(DataSet):
    """A|B pictures: an item is an input half and a target half."""

    pictures_per_item = 2
    pattern = "<split>/*.jpg"

    def __init__(self, folder: Path, direction: Direction = "AtoB") -> None:
        super().__init__(folder)
        self.direction = direction

    def by_split(self) -> dict[str, list[Path]]:
        return {split: list_pictures(self.folder / split) for split in list_splits(self.folder)}

    def has_split(self, split: str) -> bool:
        return (self.folder / split).is_dir()

    def paths(self, split: str, *, limit: int | None = None) -> list[Path]:
        self.require_folder()
        data = self.folder
        if not self.has_split(split):
            splits = ", ".join(sorted(folder.name for folder in data.iterdir() if folder.is_dir())) or "none"
            raise UserError(f"{data}: no split {split!r} (a folder of pictures); there are: {splits}")
        return list_pictures(data / split)[:limit]

    def names(self, paths: list[Path], split: str) -> dict[str, Path]:
        return by_stem(paths)

    def sides(self, path: Path) -> tuple[Picture, Picture]:
        """Return A and B of an item."""
        whole = read_rgb(path)
        height, width = whole.shape[:2]
        self.require_shape(path, width, height)
        return whole[:, : width // 2], whole[:, width // 2 :]

    def read(self, path: Path, size: Size = "native") -> tuple[Picture, ...]:
        """Return input and target; halves of any shape become squares, as in the reference implementation."""
        a, b = self.sides(path)
        halves = (a, b) if self.direction == "AtoB" else (b, a)
        return halves if size == "native" else tuple(resize(half, (size, size)) for half in halves)

    @staticmethod
    def require_shape(path: Path, width: int, height: int) -> None:
        if width % 2:
            raise UserError(f"{path}: the width {width} is odd, so A and B cannot be halves; make it even or remove it")
        if min(height, width // 2) < MIN_SIDE:
            raise UserError(f"{path}: halves of {width // 2}x{height} pixels are too small; remove it")

    def remarks(self, paths: list[Path], *, is_trained: bool = False) -> list[str]:
        halves = self._looked_at(paths)
        flat_a, flat_b = [flatness(a) for a, _ in halves], [flatness(b) for _, b in halves]
        lines = [*doubtful_halves([a.shape[1::-1] for a, _ in halves], flat_a, flat_b)]
        lines = lines or list(filter(None, [halves_line(halves)]))
        drawn = drawn_side(flat_a, flat_b)
        if is_trained or drawn is None or direction_from(drawn) == self.direction:
            return lines
        return [
            *lines,
            f"{drawn} looks drawn, so {self.direction} makes drawings from photographs; the other way is the "
            f"direction {direction_from(drawn)}; gan-eval data preview shows it",
        ]

    def drawn_role(self, paths: list[Path]) -> Role | None:
        halves = self._looked_at(paths)
        drawn = drawn_side([flatness(a) for a, _ in halves], [flatness(b) for _, b in halves])
        return drawn and ("input" if direction_from(drawn) == self.direction else "target")

    def _looked_at(self, paths: list[Path]) -> list[tuple[Picture, Picture]]:
        """Return A and B of some items, without those that cannot be read."""
        results = try_pictures(spread_neighbours(paths), self.sides)
        return [result for result in results if not isinstance(result, UserError)]


def list_splits(data: Path) -> list[str]:
    """Return the folders in `data` that contain pictures, the usual ones first."""
    PairedSet(data).require_folder()
    folders = [folder for folder in Path(data).iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    splits = [
        folder.name
        for folder in folders
        if any(names_a_picture(path) and not path.is_dir() for path in folder.iterdir())
    ]
    return sorted(splits, key=lambda name: (SPLITS.index(name) if name in SPLITS else len(SPLITS), name))


def flatness(half: Picture) -> float:
    """Return the share of horizontal neighbours whose grey levels differ by at most two, 0..1."""
    grey = half.sum(axis=2, dtype=np.int16) // 3
    return float((np.abs(np.diff(grey, axis=1)) <= SAME_LEVEL).mean())


def drawn_side(flat_a: Sequence[float], flat_b: Sequence[float]) -> Side | None:
    """Return the half that is drawn in most pictures of a set; None if unclear."""
    apart = [a - b for a, b in zip(flat_a, flat_b, strict=True) if abs(a - b) > MARGIN]
    for_a = sum(difference > 0 for difference in apart)
    if len(apart) < MIN_CLEAR:
        return None
    if for_a >= MAJORITY * len(apart):
        return "A"
    return "B" if for_a <= (1 - MAJORITY) * len(apart) else None


def doubtful_halves(
    sizes: Sequence[tuple[int, ...]], flat_a: Sequence[float], flat_b: Sequence[float]
) -> Iterator[str]:
    """Yield lines on pictures that may be no A|B pictures, or not all in one order.

    Args:
        sizes: width and height of each half.
    """
    check = CHECKS["tall_halves"]
    tall = [(width, height) for width, height in sizes if height >= check.threshold * width]
    if len(tall) > MAJORITY * len(sizes):
        yield check.line(count=len(tall), n=len(sizes), size=f"{tall[0][0]}x{tall[0][1]}")
    apart = [a - b for a, b in zip(flat_a, flat_b, strict=True) if abs(a - b) > SURELY]
    for_a, check = sum(difference > 0 for difference in apart), CHECKS["exchanged_halves"]
    if len(apart) >= NEARLY_ALL * len(flat_a) and min(for_a, len(apart) - for_a) >= check.threshold:
        yield check.line(n=len(flat_a), a=for_a, b=len(apart) - for_a)


def direction_from(drawn: Side) -> Direction:
    """Return the direction from the drawn to the photographed half."""
    return "AtoB" if drawn == "A" else "BtoA"
