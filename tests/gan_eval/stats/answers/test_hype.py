"""HYPE scores against sums by hand and an independent bootstrap."""

import numpy as np
import pandas as pd
import pytest
from make_trials import simulated
from scipy.stats import bootstrap

from gan_eval.stats.answers.hype import bootstrap_mean, hype
from gan_eval.stats.trials import fill_trials


def answers(**errors: tuple[int, int]) -> pd.DataFrame:
    """Return ten reals and five fakes per participant; `errors` is the number of wrong answers to (reals, fakes)."""
    rows = [
        {"participant": name, "kind": kind, "response": other if n < wrong else kind, "stimulus": f"d/{kind}/{n}"}
        for name, both in errors.items()
        for kind, other, wrong, shown in (("real", "fake", both[0], 10), ("fake", "real", both[1], 5))
        for n in range(shown)
    ]
    frame = pd.DataFrame(rows)
    untimed = frame.assign(dataset="d", model=frame["kind"].map({"fake": "m"}), requested_exposure_ms=np.inf)
    return fill_trials(untimed)


def test_the_error_rate_weighs_reals_and_fakes_alike_and_participants_alike() -> None:
    table = hype(answers(P1=(2, 3), P2=(5, 0)))
    assert table["model"].fillna("").tolist() == ["", "m"]
    row = table.iloc[0]
    assert row["value"] == pytest.approx((100 * (0.2 + 0.6) / 2 + 100 * (0.5 + 0) / 2) / 2)
    assert (row["error_real"], row["error_fake"]) == pytest.approx((35.0, 30.0))
    assert (row["n_participants"], row["unit"], row["score"]) == (2, "%", "hype_infinity")


def test_interval_equals_scipys_bootstrap_and_does_not_depend_on_order() -> None:
    values = np.random.default_rng(3).binomial(100, 0.3, 60) / 1.0
    other = bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1))
    low, high = bootstrap_mean(values, seed=0)
    width = high - low
    assert (low, high) == pytest.approx(tuple(other.confidence_interval), abs=0.04 * width)
    assert bootstrap_mean(values[::-1], seed=0) == (low, high)


def test_where_the_exposure_is_not_known_there_is_no_score() -> None:
    """Only what was measured to stay up to the key press stayed until the answer."""
    trials = simulated(participants=3, each=12)
    assert hype(trials).empty
    assert hype(trials.assign(exposure_ms=100.0)).empty
    stayed = trials.assign(exposure_ms=trials["reaction_time_ms"] + 9)
    assert len(hype(stayed)) == 2
    expected = hype(trials.assign(requested_exposure_ms=np.inf))
    pd.testing.assert_frame_equal(hype(stayed), expected)
    half = pd.concat([stayed, trials.assign(session="other", participant="P9")], ignore_index=True)
    pd.testing.assert_frame_equal(hype(half), expected)


def test_without_reals_or_with_one_participant_the_note_says_so() -> None:
    fakes = answers(P1=(0, 2), P2=(0, 1))
    fakes = fakes[fakes["kind"] == "fake"]
    row = hype(fakes).iloc[0]
    assert np.isnan(row["value"])
    assert row["error_fake"] == pytest.approx(30.0)
    assert "no real pictures" in row["note"]
    alone = hype(answers(P1=(1, 1))).iloc[0]
    assert alone["value"] == pytest.approx(15.0)
    assert np.isnan(alone["ci_low"])
    assert "one participant" in alone["note"]
    some = hype(pd.concat([answers(P1=(1, 1), P2=(2, 2)), fakes.assign(participant="P3", session="P3")])).iloc[0]
    assert some["n_participants"] == 2
    assert "without both kinds of picture, left out: 1" in some["note"]
