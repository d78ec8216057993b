"""Validation: a generator measured on pictures that it was not trained on, in both modes, while it is trained.

The trainer knows no metric. The command hands in what measures a stimulus set (`Measure`), so that the numbers are
those of batch reports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from torch import nn

from gan_eval.errors import UserError
from gan_eval.images import Picture, by_stem, resize, write_png
from gan_eval.stimuli import stimulus_row, write_set
from gan_eval.tabular import Row
from gan_eval.training_settings import Direction, Mode, TrainingSettings
from trainer.data import list_pairs, read_pair
from trainer.inference import inference, translate
from trainer.items import holds
from trainer.randomness import Purpose

SPLITS = ("val", "test")
"""Where validation pictures come from, best first."""
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
class ValidationPairs:
    """Pairs of the training size by stem, and the split that they come from."""

    split: str
    pairs: Mapping[str, tuple[Picture, Picture]]


def validation_pairs(
    data: Path, direction: Direction, *, size: int, count: int, train_split: str
) -> ValidationPairs | None:
    """Up to `count` pairs of the first split of SPLITS that is there and not the training split, spread over it.

    Raises:
        UserError: a picture of that split is broken.
    """
    for split in SPLITS:
        if split == train_split or not (data / split).is_dir():
            continue
        paths = list_pairs(data, split)
        chosen = by_stem(paths[k * len(paths) // min(count, len(paths))] for k in range(min(count, len(paths))))
        pairs = {stem: _sized(read_pair(path, direction), size) for stem, path in chosen.items()}
        return ValidationPairs(split, pairs)
    return None


def _sized(pair: tuple[Picture, Picture], size: int) -> tuple[Picture, Picture]:
    return resize(pair[0], (size, size)), resize(pair[1], (size, size))


class Validation:
    """Writes the stimulus sets `FOLDER/train` and `FOLDER/eval` of a generator and measures them."""

    def __init__(self, folder: Path, pairs: ValidationPairs, measure: Measure, settings: TrainingSettings) -> None:
        """
        Raises:
            UserError: the metric for the best generator is not measured.
        """
        self.best_metric = settings.best_metric or settings.validation_metrics[0]
        if self.best_metric not in measure.higher_is_better:
            raise UserError(f"best_metric {self.best_metric!r}: not among the validation metrics")
        self.higher_is_better = measure.higher_is_better[self.best_metric]
        self._folder = folder
        self._pairs = pairs
        self._measure = measure
        self._seed = settings.seed

    def __call__(self, net: nn.Module) -> list[Row]:
        """Rows of the table validation without step, epoch and fraction."""
        return [row for mode in get_args(Mode) for row in self._rows(net, mode)]

    def _rows(self, net: nn.Module, mode: Mode) -> list[Row]:
        folder = self._folder / mode
        fakes = self._write(net, mode, folder)
        targets = [target for _, target in self._pairs.pairs.values()]
        measured = self._measure.values(folder)
        measured.append({"metric": DIVERSITY, "value": diversity(fakes, targets), "n": len(fakes)})
        return [{"mode": mode, "split": self._pairs.split, **row} for row in measured]

    def _write(self, net: nn.Module, mode: Mode, folder: Path) -> list[Picture]:
        """The stimulus set of the generator as it is now."""
        shared: dict[str, Any] = {"dataset": "validation", "split": self._pairs.split}
        fakes: list[Picture] = []
        rows: list[Row] = []
        with inference(net, mode):
            for number, (stem, (condition, target)) in enumerate(self._pairs.pairs.items()):
                fake = translate(net, condition, purpose=Purpose.VALIDATION, seed=self._seed, number=number)
                files = {kind: folder / kind / f"{stem}.png" for kind in ("input", "real", "fake")}
                for kind, picture in {"input": condition, "real": target, "fake": fake}.items():
                    if kind == "fake" or not holds(files[kind], picture):
                        write_png(files[kind], picture)
                here = {**shared, "stem": stem, "size": target.shape[:2], "input_file": f"input/{stem}.png"}
                reference = f"real/{stem}.png"
                rows.append(stimulus_row(folder, files["real"], kind="real", **here))
                rows.append(
                    stimulus_row(folder, files["fake"], kind="fake", model="model", reference_file=reference, **here)
                )
                fakes.append(fake)
        write_set(folder, rows)
        return fakes


def diversity(fakes: list[Picture], targets: list[Picture]) -> float | None:
    """How much generated pictures differ from each other, as a share of how much their ground truths do.

    The root mean square difference of all pairs of pictures, brought to 32 pixels a side, of the fakes over that of
    the targets: about 1 where a generator is as diverse as its data, 0 where it gives one picture for every input.
    None for fewer than two pictures, or targets that are all alike.
    """
    of_targets = _spread(targets)
    return _spread(fakes) / of_targets if of_targets else None


def _spread(pictures: list[Picture]) -> float:
    """Root mean square difference over all ordered pairs: twice the variance, averaged over pixels."""
    if len(pictures) < 2:
        return 0.0
    small = np.stack([resize(picture, (THUMBNAIL, THUMBNAIL)) for picture in pictures]).astype(np.float64)
    return float(np.sqrt(2 * small.var(axis=0, ddof=1).mean()))
