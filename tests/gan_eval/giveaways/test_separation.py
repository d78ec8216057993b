"""AUC, interval and tests, against brute force and independent implementations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import mannwhitneyu

from gan_eval.giveaways.separation import auc_interval, mann_whitney_auc, mann_whitney_p, separate_numbers

numbers = st.lists(st.integers(0, 6).map(float), min_size=2, max_size=12).map(np.array)


@given(numbers, numbers)
def test_auc_and_p_are_those_of_scipy(real, fake):
    theirs = mannwhitneyu(fake, real, method="asymptotic", use_continuity=False)
    assert mann_whitney_auc(real, fake) == pytest.approx(theirs.statistic / (len(real) * len(fake)))
    if len(np.unique(np.concatenate([real, fake]))) > 1:
        assert mann_whitney_p(real, fake) == pytest.approx(theirs.pvalue)
    else:
        assert mann_whitney_p(real, fake) == 1.0


@pytest.mark.parametrize(("auc", "m", "n"), [(0.5, 20, 30), (0.8, 12, 9), (0.97, 50, 50), (0.1, 25, 40)])
def test_the_interval_holds_the_values_that_chance_reaches(auc, m, n):
    """Each bound, found by another root finder from Hanley and McNeil's variance as they print it."""

    def z(theta):
        q1, q2 = theta / (2 - theta), 2 * theta**2 / (1 + theta)
        size = (m + n) / 2 - 1
        variance = (theta * (1 - theta) + size * (q1 - theta**2) + size * (q2 - theta**2)) / (m * n)
        return (auc - theta) / variance**0.5

    low, high = auc_interval(auc, m, n)
    assert low == pytest.approx(brentq(lambda theta: z(theta) - 1.959964, 1e-9, auc), abs=1e-6)
    assert high == pytest.approx(brentq(lambda theta: z(theta) + 1.959964, auc, 1 - 1e-9), abs=1e-6)


def test_the_interval_is_open_at_a_perfect_separation():
    low, high = auc_interval(1.0, 10, 10)
    assert high == 1.0
    assert 0.7 < low < 0.9
    assert auc_interval(0.0, 10, 10) == pytest.approx((0.0, 1 - low))
    assert auc_interval(1.0, 10, 10, level=0.99)[0] < low


@pytest.mark.nightly
def test_the_interval_covers_the_true_auc():
    rng = np.random.default_rng(3)
    true = 0.760  # of two normal distributions 1 apart: Phi(1 / sqrt(2))
    covered = 0
    for _ in range(1000):
        low, high = auc_interval(mann_whitney_auc(rng.normal(size=25), rng.normal(1, size=25)), 25, 25)
        covered += low <= true <= high
    assert 925 <= covered <= 985


def test_a_rule_chosen_among_many_pays_for_it():
    real, fake = [0.0] * 10 + [1.0] * 5, [0.0] * 5 + [1.0] * 10
    one, many = separate_numbers(real, fake), separate_numbers(real, fake, tried=20)
    assert many.p == pytest.approx(20 * one.p) or many.p == 1.0
    assert many.low < one.low
