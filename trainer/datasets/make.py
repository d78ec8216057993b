"""Square crops of photographs as PNG, in DIR/{train,val,test}: all crops of one photograph in one split."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from gan_eval.errors import UserError
from gan_eval.files import OWN_FOLDER, check_output_folder, claim_output_folder, read_json, remove_leftovers, write_json
from gan_eval.stimuli.pictures import Picture, write_png
from trainer.datasets.cuts import Cut, crops_of, read_part
from trainer.datasets.layout import SPLITS, each
from trainer.datasets.photograph_remarks import pairs_remark
from trainer.datasets.sources import joined, split_of, unique_names, walk

OnProgress = Callable[[int, int], None]

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
