"""What a run has to do: the task, the pictures, and the way there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lightning_fabric import Fabric

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.batches.batches import Batches, Schedule
from trainer.batches.pictures import hash_pictures
from trainer.loop.initial_weights import Initial
from trainer.loop.length import planned_steps, shortened
from trainer.loop.milestones import Milestones, milestones
from trainer.nets.build import smallest_batch
from trainer.state.run_folder import Definition
from trainer.tasks import Example, Task
from trainer.watch.samples import sample_examples
from trainer.watch.validation import Measure, Validation, validation_examples

Say = Callable[[str], None]
"""Takes a line for the user."""

MANY_PICTURES = 2000
"""Reading more pictures than this takes long enough to be mentioned."""


@dataclass(frozen=True)
class Assignment:
    """A training, whole or its first part, on so many devices."""

    task: Task
    data: Path
    split: str
    fraction: float
    devices: int
    paths: list[Path]
    planned: int
    """Steps that the settings speak of."""
    total: int
    """Steps that are trained: `fraction` of the planned ones."""
    initial: Initial | None = None
    """The trained generator that it starts from."""

    @property
    def settings(self) -> TrainingSettings:
        """Those of the task."""
        return self.task.settings

    def definition(self) -> Definition:
        """What makes two runs the same run. One device is not mentioned, nor a start from nothing."""
        told = {
            "settings": self.settings.model_dump(mode="json"),
            "fraction": self.fraction,
            **self.task.definition(),
            "split": self.split,
            "pairs": len(self.paths),
            "data_sha256": hash_pictures(self.paths),
            "steps": self.total,
        }
        told |= {"devices": self.devices} if self.devices > 1 else {}
        return told | ({"initial_sha256": self.initial.sha256} if self.initial else {})

    def remark(self, say: Say) -> None:
        """Tell what speaks against this training, judged by a few of its pictures."""
        for line in self.task.remarks(self.data, self.paths, train_split=self.split):
            say(line)

    def batches(self, fabric: Fabric, *, workers: int) -> Batches:
        """This process' share of the batches.

        Raises:
            UserError: pictures are broken, or not what the task needs.
        """
        return Batches(
            self.task.pictures(self.paths),
            self.settings,
            assemble=self.task.assemble,
            workers=workers,
            rank=fabric.global_rank,
            world=fabric.world_size,
        )

    def milestones(self, batches: Batches) -> Milestones:
        """The steps after which something is due."""
        per_epoch = batches.schedule.steps_per_epoch
        return milestones(self.settings, total=self.total, planned=self.planned, steps_per_epoch=per_epoch)

    def samples(self, say: Say) -> list[Example]:
        """The items of the sample grids."""
        return sample_examples(self.task, self.data, self.paths, train_split=self.split, say=say)

    def validation(self, out: Path, measure: Measure | None, say: Say) -> Validation | None:
        """What measures the generator on the way, where that is wanted and there are pictures for it."""
        if self.settings.validate_every is None or measure is None:
            return None
        examples = validation_examples(
            self.task, self.data, count=self.settings.validation_pairs, train_split=self.split
        )
        if examples is None:
            say(f"{self.data}: neither val nor test beside {self.split}; nothing is validated")
            return None
        return Validation(out / "validation", self.task, examples, measure)


def assign(
    task: Task,
    data: Path,
    *,
    split: str,
    fraction: float,
    devices: int,
    initial: Initial | None,
    say: Say,
) -> Assignment:
    """What the arguments of `train` mean.

    Raises:
        UserError: no such pictures, or no length.
    """
    paths = task.list_pictures(data, split, limit=task.settings.max_pairs)
    planned = planned_steps(task.settings, len(paths), devices=devices)
    total = shortened(planned, fraction)
    _require_whole_batches(task.settings, len(paths), devices)
    if len(paths) > MANY_PICTURES:
        say(f"reading and checking {len(paths)} pictures")
    return Assignment(task, data, split, fraction, devices, paths, planned, total, initial)


def _require_whole_batches(settings: TrainingSettings, pictures: int, devices: int) -> None:
    """
    Raises:
        UserError: a batch, which counts on all devices together as their statistics do, would be too small for them.
    """
    least = smallest_batch(settings)
    schedule = Schedule(pictures, settings.batch_size, settings.seed, devices)
    last = devices * len(schedule.samples(schedule.steps_per_epoch - 1))
    if min(schedule.global_batch, last) < least:
        which = "each batch" if schedule.global_batch < least else f"the last batch of an epoch of {pictures} pictures"
        raise UserError(
            f"batch_size {settings.batch_size}: {which} would be of one, without statistics; choose another, or "
            "max_pairs"
        )
