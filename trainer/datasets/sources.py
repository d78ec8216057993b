"""Data sets of single photographs: `DATA/<split>/**/*.jpg`, or any tree of pictures, which is split by hash.

The A|B layout: `DATA/<split>/*.jpg`, each picture with A as its left half and B as its right half.

Which half of a picture is drawn (labels, map, edges) and which is photographed.

What is drawn has areas of one level; what is photographed has noise and texture. The share of neighbouring pixels with
nearly the same grey level told the halves of each of 905 pictures of facades, maps, cityscapes, edges2shoes and a set
with exchanged sides.

What a few pictures tell before hours are spent on them: told to the user, and nothing is refused.

What a few photographs tell before hours are spent on them: told to the user, and nothing is refused.
"""

import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path, PurePath
from typing import Literal, TypeVar

import numpy as np

from gan_eval.errors import UserError
from gan_eval.launch import usable_cores
from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import (
    Picture,
    decode_rgb,
    list_pictures,
    may_be_a_file,
    names_a_picture,
    natural_key,
    read_file,
    resize,
)

T = TypeVar("T")

SPLITS = ("train", "val", "test")
"""The usual splits, in the order in which they are told of."""
VALIDATION_SPLITS = ("val", "test")
"""Where validation pictures come from, best first; never from the training split."""
SMALLEST_SIDE = 8
"""Halves with fewer pixels a side are no pictures."""
NAMED = 5
"""Of several bad pictures, so many are named."""
MOST_THREADS = 8
"""More threads than this do not read a disk faster."""


def list_splits(data: Path) -> list[str]:
    """The folders in `data` that hold pictures, the usual ones first.

    Raises:
        UserError: no such folder.
    """
    data = Path(data)
    if not data.is_dir():
        raise UserError(f"{data}: no such data folder")
    names = [folder.name for folder in data.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    found = [name for name in names if any(names_a_picture(path) for path in (data / name).iterdir())]
    return sorted(found, key=lambda name: (SPLITS.index(name) if name in SPLITS else len(SPLITS), name))


def list_pairs(data: Path, split: str, *, limit: int | None = None) -> list[Path]:
    """The pictures of `data/split` in natural order, at most `limit`.

    Raises:
        UserError: no such folder or split, or no pictures in it.
    """
    data = Path(data)
    if not data.is_dir():
        raise UserError(f"{data}: no such data folder")
    if not (data / split).is_dir():
        if any(names_a_picture(path) for path in data.iterdir()):
            raise UserError(f"{data}: pictures lie directly in it; give the folder above, {data.resolve().parent}")
        splits = ", ".join(sorted(folder.name for folder in data.iterdir() if folder.is_dir())) or "none"
        raise UserError(f"{data}: no split {split!r} (a folder of pictures); there are: {splits}")
    return list_pictures(data / split)[:limit]


def spread(paths: list[Path], count: int) -> list[Path]:
    """At most `count` pictures, spread evenly, the first and the last among them."""
    places = np.linspace(0, len(paths) - 1, min(count, len(paths))).round().astype(int)
    return [paths[place] for place in places]


def shared_stems(paths: list[Path]) -> str | None:
    """The user's line where pictures of one split differ only in their suffix; None where none do."""
    names: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        names[path.stem].append(path.name)
    groups = [" and ".join(group) for group in names.values() if len(group) > 1]
    if not groups:
        return None
    listed = ", ".join([*groups[:NAMED], *([f"{len(groups) - NAMED} more"] if len(groups) > NAMED else [])])
    return f"{paths[0].parent.name}: the same stem, by which pictures are paired: {listed}; rename one of each"


def narrow_halves(sizes: dict[Path, tuple[int, int]]) -> str | None:
    """The user's line where pictures, given with (width, height), are no wider than high: hardly two halves each."""
    narrow = {path: size for path, size in sizes.items() if size[0] <= size[1]}
    if not narrow:
        return None
    path, (width, height) = next(iter(narrow.items()))
    return (
        f"{len(narrow)} of {len(sizes)} pictures are no wider than high, such as {path.parent.name}/{path.name} of "
        f"{width}x{height}: each half would be {width // 2}x{height}; are these single photographs? "
        "gan-eval data check --photographs looks at such, gan-eval data pair makes pairs of them"
    )


def read_halves(path: Path, *, content: bytes | None = None) -> tuple[Picture, Picture]:
    """A and B of one picture, each (H, W, 3) uint8.

    Args:
        path: the picture.
        content: the file's bytes where they were read already.

    Raises:
        UserError: the picture is broken, or its width is odd, or its halves are too small.
    """
    picture = decode_rgb(read_file(path) if content is None else content, path)
    height, width = picture.shape[:2]
    require_halves(path, width, height)
    return picture[:, : width // 2], picture[:, width // 2 :]


def require_halves(path: Path, width: int, height: int) -> None:
    """Refuse a picture of a size that does not fall into two halves.

    Raises:
        UserError: the width is odd, or the halves are too small.
    """
    if width % 2:
        raise UserError(f"{path}: the width {width} is odd, so A and B cannot be halves; make it even or remove it")
    if min(height, width // 2) < SMALLEST_SIDE:
        raise UserError(f"{path}: halves of {width // 2}x{height} pixels are too small; remove it")


def read_pair(path: Path, direction: Direction, *, content: bytes | None = None) -> tuple[Picture, Picture]:
    """Input and target of one picture, each (H, W, 3) uint8.

    Raises:
        UserError: the picture is broken, or its width is odd, or its halves are too small.
    """
    a, b = read_halves(path, content=content)
    return (a, b) if direction == "AtoB" else (b, a)


def of_all(
    paths: list[Path],
    work: Callable[[Path], T],
    *,
    threads: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    mend: str = "mend or remove them",
) -> list[T]:
    """`work` of every picture, in order, by several threads: decoding and hashing release the interpreter's lock.

    Args:
        mend: what the user can do where several are bad.

    Raises:
        UserError: it fails on some. All are tried first, so that one line tells of all that must be mended.
    """
    tried = each(paths, work, threads=threads, on_progress=on_progress)
    bad = {path: found for path, found in zip(paths, tried, strict=True) if isinstance(found, UserError)}
    if len(bad) == 1:
        raise next(iter(bad.values()))
    if bad:
        raise UserError(_all_bad(bad, len(paths), mend))
    return [found for found in tried if not isinstance(found, UserError)]


def each(
    paths: list[Path],
    work: Callable[[Path], T],
    *,
    threads: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[T | UserError]:
    """`work` of every picture, in order, by several threads; what is wrong with a bad one stands in its place."""

    def tried(path: Path) -> T | UserError:
        try:
            return work(path)
        except UserError as error:
            return error

    done: list[T | UserError] = []
    pool = ThreadPoolExecutor(threads or min(MOST_THREADS, usable_cores()), "pictures")
    try:
        for found in pool.map(tried, paths):
            done.append(found)
            if on_progress is not None:
                on_progress(len(done), len(paths))
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupt does not wait for the pictures still to come
    return done


def _all_bad(bad: dict[Path, UserError], tried: int, mend: str) -> str:
    """One line for several bad pictures of one folder: the count, the mend, and the first with their reasons."""
    folder = next(iter(bad)).parent
    reasons = [str(error).removeprefix(f"{folder}{os.sep}").rsplit("; ", 1)[0] for error in bad.values()]
    more = [f"and {len(bad) - NAMED} more"] if len(bad) > NAMED else []
    listed = "; ".join([*reasons[:NAMED], *more])
    return f"{folder}: {len(bad)} of {tried} pictures cannot be used; {mend}: {listed}"


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


Side = Literal["A", "B"]

_SAME = 2
"""Grey levels by which neighbours of a drawn area may differ: JPEG moves them a little."""
MARGIN = 0.01
"""A difference of the shares below this says nothing."""
FEWEST = 3
"""Pictures that must tell their sides before the set's are named."""
MAJORITY = 0.75
"""Of the pictures that tell, so many must agree."""


def flatness(half: Picture) -> float:
    """The share of horizontally neighbouring pixels whose grey levels differ by at most two, 0..1.

    >>> flatness(np.zeros((4, 4, 3), np.uint8))
    1.0
    """
    grey = half.sum(axis=2, dtype=np.int16) // 3
    return float((np.abs(np.diff(grey, axis=1)) <= _SAME).mean())


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


def doubt(drawn: Side | None, direction: Direction) -> str | None:
    """The user's line where a direction makes drawings from photographs; None where it does not, or nobody can tell.

    >>> doubt("B", "AtoB")
    'B looks drawn, and AtoB makes drawings from photographs; --direction BtoA turns it round'
    """
    if drawn is None or direction_from(drawn) == direction:
        return None
    turned = direction_from(drawn)
    return f"{drawn} looks drawn, and {direction} makes drawings from photographs; --direction {turned} turns it round"


LOOKED_AT = 8
"""Pictures that are judged."""


def remarks(data: Path, paths: list[Path], direction: Direction, *, train_split: str) -> list[str]:
    """What speaks against a training, one line each: a doubtful direction or shape, names that generation will refuse.

    Args:
        data: the data set's folder.
        paths: the pictures to train on, of `train_split`; broken ones are passed over here.
    """
    others = [split for split in list_splits(data) if split != train_split]
    stems = [shared_stems(list_pictures(data / split)) for split in others]
    return [line for line in (_doubt(paths, direction), *stems) if line is not None]


def _doubt(paths: list[Path], direction: Direction) -> str | None:
    looked = spread(paths, LOOKED_AT)
    read = zip(looked, each(looked, read_halves), strict=True)
    halves = {path: found for path, found in read if not isinstance(found, UserError)}
    if narrow := narrow_halves({path: (2 * a.shape[1], a.shape[0]) for path, (a, _) in halves.items()}):
        return narrow  # their halves are of one photograph each
    drawn = drawn_side([flatness(a) for a, _ in halves.values()], [flatness(b) for _, b in halves.values()])
    line = doubt(drawn, direction)
    return line and f"{line}; gan-eval data preview shows it"


FEW = 50
"""With fewer photographs than this a generator learns them by heart."""


def photograph_remarks(data: Path, paths: list[Path], *, train_split: str) -> list[str]:
    """What speaks against a training, one line each: very few pictures, A|B pairs, names that generation will refuse.

    Args:
        data: the data set's folder.
        paths: the pictures to train on, of `train_split`; broken ones are passed over here.
    """
    few = (
        f"{data}: only {len(paths)} photographs to train on; it will learn them by heart" if len(paths) < FEW else None
    )
    others = photographs_by_split(data).items()
    clashes = [line for split, held in others if split != train_split for line in name_clashes(held, data, split)[:1]]
    return [*(line for line in (few, pairs_remark(paths)) if line is not None), *clashes]


def pairs_remark(paths: list[Path]) -> str | None:
    """The user's line where most of a few of these pictures are exactly twice as wide as high; broken ones are none."""
    looked = spread(paths, LOOKED_AT)
    shapes = [
        shape
        for shape in each(looked, lambda path: decode_rgb(read_file(path), path).shape)
        if not isinstance(shape, UserError)
    ]
    double = sum(width == 2 * height for height, width, _ in shapes)
    return double_width_remark(looked[0].parent, double, len(shapes))


def double_width_remark(folder: Path, double: int, of: int) -> str | None:
    """The user's line where so many pictures are exactly twice as wide as high that they are hardly photographs."""
    if 2 * double <= of:
        return None
    return (
        f"{folder}: {double} of {of} pictures looked at are exactly twice as wide as high: these look like A|B pairs; "
        "gan-eval data crops --half right takes one half"
    )
