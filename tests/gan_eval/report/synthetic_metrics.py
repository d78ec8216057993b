"""Small metric tables whose answers are known."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gan_eval.metrics.run.differences import compare_pictures
from gan_eval.tables import IMAGE_METRICS, METRIC_COMPARISONS, RUNS, SET_METRICS
from gan_eval.tables.frames import Row, frame_of

SHA = "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"
QUALITY = {"clear": 3.0, "middling": 0.0, "alike": 0.02}
"""Advantage of each model's pictures, in units of the noise between pictures."""


def values(models: Mapping[str, float] = QUALITY, *, n: int = 24, dataset: str = "houses") -> list[Row]:
    """Rows of `image_metrics`: psnr (higher is better) and niqe (lower, and real pictures have it too).

    The models' order by niqe is that by psnr turned round.
    """
    rng = np.random.default_rng(8)
    hard = rng.normal(size=n)
    rows = [_row(dataset, None, k, "niqe", 4 + 0.1 * hard[k]) for k in range(n)]
    for model, quality in models.items():
        for k in range(n):
            good = quality + hard[k] + 0.3 * rng.normal()
            rows += [_row(dataset, model, k, "psnr", 20 + good), _row(dataset, model, k, "niqe", 9 + good)]
    return rows


def sets(models: Sequence[str] = tuple(QUALITY), *, n: int = 24, dataset: str = "houses") -> list[Row]:
    """Rows of `set_metrics`: an fid and a kid for each model, without differences."""
    return [
        {
            "model": model,
            "dataset": dataset,
            "metric": metric,
            "value": value + place,
            "ci_low": value + place - 0.5,
            "ci_high": value + place + 0.5,
            "n_real": n,
            "n_fake": n,
            "run": "r",
        }
        for metric, value in (("fid", 50.0), ("kid", 0.1))
        for place, model in enumerate(models)
    ]


def frames_of(images: Sequence[Row], set_rows: Sequence[Row] = ()) -> dict[str, pd.DataFrame]:
    """The tables by name, with the differences that these values give rise to."""
    return {
        "image_metrics": frame_of(images, IMAGE_METRICS),
        "set_metrics": frame_of(set_rows, SET_METRICS),
        "metric_comparisons": frame_of(compare_pictures(images), METRIC_COMPARISONS),
        "runs": frame_of([_run()], RUNS),
    }


def _row(dataset: str, model: str | None, k: int, metric: str, value: float) -> Row:
    return {
        "stimulus": f"{dataset}/{model or 'real'}/{k}",
        "item": f"{dataset}/{k}",
        "kind": "fake" if model else "real",
        "model": model,
        "dataset": dataset,
        "metric": metric,
        "value": float(value),
        "reason": None,
        "run": "r",
    }


def _run() -> Row:
    settings = {
        "metrics": {"psnr": "10 log10(255² / MSE)", "fid": "Heusel et al. 2017; Inception 2015-12-05"},
        "weights": {"inception": SHA},
        "interval": "jackknife, 10 groups of items",
    }
    return {
        "run": "r",
        "command": "metrics",
        "settings": json.dumps(settings),
        "software": "gan_eval 0.1.0; numpy 2.4.6",
        "weights_sha256": SHA,
        "resizer": "tf1",
        "device": "cpu",
        "started_at": "2026-01-31T12:00:00.000Z",
        "ended_at": "2026-01-31T12:00:09.000Z",
    }
