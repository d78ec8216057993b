from typing import Any

import numpy as np
import pandas as pd
import pytest
from make_metrics import correlation_differences, fooling, metric_of
from make_trials import simulated
from scipy.stats import spearmanr

from gan_eval.base.inference import holm
from gan_eval.stats.metrics_and_people.correlations import DISAGREE, dependent_z, difference_interval, rank_interval
from gan_eval.tables import SET_METRICS
from gan_eval.tables.frames import frame_of


@pytest.mark.parametrize("arguments", [(1.0, 0.5, 0.5), (0.5, 0.5, 1.0), (-1.0, 1.0, -1.0)])
def test_z_is_empty_where_there_is_none(arguments):
    assert np.isnan(dependent_z(*arguments, 30))


def two_metrics(seed: int = 1, **more: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return trials, and the metrics `close`, which follows the fooling rate, and `loose`, less closely."""
    trials = simulated(**{"participants": 40, "stimuli": 120, "each": 60, "seed": seed, **more})
    rate, rng = fooling(trials), np.random.default_rng(seed)
    close, loose = (rate + rng.normal(0, noise, len(rate)) for noise in (0.1, 0.6))
    images = pd.concat([metric_of(trials, dict(-close), "close"), metric_of(trials, dict(loose), "loose")])
    return trials, images


def test_names_the_metric_that_follows_better_whatever_its_direction():
    trials, images = two_metrics()
    row = correlation_differences(trials, image_metrics=images).iloc[0]
    rate = fooling(trials)
    close, loose = (
        images[images["metric"] == name].set_index("stimulus")["value"].reindex(rate.index)
        for name in ("close", "loose")
    )
    r_a, r_b, r_ab = (spearmanr(x, y).statistic for x, y in ((-close, rate), (loose, rate), (-close, loose)))
    assert (row["metric_a"], row["metric_b"], row["n"]) == ("close", "loose", len(rate))
    assert row["agreement_a"] == pytest.approx(r_a)
    assert row["difference"] == pytest.approx(r_a - r_b)
    assert row["ci_low"] < row["difference"] < row["ci_high"]
    assert row["ci_low"] > 0
    assert row["z"] == pytest.approx(dependent_z(r_a, r_b, r_ab, len(rate)) / np.sqrt(1.06))
    assert row["p"] < 0.001
    assert row["follows_better"] == "close"


def test_pairs_use_the_points_that_have_both_and_holm_counts_the_pairs_of_a_cloud():
    trials, images = two_metrics(seed=2, models=("a", "b"))
    rate = fooling(trials)
    noisy = rate.iloc[:20] + np.random.default_rng(0).normal(0, 0.3, 20)
    few = metric_of(trials, dict(noisy), "partial")
    table = correlation_differences(trials, image_metrics=pd.concat([images, few]))
    stimulus = table[table["level"] == "stimulus"]
    assert stimulus["n"].tolist() == [60, 20, 20]
    assert stimulus["p_holm"].tolist() == pytest.approx(holm(stimulus["p"]).tolist())
    model = table[table["level"] == "model"]
    assert len(model) == 3
    assert model["difference"].isna().all()
    assert model["note"].str.contains("fewer than 3 models").all()


def test_few_points_get_no_test_and_equal_metrics_a_word():
    trials = simulated(participants=20, stimuli=16, each=16, seed=4)
    rate = fooling(trials)
    noisy = rate + np.random.default_rng(0).normal(0, 0.2, len(rate))
    both = pd.concat([metric_of(trials, dict(noisy), "a"), metric_of(trials, dict(rate), "b")])
    few = correlation_differences(trials, image_metrics=both).iloc[0]
    assert np.isnan(few["p"])
    assert np.isfinite(few["difference"])
    assert "fewer than 10" in few["note"]
    trials, images = two_metrics(stimuli=40, each=30)
    twin = images[images["metric"] == "close"].assign(metric="twin", value=lambda frame: -2 * frame["value"])
    pair = pd.concat([images[images["metric"] == "close"], twin])
    row = correlation_differences(trials, image_metrics=pair).iloc[0]
    assert row["difference"] == 0
    assert row["ci_low"] == pytest.approx(0) == row["ci_high"]
    assert "rank all points alike" in row["note"]


def test_the_interval_of_a_difference_over_models_is_zous():
    """Zou's interval with the two intervals and the correlation of both estimates, written out."""
    r_a, r_b, r_ab, n = 0.7, 0.4, 0.5, 15
    (low_a, high_a), (low_b, high_b) = rank_interval(r_a, n), rank_interval(r_b, n)
    covariance = r_ab * (1 - r_a**2 - r_b**2) - r_a * r_b * (1 - r_a**2 - r_b**2 - r_ab**2) / 2
    alike = covariance / ((1 - r_a**2) * (1 - r_b**2))  # Olkin & Siotani 1976
    down, up = (
        np.sqrt(one**2 + other**2 - 2 * alike * one * other)
        for one, other in ((r_a - low_a, high_b - r_b), (high_a - r_a, r_b - low_b))
    )
    assert difference_interval(r_a, r_b, r_ab, n) == pytest.approx((0.3 - down, 0.3 + up))
    assert difference_interval(0.99, 0.0, 0.1, 5)[1] == 1


def test_over_models_the_models_are_the_sample():
    trials = simulated(models=tuple("abcdefg"), stimuli=70, each=70, seed=3)
    rate = trials[trials["kind"] == "fake"].groupby("model")["response"].agg(lambda answers: (answers == "real").mean())
    order = rate.rank().to_numpy()
    values = {"close": -order, "loose": np.array([3.0, 1.0, 7.0, 2.0, 6.0, 5.0, 4.0])}
    sets = frame_of(
        [
            {"model": model, "dataset": "faces", "metric": name, "value": value, "n_real": 9, "n_fake": 9}
            for name, of in values.items()
            for model, value in zip(rate.index, of, strict=True)
        ],
        SET_METRICS,
    )
    row = correlation_differences(trials, set_metrics=sets).iloc[0]
    loose = spearmanr(values["loose"], order).statistic
    between = np.sign(loose) * spearmanr(order, values["loose"]).statistic
    assert (row["level"], row["agreement_a"]) == ("model", 1)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(difference_interval(1, abs(loose), between, 7))


def test_one_metric_has_nothing_to_be_compared_with():
    trials, images = two_metrics(stimuli=40, each=30)
    assert correlation_differences(trials, image_metrics=images[images["metric"] == "close"]).empty
    assert correlation_differences(trials).empty


@pytest.mark.nightly
def test_where_test_and_interval_disagree_there_is_a_word_and_no_verdict():
    """Few people who differ much: pictures drawn anew say that metrics differ, people drawn anew do not."""
    notes, better = [], []
    for seed in range(6):
        trials = simulated(participants=4, stimuli=120, each=60, sd_participant=2.5, seed=seed)
        rate, rng = fooling(trials), np.random.default_rng(seed)
        pair = [
            metric_of(trials, dict(rate + rng.normal(0, sd, len(rate))), name) for name, sd in (("a", 0.3), ("b", 0.7))
        ]
        row = correlation_differences(trials, image_metrics=pd.concat(pair)).iloc[0]
        odd = (row["p"] < 0.05) != (row["ci_low"] > 0 or row["ci_high"] < 0)
        assert (DISAGREE in (row["note"] if isinstance(row["note"], str) else "")) == odd
        assert not (odd and isinstance(row["follows_better"], str))
        notes.append(odd)
        better.append(isinstance(row["follows_better"], str))
    assert any(notes)
    assert any(better)
