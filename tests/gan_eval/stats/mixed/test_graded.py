"""The rows of grades and confidence in the table `mixed_models`."""

import numpy as np
import pandas as pd
import pytest
from lme4_designs import DESIGNS, REFERENCES, answers

from gan_eval.stats.mixed.models import mixed_models
from gan_eval.stats.trials import fill_trials


def graded(**columns):
    """The design `grades` as trials: its second kind of picture is model B."""
    data = answers(DESIGNS["grades"])
    frame = {
        "participant": [f"P{person:03d}" for person in data.first],
        "stimulus": [f"S{picture:03d}" for picture in data.second],
        "dataset": "d",
        "kind": "fake",
        "model": np.where(data.X[:, 0] > 0, "B", "A"),
        "rating": data.y + 1.0,
    }
    return fill_trials(pd.DataFrame(frame | columns))


def rows_of(table, outcome):
    return table[table["formula"].str.startswith(f"{outcome} ~")]


def test_the_table_says_what_ordinal_says():
    table, reference = rows_of(mixed_models(graded()), "rating"), REFERENCES["grades"]
    assert table["formula"].unique().tolist() == ["rating ~ model + (1|participant) + (1|stimulus)"]
    assert table["term"].tolist() == [*(f"threshold[{low}|{low + 1}]" for low in range(1, 5)), "model[B]"]
    assert table["estimate"].to_numpy() == pytest.approx(reference["beta"], abs=1e-3)
    assert table["std_error"].to_numpy() == pytest.approx(reference["std_error"], rel=0.01)
    assert table["log_likelihood"].to_numpy() == pytest.approx(reference["log_likelihood"], abs=1e-3)
    assert table["sd_stimulus"].to_numpy() == pytest.approx(reference["second"][0], abs=1e-3)


def test_grades_that_are_never_given_are_no_thresholds():
    trials = graded()
    trials["rating"] = trials["rating"].replace({3.0: 4.0})
    terms = rows_of(mixed_models(trials), "rating")["term"].tolist()
    assert terms == ["threshold[1|2]", "threshold[2|4]", "threshold[4|5]", "model[B]"]


def test_kinds_are_compared_where_both_were_graded():
    trials = graded()
    is_real = trials["model"] == "B"
    trials = trials.assign(kind=np.where(is_real, "real", "fake"), model=trials["model"].mask(is_real))
    table = rows_of(mixed_models(trials), "rating")
    assert table["formula"].unique().tolist() == ["rating ~ kind + (1|participant) + (1|stimulus)"]
    assert table["term"].iloc[-1] == "kind[real]"
    assert table["estimate"].iloc[-1] == pytest.approx(REFERENCES["grades"]["beta"][-1], abs=1e-3)


def test_confidence_has_its_own_rows():
    trials = graded()
    trials = trials.assign(
        confidence=trials["rating"],
        rating=np.nan,
        protocol="quick_response",
        response=np.where(trials["rating"] > 2, "real", "fake"),
    )
    table = rows_of(mixed_models(trials), "confidence")
    assert table["estimate"].to_numpy() == pytest.approx(REFERENCES["grades"]["beta"], abs=1e-3)


def test_without_spread_the_rows_say_why():
    table = rows_of(mixed_models(graded(rating=2.0)), "rating")
    assert table["note"].tolist() == ["all answers are the same"]
    assert table["estimate"].isna().all()
