"""Single photographs: `DATA/<split>/**/*.jpg`, or any tree of pictures, which is split by hash."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePath

import numpy as np

from gan_eval.base.errors import UserError
from gan_eval.pictures.decode import (
    Fit,
    Picture,
    centre_square,
    may_be_a_file,
    names_a_picture,
    natural_key,
    read_rgb,
    resize,
)
from trainer.datasets.dataset import MIN_SIDE, SPLITS, DataSet, Size

ENDS = {"train": 80, "val": 90, "test": 100}
"""Cumulative percentages of the splits, if folders do not decide."""


class PhotographSet(DataSet):
    """Photographs: the pictures below the folder of each split, in sub-folders too; hidden ones are skipped.

    Where no pictures are below folders called train, val or test, `split_of` decides on each picture, and
    the whole (`.`) is a split, too.
    """

    pictures_per_item = 1
    pattern = "<split>/**/*.jpg"

    def __init__(self, folder: Path, source_size: int | None = None, fit: Fit = "crop") -> None:
        super().__init__(folder)
        self.source_size = source_size
        self.fit = fit

    def by_split(self) -> dict[str, list[Path]]:
        """Return the pictures of each non-empty split of train, val and test."""
        self.require_folder()
        splits = {split: list(self._walk_split(split)) for split in SPLITS}
        return {split: paths for split, paths in splits.items() if paths}

    def has_split(self, split: str) -> bool:
        self.require_folder()
        return any(True for _ in self._walk_split(split))

    def paths(self, split: str, *, limit: int | None = None) -> list[Path]:
        self.require_folder()
        paths = list(islice(self._walk_split(split), limit))
        if not paths:
            there = ", ".join(name for name in SPLITS if self.has_split(name)) or "none, as there are no pictures"
            raise UserError(f"{self.folder}: no photographs of the split {split!r}; there are: {there}")
        return paths

    def names(self, paths: list[Path], split: str) -> dict[str, Path]:
        """Return the pictures by their paths below the split's folder, without suffix, with "-" for slashes."""
        root = self._split_folder(split) or self.folder
        names: dict[str, Path] = {}
        for path in paths:
            name = "-".join(path.relative_to(root).with_suffix("").parts)
            if name in names:
                raise UserError(f"{path}: gets the name {name}, like {names[name]}; rename one of them")
            names[name] = path
        return names

    def read(self, path: Path, size: Size = "native") -> tuple[Picture, ...]:
        """Return the centre square of a photograph, or the whole stretched to a square."""
        assert size != "native"  # which `generate` refuses
        picture = read_rgb(path)
        self.require_shape(path, picture.shape[1], picture.shape[0])
        square = centre_square(picture) if self.fit == "crop" else picture
        if self.source_size is not None:
            square = resize(square, (self.source_size, self.source_size))
        return (np.ascontiguousarray(resize(square, (size, size))),)

    @staticmethod
    def require_shape(path: Path, width: int, height: int) -> None:
        if min(width, height) < MIN_SIDE:
            raise UserError(f"{path}: {width}x{height} pixels; each side needs at least {MIN_SIDE}; remove it")

    def _walk_split(self, split: str) -> Iterator[Path]:
        """Return the pictures of a split, in natural order of their relative paths."""
        if folder := self._split_folder(split):
            return walk(folder)
        if has_usual_splits(self.folder):
            return iter(())
        return (path for path in walk(self.folder) if split_of(path.relative_to(self.folder)) == split)

    def _split_folder(self, split: str) -> Path | None:
        """Return the folder of a split; None if a hash decides or there is none."""
        folder, usual = self.folder / split, split in SPLITS
        if not folder.is_dir():
            return None
        special = usual or folder.resolve() == self.folder.resolve()  # the whole would contain all usual splits
        return None if special and has_usual_splits(self.folder) != usual else folder


def has_usual_splits(data: Path) -> bool:
    """Return whether there are pictures below a folder train, val or test; then none is assigned by hash."""
    return any(any(True for _ in walk(Path(data) / split)) for split in SPLITS if (Path(data) / split).is_dir())


def split_of(relative: PurePath) -> str:
    """Return a picture's split by its path below the data folder: SHA-256 of the path modulo 100, cut at `ENDS`.

    It depends only on this path, so a picture stays in its split when others are added. The path is taken with slashes
    and in Unicode's composed form (NFC), so that every system gives the same.
    """
    name = unicodedata.normalize("NFC", relative.as_posix())
    percentile = int(hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest(), 16) % 100
    return next(split for split, end in ENDS.items() if percentile < end)


def walk(folder: Path, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """Return the pictures below a folder, in natural order of their relative paths; links to folders are followed."""
    try:
        status = folder.stat()
        with os.scandir(folder) as entries:
            children = sorted(
                (entry for entry in entries if entry.name[0] != "."), key=lambda entry: natural_key(entry.name)
            )
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror or error}); fix its permissions") from error
    here = above | {(status.st_dev, status.st_ino)}
    for entry in children:
        path = folder / entry.name
        try:
            is_folder = entry.is_dir()
        except OSError:  # a link that leads to itself
            is_folder = False
        if is_folder:
            inside = path.stat()
            if (inside.st_dev, inside.st_ino) not in here:
                yield from walk(path, here)
        elif names_a_picture(path) and may_be_a_file(entry):
            yield path
