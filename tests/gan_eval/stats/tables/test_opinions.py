"""Mean grades and opinion scores, against scipy and by hand, and the notes of bad input."""

import numpy as np
import pandas as pd
import pytest
from make_grades import simulated_grades
from scipy import stats

from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.groups import ONE_PARTICIPANT
from gan_eval.stats.tables.grades import opinion_scores, ratings


def test_means_and_t_intervals() -> None:
    trials = simulated_grades(seed=7)
    table = opinion_scores(trials).set_index("stimulus")
    for picture in ("d/A/0", "d/B/7", "d/A/19"):
        own = trials.loc[trials["stimulus"] == picture, "rating"].to_list()
        row = table.loc[picture]
        assert (row["n"], row["mos"], row["sd"]) == pytest.approx((len(own), np.mean(own), np.std(own, ddof=1)))
        interval = stats.t.interval(0.95, len(own) - 1, np.mean(own), stats.sem(own))
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(interval)
    assert table.loc["d/A/0", ["kind", "model", "dataset"]].tolist() == ["fake", "A", "d"]


def test_bad_input_has_a_note() -> None:
    trials = simulated_grades(people=12, items=20)
    for empty in (trials.iloc[:0], trials.assign(rating=np.nan, protocol="single")):
        assert opinion_scores(empty).empty
    ungraded = opinion_scores(trials.assign(rating=np.nan))
    assert len(ungraded) == 40
    assert ungraded["mos"].isna().all()
    assert ungraded["note"].eq("no grades").all()
    alone = opinion_scores(trials[trials["participant"] == "P0"])
    assert alone["mos"].notna().all()
    assert alone["note"].eq("one grade: no interval").all()
    same = opinion_scores(trials.assign(rating=4.0))
    assert same["mos"].tolist() == pytest.approx([4.0] * 40)
    assert same["ci_low"].isna().all()
    assert same["note"].eq("all grades agree: no interval").all()
    infinite = trials.assign(rating=[np.inf, *trials["rating"][1:]])
    assert opinion_scores(infinite)["n"].sum() == len(trials) - 1
    assert ratings(infinite)["n_none"].tolist() == [1, 1, 0]
    assert np.isfinite(ratings(infinite)["mean"]).all(), "the mean was infinite"


GRADES = {"P1": ([4, 5], [1, 2, None]), "P2": ([3, 3], [2, 2, 4]), "P3": ([5, None], [3, 3, 3])}


def graded(grades: dict[str, tuple[list[int | None], list[int | None]]], **more: object) -> pd.DataFrame:
    """Trials: for each participant the grades of reals, then of fakes, whose models are x, x, y."""
    rows = [
        {
            "participant": person,
            "stimulus": f"d/{kind}/{number}",
            "kind": kind,
            "response": None,
            "dataset": "d",
            "model": "xxy"[number] if kind == "fake" else None,
            "protocol": "rating",
            "rating": grade,
        }
        for person, both in grades.items()
        for kind, of_kind in zip(("real", "fake"), both, strict=True)
        for number, grade in enumerate(of_kind)
    ]
    return fill_trials(pd.DataFrame(rows).assign(**more))


def test_rows_counts_means_and_intervals_over_people_and_pictures() -> None:
    """R 4.2.2, sandwich 3.0-2: `vcovCL(lm(g ~ 1, weights = 1 / n), cluster = data.frame(p, s), type = "HC0")`.

    n is the participant's number of grades; `qt(.975, df)` with one degree of freedom fewer than people or pictures.
    """
    table = ratings(graded(GRADES)).assign(model=lambda frame: frame["model"].fillna(""))
    assert table[["kind", "model"]].to_numpy().tolist() == [["real", ""], ["fake", ""], ["fake", "x"], ["fake", "y"]]
    assert table[["n", "n_none", "n_participants"]].to_numpy().tolist() == [[5, 1, 3], [8, 1, 3], [6, 0, 3], [2, 1, 2]]
    expected = [
        [4.166667, -3.468812, 11.802145],
        [2.388889, 0.272004, 4.505774],
        [2.166667, -3.436243, 7.769576],
        [3.5, np.nan, np.nan],
    ]
    found = table[["mean", "ci_low", "ci_high"]].to_numpy()
    assert found == pytest.approx(np.array(expected), abs=1e-6, nan_ok=True)
    assert table["note"].fillna("").tolist() == ["", "", "", "one picture: no interval"]
    assert table["sd"][0] == pytest.approx(np.std([4, 5, 3, 3, 5], ddof=1))


def test_models_versions_of_an_item_are_one_picture() -> None:
    """Two models with the same items: the fakes together have as few clusters as there are items."""
    rng = np.random.default_rng(0)
    item = rng.normal(size=6)
    trials = simulated_grades(people=12, items=6).assign(
        rating=lambda frame: 3 + item[frame["item"].str[2:].astype(int)] + rng.normal(0, 0.1, len(frame))
    )
    table = ratings(fill_trials(trials)).set_index(["kind", "model"])
    together, by_stimulus = (
        ratings(fill_trials(frame)).query("kind == 'fake' and model.isna()").iloc[0]
        for frame in (trials, trials.assign(item=trials["stimulus"]))
    )
    assert together["mean"] == pytest.approx(by_stimulus["mean"])
    widths = [row["ci_high"] - row["ci_low"] for row in (together, by_stimulus)]
    assert widths[0] > 1.4 * widths[1]
    assert len(table) == 3


def test_equal_means_have_no_interval() -> None:
    """Two people who gave nothing but 3 had 3.00 [3.00, 3.00]."""
    table = ratings(graded({"P1": ([3, 3], [3, 3, 3]), "P2": ([3, 3], [3, 3, 3])}))
    assert set(table["mean"]) == {3.0}
    assert table[["ci_low", "ci_high"]].isna().all(axis=None)
    assert table["note"][:3].str.contains("the same mean grade").all()


def test_a_participants_grades_of_one_picture_are_one_cluster() -> None:
    """Three people, one of whom graded it three times: the interval has two degrees of freedom, not four."""
    rows = [("P1", 2.0), ("P1", 2.0), ("P1", 3.0), ("P2", 4.0), ("P3", 5.0)]
    trials = pd.DataFrame(rows, columns=["participant", "rating"]).assign(
        stimulus="d/x/0", kind="fake", model="x", dataset="d", protocol="rating", response=None
    )
    (row,) = opinion_scores(fill_trials(trials)).to_dict("records")
    sums = np.array([(2 - 3.2) + (2 - 3.2) + (3 - 3.2), 4 - 3.2, 5 - 3.2]) / 5
    half_width = stats.t.ppf(0.975, 2) * np.sqrt(3 / 2 * (sums**2).sum())
    assert (row["n"], row["mos"]) == (5, pytest.approx(3.2))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((3.2 - half_width, 3.2 + half_width))
    alone = opinion_scores(fill_trials(trials[trials["participant"] == "P1"])).iloc[0]
    assert np.isnan(alone["ci_low"])
    assert alone["note"] == "one participant: no interval"


def test_one_participant_has_an_interval_over_pictures_and_no_grade_no_mean() -> None:
    table = ratings(graded({"P1": GRADES["P1"]}))
    reach = stats.t.ppf(0.975, 1) * 0.5  # as of the mean of two independent grades that are 1 apart
    assert table["ci_high"][:3].tolist() == pytest.approx([4.5 + reach, 1.5 + reach, 1.5 + reach])
    assert table["note"].tolist() == [*[ONE_PARTICIPANT] * 3, "no graded trials"]
    assert table["mean"].isna().tolist() == [False, False, False, True]
