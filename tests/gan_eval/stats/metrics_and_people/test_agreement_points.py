import numpy as np
import pandas as pd
import pytest
from make_metrics import correlations, fooling, metric_of
from make_trials import simulated
from scipy.stats import pearsonr, spearmanr


def study(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    trials = simulated(participants=12, stimuli=60, each=30, models=("a", "b", "c"), seed=seed)
    rate = fooling(trials)
    values = rate + np.random.default_rng(seed).normal(0, 0.1, len(rate))
    return trials, metric_of(trials, dict(values))


def test_without_metrics_there_are_no_rows():
    assert correlations(study()[0]).empty


def test_a_models_mean_leaves_infinite_values_out_and_says_so():
    trials, images = study()
    names = images["stimulus"].to_numpy()
    equal = images.assign(value=images["value"].where(~images["stimulus"].isin(names[[0, 3]]), np.inf))
    finite = equal[np.isfinite(equal["value"])]
    models, fakes = finite.groupby("model")["value"].mean(), trials[trials["kind"] == "fake"]
    whose = equal.loc[np.isinf(equal["value"]), "model"].value_counts().sort_index()
    row = correlations(trials, image_metrics=equal).set_index("level").loc["model"]
    said = ", ".join(f"{model} {count}" for model, count in whose.items())
    assert f"infinite values left out of the models' means: {said}" in row["note"]
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
    assert "14 infinite values are left out of pearson" in row["note"]
