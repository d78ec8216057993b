"""Square crops of photographs as PNG, in DIR/{train,val,test}: all crops of one photograph in one split.

Making a data set of A|B pictures: from two folders, paired by file stem, or from photographs and their edges.

Which square crops are taken from a photograph.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.files import (
    OWN_FOLDER,
    check_output_folder,
    claim_output_folder,
    read_json,
    remove_leftovers,
    sha256_bytes,
    write_json,
)
from gan_eval.stimuli.pictures import (
    Picture,
    by_stem,
    decode_rgb,
    list_pictures,
    read_file,
    read_rgb,
    resize,
    write_png,
)
from trainer.datasets.sources import (
    SMALLEST_SIDE,
    SPLITS,
    centre_square,
    each,
    joined,
    list_splits,
    of_all,
    pairs_remark,
    require_halves,
    require_size,
    split_of,
    unique_names,
    walk,
)

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Job:
    """One picture to be made."""

    a: Path
    b: Path
    target: Path


def pair_folders(
    a: Path,
    b: Path,
    out: Path,
    *,
    split: str | None = None,
    resized: bool = False,
    on_progress: OnProgress | None = None,
) -> dict[str, int]:
    """Join the pictures of two folders that have the same file stem, A left and B right, as `out/<split>/STEM.png`.

    PNG loses nothing: the halves have exactly the pixels of the pictures.

    Args:
        a, b: folders of pictures, or of folders (train, val, test), the same in both.
        out: new, empty or ours.
        split: the split of pictures that lie directly in the folders; default: train.
        resized: bring B to A's size where they differ (bicubic); else that is refused.

    Returns:
        The number of pairs in each split.

    Raises:
        UserError: names or folders without a partner, pictures of different sizes, unreadable pictures, a folder that
            is not ours. Nothing is written then.
    """
    check_output_folder(out)
    jobs = {name: _partners(*sides, Path(out) / name) for name, sides in _matching_folders(a, b, split).items()}
    every = [job for several in jobs.values() for job in several]
    _require_fit(every, resized=resized)

    def make(job: _Job) -> Picture:
        left, right = read_rgb(job.a), read_rgb(job.b)
        return np.concatenate([left, resize(right, left.shape[:2])], axis=1)

    _write(every, make, Path(out), on_progress)
    return {name: len(several) for name, several in jobs.items()}


def pair_edges(
    photos: Path, out: Path, *, split: str | None = None, sigma: float = 2.0, on_progress: OnProgress | None = None
) -> dict[str, int]:
    """Put photographs beside their edges: A is black lines on white, B the photograph with exactly its pixels.

    The edges are Canny's (scikit-image), of the grey picture smoothed by a Gaussian.

    Args:
        photos: a folder of pictures of any size, or of folders (train, val, test) of them.
        out: new, empty or ours.
        split: the split of pictures that lie directly in the folder; default: train.
        sigma: width of the Gaussian in pixels; larger: fewer, longer lines.

    Returns:
        The number of pairs in each split.

    Raises:
        UserError: bad photographs or options, or a folder that is not ours.
    """
    if not sigma > 0:
        raise UserError(f"--sigma {sigma}: wanted pixels above 0")
    check_output_folder(out)
    folders = _folders(photos, split)
    jobs = {
        name: [
            _Job(path, path, Path(out) / name / f"{stem}.png") for stem, path in by_stem(list_pictures(folder)).items()
        ]
        for name, folder in folders.items()
    }

    def make(job: _Job) -> Picture:
        photo = read_rgb(job.b)
        return np.concatenate([edges(photo, sigma=sigma), photo], axis=1)

    every = [job for several in jobs.values() for job in several]
    of_all([job.b for job in every], _require_picture)
    _write(every, make, Path(out), on_progress)
    return {name: len(several) for name, several in jobs.items()}


def edges(photo: Picture, *, sigma: float = 2.0) -> Picture:
    """Black edges on white, (H, W, 3) uint8 with the levels 0 and 255 only."""
    from skimage.color import rgb2gray
    from skimage.feature import canny

    lines = canny(rgb2gray(photo), sigma=sigma)
    return np.repeat(np.where(lines, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _folders(root: Path, split: str | None) -> dict[str, Path]:
    """The folders of pictures below `root` by split; the root itself where its pictures lie directly in it.

    Raises:
        UserError: a split is named for pictures that have theirs.
    """
    splits = list_splits(root)
    if splits and split is not None:
        raise UserError(
            f"--split {split}: the pictures of {root} lie in {', '.join(splits)}, and stay there; leave it out"
        )
    return {name: Path(root) / name for name in splits} if splits else {split or "train": Path(root)}


def _matching_folders(a: Path, b: Path, split: str | None) -> dict[str, tuple[Path, Path]]:
    left, right = _folders(a, split), _folders(b, split)
    if set(left) != set(right):
        raise UserError(
            f"{a} has {', '.join(left)}, {b} has {', '.join(right)}: the folders of pictures must be the same in both"
        )
    return {name: (left[name], right[name]) for name in left}


def _partners(a: Path, b: Path, out: Path) -> list[_Job]:
    left, right = by_stem(list_pictures(a)), by_stem(list_pictures(b))
    alone = [path.name for stem, path in left.items() if stem not in right]
    lonely = [path.name for stem, path in right.items() if stem not in left]
    if alone or lonely:
        parts = [f"only in {folder}: {_listed(names)}" for folder, names in ((a, alone), (b, lonely)) if names]
        raise UserError(f"pictures are paired by file stem; {'; '.join(parts)}; rename or remove them")
    return [_Job(path, right[stem], out / f"{stem}.png") for stem, path in left.items()]


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def _require_fit(jobs: list[_Job], *, resized: bool) -> None:
    """Read every picture before the first is written.

    Raises:
        UserError: pictures cannot be read, or differ in size from their partners without `resized`.
    """
    partners = {job.a: job.b for job in jobs}

    def fit(a: Path) -> None:
        left, right = read_rgb(a).shape, read_rgb(partners[a]).shape
        if left != right and not resized:
            sizes = f"{left[1]}x{left[0]} pixels, but {right[1]}x{right[0]} in {partners[a]}"
            raise UserError(f"{a}: {sizes}; make them equal, or give --resize")

    or_resize = "" if resized else ", or give --resize where only sizes differ"
    of_all(list(partners), fit, mend=f"mend or remove them{or_resize}")


def _require_picture(path: Path) -> None:
    read_rgb(path)


def _write(jobs: list[_Job], make: Callable[[_Job], Picture], out: Path, on_progress: OnProgress | None) -> None:
    """Make and write every picture; a folder that was begun with other pictures is refused."""
    names = sorted(str(job.target.relative_to(out).as_posix()) for job in jobs)
    claim_output_folder(out)
    remove_leftovers(out)
    there = {path.relative_to(out).as_posix() for path in out.glob("*/*.png") if path.parent.name != OWN_FOLDER}
    if strangers := sorted(there - set(names)):
        raise UserError(f"--out {out}: holds other pictures already, such as {strangers[0]}; name an empty folder")
    write_json(out / OWN_FOLDER / "pairs.json", {"pictures": names})
    for number, job in enumerate(jobs, start=1):
        write_png(job.target, make(job))
        if on_progress is not None:
            on_progress(number, len(jobs))


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


RECORD = "crops.json"
"""What each source was cropped with."""
_AT_ONCE = 64
"""Photographs whose crops are held in memory together."""


@dataclass(frozen=True)
class Crops:
    """What `make_crops` made and found."""

    splits: dict[str, int]
    """Crops in each split, those of these sources alone."""
    photographs: int
    """How many they were taken from."""
    kept: int
    """Of these photographs, those whose crops were there already."""
    too_small: int
    """Photographs left out by `min_side`."""
    broken: dict[Path, str]
    """The reason for each picture that cannot be used."""
    remarks: tuple[str, ...]
    """What the user should know; each one line."""

    def lines(self) -> list[str]:
        """For people: every picture that was left out, then the counts."""
        counts = ", ".join(f"{split} {count}" for split, count in self.splits.items())
        kept = f"; {self.kept} photographs were done already" if self.kept else ""
        small = (
            [f"{self.too_small} photographs left out: fewer than --min-side pixels a side"] if self.too_small else []
        )
        broken = [f"{len(self.broken)} pictures left out, which cannot be used"] if self.broken else []
        total = f"{counts} crops of {self.photographs} photographs{kept}"
        return [*self.remarks, *self.broken.values(), *broken, *small, total]


@dataclass(frozen=True)
class _Photograph:
    path: Path
    key: str
    """Its source's name and its path below the source: what the random squares follow from."""
    split: str
    targets: tuple[Path, ...]


def make_crops(sources: list[Path], out: Path, cut: Cut, *, on_progress: OnProgress | None = None) -> Crops:
    """Write crops of every picture below the sources as `out/<split>/SOURCE-FOLDER-NAME-NUMBER.png`.

    A photograph below a source's folder train, val or test stays in that split; else its path below the source decides
    (`sources.split_of`). The same call again goes on: crops that are whole and not older than their photograph are
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
    folders = _named([Path(source) for source in sources], out)
    photographs = _photographs(folders, out, cut)
    record = _record(claim_output_folder(out), folders, cut)
    remove_leftovers(out)
    todo = [one for one in photographs if not all(_is_right(target, one.path, cut.size) for target in one.targets)]
    broken: dict[Path, str] = {}
    too_small: set[Path] = set()
    recorded = False
    for done, (one, crops) in enumerate(_cut_all(todo, cut), start=1 + len(photographs) - len(todo)):
        if isinstance(crops, UserError):
            broken[one.path] = str(crops)
        elif not crops:
            too_small.add(one.path)
        else:
            if not recorded:  # only where there is something to record
                write_json(out / OWN_FOLDER / RECORD, record)
                recorded = True
            for target, crop in zip(one.targets, crops, strict=True):
                write_png(target, crop)
        if on_progress is not None:
            on_progress(done, len(photographs))
    cropped = [one for one in photographs if one.path not in broken and one.path not in too_small]
    if not cropped:
        reason = next(iter(broken.values()), f"all have fewer than --min-side {cut.min_side} pixels a side")
        raise UserError(f"{out}: none of {len(photographs)} pictures could be cropped: {reason}")
    counts = Counter(one.split for one in cropped)
    return Crops(
        splits={split: counts[split] * cut.per_picture for split in sorted(counts, key=_usual_order)},
        photographs=len(cropped),
        kept=len(photographs) - len(todo),
        too_small=len(too_small),
        broken=broken,
        remarks=() if cut.half else _remarks(folders.values()),
    )


def _named(sources: list[Path], out: Path) -> dict[str, Path]:
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


def _photographs(folders: dict[str, Path], out: Path, cut: Cut) -> list[_Photograph]:
    found: list[_Photograph] = []
    stems: list[tuple[str, Path]] = []
    for name, folder in folders.items():
        relatives = [path.relative_to(folder) for path in walk(folder)]
        if not relatives:
            raise UserError(f"{folder}: no pictures in this folder or below it")
        for relative in relatives:
            stem = f"{name}-{joined(relative)}"
            split = cut.split or (relative.parts[0] if relative.parts[0] in SPLITS else split_of(relative))
            targets = tuple(out / split / f"{stem}-{number}.png" for number in range(cut.per_picture))
            found.append(_Photograph(folder / relative, f"{name}/{relative.as_posix()}", split, targets))
            stems.append((stem, folder / relative))
    unique_names(stems)
    return found


def _record(out: Path, folders: dict[str, Path], cut: Cut) -> dict[str, Any]:
    """How each source of `out` is cropped, these among them.

    Raises:
        UserError: one was cropped in another way, or all were to another size.
    """
    path = out / OWN_FOLDER / RECORD
    record: dict[str, Any] = read_json(path) if path.is_file() else {"size": cut.size, "sources": {}}
    if record["size"] != cut.size:
        raise UserError(f"--out {out}: holds crops of --size {record['size']}, not {cut.size}; name an empty folder")
    for name, folder in folders.items():
        how = {"folder": str(folder), **{key: value for key, value in asdict(cut).items() if key != "size"}}
        before = record["sources"].setdefault(name, how)
        if differs := [key for key in how if before[key] != how[key]]:
            key = differs[0]
            raise UserError(
                f"--out {out}: holds crops of {name} with {key.replace('_', '-')} {before[key]}, not {how[key]}; "
                "name an empty folder"
            )
    return record


def _is_right(target: Path, source: Path, size: int) -> bool:
    """Whether a crop is there, whole, of this size and not older than its photograph."""
    try:
        if target.stat().st_mtime < source.stat().st_mtime:
            return False
        with Image.open(target) as image:
            fits = image.size == (size, size)
            image.verify()
            return fits
    except Exception:  # not there, or damaged in whatever way: it is made again
        return False


def _cut_all(photographs: list[_Photograph], cut: Cut) -> Iterator[tuple[_Photograph, list[Picture] | UserError]]:
    """The crops of each; none of one that is too small, and what is wrong with a broken one."""
    by_path = {one.path: one for one in photographs}

    def work(path: Path) -> list[Picture]:
        picture = read_part(path, cut.half)
        return crops_of(picture, cut, by_path[path].key) if min(picture.shape[:2]) >= cut.min_side else []

    for start in range(0, len(photographs), _AT_ONCE):
        several = photographs[start : start + _AT_ONCE]
        yield from zip(several, each([one.path for one in several], work), strict=True)


def _remarks(folders: Iterable[Path]) -> tuple[str, ...]:
    return tuple(line for folder in folders if (line := pairs_remark(list(walk(folder)))) is not None)


def _usual_order(split: str) -> tuple[int, str]:
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS), split)
