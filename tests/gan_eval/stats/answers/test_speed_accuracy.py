"""Accuracy by fifths of own reaction times, against loops, a sandwich estimator and by hand."""

import numpy as np
import pandas as pd
import pytest
from make_times import timed_trials
from scipy import stats
from scipy.special import expit, logit

from gan_eval.stats.answers.times import fifths, speed_accuracy
from gan_eval.stats.shares import wilson
from gan_eval.stats.trials import fill_trials


def by_hand(times: np.ndarray, person: np.ndarray) -> list[int]:
    found = np.zeros(len(times), int)
    for who in np.unique(person):
        own = np.flatnonzero(person == who)
        ranks = stats.rankdata(times[own])
        found[own] = [int((5 * (2 * rank - 1)) // (2 * len(own))) + 1 for rank in ranks]
    return found.tolist()


def test_fifths_are_within_participants_and_keep_ties_together() -> None:
    rng = np.random.default_rng(0)
    person = rng.integers(9, size=400)
    times = rng.integers(1, 30, size=400) * 50.0 + 1000 * person
    assert fifths(times, person).tolist() == by_hand(times, person)
    assert fifths(np.full(7, 300.0), np.zeros(7, int)).tolist() == [3] * 7
    ten = fifths(np.arange(10.0), np.zeros(10, int))
    assert np.bincount(ten)[1:].tolist() == [2] * 5


def test_counts_shares_and_medians() -> None:
    trials = timed_trials(1)
    person = pd.factorize(trials["participant"])[0]
    trials["part"] = by_hand(trials["reaction_time_ms"].to_numpy(float), person)
    table = speed_accuracy(trials).set_index(["kind", "part"])
    assert table.index.tolist() == [(kind, part) for kind in ("all", "real", "fake") for part in range(1, 6)]
    for (kind, part), row in table.iterrows():  # type: ignore[misc]
        cell = trials[(trials["part"] == part) & ((trials["kind"] == kind) | (kind == "all"))]
        assert row["n"] == len(cell)
        assert row["median_ms"] == pytest.approx(cell["reaction_time_ms"].median())
        assert row["accuracy"] == pytest.approx((cell["kind"] == cell["response"]).mean())


def test_interval_is_the_two_way_sandwich_on_the_logit_scale() -> None:
    sm = pytest.importorskip("statsmodels.api")
    trials = timed_trials(2, participants=30, each=30)
    rng = np.random.default_rng(2)
    own, of_picture = rng.normal(size=30), rng.normal(size=30)
    person, picture = pd.factorize(trials["participant"])[0], pd.factorize(trials["stimulus"])[0]
    right = rng.random(len(trials)) < expit(0.5 + own[person] + of_picture[picture])
    trials["response"] = np.where(right == (trials["kind"] == "real"), "real", "fake")
    row = speed_accuracy(trials).iloc[2]
    chosen = fifths(trials["reaction_time_ms"].to_numpy(float), person) == 3
    y, p, s = right[chosen].astype(float), person[chosen], pd.factorize(picture[chosen])[0]
    variances = []
    for cluster in (p, s, np.arange(len(y))):
        fit = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial()).fit(
            cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
        )
        groups = len(np.unique(cluster))
        variances.append(float(fit.bse[0]) ** 2 * groups / (groups - 1))
    error = np.sqrt(max(variances[0] + variances[1] - variances[2], *variances[:2]))
    half = stats.t.ppf(0.975, min(len(np.unique(p)), len(np.unique(s))) - 1) * error
    middle = logit(y.mean())
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((expit(middle - half), expit(middle + half)), rel=1e-8)
    low, high = wilson(y.sum(), len(y))
    assert row["ci_low"] < low
    assert row["ci_high"] > high


def test_few_trials_are_left_out_and_said() -> None:
    trials = timed_trials(3)
    more = trials.iloc[:4].assign(participant="Q")
    table = speed_accuracy(pd.concat([trials, more], ignore_index=True))
    assert table["note"].unique().tolist() == ["1 participants with fewer than 5 trials left out"]
    assert table["n"].iloc[:5].sum() == len(trials)


def test_perfect_answers_are_not_certain() -> None:
    trials = timed_trials(4, participants=12)
    table = speed_accuracy(trials.assign(response=trials["kind"]))
    assert table["accuracy"].eq(1).all()
    assert table["ci_low"].iloc[0] == pytest.approx(wilson(12, 12)[0])
    assert table["note"].str.contains("all answers agree").all()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda t: t[t["participant"] == "P000"], "one participant"),
        (lambda t: t[t["kind"] == "fake"].assign(stimulus="x"), "one stimulus"),
        (lambda t: t.assign(study=["a", "b"] * (len(t) // 2)), "several studies"),
    ],
)
def test_bad_input_has_a_word(change: object, word: str) -> None:
    table = speed_accuracy(fill_trials(change(timed_trials(5))))  # type: ignore[operator]
    assert table["note"].str.contains(word).any()


def test_a_cell_without_trials() -> None:
    trials = timed_trials(6)
    table = speed_accuracy(trials[trials["kind"] == "fake"]).set_index("kind")
    assert table.loc["real", "n"].eq(0).all()
    assert table.loc["real", "accuracy"].isna().all()
    assert table.loc["real", "note"].eq("no trials").all()


def test_nothing_usable_gives_an_empty_table() -> None:
    trials = timed_trials(7)
    for nothing in (trials.iloc[:0], trials.iloc[:2], trials.assign(reaction_time_ms=-1.0)):
        assert speed_accuracy(nothing).empty
