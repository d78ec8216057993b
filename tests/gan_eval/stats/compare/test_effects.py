"""The table `effects`: single participants and pictures by the models of the comparisons."""

import numpy as np
import pandas as pd
import pytest
from make_trials import from_counts, judged, simulated, simulated_pairs
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.compare.comparisons import comparisons
from gan_eval.stats.compare.effects import EFFECTS, effects


def table_of(trials, **plan):
    fitted, settings = {}, AnalysisSettings(**plan)
    comparisons(trials, plan=settings, fitted=fitted)
    return effects(trials, fitted, plan=settings), fitted


def test_rows_of_each_model_have_the_observed_shares():
    trials = simulated(participants=12, stimuli=60, each=40, models=("a", "b"))
    table, _ = table_of(trials)
    assert list(table) == list(EFFECTS.names)
    assert not table.duplicated(list(EFFECTS.key)).any()
    own = trials.assign(says=(trials["response"] == "fake").astype(float))
    fakes = own[own["model"] == "b"].groupby("stimulus")["says"].agg(["size", "mean"])
    of_b = table[(table["scope"] == "stimulus") & (table["model"] == "b") & (table["kind"] == "fake")].set_index("id")
    assert of_b["n"].to_dict() == fakes["size"].to_dict()
    assert of_b["observed"].to_dict() == pytest.approx(fakes["mean"].to_dict())
    of_people = own[(own["kind"] == "real") | (own["model"] == "b")].groupby(["participant", "kind"])["says"].mean()
    balanced = (1 + of_people.xs("fake", level="kind") - of_people.xs("real", level="kind")) / 2
    accuracy = table[(table["measure"] == "accuracy") & (table["model"] == "b")].set_index("id")["observed"]
    assert accuracy.to_dict() == pytest.approx(balanced.to_dict())


def test_single_pictures_and_pairs_of_one_model_have_rows_of_their_own():
    single = simulated(participants=12, stimuli=30, each=30, models=("x",))
    pairs = simulated_pairs(people=12, items=20, effect=0.5).assign(
        participant=lambda table: "P00" + table["participant"]
    )
    table, _ = table_of(pd.concat([single, pairs], ignore_index=True))
    accuracy = table[(table["scope"] == "participant") & (table["measure"] == "accuracy")]
    assert accuracy.groupby("formula").size().tolist() == [12, 12]


def test_a_share_is_averaged_over_the_other_factor():
    trials = simulated(participants=15, stimuli=40, each=40)
    table, fitted = table_of(trials)
    fit = fitted["told apart", "fake", "real"]
    fixed = dict(zip(dict.fromkeys(trials["kind"]), fit.beta, strict=True))
    sd, sd_slope, correlation = fit.first
    for row in table.dropna(subset="kind").groupby(["scope", "kind"]).head(2).to_dict("records"):
        half = 0.5 if row["kind"] == "fake" else -0.5
        between_people = np.sqrt(sd**2 + (half * sd_slope) ** 2 + 2 * half * correlation * sd * sd_slope)
        other = fit.second.sd if row["scope"] == "participant" else between_people
        eta = fixed[row["kind"]] + row["effect"]
        share, _ = quad(lambda z, eta=eta, sd=other: expit(eta + sd * z) * norm.pdf(z), -9, 9)
        assert row["estimate"] == pytest.approx(share, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("studies", [5, pytest.param(30, marks=pytest.mark.nightly)])
def test_intervals_cover_the_truth_of_participants_and_pictures(studies):
    """The truth is the share of answers with 3000 others; participants differ in bias and in skill."""
    held = {"participant": [], "stimulus": []}
    for seed in range(studies):
        rng = np.random.default_rng(seed)
        people, pictures = rng.normal(0, [0.5, 0.6], (30, 2)), rng.normal(0, 0.8, 60)
        person, picture = np.repeat(np.arange(30), 60), np.tile(np.arange(60), 30)
        half = np.where(picture % 2, 0.5, -0.5)
        eta = people[person, 0] + half * (1.0 + people[person, 1]) + pictures[picture]
        table, _ = table_of(judged(person, picture, half > 0, rng.random(len(eta)) < expit(eta), model="a"))
        others = rng.normal(0, [0.5, 0.6, 0.8], (3000, 3))
        fake, real = (
            expit(people[:, :1] + side * (1.0 + people[:, 1:]) + others[:, 2]).mean(axis=1) for side in (0.5, -0.5)
        )
        side = np.where(np.arange(60) % 2, 0.5, -0.5)[:, None]
        called = expit(side * (1.0 + others[:, 1]) + others[:, 0] + pictures[:, None]).mean(axis=1)
        rows = {"participant": table[table["measure"] == "accuracy"], "stimulus": table[table["scope"] == "stimulus"]}
        for scope, truth in (("participant", (1 + fake - real) / 2), ("stimulus", called)):
            own = rows[scope]
            share = pd.Series(truth[own["id"].astype(int)], own.index)
            if own["estimate_low"].notna().any():
                held[scope].append(share.between(own["estimate_low"], own["estimate_high"]).mean())
    assert 0.9 < np.mean(held["participant"]) < 0.98
    assert 0.91 < np.mean(held["stimulus"]) < 0.98


def test_pairs_have_the_share_of_right_answers():
    table, _ = table_of(simulated_pairs(effect=0.8, models=("x", "y")))
    assert table.groupby(["scope", "model"]).size().to_dict() == {
        ("participant", "x"): 20, ("participant", "y"): 20, ("stimulus", "x"): 15, ("stimulus", "y"): 15,
    }  # fmt: skip
    assert set(table["measure"]) == {"accuracy"}
    assert table["estimate"].between(table["estimate_low"], table["estimate_high"]).all()


def test_without_slopes_people_differ_in_bias_alone():
    table, _ = table_of(simulated(participants=12), slope=False)
    assert set(table["measure"]) == {"called_fake"}
    assert table["formula"].unique().tolist() == ["called_fake ~ kind + (1|participant) + (1|stimulus)"]


def test_a_spread_of_0_gives_no_intervals():
    table, fitted = table_of(simulated(participants=30, each=30, sd_stimulus=0.0, seed=2))
    assert fitted["told apart", "fake", "real"].second.sd == 0
    pictures = table[table["scope"] == "stimulus"]
    assert pictures["estimate_low"].isna().all()
    assert pictures["note"].eq("no interval, it would be too narrow: the SD between stimuli is estimated at 0").all()


def test_without_a_fit_there_are_no_rows():
    table, fitted = table_of(from_counts(15, 10, 7, 18))
    assert fitted == {}
    assert table.empty
