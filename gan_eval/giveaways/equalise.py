"""Bring real and generated pictures to one form, so that nothing but the content tells them apart."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
from gan_eval.giveaways.form import Form, Size, decode_srgb, through_jpeg, to_size
from gan_eval.giveaways.neutral_names import Targets, neutral_names, targets_of
from gan_eval.giveaways.sources import common_size, look_at, remaining_clues
from gan_eval.stimuli import pictures as images
from gan_eval.stimuli.holes import hole_of, mask_of
from gan_eval.stimuli.sets import FILE_COLUMNS, TABLE_NAME, FileColumn, StimulusSet, read_set, write_set
from gan_eval.tabular import Row

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
