"""Make stimulus sets from the result folders of any generator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError
from gan_eval.files.atomic import write_json
from gan_eval.files.locks import hold_folder
from gan_eval.files.output_folders import relative_path
from gan_eval.stimuli import pictures as images
from gan_eval.stimuli.holes import hole_of, mask_of
from gan_eval.stimuli.pictures import Picture
from gan_eval.stimuli.sets import TABLE_NAME, identical_pictures, refuse_another_set, stimulus_row, write_set
from gan_eval.tables.frames import Row
from gan_eval.tables.names import model_name_problem, name_problem

RECORD = ".gan-eval/import.json"
"""Path in a set of the record of its source and of its import."""


@dataclass(frozen=True)
class Imported:
    """The result of an import."""

    folder: Path  # of the new set
    items: int
    problems: tuple[str, ...]
    """A message for each item that was not imported."""
    resized: int
    """Number of items whose pictures were scaled to one size."""
    warning: str
    """Warning that generated pictures are equal to real ones; empty if there are none."""


def import_folder(
    source: Path,
    out: Path,
    *,
    dataset: str | None = None,
    model: str = "generated",
    masks: Path | None = None,
    mask_kind: str | None = None,
    fit: images.Fit | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Make a stimulus set from another tool's result folder; the same call updates it.

    Two layouts are supported: sub-folders `real/` and `fake/` (and optionally `input/`) paired by file stem, and the
    flat result folder of pytorch-CycleGAN-and-pix2pix (`*_real_A.png` the input, `*_fake_B.png`, `*_real_B.png`).
    Pictures become 8-bit RGB PNG, so that the file format does not reveal the fakes.

    Args:
        out: folder of the new set: empty, or with an earlier set of the same source, data set and model.
        dataset: name of the data set; default: the folder's name.
        masks: folder with a mask (white is hole) for each item, of its stem and size; default: `mask/` of the source.
        mask_kind: how the holes were made, for the column of this name; default: folder.
        fit: crop or stretch the larger of two pictures of different sizes; default: the item is not imported.
        on_progress: called with (number of items done, number of all items).

    Raises:
        UserError: neither layout is found, pictures or masks are missing, no item is usable, or `out` has another set.
    """
    dataset = dataset or source.resolve().name
    if problem := model_name_problem(model):
        raise UserError(f"--model {model}: {problem}")
    if problem := name_problem(dataset, "data set"):
        raise UserError(f"--dataset {dataset}: {problem}")
    if source.resolve() == out.resolve():
        raise UserError(f"--out {out}: this is the folder that is imported; name another folder for the new set")
    items = _find_items(source, masks)
    if mask_kind is not None and not any("mask" in files for files in items.values()):
        raise UserError(f"--mask-kind {mask_kind}: {source} has no masks; name their folder with --masks")
    return import_items(
        items,
        out,
        where=str(source),
        dataset=dataset,
        models={"fake": model},
        mask_kind=mask_kind or "folder",
        resize=fit is not None,
        fit=fit,
        source=source,
        on_progress=on_progress,
    )


def import_items(
    items: Mapping[str, Mapping[str, Path]],
    out: Path,
    *,
    where: str,
    dataset: str,
    models: Mapping[str, str],
    mask_kind: str = "folder",
    resize: bool = False,
    fit: images.Fit | None = None,
    source: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Imported:
    """Make a stimulus set from pictures that are already matched by item.

    Args:
        items: for each stem its files by role: real, each role of `models` and, if present, input and mask.
        out, dataset, mask_kind, on_progress: as for `import_folder`.
        where: the source of the items, for messages.
        models: name of the model for each role of generated pictures; with one model, the role is `fake`.
        resize: if real and fake differ in size, scale the larger to the size of the smaller (bicubic).
        fit: crop or stretch, if they also differ in shape; default: the item is not imported.
        source: the folder of the pictures; a set of another source in `out` is an error. Default: it is replaced.

    Raises:
        UserError: no item is usable, or `out` has another set.
    """
    record: dict[str, Any] = {"dataset": dataset, "model": ", ".join(models.values())}
    with hold_folder(out):
        if source is not None:
            record["source"] = relative_path(source, out)
            refuse_another_set(out, RECORD, record)
        rows: list[Row] = []
        problems: list[str] = []
        resized = 0
        for done, (stem, files) in enumerate(items.items(), start=1):
            try:
                pictures = {role: images.read_rgb(path) for role, path in files.items()}
                if resize and any(pictures[role].shape != pictures["real"].shape for role in models):
                    pictures = _one_size(pictures, {role: files[role] for role in ("real", *models)}, fit)
                    resized += 1
                height, width = pictures["real"].shape[:2]
                for role in (role for role in (*models, "mask") if role in pictures):
                    if pictures[role].shape[:2] != (height, width):
                        sizes = f"{width}x{height} and {pictures[role].shape[1]}x{pictures[role].shape[0]}"
                        fix = ": --fit crop or --fit stretch" if role in models else ""
                        raise UserError(
                            f"{files[role]}: real and {role} differ in size ({sizes}); bring both to one size{fix}"
                        )
            except UserError as error:
                problems.append(str(error))
            else:
                if not rows:
                    (out / TABLE_NAME).unlink(missing_ok=True)  # the old table would not match the pictures written now
                rows += _write_item(pictures, out, dataset=dataset, models=models, stem=stem, mask_kind=mask_kind)
            if on_progress:
                on_progress(done, len(items))
        if not rows:
            raise UserError(f"{where}: no usable pair of pictures; the first problem: {problems[0]}")
        record |= {"problems": problems, "resized": resized}
        write_json(out / RECORD, record)  # before the table, so that a killed import can be repeated
        write_set(out, sorted(rows, key=lambda row: (row["kind"] == "fake", images.natural_key(row["stimulus"]))))
        return Imported(out, len(rows) // (1 + len(models)), tuple(problems), resized, identical_pictures(rows))


def _one_size(pictures: Mapping[str, Picture], shown: Mapping[str, Path], fit: images.Fit | None) -> dict[str, Picture]:
    """Return an item's pictures by role, scaled to the smallest size among the real and generated ones (`shown`)."""
    sizes: dict[str, images.Size] = {role: (picture.shape[1], picture.shape[0]) for role, picture in pictures.items()}
    shown_sizes = {sizes[role] for role in shown}
    target = min(shown_sizes, key=lambda size: (size[0] * size[1], size))
    others = [role for role in shown if sizes[role] != sizes["real"]]
    if fit is None and not all(images.has_shape(size, target) for size in shown_sizes):
        wrong = next((role for role in others if not images.has_shape(sizes["real"], sizes[role])), others[0])
        (width, height), (other_width, other_height) = sizes["real"], sizes[wrong]
        raise UserError(
            f"{shown[wrong]}: real and fake differ in shape ({width}x{height} and {other_width}x{other_height}); give "
            "--fit crop (the centre is kept) or --fit stretch"
        )
    return {
        role: images.to_size(picture, target, fit) if sizes[role] in shown_sizes else picture
        for role, picture in pictures.items()
    }


def _write_item(
    pictures: Mapping[str, Picture], out: Path, *, dataset: str, models: Mapping[str, str], stem: str, mask_kind: str
) -> list[Row]:
    """Write an item's pictures as PNG; return their rows of stimuli.csv, the real picture first."""
    files = {role: f"{role}/{stem}.png" for role in pictures}
    for role, picture in pictures.items():
        images.write_png(out / files[role], mask_of(hole_of(picture)) if role == "mask" else picture)
    shared: dict[str, Any] = {"dataset": dataset, "stem": stem, "size": pictures["real"].shape[:2]}
    shared["input_file"] = files.get("input")
    if "mask" in pictures:
        area = float(hole_of(pictures["mask"]).mean())
        shared |= {"mask_kind": mask_kind, "mask_area": area, "mask_file": files["mask"]}
    rows = [stimulus_row(out, out / files["real"], kind="real", **shared)]
    for role, model in models.items():
        generated = {"model": model, "reference_file": files["real"], **shared}
        rows.append(stimulus_row(out, out / files[role], kind="fake", **generated))
    return rows


def _find_items(source: Path, masks: Path | None) -> dict[str, dict[str, Path]]:
    """Return for each stem its files by role: real, fake and, if present, input and mask."""
    if (source / "real").is_dir() and (source / "fake").is_dir():
        roles = {role: images.by_stem(images.list_pictures(source / role)) for role in ("real", "fake")}
        if (source / "input").is_dir():
            roles["input"] = images.by_stem(images.list_pictures(source / "input"))
    else:
        suffixes = {"input": "_real_A", "fake": "_fake_B", "real": "_real_B"}
        paths = images.list_pictures(source)
        files = images.by_stem(path for path in paths if path.stem.endswith(tuple(suffixes.values())))
        roles = {
            role: {stem.removesuffix(suffix): path for stem, path in files.items() if stem.endswith(suffix)}
            for role, suffix in suffixes.items()
        }
        if not roles["real"] or not roles["fake"]:
            raise UserError(
                f"{source}: no known layout; expected sub-folders real/ and fake/ with equal file stems, "
                "or files named *_real_A.png, *_fake_B.png, *_real_B.png"
            )
    if unpaired := sorted(set(roles["real"]) ^ set(roles["fake"]), key=images.natural_key):
        missing = "fake" if unpaired[0] in roles["real"] else "real"
        more = f" and {len(unpaired) - 1} more" if len(unpaired) > 1 else ""
        raise UserError(
            f"{source}: {unpaired[0]}{more}: no {missing} picture with this file stem; add it or remove the other"
        )
    for stem, path in roles["real"].items():
        if not stem.isprintable():
            raise UserError(f"{source}: the file name {path.name!a} cannot be written in a table; rename it")
    if masks is None and (source / "mask").is_dir():
        masks = source / "mask"
    if masks is not None:
        roles["mask"] = images.by_stem(images.list_pictures(masks))
        if unmasked := sorted(set(roles["real"]) - set(roles["mask"]), key=images.natural_key):
            more = f" and {len(unmasked) - 5} more" if len(unmasked) > 5 else ""
            raise UserError(f"{masks}: {', '.join(unmasked[:5])}{more}: no mask with this stem; add it, white is hole")
    return {stem: {role: files[stem] for role, files in roles.items() if stem in files} for stem in roles["real"]}
