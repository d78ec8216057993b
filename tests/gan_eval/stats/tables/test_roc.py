"""ROC curves from confidence: the fit against R and against a plain likelihood, and the tables."""

import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, judged, partners
from scipy.stats import norm
from scipy.stats import t as student

from gan_eval.stats.groups import ONE_PARTICIPANT
from gan_eval.stats.mixed import NoFitError
from gan_eval.stats.tables.roc import ROC, ROC_POINTS, fit_gaussian, roc

BY_R = {  # clm(y ~ kind, scale = ~kind, link = "probit") of ordinal 2022.11-16: a, s, log L, SE of a, SE of log s
    (174, 172, 104, 92, 41, 8, 46, 57, 66, 101, 154, 173): (1.07209838, 0.70576813, -1920.984742, 0.064916, 0.062528),
    (40, 30, 20, 10, 5, 10, 25, 60): (1.46047732, 0.92199771, -231.485208, 0.204338, 0.192553),
    (12, 6, 2, 3, 5, 12): (1.22938396, 0.76160561, -36.711654, 0.467118, 0.538468),
    (5, 3, 4, 1, 2, 1, 2, 3, 2, 3, 4, 7): (0.85365891, 0.84471264, -62.183582, 0.358381, 0.350758),
    (300, 10, 5, 3, 2, 200, 20, 30, 40, 60): (0.87704194, 0.68553317, -535.439405, 0.289562, 0.237661),
}


@pytest.mark.parametrize("counts", BY_R)
def test_equals_r(counts):
    """Errors are of the expected information, R's of the observed one."""
    fit = fit_gaussian(np.reshape(counts, (2, -1)))
    intercept, slope, log_likelihood, *errors = BY_R[counts]
    assert (fit.intercept, fit.slope) == pytest.approx((intercept, slope), abs=1e-6)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-5)
    assert np.sqrt(np.diag(fit.covariance))[:2] == pytest.approx(errors, rel=0.01)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([[9, 3], [2, 8]], "fewer than three different ratings"),
        ([[10, 5, 0], [0, 4, 9]], "hardly overlap"),
        ([[3, 3, 3], [0, 0, 9]], "hardly overlap"),
        ([[0, 9, 0], [3, 3, 3]], "hardly overlap"),
        ([[9, 1, 0], [1, 0, 9]], "hardly overlap"),
    ],
)
def test_without_a_finite_estimate_there_is_a_reason(counts, reason):
    with pytest.raises(NoFitError, match=reason):
        fit_gaussian(np.array(counts))


def rated(*, people=20, pictures=60, mean=1.0, sd=1.3, models=("a",), levels=3, seed=0):
    """Answers with confidence from evidence of which people, pictures and criteria are a part."""
    rng = np.random.default_rng(seed)
    person, picture = np.repeat(np.arange(people), pictures), np.tile(np.arange(pictures), people)
    fake = picture % 2 == 1
    evidence = rng.normal(0, 0.5, pictures)[picture] + rng.normal(0, 0.3, people)[person]
    rest = np.sqrt(np.where(fake, sd, 1.0) ** 2 - 0.5**2 - 0.3**2)
    evidence = evidence + np.where(fake, mean, 0) + rest * rng.normal(size=len(person))
    grade = np.digitize(evidence, np.linspace(-0.9, 1.8, 2 * levels - 1))
    says = grade >= levels
    confidence = np.where(says, grade - levels + 1, levels - grade).astype(float)
    model = np.array(models)[picture // 2 % len(models)]
    return judged(person, picture, fake, says, dataset="faces", model=model, confidence=confidence)


def test_points_are_rates_of_cuts_through_the_ratings():
    trials = rated(models=("a", "b"))
    tables = roc(trials)
    assert [list(table) for table in tables.values()] == [list(ROC.names), list(ROC_POINTS.names)]
    points = tables["roc_points"]
    assert points.groupby("model")["cut"].apply(list).to_dict() == dict.fromkeys("ab", [1, 2, 3, 4, 5])
    names = ["fake 3", "fake 2", "fake 1", "real 1", "real 2"]
    own = points[points["model"] == "b"].set_index("from_rating")
    assert own.index.tolist() == names
    signed = trials["confidence"].where(trials["response"] == "fake", -trials["confidence"])
    fakes, reals = signed[trials["model"] == "b"], signed[trials["kind"] == "real"]
    assert own.loc["fake 2", "hit_rate"] == pytest.approx((fakes >= 2).mean())
    assert own.loc["real 2", "false_alarm_rate"] == pytest.approx((reals >= -2).mean())
    assert own["z_hit"].to_numpy() == pytest.approx(norm.ppf(own["hit_rate"]))
    (row,) = tables["roc"][tables["roc"]["model"] == "b"].to_dict("records")
    assert (row["n_ratings"], row["n_real"], row["n_fake"]) == (6, 600, 300)
    assert (row["n_participants"], row["n_stimuli"], row["basis"]) == (20, 45, "two_way_cluster")
    assert row["a_z"] == pytest.approx(norm.cdf(row["d_a"] / np.sqrt(2)))
    assert row["d_a"] == pytest.approx(np.sqrt(2 / (1 + row["slope"] ** 2)) * row["intercept"])


@pytest.mark.nightly
def test_intervals_hold_the_truth():
    """Evidence of mean 1 and SD 1.3 with respect to reals: of studies of 12 people nine in ten or more."""
    truth = {"d_a": 1 / np.sqrt((1 + 1.3**2) / 2), "slope": 1 / 1.3}
    rows = pd.concat([roc(rated(people=12, pictures=40, seed=seed))["roc"] for seed in range(60)])
    for name, value in truth.items():
        assert rows[f"{name}_low"].lt(value).mul(rows[f"{name}_high"].gt(value)).mean() >= 0.9
        assert rows[name].mean() == pytest.approx(value, abs=0.1)


def test_errors_are_about_those_of_leaving_out_people_and_pictures():
    trials = rated(people=12, pictures=16)
    (row,) = roc(trials)["roc"].to_dict("records")

    def variance(name):
        names = trials[name].unique()
        without = [roc(trials[trials[name] != left_out])["roc"]["d_a"].item() for left_out in names]
        return (len(names) - 1) * np.var(without)

    by_person, by_picture = variance("participant"), variance("stimulus")
    error = (row["d_a_high"] - row["d_a"]) / student.ppf(0.975, 11)
    assert 0.9 * max(by_person, by_picture) < error**2 < 1.1 * (by_person + by_picture)


def test_errors_are_about_those_of_leaving_out_items_that_pictures_share():
    trials = partners(20, 8, seed=1)
    (row,) = roc(trials)["roc"].to_dict("records")
    (apart,) = roc(trials.assign(item=trials["stimulus"]))["roc"].to_dict("records")
    assert [row[name] for name in ("d_a", "slope", "n_stimuli")] == [
        apart[name] for name in ("d_a", "slope", "n_stimuli")
    ]

    def variance(name):
        names = trials[name].unique()
        without = [roc(trials[trials[name] != left_out])["roc"]["d_a"].item() for left_out in names]
        return (len(names) - 1) * np.var(without)

    by_person, by_item = variance("participant"), variance("item")
    errors = [(found["d_a_high"] - found["d_a"]) / student.ppf(0.975, 7) for found in (row, apart)]
    assert 0.9 * by_item < errors[0] ** 2 < 1.1 * (by_person + by_item)
    assert errors[1] ** 2 < 0.75 * by_item


def test_one_participant_is_clustered_by_picture():
    trials = rated(people=12, pictures=80)
    (row,) = roc(trials[trials["participant"] == "0"])["roc"].to_dict("records")
    assert row["basis"] == "picture_cluster"
    assert row["note"] == ONE_PARTICIPANT


def test_few_ratings_or_too_many_levels_are_no_curve():
    (row,) = roc(rated().assign(confidence=2.0))["roc"].to_dict("records")
    assert np.isnan(row["d_a"])
    assert row["note"].startswith("fewer than three different ratings")
    many = rated().assign(confidence=np.arange(1200) % 100 + 1.0)
    tables = roc(many)
    assert tables["roc"]["note"].str.contains("more than 12 are no scale").all()
    assert tables["roc_points"].empty


def test_without_confidence_there_are_no_rows():
    assert all(table.empty for table in roc(from_counts(15, 10, 7, 18)).values())


def test_answers_without_confidence_are_left_out():
    trials = rated()
    trials.loc[trials.index[::3], "confidence"] = np.nan
    tables = roc(trials)
    assert int(tables["roc"]["n_real"].iloc[0] + tables["roc"]["n_fake"].iloc[0]) == trials["confidence"].notna().sum()
