"""Opinion scores and raters as tables, against scipy and by hand, and what bad input says."""

import numpy as np
import pandas as pd
import pytest
from make_grades import coded, graded_frame, simulated_grades
from scipy import stats

from gan_eval.stats.answers.grades import opinion_scores, p910, raters
from gan_eval.stats.trials import fill_trials


def test_means_and_t_intervals() -> None:
    grades = simulated_grades(7, each=12)
    table = opinion_scores(graded_frame(grades)).set_index("stimulus")
    assert table["screening"].eq("none").all()
    for picture in ("00", "07", "19"):
        own = [grade for (_, name), grade in grades.items() if name == picture]
        row = table.loc[f"d/{picture}"]
        assert (row["n"], row["mos"], row["sd"]) == pytest.approx((len(own), np.mean(own), np.std(own, ddof=1)))
        interval = stats.t.interval(0.95, len(own) - 1, np.mean(own), stats.sem(own))
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(interval)
    assert table.loc["d/00", ["kind", "model", "dataset"]].tolist() == ["fake", "gan", "d"]


def test_bt500_leaves_out_whom_it_rejects() -> None:
    grades = simulated_grades(1)
    people, table = (
        raters(graded_frame(grades), screening="bt500"),
        opinion_scores(graded_frame(grades), screening="bt500"),
    )
    rejected = people.loc[people["rejected"], "participant"].tolist()
    assert rejected == ["P11"]
    kept = {pair: grade for pair, grade in grades.items() if pair[0] not in rejected}
    plain = opinion_scores(graded_frame(kept))
    columns = ["stimulus", "n", "mos", "sd", "ci_low", "ci_high"]
    pd.testing.assert_frame_equal(table[columns], plain[columns])
    assert table["note"].eq("grades of rejected participants left out (1 of 12)").all()
    unscreened = raters(graded_frame(grades))
    assert not unscreened["rejected"].any()
    assert unscreened["note"].iloc[11] == "BT.500 would reject"


def test_p910_carries_quality_and_its_interval() -> None:
    grades = simulated_grades(1)
    found = p910(coded(grades))
    table, people = (
        opinion_scores(graded_frame(grades), screening="p910"),
        raters(graded_frame(grades), screening="p910"),
    )
    np.testing.assert_allclose(table["mos"], found.quality)
    np.testing.assert_allclose(table["ci_high"] - table["mos"], 1.959964 * found.std_error, rtol=1e-6)
    np.testing.assert_allclose(people["bias"], found.bias)
    np.testing.assert_allclose(people["inconsistency"], found.inconsistency)
    assert not people["rejected"].any()
    assert table["note"].isna().all()


@pytest.mark.parametrize("screening", ["none", "bt500", "p910"])
def test_bad_input_has_a_word(screening: str) -> None:
    def tables(trials: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        return opinion_scores(trials, screening=screening), raters(trials, screening=screening)  # type: ignore[arg-type]

    grades = simulated_grades(8)
    trials = graded_frame(grades)
    for empty in (trials.iloc[:0], trials.assign(rating=np.nan, protocol="single")):
        assert [len(table) for table in tables(empty)] == [0, 0]
    ungraded, people = tables(trials.assign(rating=np.nan))
    assert len(ungraded) == 20
    assert ungraded["mos"].isna().all()
    assert ungraded["note"].eq("no grades").all()
    assert people["note"].eq("no grades").all()
    alone, one = tables(trials[trials["participant"] == "P00"])
    assert alone["ci_low"].isna().all()
    assert alone["mos"].notna().all()
    assert alone["note"].notna().all()
    assert one["bias"].isna().all()
    same, people = tables(trials.assign(rating=4.0))
    assert same["mos"].tolist() == pytest.approx([4.0] * 20)
    assert same["ci_low"].isna().all()
    assert same["note"].str.contains("no interval").all()
    assert people["bias"].abs().max() < 1e-9
    infinite, _ = tables(fill_trials(trials.assign(rating=[np.inf, *trials["rating"][1:]])))
    assert infinite["n"].sum() == len(trials) - 1
    assert "infinite" in infinite["note"].iloc[0]
    picture, _ = tables(trials[trials["stimulus"] == "d/00"])
    assert len(picture) == 1
    two, _ = tables(trials.iloc[:2])
    assert two["ci_low"].isna().all()
    mixed, people = tables(fill_trials(trials.assign(study=["a"] * 120 + ["b"] * 120)))
    assert mixed["note"].str.contains("several studies").all()
    doubled, _ = tables(pd.concat([trials, trials], ignore_index=True))
    assert doubled["n"].sum() == 2 * len(trials) or screening == "bt500"
