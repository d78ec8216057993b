"""By-participant slopes, starts, and answers that allow no estimate."""

from dataclasses import replace

import numpy as np
import pytest
from lme4_designs import DESIGNS, Answers, answers
from scipy.special import expit

from gan_eval.stats.mixed import CrossedFit, NoFitError, Spread, Start, fit_crossed


def fit(data: Answers, **more) -> CrossedFit:
    return fit_crossed(data.y, data.X, data.first, data.second, link=data.link, slope=data.slope, **more)


def test_units_and_offset_of_the_slope_do_not_matter():
    data = answers(DESIGNS["slope of kind"])
    moved = replace(data, slope=10 + 4 * data.slope, X=np.stack([data.X[:, 0], 10 + 4 * data.X[:, 1]], axis=1))
    one, other = fit(data), fit(moved)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-6)
    assert other.beta == pytest.approx([one.beta[0] - 2.5 * one.beta[1], one.beta[1] / 4], abs=1e-5)
    assert other.std_error[1] == pytest.approx(one.std_error[1] / 4, rel=1e-3)
    assert other.first.sd_slope == pytest.approx(one.first.sd_slope / 4, abs=1e-5)
    sd, sd_slope, correlation = one.first[:3]
    far = sd**2 + (2.5 * sd_slope) ** 2 - 5 * correlation * sd * sd_slope
    assert other.first.sd == pytest.approx(np.sqrt(far), abs=1e-4)
    assert other.first.correlation == pytest.approx((correlation * sd - 2.5 * sd_slope) / np.sqrt(far), abs=1e-3)


@pytest.mark.parametrize("name", ["shared list", "slope, correlation near 1"])
def test_a_start_changes_nothing(name):
    data = answers(DESIGNS[name])
    cold = fit(data)
    far = Start(cold.beta - 0.5, Spread(1.0, None if data.slope is None else 0.9, -0.5), Spread(0.2))
    for start in (cold, far):
        warm = fit(data, start=start)
        assert warm.log_likelihood == pytest.approx(cold.log_likelihood, abs=1e-5)
        assert warm.beta == pytest.approx(cold.beta, abs=1e-4)
        assert warm.std_error == pytest.approx(cold.std_error, rel=2e-3)


def leaning(seed: int):
    """Return the arrays of a fit, and the kind of picture, for people who differ in response bias only.

    At the mean kind their effects have no spread, so that the correlation of intercept and slope is -1.
    """
    rng = np.random.default_rng(seed)
    lean, pictures = rng.normal(0, 0.7, 30), rng.normal(0, 0.6, 200)
    rows = []
    for person in range(30):
        for picture in rng.permutation(200)[:40]:
            eta = (0.6 if picture % 2 else -0.6) + lean[person] + pictures[picture]
            rows.append((person, picture, picture % 2, rng.random() < expit(eta)))
    person, picture, fake, says_fake = np.array(rows, int).T
    real = 1.0 - fake
    X = np.stack([np.ones(len(real)), real], axis=1)
    return (fake == says_fake, X, person, np.unique(picture, return_inverse=True)[1]), real


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        # lme4's glmer(y ~ real + (1 + real | p) + (1 | s), binomial, bobyqa): log-likelihood, fixed effects, their
        # standard errors, SDs of intercepts, slopes and pictures, correlation
        (15, [-765.071989, 0.557368, -0.039976, 0.193084, 0.300507, 0.855796, 1.413081, 0.552394]),
        (43, [-751.140091, 0.410673, 0.415459, 0.168300, 0.291305, 0.676418, 1.321580, 0.655819]),
    ],
)
def test_a_correlation_at_its_end_is_found(seed, expected):
    data, real = leaning(seed)
    found = fit_crossed(*data, slope=real)
    assert found.first.correlation == pytest.approx(-1, abs=1e-3)
    assert found.singular == (found.first.correlation == -1)
    numbers = [*found.beta, *found.std_error, found.first.sd, found.first.sd_slope, found.second.sd]
    assert found.log_likelihood == pytest.approx(expected[0], abs=3e-3)
    assert found.log_likelihood >= expected[0] - 1e-4
    assert numbers == pytest.approx(expected[1:], abs=3e-3)


def test_the_variance_of_the_random_part_is_that_of_intercepts_and_slopes():
    data, real = leaning(15)
    fit = fit_crossed(*data, slope=real)
    corner = (fit.first.correlation or 0.0) * fit.first.sd * fit.first.sd_slope
    covariance = np.array([[fit.first.sd**2, corner], [corner, fit.first.sd_slope**2]])
    slope = np.array([-0.5, 0.0, 2.0])
    rows = np.stack([np.ones(3), slope], axis=1)
    variance, by_scale = fit.random_variance(slope)
    assert variance == pytest.approx([float(row @ covariance @ row) + fit.second.sd**2 for row in rows])
    for index, step in enumerate(1e-6 * np.eye(len(fit.scales))):
        moved, _ = fit.random_variance(slope, fit.scales + step)
        assert (moved - variance) / 1e-6 == pytest.approx(by_scale[:, index], abs=1e-4)


def test_an_estimate_at_its_boundary_is_told_with_its_factor():
    data, real = leaning(43)
    found = fit_crossed(*data, slope=real)
    assert found.singular
    assert found.at_boundary == ["the correlation of intercepts and slopes of participants is estimated at -1"]
    by_item = fit_crossed(*data, slope=real, factors=("item", "participant"))
    assert by_item.at_boundary == ["the correlation of intercepts and slopes of items is estimated at -1"]


@pytest.mark.nightly
def test_people_who_lean_always_have_an_estimate():
    for seed in range(40, 60):
        data, real = leaning(seed)
        full = fit_crossed(*data, slope=real)
        assert np.isfinite(full.std_error).all()


def nasty():
    """y, X, participant, stimulus and slope of hopeless answers, and the reason."""
    rng = np.random.default_rng(1)
    first, second = (grid.ravel() for grid in np.meshgrid(range(10), range(8)))
    x = rng.normal(size=80)
    y, X = rng.random(80) < expit(0.3 + rng.normal(size=10)[first]), np.stack([np.ones(80), x], axis=1)
    two, four, zeros = np.array([0, 1]), np.arange(4), np.zeros(80, int)
    missing = np.where(x > 2, np.nan, 1.0)
    return [
        (y[:0], X[:0], first[:0], second[:0], None, "no answered trials"),
        (y[:2], X[:2], two, two, None, "no participant has more than one answer"),
        (y[:2], X[:2], np.zeros(2, int), two, None, "one participant"),
        (np.array([True, False, False, True]), X[:4], four % 2, four // 2, None, "too few answers"),
        (y, X, zeros, second, None, "one participant"),
        (y, X, first, zeros, None, "one stimulus"),
        (y, np.ones_like(X), first, second, None, "covariate 2 is the same in all"),
        (np.zeros(80, bool), X, first, second, None, "separation: all answers are the same"),
        (y, X, first, np.arange(80), None, "no stimulus has more than one answer"),
        (x > 0.2, X, first, second, None, "complete or quasi-complete separation"),
        (y, np.column_stack([X, 3 * x]), first, second, None, "covariate 3 says the same as covariate 2"),
        (y, np.column_stack([X, 0 * x]), first, second, None, "covariate 3 is the same in all"),
        (y, np.column_stack([X, missing]), first, second, None, "missing"),
        (y, X, first, second, np.ones(80), "slope: the covariate is the same"),
        (y, X, first, second, first.astype(float), "slope: fewer than two participants"),
        (first < 5, X[:, :1], first, second, None, "separation: the variance between participants diverged"),
    ]


@pytest.mark.parametrize(("y", "X", "first", "second", "slope", "word"), nasty())
def test_hopeless_answers_are_refused_with_the_reason(y, X, first, second, slope, word):
    with pytest.raises(NoFitError, match=word):
        fit_crossed(y, X, first, second, slope=slope)
    of_items = word.replace("participant", "item").replace("stimulus", "participant")
    with pytest.raises(NoFitError, match=of_items):
        fit_crossed(y, X, first, second, slope=slope, factors=("item", "participant"))
