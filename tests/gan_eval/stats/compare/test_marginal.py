import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.weightstats import ttost_ind

from gan_eval.stats.clustering import equivalence_p
from gan_eval.stats.compare.contrast import cell_proportions, population_proportions
from gan_eval.stats.compare.differences import wald

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

    found, weights = contrast(at), np.array([-1.0, 1.0])
    # 0.9² + 1.2² = 1.5²
    shares = [quad(lambda z, e=e: INVERSE[link](e + 1.5 * z) * norm.pdf(z), -12, 12)[0] for e in (0.3, 1.1)]
    assert found.share == pytest.approx(shares)
    steps = 1e-5 * np.eye(4)
    gradient = np.array([weights @ (contrast(at + step).share - contrast(at - step).share) for step in steps]) / 2e-5
    assert weights @ found.covariance @ weights == pytest.approx(gradient @ covariance @ gradient, rel=1e-6)


def test_a_standard_deviation_held_at_zero_adds_no_error():
    covariance = np.zeros((3, 3))
    covariance[0, 0] = 0.04
    found = cell_proportions(np.ones((1, 1)), np.array([0.5]), covariance, np.zeros(1), np.zeros((1, 2)))
    assert found.share == pytest.approx([expit(0.5)])
    assert np.sqrt(found.covariance) == pytest.approx(0.2 * expit(0.5) * expit(-0.5))


def test_intervals_and_p_are_students():
    found = wald(0.12, 0.05, 7)
    assert found.ends() == pytest.approx(student.interval(0.95, 7, 0.12, 0.05))
    assert found.ends(0.9) == pytest.approx(student.interval(0.90, 7, 0.12, 0.05))
    assert found.p == pytest.approx(2 * student.sf(0.12 / 0.05, 7))


def test_equivalence_is_the_larger_of_two_one_sided_tests():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.02, 0.1, 30), rng.normal(0, 0.1, 30)
    error = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 30)
    expected = ttost_ind(a, b, -0.08, 0.08, usevar="pooled")[0]
    assert equivalence_p(a.mean() - b.mean(), error, 58, 0.08) == pytest.approx(expected)
