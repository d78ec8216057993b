import numpy as np
import pandas as pd
import pytest

from gan_eval.science.inference import percentile_interval
from gan_eval.stats.metrics_and_people.scores import Scores, bootstrap_replicates


def test_replicates_vary_as_the_pigeonhole_bootstrap_of_a_crossed_mean():
    """Rates of one picture vary by the draw of participants alone: the bootstrap variance of a mean, s²(n - 1)/n²."""
    answers = np.array([0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1], bool)
    trials = pd.DataFrame({"participant": [f"P{i:02d}" for i in range(12)], "stimulus": "s", "score": 1.0 - answers})
    parts = bootstrap_replicates(Scores.of(trials), seed=2, item=np.zeros(1, int))
    rates = np.concatenate([part.score for part in parts])[:, 0]
    assert rates.mean() == pytest.approx(4 / 12, abs=0.015)
    assert rates.var() == pytest.approx((4 / 12) * (8 / 12) / 12, rel=0.15)


def test_rates_of_models_pool_the_stimuli_drawn():
    rng = np.random.default_rng(1)
    person, stimulus, score = rng.integers(7, size=150), rng.integers(9, size=150), rng.integers(2, size=150)
    trials = pd.DataFrame({"participant": person, "stimulus": stimulus, "score": score.astype(float)})
    scores = Scores.of(trials)
    point = np.array([0, 1, 2] * 3)
    single = next(bootstrap_replicates(scores, seed=5, item=np.arange(9)))
    pooled = next(bootstrap_replicates(scores, seed=5, item=np.arange(9), point=point))
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
