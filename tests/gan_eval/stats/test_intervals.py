import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from gan_eval.stats.intervals import binomial_p, newcombe, share, wilson

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
    assert np.isnan(share(0, 0))
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
