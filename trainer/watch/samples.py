"""Sample grids: pictures of a few fixed items, made now and then during a run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import nn

from gan_eval.errors import UserError
from gan_eval.stimuli.pictures import write_png
from trainer.datasets.dataset import DataSet, evenly_spread, excluding
from trainer.inference import inference
from trainer.randomness import Purpose
from trainer.tasks import Example, Task

SPLITS = ("test", "val")  # splits of the items, best first
COUNT = 4  # items in a grid


def grid_path(folder: Path, step: int) -> Path:
    """The file of the grid after `step` steps."""
    return folder / f"step_{step:07d}.png"


def sample_examples(
    task: Task, data_set: DataSet, train: list[Path], *, train_split: str, say: Callable[[str], None]
) -> list[Example]:
    """Up to COUNT items at the training size, spread over the pictures not trained on where there are any."""

    def examples(paths: list[Path]) -> list[Example]:
        size, seed = task.settings.image_size, task.settings.seed
        return [
            task.example(data_set.read(path, size), stem=path.stem, number=number, seed=seed)
            for number, path in enumerate(paths)
        ]

    for split in SPLITS:
        if split == train_split or not data_set.has_split(split):
            continue
        try:
            if unseen := excluding(data_set.paths(split), train):
                return examples(evenly_spread(unseen, COUNT))
        except UserError as error:
            say(f"{error} (no sample grids of {split})")
    return examples(evenly_spread(train, COUNT))


def write_grid(net: nn.Module, task: Task, examples: list[Example], path: Path) -> None:
    """Write a grid, one row for each item, in the first of the task's modes."""
    numbers, seed = range(len(examples)), task.settings.seed
    with inference(net, task.modes[0]):
        outputs = [
            task.outputs(net, [example], purpose=Purpose.SAMPLES, seed=seed, numbers=[number])[0]
            for number, example in zip(numbers, examples, strict=True)
        ]
    rows = [np.concatenate(task.panels(*pair), axis=1) for pair in zip(examples, outputs, strict=True)]
    write_png(path, np.concatenate(rows, axis=0))
