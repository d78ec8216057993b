from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from gan_eval.stats.shares import binomial_p, newcombe, proportion, wilson

COUNTS = [
    (0, 1),
    (1, 1),
    (0, 25),
    (25, 25),
    (18, 25),
    (15, 25),
    (24, 25),
    (33, 50),
    (48, 50),
    (1, 2),
    (499_000, 1_000_000),
]


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_wilson_equals_statsmodels(k, n):
    assert np.array(wilson(k, n)) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_binomial_p_equals_scipy(k, n):
    assert float(binomial_p(k, n)) == pytest.approx(binomtest(k, n).pvalue, rel=1e-9)


def test_no_trials_give_no_number():
    assert np.isnan(proportion(0, 0))
    assert np.isnan(wilson(0, 0)).all()
    assert np.isnan(binomial_p(0, 0))


def test_whole_columns_equal_single_cells():
    k, n = np.array(COUNTS).T
    low, high = wilson(k, n)
    for row in range(len(k)):
        assert (low[row], high[row]) == pytest.approx([float(end) for end in wilson(k[row], n[row])])


@pytest.mark.parametrize("counts", [(18, 25, 15, 25), (25, 25, 10, 25), (0, 9, 0, 11), (3, 40, 30, 31)])
def test_newcombe_equals_statsmodels(counts):
    expected = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert newcombe(*counts) == pytest.approx(expected, abs=1e-10)


def test_wilson_ends_at_0_and_1_exactly():
    n = np.arange(1, 3000)
    assert (wilson(n, n)[1] == 1.0).all()
    assert (wilson(np.zeros(len(n)), n)[0] == 0.0).all()


def test_binomial_p_holds_down_to_1e_300():
    k, n = 1870, 6720
    exact = float(Fraction(2 * sum(comb(n, i) for i in range(k + 1)), 2**n))
    assert 1e-300 < exact < 1e-295
    assert float(binomial_p(k, n)) == pytest.approx(exact, rel=1e-9)
