"""The plan of a training: task, pictures, length, and the steps after which something is written."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gan_eval.base.digests import sha256_file, sha256_json
from gan_eval.base.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.datasets.dataset import DataSet, map_pictures
from trainer.job import Say, TrainingJob
from trainer.loop.initial_weights import Initial, hash_weights
from trainer.nets.build import smallest_batch
from trainer.state.run_folder import STARTS, Definition
from trainer.tasks import Task

MANY_PICTURES = 2000  # reading more pictures takes long enough for a message
GRIDS = 10  # minimum number of sample grids in a run, evenly spread
MAX_EPOCHS = 200  # runs of at most this many epochs also have a grid after each epoch
MAX_VALIDATIONS = 200  # maximum number of validations in a run of a fraction of its steps


@dataclass(frozen=True)
class Milestones:
    """Numbers of steps after which something is written; 0: the untrained networks."""

    samples: frozenset[int]
    snapshots: frozenset[int]
    validations: frozenset[int]


def milestones(settings: TrainingSettings, *, total: int, planned: int, steps_per_epoch: int) -> Milestones:
    """Return the milestones of a run of `total` steps out of the `planned` ones.

    Settings in steps are scaled by the fraction total / planned.
    """
    late = [step for step in settings.snapshots if step > planned]
    if late:
        raise UserError(f"snapshots: {late[0]} is beyond the run's {planned} steps; give at most that")
    fraction = total / planned
    snapshots = frozenset(round(step * fraction) for step in settings.snapshots)
    samples = {max(1, round(total * k / GRIDS)) for k in range(1, GRIDS + 1)} | {0, total} | snapshots
    if total <= MAX_EPOCHS * steps_per_epoch:
        samples |= set(range(steps_per_epoch, total + 1, steps_per_epoch))
    validations: set[int] = set()
    if settings.validate_every is not None:
        every = settings.validate_every
        if fraction < 1:
            every = max(1, round(every * fraction), -(-total // MAX_VALIDATIONS))
        validations = set(range(0, total + 1, every)) | {total} | snapshots
    return Milestones(frozenset(samples), snapshots, frozenset(validations))


@dataclass(frozen=True)
class TrainingPlan:
    """A training, or its first part."""

    task: Task
    data_set: DataSet
    split: str
    paths: list[Path]  # the training pictures
    fraction: float
    planned: int  # steps that the settings ask for
    total: int  # steps to train: `fraction` of the planned ones
    initial: Initial | None = None  # the trained generator or encoder that the run starts from

    @property
    def settings(self) -> TrainingSettings:
        """The task's settings."""
        return self.task.settings

    @cached_property
    def definition(self) -> Definition:
        """Return the facts that identify a run, without a start from random weights."""
        contents = map_pictures(self.paths, lambda path: [path.name, sha256_file(path)])
        definition = {
            "settings": self.settings.model_dump(mode="json"),
            "fraction": self.fraction,
            **self.task.definition(),
            "split": self.split,
            "pairs": len(self.paths),
            "data_sha256": sha256_json(contents),
            "steps": self.total,
        }
        return definition | ({STARTS[self.initial.part]: hash_weights(self.initial.weights)} if self.initial else {})

    @cached_property
    def milestones(self) -> Milestones:
        """Return the steps after which something is written."""
        per_epoch = -(-len(self.paths) // self.settings.batch_size)
        return milestones(self.settings, total=self.total, planned=self.planned, steps_per_epoch=per_epoch)


def make_plan(task: Task, job: TrainingJob, *, initial: Initial | None, say: Say) -> TrainingPlan:
    """Return the plan of a job."""
    settings, data_set = task.settings, task.data_set(Path(job.data))
    paths = data_set.training_paths(job.split, limit=settings.max_pairs)
    planned = settings.planned_steps(len(paths))
    if not 0 < job.fraction <= 1:
        raise UserError(f"--fraction {job.fraction}: expected a share of the steps above 0 and at most 1")
    total = max(1, round(planned * job.fraction))
    if (len(paths) % settings.batch_size or settings.batch_size) < smallest_batch(settings):
        raise UserError(
            f"batch_size {settings.batch_size}: of {len(paths)} pictures some batch would have one alone, too few for "
            "BatchNorm; choose another, or max_pairs"
        )
    if len(paths) > MANY_PICTURES:
        say(f"reading and checking {len(paths)} pictures")
    return TrainingPlan(task, data_set, job.split, paths, job.fraction, planned, total, initial)


def decayed(settings: TrainingSettings, *, step: int, total: int) -> float:
    """Return the factor of the learning rate at step `step` (from 0): 1, then linear to 0 over the last `decay`.

    >>> [decayed(TrainingSettings(decay=0.5), step=step, total=4) for step in range(4)]
    [1.0, 1.0, 1.0, 0.5]
    """
    falling = settings.decay * total
    return min(1.0, (total - step) / falling) if falling else 1.0
