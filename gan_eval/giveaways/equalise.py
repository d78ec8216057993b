"""Bring real and generated pictures to one form, so that nothing but the content tells them apart.

File names that tell nothing: items numbered by a seeded shuffle, one number for all versions of an item.

The pictures of a stimulus set as they are before they are brought to one form.
"""

import io
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, JpegImagePlugin

import gan_eval
from gan_eval.errors import UserError
from gan_eval.files import (
    OWN_FOLDER,
    check_output_folder,
    claim_output_folder,
    remove_leftovers,
    sha256_bytes,
    sha256_file,
    write_json,
)
from gan_eval.giveaways.file_facts import tables_hash
from gan_eval.giveaways.form import Form, Size, decode_srgb, has_shape, through_jpeg, to_size
from gan_eval.stimuli import pictures as images
from gan_eval.stimuli.holes import hole_of, mask_of
from gan_eval.stimuli.pictures import read_file
from gan_eval.stimuli.sets import FILE_COLUMNS, TABLE_NAME, FileColumn, StimulusSet, read_set, write_set
from gan_eval.tabular import Row

Targets = dict[tuple[FileColumn, str], str]
"""For each column and file of the old table, the new file."""

_NEUTRAL_FOLDERS: dict[FileColumn, str] = {"input_file": "input", "reference_file": "reference", "mask_file": "mask"}


def neutral_names(items: Iterable[str], *, seed: int) -> dict[str, str]:
    """A number for each item, of equal length and in shuffled order.

    >>> sorted(neutral_names(["d/a", "d/b"], seed=0).values())
    ['1', '2']
    """
    items = list(dict.fromkeys(items))
    numbers = np.random.default_rng(seed).permutation(len(items)) + 1
    digits = len(str(len(items)))
    return {item: f"{number:0{digits}d}" for item, number in zip(items, numbers, strict=True)}


def targets_of(versions: Sequence[Row], name: str, models: Sequence[str]) -> Targets:
    """Where the files of one item go: `real/NAME.png`, `fake/NAME.png`, `input/NAME.png`.

    With several models, their pictures lie in `fake/1/`, `fake/2/`, in the order of `models`; so do further inputs of
    one item. The reference of a generated picture is the new file of the real one, where it was its file.
    """
    targets: Targets = {}
    for column in FILE_COLUMNS:
        for row in versions:
            source = row[column]
            if source is None or (column, source) in targets:
                continue
            if column == "reference_file" and ("file", source) in targets:
                targets[column, source] = targets["file", source]
                continue
            number = models.index(row["model"]) + 1 if row["model"] else 0
            folder = _NEUTRAL_FOLDERS.get(column, row["kind"])
            target = f"{folder}/{name}.png"
            if (column == "file" and number and len(models) > 1) or target in targets.values():
                target = f"{folder}/{number}/{name}.png"
            targets[column, source] = target
    return targets


RECORD = "equalise.json"
"""What was done, in the new set's `.gan-eval/`."""
_FOLDERS = ("real", "fake", "input", "reference", "mask")


@dataclass(frozen=True)
class Equalised:
    """What came of it."""

    folder: Path
    items: int
    size: Size
    problems: tuple[str, ...]
    """One line for each item that was left out, all its versions together."""
    remaining: tuple[str, ...]
    """What may still tell, and how to take it away."""


def equalise(
    source: Path, out: Path, form: Form, *, on_progress: Callable[[int, int], None] | None = None
) -> Equalised:
    """Make a stimulus set whose pictures are all 8-bit RGB PNG of one size, without metadata, with neutral names.

    Identifiers stay: a stimulus has the same name in both sets. Embedded colour profiles are applied. Pictures are
    scaled where their size differs, those of both classes by the same rule.

    Args:
        source: the stimulus set.
        out: the new one; empty, or an earlier one made here.
        form: what the pictures are to have in common.
        on_progress: called with (items done, items in all).

    Raises:
        UserError: pictures differ in shape and `form.fit` does not say what to do; no item is left; `out` is the
            source, holds other results, or cannot be written.
    """
    source, out = Path(source), Path(out)
    stimuli = read_set(source, files_must_exist=False)
    _check_folder(source, out)
    items = _items(stimuli)
    sources, problems = look_at(stimuli, items)
    if not sources:
        raise UserError(f"{source}: no item is left; the first problem: {problems[0]}")
    seen = [each for item in sources.values() for each in item]
    size = common_size(seen, form, source)
    record = _record(source, form, size)
    _begin(out, record)
    targets = _targets(items, form)
    rows: list[Row] = []
    for done, item in enumerate(sources, start=1):
        try:
            pictures = _pictures(stimuli, items[item], targets[item], form, size)
        except UserError as error:
            problems.append(f"{item}: {error}")
        else:
            for target, picture in pictures.items():
                images.write_png(out / target, picture)
            rows += [_new_row(row, targets[item], out, size) for row in items[item]]
        if on_progress:
            on_progress(done, len(sources))
    if not rows:
        raise UserError(f"{source}: no item is left; the first problem: {problems[0]}")
    left = dict.fromkeys(row["item"] for row in rows)  # in an order that is the same in every process
    origins = {target: name for item in left for (_, name), target in targets[item].items()}
    write_json(out / OWN_FOLDER / RECORD, {**record, "problems": problems, "files": origins})
    write_set(out, sorted(rows, key=lambda row: (row["kind"] == "fake", images.natural_key(row["stimulus"]))))
    return Equalised(out, len(left), size, tuple(problems), tuple(remaining_clues(seen, form, size)))


def _items(stimuli: StimulusSet) -> dict[str, list[Row]]:
    """The versions of each item."""
    items: dict[str, list[Row]] = {}
    for row in stimuli.rows:
        items.setdefault(row["item"], []).append(row)
    return items


def _targets(items: dict[str, list[Row]], form: Form) -> dict[str, Targets]:
    """The new files of each item."""
    names = neutral_names(items, seed=form.seed)
    models = list(dict.fromkeys(row["model"] for versions in items.values() for row in versions if row["model"]))
    return {item: targets_of(versions, names[item], models) for item, versions in items.items()}


def _check_folder(source: Path, out: Path) -> None:
    """
    Raises:
        UserError: `out` is the source, holds other results, or cannot be written.
    """
    old, new = source.resolve(), out.resolve()
    if new == old or old in new.parents or new in old.parents:
        raise UserError(f"--out {out}: the new set needs a folder of its own, apart from {source}")
    check_output_folder(out)
    if (out / OWN_FOLDER).is_dir() and not _is_ours(out) and any(path.name != OWN_FOLDER for path in out.iterdir()):
        raise UserError(f"--out {out}: holds other results of gan_eval; name an empty folder")


def _is_ours(out: Path) -> bool:
    return (out / OWN_FOLDER / RECORD).is_file()


def _begin(out: Path, record: dict[str, Any]) -> None:
    """Claim the folder and clear away an earlier set made here, its table first."""
    ours = _is_ours(out)
    claim_output_folder(out)
    remove_leftovers(out)
    (out / TABLE_NAME).unlink(missing_ok=True)
    if ours:
        for name in _FOLDERS:
            shutil.rmtree(out / name, ignore_errors=True)
    write_json(out / OWN_FOLDER / RECORD, record)


def _record(source: Path, form: Form, size: Size) -> dict[str, Any]:
    return {
        "source": str(source.resolve()),
        "source_sha256": sha256_file(source / TABLE_NAME),
        "format": "PNG, 8-bit RGB in sRGB, no metadata",
        "resized_by": "bicubic",
        **asdict(form),
        "size": size,
        "software": f"gan_eval {gan_eval.__version__}",
    }


def _pictures(
    stimuli: StimulusSet, versions: Sequence[Row], targets: Targets, form: Form, size: Size
) -> dict[str, images.Picture]:
    """The pictures of one item in the new form, by their new file.

    Raises:
        UserError: a picture cannot be read, or is no longer the one that entered the set.
    """
    known = {row["file"]: row["sha256"] for row in versions}
    pictures: dict[str, images.Picture] = {}
    for (column, name), target in targets.items():
        if target not in pictures:
            pictures[target] = _in_form(stimuli.folder / name, column, known.get(name), form, size)
    return pictures


def _in_form(path: Path, column: FileColumn, sha256: str | None, form: Form, size: Size) -> images.Picture:
    content = images.read_file(path)
    if sha256 not in (None, sha256_bytes(content)):
        raise UserError(f"{path}: the picture has changed since it entered the stimulus set (SHA-256); restore it")
    if column == "mask_file":
        mask = to_size(mask_of(hole_of(images.decode_rgb(content, path))), size, form.fit)
        return mask_of(mask > 127)
    picture = to_size(decode_srgb(content, path), size, form.fit)
    shown = column in ("file", "reference_file")
    return through_jpeg(picture, form.jpeg) if form.jpeg is not None and shown else picture


def _new_row(row: Row, targets: Targets, out: Path, size: Size) -> Row:
    files: Row = {column: targets[column, row[column]] for column in FILE_COLUMNS if row[column] is not None}
    new = {**row, **files, "width": size[0], "height": size[1], "sha256": sha256_file(out / files["file"])}
    if "mask_file" in files:
        new["mask_area"] = float(hole_of(images.read_rgb(out / files["mask_file"])).mean())
    return new


@dataclass(frozen=True)
class Source:
    """One picture that can be shown."""

    kind: str
    codec: str
    """The lossy coding that left its traces in the pixels; empty where there is none that is known."""
    size: Size
    """Once it is turned upright."""


def look_at(stimuli: StimulusSet, items: Mapping[str, Sequence[Row]]) -> tuple[dict[str, list[Source]], list[str]]:
    """The sources of each item, and a line for each item of which a picture cannot be read."""
    sources: dict[str, list[Source]] = {}
    problems: list[str] = []
    for item, versions in items.items():
        try:
            sources[item] = [_look_at_one(stimuli.folder / row["file"], row["kind"]) for row in versions]
        except UserError as error:
            problems.append(f"{item}: {error}")
    return sources, problems


def common_size(sources: Iterable[Source], form: Form, where: Path) -> Size:
    """The size that all are brought to: the form's, else the smallest width and the smallest height.

    Raises:
        UserError: a picture has another shape, and the form does not say how it is to be fitted.
    """
    sizes = [source.size for source in sources]
    size = form.size or (min(width for width, _ in sizes), min(height for _, height in sizes))
    others = [each for each in sizes if not has_shape(each, size)]
    if others and form.fit is None:
        raise UserError(
            f"{where}: {len(others)} pictures have another shape than {size[0]}x{size[1]}, the first is "
            f"{others[0][0]}x{others[0][1]}; give --fit crop (the centre is kept) or --fit stretch"
        )
    return size


def remaining_clues(sources: Sequence[Source], form: Form, size: Size) -> list[str]:
    """What the pictures' past may still tell once they have one form, and how to take it away."""
    real, fake = ([source for source in sources if source.kind == kind] for kind in ("real", "fake"))
    lines: list[str] = []
    codecs = [sorted({source.codec or "none" for source in each}) for each in (real, fake)]
    if codecs[0] != codecs[1] and form.jpeg is None:
        told = [", ".join(each[:3]) for each in codecs]
        lines.append(
            f"lossy coding, by format and tables: real {told[0]}; generated {told[1]}; its traces stay in the pixels, "
            "--jpeg 75 puts the same on all"
        )
    scaled = [_share(each, [source.size != size for source in each]) for each in (real, fake)]
    if scaled[0] != scaled[1]:
        lines.append(
            f"scaled were {scaled[0]} of the real and {scaled[1]} of the generated pictures, and scaling changes "
            "sharpness; a --size smaller than all scales all"
        )
    return lines


def _share(sources: Sequence[Source], told: Sequence[bool]) -> str:
    return f"{100 * sum(told) / len(sources):.0f} %" if sources else "none"


def _look_at_one(path: Path, kind: str) -> Source:
    content = read_file(path)
    try:
        with Image.open(io.BytesIO(content)) as image:
            sideways = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
            size = (image.height, image.width) if sideways else image.size
            return Source(kind, _codec(image), size)
    except Exception as error:  # decoders raise whatever the damaged bytes lead to: struct.error, KeyError, ...
        raise UserError(f"{path}: not a readable picture ({error}); replace or remove it") from error


def _codec(image: Image.Image) -> str:
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return f"JPEG {tables_hash(image)}"
    return "WebP" if image.format == "WEBP" else ""
