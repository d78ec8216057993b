import numpy as np
import pytest
from make_trials import from_counts, simulated
from scipy.stats import gmean

from gan_eval.stats.answers.times import reaction_times


def test_summary_equals_numpy():
    trials = simulated(participants=7, each=20)
    table = reaction_times(trials).set_index(["scope", "id", "kind", "answers"])
    wrong = (trials["participant"] == "P003") & (trials["kind"] == "fake") & (trials["response"] == "real")
    times = trials.loc[wrong, "reaction_time_ms"].to_numpy()
    row = table.loc[("participant", "P003", "fake", "wrong")]
    assert row["n"] == len(times)
    assert row["median_ms"] == pytest.approx(np.median(times))
    assert [row["q25_ms"], row["q75_ms"]] == pytest.approx(np.quantile(times, [0.25, 0.75]))
    assert row["geometric_mean_ms"] == pytest.approx(gmean(times))


def test_unanswered_trials_and_impossible_times_are_left_out():
    trials = from_counts(2, 1, 1, 2, reaction_time_ms=[500.0, 700.0, -3.0, np.inf, 900.0, np.nan])
    trials.loc[0, "response"] = "none"
    row = reaction_times(trials).iloc[0]
    assert (row["scope"], row["n"], row["median_ms"]) == ("all", 2, 800.0)
    assert "2 impossible" in row["note"]


def test_no_times_still_have_a_row():
    table = reaction_times(from_counts(2, 1, 1, 2))
    assert len(table) == 1
    assert table.iloc[0]["n"] == 0
    assert "no answered trial" in table.iloc[0]["note"]
