import numpy as np
import pandas as pd
import pytest
from make_metrics import correlations, fooling, metric_of
from make_trials import simulated
from scipy.stats import pearsonr, spearmanr

from gan_eval.stats.metrics_and_people.points import points


def study(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    trials = simulated(participants=12, stimuli=60, each=30, models=("a", "b", "c"), seed=seed)
    rate = fooling(trials)
    values = rate + np.random.default_rng(seed).normal(0, 0.1, len(rate))
    return trials, metric_of(trials, dict(values))


def test_points_are_the_pictures_and_the_models():
    trials, images = study()
    table = points(trials, image_metrics=images)
    pictures = table[table["level"] == "stimulus"].set_index("id")
    rate = fooling(trials)
    assert pictures["score"].to_dict() == pytest.approx(rate.to_dict())
    assert pictures["value"].to_dict() == pytest.approx(images.set_index("stimulus")["value"].to_dict())
    assert pictures["n"].sum() == (trials["kind"] == "fake").sum()
    models = table[table["level"] == "model"].set_index("id")
    assert models.index.tolist() == ["a", "b", "c"]
    assert models["value"].to_dict() == pytest.approx(images.groupby("model")["value"].mean().to_dict())
    fakes = trials[trials["kind"] == "fake"]
    assert models["score"].to_dict() == pytest.approx(
        (fakes["response"] == "real").groupby(fakes["model"]).mean().to_dict()
    )


def test_all_models_of_all_data_sets_are_named_by_both():
    one, images = study(1)
    two, others = (
        frame.assign(dataset="hands", stimulus=frame["stimulus"].str.replace("faces", "hands")) for frame in study(2)
    )
    table = points(pd.concat([one, two]), image_metrics=pd.concat([images, others]))
    together = table[table["dataset"].isna()]
    assert together["id"].tolist() == ["faces/a", "faces/b", "faces/c", "hands/a", "hands/b", "hands/c"]


def test_without_metrics_there_are_columns_and_no_rows():
    trials, _ = study()
    assert points(trials).columns.tolist() == ["measure", "level", "dataset", "metric", "id", "value", "score", "n"]
    assert len(points(trials)) == 0
    assert correlations(trials).empty


def test_a_models_mean_leaves_infinite_values_out_and_says_so():
    trials, images = study()
    names = images["stimulus"].to_numpy()
    equal = images.assign(value=images["value"].where(~images["stimulus"].isin(names[[0, 3]]), np.inf))
    finite = equal[np.isfinite(equal["value"])]
    table = points(trials, image_metrics=equal)
    models = table[table["level"] == "model"].set_index("id")["value"]
    assert models.to_dict() == pytest.approx(finite.groupby("model")["value"].mean().to_dict())
    assert np.isinf(table.loc[table["level"] == "stimulus", "value"]).sum() == 2, "among pictures it is the best rank"
    whose = equal.loc[np.isinf(equal["value"]), "model"].value_counts().sort_index()
    row = correlations(trials, image_metrics=equal).set_index("level").loc["model"]
    said = ", ".join(f"{model} {count}" for model, count in whose.items())
    assert f"infinite values left out of the models' means: {said}" in row["note"]
    assert row["n"] == 3
    rate = table[table["level"] == "model"].set_index("id")["score"]
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
