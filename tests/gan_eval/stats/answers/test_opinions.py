"""Opinion scores of pictures, against scipy and by hand, and the notes of bad input."""

import numpy as np
import pandas as pd
import pytest
from make_grades import graded_frame, simulated_grades
from scipy import stats

from gan_eval.stats.answers.grades import opinion_scores
from gan_eval.stats.trials import fill_trials


def test_means_and_t_intervals() -> None:
    grades = simulated_grades(7, each=12)
    table = opinion_scores(graded_frame(grades)).set_index("stimulus")
    for picture in ("00", "07", "19"):
        own = [grade for (_, name), grade in grades.items() if name == picture]
        row = table.loc[f"d/{picture}"]
        assert (row["n"], row["mos"], row["sd"]) == pytest.approx((len(own), np.mean(own), np.std(own, ddof=1)))
        interval = stats.t.interval(0.95, len(own) - 1, np.mean(own), stats.sem(own))
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(interval)
    assert table.loc["d/00", ["kind", "model", "dataset"]].tolist() == ["fake", "gan", "d"]


def test_bad_input_has_a_note() -> None:
    trials = graded_frame(simulated_grades(8))
    for empty in (trials.iloc[:0], trials.assign(rating=np.nan, protocol="single")):
        assert opinion_scores(empty).empty
    ungraded = opinion_scores(trials.assign(rating=np.nan))
    assert len(ungraded) == 20
    assert ungraded["mos"].isna().all()
    assert ungraded["note"].eq("no grades").all()
    alone = opinion_scores(trials[trials["participant"] == "P00"])
    assert alone["mos"].notna().all()
    assert alone["note"].eq("one grade: no interval").all()
    same = opinion_scores(trials.assign(rating=4.0))
    assert same["mos"].tolist() == pytest.approx([4.0] * 20)
    assert same["ci_low"].isna().all()
    assert same["note"].eq("all grades agree: no interval").all()
    infinite = opinion_scores(fill_trials(trials.assign(rating=[np.inf, *trials["rating"][1:]])))
    assert infinite["n"].sum() == len(trials) - 1
    assert "infinite" in infinite["note"].iloc[0]
    mixed = opinion_scores(fill_trials(trials.assign(study=["a"] * 120 + ["b"] * 120)))
    assert mixed["note"].str.contains("several studies").all()
    assert opinion_scores(pd.concat([trials, trials], ignore_index=True))["n"].sum() == 2 * len(trials)
