"""Krippendorff's alpha against his published example and against its definition, pair by pair."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from make_trials import simulated

from gan_eval.stats.tables.agreement import agreement, alpha, alpha_interval
from gan_eval.stats.trials import fill_trials

PUBLISHED = ("1 2 3 3 2 1 4 1 2 - - -", "1 2 3 3 2 2 4 1 2 5 - 3", "- 3 3 3 2 3 4 2 2 5 1 -", "1 2 3 3 2 4 4 1 2 5 1 -")
"""Four coders, twelve units (Krippendorff 2011, Computing Krippendorff's alpha-reliability, section D)."""


def by_definition(counts: np.ndarray, level: str) -> float:
    """Mean distance of two answers to the same unit, over that of any two answers."""
    units = [np.repeat(np.arange(counts.shape[1]), row) for row in counts if row.sum() > 1]
    every = np.concatenate(units)
    n_of = np.bincount(every, minlength=counts.shape[1])

    def distance(one: int, other: int) -> float:
        if level == "nominal":
            return float(one != other)
        low, high = min(one, other), max(one, other)
        return float((n_of[low : high + 1].sum() - (n_of[low] + n_of[high]) / 2) ** 2)

    observed = sum(sum(distance(a, b) for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units)
    expected = sum(distance(a, b) for a, b in permutations(every, 2)) / (len(every) - 1)
    return 1 - observed / expected


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_definition_with_any_number_of_answers(level) -> None:
    rng = np.random.default_rng(4)
    for _ in range(5):
        counts = rng.multinomial(1, [0.2, 0.5, 0.0, 0.3], (20, 7)).cumsum(axis=1)[np.arange(20), rng.integers(0, 7, 20)]
        assert alpha(counts, level) == pytest.approx(by_definition(counts, level), abs=1e-12)


def test_interval_equals_a_bootstrap_unit_by_unit(monkeypatch) -> None:
    rng = np.random.default_rng(5)
    leaning = rng.dirichlet([0.8, 0.8, 0.8], 60)
    counts = np.array([rng.multinomial(rng.integers(2, 8), each) for each in leaning])
    drawn = [alpha(counts[rng.integers(60, size=60)], "ordinal") for _ in range(4000)]
    low, high = alpha_interval(counts, "ordinal", seed=0)
    expected = np.quantile(drawn, [0.025, 0.975])
    assert [low, high] == pytest.approx(expected.tolist(), abs=0.05 * (expected[1] - expected[0]))
    assert alpha_interval(counts[::-1], "ordinal", seed=0) == (low, high)
    few = alpha_interval(counts, "ordinal", seed=0, replicates=200)
    monkeypatch.setattr("gan_eval.stats.tables.agreement._WORK", 0)
    assert alpha_interval(counts, "ordinal", seed=0) == few, "very many units get 200"


def test_table_of_responses() -> None:
    trials = simulated(participants=12, stimuli=30, each=20, sd_stimulus=2.0)
    table = agreement(trials).set_index("kind")
    assert table.index.tolist() == ["all", "real", "fake"]
    for kind, row in table.iterrows():
        part = trials if kind == "all" else trials[trials["kind"] == kind]
        counts = pd.crosstab(part["stimulus"], part["response"]).to_numpy()
        assert row["alpha"] == pytest.approx(by_definition(counts, "nominal"), abs=1e-12)
        assert row["ci_low"] < row["alpha"] < row["ci_high"]
        assert row["n_answers"] == counts[counts.sum(axis=1) > 1].sum()
        assert row["n_participants"] == 12


def test_grades_are_ordinal() -> None:
    coders = [line.split() for line in PUBLISHED]
    rows = [
        {"participant": f"P{c}", "stimulus": f"d/{u}", "kind": "fake", "response": None, "rating": float(answer)}
        for c, line in enumerate(coders)
        for u, answer in enumerate(line)
        if answer != "-"
    ]
    graded = fill_trials(pd.DataFrame(rows).assign(protocol="rating", dataset="d"))
    table = agreement(graded)
    assert table[["answer", "kind", "level"]].to_numpy().tolist() == [
        ["rating", "all", "ordinal"],
        ["rating", "fake", "ordinal"],
    ]
    assert table["alpha"].tolist() == pytest.approx([0.815] * 2, abs=5e-4)
    assert table[["n_stimuli", "n_participants", "n_answers"]].iloc[0].tolist() == [11, 4, 40]


def test_what_cannot_be_told_is_empty_and_said() -> None:
    trials = simulated(participants=5, stimuli=10, each=10)
    same = agreement(trials.assign(response="real")).iloc[0]
    assert np.isnan(same["alpha"])
    assert "all answers are the same" in same["note"]
    alone = agreement(trials[trials["participant"] == "P000"]).iloc[0]
    assert (alone["n_stimuli"], alone["n_answers"]) == (0, 0)
    assert "nothing was judged by two" in alone["note"]
    one = agreement(trials[trials["stimulus"] == "faces/0001"]).iloc[0]
    assert np.isnan(one["ci_low"])
    assert agreement(trials.iloc[:0]).empty
    assert agreement(trials.assign(response="none")).empty
