"""Validation of a generator on pictures that it was not trained on, in both modes; and sample grids.

The trainer does not import metrics. The command passes a function that measures a stimulus set (`ValidationMeasure`),
so the values equal those of the command `metrics`.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from torch import nn

from gan_eval.base.digests import sha256_file, sha256_json
from gan_eval.base.errors import UserError
from gan_eval.pictures.agreement import evenly_spread
from gan_eval.pictures.decode import Picture, resize, stem_of, write_png
from gan_eval.pictures.sets import write_set
from gan_eval.settings.choices import Mode
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import any_seen
from trainer.datasets.dataset import VALIDATION_SPLITS, DataSet, excluding
from trainer.generate import Names, item_rows, write_item
from trainer.inference import inference
from trainer.job import ValidationMeasure
from trainer.randomness import Purpose
from trainer.state.trained_on import TrainedOn
from trainer.tasks import Example, Task

DIVERSITY = "diversity"
THUMBNAIL = 32  # side in pixels of pictures that are compared for diversity
MAX_ONE_BY_ONE = 512  # up to this number, pictures are generated one by one
BATCH_SIZE = 16  # number of pictures that are generated together above it
MAX_COMPARED = 1000  # maximum number of pictures compared with each other for their diversity


@dataclass(frozen=True)
class ValidationExamples:
    """Items of the training size, if possible not trained on."""

    split: str
    data_set: DataSet
    paths: dict[str, Path]  # by the item's name
    seen: bool | None = None  # True if some of them are also trained on; None: unknown
    n_seen: int = 0  # number of pictures that are also trained on


def validation_examples(
    data_set: DataSet, train: list[Path], *, trained: TrainedOn | None = None, count: int | None, train_split: str
) -> ValidationExamples | None:
    """Return up to `count` items, spread over the first existing split of VALIDATION_SPLITS except the training split.

    Training files are used only if the split has no others. `trained` recognises copies of training pictures.
    """
    for split in VALIDATION_SPLITS:
        if split == train_split or not data_set.has_split(split):
            continue
        whole = data_set.paths(split)
        unseen = excluding(whole, train)
        paths = unseen or whole
        count = min(count or len(paths), len(paths))
        paths = [paths[k * len(paths) // count] for k in range(count)]
        marks = list(trained.seen(data_set, paths).values()) if trained else []
        if not unseen:
            marks = [True] * count
        return ValidationExamples(split, data_set, data_set.names(paths, split), any_seen(marks), marks.count(True))
    return None


def read_example(task: Task, data_set: DataSet, path: Path, number: int) -> Example:
    """Read an item at the training size; its number is the seed of its hole."""
    settings = task.settings
    item = data_set.read(path, settings.image_size)
    return task.example(item, stem=stem_of(path), number=number, seed=settings.seed)


class Validation:
    """Writes the stimulus sets `FOLDER/train` and `FOLDER/eval` of a generator and measures them."""

    def __init__(self, folder: Path, task: Task, examples: ValidationExamples, measure: ValidationMeasure) -> None:
        """Set up for a run's folder; `measure` computes the metrics."""
        settings = task.settings
        self.best_metric = settings.best_metric or settings.validation_metrics[0]
        self.higher_is_better = measure.higher_is_better[self.best_metric]
        self.mode: Mode = task.modes[0]
        """Mode that decides on the best generator."""
        self._folder = folder
        self._task = task
        self._examples = examples
        self._measure = measure
        self._batch_size = 1 if len(self) <= MAX_ONE_BY_ONE else BATCH_SIZE

    def __len__(self) -> int:
        """Number of pictures that are measured in each mode."""
        return len(self._examples.paths)

    @property
    def sha256(self) -> str:
        """Return a hash of the pictures."""
        return sha256_json([sha256_file(path) for path in self._examples.paths.values()])

    def first_part(self) -> "Validation":
        """Return a copy with only the first pictures, to measure its time."""
        part = copy(self)
        part._examples = replace(self._examples, paths=dict(islice(self._examples.paths.items(), 8 * BATCH_SIZE)))
        return part

    def __call__(self, net: nn.Module) -> list[Row]:
        """Measure a generator; return rows of the table `validation` without step, epoch and fraction."""
        task, examples, named = self._task, self._examples, list(self._examples.paths.items())
        every = -(-len(self) // MAX_COMPARED)
        seen: Row = {} if examples.seen is None else {"seen": examples.seen}
        values: list[Row] = []
        for mode in task.modes:
            fakes: list[Picture] = []
            targets: list[Picture] = []
            rows: list[Row] = []
            folder, of_set = self._folder / mode, Names("validation", "model", examples.split)
            with inference(net, mode):
                for start in range(0, len(self), self._batch_size):
                    numbers = range(start, min(start + self._batch_size, len(self)))
                    batch = [read_example(task, examples.data_set, named[number][1], number) for number in numbers]
                    seed = task.settings.seed
                    outputs = task.outputs(net, batch, purpose=Purpose.VALIDATION, seed=seed, numbers=numbers)
                    for number, example, output in zip(numbers, batch, outputs, strict=True):
                        write_item(folder, named[number][0], example, output.fake)
                        rows += item_rows(folder, named[number][0], example, of_set, facts=task.row_facts)
                        if number % every == 0:
                            fakes.append(resize(output.fake, (THUMBNAIL, THUMBNAIL)))
                            targets.append(resize(example.target, (THUMBNAIL, THUMBNAIL)))
            write_set(folder, rows)
            measured = self._measure.values(folder)
            measured.append({"metric": DIVERSITY, "value": diversity(fakes, targets), "n": len(fakes)})
            values += [{"mode": mode, "split": examples.split, **seen, **row} for row in measured]
        return values


def diversity(fakes: list[Picture], targets: list[Picture]) -> float | None:
    """Return the differences among generated pictures divided by those among their ground truths, all of one size.

    A difference is the root mean square over all pairs of pictures. The result is about 1 if a generator is as diverse
    as its data, and 0 if it gives one picture for every input. It is None for fewer than two pictures or equal targets.
    """
    of_targets = rms_difference(targets)
    return rms_difference(fakes) / of_targets if of_targets else None


def rms_difference(pictures: list[Picture]) -> float:
    """Return the root mean square difference over all ordered pairs: twice the variance, averaged over pixels."""
    if len(pictures) < 2:
        return 0.0
    return float(np.sqrt(2 * np.stack(pictures).astype(np.float64).var(axis=0, ddof=1).mean()))


SAMPLE_SPLITS = ("test", "val")  # splits of the items, best first
SAMPLES = 4  # items in a grid


def sample_examples(
    task: Task, data_set: DataSet, train: list[Path], *, train_split: str, say: Callable[[str], None]
) -> list[Example]:
    """Return up to SAMPLES items at the training size, if possible of pictures that are not trained on."""

    def examples(paths: list[Path]) -> list[Example]:
        spread = evenly_spread(paths, SAMPLES)
        return [read_example(task, data_set, path, number) for number, path in enumerate(spread)]

    for split in SAMPLE_SPLITS:
        if split == train_split or not data_set.has_split(split):
            continue
        try:
            if unseen := excluding(data_set.paths(split), train):
                return examples(unseen)
        except UserError as error:
            say(f"{error} (no sample grids of {split})")
    return examples(train)


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
