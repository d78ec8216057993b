"""Square crops of photographs as PNG, in DIR/{train,val,test}: all crops of one photograph in one split."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER, remove_leftovers, write_json
from gan_eval.files.digests import sha256_bytes
from gan_eval.files.locks import hold_folder
from gan_eval.files.output_folders import check_output_folder
from gan_eval.files.reading import read_record
from gan_eval.stimuli.pictures import Picture, read_rgb, resize, write_png
from trainer.datasets.dataset import SMALLEST_SIDE, SPLITS, OnProgress, try_pictures
from trainer.datasets.pairs import read_halves
from trainer.datasets.photographs import (
    PhotographSet,
    centre_square,
    first_of_each_name,
    joined,
    pairs_remark,
    split_of,
    walk,
)

Half = Literal["left", "right"]

SMALLEST_SHARE = 0.5
"""A random crop's side, as a share of the picture's shorter side, is drawn from here to 1."""


@dataclass(frozen=True)
class Cut:
    """The choice of crops.

    Raises:
        UserError: a value is out of range.
    """

    size: int
    """Pixels a side of the crops."""
    half: Half | None = None
    """For A|B pictures: the half that is the photograph."""
    per_picture: int = 1
    """1: the centre square; more: random squares too."""
    split: str | None = None
    """Split of all crops; None: `split_of` each photograph."""
    seed: int = 0
    """Random seed for the crops."""
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


RECORD = "crops.json"
"""File that records how each source was cropped."""
CROPPED_AT_ONCE = 64
"""Photographs whose crops are held in memory together."""


@dataclass(frozen=True)
class Crops:
    """The result of `make_crops`."""

    splits: dict[str, int]
    """Crops in each split, those of these sources alone."""
    photographs: int
    """Number of photographs."""
    already_there: int
    """Number of photographs whose crops existed already."""
    too_small: int
    """Photographs left out by `min_side`."""
    broken: dict[Path, str]
    """The reason for each picture that cannot be used."""
    remarks: tuple[str, ...]
    """Messages for the user, a line each."""

    def lines(self) -> list[str]:
        """For people: every picture that was left out, then the counts."""
        counts = ", ".join(f"{split} {count}" for split, count in self.splits.items())
        there = f"; {self.already_there} photographs were done already" if self.already_there else ""
        small = (
            [f"{self.too_small} photographs left out: fewer than --min-side pixels a side"] if self.too_small else []
        )
        broken = [f"{len(self.broken)} pictures left out, which cannot be used"] if self.broken else []
        total = f"{counts} crops of {self.photographs} photographs{there}"
        return [*self.remarks, *self.broken.values(), *broken, *small, total]


@dataclass(frozen=True)
class Photograph:
    """One photograph to be cropped."""

    path: Path
    key: str
    """Its source's name and its path below the source: what the random squares follow from."""
    split: str
    targets: tuple[Path, ...]


def make_crops(sources: list[Path], out: Path, cut: Cut, *, on_progress: OnProgress | None = None) -> Crops:
    """Write crops of every picture below the sources as `out/<split>/SOURCE-FOLDER-NAME-NUMBER.png`.

    A photograph below a source's folder train, val or test stays in that split; else its path below the source decides
    (`photographs.split_of`). The same call again goes on: crops that are whole and not older than their photograph are
    kept. Sources that are cropped in other ways can share `out`, at one size.

    Args:
        sources: folders, whose names become part of the crops' names.
        out: new, empty or ours.
        cut: which crops.
        on_progress: called with the photographs done and their number.

    Raises:
        UserError: no such folder, no pictures, sources or names that clash, a folder that is not ours or holds crops of
            a source made in another way, no usable picture, or a full disk.
    """
    out = Path(out)
    check_output_folder(out)
    folders = source_folders([Path(source) for source in sources], out)
    photographs = photographs_of(folders, out, cut)
    with hold_folder(out):
        record = crop_record(out, folders, cut)
        remove_leftovers(out)
        todo = {
            photograph.path: photograph
            for photograph in photographs
            if not all(is_current(target, photograph.path, cut.size) for target in photograph.targets)
        }

        def crops(path: Path) -> list[Picture]:
            """None of a photograph that is too small."""
            if cut.half is None:
                picture = read_rgb(path)
                PhotographSet.require_shape(path, picture.shape[1], picture.shape[0])
            else:
                picture = read_halves(path)[cut.half == "right"]
            return crops_of(picture, cut, todo[path].key) if min(picture.shape[:2]) >= cut.min_side else []

        broken: dict[Path, str] = {}
        too_small: set[Path] = set()
        recorded, done = False, len(photographs) - len(todo)
        for start in range(0, len(todo), CROPPED_AT_ONCE):
            paths = list(todo)[start : start + CROPPED_AT_ONCE]
            for path, result in zip(paths, try_pictures(paths, crops), strict=True):
                if isinstance(result, UserError):
                    broken[path] = str(result)
                elif not result:
                    too_small.add(path)
                else:
                    if not recorded:  # only where there is something to record
                        write_json(out / OWN_FOLDER / RECORD, record)
                        recorded = True
                    for target, crop in zip(todo[path].targets, result, strict=True):
                        write_png(target, crop)
                done += 1
                if on_progress is not None:
                    on_progress(done, len(photographs))
        counts = Counter(
            photograph.split
            for photograph in photographs
            if photograph.path not in broken and photograph.path not in too_small
        )
        if not counts:
            reason = next(iter(broken.values()), f"all have fewer than --min-side {cut.min_side} pixels a side")
            raise UserError(f"{out}: none of {len(photographs)} pictures could be cropped: {reason}")
        usual = [*SPLITS, *sorted(counts.keys() - set(SPLITS))]
        remarks = [] if cut.half else [pairs_remark(list(walk(folder))) for folder in folders.values()]
        return Crops(
            splits={split: counts[split] * cut.per_picture for split in usual if counts[split]},
            photographs=counts.total(),
            already_there=len(photographs) - len(todo),
            too_small=len(too_small),
            broken=broken,
            remarks=tuple(remark for remark in remarks if remark is not None),
        )


def source_folders(sources: list[Path], out: Path) -> dict[str, Path]:
    """The source folders by name.

    Raises:
        UserError: one is no folder, or lies in another or in `out` or holds it, or two are called the same.
    """
    folders: dict[str, Path] = {}
    for source in sources:
        folder = source.resolve()
        if not folder.is_dir():
            raise UserError(f"{source}: no such folder of photographs")
        for other, name in ((out.resolve(), "--out"), *((path, str(path)) for path in folders.values())):
            if folder.is_relative_to(other) or other.is_relative_to(folder):
                raise UserError(f"{source}: this folder and {name} lie in one another; name folders apart")
        if folder.name in folders:
            raise UserError(f"{source}: called as {folders[folder.name]} is, which the crops' names tell; rename one")
        folders[folder.name] = folder
    return folders


def photographs_of(folders: dict[str, Path], out: Path, cut: Cut) -> list[Photograph]:
    """The photographs of the source folders, with the files of their crops.

    Raises:
        UserError: a source has no pictures, or two crops would have the same name.
    """
    photographs: list[Photograph] = []
    stems: list[tuple[str, Path]] = []
    for name, folder in folders.items():
        relatives = [path.relative_to(folder) for path in walk(folder)]
        if not relatives:
            raise UserError(f"{folder}: no pictures in this folder or below it")
        for relative in relatives:
            stem = f"{name}-{joined(relative)}"
            split = cut.split or (relative.parts[0] if relative.parts[0] in SPLITS else split_of(relative))
            targets = tuple(out / split / f"{stem}-{number}.png" for number in range(cut.per_picture))
            photographs.append(Photograph(folder / relative, f"{name}/{relative.as_posix()}", split, targets))
            stems.append((stem, folder / relative))
    if clashes := first_of_each_name(stems)[1]:
        raise UserError(clashes[0])
    return photographs


def crop_record(out: Path, folders: dict[str, Path], cut: Cut) -> dict[str, Any]:
    """Return how each source of `out` is cropped, including these.

    Raises:
        UserError: one was cropped in another way, or all were to another size.
    """
    path = out / OWN_FOLDER / RECORD
    record: dict[str, Any] = {"size": cut.size, "sources": {}}
    if path.is_file():
        record = read_record(path, size=int, sources=dict)
    if record["size"] != cut.size:
        raise UserError(f"--out {out}: holds crops of --size {record['size']}, not {cut.size}; name an empty folder")
    for name, folder in folders.items():
        how = {"folder": str(folder), **{key: value for key, value in asdict(cut).items() if key != "size"}}
        before = record["sources"].setdefault(name, how)
        before = before if isinstance(before, dict) else {}
        if differs := [key for key in how if before.get(key) != how[key]]:
            key = differs[0]
            raise UserError(
                f"--out {out}: holds crops of {name} with {key.replace('_', '-')} {before.get(key)}, not {how[key]}; "
                "name an empty folder"
            )
    return record


def is_current(target: Path, source: Path, size: int) -> bool:
    """Return whether a crop exists, is complete, has this size and is not older than its photograph."""
    try:
        if target.stat().st_mtime < source.stat().st_mtime:
            return False
        with Image.open(target) as image:
            fits = image.size == (size, size)
            image.verify()
            return fits
    except Exception:  # not there, or damaged in whatever way: it is made again
        return False
