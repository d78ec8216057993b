"""Drift and side bias, each next to a longer computation."""

import numpy as np
import pandas as pd
import pytest
from make_trials import simulated, simulated_pairs

from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.tables.robustness import DRIFT, SIDE_BIAS, robustness


def pairs(**more) -> pd.DataFrame:
    """Pairs of real and fake; the real one is on the left in 5 of 8."""
    trials = simulated_pairs(people=20, items=24, **more)
    return trials.assign(position=np.where(trials["trial"] % 8 < 5, "left", "right"))


def only(trials: pd.DataFrame, check: str) -> dict:
    table = robustness(trials)
    (row,) = table[table["check"] == check].to_dict("records")
    return row


def test_learning_is_a_drift_and_its_slope_is_that_of_a_regression_with_a_mean_for_each_person_and_kind():
    trials = simulated(participants=24, stimuli=32, each=32)
    trials["response"] = trials["response"].where(trials["trial"] <= 24, trials["kind"])
    trials = fill_trials(trials.drop(columns="correct"))
    row = only(trials, DRIFT)
    assert row["p"] < 0.05 < 0.1 < row["estimate"]
    position = (trials["trial"] - 1) / 31
    groups = pd.get_dummies(trials["participant"] + trials["kind"]).to_numpy(float)
    right = (trials["kind"] == trials["response"]).to_numpy(float)
    slope = np.linalg.lstsq(np.column_stack([position, groups]), right, rcond=None)[0][0]
    assert row["estimate"] == pytest.approx(slope)


def test_pairs_that_are_judged_correctly_more_and_more_often_drift_upwards():
    trials = pairs(effect=0.0, seed=2)
    half = trials["trial"].max() // 2
    row = only(trials.assign(choice=trials["choice"].where(trials["trial"] <= half, "a"), correct=None), DRIFT)
    assert row["p"] < 0.05 < 0.1 < row["estimate"]


def test_choosing_rightly_is_no_side_bias():
    trials = pairs(effect=1.0, seed=1)
    row = only(trials, SIDE_BIAS)
    assert row["p"] > 0.05
    assert abs(row["estimate"]) < 0.05
    to_the_left = np.where(trials["position"] == "left", "a", "b")
    biased = only(trials.assign(choice=trials["choice"].where(trials.index % 7 > 3, to_the_left)), SIDE_BIAS)
    assert biased["p"] < 0.001
    assert (biased["a"], biased["b"]) == ("left", "right")
    assert biased["estimate"] > 0.1


JUDGED = simulated(participants=8, stimuli=16, each=16)


@pytest.mark.parametrize(
    ("trials", "check", "word"),
    [
        (simulated(participants=2, stimuli=16, each=16), DRIFT, "too few"),
        (JUDGED.assign(response=JUDGED["kind"], correct=True), DRIFT, "do not vary"),
        (pairs().assign(choice="a"), SIDE_BIAS, "all choices are the same"),
    ],
)
def test_where_there_is_no_test_a_note_says_why(trials, check, word):
    row = only(trials, check)
    assert np.isnan(row["estimate"])
    assert word in row["note"]
