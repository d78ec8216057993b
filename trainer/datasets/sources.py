"""Data sets of single photographs: `DATA/<split>/**/*.jpg`, or any tree of pictures, which is split by hash."""

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePath

import numpy as np

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import (
    Picture,
    decode_rgb,
    may_be_a_file,
    names_a_picture,
    natural_key,
    read_file,
    resize,
)
from trainer.datasets.layout import SMALLEST_SIDE, SPLITS

SHARES = (("train", 80), ("val", 10), ("test", 10))
"""Per cent of the pictures in each split, where the folders do not tell."""


def list_photographs(data: Path, split: str, *, limit: int | None = None) -> list[Path]:
    """The pictures of a split, in sub-folders too, in natural order of their relative paths, at most `limit`.

    These are the pictures below the folder `split`. Where no pictures are below folders called train, val or test,
    `split_of` tells which of all belong to which, and the whole (`.`) is a split, too. Hidden ones are passed over.

    Raises:
        UserError: no such folder or split, or no pictures in it.
    """
    data = _required(data)
    found = list(islice(_in_split(data, split), limit))
    if not found:
        raise UserError(_none_there(data, split))
    return found


def has_split(data: Path, split: str) -> bool:
    """Whether `list_photographs` finds pictures of this split.

    Raises:
        UserError: no such folder.
    """
    return any(True for _ in _in_split(_required(data), split))


def photographs_by_split(data: Path) -> dict[str, list[Path]]:
    """The pictures of each of train, val and test that has any.

    Raises:
        UserError: no such folder.
    """
    found = {split: list(_in_split(_required(data), split)) for split in SPLITS}
    return {split: paths for split, paths in found.items() if paths}


def has_usual_splits(data: Path) -> bool:
    """Whether there are pictures below a folder train, val or test: then no picture is assigned by hash."""
    return any(any(True for _ in walk(Path(data) / split)) for split in SPLITS if (Path(data) / split).is_dir())


def split_of(relative: PurePath) -> str:
    """The split of a picture by its path below the data folder: SHA-256 of the path modulo 100, cut by `SHARES`.

    It depends on this path alone, so a picture stays where it is when others come. The path is taken with slashes and
    in Unicode's composed form (NFC), so that every system gives the same.
    """
    name = unicodedata.normalize("NFC", relative.as_posix())
    place = int(hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest(), 16) % 100
    for split, share in SHARES:
        if place < share:
            return split
        place -= share
    raise AssertionError("the shares add up to 100")


def walk(folder: Path, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """The pictures below a folder, in natural order of their relative paths; links to folders are followed.

    Raises:
        UserError: a folder cannot be read.
    """
    try:
        status = folder.stat()
        with os.scandir(folder) as entries:
            children = sorted(
                (entry for entry in entries if entry.name[0] != "."), key=lambda one: natural_key(one.name)
            )
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror or error}); mend its permissions") from error
    here = above | {(status.st_dev, status.st_ino)}
    for entry in children:
        path = folder / entry.name
        if _is_folder(entry):
            inside = path.stat()
            if (inside.st_dev, inside.st_ino) not in here:  # else a link back to a folder that holds it
                yield from walk(path, here)
        elif names_a_picture(path) and may_be_a_file(entry):
            yield path


def photograph_names(paths: Iterable[Path], data: Path, split: str) -> dict[str, Path]:
    """A name for each photograph: its path below the split's folder, without suffix, folders joined with "-".

    Raises:
        UserError: two photographs would have the same name.
    """
    return unique_names(_named(paths, data, split))


def name_clashes(paths: Iterable[Path], data: Path, split: str) -> list[str]:
    """The user's line for each photograph of a split whose name is that of an earlier one: generation refuses them."""
    return _first_of_each(_named(paths, data, split))[1]


def unique_names(named: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """Paths by their names.

    Raises:
        UserError: two have the same.
    """
    names, clashes = _first_of_each(named)
    if clashes:
        raise UserError(clashes[0])
    return names


def joined(relative: PurePath) -> str:
    """A relative path as one name.

    >>> joined(PurePath("n01443537/images/7.JPEG"))
    'n01443537-images-7'
    """
    return "-".join(relative.with_suffix("").parts)


def _named(paths: Iterable[Path], data: Path, split: str) -> Iterator[tuple[str, Path]]:
    root = _split_folder(Path(data), split) or Path(data)
    return ((joined(path.relative_to(root)), path) for path in paths)


def _first_of_each(named: Iterable[tuple[str, Path]]) -> tuple[dict[str, Path], list[str]]:
    """The first path of each name, and the user's line for every later one."""
    first: dict[str, Path] = {}
    clashes: list[str] = []
    for name, path in named:
        if name in first:
            clashes.append(f"{path}: would be called {name}, as {first[name]} is; rename one of them")
        else:
            first[name] = path
    return first, clashes


def read_photograph(path: Path, side: int, *, source_size: int | None, content: bytes | None = None) -> Picture:
    """The centre square of a photograph, (side, side, 3) uint8.

    Without `source_size`, a square of that size already keeps every pixel.

    Args:
        path: the picture.
        side: pixels a side of what is given.
        source_size: the square is first brought to this side, so that what it showed beyond is lost.
        content: the file's bytes where they were read already.

    Raises:
        UserError: the picture is broken, or has fewer than 8 pixels a side.
    """
    picture = decode_rgb(read_file(path) if content is None else content, path)
    require_size(path, picture.shape[1], picture.shape[0])
    square = centre_square(picture)
    if source_size is not None:
        square = resize(square, (source_size, source_size))
    return np.ascontiguousarray(resize(square, (side, side)))


def centre_square(picture: Picture) -> Picture:
    """The largest square around the middle of (H, W, 3); of an odd rest the larger part is cut at the end."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def require_size(path: Path, width: int, height: int) -> None:
    """Refuse a picture that is too small to be one.

    Raises:
        UserError: it has fewer than 8 pixels a side.
    """
    if min(width, height) < SMALLEST_SIDE:
        raise UserError(f"{path}: {width}x{height} pixels are too small, {SMALLEST_SIDE} a side are wanted; remove it")


def _required(data: Path) -> Path:
    data = Path(data)
    if not data.is_dir():
        raise UserError(f"{data}: no such data folder")
    return data


def _in_split(data: Path, split: str) -> Iterator[Path]:
    if folder := _split_folder(data, split):
        return walk(folder)
    if has_usual_splits(data):
        return iter(())
    return (path for path in walk(data) if split_of(path.relative_to(data)) == split)


def _split_folder(data: Path, split: str) -> Path | None:
    """The folder of a split; None where the split is told by hash, or there is none."""
    folder, usual = data / split, split in SPLITS
    if not folder.is_dir():
        return None
    special = usual or folder.resolve() == data.resolve()  # the whole folder would hold all of the usual splits
    return None if special and has_usual_splits(data) != usual else folder


def _none_there(data: Path, split: str) -> str:
    there = ", ".join(name for name in SPLITS if has_split(data, name)) or "none, as there are no pictures"
    return f"{data}: no photographs of the split {split!r}; the splits with photographs: {there}"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """A link that leads to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False
