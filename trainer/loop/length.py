"""How many steps a training takes."""

import math

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings


def planned_steps(settings: TrainingSettings, pairs: int, *, devices: int = 1) -> int:
    """The optimizer steps that the settings speak of, over `pairs` pairs, with a batch on each of `devices` devices.

    Raises:
        UserError: neither steps nor epochs are given.
    """
    if settings.steps is None and settings.epochs is None:
        raise UserError("training: neither steps nor epochs are given; give one of them")
    return settings.steps or (settings.epochs or 0) * math.ceil(pairs / (settings.batch_size * devices))


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
    """The share of the learning rate at step `step` (from 0): 1, then falling linearly towards 0 over the last `decay`.

    >>> [decayed(TrainingSettings(decay=0.5), step=step, total=4) for step in range(4)]
    [1.0, 1.0, 1.0, 0.5]
    """
    falling = settings.decay * total
    return min(1.0, (total - step) / falling) if falling else 1.0
