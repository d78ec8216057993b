"""Validation: a generator measured on pictures that it was not trained on, in both modes, while it is trained.

The trainer knows no metric. The command hands in what measures a stimulus set (`Measure`), so that the numbers are
those of batch reports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from gan_eval.errors import UserError
from gan_eval.settings.training import Mode, joined_splits
from gan_eval.stimuli.pictures import Picture, resize
from gan_eval.stimuli.sets import write_set
from gan_eval.tabular import Row
from trainer.datasets.dataset import VALIDATION_SPLITS, DataSet
from trainer.inference import inference
from trainer.items import Names, item_rows, write_item
from trainer.randomness import Purpose
from trainer.tasks import Example, Task

DIVERSITY = "diversity"
THUMBNAIL = 32


@dataclass(frozen=True)
class Measure:
    """Metrics that are computed elsewhere."""

    values: Callable[[Path], list[Row]]
    """Of a stimulus set's folder: rows with metric, value, sd, n and reason."""
    higher_is_better: Mapping[str, bool]
    """By metric; the keys are the metrics that `values` computes."""


@dataclass(frozen=True)
class ValidationExamples:
    """Items of the training size by name, and the split that they come from."""

    split: str
    examples: Mapping[str, Example]
    seen: bool = False
    """Whether that split is among several that are trained on."""


def validation_examples(task: Task, data_set: DataSet, *, count: int, train_split: str) -> ValidationExamples | None:
    """Up to `count` items of the first of VALIDATION_SPLITS that is there and not the training split, spread over it.

    Raises:
        UserError: a picture of that split is broken.
    """
    for split in VALIDATION_SPLITS:
        if split == train_split or not data_set.has_split(split):
            continue
        paths = data_set.paths(split)
        chosen = [paths[k * len(paths) // min(count, len(paths))] for k in range(min(count, len(paths)))]
        size, seed = task.settings.image_size, task.settings.seed
        examples = {
            name: task.example(data_set.read(path, size), stem=path.stem, number=number, seed=seed)
            for number, (name, path) in enumerate(data_set.names(chosen, split).items())
        }
        return ValidationExamples(split, examples, seen=split in joined_splits(train_split))
    return None


class Validation:
    """Writes the stimulus sets `FOLDER/train` and `FOLDER/eval` of a generator and measures them."""

    def __init__(self, folder: Path, task: Task, examples: ValidationExamples, measure: Measure) -> None:
        """Set up for a run's folder; `measure` computes the metrics.

        Raises:
            UserError: the metric for the best generator is not measured.
        """
        settings = task.settings
        self.best_metric = settings.best_metric or settings.validation_metrics[0]
        if self.best_metric not in measure.higher_is_better:
            raise UserError(f"best_metric {self.best_metric!r}: not among the validation metrics")
        self.higher_is_better = measure.higher_is_better[self.best_metric]
        self.mode: Mode = task.modes[0]
        """The mode by which the best generator is chosen."""
        self._folder = folder
        self._task = task
        self._examples = examples
        self._measure = measure

    def __call__(self, net: nn.Module) -> list[Row]:
        """Rows of the table validation without step, epoch and fraction."""
        task, split, examples = self._task, self._examples.split, self._examples.examples
        names, seed = Names("validation", "model", split), task.settings.seed
        targets = [example.target for example in examples.values()]
        values: list[Row] = []
        for mode in task.modes:
            folder = self._folder / mode
            fakes: list[Picture] = []
            rows: list[Row] = []
            with inference(net, mode):
                for number, (name, example) in enumerate(examples.items()):
                    (output,) = task.outputs(net, [example], purpose=Purpose.VALIDATION, seed=seed, numbers=[number])
                    write_item(folder, name, example, output.fake)
                    rows += item_rows(folder, name, example, names, facts=task.row_facts)
                    fakes.append(output.fake)
            write_set(folder, rows)
            measured = self._measure.values(folder)
            measured.append({"metric": DIVERSITY, "value": diversity(fakes, targets), "n": len(fakes)})
            facts = {"mode": mode, "split": split} | ({"seen": True} if self._examples.seen else {})
            values += [{**facts, **row} for row in measured]
        return values


def diversity(fakes: list[Picture], targets: list[Picture]) -> float | None:
    """How much generated pictures differ from each other, as a share of how much their ground truths do.

    The root mean square difference of all pairs of pictures, brought to 32 pixels a side, of the fakes over that of
    the targets: about 1 where a generator is as diverse as its data, 0 where it gives one picture for every input.
    None for fewer than two pictures, or targets that are all alike.
    """
    of_targets = rms_difference(targets)
    return rms_difference(fakes) / of_targets if of_targets else None


def rms_difference(pictures: list[Picture]) -> float:
    """Root mean square difference over all ordered pairs: twice the variance, averaged over pixels."""
    if len(pictures) < 2:
        return 0.0
    small = np.stack([resize(picture, (THUMBNAIL, THUMBNAIL)) for picture in pictures]).astype(np.float64)
    return float(np.sqrt(2 * small.var(axis=0, ddof=1).mean()))
