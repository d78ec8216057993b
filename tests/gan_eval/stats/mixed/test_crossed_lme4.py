"""Estimates, errors and likelihoods against those of R's lme4 and ordinal, on simulated and published answers."""

import json
from pathlib import Path

import pytest
from lme4_designs import DESIGNS, GENGAP, PUBLISHED, answers

from gan_eval.stats.mixed import fit_crossed

REFERENCES = json.loads((Path(__file__).parents[1] / "lme4_references.json").read_text())


def marked(name):
    missing = pytest.mark.skipif(name in PUBLISHED and not GENGAP.exists(), reason=f"no published answers at {GENGAP}")
    return pytest.param(name, marks=missing)


@pytest.mark.parametrize("name", map(marked, REFERENCES))
def test_equals_r(name):
    """lme4; of grades, clmm of ordinal."""
    data, reference = PUBLISHED[name]() if name in PUBLISHED else answers(DESIGNS[name]), REFERENCES[name]
    slopes = {"slope": data.slope, "slope_second": data.slope_second}
    fit = fit_crossed(data.y, data.X, data.first, data.second, link=data.link, **slopes)
    assert [*fit.thresholds, *fit.beta] == pytest.approx(reference["beta"], abs=1e-3)
    assert [*fit.thresholds_error, *fit.std_error] == pytest.approx(reference["std_error"], rel=0.01)
    for reported, own in (("first", fit.first), ("second", fit.second)):
        assert [sd for sd in own[:2] if sd is not None] == pytest.approx(reference[reported], abs=1e-3)
    correlations = [own for own in (fit.first.correlation, fit.second.correlation) if own is not None]
    assert correlations == pytest.approx(reference["correlation"], abs=2e-3)
    assert fit.log_likelihood == pytest.approx(reference["log_likelihood"], abs=1e-3)


def test_every_design_has_its_reference():
    assert set(REFERENCES) == set(DESIGNS) | set(PUBLISHED)
