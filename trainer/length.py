"""How many steps a training takes."""

import math

from gan_eval.errors import UserError
from gan_eval.study import TrainingSettings


def planned_steps(settings: TrainingSettings, pairs: int, *, fraction: float = 1.0) -> int:
    """The optimizer steps of a run over `pairs` pairs: `fraction` of its steps or epochs, at least 1.

    Raises:
        UserError: neither steps nor epochs are given, or the fraction is not in (0, 1].
    """
    if not 0 < fraction <= 1:
        raise UserError(f"fraction {fraction}: wanted a share of the steps above 0 and at most 1")
    if settings.steps is None and settings.epochs is None:
        raise UserError("training: neither steps nor epochs are given; give one of them")
    planned = settings.steps or (settings.epochs or 0) * math.ceil(pairs / settings.batch_size)
    return max(1, round(planned * fraction))
