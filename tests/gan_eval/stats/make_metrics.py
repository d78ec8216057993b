"""Metric tables for tests of metrics against people."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gan_eval.stats.metrics_and_people.correlations import correlations_and_differences
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.frames import frame_of


def metric_of(trials: pd.DataFrame, values: Mapping[str, float], metric: str = "psnr") -> pd.DataFrame:
    """`image_metrics` with one metric's value for each fake of the trials that `values` names."""
    fakes = trials[trials["kind"] == "fake"].drop_duplicates("stimulus")
    rows = [
        {"stimulus": row["stimulus"], "kind": "fake", "model": row["model"], "dataset": row["dataset"]}
        | {"metric": metric, "value": values[row["stimulus"]]}
        for _, row in fakes.iterrows()
        if row["stimulus"] in values
    ]
    return frame_of(rows, IMAGE_METRICS)


def fooling(trials: pd.DataFrame) -> pd.Series:
    """Share of the answers to each fake that call it real."""
    fakes = trials[trials["kind"] == "fake"]
    return (fakes["response"] == "real").groupby(fakes["stimulus"]).mean()


def correlations(trials: pd.DataFrame, **given: Any) -> pd.DataFrame:
    """The table `correlations`, from few replicates."""
    return correlations_and_differences(trials, replicates=200, **given)[0]


def correlation_differences(trials: pd.DataFrame, **given: Any) -> pd.DataFrame:
    """The table `correlation_differences`, from few replicates."""
    return correlations_and_differences(trials, replicates=200, **given)[1]
