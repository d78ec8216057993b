"""Metrics of a stimulus set during training: one row for each metric, not for each picture."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from gan_eval.metrics.registry import select
from gan_eval.metrics.run.missing import finite_mean
from gan_eval.metrics.run.runner import evaluate
from gan_eval.tabular import Row


def higher_is_better(names: tuple[str, ...]) -> Mapping[str, bool]:
    """By metric, whether a greater value is the better one.

    Raises:
        UserError: an unknown metric.
    """
    return {metric.name: metric.higher_is_better for metric in select(names)}


def measure_during_training(names: tuple[str, ...]) -> Callable[[Path], list[Row]]:
    """A function that measures the generated pictures of a stimulus set's folder.

    It returns a row for each metric: metric, value (mean over the pictures that have a finite one, or the set's
    value), sd, n (pictures in the mean) and reason (why a value is missing).
    """

    def measure(folder: Path) -> list[Row]:
        images, sets = evaluate(folder, names, cache=False)
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
