"""Infinite values: left out of every mean and counted."""

import math
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from gan_eval.metrics.run import inputs, runner
from gan_eval.metrics.run.differences import compare_pictures
from gan_eval.study.training import measure_during_training
from gan_eval.tables.frames import Row

PSNR = [20.0, 22.0, 27.0, math.inf, math.inf]


def _rows(model: str, values: list[float]) -> list[Row]:
    return [
        {"stimulus": f"{model}{n}", "item": f"i{n}", "kind": "fake", "model": model, "dataset": "d", "metric": "psnr",
         "value": value, "reason": None, "fraction": None}
        for n, value in enumerate(values)
    ]  # fmt: skip


def _measured(images: pd.DataFrame, sets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    found = SimpleNamespace(image_metrics=images, set_metrics=sets)
    monkeypatch.setattr(runner, "run_metrics", lambda *_, **__: found)
    monkeypatch.setattr(inputs, "stimuli_of_sets", lambda _: [])
    return measure_during_training(("psnr",))(Path())


def test_all_means_leave_infinite_values_out(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pd.DataFrame(_rows("a", PSNR))
    sets = pd.DataFrame(columns=["metric", "value", "n_fake", "reason"])
    (row,) = _measured(images, sets, monkeypatch)
    assert (row["value"], row["n"], row["reason"]) == (23.0, 3, None)
    assert row["sd"] == pytest.approx(math.sqrt(13))

    (row,) = compare_pictures(_rows("a", PSNR) + _rows("b", [19.0, 21.0, 26.0, 30.0, math.inf]))
    assert (row["difference"], row["n"], row["note"]) == (1.0, 3, "2 items left out: a value is infinite")


def test_where_every_value_is_infinite_the_reason_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, sets = pd.DataFrame(_rows("a", [math.inf] * 3)), pd.DataFrame(columns=["metric", "value"])
    (row,) = _measured(images, sets, monkeypatch)
    assert (row["value"], row["n"], row["reason"]) == (None, 0, "every value is infinite")
