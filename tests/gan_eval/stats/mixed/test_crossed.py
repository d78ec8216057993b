"""The crossed model against independent ways to the same numbers."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit

from gan_eval.stats.mixed import NoFitError, fit_crossed
from gan_eval.stats.mixed.likelihood import Crossed, Laplace

LINKS = ("logit", "probit")


def small_design(seed=3, people=12, pictures=9):
    rng = np.random.default_rng(seed)
    first, second = (grid.ravel() for grid in np.meshgrid(range(people), range(pictures)))
    kept = rng.random(len(first)) < 0.8
    first, second = first[kept], second[kept]
    X = np.stack([np.ones(len(first)), (second % 2).astype(float)], axis=1)
    y = rng.random(len(first)) < expit(X @ [0.5, -0.4] + rng.normal(0, 0.7, people)[first])
    return y, X, first, second


@pytest.mark.parametrize("link", LINKS)
def test_without_variances_it_is_the_ordinary_model(link):
    y, X, first, second = small_design()
    family = sm.families.Binomial(getattr(sm.families.links, link.capitalize())())
    plain = sm.GLM(y.astype(float), X, family=family).fit()
    data = Crossed.of(y, X, first, second, link=link)
    value, gradient = Laplace(data).value_and_gradient(np.concatenate([[0.0, 0.0], plain.params]))
    assert value == pytest.approx(plain.llf, abs=1e-9)
    assert gradient == pytest.approx(np.zeros(4), abs=1e-6)


def test_a_design_of_too_many_pairs_is_refused(monkeypatch):
    monkeypatch.setattr("gan_eval.stats.mixed.fit.MOST_CELLS", 100)
    with pytest.raises(NoFitError, match="more than 100 pairs of a participant and a stimulus"):
        fit_crossed(*small_design())
