import numpy as np
import pandas as pd
import pytest

from gan_eval.stats.resampling import Scores, bootstrap_replicates, percentile_interval


def fakes(seed: int = 0, *, participants: int = 7, stimuli: int = 9, rows: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "participant": [f"P{number}" for number in rng.integers(participants, size=rows)],
            "stimulus": [f"s{number}" for number in rng.integers(stimuli, size=rows)],
            "score": (rng.random(rows) < 0.4).astype(float),
        }
    )


def test_replicates_vary_as_the_pigeonhole_bootstrap_of_a_crossed_mean():
    """Rates of one picture vary by the draw of participants alone: the bootstrap variance of a mean, s²(n - 1)/n²."""
    trials = fakes(participants=12, stimuli=1, rows=0)
    answers = np.array([0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1], bool)
    trials = pd.DataFrame({"participant": [f"P{i:02d}" for i in range(12)], "stimulus": "s", "score": 1.0 - answers})
    rates = np.concatenate([part.score for part in bootstrap_replicates(Scores.of(trials), seed=2)])[:, 0]
    assert rates.mean() == pytest.approx(4 / 12, abs=0.015)
    assert rates.var() == pytest.approx((4 / 12) * (8 / 12) / 12, rel=0.15)


def test_rates_of_models_pool_the_stimuli_drawn():
    trials = fakes(1)
    scores = Scores.of(trials)
    point = np.array([0, 1, 2] * 3)
    single = next(bootstrap_replicates(scores, seed=5))
    pooled = next(bootstrap_replicates(scores, seed=5, point=point))
    rng = np.random.default_rng(5)
    size, people = len(single.score), len(scores.people)
    persons = rng.integers(people, size=(size, people))[0]
    called = shown = np.zeros(3)
    for stimulus in range(9):
        own = trials[trials["stimulus"] == scores.stimuli[stimulus]]
        for person in persons:
            answers = own.loc[own["participant"] == scores.people[person], "score"]
            here = np.arange(3) == point[stimulus]
            called = called + here * single.weight[0, stimulus] * answers.sum()
            shown = shown + here * single.weight[0, stimulus] * len(answers)
    np.testing.assert_allclose(pooled.score[0], called / shown)


def test_percentile_interval_needs_nine_in_ten():
    values = np.linspace(0, 1, 1001)
    assert percentile_interval(values) == pytest.approx((0.025, 0.975))
    assert np.isnan(percentile_interval(np.where(values < 0.2, np.nan, values))).all()
