"""Set metrics of each model and data set, from the features of all pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions import segmentation
from gan_eval.metrics.definitions.kid import kid, kid_all_pairs
from gan_eval.metrics.kernels.pictures import Missing
from gan_eval.metrics.run.features import FeatureStore
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.measure import PictureResults
from gan_eval.metrics.run.sets import compare_sets
from gan_eval.tables.frames import Row

D = 6


def _stimulus(n: int, model: str | None = None, dataset: str = "d") -> Stimulus:
    return Stimulus(
        stimulus=f"{dataset}/{model or 'real'}/{n}",
        item=f"{dataset}/{n}",
        kind="fake" if model else "real",
        model=model,
        dataset=dataset,
        file=Path(f"{model}{n}.png"),
        reference=None,
        fraction=0.5 if model == "b" else None,
    )


def _stimuli(count: int, *models: str, dataset: str = "d") -> list[Stimulus]:
    return [_stimulus(n, model, dataset) for model in (None, *models) for n in range(count)]


def _features(stimuli: Sequence[Stimulus], width: int = D) -> NDArray[np.float32]:
    values = np.random.default_rng(0).normal(size=(len(stimuli), width)).astype(np.float32)
    return values + np.array([len(s.model or "") * 0.3 for s in stimuli], np.float32)[:, None]


def _compare(
    stimuli: Sequence[Stimulus],
    *names: str,
    features: NDArray[np.float32] | None = None,
    extractor: str = "inception",
    unreadable: Mapping[str, str] | None = None,
    hashes: Mapping[str, str] | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
    **tools: Mapping[str, Any],
) -> tuple[list[Row], list[Row]]:
    """Compare sets whose pictures have these features; why one is unreadable and its hash by the stimulus."""
    place = {stimulus.stimulus: number for number, stimulus in enumerate(stimuli)}
    values = _features(stimuli) if features is None else features
    store = FeatureStore(*values.shape)
    for number, vector in enumerate(values):
        store.put(number, Missing("3.png: too small") if np.isnan(vector).any() else vector)
    results = PictureResults(
        np.empty((len(stimuli), 0)),
        unreadable={place[name]: reason for name, reason in (unreadable or {}).items()},
        hashes={place[name]: digest for name, digest in (hashes or {}).items()},
        stores={} if "unavailable" in tools else {extractor: store},
    )
    metrics = [METRICS[name] for name in names]
    given: Any = SimpleNamespace(**{"unavailable": {}, "caveats": {}, "reference": None, **tools})
    return compare_sets(stimuli, metrics, results, given, on_progress=on_progress)


def test_models_are_compared_with_what_they_share_taken_out() -> None:
    stimuli = _stimuli(40, "a", "b")
    values = np.random.default_rng(1).normal(size=(120, D)).astype(np.float32)
    values[40:80] += 0.5
    values[80:] = values[40:80] + 0.1  # b is a, moved on
    rows, (row,) = _compare(stimuli, "kid", features=values)
    a, b = rows
    assert row["difference"] == pytest.approx(a["value"] - b["value"])
    assert (row["a"], row["b"], row["n"], row["better"], row["fraction"]) == ("a", "b", 40, "a", 0.5)
    assert row["ci_high"] - row["ci_low"] < 0.5 * ((a["ci_high"] - a["ci_low"]) + (b["ci_high"] - b["ci_low"]))


def test_another_model_changes_no_row_of_a_model() -> None:
    names = ("fid", "kid", "coverage_inception")
    alone = _stimuli(30, "a", "bb")
    more = [*alone, *(_stimulus(n, "new") for n in range(11, 47))]  # other items: some are a's, some nobody's
    features = _features(more)
    before, after = (_compare(stimuli, *names, features=features[: len(stimuli)]) for stimuli in (alone, more))
    assert [row for row in after[0] if row["model"] != "new"] == before[0]
    assert [row for row in after[1] if "new" not in (row["a"], row["b"])] == before[1]
    assert all(row["ci_low"] is not None for row in after[0])


def test_pictures_that_do_not_go_in_are_counted_and_told() -> None:
    stimuli = _stimuli(30, "a")
    features = _features(stimuli)
    features[33] = np.nan
    (row,), _ = _compare(stimuli, "kid", features=features, unreadable={"d/real/0": "0.png: not a readable picture"})
    assert (row["n_real"], row["n_fake"]) == (29, 29)
    assert "2 left out" in row["note"]
    items = [[n for n in range(30) if n != left_out] for left_out in (0, 3)]
    real, fake = features[items[0]], features[30:][items[1]]
    assert row["value"] == pytest.approx(kid(real, fake, items=(items[0], items[1])))
    features[30:] = np.nan
    (row,), _ = _compare(stimuli, "kid", features=features)
    assert row["reason"] == "3.png: too small", "that of the only set in which no picture can be measured"


def test_copies_are_told() -> None:
    stimuli = _stimuli(30, "a")
    hashes = {s.stimulus: s.stimulus for s in stimuli}
    hashes |= {"d/real/1": "same", "d/real/2": "same", "d/real/3": "same", "d/a/7": "same"}
    (row,), _ = _compare(stimuli, "kid", hashes=hashes)
    assert "set: 2" in row["note"]
    assert "pictures: 1" in row["note"]


def test_metrics_that_cannot_be_computed_have_rows_with_reasons() -> None:
    stimuli = _stimuli(12, "a", "bb")
    unavailable = {"fid": Missing("no weights of inception"), "precision_inception": Missing("no weights")}
    rows, comparisons = _compare(stimuli, *unavailable, unavailable=unavailable)
    assert [(row["model"], row["metric"], row["reason"], row["n_fake"]) for row in rows] == [
        (model, metric, missing.reason, 12) for model in ("a", "bb") for metric, missing in unavailable.items()
    ]
    assert [row["reason"] for row in comparisons if row["metric"] == "fid"] == [
        "a: no weights of inception; bb: no weights of inception"
    ]


def test_sets_that_are_too_small() -> None:
    names = ("fid", "precision_inception", "coverage_inception")
    (fid, precision, coverage), _ = _compare(_stimuli(5, "a"), *names)
    assert fid["value"] > 0
    assert "no interval" in fid["note"]
    assert precision["value"] >= 0
    assert "5 real and 5 generated pictures" in coverage["reason"]


def test_kid_leaves_out_the_pairs_of_an_item_and_kid_all_pairs_says_that_it_does_not() -> None:
    stimuli = _stimuli(24, "a")
    values = _features(stimuli)
    values[24:] = values[:24] + 0.1 * values[24:]  # each generated picture resembles its own real one
    (row, all_pairs), _ = _compare(stimuli, "kid", "kid_all_pairs", features=values)
    assert row["note"] is None
    assert row["value"] == pytest.approx(kid(values[:24], values[24:], items=("abcdefghijklmnopqrstuvwx",) * 2))
    assert all_pairs["ci_high"] < 0 < row["ci_high"]
    assert all_pairs["value"] == pytest.approx(kid_all_pairs(values[:24], values[24:]))
    assert "pairs of one item" in all_pairs["note"]
    others = [s if s.is_fake else replace(s, item=f"e/{s.item}") for s in stimuli]
    (row, all_pairs), _ = _compare(others, "kid", "kid_all_pairs", features=values)
    assert row["value"] == pytest.approx(all_pairs["value"])
    assert all_pairs["note"] is None


def test_caveats_and_progress() -> None:
    reported: list[tuple[Any, ...]] = []
    stimuli = _stimuli(12, "a") + _stimuli(12, "a", dataset="e")
    rows, comparisons = _compare(
        stimuli, "kid", caveats={"inception": "unknown weights"}, on_progress=lambda *how: reported.append(how)
    )
    assert [how for how in reported if len(how) == 3] == [(1, 2, "sets"), (2, 2, "sets")]
    assert reported[:2] == [(0, 2, "sets", "25% of the next 1, a"), (0, 2, "sets", "50% of the next 1, a")]
    assert [row["dataset"] for row in rows] == ["d", "e"]
    assert all("unknown weights" in row["note"] for row in rows)
    assert comparisons == []


def test_segmentation_scores_have_the_real_pictures_score_as_a_ceiling() -> None:
    stimuli = _stimuli(20, "a")
    values = np.zeros((40, segmentation.COUNTS), np.float32)
    values[:20, 0], values[:20, 1] = 90, 10  # read right and wrong in the photographs
    values[20:, 0], values[20:, 1] = 60, 40
    (row,), _ = _compare(stimuli, "pixel_accuracy", features=values, extractor="segmenter")
    assert row["value"] == pytest.approx(0.6)
    assert "themselves: 0.9" in row["note"]
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(0.6), pytest.approx(0.6))
