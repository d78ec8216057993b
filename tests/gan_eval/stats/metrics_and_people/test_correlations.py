from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from make_grades import simulated_grades
from make_metrics import correlations, fooling, metric_of
from make_trials import simulated
from scipy.stats import kendalltau, pearsonr, rankdata, spearmanr

from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.metrics_and_people.correlations import rank_interval
from gan_eval.stats.tables.grades import opinion_scores
from gan_eval.tables import SET_METRICS
from gan_eval.tables.frames import frame_of


def test_numbers_equal_scipy_and_the_interval_holds_them():
    trials = simulated(seed=1)
    rate = fooling(trials)
    values = rate + np.random.default_rng(0).normal(0, 0.1, len(rate))
    row = correlations(trials, image_metrics=metric_of(trials, values.to_dict())).iloc[0]
    assert (row["level"], row["dataset"], row["metric"], row["n"]) == ("stimulus", "faces", "psnr", len(rate))
    assert row["spearman"] == pytest.approx(spearmanr(values, rate).statistic)
    assert row["p"] == pytest.approx(spearmanr(values, rate).pvalue)
    assert row["kendall"] == pytest.approx(kendalltau(values, rate).statistic)
    assert row["pearson"] == pytest.approx(pearsonr(values, rate).statistic)
    assert row["ci_low"] < row["spearman"] < row["ci_high"] < 1
    assert row["ci_low"] > 0


def test_equal_seeds_give_equal_intervals_whatever_the_order():
    trials = simulated(participants=15, stimuli=30, each=20, seed=2)
    images = metric_of(trials, dict.fromkeys(trials["stimulus"], 1.0) | fooling(trials).to_dict())
    one = correlations(trials, image_metrics=images, seed=4)
    shuffled = correlations(trials.sample(frac=1, random_state=0), image_metrics=images[::-1], seed=4)
    pd.testing.assert_frame_equal(one, shuffled)
    other = correlations(trials, image_metrics=images, seed=5)
    assert other["ci_low"].iloc[0] != one["ci_low"].iloc[0]


def test_over_models_with_metrics_of_pictures_and_of_sets():
    trials = simulated(models=tuple("abcdef"), stimuli=60, each=40, seed=4)
    fakes = trials[trials["kind"] == "fake"]
    rate = (fakes["response"] == "real").groupby(fakes["model"]).mean()
    sets = frame_of(
        [
            {"model": name, "dataset": "faces", "metric": "fid", "value": -value, "n_real": 9, "n_fake": 9}
            for name, value in rate.items()
        ],
        SET_METRICS,
    )
    table = correlations(trials, image_metrics=metric_of(trials, fooling(trials).to_dict()), set_metrics=sets)
    models = table[table["level"] == "model"].set_index("metric")
    assert models.loc["fid", "spearman"] == pytest.approx(-1)
    assert models.loc["fid", "ci_low"] == pytest.approx(-1)
    assert models.loc["fid", "n"] == 6
    assert models.loc["psnr", "spearman"] > 0.8
    for _, row in models.iterrows():
        assert (row["ci_low"], row["ci_high"]) == rank_interval(row["spearman"], 6)


@pytest.mark.parametrize(
    ("r", "n", "low", "high"),
    [(0.6, 10, -0.1111035, 0.9047605), (-0.5, 7, -0.9199550, 0.4543130), (0.9, 5, -0.1688957, 0.9960686)],
)
def test_the_interval_over_models_is_bonett_and_wrights(r, n, low, high):
    """R 4.2.2: `tanh(atanh(r) + c(-1, 1) * qnorm(.975) * sqrt((1 + r^2 / 2) / (n - 3)))`."""
    assert rank_interval(r, n) == pytest.approx((low, high), abs=1e-6)
    assert rank_interval(1.0, 5)[1] == 1
    assert rank_interval(1.0, 5)[0] == pytest.approx(np.tanh(np.arctanh(0.95) - 1.959964 * np.sqrt(1.45125 / 2)))


def test_more_people_do_not_make_a_metric_of_seven_models_surer():
    """If the models were kept, ten times as many people would halve the interval of a metric that follows nobody."""
    trials = simulated(models=tuple("abcdefg"), stimuli=70, participants=20, each=70, seed=4)
    copies = [trials.assign(participant=trials["participant"] + end, session=trials["session"] + end) for end in "xyz"]
    sets = frame_of(
        [
            {"model": name, "dataset": "faces", "metric": "fid", "value": value, "n_real": 9, "n_fake": 9}
            for name, value in zip("abcdefg", (3.0, 1.0, 7.0, 2.0, 6.0, 5.0, 4.0), strict=True)
        ],
        SET_METRICS,
    )
    few, many = (
        correlations(frame, set_metrics=sets).set_index("level").loc["model"]
        for frame in (trials, pd.concat(copies, ignore_index=True))
    )
    assert few["spearman"] == many["spearman"]
    assert (few["ci_low"], few["ci_high"]) == (many["ci_low"], many["ci_high"])


def of_points(value: list[float], right: list[int]) -> pd.Series:
    """The row for pictures of these metric values, each called real by `right` of four persons."""
    rows = [
        {"participant": f"P{person}", "stimulus": f"s{picture}", "kind": "fake", "model": "m", "dataset": "faces"}
        | {"response": "real" if person < called else "fake"}
        for picture, called in enumerate(right)
        for person in range(4)
    ]
    trials = fill_trials(pd.DataFrame(rows))
    values = {f"s{picture}": number for picture, number in enumerate(value)}
    return correlations(trials, image_metrics=metric_of(trials, values)).iloc[0]


def test_too_few_points_have_no_p():
    row = of_points([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 4])
    assert row["spearman"] == pytest.approx(1)
    assert np.isnan(row["p"])
    assert np.isnan(row["ci_low"])
    assert "no p" in row["note"]


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ([1, 2, 3, 4, 5], [0, 1, 2, 3, 4]),
        ([3, 1, 4, 1, 5, 9], [0, 2, 2, 1, 4, 4]),
        ([2, 7, 1, 8, 2, 8, 1], [1, 4] * 3 + [0]),
    ],
)
def test_few_points_have_the_exact_p(value, right):
    row = of_points(value, right)
    x, y = (rankdata(values) - (len(value) + 1) / 2 for values in (value, right))
    pairings = np.array(list(permutations(range(len(value)))))
    assert row["p"] == pytest.approx(np.mean(np.abs(y[pairings] @ x) >= abs(x @ y) - 1e-9))
    assert "exact" in row["note"]


def test_poor_data_say_why_there_is_no_number():
    trials = simulated(stimuli=4, each=4, participants=3)
    flat = correlations(trials, image_metrics=metric_of(trials, dict.fromkeys(trials["stimulus"], 1.0))).iloc[0]
    assert np.isnan(flat["spearman"])
    assert "fewer than 3" in flat["note"]
    trials = simulated(participants=4, stimuli=20, each=20)
    equal = correlations(trials, image_metrics=metric_of(trials, dict.fromkeys(trials["stimulus"], 1.0))).iloc[0]
    assert np.isnan(equal["spearman"])
    assert "equal" in equal["note"]


def study(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    trials = simulated(participants=12, stimuli=60, each=30, models=("a", "b", "c"), seed=seed)
    rate = fooling(trials)
    values = rate + np.random.default_rng(seed).normal(0, 0.1, len(rate))
    return trials, metric_of(trials, dict(values))


def test_a_models_mean_leaves_infinite_values_out_and_says_so():
    trials, images = study()
    names = images["stimulus"].to_numpy()
    equal = images.assign(value=images["value"].where(~images["stimulus"].isin(names[[0, 3]]), np.inf))
    finite = equal[np.isfinite(equal["value"])]
    models, fakes = finite.groupby("model")["value"].mean(), trials[trials["kind"] == "fake"]
    whose = equal.loc[np.isinf(equal["value"]), "model"].value_counts().sort_index()
    row = correlations(trials, image_metrics=equal).set_index("level").loc["model"]
    said = ", ".join(f"{model} {count}" for model, count in whose.items())
    assert f"models' means: {said}" in row["note"]
    assert row["n"] == 3
    rate = (fakes["response"] == "real").groupby(fakes["model"]).mean()
    assert row["spearman"] == pytest.approx(spearmanr(models, rate).statistic)
    assert row["pearson"] == pytest.approx(pearsonr(models, rate).statistic)


def test_infinite_values_are_in_no_linear_correlation():
    trials, images = study()
    rate = fooling(trials)
    own = images.sort_values("value").reset_index(drop=True)
    own.loc[:13, "value"] = np.inf  # the least fooling ones are the best: all together fall, the others rise
    row = correlations(trials, image_metrics=own).iloc[0]
    known = own[np.isfinite(own["value"])]
    x, y = known["value"].to_numpy(), known["stimulus"].map(rate).to_numpy()
    assert row["pearson"] == pytest.approx(pearsonr(x, y).statistic)
    assert row["spearman"] < 0 < row["pearson"]
    assert "14 infinite" in row["note"]


def graded_study() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Graded pictures of one model and a metric that goes with their quality."""
    trials = simulated_grades(people=28, items=30)
    trials = trials[trials["model"] == "A"].reset_index(drop=True)
    mean = trials.groupby("stimulus")["rating"].mean()
    noise = np.random.default_rng(0).normal(0, 0.5, len(mean))
    return trials, metric_of(trials, (mean + noise).to_dict())


def test_a_metric_is_held_against_the_opinion_scores():
    trials, images = graded_study()
    (row,) = correlations(trials, image_metrics=images).to_dict("records")
    assert (row["level"], row["dataset"], row["measure"], row["n"]) == ("stimulus", "d", "mean_grade", 30)
    mos = opinion_scores(trials).set_index("stimulus")["mos"]
    value = images.set_index("stimulus")["value"].reindex(mos.index)
    assert row["spearman"] == pytest.approx(spearmanr(value, mos).statistic)
    assert row["within"] == row["spearman"]


def test_both_measures_are_in_the_table_and_corrected_together():
    trials, images = graded_study()
    judged = trials.assign(
        protocol="quick_response",
        rating=None,
        response=np.where(trials["rating"] > 3, "real", "fake"),
        participant=trials["participant"] + "x",
        session=trials["session"] + "x",
    )
    table = correlations(pd.concat([trials, judged], ignore_index=True), image_metrics=images)
    assert table["measure"].tolist() == ["fooling_rate", "mean_grade"]
    assert table["p_holm"].min() == pytest.approx(2 * table["p"].min())


def test_reals_and_infinite_or_missing_grades_are_no_points():
    trials, images = graded_study()
    trials["rating"] = trials["rating"].astype("float64")
    trials.loc[trials["stimulus"] == "d/A/0", "rating"] = np.inf
    trials.loc[trials["stimulus"] == "d/A/1", "rating"] = np.nan
    trials.loc[trials["stimulus"] == "d/A/2", "kind"] = "real"
    (row,) = correlations(trials, image_metrics=images).to_dict("records")
    assert row["n"] == 27
