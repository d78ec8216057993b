"""Equalise a stimulus set: bring real and generated pictures to one form, so that they differ only in content.

File names are neutral: items are numbered by a seeded shuffle, with one number for all versions of an item.
"""

import io
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count, product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import gan_eval
from gan_eval.base.atomic import OWN_FOLDER
from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_folder
from gan_eval.base.output_folders import check_output_folder
from gan_eval.base.progress import Progress
from gan_eval.base.reading import resolved
from gan_eval.base.record import FolderRecord
from gan_eval.pictures import decode as images
from gan_eval.pictures.decode import Fit, Picture, Size, has_shape, least_sides, to_size
from gan_eval.pictures.holes import hole_of, mask_of
from gan_eval.pictures.profiles import decode_srgb
from gan_eval.pictures.sets import (
    FILE_COLUMNS,
    TABLE_NAME,
    FileColumn,
    StimulusSet,
    hashes_of,
    read_set,
    refuse_another_set,
    usable_items,
    write_set,
)
from gan_eval.tables.frames import Row


@dataclass(frozen=True)
class Form:
    """Common form of all pictures of a set; they become 8-bit RGB PNG without metadata."""

    size: Size | None = None
    """Width and height; default: the smallest width and the smallest height of the pictures."""
    fit: Fit | None = None
    """For a picture of another shape: keep its centre, or stretch it."""
    jpeg: int | None = None
    """Quality, 1..95: real and generated pictures are coded once as JPEG (4:2:0); default: no JPEG."""


def parse_size(text: str) -> Size:
    """Return (256, 192) of `256x192`."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", text)
    if not match:
        raise UserError(f"--size {text}: expected width x height in pixels, such as 256x256")
    return int(match[1]), int(match[2])


def through_jpeg(picture: Picture, quality: int) -> Picture:
    """Return (H, W, 3) uint8, coded and decoded as JPEG of this quality with 4:2:0 chroma subsampling."""
    coded = io.BytesIO()
    Image.fromarray(picture).save(coded, format="JPEG", quality=quality, subsampling="4:2:0")
    with Image.open(coded) as image:
        return np.asarray(image.convert("RGB"))


Targets = dict[tuple[FileColumn, str], str]
"""New file for each column and file of the old table."""

_NEUTRAL_FOLDERS: dict[FileColumn, str] = {"input_file": "input", "reference_file": "reference", "mask_file": "mask"}


def neutral_names(items: Iterable[str]) -> dict[str, str]:
    """Return a number for each item, all of equal length, in an order shuffled by a fixed seed.

    >>> sorted(neutral_names(["d/a", "d/b"]).values())
    ['1', '2']
    """
    items = list(dict.fromkeys(items))
    numbers = np.random.default_rng(0).permutation(len(items)) + 1
    digits = len(str(len(items)))
    return {item: f"{number:0{digits}d}" for item, number in zip(items, numbers, strict=True)}


def targets_of(versions: Sequence[Row], name: str, models: Sequence[str]) -> Targets:
    """Return new paths of an item's files, all different: `real/NAME.png`, `fake/NAME.png`, `input/NAME.png`.

    Pictures of several models are in `fake/1/`, `fake/2/`, in the order of `models`. So are further inputs of an item.
    Further pictures of one kind and model are in folders with higher numbers. If the reference of a generated picture
    was the file of the real picture, it is now the new file of the real picture.
    """
    targets: Targets = {}
    taken: set[str] = set()
    higher = count(len(models) + 1)
    for column, row in product(FILE_COLUMNS, versions):
        source = row[column]
        if source is None or (column, source) in targets:
            continue
        if column == "reference_file" and ("file", source) in targets:
            targets[column, source] = targets["file", source]
            continue
        folder = _NEUTRAL_FOLDERS.get(column, row["kind"])
        number = models.index(row["model"]) + 1 if row["model"] else 0
        is_plain = column != "file" or not number or len(models) < 2
        choices = [f"{folder}/{name}.png"] * is_plain + [f"{folder}/{number}/{name}.png"]
        target = next((each for each in choices if each not in taken), "") or f"{folder}/{next(higher)}/{name}.png"
        taken.add(target)
        targets[column, source] = target
    return targets


def _new_files(items: Mapping[str, Sequence[Row]]) -> dict[str, Targets]:
    """Return the new paths of each item's files."""
    names = neutral_names(items)
    models = list(dict.fromkeys(row["model"] for versions in items.values() for row in versions if row["model"]))
    return {item: targets_of(versions, names[item], models) for item, versions in items.items()}


RECORD = f"{OWN_FOLDER}/equalise.json"
"""Record of the form and the files, in the new set's folder."""


@dataclass(frozen=True)
class Equalised:
    """Result of `equalise`."""

    items: int
    size: Size
    problems: tuple[str, ...]
    """A message for each item that was excluded; all its versions are excluded together."""


def equalise(source: Path, out: Path, form: Form, *, on_progress: Progress | None = None) -> Equalised:
    """Make a stimulus set whose pictures are all 8-bit RGB PNG of one size, without metadata, with neutral names.

    A stimulus has the same identifier in both sets. Embedded colour profiles are applied. Pictures of another size are
    scaled, those of both classes by the same rule.

    Args:
        out: folder of the new set: empty, or with an equalised set of the same source.
        on_progress: called with (items done, items in all).

    Raises:
        UserError: a picture has changed since it entered the set, or needs `form.fit`; no item is usable; `out` is the
            source, holds other results, is being written by another process, or cannot be written.
    """
    stimuli = read_set(source, files_must_exist=False)
    record = _record(source, out)
    items: dict[str, list[Row]] = {}
    for row in stimuli.rows:
        items.setdefault(row["item"], []).append(row)
    size = common_size(stimuli, form)
    facts: dict[str, Any] = {
        "source_sha256": sha256_file(source / TABLE_NAME),
        "format": "PNG, 8-bit RGB in sRGB, no metadata",
        "resized_by": "bicubic",
        **asdict(form),
        "size": size,
        "software": f"gan_eval {gan_eval.__version__}",
    }
    with hold_folder(out):
        refuse_another_set(record)
        targets = _new_files(items)
        rows: list[Row] = []
        refused: dict[str, UserError] = {}

        def read(item: str) -> dict[str, Picture]:
            return _pictures(stimuli, targets[item], form, size)

        for item, pictures in usable_items(items, read, refused, on_progress=on_progress):
            if not rows:  # an earlier set stays if no item can be used
                _remove_earlier_set(record)
                record.write(**facts)
            for target, picture in pictures.items():
                images.write_png(out / target, picture)
            rows += [_row(row, targets[item], out, size) for row in items[item]]
        problems = [f"{item}: {error}" for item, error in refused.items()]
        if not rows:
            raise UserError(f"{source}: no item is left; the first problem: {problems[0]}")
        included = dict.fromkeys(row["item"] for row in rows)  # in the same order in every process
        origins = {target: name for item in included for (_, name), target in targets[item].items()}
        record.write(**facts, problems=problems, files=origins)
        write_set(out, sorted(rows, key=lambda row: (row["kind"] == "fake", images.natural_key(row["stimulus"]))))
        return Equalised(len(included), size, tuple(problems))


def _remove_earlier_set(record: FolderRecord) -> None:
    """Remove the set that this command made before, its table first: it must not describe new pictures."""
    (record.folder / TABLE_NAME).unlink(missing_ok=True)
    for name in ("real", "fake", *_NEUTRAL_FOLDERS.values()) if record.file.is_file() else ():
        shutil.rmtree(record.folder / name, ignore_errors=True)


def _row(row: Row, targets: Targets, out: Path, size: Size) -> Row:
    """Return a row of the new table, whose pictures are written."""
    files: Row = {column: targets[column, row[column]] for column in FILE_COLUMNS if row[column] is not None}
    new = {**row, **files, "width": size[0], "height": size[1], **hashes_of(files, out)}
    if "mask_file" in files:
        new["mask_area"] = float(hole_of(images.read_rgb(out / files["mask_file"])).mean())
    return new


def _record(source: Path, out: Path) -> FolderRecord:
    """Return the record of the new set's folder; refuse a folder that holds the source or other results."""
    before, after, records = resolved(source), resolved(out), out / OWN_FOLDER
    if after == before or before in after.parents or after in before.parents:
        raise UserError(f"--out {out}: the new set needs a folder of its own, apart from {source}")
    check_output_folder(out)
    record = FolderRecord(out / RECORD, {"source": str(before)})
    if records.is_dir() and not record.file.is_file() and any(path != records for path in out.iterdir()):
        raise UserError(f"--out {out}: holds other results of gan_eval; name an empty folder")
    return record


def _pictures(stimuli: StimulusSet, targets: Targets, form: Form, size: Size) -> dict[str, images.Picture]:
    """Return the pictures of one item in the new form, by their new file."""
    pictures: dict[str, images.Picture] = {}
    for (column, name), target in targets.items():
        if target in pictures:
            continue
        path = stimuli.folder / name
        content = images.read_file(path)
        if column == "mask_file":
            mask = to_size(mask_of(hole_of(images.decode_rgb(content, path))), size, form.fit)
            pictures[target] = mask_of(mask > 127)
            continue
        picture = to_size(decode_srgb(content, path), size, form.fit)
        is_presented = column in ("file", "reference_file")
        pictures[target] = through_jpeg(picture, form.jpeg) if form.jpeg is not None and is_presented else picture
    return pictures


def common_size(stimuli: StimulusSet, form: Form) -> Size:
    """Return the common size of a set's pictures: the form's, else the smallest width and the smallest height.

    Raises:
        UserError: the table has no sizes, or a picture has another shape and the form has no `fit`.
    """
    sizes = [(row["width"], row["height"]) for row in stimuli.rows if row["width"] and row["height"]]
    if not sizes:
        raise UserError(f"{stimuli.folder / TABLE_NAME}: no row has the picture's width and height; fill them in")
    size = form.size or least_sides(sizes)
    others = [other for other in sizes if not has_shape(other, size)]
    if others and form.fit is None:
        raise UserError(
            f"{stimuli.folder}: {len(others)} pictures have another shape than {size[0]}x{size[1]}, the first is "
            f"{others[0][0]}x{others[0][1]}; give --fit crop (the centre is kept) or --fit stretch"
        )
    return size
