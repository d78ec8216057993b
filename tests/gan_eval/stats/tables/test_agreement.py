"""Krippendorff's alpha against his published example and against its definition, pair by pair."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from make_trials import simulated
from scipy import stats

from gan_eval.judgements.trials import fill_trials
from gan_eval.stats.tables.agreement import agreement, alpha, alpha_interval

PUBLISHED = ("1 2 3 3 2 1 4 1 2 - - -", "1 2 3 3 2 2 4 1 2 5 - 3", "- 3 3 3 2 3 4 2 2 5 1 -", "1 2 3 3 2 4 4 1 2 5 1 -")
"""Four coders, twelve units (Krippendorff 2011, Computing Krippendorff's alpha-reliability, section D)."""


def by_definition(counts: np.ndarray | pd.DataFrame, level: str) -> float:
    """Mean distance of two answers to the same unit, over that of any two answers."""
    counts = np.asarray(counts, int)
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


def graded_by(people: int, units: int, seed: int) -> pd.DataFrame:
    """Return columns unit, value, participant and picture; two units share a picture, some answers are missing."""
    rng = np.random.default_rng(seed)
    unit, participant = (of.ravel() for of in np.indices((units, people)))
    value = np.digitize(rng.normal(size=people)[participant] / 3 + rng.normal(size=units)[unit], [-0.7, 0.7])
    value = np.where(rng.random(len(unit)) < 0.3, rng.integers(0, 3, len(unit)), value)
    frame = pd.DataFrame({"unit": unit, "value": value, "participant": participant, "picture": unit // 2})
    return frame[rng.random(len(unit)) < 5 / 6].reset_index(drop=True)


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_the_interval_is_a_two_way_jackknife_by_definition(level) -> None:
    answers = graded_by(5, 12, seed=5)

    def z(frame: pd.DataFrame) -> float:
        found = by_definition(pd.crosstab(frame["unit"], frame["value"]).reindex(columns=range(3)).fillna(0), level)
        return np.log((1 + (len(answers) / 12 - 1) * found) / (1 - found))

    def variance(cluster: pd.Series) -> float:
        left_out = [z(answers[cluster != one]) for one in cluster.unique()]
        return sum((each - np.mean(left_out)) ** 2 for each in left_out) * (1 - 1 / len(left_out))

    of_people, of_pictures = variance(answers["participant"]), variance(answers["picture"])
    two_way = of_people + of_pictures - variance(pd.Series(answers.index))
    half_width = stats.t.ppf(0.975, 4) * np.sqrt(max(two_way, of_people, of_pictures))
    expected = [np.exp(z(answers) + sign * half_width) for sign in (-1, 1)]
    expected = [(end - 1) / (end + len(answers) / 12 - 1) for end in expected]
    columns = [answers[name].to_numpy() for name in ("unit", "value", "participant", "picture")]
    assert alpha_interval(*columns, level=level) == pytest.approx(tuple(expected))


def test_the_interval_does_not_depend_on_the_order_and_holds_alpha_with_groups_of_answers() -> None:
    answers = graded_by(30, 140, seed=6)
    shuffled = answers.sample(frac=1, random_state=1)
    found, other = (
        alpha_interval(*(frame[name].to_numpy() for name in answers.columns), level="ordinal")
        for frame in (answers, shuffled)
    )
    assert found == pytest.approx(other)
    counts = pd.crosstab(answers["unit"], answers["value"]).to_numpy()
    assert found[0] < alpha(counts, "ordinal") < found[1]
    assert found[1] - found[0] < 0.35


def test_few_people_are_a_wide_interval_however_many_pictures() -> None:
    """A bootstrap over stimuli alone took four people for all people."""
    widths = []
    for people in (4, 16):
        answers = graded_by(people, 120, seed=7)
        low, high = alpha_interval(*(answers[name].to_numpy() for name in answers.columns), level="ordinal")
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]


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
    assert "too few participants or pictures" in one["note"]
    assert agreement(trials.iloc[:0]).empty
    assert agreement(trials.assign(response="none")).empty
