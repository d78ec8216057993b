"""Metrics and people where models differ and share items."""

import numpy as np
import pandas as pd
import pytest
from make_metrics import correlation_differences, correlations, metric_of
from scipy.stats import spearmanr

from gan_eval.base.inference import bootstrap_interval, holm
from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.metrics_and_people.ceiling import effective_points, rank_deviations
from gan_eval.stats.metrics_and_people.points import point_sets
from gan_eval.stats.metrics_and_people.scores import Scores, bootstrap_replicates

MODELS = 3


def study(
    *, follow: float = 0.0, gap: float = 1.0, people: int = 25, items: int = 40, dataset: str = "d", seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers to three models' versions of the same items, and `signal`, which knows the models and, by `follow`, their
    pictures, and `noise`."""
    rng = np.random.default_rng(seed)
    z, of_model = rng.normal(size=(items, MODELS)), gap * np.linspace(-1, 1, MODELS)
    effect = of_model + follow * z + rng.normal(0, 0.5, (items, 1)) + rng.normal(0, 0.3, (items, MODELS))
    person, item = (codes.ravel() for codes in np.indices((people, items)))
    model = rng.integers(MODELS, size=len(item))
    real = rng.random(len(item)) < 1 / (1 + np.exp(-effect[item, model]))
    name = [f"{dataset}/m{m}/{i:02d}" for i, m in zip(item, model, strict=True)]
    frame = pd.DataFrame({"participant": person.astype(str), "stimulus": name, "kind": "fake", "dataset": dataset})
    frame = frame.assign(item=[f"{dataset}/{i:02d}" for i in item], model=[f"m{m}" for m in model])
    trials = fill_trials(frame.assign(response=np.where(real, "real", "fake")))
    names = [f"{dataset}/m{m}/{i:02d}" for i in range(items) for m in range(MODELS)]
    values = {"signal": (of_model + z).ravel(), "noise": rng.normal(size=items * MODELS)}
    images = [metric_of(trials, dict(zip(names, of, strict=True)), metric) for metric, of in values.items()]
    return trials, pd.concat(images, ignore_index=True)


def test_within_models_is_the_mean_of_their_correlations_and_pooled_takes_models_for_pictures():
    trials, images = study(people=60)
    row = correlations(trials, image_metrics=images).set_index(["level", "metric"]).loc[("stimulus", "signal")]
    assert row["spearman"] > 0.35
    assert row["p"] < 1e-4
    assert row["within_low"] < 0 < row["within_high"]
    assert row["within_p"] > 0.05
    points = next(point_sets(trials, image_metrics=images))
    of_model = [
        spearmanr(points.metrics["signal"][own], points.score[own])
        for own in (points.model == number for number in range(MODELS))
    ]
    assert row["within"] == pytest.approx(np.mean([found.statistic for found in of_model]), abs=0.01)


def test_a_metric_that_was_fitted_to_the_answers_is_above_the_ceiling():
    trials, images = study(follow=0.5)
    answered = trials[trials["kind"] == "fake"]
    fooled = (answered["response"] == "real").groupby(answered["stimulus"]).mean()
    images = images.assign(value=images["stimulus"].map(fooled).astype(float))
    table = correlations(trials, image_metrics=images)
    above = table[table["spearman"].abs() > table["ceiling"]]
    assert len(above) > 0
    assert above[["spearman", "ci_high"]].to_numpy() == pytest.approx(1)
    assert (above["ceiling"] < 1).all()


def test_a_metric_that_follows_pictures_is_seen_within_models():
    trials, images = study(follow=1.5)
    table = correlations(trials, image_metrics=images).set_index(["level", "metric"])
    row = table.loc[("stimulus", "signal")]
    assert row["within_low"] > 0
    # of true log-odds, SD 1.5 against 0.58: 0.93
    assert row["within"] / row["within_ceiling"] == pytest.approx(0.9, abs=0.12)
    found = correlation_differences(trials, image_metrics=images).set_index("level").loc["stimulus"]
    assert found["agreement_b"] == pytest.approx(row["within"])
    assert found["follows_better"] == "signal"


def test_one_model_has_the_same_within_as_pooled():
    trials, images = study()
    trials, images = (frame[frame["model"] == "m1"] for frame in (trials, images))
    row = correlations(fill_trials(trials), image_metrics=images).iloc[0]
    for name, within in (("spearman", "within"), ("ci_low", "within_low"), ("p", "within_p"), ("ceiling",) * 2):
        assert row[name] == row[within if within.startswith("within") else f"within_{within}"]


def test_holm_is_over_metrics_levels_and_data_sets():
    parts = [study(dataset=name, seed=seed, items=20) for seed, name in enumerate("de")]
    trials, images = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    trials["trial"] = np.arange(len(trials)) + 1
    table = correlations(fill_trials(trials), image_metrics=images)
    of_models = table["level"] == "model"
    assert table["p_holm"].tolist() == pytest.approx(holm(table["p"]).tolist(), nan_ok=True)
    family = holm(table["within_p"].where(~of_models, table["p"]))
    assert table.loc[~of_models, "within_p_holm"].tolist() == pytest.approx(family[~of_models].tolist())
    assert table.loc[of_models, "within_p_holm"].isna().all()
    assert table.loc[of_models, "p"].notna().sum() == 2  # over both data sets' models


def test_an_item_is_drawn_anew_with_all_its_models_pictures():
    trials, _ = study()
    counts = Scores.of(trials.assign(score=(trials["response"] == "real").astype(float)))
    item = np.unique([name[-2:] for name in counts.stimuli], return_inverse=True)[1]
    (part,) = bootstrap_replicates(counts, seed=1, item=item)
    for own in range(item.max() + 1):
        drawn = part.weight[:, item == own]
        seen = drawn > 0  # 0 too where nobody sampled has answered
        assert (np.where(seen, drawn, drawn.max(axis=1, keepdims=True)) == drawn.max(axis=1, keepdims=True)).all()
    assert part.weight[:, item == 0].max() > 1


def test_pictures_count_for_as_many_as_are_unrelated():
    rng = np.random.default_rng(4)
    item, group = np.repeat(np.arange(60), 3), np.tile(np.arange(3), 60)
    twins = rank_deviations(np.repeat(rng.normal(size=(2, 60)), 3, axis=1), group)
    assert effective_points(*twins, item, 3) == pytest.approx((180 - 3) / 3 + 1)
    halves = rank_deviations(np.repeat(rng.normal(size=(2, 60)), 3, axis=1) + rng.normal(size=(2, 180)), group)
    assert effective_points(*halves, item, 3) == pytest.approx((180 - 3) / (1 + 0.5 * 0.5 * 2) + 1, rel=0.1)
    x, y = rank_deviations(rng.normal(size=(2, 180)), group)
    assert effective_points(x, y, np.arange(180), 1) == 180
    with np.errstate(invalid="raise"):  # everybody answered alike: nothing of y is left
        assert effective_points(x, np.zeros(180), item, 3) == 178


def test_the_interval_lies_around_the_estimate_whatever_the_replicates_bias():
    replicates = np.tanh(np.random.default_rng(5).normal(0.3, 0.2, 4000))
    low, high = bootstrap_interval(replicates, 0.6, n=100)
    assert np.arctanh([low, high]) == pytest.approx(np.arctanh(0.6) + np.array([-1.96, 1.96]) * 0.2, abs=0.02)
    assert bootstrap_interval(np.ones(50), 1.0, n=6) == (pytest.approx(1 - 6 / 210), 1.0)
    assert np.isnan(bootstrap_interval(np.where(np.arange(50) < 6, np.nan, 0.3), 0.3, n=40)).all()


def test_a_metric_without_spread_within_models_has_a_word():
    trials, images = study()
    flat = images[images["metric"] == "signal"].assign(value=lambda frame: frame["model"].str[1:].astype(float))
    row = correlations(trials, image_metrics=flat).iloc[0]
    assert row["spearman"] > 0
    assert np.isnan(row["within"])
    assert "no correlation within models" in row["note"]
