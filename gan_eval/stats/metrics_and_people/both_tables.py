"""Correlations of metrics with people and their differences from the same points and the same replicates."""

import pandas as pd

from gan_eval.stats.metrics_and_people.correlations import difference_frame, difference_table, in_pairs
from gan_eval.stats.metrics_and_people.correlations_ import alone, correlation_rows, correlation_table
from gan_eval.stats.metrics_and_people.points import clouds, drawn


def correlations_and_differences(
    trials: pd.DataFrame,
    *,
    image_metrics: pd.DataFrame | None = None,
    set_metrics: pd.DataFrame | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `correlations` and `correlation_differences`, as their own functions give them, at once.

    Args:
        trials: the table `trials`.
        image_metrics: the table `image_metrics`.
        set_metrics: the table `set_metrics`.
        seed: of the bootstrap.
    """
    rows, frames = [], []
    for cloud in clouds(trials, image_metrics=image_metrics, set_metrics=set_metrics, seed=seed):
        replicates = drawn(cloud, alone(cloud) | in_pairs(cloud))
        rows += correlation_rows(cloud, replicates)
        if len(cloud.metrics) > 1:
            frames.append(difference_frame(cloud, replicates))
    return correlation_table(rows), difference_table(frames)
