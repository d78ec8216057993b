"""The trainer with the metrics handed in: what the commands and the pipeline call."""

from pathlib import Path
from typing import Any

from gan_eval.study import TrainingSettings


def train_model(settings: TrainingSettings, data: Path, out: Path, **how: Any) -> Path:
    """`trainer.training.train` with the validation metrics that the settings ask for; the same arguments.

    Raises:
        UserError: an unknown validation metric, or what `train` raises.
    """
    from trainer.training import train

    return train(settings, data, out, measure=_measure(settings), **how)


def _measure(settings: TrainingSettings) -> Any:
    if settings.validate_every is None:
        return None
    from gan_eval.metrics.on_the_way import higher_is_better, measure_on_the_way
    from trainer.validation import Measure

    better = higher_is_better(settings.validation_metrics)
    return Measure(measure_on_the_way(settings.validation_metrics), better)
