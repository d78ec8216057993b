"""Population-averaged shares; differences of shares by two-way clustering, never more certain than the data allow."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from make_trials import simulated
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import fisher_exact, norm
from scipy.stats import t as student
from statsmodels.stats.weightstats import ttost_ind

from gan_eval.base.inference import equivalence_p, holm, newcombe
from gan_eval.stats.estimate.contrast import cell_proportions, population_proportions
from gan_eval.stats.estimate.differences import difference_of_proportions, simultaneous_intervals, wald


def of_one(k_a, n_a, k_b, n_b, **more):
    """The difference of k_a of n_a and k_b of n_b answers of one participant, each to another picture."""
    trial = np.arange(n_a + n_b)
    right = np.concatenate([np.arange(n_a) < k_a, np.arange(n_b) < k_b])
    return difference_of_proportions(right, trial < n_a, np.zeros(n_a + n_b, int), trial, **more)


def test_one_participant_equals_the_robust_regression_by_stimulus():
    trials = simulated(participants=1, stimuli=100, each=100)
    right, real = (trials["kind"] == trials["response"]).to_numpy(), (trials["kind"] == "real").to_numpy()
    picture = pd.factorize(trials["stimulus"])[0]
    found = difference_of_proportions(right, real, np.zeros(len(right), int), picture)
    model = sm.OLS(right.astype(float), sm.add_constant(real.astype(float)))
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": picture, "df_correction": False})
    plain = np.sqrt(fitted.cov_params()[1, 1] * model.df_resid / (len(right) - 1))  # statsmodels: (N-1)/(N-K) besides
    groups = 50 / 49 / (100 / 99)  # G / (G - 1) for each group's own pictures
    half = np.diff(found.interval(0.95))[0] / 2
    assert found.difference == pytest.approx(right[real].mean() - right[~real].mean())
    assert found.untested == "one participant"
    expected = student.ppf(0.975, 49) * plain * np.sqrt(groups)
    assert half == pytest.approx(expected, rel=1e-3)  # the adjusted shares add a little


@pytest.mark.parametrize("counts", [(25, 25, 21, 25), (3, 3, 1, 3), (10, 10, 7, 10), (2, 2, 25, 50), (24, 25, 2, 25)])
def test_never_more_certain_than_independent_answers(counts):
    k_a, n_a, k_b, n_b = counts
    found = of_one(*counts)
    low, high = newcombe(*counts)
    assert found.p >= fisher_exact([[k_a, n_a - k_a], [k_b, n_b - k_b]])[1] - 1e-12
    assert -1 <= found.interval(0.95)[0] <= low
    assert high <= found.interval(0.95)[1] <= 1


def test_agreeing_answers_count_each_stimulus_once():
    person, picture = np.repeat(np.arange(30), 4), np.tile(np.arange(4), 30)
    found = difference_of_proportions(picture < 2, picture < 2, person, picture)
    assert found.p == pytest.approx(fisher_exact([[2, 0], [0, 2]])[1])
    assert (found.difference, found.interval(0.95)[0]) == (1.0, pytest.approx(newcombe(2, 2, 0, 2)[0]))
    assert "agree" in found.note


@pytest.mark.parametrize("counts", [(40, 60, 45, 70), (30, 30, 25, 25), (50, 50, 49, 50)])
def test_independent_answers_are_equivalent_where_newcombes_interval_says_so(counts):
    for margin in (0.01, 0.1, 0.2, 0.3):
        found = of_one(*counts, margin=margin)
        inside = max(np.abs(found.interval(0.9))) < margin
        assert (found.p_equivalent < 0.05) == inside


TRUTHS = ((0.0,) * 3, (0.0, 2.5, 9.0), (-1.0, 1.0))
TRUTHS_AT_NIGHT = ((0.0, 0.0, 4.0), (0.0, 9.0, -9.0), (9.0,) * 4, (2.0, 3.0), (3.0,))
WORST = (0.0, 4.4)
"""The second is significant unless its interval misses it."""


@pytest.mark.parametrize(
    "truth", [*TRUTHS, WORST, *(pytest.param(truth, marks=pytest.mark.nightly) for truth in TRUTHS_AT_NIGHT)], ids=str
)
def test_simultaneous_intervals_agree_with_holm_and_hold_all_truths_at_once(truth: tuple[float, ...]) -> None:
    """Estimates have the standard error 1 and many degrees of freedom; the scale ends at 20."""
    studies, random, missed = 1000, np.random.default_rng(0), 0
    for estimates in random.normal(truth, 1.0, (studies, len(truth))):
        tests = [wald(estimate, 1.0, 1e9, bound=20.0) for estimate in estimates]
        p_holm = holm([test.p for test in tests])
        low, high = simultaneous_intervals(tests, p_holm).T
        assert (((low > 0) | (high < 0)) == (p_holm < 0.05)).all()
        missed += not ((low <= truth) & (truth <= high)).all()
    expected = 0.062 if truth == WORST else 0.05
    assert missed / studies < expected + 2.6 * np.sqrt(0.05 * 0.95 / studies)


def test_simultaneous_intervals_of_one_difference_are_its_own_and_need_a_level() -> None:
    test, p_holm = wald(0.1, 0.04, 30), np.array([0.018])
    assert simultaneous_intervals([test], p_holm)[0] == pytest.approx(test.interval(0.95))
    assert np.isnan(simultaneous_intervals([test], np.array([np.nan]))).all()


INVERSE = {"logit": expit, "probit": norm.cdf}


@pytest.mark.parametrize("link", INVERSE)
@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0, 4.0, 12.0])
@pytest.mark.parametrize("eta", [-5.0, -0.4, 0.0, 2.0])
def test_shares_equal_the_integral(link, spread, eta):
    expected, _ = quad(lambda z: INVERSE[link](eta + spread * z) * norm.pdf(z), -12, 12, epsabs=1e-13, limit=400)
    assert population_proportions(np.array([eta]), np.array([spread]), link=link).share[0] == pytest.approx(
        expected, abs=1e-9
    )


@pytest.mark.parametrize("link", INVERSE)
def test_a_contrast_is_that_of_integrals_and_its_error_that_of_its_slopes(link):
    root = np.random.default_rng(1).normal(size=(4, 4)) * 0.01
    covariance, at = root @ root.T, np.array([0.3, 0.8, 0.9, 1.2])  # two fixed effects, two standard deviations

    def contrast(values):
        sds, rows = values[2:], np.array([[1.0, 0.0], [1.0, 1.0]])
        variance, by_sd = np.full(2, (sds**2).sum()), np.tile(2 * sds, (2, 1))
        return cell_proportions(rows, values[:2], covariance, variance, by_sd, link=link)

    (found, of_found), weights = contrast(at), np.array([-1.0, 1.0])
    # 0.9² + 1.2² = 1.5²
    shares = [quad(lambda z, e=e: INVERSE[link](e + 1.5 * z) * norm.pdf(z), -12, 12)[0] for e in (0.3, 1.1)]
    assert found == pytest.approx(shares)
    steps = 1e-5 * np.eye(4)
    gradient = np.array([weights @ (contrast(at + step)[0] - contrast(at - step)[0]) for step in steps]) / 2e-5
    assert weights @ of_found @ weights == pytest.approx(gradient @ covariance @ gradient, rel=1e-6)


def test_a_standard_deviation_held_at_zero_adds_no_error():
    covariance = np.diag([0.04, 0.0, 0.0])
    _, found = cell_proportions(np.ones((1, 1)), np.array([0.5]), covariance, np.zeros(1), np.zeros((1, 2)))
    assert np.sqrt(found) == pytest.approx(0.2 * expit(0.5) * expit(-0.5))


def test_intervals_and_p_are_students():
    found = wald(0.12, 0.05, 7)
    assert found.interval(0.95) == pytest.approx(student.interval(0.95, 7, 0.12, 0.05))
    assert found.interval(0.9) == pytest.approx(student.interval(0.90, 7, 0.12, 0.05))
    assert found.p == pytest.approx(2 * student.sf(0.12 / 0.05, 7))


def test_without_a_standard_error_there_is_no_interval():
    assert np.isnan(wald(0.12, np.nan, 7).interval(0.95)).all()
    assert np.isnan(wald(0.12, 0.05, 0).interval(0.95)).all()


def test_equivalence_is_the_larger_of_two_one_sided_tests():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.02, 0.1, 30), rng.normal(0, 0.1, 30)
    error = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 30)
    expected = ttost_ind(a, b, -0.08, 0.08, usevar="pooled")[0]
    assert equivalence_p(a.mean() - b.mean(), error, 58, 0.08) == pytest.approx(expected)
