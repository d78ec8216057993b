"""The trainer with the metrics handed in: what the commands and the pipeline call."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.launch import process_rank
from gan_eval.settings.training import TrainingSettings
from gan_eval.tabular import Row

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
    from trainer.watch.validation import Measure

    better = higher_is_better(settings.validation_metrics)
    return Measure(measure_during_training(settings.validation_metrics), better)


def higher_is_better(names: tuple[str, ...]) -> Mapping[str, bool]:
    """By metric, whether a greater value is the better one.

    Raises:
        UserError: an unknown metric.
    """
    from gan_eval.metrics.registry import select

    return {metric.name: metric.higher_is_better for metric in select(names)}


def measure_during_training(names: tuple[str, ...]) -> Callable[[Path], list[Row]]:
    """A function that measures the generated pictures of a stimulus set's folder.

    It returns a row for each metric, not for each picture: metric, value (mean over the pictures that have a finite
    one, or the set's value), sd, n (pictures in the mean) and reason (why a value is missing). Networks are loaded, and
    real pictures measured, at the first call alone.
    """
    import pandas as pd

    from gan_eval.metrics.run.evaluation import Settings
    from gan_eval.metrics.run.inputs import stimuli_of_sets
    from gan_eval.metrics.run.missing import finite_mean
    from gan_eval.metrics.run.runner import Held, run_metrics

    held: list[Held] = []

    def measure(folder: Path) -> list[Row]:
        if not held:
            held.append(Held.of(Settings(names)))
        evaluation = run_metrics(stimuli_of_sets([folder]), held[0].settings, command="evaluate", held=held[0])
        images, sets = evaluation.image_metrics, evaluation.set_metrics
        rows: list[Row] = []
        for name, values in images[images["kind"] == "fake"].groupby("metric", sort=False):
            summary = finite_mean(values["value"])
            reason = None
            if summary.mean is None:
                reason = next((str(text) for text in values["reason"].dropna()), "every value is infinite")
            rows.append(
                {"metric": str(name), "value": summary.mean, "sd": summary.sd, "n": summary.n, "reason": reason}
            )
        return rows + [
            {
                "metric": str(row["metric"]),
                "value": None if pd.isna(row["value"]) else float(row["value"]),
                "sd": None,
                "n": int(row["n_fake"]),
                "reason": None if pd.isna(row["reason"]) else str(row["reason"]),
            }
            for row in sets.to_dict("records")
        ]

    return measure
