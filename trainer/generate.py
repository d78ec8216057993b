"""Generation: a stimulus set from a trained generator and the pictures of a split.

The items of a stimulus set that is generated: written, and told of in rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from lightning_fabric import Fabric
from torch import nn

from gan_eval.errors import UserError
from gan_eval.files import claim_output_folder, read_json, remove_leftovers, sha256_bytes, sha256_file, write_json
from gan_eval.settings.training import Direction, Mode, TrainingSettings
from gan_eval.stimuli.holes import Hole, mask_of
from gan_eval.stimuli.pictures import Picture, read_rgb, write_png
from gan_eval.stimuli.sets import RAW, RAW_ENDING, model_name_problem, name_problem, stimulus_row, write_set
from gan_eval.tabular import Row
from trainer.devices import memory_for
from trainer.files.model import Model, load_model
from trainer.inference import NotFiniteError, inference
from trainer.randomness import Purpose
from trainer.state.run_folder import differences
from trainer.tasks import Example, Output, Task, new_task
from trainer.tasks.task import Size

MARKER = ".gan-eval/generate.json"


def generate(
    run: Path,
    data: Path,
    *,
    split: str,
    out: Path,
    mode: Mode | None = None,
    direction: Direction | None = None,
    image_size: Size | None = None,
    batch_size: int = 1,
    dropout: bool | None = None,
    limit: int | None = None,
    root: Path = Path(),
    masks: Path | None = None,
    dataset: str | None = None,
    model: str | None = None,
    seed: int | None = None,
    mask_seed: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_message: Callable[[str], None] | None = None,
) -> Path:
    """Write the stimulus set of a generator: real, generated and input picture of every item of a split.

    A generator that fills holes gives composites, whose known pixels are those of the photograph, with the mask of
    each; beside them `OUT/raw`, a set of what the generator itself gave, and `OUT/panels`, each item's stages.

    The same call gives the same files. What a picture becomes does not depend on the others, apart from single levels
    here and there: a batch of another size or make-up adds up its sums in another order. Pictures already there from
    an interrupted call are kept; the table is written last. A picture that cannot be read is reported to `on_message`
    and left out; how many were is told at the end.

    Args:
        run: what `trainer.files.model.load_model` takes: a finished run's folder, a `.safetensors` of it, a foreign
            `.pth`.
        data: folder with `SPLIT/*.jpg`: A and B side by side, or photographs.
        split: a folder in `data`; "." are the pictures in `data` itself.
        out: the set: stimuli.csv, and PNG pictures in real/, fake/ and input/.
        mode: BatchNorm and dropout as in training (the published way) or in evaluation; default: training, but where
            BatchNorm learns from whole batches and the pictures are photographs.
        direction: default: the run's; of a foreign file AtoB.
        seed: decides dropout and noise; default: the run's, of a foreign file 0.
        image_size: side of the square pictures; default: the run's, of a foreign file 256. "native": each picture's
            own size, padded by reflection for the network and cropped back.
        batch_size: pictures at once.
        dropout: for a foreign U-Net, whether it was trained with dropout; default: yes.
        limit: at most so many items.
        root: of a generator that fills holes: the folder that its shapes and masks are relative to.
        masks: of such a one: a folder of masks that are taken instead of those of its training.
        mask_seed: of such a one: decides, with an item's name, its hole; default: 0 whatever the run, so that all
            generators with the same settings of holes are tested on the same ones.
        dataset, model: names in the table; default: the folder names of `data` and of the run.

    Returns:
        `out`.

    Raises:
        UserError: no finished run, a file that holds no generator, no such masks or split, masks or a mask seed where
            no holes are filled, a direction where they are, a mode or size that the network cannot take, no readable
            picture, generated pictures that are not finite, another set in `out`, or not enough memory.
    """
    data, out = Path(data), Path(out)
    say = on_message or (lambda _: None)
    source = load_model(run, dropout=dropout)
    size = _size(image_size, source)
    named = model or source.name
    if problem := model_name_problem(named):
        raise UserError(f"--model {named}: {problem}")
    names = Names(dataset or data.resolve().name, named, split)
    settings = _settings(source, size=size, seed=seed, masks=masks)
    if mask_seed is not None and settings.inpainting is None:
        raise UserError(f"--mask-seed {mask_seed}: {source.file} translates pictures, it fills no holes; leave it out")
    if direction is not None and settings.inpainting is not None:
        raise UserError(
            f"--direction {direction}: {source.file} fills holes in photographs, which have none; leave it out"
        )
    of_holes = mask_seed or 0
    if source.direction is None and direction is None:
        say(f"{source.file}: does not tell its direction; taken as AtoB (the left half is the input)")
    task = new_task(settings, direction=direction or source.direction or "AtoB", root=root)
    mode = task.mode(mode)
    items = task.names(task.list_pictures(data, split, limit=limit), data, split)
    what: dict[str, Any] = {
        "generator": sha256_file(source.file), "mode": mode, **task.conditions(), "image_size": size,
        "seed": settings.seed, "dataset": names.dataset, "model": names.model, "split": split,
    }  # fmt: skip
    if settings.inpainting is not None:
        what["mask_seed"] = of_holes
    if masks is not None:
        what["masks"] = "folder"
    if source.is_foreign:
        what["dropout"] = settings.dropout
    _claim(out, what)
    for note in source.notes:
        say(note)

    net = source.net.to(Fabric(accelerator="auto", devices=1).device)
    grey = source.net.out_channels == 1
    told = {**task.told, "fraction": source.fraction}
    stems = list(items)
    rows: list[Row] = []
    raw_rows: list[Row] = []
    with inference(net, mode):
        for start in range(0, len(stems), batch_size):
            batch: dict[str, Example] = {}
            for name in stems[start : start + batch_size]:
                try:
                    batch[name] = task.example(items[name], size, number=item_number(name), seed=of_holes, grey=grey)
                except UserError as error:
                    say(f"{error} (left out)")
            write_items(net, task, out, batch, seed=settings.seed, generator=source.file)
            for name, example in batch.items():
                rows += item_rows(out, name, example, names, told=told)
                if task.gives_raw:
                    raw_rows += item_rows(out / RAW, name, example, raw_names(names), told=told)
            if on_progress is not None:
                on_progress(min(start + batch_size, len(stems)), len(stems))
    if not rows:
        raise UserError(f"{data / split}: none of its {len(items)} pictures can be used; see the messages before")
    if left_out := len(stems) - len(rows) // 2:
        say(f"{data / split}: {left_out} of {len(stems)} pictures left out")
    _tell_sizes(out, rows, say)
    if raw_rows:
        write_set(out / RAW, raw_rows)
    write_set(out, rows)
    return out


def _settings(source: Model, *, size: Size, seed: int | None, masks: Path | None) -> TrainingSettings:
    """The model's settings with another seed, or other holes; where it fills holes also with the pictures' size.

    Raises:
        UserError: masks for a generator that fills no holes, or not these.
    """
    settings = source.settings if seed is None else source.settings.model_copy(update={"seed": seed})
    if settings.inpainting is not None:
        settings = settings.model_copy(update={"image_size": size})  # masks are read at most that large
    if masks is None:
        return settings
    if not masks.is_dir():
        raise UserError(f"--masks {masks}: no such folder; name one with pictures of masks, white where the hole is")
    if settings.inpainting is None:
        raise UserError(f"--masks {masks}: {source.file} translates pictures, it fills no holes; leave it out")
    if settings.generator == "context_encoder":
        raise UserError(f"--masks {masks}: {source.file} fills the centre alone; leave it out")
    holes = settings.inpainting.model_copy(
        update={"masks": {"folder": 1.0}, "mask_folder": str(masks.resolve()), "least_area": 0.0, "most_area": 1.0}
    )
    return settings.model_copy(update={"inpainting": holes})


def _size(asked: Size | None, model: Model) -> Size:
    """The side of the pictures, or "native".

    Raises:
        UserError: the network cannot take it, or it takes no colour pictures.
    """
    net = model.net
    seen = net.in_channels - (model.settings.inpainting is not None and model.settings.inpainting.mask_channel)
    for channels in (seen, net.out_channels):
        if channels not in (1, 3):
            raise UserError(f"{model.file}: a generator of {channels} channels; pictures have 3, or 1 in grey")
    if asked == "native":
        if model.settings.inpainting is not None:
            raise UserError(
                "--image-size native: this generator fills holes in square pictures; give a number of pixels"
            )
        return "native"
    size = model.settings.image_size if asked is None else asked
    if net.only_size not in (None, size):
        raise UserError(f"--image-size {size}: this generator takes pictures of {net.only_size} alone")
    if size < net.smallest or size % net.multiple:
        least = f" from {net.smallest} on" if net.smallest > net.multiple else ""
        raise UserError(f"--image-size {size}: this generator needs a multiple of {net.multiple}{least} (or native)")
    return size


def _claim(out: Path, what: dict[str, Any]) -> None:
    """Make `out` ours for this set, or make sure that it is; what a killed call was writing there goes."""
    claim_output_folder(out)
    marker = out / MARKER
    if marker.exists():
        differing = differences(read_json(marker), what)
        if differing:
            another = ", another ".join(differing)
            raise UserError(f"--out {out}: holds a set with another {another}; choose another folder")
    else:
        write_json(marker, what)
    remove_leftovers(out)


def _tell_sizes(out: Path, rows: list[Row], say: Callable[[str], None]) -> None:
    """Native sizes may differ, which whoever shows or compares the pictures has to know."""
    sizes = sorted({(row["width"], row["height"]) for row in rows})
    if len(sizes) > 1:
        (least_width, least_height), (most_width, most_height) = sizes[0], sizes[-1]
        say(
            f"{out}: pictures of {len(sizes)} sizes, from {least_width}x{least_height} to {most_width}x{most_height}; "
            "the quiz scales each to the screen, so give --image-size where the size itself must not tell anything"
        )


PANELS = "panels"
"""The folder of the pictures that show an item's stages side by side."""


@dataclass(frozen=True)
class Names:
    """The names in the identifiers of a set."""

    dataset: str
    model: str
    split: str

    def __post_init__(self) -> None:
        for field in ("dataset", "model"):
            if name_problem(name := getattr(self, field), field):
                raise UserError(
                    f"{field} name {name!r}: a name is wanted, without '/' and '|'; give one with --{field}"
                )


def item_number(name: str) -> int:
    """What decides hole, noise and dropout of an item, so that they do not depend on the rest of the set."""
    return int(sha256_bytes(name.encode())[:16], 16)


def write_items(
    net: nn.Module, task: Task, out: Path, batch: Mapping[str, Example], *, seed: int, generator: Path
) -> None:
    """Write the pictures of each item that are not there already.

    Args:
        net: inside `inference`.
        task: what the generator does.
        out: the set's folder.
        batch: items by name, generated together where their sizes are equal. Where one is missing all of that size
            are computed again: another batch would round differently.
        seed: decides dropout and noise.
        generator: its file, for messages.

    Raises:
        UserError: not enough memory, the disk is full, or a generated picture is not finite.
    """
    missing = {name for name, example in batch.items() if not _all_written(out, task, name, example)}
    for shape in {batch[name].condition.shape: None for name in missing}:
        alike = {name: example for name, example in batch.items() if example.condition.shape == shape}
        height, width = shape[:2]
        mend = "lower --batch-size" if len(alike) > 1 else "lower --image-size"
        with memory_for(f"a batch of {len(alike)} at {width}x{height}", mend):
            numbers = [item_number(name) for name in alike]
            try:
                outputs = task.outputs(net, list(alike.values()), purpose=Purpose.GENERATE, seed=seed, numbers=numbers)
            except NotFiniteError as error:
                raise UserError(
                    f"{generator}: gives numbers that are not finite for the item {list(alike)[error.place]}; "
                    "take another file of its run, or train it again with a lower learning_rate"
                ) from error
        for (name, example), output in zip(alike.items(), outputs, strict=True):
            if name in missing:
                _write_all(out, task, name, example, output)


def _write_all(out: Path, task: Task, name: str, example: Example, output: Output) -> None:
    if output.raw is not None:
        write_item(out / RAW, name, example, output.raw)
    if example.mask is not None:
        write_png(_file(out, PANELS, name), np.concatenate(task.panels(example, output), axis=1))
    write_item(out, name, example, output.fake)


def write_item(folder: Path, name: str, example: Example, fake: Picture) -> None:
    """Write the pictures of an item; those that are there and the same are left alone. The fake comes first."""
    write_png(_file(folder, "fake", name), fake)
    for kind, picture in _given(example).items():
        if not holds(_file(folder, kind, name), picture):
            write_png(_file(folder, kind, name), picture)


def item_rows(folder: Path, name: str, example: Example, names: Names, *, told: Row) -> list[Row]:
    """The rows of the real and of the fake picture of an item.

    Args:
        told: what the row of the fake names of its generator.
    """
    shared: dict[str, Any] = {
        "dataset": names.dataset, "stem": name, "size": example.target.shape[:2],
        "split": None if names.split == "." else names.split, "input_file": f"input/{name}.png",
    }  # fmt: skip
    if "fraction" in told:
        shared["fraction"] = told["fraction"]
    if (mask := example.mask) is not None:
        shared |= {"mask_kind": mask.kind, "mask_area": mask.area, "mask_file": f"mask/{name}.png"}
    real, fake = (_file(folder, kind, name) for kind in ("real", "fake"))
    reference = f"real/{name}.png"
    return [
        stimulus_row(folder, real, kind="real", **shared),
        stimulus_row(folder, fake, kind="fake", model=names.model, reference_file=reference, **{**shared, **told}),
    ]


def raw_names(names: Names) -> Names:
    """The names of the set of what the generator gave."""
    return replace(names, model=f"{names.model}{RAW_ENDING}")


def _all_written(out: Path, task: Task, name: str, example: Example) -> bool:
    """Whether nothing is missing of what `_write_all` writes."""
    folders = (out, out / RAW) if task.gives_raw else (out,)
    shown = example.mask is None or _decoded_shape(_file(out, PANELS, name)) is not None
    return shown and all(is_written(folder, name, example) for folder in folders)


def is_written(out: Path, name: str, example: Example) -> bool:
    """Whether an item's pictures are all there, made for the same source."""
    same_source = all(holds(_file(out, kind, name), picture) for kind, picture in _given(example).items())
    return same_source and _decoded_shape(_file(out, "fake", name)) == example.target.shape


def _given(example: Example) -> dict[str, Picture]:
    """The pictures of an item that do not come from the generator, by the folder that they are in."""
    given = {"input": example.condition, "real": example.target}
    return given if example.mask is None else given | {"mask": as_picture_of(example.mask.hole)}


def as_picture_of(hole: Hole) -> Picture:
    """The picture of a mask: white is hole."""
    return np.repeat(mask_of(hole)[..., None], 3, axis=2)


def _file(out: Path, kind: str, stem: str) -> Path:
    return out / kind / f"{stem}.png"


def holds(file: Path, picture: Picture) -> bool:
    """Whether `file` is there and decodes to exactly this picture."""
    return _decoded_shape(file) == picture.shape and np.array_equal(read_rgb(file), picture)


def _decoded_shape(file: Path) -> tuple[int, ...] | None:
    """Shape of a picture that decodes to the end, else None."""
    try:
        return read_rgb(file).shape
    except UserError:
        return None
