"""2AFC scores of metrics from pairs: whose votes count, directions, real pictures, several data sets."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gan_eval.judgements.trials import fill_trials
from gan_eval.metrics.catalogue import METRICS
from gan_eval.stats.analysis import analyze
from gan_eval.stats.groups import WHO_NOT_KNOWN
from gan_eval.stats.metrics_and_people.metric_scores import REAL_HAS_NONE, metric_scores
from gan_eval.tables import IMAGE_METRICS
from gan_eval.tables.directions import better_of
from gan_eval.tables.frames import frame_of


def chosen(
    people: int, items: int, *, seed: int = 0, dataset: str = "d", models: str = "a|b", exchanged: bool = False
) -> pd.DataFrame:
    """Choices between two models' pictures; the first is liked more on the first items. Sides may be exchanged."""
    rng = np.random.default_rng(seed)
    person, item = (index.ravel() for index in np.indices((people, items)))
    liking = np.linspace(2, -2, items)[item] + rng.normal(0, 0.3, people)[person]
    first, second = models.split("|")
    chose = np.where(rng.random(len(item)) < 1 / (1 + np.exp(-liking)), "a", "b")
    frame = pd.DataFrame(
        {
            "participant": [f"P{number}" for number in person],
            "stimulus": [f"{dataset}/{first}/{number}" for number in item],
            "stimulus_b": [f"{dataset}/{second}/{number}" for number in item],
            "item": [f"{dataset}/{number}" for number in item],
            "dataset": dataset,
            "model": models,
            "protocol": "model_vs_model",
            "choice": chose,
        }
    )
    if exchanged:
        sides = {"stimulus": "stimulus_b", "stimulus_b": "stimulus"}
        frame = frame.rename(columns=sides).assign(model=f"{second}|{first}")
        frame["choice"] = frame["choice"].map({"a": "b", "b": "a"})
    return fill_trials(frame)


def measured(trials: pd.DataFrame, metric: str, of_item: dict[str, float]) -> pd.DataFrame:
    """A metric that is 0 for all second pictures, and has a value for the first picture of each item."""
    first = trials.drop_duplicates("stimulus")
    rows = [
        {"stimulus": row["stimulus"], "item": row["item"], "kind": "fake", "model": row["model"].split("|")[0]}
        | {"dataset": row["dataset"], "metric": metric, "value": of_item[row["item"].rpartition("/")[2]]}
        for row in first.to_dict("records")
    ]
    rows += [
        {**row, "stimulus": other, "model": "b", "value": 0.0}
        for row, other in zip(rows, first["stimulus_b"], strict=True)
    ]
    return frame_of(rows, IMAGE_METRICS)


VALUES = {str(n): 5.0 - n for n in range(10)}
"""Prefers the first picture of the items 0 to 4; equal at 5."""


def expected(trials: pd.DataFrame, sign: float = 1.0) -> float:
    """The share of votes for the picture with the larger value, by a plain loop."""
    votes = []
    for row in trials.to_dict("records"):
        value = sign * VALUES[row["item"].rpartition("/")[2]]
        votes.append(0.5 if value == 0 else float((value > 0) == (row["choice"] == "a")))
    return float(np.mean(votes))


def test_score_is_the_share_of_votes_that_go_with_the_metric() -> None:
    trials = chosen(12, 10)
    scores, differences = metric_scores(trials, measured(trials, "psnr", VALUES))
    (row,) = scores.to_dict("records")
    assert row["score"] == pytest.approx(expected(trials))
    assert (row["n_pairs"], row["n_votes"], row["dataset"], row["better"]) == (10, 120, "d", "higher")
    assert row["score_low"] < row["score"] < row["score_high"]
    assert row["score"] < row["ceiling"] + 0.1
    assert differences.empty


def test_lower_values_of_some_metrics_are_better() -> None:
    trials = chosen(12, 10)
    for metric, sign in (("lpips_alex", -1), ("psnr", 1), ("MUSIQ-ava", 1)):
        (row,) = metric_scores(trials, measured(trials, metric, VALUES))[0].to_dict("records")
        assert row["score"] == pytest.approx(expected(trials, sign)), metric


def test_unknown_direction_is_asked_for_and_given() -> None:
    trials = chosen(12, 10)
    values = measured(trials, "ours", VALUES)
    (row,) = metric_scores(trials, values)[0].to_dict("records")
    assert np.isnan(row["score"])
    assert "--better ours=higher" in row["note"]
    assert row["ceiling"] > 0.5
    (row,) = metric_scores(trials, values, better={"ours": "lower"})[0].to_dict("records")
    assert row["score"] == pytest.approx(expected(trials, -1))


def test_every_metric_of_this_program_has_the_direction_of_its_record() -> None:
    of_pictures = [metric for metric in METRICS.values() if metric.kind in ("pair", "single")]
    assert len(of_pictures) > 15
    for metric in of_pictures:
        assert better_of(metric.name) == ("higher" if metric.higher_is_better else "lower"), metric.name


def test_pairs_in_either_order_are_the_same_pairs() -> None:
    trials = chosen(12, 10)
    values = measured(trials, "psnr", VALUES)
    half = trials["participant"].isin([f"P{n}" for n in range(6)]).to_numpy(bool)
    mixed = pd.concat([trials[half], chosen(12, 10, exchanged=True)[~half]], ignore_index=True)
    pd.testing.assert_frame_equal(metric_scores(mixed, values)[0], metric_scores(trials, values)[0])


def test_unanswered_practice_and_catch_trials_are_no_votes() -> None:
    trials = chosen(12, 10)
    values = measured(trials, "psnr", VALUES)
    more = trials.assign(participant="P99", session="P99")
    others = [more.assign(choice="none"), more.assign(phase="practice"), more.assign(phase="catch")]
    found = metric_scores(pd.concat([trials, *others], ignore_index=True), values)[0]
    pd.testing.assert_frame_equal(found, metric_scores(trials, values)[0])


def test_pairs_without_a_value_are_left_out_with_a_note() -> None:
    trials = chosen(12, 10)
    values = measured(trials, "psnr", VALUES)
    values = values[values["stimulus"] != "d/a/3"]
    (row,) = metric_scores(trials, values)[0].to_dict("records")
    assert (row["n_pairs"], row["n_votes"]) == (9, 108)
    assert row["score"] == pytest.approx(expected(trials[trials["item"] != "d/3"]))
    assert "12 votes on pairs without a value of both pictures left out" in row["note"]


def test_metric_against_the_real_picture_has_no_score_with_real_pictures() -> None:
    trials = chosen(12, 10, models="x|b").assign(model="b", protocol="paired")
    trials["stimulus"] = trials["stimulus"].str.replace("/x/", "/real/")
    psnr = measured(trials, "psnr", VALUES)
    psnr = psnr[psnr["stimulus"].str.contains("/b/")]
    niqe = measured(trials, "niqe", VALUES).assign(model=None)
    niqe["kind"] = np.where(niqe["stimulus"].str.contains("/real/"), "real", "fake")
    found = metric_scores(trials, pd.concat([psnr, niqe], ignore_index=True))[0].set_index("metric")
    assert found.loc["psnr", ["n_pairs", "note"]].tolist() == [0, REAL_HAS_NONE]
    assert found.loc["niqe", "score"] == pytest.approx(expected(trials, -1))
    assert {*found["protocol"]} == {"paired"}
    unnamed = metric_scores(trials.assign(protocol=None), psnr)[0]
    assert unnamed["note"].tolist() == [REAL_HAS_NONE]


def test_several_data_sets_have_a_row_each_and_one_together() -> None:
    parts = [chosen(8, 10, dataset=name, seed=seed) for seed, name in enumerate(("d", "e"))]
    trials = pd.concat(parts, ignore_index=True)
    values = pd.concat([measured(part, "psnr", VALUES) for part in parts], ignore_index=True)
    found = metric_scores(trials, values)[0].set_index(metric_scores(trials, values)[0]["dataset"].fillna("all"))
    assert found.loc["d", "score"] == pytest.approx(expected(parts[0]))
    assert found.loc["all", "score"] == pytest.approx(expected(trials))
    assert found.loc["all", "n_pairs"] == 20


def test_votes_of_unknown_people_have_an_interval_over_pictures_and_no_test() -> None:
    trials = chosen(12, 10)
    values = pd.concat([measured(trials, name, VALUES) for name in ("psnr", "niqe")], ignore_index=True)
    numbers = trials.groupby("participant").cumcount() + 10 * trials["participant"].str[1:].astype(int)
    unknown = trials.assign(participant="not known", session="not known", trial=numbers)
    scores, differences = metric_scores(unknown, values)
    known = metric_scores(trials, values)[0]
    assert scores["score"].tolist() == known["score"].tolist()
    assert {*scores["note"]} == {*differences["note"]} == {WHO_NOT_KNOWN}
    assert (scores["score_low"] < scores["score"]).all()
    assert differences["p"].isna().all()
    assert differences["ci_low"].notna().all()


def test_better_metric_is_found_and_unequal_metrics_are_corrected_together() -> None:
    trials = chosen(20, 30)
    good, bad = ({str(n): sign * (14.5 - n) for n in range(30)} for sign in (1, -1))
    noise = dict(zip(good, np.random.default_rng(0).normal(size=30), strict=True))
    named = (("psnr", good), ("ssim", bad), ("vif", noise))
    values = pd.concat([measured(trials, name, of_item) for name, of_item in named], ignore_index=True)
    _, found = metric_scores(trials, values)
    found = found.set_index(["metric_a", "metric_b"])
    assert len(found) == 3
    assert found.loc[("psnr", "ssim"), "follows_better"] == "psnr"
    assert found.loc[("psnr", "ssim"), "n_apart"] == 30
    assert (found["p_holm"] >= found["p"]).all()
    assert found.loc[("psnr", "ssim"), "p_holm"] == pytest.approx(3 * found["p"].min())


def test_metric_that_is_equal_in_every_pair_has_no_score() -> None:
    trials = chosen(5, 10)
    (row,) = metric_scores(trials, measured(trials, "psnr", dict.fromkeys(VALUES, 0.0)))[0].to_dict("records")
    assert np.isnan(row["score"])
    assert row["note"] == "no score: equal for both pictures of every pair"


def test_values_of_another_program_are_found_by_file_name(tmp_path: Path) -> None:
    """All pictures of pairs were judged: they were refused as "none of its pictures was judged"."""
    trials = chosen(12, 10).drop(columns=["reaction_time_ms"])
    for model in ("a", "b"):
        (tmp_path / model).mkdir()
        of = VALUES if model == "a" else dict.fromkeys(VALUES, 0.0)
        lines = "".join(f"{name}.png,{value}\n" for name, value in of.items())
        (tmp_path / model / "vmaf.csv").write_text(lines)
    said: list[str] = []
    files = [tmp_path / model / "vmaf.csv" for model in ("a", "b")]
    found = analyze(trials, image_metrics=files, on_message=said.append)
    assert said == []
    (row,) = found["metric_scores"].to_dict("records")
    assert row["score"] == pytest.approx(expected(trials))
    assert row["n_pairs"] == 10
