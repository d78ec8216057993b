"""What a run has to do: the settings, the pairs, and the way there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lightning_fabric import Fabric

from gan_eval.images import Picture
from gan_eval.training_settings import Direction, TrainingSettings
from trainer.data import Batches, PairedPictures, hash_pairs, jitter_size, list_pairs
from trainer.datasets.remarks import remarks
from trainer.length import planned_steps, shortened
from trainer.milestones import Milestones, milestones
from trainer.run_folder import Definition
from trainer.samples import sample_pairs
from trainer.validation import Measure, Validation, validation_pairs

Say = Callable[[str], None]
"""Takes a line for the user."""

MANY_PAIRS = 2000
"""With more pairs than this, reading them takes long enough to be mentioned."""


@dataclass(frozen=True)
class Task:
    """A training, whole or its first part, on so many devices."""

    settings: TrainingSettings
    data: Path
    direction: Direction
    split: str
    fraction: float
    devices: int
    paths: list[Path]
    planned: int
    """Steps that the settings speak of."""
    total: int
    """Steps that are trained: `fraction` of the planned ones."""

    def definition(self) -> Definition:
        """What makes two runs the same run. One device is not mentioned."""
        return {
            "settings": self.settings.model_dump(mode="json"),
            "fraction": self.fraction,
            "direction": self.direction,
            "split": self.split,
            "pairs": len(self.paths),
            "data_sha256": hash_pairs(self.paths),
            "steps": self.total,
        } | ({"devices": self.devices} if self.devices > 1 else {})

    def remark(self, say: Say) -> None:
        """Tell what speaks against this training, judged by a few of its pictures."""
        for line in remarks(self.data, self.paths, self.direction, train_split=self.split):
            say(line)

    def batches(self, fabric: Fabric, *, workers: int) -> Batches:
        """This process' share of the batches.

        Raises:
            UserError: pictures are broken or cannot be halved.
        """
        pictures = PairedPictures(self.paths, self.direction, side=jitter_size(self.settings))
        return Batches(pictures, self.settings, workers=workers, rank=fabric.global_rank, world=fabric.world_size)

    def milestones(self, batches: Batches) -> Milestones:
        """The steps after which something is due."""
        per_epoch = batches.schedule.steps_per_epoch
        return milestones(self.settings, total=self.total, planned=self.planned, steps_per_epoch=per_epoch)

    def samples(self, say: Say) -> list[tuple[Picture, Picture]]:
        """The pairs of the sample grids."""
        size = self.settings.image_size
        return sample_pairs(self.data, self.paths, self.direction, size=size, train_split=self.split, say=say)

    def validation(self, out: Path, measure: Measure | None, say: Say) -> Validation | None:
        """What measures the generator on the way, where that is wanted and there are pictures for it."""
        if self.settings.validate_every is None or measure is None:
            return None
        size, count = self.settings.image_size, self.settings.validation_pairs
        pairs = validation_pairs(self.data, self.direction, size=size, count=count, train_split=self.split)
        if pairs is None:
            say(f"{self.data}: neither val nor test beside {self.split}; nothing is validated")
            return None
        return Validation(out / "validation", pairs, measure, self.settings)


def plan_task(
    settings: TrainingSettings,
    data: Path,
    *,
    direction: Direction,
    split: str,
    fraction: float,
    devices: int,
    say: Say,
) -> Task:
    """The task that the arguments of `train` mean.

    Raises:
        UserError: no such pictures, or no length.
    """
    paths = list_pairs(data, split, limit=settings.max_pairs)
    planned = planned_steps(settings, len(paths), devices=devices)
    total = shortened(planned, fraction)
    if len(paths) > MANY_PAIRS:
        say(f"reading and checking {len(paths)} pictures")
    return Task(settings, data, direction, split, fraction, devices, paths, planned, total)
