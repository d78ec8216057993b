"""Conditional modes and their covariances against those of R's lme4, `ranef(condVar = TRUE)`."""

import numpy as np
import pytest
from lme4_designs import DESIGNS, REFERENCES, WITH_MODES, answers
from scipy.special import expit

from gan_eval.stats.mixed import fit_crossed
from gan_eval.stats.mixed.modes import conditional_modes


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


def test_predictions_are_those_of_the_joint_information():
    """The variance of fixed and random effects together: the inverse of their joint information, by dense matrices."""
    data = answers(DESIGNS["slope of kind"])
    units = data.first, data.second
    fit = fit_crossed(data.y, data.X, *units, slope=data.slope)
    people, pictures = conditional_modes(fit, data.y, data.X, *units, slope=data.slope)
    Z = np.hstack(
        [
            np.eye(40)[data.first],
            np.eye(40)[data.first] * data.slope[:, None],
            np.eye(len(pictures.mode[0]))[data.second],
        ]
    )
    share = expit(data.X @ fit.beta + Z @ np.concatenate([*people.mode, *pictures.mode]))
    both = np.hstack([data.X, Z])
    information = both.T @ (both * (share * (1 - share))[:, None])
    sd, sd_slope, correlation = fit.first
    of_people = [[sd**2, correlation * sd * sd_slope], [correlation * sd * sd_slope, sd_slope**2]]
    information[2:82, 2:82] += np.kron(np.linalg.inv(of_people), np.eye(40))
    information[82:, 82:] += np.eye(len(pictures.mode[0])) / fit.second.sd**2
    joint = np.linalg.inv(information)
    for level in (0, 7):
        for modes, places in ((people, (2 + level, 42 + level)), (pictures, (82 + level,))):
            weight, row = np.array([1.0, 0.5])[: len(places)], np.array([1.0, 0.5])
            z = np.zeros(len(joint))
            z[:2], z[list(places)] = row, weight
            assert modes.variance(weight, row, joint[:2, :2])[level] == pytest.approx(z @ joint @ z, rel=1e-6)
            assert modes.at(0.5)[1][level] ** 2 == pytest.approx(modes.variance(weight)[level])
