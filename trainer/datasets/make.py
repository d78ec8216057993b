"""Make a data set of A|B pictures from two folders, paired by file stem, or from photographs and their edges."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_folder
from gan_eval.base.output_folders import check_output_folder
from gan_eval.base.progress import Progress
from gan_eval.pictures.agreement import halves_line, spread_neighbours
from gan_eval.pictures.decode import Picture, by_stem, list_pictures, read_rgb, write_png
from trainer.datasets.dataset import SPLITS, map_pictures
from trainer.datasets.pairs import list_splits

MAX_SIGMA = 1000.0  # pixels; the filter's window grows with it
MAX_NAMED = 20  # number of pictures without a partner that a message names, for each folder


def pair_folders(
    a: Path,
    b: Path,
    out: Path,
    *,
    on_progress: Progress | None = None,
    on_message: Callable[[str], None] = lambda _line: None,
) -> dict[str, int]:
    """Join the pictures of two folders that have the same file stem, A left and B right, as `out/<split>/STEM.png`.

    The pairs are 8-bit RGB.

    Args:
        a, b: folders of pictures, or of folders (train, val, test), the same in both. Pictures directly in them are of
            the split train; those in folders of a split (cities) belong to the split.
        on_message: called with a line if the halves seem to be unrelated.

    Returns:
        The number of pairs in each split.
    """
    out = Path(out)
    check_output_folder(out)
    left_splits, right_splits = _pictures_of_splits(a), _pictures_of_splits(b)
    if set(left_splits) != set(right_splits):
        raise UserError(
            f"{a} has {', '.join(left_splits)}, {b} has {', '.join(right_splits)}: the folders of pictures must be "
            "the same in both"
        )
    pairs = {
        split: _partners((a, b), by_stem(pictures), by_stem(right_splits[split]), split)
        for split, pictures in left_splits.items()
    }
    partners = {left: right for of_split in pairs.values() for left, right in of_split.values()}

    def require_fit(path: Path) -> None:
        left, right = read_rgb(path).shape, read_rgb(partners[path]).shape
        if left != right:
            sizes = f"{left[1]}x{left[0]} pixels, but {right[1]}x{right[0]} in {partners[path]}"
            raise UserError(f"{path}: {sizes}; make them equal")

    map_pictures(list(partners), require_fit)

    def joined(path: Path) -> Picture:
        return np.concatenate([read_rgb(path), read_rgb(partners[path])], axis=1)

    looked = [(read_rgb(left), read_rgb(right)) for left, right in spread_neighbours(list(partners.items()))]
    if line := halves_line(looked):
        on_message(line)
    sources = {out / split / f"{stem}.png": left for split, of in pairs.items() for stem, (left, _) in of.items()}
    return write_pictures(sources, joined, out, on_progress)


def _partners(
    folders: tuple[Path, Path], left: dict[str, Path], right: dict[str, Path], split: str
) -> dict[str, tuple[Path, Path]]:
    """Return the pictures of two folders with one stem, or with one but for an end that all of a folder have.

    Where a folder has several kinds of pictures that differ in their ends, the coloured one is taken, as of
    Cityscapes' `_gtFine_color`, `_gtFine_labelIds` and `_gtFine_instanceIds`.
    """
    if not left.keys() & right.keys():
        left, right = _without_ends(left), _without_ends(right)
    parts = [
        f"{len(names)} only in {folder}: {', '.join(names[:MAX_NAMED])}{', …' * (len(names) > MAX_NAMED)}"
        for folder, mine, others in zip(folders, (left, right), (right, left), strict=True)
        if (names := [path.name for stem, path in mine.items() if stem not in others])
    ]
    if parts:
        raise UserError(
            f"{split}: pictures are paired by file stem, without an end that all of a folder have, such as _A; "
            f"{'; '.join(parts)}; rename or remove them"
        )
    return {stem: (path, right[stem]) for stem, path in left.items()}


def _without_ends(stems: Mapping[str, Path]) -> dict[str, Path]:
    """Return the pictures by their stems without the end, from the first `_` on, that all share.

    Of several kinds with different ends, as many of each, one with "color" in its end is taken.

    >>> [*_without_ends({"a_1_color": Path(), "a_1_ids": Path(), "a_2_color": Path(), "a_2_ids": Path()})]
    ['a_1', 'a_2']
    """
    ends = Counter(end for stem in stems for end in _ends(stem))
    of_all = [end for end, count in ends.items() if count == len(stems)]
    coloured = [end for end in ends if "color" in end.casefold()]
    end = max(of_all, key=len, default="") or max(coloured, key=lambda each: (ends[each], len(each)), default="")
    return {stem.removesuffix(end): path for stem, path in stems.items() if end and stem.endswith(end)} or dict(stems)


def _ends(stem: str) -> list[str]:
    """Return the ends of a stem from each `_` or `-` on, if none is a number: of `1_A_B`, `_A_B` and `_B`."""
    ends = [stem[match.start() :] for match in re.finditer(r"(?<=.)[_-]", stem)]
    return [end for end in ends if not re.search(r"[_-]\d+(?=[_-]|$)", end)]


def pair_edges(photos: Path, out: Path, *, sigma: float = 2.0, on_progress: Progress | None = None) -> dict[str, int]:
    """Put photographs next to their edges: A is black lines on white, B the photograph with exactly its pixels.

    The edges are Canny's (scikit-image), of the grey picture smoothed by a Gaussian of `sigma` pixels. Returns the
    number of pairs in each split.
    """
    if not 0 < sigma <= MAX_SIGMA:
        raise UserError(f"--sigma {sigma}: expected pixels above 0, at most {MAX_SIGMA:g}")
    out = Path(out)
    check_output_folder(out)
    stems_of = {name: by_stem(list_pictures(folder)) for name, folder in split_folders(photos).items()}
    for stems in stems_of.values():
        map_pictures(list(stems.values()), lambda path: read_rgb(path).shape)  # report the bad ones first

    def with_edges(path: Path) -> Picture:
        photo = read_rgb(path)
        return np.concatenate([edges(photo, sigma=sigma), photo], axis=1)

    sources = {out / name / f"{stem}.png": path for name, stems in stems_of.items() for stem, path in stems.items()}
    return write_pictures(sources, with_edges, out, on_progress)


def edges(photo: Picture, *, sigma: float = 2.0) -> Picture:
    """Return black edges on white, (H, W, 3) uint8 with the levels 0 and 255 only."""
    from skimage.color import rgb2gray
    from skimage.feature import canny

    lines = canny(rgb2gray(photo), sigma=sigma)
    return np.repeat(np.where(lines, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def split_folders(root: Path) -> dict[str, Path]:
    """Return the picture folders below `root` by split; `root` itself as train if its pictures are directly in it."""
    return {name: Path(root) / name for name in list_splits(root)} or {"train": Path(root)}


def _pictures_of_splits(root: Path) -> dict[str, list[Path]]:
    """Return the pictures by split (see `split_folders`); of usual splits without pictures, those of their folders."""
    nested = {
        name: folder
        for name in SPLITS
        if (folder := Path(root) / name).is_dir() and folder.name not in list_splits(root)
    }
    below = {
        name: [path for each in sorted(folder.iterdir()) if each.is_dir() for path in list_pictures(each)]
        for name, folder in nested.items()
    }
    found = {} if below and not list_splits(root) else split_folders(root)
    return {name: list_pictures(folder) for name, folder in found.items()} | below


def write_pictures(
    sources: Mapping[Path, Path], make: Callable[[Path], Picture], out: Path, on_progress: Progress | None
) -> dict[str, int]:
    """Make each picture and write it; return their number in each split. A folder with other pictures is refused."""
    with hold_folder(out):
        others = [path for path in out.rglob("*.png") if path not in sources and OWN_FOLDER not in path.parts]
        if others:
            other = min(others).relative_to(out).as_posix()
            raise UserError(f"--out {out}: holds other pictures already, such as {other}; name an empty folder")
        for number, (target, source) in enumerate(sources.items(), start=1):
            write_png(target, make(source))
            if on_progress is not None:
                on_progress(number, len(sources))
    return dict(Counter(target.parent.name for target in sources))
