"""Make stimulus sets from the result folders of any generator.

`import_folder` finds the files of each item (`layouts`); `import_items` checks some of them (`agreement`), reads all of
them and writes the set.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from functools import reduce
from itertools import chain
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np

from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_folder
from gan_eval.base.output_folders import relative_path
from gan_eval.base.progress import Progress
from gan_eval.base.reading import resolved
from gan_eval.base.record import FolderRecord
from gan_eval.pictures import agreement
from gan_eval.pictures import decode as images
from gan_eval.pictures.captions import read_captions
from gan_eval.pictures.containers import Unpacked, named, pictures_folder
from gan_eval.pictures.decode import Picture
from gan_eval.pictures.holes import hole_of, mask_of
from gan_eval.pictures.layouts import (
    NAMED_AS_INPUTS,
    RESULTS,
    ROLE_NAMES,
    Found,
    Items,
    Part,
    content_name,
    find_items,
    items_of,
    parts_of,
    with_masks,
)
from gan_eval.pictures.profiles import to_srgb
from gan_eval.pictures.sets import (
    TABLE_NAME,
    identical_pictures,
    refuse_another_set,
    repeated_pictures,
    stimulus_row,
    usable_items,
    write_set,
)
from gan_eval.tables.frames import Row
from gan_eval.tables.names import model_name_problem, name_problem

RECORD = ".gan-eval/import.json"
"""Path in a set of the record of its source and of its import."""


@dataclass(frozen=True)
class Reading:
    """Settings for reading an item's pictures."""

    resize: bool = False
    """If real and fake differ in size, bring the larger to the size of the smaller."""
    fit: images.Fit | None = None
    """Crop or stretch the larger one if they differ in shape, too, or cut both at the top left without scaling.
    Default: scaled, or cut where that agrees better; an item of two shapes is not imported."""
    white: int | None = None
    """Level of white, such as 4095 for 12 bits in 16; default: the peak of 8 or 16 bits."""
    mask_hole: agreement.HoleColour | None = None
    """Colour of the holes in masks; default: white, and masks that are certainly inverted are refused."""
    size: images.Size | None = None
    """Width and height of all pictures of a set without partners; default: their own."""


@dataclass(frozen=True)
class ImportedSet:
    """The result of an import."""

    folder: Path  # of the new set
    items: int
    problems: tuple[str, ...]
    """A message for each item that was not imported."""
    resized: int
    """Number of items whose pictures were brought to one size."""
    remarks: tuple[str, ...]
    """Messages about the imported pictures: sizes, levels, profiles, masks, equal pictures."""
    pictures: Mapping[str, int]
    """Number of real and of generated pictures."""


def import_folder(
    source: Path,
    out: Path,
    *,
    fakes: Sequence[Path] = (),
    paired: bool | None = None,
    tar_key: str | None = None,
    dataset: str | None = None,
    model: str | None = None,
    masks: Path | None = None,
    mask_kind: str | None = None,
    fit: images.Fit | None = None,
    white: int | None = None,
    mask_hole: agreement.HoleColour | None = None,
    on_progress: Progress | None = None,
) -> ImportedSet:
    """Make a stimulus set from another tool's results; the same call updates it.

    The layouts of `gan_eval.pictures.layouts` are known. Pictures become 8-bit RGB PNG in sRGB, so that neither file
    format nor colour profile reveals the fakes.

    Args:
        source: a folder in a known layout, or a container (`gan_eval.pictures.containers`) of one; with `fakes`, the
            real pictures alone.
        out: folder of the new set: empty, or with an earlier set of the same source, data set and model.
        fakes: a folder or container of generated pictures for each model, which has its name.
        paired: see `gan_eval.pictures.layouts.items_of`; the running numbers of a container are no partners.
        tar_key: see `pictures_folder`.
        dataset: name of the data set; default: that of the folder (`content_name`).
        model: name of the generator, if there is one; default: that of its folder, or `generated`.
        masks: folder with a mask for each item, of its stem and size; default: `mask/` of the source.
        mask_kind: how the holes were made, for the column of this name; default: folder.
        fit, white, mask_hole: see `Reading`.
        on_progress: called with (number of items done, number of all items).

    Raises:
        UserError: no layout is found, pictures or masks are missing, no item is usable, the pictures are not pairs, the
            masks are inverted, or `out` has another set.
    """
    dataset = dataset or content_name(source)
    names = model_names(fakes) if fakes else ["generated"]
    if model is not None and len(fakes) > 1:
        raise UserError(f"--model {model}: each of {len(fakes)} folders names its model; rename the folders instead")
    names = names if model is None else [model]
    if problem := model_name_problem(names[0]):
        raise UserError(f"--model {names[0]}: {problem}")
    if problem := name_problem(dataset, "data set"):
        raise UserError(f"--dataset {dataset}: {problem}")
    if resolved(out) in map(resolved, (source, *fakes)):
        raise UserError(f"--out {out}: this is the folder that is imported; name another folder for the new set")
    with ExitStack() as opened:
        found, models = found_pictures(source, fakes, names, opened, masks=masks, paired=paired, tar_key=tar_key)
        _refuse_without_masks(found.items, source, {"--mask-kind": mask_kind, "--mask-hole": mask_hole})
        return import_items(
            found,
            out,
            where=str(source),
            dataset=dataset,
            models=models,
            mask_kind=mask_kind or "folder",
            reading=Reading(fit is not None, fit, white, mask_hole),
            source=source,
            on_progress=on_progress,
        )


def _refuse_without_masks(items: Items, source: Path, options: Mapping[str, str | None]) -> None:
    """Refuse options about masks if no item has one."""
    if not any("mask" in files for files in items.values()):
        for option, value in options.items():
            if value is not None:
                raise UserError(f"{option} {value}: {source} has no masks; name their folder with --masks")


def found_pictures(
    source: Path,
    fakes: Sequence[Path],
    names: Sequence[str],
    opened: ExitStack,
    *,
    masks: Path | None = None,
    paired: bool | None = None,
    tar_key: str | None = None,
) -> tuple[Found, dict[str, str]]:
    """Return the files of each item, and the name of the model of each role of generated pictures.

    Args:
        source, fakes, masks, paired, tar_key: as for `import_folder`.
        names: name of the model of each folder; of `source`, if it has generated pictures, too.
        opened: keeps the unpacked containers until it is closed.
    """
    places = (source, *fakes)
    unpacked = [opened.enter_context(pictures_folder(place, tar_key=tar_key)) for place in places]
    models = {"fake": names[0]} if len(names) == 1 else {f"fake/{name}": name for name in names}
    if fakes:
        found = _in_folders(places, unpacked, tuple(models), masks, paired)
    else:
        found = find_items(unpacked[0].folder, masks, paired=paired)
    return _with_captions(found, unpacked), models


def _in_folders(
    places: Sequence[Path], unpacked: Sequence[Unpacked], models: Sequence[str], masks: Path | None, paired: bool | None
) -> Found:
    """Return the files of a folder of real pictures and of one of generated pictures for each role in `models`."""
    real, generated = parts_of(unpacked[0].folder, [each.folder for each in unpacked[1:]])
    parts = zip(places, (real, *generated), strict=True)
    remarks = [f"{place}: {remark}" for place, part in parts for remark in part.remarks]
    roles = real.roles | {role: part.roles["fake"] for role, part in zip(models, generated, strict=True)}
    if inputs := next((part.roles["input"] for part in generated if "input" in part.roles), None):
        roles["input"] = inputs
    reason = "" if paired is not None else _why_unpaired(places[0], real, unpacked)
    items, lines = items_of(roles, places[0], models, paired=False if reason else paired)
    return Found(with_masks(items, masks), (*remarks, *filter(None, [reason]), *lines))


def _why_unpaired(source: Path, real: Part, unpacked: Sequence[Unpacked]) -> str:
    """Return why no picture is the partner of another; empty if some may be."""
    if real.is_paired is False:
        return f"{source}: {NAMED_AS_INPUTS}"
    if any(each.is_numbered for each in unpacked):
        return "a container's pictures have running numbers, so they have no partners; if they do, give --paired"
    return ""


def _model_name(fake: Path) -> str:
    """Return the name of the model of a folder or container."""
    stem = resolved(fake).name if fake.is_dir() else fake.name.partition(".")[0]
    stem = content_name(fake) if RESULTS.fullmatch(stem.lower()) else stem
    name = re.sub("[^A-Za-z0-9._-]+", "-", stem).strip("-.")
    return "generated" if name.lower() in ROLE_NAMES or model_name_problem(name) else name


def _with_captions(found: Found, unpacked: Sequence[Unpacked]) -> Found:
    """Return the files with the captions that stand in these folders; messages name the containers of these."""
    files = [path for roles in found.items.values() for role, path in roles.items() if role not in ("input", "mask")]
    captions = [read_captions(each.folder, files) for each in unpacked]
    texts = reduce(or_, (each.texts for each in captions))
    containers = reduce(or_, (each.containers for each in unpacked))
    of_places, of_captions = (chain.from_iterable(each.notes for each in of) for of in (unpacked, captions))
    remarks = [named(line, containers) for line in (*of_places, *found.remarks, *of_captions)]
    return Found(found.items, tuple(remarks), texts, containers)


def model_names(fakes: Sequence[Path]) -> list[str]:
    """Return the name of each model: its folder's or container's name, or `generated` for one such as `fake`.

    Raises:
        UserError: two models have one name.
    """
    names = [_model_name(fake) for fake in fakes]
    folded = [name.casefold() for name in names]  # each becomes a folder, also on systems that ignore case
    for number, name in enumerate(names):
        if folded[number] in folded[:number]:
            other = fakes[folded.index(folded[number])]
            raise UserError(f"{fakes[number]} and {other}: both models would be called {name}; rename one folder")
    return names


def import_items(
    found: Found,
    out: Path,
    *,
    where: str,
    dataset: str,
    models: Mapping[str, str],
    mask_kind: str = "folder",
    reading: Reading | None = None,
    source: Path | None = None,
    on_progress: Progress | None = None,
) -> ImportedSet:
    """Make a stimulus set from pictures that are already matched by item.

    Args:
        found: for each item its files by role, and remarks on how they were found. A picture without a caption has that
            of its item.
        out, dataset, mask_kind, on_progress: as for `import_folder`.
        where: the source of the items, for messages.
        models: name of the model for each role of generated pictures; with one model, the role is `fake`.
        reading: how the pictures are read.
        source: the folder of the pictures; a set of another source in `out` is an error. Default: it is replaced.

    Raises:
        UserError: no item is usable, the masks are inverted, or `out` has another set.
    """
    items = found.items
    origin = {"dataset": dataset, "model": ", ".join(models.values())}
    origin |= {} if source is None else {"source": relative_path(source, out)}
    record = FolderRecord(out / RECORD, origin)
    with hold_folder(out):
        if source is not None:
            refuse_another_set(record)
        reading, lines = _checked(items, models, reading or Reading())
        remarks = [*found.remarks, *(named(line, found.containers) for line in lines)]
        rows: list[Row] = []
        refused: dict[str, UserError] = {}
        resized = 0
        profiles: Counter[tuple[str, str]] = Counter()

        def read(item: str) -> Item:
            return read_item(items[item], models, reading)

        for stem, item in usable_items(items, read, refused, on_progress=on_progress):
            if not rows:
                (out / TABLE_NAME).unlink(missing_ok=True)  # the old table would not match the pictures written now
            written = _write_item(item.pictures, out, dataset=dataset, models=models, key=stem, mask_kind=mask_kind)
            rows += _captioned(written, items[stem], models, found.captions)
            resized += item.is_resized
            profiles.update(item.profiles.items())
        problems = [named(str(error), found.containers) for error in refused.values()]
        _require_each_model(rows, items, models, where=where, problems=problems)
        imported = len(items) - len(problems)
        remarks += _changes(reading, imported, resized, profiles)
        remarks += filter(None, [repeated_pictures(rows), identical_pictures(rows)])
        # before the table, so that a killed import can be repeated
        record.write(**asdict(reading), problems=problems, remarks=remarks, resized=resized)
        write_set(out, sorted(rows, key=lambda row: (row["kind"] == "fake", images.natural_key(row["stimulus"]))))
        kinds = Counter(str(row["kind"]) for row in rows)
        return ImportedSet(out, imported, tuple(problems), resized, tuple(remarks), kinds)


def _require_each_model(
    rows: Sequence[Row], items: Items, models: Mapping[str, str], *, where: str, problems: Sequence[str]
) -> None:
    """Refuse a set without a usable picture of a model, or without a real one, where the items have some."""
    made = {row["model"] for row in rows}  # None: real pictures
    for role, name in {"real": None, **models}.items():
        if name not in made and any(role in files for files in items.values()):
            of = f" of {name}" if name and rows else ""
            raise UserError(f"{where}: no usable picture{of}; the first problem: {problems[0]}")


def _changes(reading: Reading, imported: int, resized: int, profiles: Mapping[tuple[str, str], int]) -> list[str]:
    """Return messages about the sizes and colour profiles of the imported pictures."""
    how = _HOW_CUT.get(reading.fit or "", "scaled to the smaller (bicubic)")
    if reading.size:
        how = f"brought to {reading.size[0]}x{reading.size[1]}"
    lines = [f"{resized} of {imported} items had pictures of other sizes, which were {how}"] * bool(resized)
    for (role, name), count in profiles.items():
        fate = "was ignored" if name == UNREADABLE else "was applied, as all pictures are shown in sRGB"
        lines.append(f"{count} of {imported} {role} pictures: the colour profile {name!r} {fate}")
    return lines


def _captioned(
    rows: Sequence[Row], files: Mapping[str, Path], models: Mapping[str, str], captions: Mapping[Path, str]
) -> list[Row]:
    """Return an item's rows with their captions: a picture's own, else that of another picture of the item."""
    texts = {role: captions.get(path) for role, path in files.items()}
    any_text = next(filter(None, texts.values()), None)
    role_of = {None: "real"} | {model: role for role, model in models.items()}
    return [{**row, "caption": texts.get(role_of[row["model"]]) or any_text} for row in rows]


@dataclass(frozen=True)
class Item:
    """An item's pictures, read and brought to one size."""

    pictures: Mapping[str, Picture]
    """Pictures by role; a mask is white in the hole."""
    profiles: Mapping[str, str]
    """Names of the colour profiles, other than sRGB, by role."""
    is_resized: bool


_HOW_CUT = {"corner": "cut at the top left", "centre": "cut to their centre"}
UNREADABLE = "unreadable"
"""Name of a profile that cannot be applied."""


def read_item(files: Mapping[str, Path], models: Mapping[str, str], reading: Reading) -> Item:
    """Read an item's pictures.

    Raises:
        UserError: a picture cannot be read, the mask shows no hole, or the sizes differ.
    """
    pictures, profiles = _decoded(files, reading)
    if not {"real", *models} <= pictures.keys():
        if reading.size is None:
            return Item(pictures, profiles, False)
        sized = {role: images.to_size(picture, reading.size, reading.fit) for role, picture in pictures.items()}
        return Item(sized, profiles, any(sized[role] is not picture for role, picture in pictures.items()))
    is_resized = reading.resize and any(pictures[role].shape != pictures["real"].shape for role in models)
    if is_resized:
        pictures = _one_size(pictures, {role: files[role] for role in ("real", *models)}, reading.fit)
    _require_one_size(pictures, files, models)
    return Item(pictures, profiles, is_resized)


def _require_one_size(pictures: Mapping[str, Picture], files: Mapping[str, Path], models: Collection[str]) -> None:
    """Refuse generated pictures and masks of another size than the real picture."""
    height, width = pictures["real"].shape[:2]
    for role in (role for role in (*models, "mask") if role in pictures):
        other = (pictures[role].shape[1], pictures[role].shape[0])
        if other != (width, height):
            fix = ""
            if role in models:
                fix = f": --fit crop or --fit stretch{agreement.size_advice(pictures['real'], pictures[role])}"
            raise UserError(
                f"{files[role]}: real and {role} differ in size ({width}x{height} and {other[0]}x{other[1]}); bring "
                f"both to one size{fix}"
            )


def _decoded(files: Mapping[str, Path], reading: Reading) -> tuple[dict[str, Picture], dict[str, str]]:
    """Return an item's pictures in sRGB, and the names of their profiles, by role."""
    pictures: dict[str, Picture] = {}
    profiles: dict[str, str] = {}
    for role, path in files.items():
        content = images.read_file(path)
        if role == "mask":
            pictures[role] = _decode_mask(content, path, reading.mask_hole or "white")
            continue
        pictures[role] = images.decode_rgb(content, path, white=reading.white)
        try:
            pictures[role], profile = to_srgb(pictures[role], content, path)
        except UserError:  # viewers ignore such a profile, too
            profile = UNREADABLE
        profiles |= {role: profile} if profile else {}
    return pictures, profiles


def _decode_mask(content: bytes, path: Path, hole: agreement.HoleColour) -> Picture:
    """Return a mask's picture, white in the hole."""
    samples = images.decode_samples(
        content,
        path,
        transparent="the mask is transparent in places, but holes are read from black and white; save its alpha "
        "channel as a picture (transparent becomes black, the rest white) and name the holes' colour by --mask-hole",
    )
    mask = images.rgb_of(samples)
    if samples.any() and not hole_of(mask).any():
        raise UserError(
            f"{path}: no pixel of the mask is white: its levels are {samples.min()} to {samples.max()}, white is "
            f"{np.iinfo(samples.dtype).max}; save the mask in black and white"
        )
    return mask if hole == "white" else 255 - mask


def _checked(items: Items, models: Mapping[str, str], reading: Reading) -> tuple[Reading, list[str]]:
    """Look at some items before anything is written; return how to read them, and remarks."""
    shown = {role: [files[role] for files in items.values() if role in files] for role in ("real", *models)}
    is_paired = any({"real", *models} <= files.keys() for files in items.values())
    pairs = {role: list(zip(shown["real"], shown[role], strict=True)) for role in models if is_paired}
    remarks = images.unread_lines(chain.from_iterable(files.values() for files in items.values()))
    remarks += _remarks_on_pictures(shown, pairs, white=reading.white)
    if not is_paired:
        return _common_size(shown, reading, remarks)
    if reading.resize:
        better, line = agreement.fit_remark(_in_turn(pairs), reading.fit)
        if line:
            reading = replace(reading, fit=reading.fit or better)
            remarks.append(f"sizes differ: {line}")
    return reading, [*remarks, *_mask_lines(items, models, reading)]


Pairs = Mapping[str, Sequence[tuple[Path, Path]]]
"""The real and the generated picture of each item, by role."""


def _in_turn(pairs: Pairs) -> list[tuple[Path, Path]]:
    """Return the pairs item by item."""
    return [*chain.from_iterable(zip(*pairs.values(), strict=True))]


def _remarks_on_pictures(shown: Mapping[str, Sequence[Path]], pairs: Pairs, *, white: int | None) -> list[str]:
    """Return remarks on pictures that are not what their role says, or of something else than their partners."""
    models = [role for role in shown if role != "real"]
    remarks = agreement.dark_folders(shown, white=white)
    remarks += chain.from_iterable(agreement.sample_lines(role, shown[role]) for role in models)
    if changed := [f"{role}: {line}" for role, of in pairs.items() if (line := agreement.changed_line(of))]:
        return remarks + changed
    remarks += chain.from_iterable(agreement.content_lines(role, shown[role], shown["real"]) for role in models)
    line = agreement.partners_line(_in_turn(pairs))
    return [*remarks, f"{line}; then give --unpaired"] if line else remarks


def _common_size(
    shown: Mapping[str, Sequence[Path]], reading: Reading, remarks: list[str]
) -> tuple[Reading, list[str]]:
    """Return how to bring pictures without partners to the smallest of their sizes, if they have one shape."""
    sizes = {size for paths in shown.values() for path in paths if (size := images.size_of(path))}
    if len(sizes) < 2:
        return reading, remarks
    target = images.smallest(sizes, reading.fit)
    if not reading.resize or (reading.fit is None and not all(images.has_shape(size, target) for size in sizes)):
        named = " and ".join(f"{width}x{height}" for width, height in sorted(sizes)[:: max(1, len(sizes) - 1)][:2])
        return reading, [*remarks, f"pictures of {len(sizes)} shapes and sizes, such as {named}: give --fit crop"]
    return replace(reading, size=target), remarks


def _mask_lines(items: Items, models: Mapping[str, str], reading: Reading) -> Iterator[str]:
    """Yield a message if the masks do not fit the pictures."""
    masked = [files for files in items.values() if "mask" in files]
    agreements: list[agreement.Agreement] = []
    holes: set[bool] = set()
    for files in agreement.evenly_spread(masked):
        with suppress(UserError):
            pictures = read_item(files, models, reading).pictures
            hole = hole_of(pictures["mask"])
            holes.add(bool(hole.any()))
            agreements += filter(None, (agreement.agreement(pictures["real"], pictures[role], hole) for role in models))
    if not holes:
        return
    where, colour = masked[0]["mask"].parent, reading.mask_hole or "white"
    line, is_inverted = agreement.mask_line(agreements, where=where, hole=colour)
    if is_inverted and reading.mask_hole is None:
        raise UserError(f"{line}, else --mask-hole white")
    if True not in holes:
        line = f"{where}: no mask has a hole: none of their pixels is {colour}"
    yield from filter(None, [line])


def _one_size(pictures: Mapping[str, Picture], shown: Mapping[str, Path], fit: images.Fit | None) -> dict[str, Picture]:
    """Return an item's pictures by role in one size: the smallest of the real and generated ones (`shown`)."""
    sizes: dict[str, images.Size] = {role: (picture.shape[1], picture.shape[0]) for role, picture in pictures.items()}
    shown_sizes = {sizes[role] for role in shown}
    target = images.smallest(shown_sizes, fit)
    others = [role for role in shown if sizes[role] != sizes["real"]]
    if fit is None and not all(images.has_shape(size, target) for size in shown_sizes):
        wrong = next((role for role in others if not images.has_shape(sizes["real"], sizes[role])), others[0])
        (width, height), (other_width, other_height) = sizes["real"], sizes[wrong]
        raise UserError(
            f"{shown[wrong]}: real and fake differ in shape ({width}x{height} and {other_width}x{other_height}); give "
            "--fit crop (the centre is kept) or --fit stretch"
            f"{agreement.size_advice(pictures['real'], pictures[wrong])}"
        )
    return {
        role: images.to_size(picture, target, fit) if sizes[role] in shown_sizes else picture
        for role, picture in pictures.items()
    }


def _write_item(
    pictures: Mapping[str, Picture], out: Path, *, dataset: str, models: Mapping[str, str], key: str, mask_kind: str
) -> list[Row]:
    """Write an item's pictures as PNG; return their rows of stimuli.csv, the real picture first."""
    is_paired = {"real", *models} <= pictures.keys()
    stem = key if is_paired or "real" not in pictures else key.removeprefix("real/")
    files = {role: f"{role}/{stem}.png" for role in pictures}
    for role, picture in pictures.items():
        images.write_png(out / files[role], mask_of(hole_of(picture)) if role == "mask" else picture)
    shared: dict[str, Any] = {"dataset": dataset, "stem": stem, "item": f"{dataset}/{key}"}
    shared["input_file"] = files.get("input")
    if "mask" in pictures:
        area = float(hole_of(pictures["mask"]).mean())
        shared |= {"mask_kind": mask_kind, "mask_area": area, "mask_file": files["mask"]}
    facts: dict[str, dict[str, Any]] = {"real": {"kind": "real"}}
    for role, model in models.items():
        facts[role] = {"kind": "fake", "model": model, "reference_file": files.get("real")}
    return [
        stimulus_row(out, out / files[role], size=pictures[role].shape[:2], **of_role, **shared)
        for role, of_role in facts.items()
        if role in pictures
    ]
