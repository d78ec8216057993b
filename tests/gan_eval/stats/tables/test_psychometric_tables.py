"""The tables of psychometric functions: what is judged, what the rows say, and what has none."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from gan_eval.base.errors import UserError
from gan_eval.judgements.trials import fill_trials
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.all_tables import ALL_TABLES
from gan_eval.stats.groups import ONE_PARTICIPANT
from gan_eval.stats.tables.psychometric import psychometric


def judged(thresholds, *, people=12, each=60, items=30, pairs=False, column="requested_exposure_ms", levels=(), seed=0):
    """Trials of people who see each model with a threshold of its own; levels in ms, or falling with noise."""
    rng, rows = np.random.default_rng(seed), []
    levels = levels or (50.0, 100.0, 200.0, 400.0, 800.0)
    sign = 1 if column == "requested_exposure_ms" else -1
    models = list(thresholds)
    looks = rng.normal(0, 0.4, (items, 2))
    for person in range(people):
        own, guess = rng.normal(0, 0.5), expit(rng.normal(0, 0.4))
        for trial in range(each):
            is_fake = pairs or trial % 2 == 0
            model = models[int(rng.integers(len(models)))]
            item, level = int(rng.integers(items)), float(rng.choice(levels))
            eta = sign * 1.3 * np.log2(level / thresholds[model]) + own + looks[item, int(is_fake)]
            gamma = 0.5 if pairs else guess if is_fake else 1 - guess
            right = rng.random() < gamma + (1 - gamma) * 0.96 * expit(eta)
            row = {"session": f"S{person}", "participant": f"P{person}", "trial": trial + 1, "dataset": "faces"}
            row |= {"item": f"faces/{item}", column: level, "stimulus": f"faces/real/{item}"}
            if pairs:
                row |= {"protocol": "paired", "model": model, "choice": "a" if right else "b"}
            elif is_fake:
                row |= {"kind": "fake", "model": model, "stimulus": f"faces/{model}/{item}"}
                row |= {"response": "fake" if right else "real"}
            else:
                row |= {"kind": "real", "response": "real" if right else "fake"}
            rows.append(row)
    return fill_trials(pd.DataFrame(rows))


def test_pairs_of_one_model():
    tables = psychometric(judged({"a": 200.0}, pairs=True))
    assert {name: set(table) - set(ALL_TABLES[name].names) for name, table in tables.items()} == {
        "psychometric": set(),
        "psychometric_levels": set(),
    }
    (row,) = tables["psychometric"].to_dict("records")
    assert (row["task"], row["dataset"], row["model"], row["basis"]) == ("pair", "faces", "a", "crossed_model")
    assert row["threshold_low"] < 200 < row["threshold_high"]
    assert row["threshold_low"] < row["threshold"] < row["threshold_high"]
    assert row["slope_low"] < 1.3 < row["slope_high"]
    assert row["share"] == pytest.approx(0.75 - row["lapse_rate"] / 2)
    assert (row["n_levels"], row["n_trials"], row["n_participants"]) == (5, 720, 12)
    assert row["guess_rate"] == pytest.approx(0.5)
    levels = tables["psychometric_levels"]
    assert levels["at"].round(6).tolist() == [50, 100, 200, 400, 800]
    assert (levels["n_trials"].sum(), levels["accuracy"].is_monotonic_increasing) == (720, True)
    assert (levels["fitted"] - levels["accuracy"]).abs().max() < 0.08
    slope, spread = row["slope"], np.hypot(row["sd_participant"], row["sd_stimulus"])
    eta = slope * (np.log2(levels["at"].to_numpy(float)) - np.log2(row["threshold"]))
    draws = slope * spread * np.random.default_rng(1).standard_normal((200_000, 1))
    shares = 0.5 + (0.5 - row["lapse_rate"]) * (1 / (1 + np.exp(-eta - draws))).mean(axis=0)
    assert levels["fitted"].to_numpy() == pytest.approx(shares, abs=0.003), "dots and curve have one estimand"


def test_two_levels_have_shares_and_no_function():
    tables = psychometric(judged({"a": 120.0, "b": 420.0}, levels=(100.0, 800.0)))
    assert len(tables["psychometric_levels"]) == 4
    assert tables["psychometric_levels"]["fitted"].isna().all()
    assert tables["psychometric"]["threshold"].isna().all()
    assert (tables["psychometric"]["note"] == "no function: two levels; a threshold and a slope need three").all()


@pytest.mark.nightly
def test_two_models_of_single_pictures_have_functions_of_their_own():
    trials = judged({"a": 120.0, "b": 420.0}, people=20, each=120)
    tables = psychometric(trials)
    a, b = tables["psychometric"].to_dict("records")
    # the reals of both models are the same pictures, so that each balanced threshold lies between the two
    assert a["threshold"] < b["threshold"]
    assert a["lapse_rate"] == b["lapse_rate"]
    again = psychometric(trials.sample(frac=1.0, random_state=1).reset_index(drop=True))["psychometric"]
    pd.testing.assert_frame_equal(again, tables["psychometric"], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_another_column_is_the_level():
    trials = judged({"a": 0.2}, pairs=True, column="noise", levels=(0.05, 0.1, 0.2, 0.4, 0.8))
    assert psychometric(trials)["psychometric"].empty
    (row,) = psychometric(trials, plan=AnalysisSettings(level="noise"))["psychometric"].to_dict("records")
    assert (row["level"], row["slope_high"] < 0) == ("noise", True)
    assert row["threshold_low"] < 0.2 < row["threshold_high"]
    with_zero = trials.assign(noise=trials["noise"].where(trials["noise"] > 0.05, 0.0))
    (plain,) = psychometric(with_zero, plan=AnalysisSettings(level="noise"))["psychometric"].to_dict("records")
    assert 0.05 < plain["threshold"] < 0.5
    with pytest.raises(UserError, match=r"analysis\.level:"):
        psychometric(trials, plan=AnalysisSettings(level="blur"))


@pytest.mark.slow
def test_what_is_not_identified_is_said():
    pairs = judged({"a": 200.0}, pairs=True)
    alone = pairs[pairs["participant"] == "P0"].reset_index(drop=True)
    (row,) = psychometric(alone)["psychometric"].to_dict("records")
    assert row["basis"] == "two_way_cluster"
    assert ONE_PARTICIPANT in row["note"]
    rng = np.random.default_rng(1)
    chance = pairs.assign(choice=np.where(rng.random(len(pairs)) < 0.5, "a", "b"))
    (flat,) = psychometric(chance)["psychometric"].to_dict("records")
    assert np.isnan(flat["threshold_low"])
    assert "may not change with the level" in flat["note"] or "no function" in flat["note"]
    easy = pairs.assign(choice="a")
    (none,) = psychometric(easy)["psychometric"].to_dict("records")
    assert none["note"] == "no function: all answers are correct, or all are wrong"
    assert np.isnan(none["threshold"])
    assert psychometric(pairs.assign(requested_exposure_ms=200.0))["psychometric"].empty
    assert psychometric(pairs.iloc[:0])["psychometric"].empty


@pytest.mark.nightly
def test_levels_that_follow_the_answers_bias_nothing():
    """A staircase gives people of high thresholds long exposures: pooled, the function would be too flat."""
    rng, rows, true = np.random.default_rng(2), [], 200.0
    for person in range(30):
        own, exposure = rng.normal(0, 1.0), 300.0
        for trial in range(80):
            right = rng.random() < 0.5 + 0.48 * expit(1.5 * np.log2(exposure / true) + own)
            rows.append(
                {"participant": f"P{person}", "stimulus": f"s{rng.integers(400)}", "model": "m", "protocol": "paired",
                 "choice": "a" if right else "b", "requested_exposure_ms": exposure, "trial": trial + 1}
            )  # fmt: skip
            exposure = float(np.clip(exposure * (0.9 if right else 1.35), 20, 2000))
    tables = psychometric(fill_trials(pd.DataFrame(rows)))
    (row,) = tables["psychometric"].to_dict("records")
    assert row["threshold_low"] < true < row["threshold_high"]
    assert row["slope_low"] < 1.5 < row["slope_high"]
    assert len(tables["psychometric_levels"]) <= 8
