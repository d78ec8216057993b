"""The items of a generated stimulus set: their pictures, and the rows that describe them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_bytes
from gan_eval.stimuli.holes import mask_of
from gan_eval.stimuli.pictures import write_png, write_samples
from gan_eval.stimuli.pixel_formats import Samples
from gan_eval.stimuli.sets import stimulus_row
from gan_eval.tables.frames import Row
from gan_eval.tables.names import RAW, RAW_ENDING, name_problem
from trainer.devices import memory_for
from trainer.inference import NotFiniteError
from trainer.randomness import Purpose
from trainer.tasks import Example, Task

PANELS = "panels"  # the folder of the pictures that show an item's stages side by side


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

    def raw(self) -> "Names":
        """The names of the set of what the generator itself gave."""
        return replace(self, model=f"{self.model}{RAW_ENDING}")


def item_number(name: str) -> int:
    """Return the number that seeds hole, noise and dropout of an item, independent of the rest of the set."""
    return int(sha256_bytes(name.encode())[:16], 16)


def write_items(
    net: nn.Module, task: Task, out: Path, batch: Mapping[str, Example], *, seed: int, generator: Path
) -> None:
    """Write the pictures of each item."""
    for shape in {example.condition.shape: None for example in batch.values()}:
        alike = {name: example for name, example in batch.items() if example.condition.shape == shape}
        height, width = shape[:2]
        fix = "lower --batch-size" if len(alike) > 1 else "lower --image-size"
        with memory_for(f"a batch of {len(alike)} at {width}x{height}", fix):
            numbers = [item_number(name) for name in alike]
            try:
                outputs = task.outputs(net, list(alike.values()), purpose=Purpose.GENERATE, seed=seed, numbers=numbers)
            except NotFiniteError as error:
                raise UserError(
                    f"{generator}: gives numbers that are not finite for the item {list(alike)[error.place]}; "
                    "take another file of its run, or train it again with a lower learning_rate"
                ) from error
        for (name, example), output in zip(alike.items(), outputs, strict=True):
            if output.raw is not None:
                write_item(out / RAW, name, example, output.raw)
            if example.mask is not None:
                write_png(out / PANELS / f"{name}.png", np.concatenate(task.panels(example, output), axis=1))
            write_item(out, name, example, output.fake)


def write_item(folder: Path, name: str, example: Example, fake: Samples) -> None:
    """Write the pictures of an item."""
    of_input, of_target = example.formats
    write_samples(folder / "fake" / f"{name}{of_target.suffix}", fake, of_target)
    write_samples(folder / "input" / f"{name}{of_input.suffix}", example.condition, of_input)
    write_samples(folder / "real" / f"{name}{of_target.suffix}", example.target, of_target)
    if example.mask is not None:  # white is hole
        mask = np.repeat(mask_of(example.mask.hole)[..., None], 3, axis=2)
        write_png(folder / "mask" / f"{name}.png", mask)


def item_rows(folder: Path, name: str, example: Example, names: Names, *, facts: Row) -> list[Row]:
    """The rows of the real and of the fake picture of an item."""
    of_input, of_target = (pixel_format.suffix for pixel_format in example.formats)
    shared: dict[str, Any] = {
        "dataset": names.dataset, "stem": name, "size": example.target.shape[:2],
        "split": None if names.split == "." else names.split, "input_file": f"input/{name}{of_input}",
    }  # fmt: skip
    if "fraction" in facts:
        shared["fraction"] = facts["fraction"]
    if (mask := example.mask) is not None:
        shared |= {"mask_kind": mask.kind, "mask_area": mask.area, "mask_file": f"mask/{name}.png"}
    real, fake = (folder / kind / f"{name}{of_target}" for kind in ("real", "fake"))
    reference = f"real/{name}{of_target}"
    return [
        stimulus_row(folder, real, kind="real", **shared),
        stimulus_row(folder, fake, kind="fake", model=names.model, reference_file=reference, **{**shared, **facts}),
    ]
