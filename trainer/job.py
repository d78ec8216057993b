"""`TrainingJob`, the description of a training shared by `train`, `estimate` and the commands.

This module does not import torch, so that commands check their arguments quickly.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gan_eval.settings.choices import Direction
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables.frames import Row

Say = Callable[[str], None]
"""Function that is called with a message for the user."""


@dataclass(frozen=True)
class ValidationMeasure:
    """Metrics that are computed elsewhere: the trainer does not import them."""

    values: Callable[[Path], list[Row]]
    """Function of a stimulus set's folder that returns rows with metric, value, sd, n and reason."""
    higher_is_better: Mapping[str, bool]
    """True or false for each metric that `values` computes."""


@dataclass(frozen=True)
class TrainingJob:
    """A training: settings, data and options."""

    settings: TrainingSettings
    data: Path  # folder with `SPLIT/*.jpg`: pairs (A left, B right), or photographs with holes to fill
    direction: Direction = "AtoB"  # the half of a pair that is the input
    split: str = "train"
    root: Path = Path()  # folder that `inpainting.shapes` and `inpainting.mask_folder` are relative to
    init_from: Path | None = None
    """Run or file to use in place of `init_from` or `init_encoder` in the settings; default: those."""
    uses_best: bool = False
    """True if stimuli use best.safetensors; then, without `validation_pairs`, the whole split is validated."""
    fraction: float = 1.0  # share of the planned steps to train, above 0 and at most 1
    keep: int = 2  # number of the latest checkpoints to keep: if the latest is damaged, the one before it is used
    workers: int | None = None
    """Threads that prepare batches; the result is the same with any number. Default: 0 on a CPU, 4 with a GPU."""
    threads: int | None = None  # PyTorch threads on the CPU; default: see `trainer.devices.cpu_threads`
    measure: ValidationMeasure | None = None  # computes the validation metrics; None: no validation
