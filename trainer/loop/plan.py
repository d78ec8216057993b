"""What a training does: its task, its pictures, its length, and after which steps something is written or measured."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.batches import Schedule, hash_pictures
from trainer.datasets.dataset import DataSet
from trainer.loop.initial_weights import Initial
from trainer.nets.build import smallest_batch
from trainer.state.run_folder import STARTS, Definition
from trainer.tasks import Task

Say = Callable[[str], None]
"""Takes a message for the user."""

MANY_PICTURES = 2000
"""Reading more pictures than this takes long enough to be mentioned."""
GRIDS = 10
"""At least so many sample grids in a run, evenly spread,"""
MOST_EPOCHS = 200
"""and one for each epoch, in runs of at most so many."""
MOST_VALIDATIONS = 200
"""A run of a fraction of its steps is measured no more often."""


@dataclass(frozen=True)
class Milestones:
    """Steps done, 0 being the untrained networks."""

    samples: frozenset[int]
    snapshots: frozenset[int]
    validations: frozenset[int]

    def due(self, done: int) -> bool:
        """Whether anything is due after `done` steps."""
        return done in self.samples | self.snapshots | self.validations


def milestones(settings: TrainingSettings, *, total: int, planned: int, steps_per_epoch: int) -> Milestones:
    """The milestones of a run of `total` steps out of the `planned` steps that the settings speak of.

    What the settings name in steps comes after the same fraction of the shorter way.

    Raises:
        UserError: a snapshot is required after the run's end.
    """
    late = [step for step in settings.snapshots if step > planned]
    if late:
        raise UserError(f"snapshots: {late[0]} is beyond the run's {planned} steps; give at most that")
    fraction = total / planned
    snapshots = frozenset(round(step * fraction) for step in settings.snapshots)
    samples = {max(1, round(total * k / GRIDS)) for k in range(1, GRIDS + 1)} | {0, total} | snapshots
    if total <= MOST_EPOCHS * steps_per_epoch:
        samples |= set(range(steps_per_epoch, total + 1, steps_per_epoch))
    validations: set[int] = set()
    if settings.validate_every is not None:
        every = settings.validate_every
        if fraction < 1:
            every = max(1, round(every * fraction), -(-total // MOST_VALIDATIONS))
        validations = set(range(0, total + 1, every)) | {total} | snapshots
    return Milestones(frozenset(samples), snapshots, frozenset(validations))


@dataclass(frozen=True)
class Plan:
    """A training, whole or its first part, on so many devices."""

    task: Task
    data_set: DataSet
    split: str
    paths: list[Path]
    """The pictures that are trained on."""
    fraction: float
    devices: int
    planned: int
    """Steps that the settings speak of."""
    total: int
    """Steps that are trained: `fraction` of the planned ones."""
    initial: Initial | None = None
    """The trained generator, or encoder, that it starts from."""

    @property
    def settings(self) -> TrainingSettings:
        """Those of the task."""
        return self.task.settings

    @cached_property
    def definition(self) -> Definition:
        """What makes two runs the same run. One device is not mentioned, nor a start from nothing.

        Raises:
            UserError: pictures cannot be read.
        """
        definition = {
            "settings": self.settings.model_dump(mode="json"),
            "fraction": self.fraction,
            **self.task.definition(),
            "split": self.split,
            "pairs": len(self.paths),
            "data_sha256": hash_pictures(self.data_set.files(self.paths)),
            "steps": self.total,
        }
        definition |= {"devices": self.devices} if self.devices > 1 else {}
        return definition | ({STARTS[self.initial.part]: self.initial.sha256} if self.initial else {})

    @cached_property
    def milestones(self) -> Milestones:
        """The steps after which something is due.

        Raises:
            UserError: a snapshot is required after the run's end.
        """
        schedule = Schedule(len(self.paths), self.settings.batch_size, self.settings.seed, self.devices)
        per_epoch = schedule.steps_per_epoch
        return milestones(self.settings, total=self.total, planned=self.planned, steps_per_epoch=per_epoch)


def make_plan(
    task: Task,
    data: Path,
    *,
    split: str,
    fraction: float,
    devices: int,
    initial: Initial | None,
    say: Say,
) -> Plan:
    """What the arguments of `train` mean.

    Raises:
        UserError: no such pictures, no length, or a batch, which counts on all devices together as their statistics
            do, would be too small for the networks.
    """
    settings, data_set = task.settings, task.data_set(data)
    paths = data_set.training_paths(split, limit=settings.max_pairs)
    planned = settings.planned_steps(len(paths), devices=devices)
    total = shortened(planned, fraction)
    schedule = Schedule(len(paths), settings.batch_size, settings.seed, devices)
    last = devices * len(schedule.samples(schedule.steps_per_epoch - 1))
    least = smallest_batch(settings)
    if min(schedule.global_batch, last) < least:
        which = (
            "each batch" if schedule.global_batch < least else f"the last batch of an epoch of {len(paths)} pictures"
        )
        raise UserError(
            f"batch_size {settings.batch_size}: {which} would be of one, without statistics; choose another, or "
            "max_pairs"
        )
    if len(paths) > MANY_PICTURES:
        say(f"reading and checking {len(paths)} pictures")
    return Plan(task, data_set, split, paths, fraction, devices, planned, total, initial)


def shortened(planned: int, fraction: float) -> int:
    """The steps of a run that goes `fraction` of the way, at least 1.

    Raises:
        UserError: the fraction is not in (0, 1].

    >>> shortened(50_000, 0.05), shortened(6, 0.01)
    (2500, 1)
    """
    if not 0 < fraction <= 1:
        raise UserError(f"--fraction {fraction}: wanted a share of the steps above 0 and at most 1")
    return max(1, round(planned * fraction))


def decayed(settings: TrainingSettings, *, step: int, total: int) -> float:
    """The fraction of the learning rate at step `step` (from 0): 1, then falling linearly to 0 over the last `decay`.

    >>> [decayed(TrainingSettings(decay=0.5), step=step, total=4) for step in range(4)]
    [1.0, 1.0, 1.0, 0.5]
    """
    falling = settings.decay * total
    return min(1.0, (total - step) / falling) if falling else 1.0
