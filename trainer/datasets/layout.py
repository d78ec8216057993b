"""The A|B layout: `DATA/<split>/*.jpg`, each picture with A as its left half and B as its right half."""

import os
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from gan_eval.errors import UserError
from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import Picture, decode_rgb, list_pictures, names_a_picture, read_file

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
    pool = ThreadPoolExecutor(threads or min(MOST_THREADS, os.cpu_count() or 1), "pictures")
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
