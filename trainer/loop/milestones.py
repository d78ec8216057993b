"""The steps of a run after which something is drawn, kept or measured."""

from dataclasses import dataclass

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings

GRIDS = 10
"""At least so many sample grids in a run, evenly spread,"""
MOST_EPOCHS = 200
"""and one for each epoch, in runs of at most so many."""
MOST_VALIDATIONS = 200
"""A short run with a small `validate_every` is measured no more often."""


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

    What the settings name in steps comes after the same share of the shorter way.

    Raises:
        UserError: a snapshot is wanted after the run's end.
    """
    late = [step for step in settings.snapshots if step > planned]
    if late:
        raise UserError(f"snapshots: {late[0]} is beyond the run's {planned} steps; give at most that")
    share = total / planned
    snapshots = frozenset(round(step * share) for step in settings.snapshots)
    samples = {max(1, round(total * k / GRIDS)) for k in range(1, GRIDS + 1)} | {0, total} | snapshots
    if total <= MOST_EPOCHS * steps_per_epoch:
        samples |= set(range(steps_per_epoch, total + 1, steps_per_epoch))
    validations: set[int] = set()
    if settings.validate_every is not None:
        every = max(1, round(settings.validate_every * share), -(-total // MOST_VALIDATIONS))
        validations = set(range(0, total + 1, every)) | {total} | snapshots
    return Milestones(frozenset(samples), snapshots, frozenset(validations))
