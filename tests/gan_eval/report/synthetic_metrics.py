"""Small metric tables whose answers are known."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gan_eval.metrics.run.differences import compare_pictures
from gan_eval.tables import IMAGE_METRICS, METRIC_COMPARISONS, RUNS, SET_METRICS
from gan_eval.tables.frames import Row, frame_of

SHA = "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"
SETTINGS = {
    "metrics": {"psnr": "10 log10(255² / MSE)", "fid": "Heusel et al. 2017; Inception 2015-12-05"},
    "weights": {"inception": SHA},
    "interval": "jackknife, 10 groups of items",
}
RUN = {
    "run": "r", "command": "metrics", "settings": json.dumps(SETTINGS), "software": "gan_eval 0.1.0; numpy 2.4.6",
    "resizer": "tf1", "device": "cpu",
}  # fmt: skip
QUALITY = {"clear": 3.0, "middling": 0.0, "alike": 0.02}
"""Advantage of each model's pictures, in units of the noise between pictures."""


def values(models: Mapping[str, float] = QUALITY, *, n: int = 24) -> list[Row]:
    """Rows of `image_metrics`: psnr (higher is better) and niqe (lower, and real pictures have it too).

    The models' order by niqe is that by psnr turned round.
    """
    rng = np.random.default_rng(8)
    hard = rng.normal(size=n)
    rows = [_row(None, k, "niqe", 4 + 0.1 * hard[k]) for k in range(n)]
    for model, quality in models.items():
        for k in range(n):
            good = quality + hard[k] + 0.3 * rng.normal()
            rows += [_row(model, k, "psnr", 20 + good), _row(model, k, "niqe", 9 + good)]
    return rows


def sets(models: Sequence[str] = tuple(QUALITY), *, n: int = 24) -> list[Row]:
    """Rows of `set_metrics`: an fid and a kid for each model, without differences."""
    return [
        {"model": model, "dataset": "houses", "metric": metric, "n_real": n, "n_fake": n, "run": "r"}
        | {"value": value + place, "ci_low": value + place - 0.5, "ci_high": value + place + 0.5}
        for metric, value in (("fid", 50.0), ("kid", 0.1))
        for place, model in enumerate(models)
    ]


def frames_of(images: Sequence[Row], set_rows: Sequence[Row] = ()) -> dict[str, pd.DataFrame]:
    """The tables by name, with the differences that these values give rise to."""
    return {
        "image_metrics": frame_of(images, IMAGE_METRICS),
        "set_metrics": frame_of(set_rows, SET_METRICS),
        "metric_comparisons": frame_of(compare_pictures(images), METRIC_COMPARISONS),
        "runs": frame_of([RUN], RUNS),
    }


def _row(model: str | None, k: int, metric: str, value: float) -> Row:
    picture = {"stimulus": f"houses/{model or 'real'}/{k}", "item": f"houses/{k}", "dataset": "houses", "model": model}
    return picture | {"kind": "fake" if model else "real", "metric": metric, "value": float(value), "run": "r"}


def of_sets(n: int, *metrics: str) -> dict[str, pd.DataFrame]:
    """Sets of which clear is better than the others by each of the metrics."""
    table = [
        {"dataset": "houses", "metric": metric, "a": "clear", "b": other, "n": n, "difference": -1.0, "ci_low": -1.5,
         "ci_high": -0.5, "better": "clear", "run": "r"}
        for metric in metrics
        for other in ("middling", "alike")
    ]  # fmt: skip
    frames = frames_of([], [row for row in sets(n=n) if row["metric"] in metrics])
    return {**frames, "metric_comparisons": frame_of(table, METRIC_COMPARISONS)}
