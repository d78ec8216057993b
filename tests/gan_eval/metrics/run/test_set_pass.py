"""Set metrics of each model and data set, from the features of all pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.definitions import segmentation
from gan_eval.metrics.definitions.kid import kid
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.measures import FeatureStore
from gan_eval.metrics.run.pictures import PictureResults
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


class Found(NamedTuple):
    rows: list[Row]
    comparisons: list[Row]


def _compare(
    stimuli: Sequence[Stimulus],
    *names: str,
    features: NDArray[np.float32] | None = None,
    extractor: str = "inception",
    reasons: Mapping[str, str] | None = None,
    unreadable: Mapping[str, str] | None = None,
    hashes: Mapping[str, str] | None = None,
    unavailable: Mapping[str, str] | None = None,
    caveats: Mapping[str, str] | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> Found:
    """Compare sets whose pictures have these features; reasons, files and hashes by the stimulus."""
    place = {stimulus.stimulus: number for number, stimulus in enumerate(stimuli)}
    values = _features(stimuli) if features is None else features
    store = FeatureStore(*values.shape)
    for name, number in place.items():
        store.put(number, (reasons or {}).get(name, values[number]))
    results = PictureResults(
        np.empty((len(stimuli), 0)),
        unreadable={place[name]: reason for name, reason in (unreadable or {}).items()},
        hashes={place[name]: digest.encode() for name, digest in (hashes or {}).items()},
        stores={} if unavailable else {extractor: store},  # type: ignore[dict-item]
    )
    tools: Any = SimpleNamespace(unavailable=unavailable or {}, caveats=caveats or {})
    metrics = [METRICS[name] for name in names]
    return Found(*compare_sets(stimuli, metrics, results, tools, on_progress=on_progress))


def _by_name(rows: Sequence[Row], model: str) -> dict[str, Row]:
    return {row["metric"]: row for row in rows if row["model"] == model}


def test_models_are_compared_with_what_they_share_taken_out() -> None:
    stimuli = _stimuli(40, "a", "b")
    values = np.random.default_rng(1).normal(size=(120, D)).astype(np.float32)
    values[40:80] += 0.5
    values[80:] = values[40:80] + 0.1  # b is a, moved on
    found = _compare(stimuli, "kid", features=values)
    (row,) = found.comparisons
    a, b = (_by_name(found.rows, model)["kid"] for model in ("a", "b"))
    assert row["difference"] == pytest.approx(a["value"] - b["value"])
    assert (row["a"], row["b"], row["n"], row["better"], row["fraction"]) == ("a", "b", 40, "a", 0.5)
    assert row["ci_high"] - row["ci_low"] < 0.5 * ((a["ci_high"] - a["ci_low"]) + (b["ci_high"] - b["ci_low"]))


def test_another_model_changes_no_row_of_a_model() -> None:
    names = ("fid", "kid", "coverage_inception")
    alone = _stimuli(30, "a", "bb")
    more = [*alone, *(_stimulus(n, "new") for n in range(11, 47))]  # other items: some are a's, some nobody's
    features = _features(more)
    before, after = (_compare(stimuli, *names, features=features[: len(stimuli)]) for stimuli in (alone, more))
    assert [row for row in after.rows if row["model"] != "new"] == before.rows
    assert [row for row in after.comparisons if "new" not in (row["a"], row["b"])] == before.comparisons
    assert all(row["ci_low"] is not None for row in after.rows)


def test_pictures_that_do_not_go_in_are_counted_and_told() -> None:
    stimuli = _stimuli(30, "a")
    features = _features(stimuli)
    found = _compare(
        stimuli,
        "kid",
        reasons={"d/a/3": "3.png: too small"},
        unreadable={"d/real/0": "0.png: not a readable picture"},
    )
    (row,) = found.rows
    assert (row["n_real"], row["n_fake"]) == (29, 29)
    assert "2 left out, the first: 0.png: not a readable picture" in row["note"]
    assert row["value"] == pytest.approx(kid(features[1:30], np.delete(features[30:], 3, axis=0)))


def test_copies_are_told() -> None:
    stimuli = _stimuli(30, "a")
    hashes = {s.stimulus: s.stimulus for s in stimuli}
    hashes |= {"d/real/1": "same", "d/real/2": "same", "d/real/3": "same", "d/a/7": "same"}
    (row,) = _compare(stimuli, "kid", hashes=hashes).rows
    assert "copies of other pictures in the same set: 2" in row["note"]
    assert "copies of real pictures: 1" in row["note"]


def test_metrics_that_cannot_be_computed_have_rows_with_reasons() -> None:
    stimuli = _stimuli(12, "a", "bb")
    found = _compare(
        stimuli,
        "fid",
        "precision_inception",
        unavailable={"fid": "no weights of inception", "precision_inception": "no weights"},
        caveats={"inception": "odd weights"},
    )
    assert [(row["metric"], row["reason"], row["n_fake"]) for row in found.rows if row["model"] == "a"] == [
        ("fid", "no weights of inception", 12),
        ("precision_inception", "no weights", 12),
    ]
    assert {row["reason"] for row in found.comparisons if row["metric"] == "fid"} == {
        "a: no weights of inception; bb: no weights of inception"
    }


def test_sets_that_are_too_small() -> None:
    rows = _by_name(_compare(_stimuli(5, "a"), "fid", "precision_inception", "coverage_inception").rows, "a")
    assert rows["fid"]["value"] > 0
    assert "no interval" in rows["fid"]["note"]
    assert rows["precision_inception"]["value"] >= 0
    assert "5 real and 5 generated pictures" in rows["coverage_inception"]["reason"]


def test_kid_of_sets_that_share_items_is_warned_of() -> None:
    stimuli = _stimuli(24, "a")
    (row,) = _compare(stimuli, "kid").rows
    assert "share items: KID is too low by an amount that falls with 1/N" in row["note"]
    others = [s if s.is_fake else replace(s, item=f"e/{s.item}") for s in stimuli]
    (row,) = _compare(others, "kid").rows
    assert row["note"] is None


def test_caveats_and_progress() -> None:
    reported: list[tuple[int, int, str]] = []
    stimuli = _stimuli(12, "a") + _stimuli(12, "a", dataset="e")
    found = _compare(
        stimuli,
        "kid",
        caveats={"inception": "unknown weights"},
        on_progress=lambda done, total, what: reported.append((done, total, what)),
    )
    assert reported == [(1, 2, "sets"), (2, 2, "sets")]
    assert [row["dataset"] for row in found.rows] == ["d", "e"]
    assert all("unknown weights" in row["note"] for row in found.rows)
    assert found.comparisons == []


def test_segmentation_scores_have_the_real_pictures_score_as_a_ceiling() -> None:
    stimuli = _stimuli(20, "a")
    values = np.zeros((40, segmentation.COUNTS), np.float32)
    values[:20, 0], values[:20, 1] = 90, 10  # read right and wrong in the photographs
    values[20:, 0], values[20:, 1] = 60, 40
    found = _compare(stimuli, "pixel_accuracy", features=values, extractor="segmenter")
    (row,) = found.rows
    assert row["value"] == pytest.approx(0.6)
    assert "the real pictures themselves: 0.9" in row["note"]
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(0.6), pytest.approx(0.6))
