"""Estimates, standard errors and likelihoods against lme4's, on simulated and published answers."""

import numpy as np
import pytest
from lme4_designs import DESIGNS, GENGAP, PUBLISHED, answers
from lme4_references import REFERENCES

from gan_eval.stats.mixed import fit_crossed


def requires(name):
    return pytest.mark.skipif(name in PUBLISHED and not GENGAP.exists(), reason=f"no published answers at {GENGAP}")


@pytest.mark.parametrize("name", [pytest.param(name, marks=requires(name)) for name in REFERENCES])
def test_equals_lme4(name):
    data, reference = PUBLISHED[name]() if name in PUBLISHED else answers(DESIGNS[name]), REFERENCES[name]
    fit = fit_crossed(data.y, data.X, data.first, data.second, link=data.link, slope=data.slope)
    assert fit.beta == pytest.approx(reference["beta"], abs=1e-3)
    assert fit.std_error == pytest.approx(reference["std_error"], rel=0.01)
    spreads = [fit.sd_first] if data.slope is None else [fit.sd_first, fit.sd_slope]
    assert spreads == pytest.approx(reference["first"], abs=1e-3)
    assert fit.sd_second == pytest.approx(reference["second"][0], abs=1e-3)
    if data.slope is not None:
        assert fit.slope_correlation == pytest.approx(reference["correlation"][0], abs=2e-3)
    assert fit.log_likelihood == pytest.approx(reference["log_likelihood"], abs=1e-3)


def test_every_design_has_its_reference():
    assert set(REFERENCES) == set(DESIGNS) | set(PUBLISHED)


def test_singular_where_lme4_is():
    """lme4 has a zero variance or a correlation of 1 in these."""
    for name in ("nearly singular", "no slope in truth"):
        data = answers(DESIGNS[name])
        fit = fit_crossed(data.y, data.X, data.first, data.second, link=data.link, slope=data.slope)
        assert fit.singular
        spreads = [*REFERENCES[name]["first"], *(1 - abs(np.array(REFERENCES[name]["correlation"])))]
        assert min(spreads) < 1e-4
