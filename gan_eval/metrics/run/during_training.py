"""Metrics of a stimulus set as the trainer wants them on the way: one row for each metric, not for each picture."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

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


def measure_on_the_way(names: tuple[str, ...]) -> Callable[[Path], list[Row]]:
    """A function that measures the generated pictures of a stimulus set's folder.

    It returns a row for each metric: metric, value (mean over the pictures that have a finite one, or the set's
    value), sd, n (pictures in the mean) and reason (why a value is missing).
    """

    def measure(folder: Path) -> list[Row]:
        images, sets = evaluate(folder, names, cache=False)
        generated = images[images["kind"] == "fake"]
        of_pictures = [_of_pictures(str(name), rows) for name, rows in generated.groupby("metric", sort=False)]
        return of_pictures + [_of_set(row) for row in sets.to_dict("records")]

    return measure


def _of_pictures(name: str, rows: pd.DataFrame) -> Row:
    found = finite_mean(rows["value"])
    reason = None
    if found.mean is None:
        reason = next((str(text) for text in rows["reason"].dropna()), "every value is infinite")
    return {"metric": name, "value": found.mean, "sd": found.sd, "n": found.n, "reason": reason}


def _of_set(row: Mapping[Any, Any]) -> Row:
    missing = pd.isna(row["value"])
    return {
        "metric": str(row["metric"]),
        "value": None if missing else float(row["value"]),
        "sd": None,
        "n": int(row["n_fake"]),
        "reason": None if pd.isna(row["reason"]) else str(row["reason"]),
    }
