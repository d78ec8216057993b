"""Differences between models; infinite values in no mean; ten thousand missing values in a few lines."""

import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions.jackknife import GROUPS, JackknifeEstimate
from gan_eval.metrics.run import inputs, runner
from gan_eval.metrics.run.differences import Outcome, compare_outcomes, compare_pictures
from gan_eval.metrics.run.runner import missing_values
from gan_eval.study.training import measure_during_training
from gan_eval.tables.frames import Row


def _rows(metric: str, **values: list[float | None]) -> list[Row]:
    return [
        {"stimulus": f"d/{model}/{n}", "item": f"d/{n}", "kind": "fake", "model": model, "dataset": "d",
         "metric": metric, "value": value, "reason": None, "fraction": None}
        for model, of_model in values.items()
        for n, value in enumerate(of_model)
    ]  # fmt: skip


def _only(rows: list[Row]) -> dict[str, Any]:
    (row,) = rows
    return row


def test_paired_difference_with_students_interval() -> None:
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 5, size=30)  # what an item does to both models
    a, b = 25 + hard + rng.normal(size=30), 24 + hard + rng.normal(size=30)
    row = _only(compare_pictures(_rows("psnr", a=a.tolist(), b=b.tolist())))
    wanted = scipy.stats.ttest_rel(a, b).confidence_interval()
    assert (row["a"], row["b"], row["n"]) == ("a", "b", 30)
    assert row["difference"] == pytest.approx((a - b).mean())
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(wanted.low), pytest.approx(wanted.high))
    assert row["better"] == "a"


@pytest.mark.parametrize(("metric", "better"), [("ssim", "b"), ("l1", "a"), ("niqe", "a")])
def test_better_follows_the_metrics_direction(metric: str, better: str) -> None:
    rows = _rows(metric, a=[0.1, 0.2, 0.3, 0.4], b=[0.51, 0.6, 0.72, 0.8])
    assert _only(compare_pictures(rows))["better"] == better


def test_only_shared_items_with_finite_values_count() -> None:
    rows = _rows("psnr", a=[20, 21, 22, 23, math.inf, math.inf, None], b=[19, 20, None, 20, 30, math.inf, 31])
    row = _only(compare_pictures(rows))
    assert row["n"] == 3
    assert row["difference"] == pytest.approx(5 / 3)
    assert row["note"] == "2 items left out: a value is infinite"


def test_several_pictures_of_an_item_count_by_their_mean() -> None:
    rng = np.random.default_rng(2)
    rows = [
        row
        for model, level, each in (("a", 25.0, 3), ("b", 24.8, 2))
        for _ in range(each)
        for row in _rows("psnr", **{model: [level + n + rng.normal(0, 2) for n in range(8)]})
    ]
    mean = pd.DataFrame(rows).groupby(["model", "item"])["value"].mean()
    wanted = scipy.stats.ttest_rel(mean["a"], mean["b"])
    first = _only(compare_pictures(rows))
    assert (first["n"], first["difference"]) == (8, pytest.approx((mean["a"] - mean["b"]).mean()))
    assert first["ci_low"] == pytest.approx(wanted.confidence_interval().low)
    assert first["note"] == "8 items with several pictures of a model: their mean counts"


def test_real_pictures_and_other_data_sets_are_not_mixed_in() -> None:
    rows = _rows("niqe", a=[4.0, 5, 6], b=[5.0, 6.5, 7])
    real = [row | {"kind": "real", "model": None} for row in rows[:3]]
    elsewhere = [row | {"dataset": "e"} for row in rows]
    found = compare_pictures([*real, *rows, *elsewhere])
    assert [(row["dataset"], row["a"], row["b"]) for row in found] == [("d", "a", "b"), ("e", "a", "b")]


@pytest.mark.parametrize(
    ("metric", "a", "b", "expected", "note"),
    [
        (
            "kid",
            Outcome(JackknifeEstimate(1.0), frozenset({"i1", "i2"}), 2),
            Outcome(JackknifeEstimate(2.0), frozenset({"i2", "i3", "i4"}), 3),
            (1, -1.0),
            "a has 2 items, b 3; both values are of all their items; no interval: too few items",
        ),
        (
            "precision_inception",
            *[Outcome(JackknifeEstimate(1.0, np.ones(GROUPS), share_of=50), frozenset({"i"}), 1)] * 2,
            (1, 0.0),
            "no interval: none or all of the pictures count",
        ),
    ],
)
def test_a_difference_without_an_interval_has_a_note(
    metric: str, a: Outcome, b: Outcome, expected: tuple[int, float], note: str
) -> None:
    row = _only(compare_outcomes("d", METRICS[metric], {"a": a, "b": b}))
    assert (row["n"], row["difference"]) == expected
    assert "ci_low" not in row
    assert row["note"].startswith(note)


@pytest.mark.parametrize(("metric", "is_judged"), [("fid", False), ("coverage_inception", False), ("kid", True)])
def test_a_metric_that_depends_on_the_number_of_pictures_compares_no_unequal_sets(metric: str, is_judged: bool) -> None:
    noise = np.random.default_rng(1).normal(size=GROUPS) / 100
    items = frozenset(f"i{n}" for n in range(20))

    def row_of(fewer: int) -> Row:
        outcomes = {
            "a": Outcome(JackknifeEstimate(0.1, 0.1 + noise), items, 100),
            "b": Outcome(JackknifeEstimate(0.9, 0.9 + noise[::-1]), items, fewer),
        }
        return _only(compare_outcomes("d", METRICS[metric], outcomes))

    unequal = row_of(90)
    assert (unequal.get("difference") is not None) == is_judged
    if not is_judged:
        assert unequal["reason"] == (
            "a has 100 pictures, b 90: the metric depends on their number; measure the same items"
        )
    assert row_of(91)["difference"] == pytest.approx(-0.8)


def _measured(images: pd.DataFrame, sets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    found = SimpleNamespace(image_metrics=images, set_metrics=sets)
    monkeypatch.setattr(runner, "run_metrics", lambda *_, **__: found)
    monkeypatch.setattr(inputs, "stimuli_of_sets", lambda _: [])
    return measure_during_training(("psnr",)).values(Path())


def test_a_mean_during_training_leaves_infinite_values_out(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pd.DataFrame(_rows("psnr", a=[20.0, 22.0, 27.0, math.inf, math.inf]))
    sets = pd.DataFrame(columns=["metric", "value", "n_fake", "reason"])
    (row,) = _measured(images, sets, monkeypatch)
    assert (row["value"], row["n"], row["reason"]) == (23.0, 3, None)
    assert row["sd"] == pytest.approx(math.sqrt(13))
    (row,) = _measured(pd.DataFrame(_rows("psnr", a=[math.inf] * 3)), sets, monkeypatch)
    assert (row["value"], row["n"], row["reason"]) == (None, 0, "every value is infinite")


def _lines(images: Sequence[tuple[object, ...]], sets: Sequence[tuple[object, ...]] = (), **options: int) -> list[str]:
    columns = ["metric", "value", "reason"]
    given = {
        "image_metrics": pd.DataFrame(images, columns=["stimulus", *columns]),
        "set_metrics": pd.DataFrame(sets, columns=["model", "dataset", *columns]),
    }
    return missing_values(given, **options)


def test_reasons_that_differ_in_names_and_numbers_are_one_line():
    rows = [(f"d/m/{n}", "niqe", np.nan, f"a picture of {n}x64 has 0 blocks; NIQE needs two") for n in range(5_000)]
    rows += [(f"d/m/x{n}", "psnr", np.nan, f"no picture with the stem 'x{n}' in /real") for n in range(7)]
    rows += [(f"d/m/y{n}", "psnr", np.nan, f"/a: b/{'y' * (n + 1)}.JPG: the picture is transparent") for n in range(9)]
    found = _lines(rows)
    assert found == [
        "5000 pictures: no niqe; the first, d/m/0: a picture of 0x64 has 0 blocks; NIQE needs two",
        "9 pictures: no psnr; the first, d/m/y0: /a: b/y.JPG: the picture is transparent",
        "7 pictures: no psnr; the first, d/m/x0: no picture with the stem 'x0' in /real",
    ]
    assert _lines(rows, most=1) == [found[0], "... and 2 more"]
    assert _lines(rows, most=3) == found
    assert _lines([]) == []


def test_sets_come_first_and_are_told_together():
    reason = "weights inception: not in the cache; `gan-eval weights fetch inception`"
    sets = [(model, "d", metric, np.nan, reason) for model in "mn" for metric in ("fid", "kid")]
    sets[-1] = ("n", "d", "kid", 3.0, None)
    assert _lines([("d/m/1", "psnr", np.nan, "no reference_file")], sets) == [
        f"2 sets: no fid, kid; the first, m on d: {reason}",
        "d/m/1: no psnr: no reference_file",
    ]
    assert _lines([], sets[:2]) == [f"m on d: no fid, kid: {reason}"]
