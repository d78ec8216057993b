"""The table of log-normal models: terms, ratios, what is left out, and data that allow no estimate."""

import time

import numpy as np
import pandas as pd
import pytest
from make_times import timed_trials
from scipy import stats

from gan_eval.stats.answers.time_models import reaction_time_models
from gan_eval.stats.trials import fill_trials

ONE, TWO = (
    f"log(reaction_time_ms) ~ {effects} + (1|participant) + (1|stimulus)" for effects in ("1", "kind + correct")
)


def test_terms_and_ratios() -> None:
    table = reaction_time_models(timed_trials(1, each=30)).set_index(["formula", "term"])
    assert table.index.tolist() == [
        (ONE, "intercept"), (TWO, "intercept"), (TWO, "kind[real]"), (TWO, "correct[yes]"),
    ]  # fmt: skip
    alone, right = table.loc[(ONE, "intercept")], table.loc[(TWO, "correct[yes]")]
    assert alone["estimate"] == pytest.approx(6.5766769, abs=1e-5)  # lme4, as in test_lognormal.py
    assert alone["ratio"] == pytest.approx(np.exp(6.5766769), rel=1e-5)
    assert np.isnan(alone["p"])
    assert right["estimate"] == pytest.approx(-0.1497416, abs=1e-5)
    assert right["std_error"] == pytest.approx(0.03336696, rel=1e-4)
    assert right["p"] == pytest.approx(2 * stats.t.sf(0.1497416 / 0.03336696, 19), rel=1e-2)
    low, high = stats.t.interval(0.95, 19, -0.1497416, 0.03336696)
    assert (right["ratio_low"], right["ratio_high"]) == pytest.approx((np.exp(low), np.exp(high)), rel=1e-4)
    assert table[["n_trials", "n_participants", "n_stimuli"]].drop_duplicates().to_numpy().tolist() == [[600, 20, 30]]
    assert table["note"].isna().all()


def test_the_kind_is_judged_by_the_pictures_of_each_kind() -> None:
    """15 reals and 15 fakes: 14 degrees of freedom, though 20 people saw all."""
    trials = timed_trials(1, each=30)
    kind = reaction_time_models(trials).set_index(["formula", "term"]).loc[(TWO, "kind[real]")]
    fewest = int(trials.groupby("kind")["stimulus"].nunique().min())
    assert fewest < 20
    assert kind["p"] == pytest.approx(2 * stats.t.sf(abs(kind["estimate"] / kind["std_error"]), fewest - 1))
    high = np.exp(kind["estimate"] + stats.t.ppf(0.975, fewest - 1) * kind["std_error"])
    assert kind["ratio_high"] == pytest.approx(high)


def test_what_is_left_out_is_counted_and_changes_nothing() -> None:
    trials = timed_trials(1, each=30)
    extra = trials.iloc[:6].copy()
    extra["phase"] = ["practice", "catch", "main", "main", "main", "main"]
    extra["response"] = ["real", "real", "none", "real", "real", "fake"]
    extra["reaction_time_ms"] = [100.0, 100.0, 100.0, np.nan, 0.0, np.inf]
    table, plain = reaction_time_models(pd.concat([trials, extra], ignore_index=True)), reaction_time_models(trials)
    pd.testing.assert_frame_equal(table.drop(columns="note"), plain.drop(columns="note"))
    assert table["note"].unique().tolist() == [
        "left out: 1 practice, 1 catch, 1 unanswered, 1 without a time, "
        "2 with an impossible time (not above 0, or infinite)"
    ]


def test_singular_and_few_are_said() -> None:
    flat = reaction_time_models(timed_trials(3, sd_stimulus=0.0))
    assert flat["singular"].all()
    assert flat["note"].str.contains("singular: the SD between stimuli is estimated at 0").all()
    assert flat["sd_stimulus"].eq(0).all()
    few = reaction_time_models(timed_trials(4, participants=5, stimuli=40, each=40))
    assert few["note"].str.contains(r"few participants \(5\)").all()
    assert not few["singular"].any()


@pytest.mark.parametrize(
    ("change", "formulas", "note"),
    [
        (lambda t: t.iloc[:0], 1, "no trials with an answer"),
        (lambda t: t.iloc[:2], 2, "one participant"),
        (lambda t: t[t["participant"] == "P000"], 2, "one participant"),
        (lambda t: t[t["stimulus"] == "faces/000"], 2, "one stimulus"),
        (lambda t: t.assign(reaction_time_ms=500.0), 2, "no spread"),
        (lambda t: t.assign(reaction_time_ms=np.nan), 1, "no trials with an answer"),
        (lambda t: t.assign(response="fake").drop(columns="correct"), 2, "told apart"),
        (lambda t: t.assign(simulated=[True] * 9 + [False] * (len(t) - 9)), 2, "people and simulated"),
        (lambda t: t.assign(study=["a"] * 9 + ["b"] * (len(t) - 9)), 2, "several studies"),
    ],
)
def test_bad_input_has_a_word(change: object, formulas: int, note: str) -> None:
    trials = timed_trials(7, participants=6, stimuli=9, each=9)
    table = reaction_time_models(fill_trials(change(trials)))  # type: ignore[operator]
    assert table["formula"].nunique() == formulas
    assert note in table["note"].iloc[-1]
    if note not in ("people and simulated", "several studies"):
        assert table.loc[table["formula"] == table["formula"].iloc[-1], "estimate"].isna().all()


def test_an_effect_that_does_not_vary_is_left_out() -> None:
    trials = timed_trials(8)
    fakes = reaction_time_models(trials[trials["kind"] == "fake"])
    assert fakes["term"].tolist() == ["intercept", "intercept", "correct[yes]"]
    assert "kind does not vary" in fakes["note"].iloc[-1]
    perfect = reaction_time_models(trials.assign(response=trials["kind"]))
    assert perfect["term"].tolist() == ["intercept", "intercept", "kind[real]"]
    assert perfect["estimate"].notna().all()


def test_duplicate_rows_are_trials_like_others() -> None:
    trials = timed_trials(9)
    doubled = reaction_time_models(pd.concat([trials, trials], ignore_index=True))
    assert doubled["n_trials"].iloc[0] == 2 * len(trials)
    assert doubled["estimate"].notna().all()


def test_two_thousand_trials_take_a_tenth_of_a_second() -> None:
    trials = timed_trials(10, participants=40, stimuli=50, each=50)
    reaction_time_models(trials)
    start = time.process_time()
    reaction_time_models(trials)
    assert time.process_time() - start < 0.5  # measured 0.06 s
