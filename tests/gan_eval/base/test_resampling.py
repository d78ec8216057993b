import numpy as np
import pandas as pd
import pytest

from gan_eval.stats.metrics_and_people.scores import Scores, bootstrap_replicates


def test_replicates_vary_as_the_pigeonhole_bootstrap_of_a_crossed_mean():
    """Rates of one picture vary by the draw of participants alone: the bootstrap variance of a mean, s²(n - 1)/n²."""
    answers = np.array([0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1], bool)
    trials = pd.DataFrame({"participant": [f"P{i:02d}" for i in range(12)], "stimulus": "s", "score": 1.0 - answers})
    parts = bootstrap_replicates(Scores.of(trials), seed=2, item=np.zeros(1, int))
    rates = np.concatenate([part.score for part in parts])[:, 0]
    assert rates.mean() == pytest.approx(4 / 12, abs=0.015)
    assert rates.var() == pytest.approx((4 / 12) * (8 / 12) / 12, rel=0.15)
