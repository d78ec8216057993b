"""Metrics held against mean grades."""

import numpy as np
import pandas as pd
import pytest
from make_grades import simulated_grades
from make_metrics import correlations, metric_of
from scipy.stats import spearmanr

from gan_eval.stats.answers.grades import opinion_scores


def study() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Graded pictures of one model and a metric that goes with their quality."""
    trials = simulated_grades(people=28, items=30)
    trials = trials[trials["model"] == "A"].reset_index(drop=True)
    mean = trials.groupby("stimulus")["rating"].mean()
    noise = np.random.default_rng(0).normal(0, 0.5, len(mean))
    return trials, metric_of(trials, (mean + noise).to_dict())


def test_a_metric_is_held_against_the_opinion_scores():
    trials, images = study()
    (row,) = correlations(trials, image_metrics=images).to_dict("records")
    assert (row["level"], row["dataset"], row["measure"], row["n"]) == ("stimulus", "d", "mean_grade", 30)
    mos = opinion_scores(trials).set_index("stimulus")["mos"]
    value = images.set_index("stimulus")["value"].reindex(mos.index)
    assert row["spearman"] == pytest.approx(spearmanr(value, mos).statistic)
    assert row["within"] == row["spearman"]


def test_both_measures_stand_beside_each_other_and_are_corrected_together():
    trials, images = study()
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
    trials, images = study()
    trials["rating"] = trials["rating"].astype("float64")
    trials.loc[trials["stimulus"] == "d/A/0", "rating"] = np.inf
    trials.loc[trials["stimulus"] == "d/A/1", "rating"] = np.nan
    trials.loc[trials["stimulus"] == "d/A/2", "kind"] = "real"
    (row,) = correlations(trials, image_metrics=images).to_dict("records")
    assert row["n"] == 27
