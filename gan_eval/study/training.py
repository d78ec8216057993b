"""The trainer with the validation metrics, for the commands and the pipeline."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.tables.frames import Row

if TYPE_CHECKING:
    from gan_eval.study.plan import Plan
    from trainer.job import TrainingJob, ValidationMeasure
    from trainer.loop.estimate import TimeEstimate


def job_of(plan: "Plan", model: str, *, init_from: Path | None = None) -> "TrainingJob":
    """Return the training job of one of a study's models; `init_from` is used in place of what the study names."""
    from trainer.job import TrainingJob

    study, dataset = plan.study, plan.study.models[model].data
    return TrainingJob(
        study.training_of(model),
        plan.data_folder(dataset),
        study.data[dataset].direction,
        study.data[dataset].train_split,
        plan.data_root or Path(),
        init_from or plan.initial_file(model),
        uses_best=study.generate.checkpoint == "best",
        fraction=plan.training_fraction(model),
        threads=plan.threads,
    )


def train_model(job: "TrainingJob", out: Path, **how: Any) -> Path:
    """Call `trainer.loop.run.train` with the validation metrics of the settings; raise what it raises."""
    from trainer.loop.run import train

    return train(_with_metrics(job), out, **how)


def estimate_model(job: "TrainingJob", **how: Any) -> "TimeEstimate":
    """Call `trainer.loop.estimate.estimate` with the validation metrics of the settings."""
    from trainer.loop.estimate import estimate

    return estimate(_with_metrics(job), **how)


def _with_metrics(job: "TrainingJob") -> "TrainingJob":
    settings = job.settings
    if settings.validate_every is None:
        return job
    return replace(job, measure=measure_during_training(settings.validation_metrics))


def measure_during_training(names: tuple[str, ...]) -> "ValidationMeasure":
    """Return a function that measures the generated pictures of a stimulus set's folder.

    It returns a row for each metric: metric, value (mean over the pictures with a finite value, or the set's value),
    sd, n (pictures in the mean) and reason (why a value is missing). Only the first call loads networks and measures
    the real pictures.
    """
    import numpy as np
    import pandas as pd

    from gan_eval.metrics.catalogue import select
    from gan_eval.metrics.run.inputs import Settings, stimuli_of_sets
    from gan_eval.metrics.run.runner import RepeatedRuns, run_metrics
    from trainer.job import ValidationMeasure

    better = {metric.name: metric.higher_is_better for metric in select(names)}
    settings = Settings(names)
    held: list[RepeatedRuns] = []

    def measure(folder: Path) -> list[Row]:
        if not held:
            held.append(RepeatedRuns(settings))
        evaluation = run_metrics(stimuli_of_sets([folder]), settings, command="evaluate", held=held[0])
        images, sets = evaluation.image_metrics, evaluation.set_metrics
        rows: list[Row] = []
        for name, values in images[images["kind"] == "fake"].groupby("metric", sort=False):
            of_pictures = values["value"].to_numpy("float64", na_value=np.nan)
            finite, reason = of_pictures[np.isfinite(of_pictures)], None
            if not len(finite):
                reason = next((str(text) for text in values["reason"].dropna()), "every value is infinite")
            mean = float(finite.mean()) if len(finite) else None
            sd = float(finite.std(ddof=1)) if len(finite) > 1 else None
            rows.append({"metric": str(name), "value": mean, "sd": sd, "n": len(finite), "reason": reason})
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

    return ValidationMeasure(measure, better)
