"""The trainer with the metrics handed in: what the commands and the pipeline call."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.launch import process_rank
from gan_eval.settings.training import TrainingSettings

if TYPE_CHECKING:
    from trainer.loop.estimate import Estimate


def train_model(settings: TrainingSettings, data: Path, out: Path, **how: Any) -> Path:
    """`trainer.loop.train.train` with the validation metrics that the settings ask for; the same arguments.

    Raises:
        UserError: an unknown validation metric, or what `train` raises.
        KeyboardInterrupt: Ctrl-C; beside other processes, of which the first one speaks, SystemExit.
    """
    from trainer.loop.train import train

    try:
        return train(settings, data, out, measure=_measure(settings), **how)
    except KeyboardInterrupt:
        if process_rank() > 0:
            raise SystemExit(130) from None
        raise


def estimate_model(settings: TrainingSettings, data: Path, **how: Any) -> "Estimate | None":
    """`trainer.loop.estimate.estimate` with the validation metrics that the settings ask for; the same arguments."""
    from trainer.loop.estimate import estimate

    return estimate(settings, data, measure=_measure(settings), **how)


def _measure(settings: TrainingSettings) -> Any:
    if settings.validate_every is None:
        return None
    from gan_eval.metrics.run.during_training import higher_is_better, measure_during_training
    from trainer.watch.validation import Measure

    better = higher_is_better(settings.validation_metrics)
    return Measure(measure_during_training(settings.validation_metrics), better)
