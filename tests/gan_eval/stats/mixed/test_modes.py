"""Conditional modes and their covariances against those of R's lme4, `ranef(condVar = TRUE)`."""

import json
from pathlib import Path

import numpy as np
import pytest
from lme4_designs import DESIGNS, WITH_MODES, answers

from gan_eval.stats.mixed import fit_crossed
from gan_eval.stats.mixed.modes import conditional_modes

REFERENCES = json.loads((Path(__file__).parents[1] / "lme4_references.json").read_text())


@pytest.mark.parametrize("name", WITH_MODES)
def test_equals_lme4(name):
    data, reference = answers(DESIGNS[name]), REFERENCES[name]
    units = data.first, data.second
    fit = fit_crossed(data.y, data.X, *units, link=data.link, slope=data.slope)
    found = conditional_modes(fit, data.y, data.X, *units, link=data.link, slope=data.slope)
    for factor, modes in zip(("first", "second"), found, strict=True):
        width, levels = modes.mode.shape
        theirs = np.reshape(reference[f"{factor}_modes"], (levels, width)).T
        covariance = np.reshape(reference[f"{factor}_covariance"], (levels, width, width)).T
        assert modes.mode == pytest.approx(theirs, abs=2e-4)
        assert modes.covariance == pytest.approx(covariance, abs=2e-5)


def test_effects_where_the_covariate_has_a_value():
    data = answers(DESIGNS["slope of kind"])
    units = data.first, data.second
    fit = fit_crossed(data.y, data.X, *units, slope=data.slope)
    people, pictures = conditional_modes(fit, data.y, data.X, *units, slope=data.slope)
    effect, sd = people.at(0.5)
    assert effect == pytest.approx(people.mode[0] + people.mode[1] / 2)
    assert sd**2 == pytest.approx(people.covariance[0, 0] + people.covariance[0, 1] + people.covariance[1, 1] / 4)
    assert pictures.at(0.5)[1] ** 2 == pytest.approx(pictures.covariance[0, 0])
