"""Two-way clustered variances against statsmodels, sums written out, and each other."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit

from gan_eval.science.inference import one_way, two_way


def test_the_largest_of_the_three_stands() -> None:
    """Rows and columns of signs that cancel within each participant, so that the two-way sum is below one of them."""
    rng = np.random.default_rng(0)
    lesser = 0
    for _ in range(200):
        influence = rng.normal(size=(24, 1))
        person, picture = np.divmod(np.arange(24), 6)
        ways = [one_way(influence, code)[0] for code in (person, picture, np.arange(24))]
        found = two_way(influence, person, picture)[0]
        assert found == pytest.approx(max(ways[0] + ways[1] - ways[2], *ways[:2]))
        lesser += ways[0] + ways[1] - ways[2] < max(ways[:2])
    assert lesser > 20


def test_one_level_is_no_factor_and_nothing_is_nothing() -> None:
    influence = np.random.default_rng(0).normal(size=(10, 3))
    codes = np.arange(10) % 5
    assert two_way(influence, np.zeros(10, int), codes) == pytest.approx(one_way(influence, codes))
    assert two_way(influence, codes, np.zeros(10, int)) == pytest.approx(one_way(influence, codes))
    assert np.isfinite(two_way(influence[:1], codes[:1], codes[:1])).all()
    assert two_way(np.zeros((0, 3)), codes[:0], codes[:0]).tolist() == [0, 0, 0]


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_variances_of_a_regression_are_those_of_statsmodels(link):
    rng = np.random.default_rng(4)
    person, picture = np.divmod(rng.permutation(600), 30)
    X = np.stack([np.ones(600), picture % 2, rng.normal(size=20)[person]], axis=1)
    eta = 0.3 - 0.5 * X[:, 1] + 0.3 * X[:, 2] + 0.5 * rng.normal(size=20)[person] + 0.8 * rng.normal(size=30)[picture]
    model = {"logit": sm.Logit, "probit": sm.Probit}[link]((rng.random(600) < expit(eta)).astype(float), X)
    ways = [np.stack([person, picture], axis=1), person, picture]
    fitted = [model.fit(disp=False, cov_type="cluster", cov_kwds={"groups": way}) for way in ways]
    beta = fitted[0].params
    influence = model.score_obs(beta) @ -np.linalg.inv(model.hessian(beta))
    factor = (600 - 1) / (600 - 3)  # statsmodels multiplies by it, Cameron, Gelbach & Miller need not
    largest = np.max([each.bse for each in fitted], axis=0) ** 2
    assert two_way(influence, person, picture) == pytest.approx(largest / factor, rel=1e-5)
