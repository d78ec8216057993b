"""Intervals and tests of proportions, against scipy and statsmodels."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest, fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from gan_eval.base.inference import binomial_p, fisher_p, newcombe, proportion, wilson

COUNTS = [(0, 1), (1, 1), (0, 25), (25, 25), (18, 25), (48, 50), (1, 2), (499_000, 1_000_000)]


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_wilson_and_binomial_p_equal_statsmodels_and_scipy(k, n):
    assert np.array(wilson(k, n)) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)
    assert float(binomial_p(k, n)) == pytest.approx(binomtest(k, n).pvalue, rel=1e-9)


def test_no_trials_give_no_number():
    assert np.isnan(proportion(0, 0))
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(binomial_p(0, 0))


@pytest.mark.parametrize("counts", [(18, 25, 15, 25), (25, 25, 10, 25), (0, 9, 0, 11), (3, 40, 30, 31)])
def test_newcombe_equals_statsmodels(counts):
    expected = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert newcombe(*counts) == pytest.approx(expected, abs=1e-10)


def test_binomial_p_holds_down_to_1e_300():
    k, n = 1870, 6720
    exact = float(Fraction(2 * sum(comb(n, i) for i in range(k + 1)), 2**n))
    assert 1e-300 < exact < 1e-295
    assert float(binomial_p(k, n)) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("largest", [6, 60, 2000])
def test_fisher_p_equals_scipy(largest):
    rng = np.random.default_rng(largest)
    for _ in range(100):
        n_a = int(rng.integers(1, largest))
        n_b = n_a if rng.random() < 0.3 else int(rng.integers(1, largest))  # equal groups have equally likely tables
        k_a, k_b = int(rng.integers(n_a + 1)), int(rng.integers(n_b + 1))
        expected = fisher_exact([[k_a, n_a - k_a], [k_b, n_b - k_b]]).pvalue
        assert fisher_p(k_a, n_a, k_b, n_b) == pytest.approx(expected, abs=2e-10)
