"""Comparisons of grades: against plain counts, scipy's rank sums, drawn grades, and where no model can be had."""

import numpy as np
import pandas as pd
import pytest
from make_grades import simulated_grades as study
from make_trials import partners
from scipy.stats import mannwhitneyu

from gan_eval.judgements.trials import fill_trials
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.estimate.grades import GradedAnswers, GradeQuestion, _by_model, _clustered
from gan_eval.stats.mixed.fit import fit_crossed
from gan_eval.stats.tables.comparisons import comparisons


def test_each_measure_of_models_and_of_kinds_has_a_row():
    table = comparisons(study(gap=1.0, with_reals=True), plan=AnalysisSettings(margin=0.1))
    rows = table[table["measure"].isin(["higher_grade", "mean_grade"])]
    assert [tuple(row) for row in rows[["comparison", "a", "b", "measure"]].to_numpy()] == [
        ("grades on d", "fake", "real", "higher_grade"),
        ("grades on d", "fake", "real", "mean_grade"),
        ("grades of models on d", "A", "B", "higher_grade"),
        ("grades of models on d", "A", "B", "mean_grade"),
    ]
    assert (rows["basis"] == "crossed_model").all()
    assert (rows["difference"] < 0).all()
    assert rows["p_holm"].to_numpy() == pytest.approx(rows["p"].to_numpy())  # each measure is a family of its own


def test_the_verdict_is_by_the_model_and_the_mean_s_margin_by_the_scale():
    same = comparisons(study(people=20, items=24, seed=3), plan=AnalysisSettings(margin=0.2)).set_index("measure")
    assert (same["verdict"] == "equivalent").all()
    assert "compared with 0.8" in same.loc["mean_grade", "note"]
    assert (same["margin"] == 0.2).all()
    apart = comparisons(study(gap=1.5, seed=3)).set_index("measure")
    assert (apart["verdict"] == "different").all()
    assert apart["p_equivalent"].isna().all()


def test_the_margin_is_a_part_of_the_scale_not_of_the_grades_that_were_given():
    trials = study(people=8, items=12)
    trials = trials.assign(rating=trials["rating"].clip(2, 4))
    plan = AnalysisSettings(margin=0.1)
    for grades, margin in ((5, "0.4"), (None, "0.2")):
        table = comparisons(trials, plan=plan, grades=grades)
        notes = table.loc[table["measure"] == "mean_grade", "note"]
        assert len(notes)
        assert notes.str.contains(f"compared with {margin}, the margin times", regex=False).all()


@pytest.mark.parametrize("is_fitted", [True, False])
def test_grades_of_photographs_and_their_versions_have_the_variance_of_items(is_fitted):
    """Fakes get higher grades where the photographs of the same items get lower ones."""
    judged = partners(24, 10, seed=1)
    confidence = judged["confidence"].astype(float)
    rating = 4 + np.where(judged["response"] == "fake", confidence, 1 - confidence) * (1 if is_fitted else 1.001)
    if not is_fitted:  # 13 different grades: clustered means
        rating += np.arange(len(judged)) % 3 / 100
    trials = fill_trials(judged.drop(columns=["response", "confidence"]).assign(rating=rating, protocol="rating"))
    together, apart = (comparisons(trials.assign(item=item)) for item in (trials["item"], trials["stimulus"]))
    together, apart = (table[table["comparison"] == "grades on d"].set_index("measure") for table in (together, apart))
    assert (together["basis"] == ("crossed_model" if is_fitted else "two_way_cluster")).all()
    assert (together["difference"] == apart["difference"]).all()
    width = {name: table["ci_high"] - table["ci_low"] for name, table in (("together", together), ("apart", apart))}
    assert (width["together"] > 1.15 * width["apart"]).all()
    without = comparisons(trials.assign(item=None)).query("comparison == 'grades on d'").set_index("measure")
    assert (without["ci_low"] == apart["ci_low"]).all()


def test_placements_are_the_rank_sum():
    rng = np.random.default_rng(0)
    in_a, grade = rng.random(200) < 0.4, rng.integers(0, 5, 200)
    units = np.arange(200), np.arange(200)
    question = GradeQuestion(GradedAnswers(np.arange(5.0), grade, in_a, *units, "item"), "higher_grade", 1.0)
    difference, error = _clustered(question)
    found = mannwhitneyu(grade[in_a], grade[~in_a])
    pairs = in_a.sum() * (~in_a).sum()
    assert difference == pytest.approx(2 * found.statistic / pairs - 1)
    placements = [  # DeLong's variance, of independent answers
        np.array([np.mean(grade[other] < own) - np.mean(grade[other] > own) for own in grade[side]])
        for side, other in ((in_a, ~in_a), (~in_a, in_a))
    ]
    variance = sum(values.var(ddof=1) / len(values) for values in placements)
    assert error == pytest.approx(np.sqrt(variance))


def test_averages_over_people_and_pictures_are_those_of_drawn_grades():
    """The fit's own numbers, by drawing random effects."""
    trials = study(people=20, items=20, gap=1.0, sd_view=1.0, seed=2)
    grade = trials["rating"].to_numpy(int) - 1
    side = np.where(trials["model"] == "A", 0.5, -0.5)
    person, item = (pd.factorize(trials[name])[0] for name in ("participant", "item"))
    fit = fit_crossed(grade, side[:, None], person, item, link="cumulative_logit", slope=side, slope_second=side)
    rng = np.random.default_rng(5)
    grades = []
    for where in (0.5, -0.5):
        eta = where * fit.beta[0]
        for sd, sd_slope, correlation, _ in (fit.first, fit.second):
            first, second = rng.standard_normal((2, 400_000))
            own = (correlation or 0.0) * first + np.sqrt(1 - (correlation or 0.0) ** 2) * second
            eta = eta + sd * first + where * (sd_slope or 0.0) * own
        grades.append(np.digitize(eta + rng.logistic(size=400_000), fit.thresholds))
    a, b = grades
    drawn = {"higher_grade": (np.mean(a > b) - np.mean(a < b), 0.006), "mean_grade": (a.mean() - b.mean(), 0.015)}
    for measure, (expected, error) in drawn.items():
        answers = GradedAnswers(np.arange(5.0), grade, side > 0, person, item, "item")
        assert _by_model(GradeQuestion(answers, measure, 1.0))[0] == pytest.approx(expected, abs=error)


@pytest.mark.parametrize(
    ("trials", "words"),
    [
        (study().assign(rating=lambda frame: frame["rating"] + np.arange(len(frame)) / 1000), "no scale of few grades"),
        (study(people=1), "fewer than two participants"),
        (study().assign(rating=3.0), "all answers are the same"),
    ],
)
def test_where_no_model_can_be_had_the_note_says_why(trials, words):
    table = comparisons(trials)
    assert table["note"].str.contains(words).all()
    assert (table["basis"] != "crossed_model").all()
    assert not (table["verdict"] == "different").any()


@pytest.mark.parametrize(
    ("trials", "untested"), [(study(people=1), "one participant"), (study().assign(rating=3.0), "constant answers")]
)
def test_grades_without_an_error_have_no_interval_and_no_method(trials, untested):
    table = comparisons(trials)
    assert set(table["untested"]) == {untested}
    assert table[["ci_low", "ci90_high", "p", "verdict", "basis"]].isna().all(axis=None)
    assert not table["note"].str.contains("clustered").any()


@pytest.mark.parametrize(("real", "fake"), [((5,), (1, 2, 3)), ((1,), (2, 3)), ((5,), (1,))])
def test_grades_that_do_not_overlap_have_one_verdict(real, fake):
    """Every fake is graded below (or above) every real; a cumulative model has no finite estimate."""
    places = [(person, picture) for person in range(8) for picture in range(16)]
    frame = pd.DataFrame(places, columns=["participant", "stimulus"])
    grades = [(fake if picture % 2 else real, person) for person, picture in places]
    frame["rating"] = [given[person % len(given)] for given, person in grades]
    frame["kind"] = np.where(frame["stimulus"] % 2, "fake", "real")
    found = comparisons(fill_trials(frame)).set_index("measure")
    assert found["verdict"].tolist() == ["different", "different"]
    assert found["p"].nunique() == 1
    assert (np.sign(found["ci_low"]) == np.sign(found["ci_high"])).all()
    assert abs(found.loc["higher_grade", "difference"]) == 1
