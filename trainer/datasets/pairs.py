"""A|B pictures: `DATA/<split>/*.jpg`, each with A as its left half and B as its right half; and which half is drawn.

What is drawn (labels, a map, edges) has areas of one level; what is photographed has noise and texture. The proportion
of neighbouring pixels with nearly the same grey level told the halves of each of 905 pictures of facades, maps,
cityscapes, edges2shoes and a set with exchanged sides.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import Picture, by_stem, list_pictures, names_a_picture, read_rgb, resize
from trainer.datasets.dataset import (
    LOOKED_AT,
    NAMED,
    SMALLEST_SIDE,
    SPLITS,
    DataSet,
    Size,
    evenly_spread,
    try_pictures,
)

Side = Literal["A", "B"]

SAME_LEVEL = 2
"""Grey levels by which neighbours of a drawn area may differ: JPEG moves them a little."""
MARGIN = 0.01
"""A difference of the proportions below this says nothing."""
FEWEST = 3
"""Pictures that must tell their sides before the set's are named."""
MAJORITY = 0.75
"""Of the pictures that tell, so many must agree."""


class PairedSet(DataSet):
    """A|B pictures: an item is the half that is the input, and the half that is the target."""

    pictures_per_item = 2
    layout = "the A|B layout"
    pattern = "<split>/*.jpg"

    def __init__(self, folder: Path, direction: Direction = "AtoB") -> None:
        super().__init__(folder)
        self.direction = direction

    def by_split(self) -> dict[str, list[Path]]:
        return {split: list_pictures(self.folder / split) for split in list_splits(self.folder)}

    def has_split(self, split: str) -> bool:
        return (self.folder / split).is_dir()

    def paths(self, split: str, *, limit: int | None = None) -> list[Path]:
        data = self.folder
        self.require_folder()
        if not self.has_split(split):
            if any(names_a_picture(path) for path in data.iterdir()):
                raise UserError(f"{data}: pictures lie directly in it; give the folder above, {data.resolve().parent}")
            splits = ", ".join(sorted(folder.name for folder in data.iterdir() if folder.is_dir())) or "none"
            raise UserError(f"{data}: no split {split!r} (a folder of pictures); there are: {splits}")
        return list_pictures(data / split)[:limit]

    def names(self, paths: list[Path], split: str) -> dict[str, Path]:
        return by_stem(paths)

    def read(self, path: Path, size: Size = "native") -> tuple[Picture, ...]:
        """Input and target; halves of any shape become squares, as in the reference implementation."""
        a, b = read_halves(path)
        halves = (a, b) if self.direction == "AtoB" else (b, a)
        return halves if size == "native" else tuple(resize(half, (size, size)) for half in halves)

    @staticmethod
    def require_shape(path: Path, width: int, height: int) -> None:
        if width % 2:
            raise UserError(f"{path}: the width {width} is odd, so A and B cannot be halves; make it even or remove it")
        if min(height, width // 2) < SMALLEST_SIDE:
            raise UserError(f"{path}: halves of {width // 2}x{height} pixels are too small; remove it")

    def remarks(self, paths: list[Path], *, train_split: str) -> list[str]:
        """A doubtful direction or shape, and names that generation will refuse."""
        examined = evenly_spread(paths, LOOKED_AT)
        results = zip(examined, try_pictures(examined, read_halves), strict=True)
        halves = {path: result for path, result in results if not isinstance(result, UserError)}
        doubt = narrow_halves({path: (2 * a.shape[1], a.shape[0]) for path, (a, _) in halves.items()})
        if doubt is None:  # else their halves are of one photograph each
            drawn = drawn_side([flatness(a) for a, _ in halves.values()], [flatness(b) for _, b in halves.values()])
            doubt = doubtful_direction(drawn, self.direction)
            doubt = doubt and f"{doubt}; gan-eval data preview shows it"
        others = [split for split in list_splits(self.folder) if split != train_split]
        clashes = [shared_stems(list_pictures(self.folder / split)) for split in others]
        return [message for message in (doubt, *clashes) if message is not None]


def list_splits(data: Path) -> list[str]:
    """The folders in `data` that hold pictures, the usual ones first.

    Raises:
        UserError: no such folder.
    """
    PairedSet(data).require_folder()
    names = [folder.name for folder in Path(data).iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    splits = [name for name in names if any(names_a_picture(path) for path in (Path(data) / name).iterdir())]
    return sorted(splits, key=lambda name: (SPLITS.index(name) if name in SPLITS else len(SPLITS), name))


def read_halves(path: Path) -> tuple[Picture, Picture]:
    """A and B of one picture, each (H, W, 3) uint8.

    Raises:
        UserError: the picture is broken, or its width is odd, or its halves are too small.
    """
    picture = read_rgb(path)
    height, width = picture.shape[:2]
    PairedSet.require_shape(path, width, height)
    return picture[:, : width // 2], picture[:, width // 2 :]


def shared_stems(paths: list[Path]) -> str | None:
    """The message where pictures of one split differ only in their suffix; None where none do."""
    names: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        names[path.stem].append(path.name)
    groups = [" and ".join(group) for group in names.values() if len(group) > 1]
    if not groups:
        return None
    listed = ", ".join([*groups[:NAMED], *([f"{len(groups) - NAMED} more"] if len(groups) > NAMED else [])])
    return f"{paths[0].parent.name}: the same stem, by which pictures are paired: {listed}; rename one of each"


def narrow_halves(sizes: dict[Path, tuple[int, int]]) -> str | None:
    """The message where pictures, given with (width, height), are no wider than high: hardly two halves each."""
    narrow = {path: size for path, size in sizes.items() if size[0] <= size[1]}
    if not narrow:
        return None
    path, (width, height) = next(iter(narrow.items()))
    return (
        f"{len(narrow)} of {len(sizes)} pictures are no wider than high, such as {path.parent.name}/{path.name} of "
        f"{width}x{height}: each half would be {width // 2}x{height}; are these single photographs? "
        "gan-eval data check --photographs looks at such, gan-eval data pair makes pairs of them"
    )


def flatness(half: Picture) -> float:
    """The proportion of horizontally neighbouring pixels whose grey levels differ by at most two, 0..1.

    >>> flatness(np.zeros((4, 4, 3), np.uint8))
    1.0
    """
    grey = half.sum(axis=2, dtype=np.int16) // 3
    return float((np.abs(np.diff(grey, axis=1)) <= SAME_LEVEL).mean())


def drawn_side(flat_a: Sequence[float], flat_b: Sequence[float]) -> Side | None:
    """The half that is drawn in most pictures of a set; None where the pictures do not tell.

    >>> drawn_side([0.4, 0.5, 0.4], [0.8, 0.9, 0.7])
    'B'
    """
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
    """The message where a direction makes drawings from photographs; None where it does not, or nobody can tell.

    >>> doubtful_direction("B", "AtoB")
    'B looks drawn, and AtoB makes drawings from photographs; --direction BtoA turns it round'
    """
    if drawn is None or direction_from(drawn) == direction:
        return None
    turned = direction_from(drawn)
    return f"{drawn} looks drawn, and {direction} makes drawings from photographs; --direction {turned} turns it round"
