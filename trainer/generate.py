"""Generate a stimulus set with a trained generator from the pictures of a split."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from gan_eval.base.digests import sha256_bytes, sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_folder
from gan_eval.base.progress import Progress
from gan_eval.base.reading import no_folder
from gan_eval.base.record import FolderRecord
from gan_eval.pictures.checks import CHECKS
from gan_eval.pictures.decode import Picture, stem_of, write_png
from gan_eval.pictures.holes import mask_of
from gan_eval.pictures.sets import refuse_another_set, stimulus_row, write_set
from gan_eval.settings.choices import Direction, Mode
from gan_eval.settings.training import MAX_SIDE, TrainingSettings
from gan_eval.tables.frames import Row
from gan_eval.tables.names import RAW, RAW_ENDING, model_name_problem, name_problem
from trainer.datasets.dataset import DataSet, Size
from trainer.devices import cpu_threads, exact_kernels, memory_for, one_device, placed
from trainer.inference import NotFiniteError, inference
from trainer.job import Say
from trainer.model import Model, load_model
from trainer.randomness import Purpose
from trainer.state.run_folder import recorded_threads
from trainer.state.trained_on import trained_on
from trainer.tasks import Example, Task, new_task

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
    dropout: bool = True,
    limit: int | None = None,
    root: Path = Path(),
    masks: Path | None = None,
    dataset: str | None = None,
    model: str | None = None,
    seed: int | None = None,
    mask_seed: int | None = None,
    threads: int | None = None,
    on_progress: Progress | None = None,
    on_message: Say | None = None,
) -> Path:
    """Write the stimulus set of a generator: real, generated and input picture of every item of a split.

    For a generator that fills holes, the set has composites (the photograph with generated pixels in the hole) and
    their masks. `OUT/raw` is then a set of the generator's own pictures, and `OUT/panels` shows each item's stages. The
    same call gives the same files; the table is written last. A picture that cannot be read is reported to `on_message`
    and left out.

    Args:
        run: a run's folder or a file of weights, as for `trainer.model.load_model`.
        data: folder with `SPLIT/*.jpg`; for the split ".", the pictures are in `data` itself.
        mode: BatchNorm and dropout as in training (the published way) or in evaluation; default: training, but
            evaluation where BatchNorm learns from whole batches and the pictures are photographs.
        image_size: side of the square pictures; default: the run's, of a foreign file 256. "native": each picture's
            own size, padded by reflection for the network and cropped back.
        dropout: False for a foreign U-Net that was trained without dropout.
        root: folder that the shapes and masks of holes are relative to.
        masks: a folder of masks that replace those of the training.
        mask_seed: seed of the holes, used with the item's name; the default is the same for all generators.
        threads: number of PyTorch's CPU threads; default: as in the run.
    """
    data, out = Path(data), Path(out)
    say, show = on_message or (lambda _: None), on_progress or (lambda *_, **__: None)
    source = load_model(run, dropout=dropout)
    size = picture_size(image_size, source)
    names = Names(dataset or data.resolve().name, model or source.name, split)
    names.check()
    _refuse_without_effect(source, masks=masks, mask_seed=mask_seed, direction=direction)
    settings = settings_for(source, size=size, seed=seed, masks=masks)
    if source.direction is None and direction is None:
        say(f"{source.file}: its direction is unknown; taken as AtoB (the left half is the input)")
    task = new_task(settings, direction=direction or source.direction or "AtoB", root=root)
    mode = task.mode(mode)
    data_set = task.data_set(data)
    items = _items(data_set, split, limit)
    is_trained = source.direction is not None and direction in (None, source.direction)
    remarks = data_set.remarks(list(items.values()), is_trained=is_trained)
    definition: dict[str, Any] = {
        "generator": sha256_file(source.file), "mode": mode, **task.conditions(), "image_size": size,
        "seed": settings.seed, "dataset": names.dataset, "model": names.model, "split": split,
        "mask_seed": mask_seed or 0, "masks": None if masks is None else "folder", "dropout": settings.dropout,
    }  # fmt: skip
    with hold_folder(out):
        record = FolderRecord(out / MARKER, definition)
        refuse_another_set(record)
        record.write()
        for note in (*source.notes, *remarks):
            say(note)
        device = one_device()
        net = placed(source.net, device)
        seen = _seen(source, data_set, list(items.values()), task, say)
        raw_names = replace(names, model=f"{names.model}{RAW_ENDING}")
        sets = {out / RAW: raw_names, out: names} if task.gives_raw else {out: names}
        rows: dict[Path, list[Row]] = {folder: [] for folder in sets}
        run_threads = recorded_threads(*source.file.parents[:2])
        read = partial(_examples, task, data_set, size=size, seed=mask_seed or 0, grey=net.out_channels == 1, say=say)
        with cpu_threads(threads, device, recorded=run_threads), exact_kernels(device), inference(net, mode):
            for start in range(0, len(items), batch_size):
                batch = read(dict(list(items.items())[start : start + batch_size]))
                write_items(net, task, out, batch, seed=settings.seed, generator=source.file)
                for name, example in batch.items():
                    facts = {**task.row_facts, "fraction": source.fraction, **seen.get(items[name], {})}
                    for folder, of_set in sets.items():
                        rows[folder] += item_rows(folder, name, example, of_set, facts=facts)
                show(min(start + batch_size, len(items)), len(items))
        if not rows[out]:
            raise UserError(f"{data / split}: none of its {len(items)} pictures can be used; see the messages before")
        of_rows = _remarks(rows[out], n_items=len(items), folder=data / split, out=out, model=names.model)
        for line in (*of_rows, *_line_on_masks(masks, rows[out], source)):
            say(line)
        for folder in sets:
            write_set(folder, rows[folder])
        return out


def _seen(source: Model, data_set: DataSet, paths: list[Path], task: Task, say: Say) -> dict[Path, Row]:
    """Return the cell that says whether the model was trained on a picture, for each where this is known.

    Say if the other picture of the items looks drawn than in the training.
    """
    if (trained := trained_on(source)) is None:
        return {}
    before, now = trained.drawn, data_set.drawn_role(paths)
    if before and now and before != now:
        direction = "AtoB" if task.conditions().get("direction") == "BtoA" else "BtoA"
        say(CHECKS["other_sides"].line(now=now, before=before, direction=direction))
    marks = trained.seen(data_set, paths)
    return {path: {"seen": was_seen} for path, was_seen in marks.items() if was_seen is not None}


def _line_on_masks(masks: Path | None, rows: Sequence[Row], source: Model) -> Iterator[str]:
    """Yield a line if most of the masks are larger than those of the training."""
    holes = source.settings.inpainting
    if masks is None or holes is None:
        return
    areas = [float(row["mask_area"]) for row in rows if row["kind"] == "fake"]
    larger = sum(area > holes.most_area for area in areas)
    if larger > len(areas) / 2:
        yield (
            f"--masks {masks}: the white of {larger} of {len(areas)} takes more of the picture than most_area "
            f"{holes.most_area:g} of the training, {max(areas):.2g} at most: a mask is white where the hole is"
        )


def _items(data_set: DataSet, split: str, limit: int | None) -> dict[str, Path]:
    """Return the pictures of a split by their items' names, which can be written in a table."""
    items = data_set.names(data_set.paths(split, limit=limit), split)
    for name, path in items.items():
        if not name.isprintable():
            raise UserError(f"{path.parent}: the file name {path.name!a} cannot be written in a table; rename it")
    return items


def _examples(
    task: Task, data_set: DataSet, items: Mapping[str, Path], *, size: Size, seed: int, grey: bool, say: Say
) -> dict[str, Example]:
    """Read items by their names; those that cannot be read are left out, and `say` has the reason."""
    examples = {}
    for name, path in items.items():
        try:
            item = data_set.read(path, size)
            examples[name] = task.example(item, stem=stem_of(path), number=item_number(name), seed=seed, grey=grey)
        except UserError as error:
            say(f"{error} (left out)")
    return examples


def _refuse_without_effect(source: Model, *, masks: Path | None, mask_seed: int | None, direction: str | None) -> None:
    """Refuse options that this generator does not use."""
    fills_holes = source.settings.inpainting is not None
    for option, value in (("--masks", masks), ("--mask-seed", mask_seed)):
        if value is not None and not fills_holes:
            raise UserError(f"{option} {value}: {source.file} translates pictures, it fills no holes; remove it")
    if direction is not None and fills_holes:
        raise UserError(
            f"--direction {direction}: {source.file} fills holes in photographs, which have no direction; remove it"
        )


def _remarks(rows: Sequence[Row], *, n_items: int, folder: Path, out: Path, model: str) -> Iterator[str]:
    """Yield how many pictures are left out, and how many of the others the model was trained on."""
    if left_out := n_items - len(rows) // 2:
        yield f"{folder}: {left_out} of {n_items} pictures left out"
    marks = [row.get("seen") for row in rows if row["kind"] == "fake"]
    if n_seen := marks.count(True):
        yield f"{out}: {model} was trained on {n_seen} of these {len(marks)} pictures, too (seen in its tables)"
    if n_unknown := marks.count(None):
        yield f"{out}: whether {model} was trained on {n_unknown} of these {len(marks)} pictures is not known"


def settings_for(source: Model, *, size: Size, seed: int | None, masks: Path | None) -> TrainingSettings:
    """Return the model's settings with another seed or other holes, and, for holes, with the pictures' size."""
    settings = source.settings if seed is None else source.settings.model_copy(update={"seed": seed})
    if settings.inpainting is not None:
        settings = settings.model_copy(update={"image_size": size})  # masks are read at this size or smaller
    if masks is None or settings.inpainting is None:
        return settings
    if not masks.is_dir():
        raise UserError(f"--masks {no_folder(masks, 'folder of masks')}")
    if settings.generator == "context_encoder":
        raise UserError(f"--masks {masks}: {source.file} fills the centre alone; remove it")
    holes = settings.inpainting.model_copy(
        update={"masks": {"folder": 1.0}, "mask_folder": str(masks.resolve()), "least_area": 0.0, "most_area": 1.0}
    )
    return settings.model_copy(update={"inpainting": holes})


def picture_size(requested: Size | None, model: Model) -> Size:
    """Return the side of the pictures, or "native"."""
    net = model.net
    colours = net.in_channels - (model.settings.inpainting is not None and model.settings.inpainting.mask_channel)
    for channels in (colours, net.out_channels):
        if channels not in (1, 3):
            raise UserError(f"{model.file}: a generator of {channels} channels; pictures have 3, or 1 in grey")
    if requested == "native":
        if model.settings.inpainting is not None:
            raise UserError("--image-size native: this generator fills holes in square pictures; give a number")
        return "native"
    size = model.settings.image_size if requested is None else requested
    if net.only_size not in (None, size):
        raise UserError(f"--image-size {size}: this generator takes pictures of {net.only_size} alone")
    if not net.smallest <= size <= MAX_SIDE or size % net.multiple:
        raise UserError(
            f"--image-size {size}: this generator needs a multiple of {net.multiple} from {net.smallest} to {MAX_SIDE} "
            "(or native)"
        )
    return size


PANELS = "panels"  # folder of pictures that show the stages of an item next to each other


@dataclass(frozen=True)
class Names:
    """The names in the identifiers of a set."""

    dataset: str
    model: str
    split: str

    def check(self) -> None:
        """Refuse names that no table can have."""
        if problem := model_name_problem(self.model):
            raise UserError(f"--model {self.model}: {problem}")
        if problem := name_problem(self.dataset, "dataset"):
            raise UserError(f"--dataset {self.dataset}: {problem}")


def item_number(name: str) -> int:
    """Return the number that seeds hole, noise and dropout of an item, independent of the rest of the set."""
    return int(sha256_bytes(name.encode())[:16], 16)


def write_items(
    net: nn.Module, task: Task, out: Path, batch: Mapping[str, Example], *, seed: int, generator: Path
) -> None:
    """Generate and write the pictures of each item; pictures of one size form one batch."""
    for shape in {example.condition.shape: None for example in batch.values()}:
        part = {name: example for name, example in batch.items() if example.condition.shape == shape}
        height, width = shape[:2]
        fix = "lower --batch-size" if len(part) > 1 else "lower --image-size"
        with memory_for(f"a batch of {len(part)} at {width}x{height}", fix):
            numbers = [item_number(name) for name in part]
            try:
                outputs = task.outputs(net, list(part.values()), purpose=Purpose.GENERATE, seed=seed, numbers=numbers)
            except NotFiniteError as error:
                raise UserError(
                    f"{generator}: gives numbers that are not finite for the item {list(part)[error.index]}; "
                    "take another file of its run, or train it again with a lower learning_rate"
                ) from error
        for (name, example), output in zip(part.items(), outputs, strict=True):
            if output.raw is not None:
                write_item(out / RAW, name, example, output.raw)
            if example.mask is not None:
                write_png(out / PANELS / f"{name}.png", np.concatenate(task.panels(example, output), axis=1))
            write_item(out, name, example, output.fake)


def write_item(folder: Path, name: str, example: Example, fake: Picture) -> None:
    """Write the pictures of an item."""
    write_png(folder / "fake" / f"{name}.png", fake)
    write_png(folder / "input" / f"{name}.png", example.condition)
    write_png(folder / "real" / f"{name}.png", example.target)
    if example.mask is not None:  # white is hole
        mask = np.repeat(mask_of(example.mask.hole)[..., None], 3, axis=2)
        write_png(folder / "mask" / f"{name}.png", mask)


def item_rows(folder: Path, name: str, example: Example, names: Names, *, facts: Row) -> list[Row]:
    """Return the rows of the real and the fake picture of an item."""
    shared: dict[str, Any] = {
        "dataset": names.dataset, "stem": name, "size": example.target.shape[:2],
        "split": None if names.split == "." else names.split, "input_file": f"input/{name}.png",
    }  # fmt: skip
    if "fraction" in facts:
        shared["fraction"] = facts["fraction"]
    if (mask := example.mask) is not None:
        shared |= {"mask_kind": mask.kind, "mask_area": mask.area, "mask_file": f"mask/{name}.png"}
    real, fake = (folder / kind / f"{name}.png" for kind in ("real", "fake"))
    reference = f"real/{name}.png"
    return [
        stimulus_row(folder, real, kind="real", **shared),
        stimulus_row(folder, fake, kind="fake", model=names.model, reference_file=reference, **{**shared, **facts}),
    ]
