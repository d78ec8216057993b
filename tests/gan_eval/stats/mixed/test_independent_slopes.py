"""Several slopes of one factor without correlations: the model itself, its messages, and answers that allow none.

`test_crossed.py` compares their estimates with R's and their gradients with differences.
"""

from dataclasses import replace

import numpy as np
import pytest
from lme4_designs import DESIGNS, Answers, answers
from scipy.special import expit

from gan_eval.stats.mixed import CrossedFit, NoFitError, fit_crossed
from gan_eval.stats.mixed.likelihood import Crossed, Laplace


def fit(data: Answers, **more) -> CrossedFit:
    return fit_crossed(data.y, data.X, data.first, data.second, link=data.link, slope=data.slope, **more)


def test_the_likelihood_is_laplace_s_with_the_whole_matrix():
    """All effects in one dense matrix, for few answers."""
    rng = np.random.default_rng(4)
    first, second = (grid.ravel() for grid in np.meshgrid(range(5), range(7)))
    y, x, groups = rng.random(35) < 0.5, rng.normal(size=35), np.eye(2)[second % 2]
    sds = np.array([0.6, 0.8, 0.5, 0.7])  # first: intercepts, slopes, groups; second: intercepts
    z = (x - x.mean()) / x.std()
    of_first = np.eye(5)[first]
    columns = [of_first, of_first * z[:, None], of_first * groups[:, :1], of_first * groups[:, 1:], np.eye(7)[second]]
    M = np.hstack([block * sd for block, sd in zip(columns, sds[[0, 1, 2, 2, 3]], strict=True)])
    u = np.zeros(M.shape[1])
    for _ in range(50):
        p = expit(0.3 + M @ u)
        H = np.eye(len(u)) + M.T @ ((p * (1 - p))[:, None] * M)
        u = u + np.linalg.solve(H, M.T @ (y - p) - u)
    expected = np.log(np.where(y, p, 1 - p)).sum() - u @ u / 2 - np.linalg.slogdet(H)[1] / 2
    for eliminated in ("second", "first"):
        sides = (first, second) if eliminated == "second" else (second, first)
        slopes, at = ([x, groups], None), [*sds, 0.3]
        if eliminated == "first":
            slopes, at = slopes[::-1], [0.7, 0.6, 0.8, 0.5, 0.3]
        value, _ = Laplace(Crossed.of(y, np.ones((35, 1)), *sides, slopes=slopes)).value_and_gradient(np.array(at))
        assert value == pytest.approx(expected, abs=1e-6)


def test_units_and_offset_of_an_independent_slope_do_not_matter():
    data = answers(DESIGNS["independent slopes"])
    covariate, groups = data.slope
    moved = replace(data, slope=[10 + 4 * covariate, groups])
    one, other = fit(data), fit(moved)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-6)
    assert other.beta == pytest.approx(one.beta, abs=1e-5)
    assert other.first.sd_slopes == pytest.approx([one.first.sd_slopes[0] / 4, one.first.sd_slopes[1]], abs=1e-5)


def test_the_order_of_the_slopes_and_of_the_levels_does_not_matter():
    data = answers(DESIGNS["independent slopes"])
    covariate, groups = data.slope
    one, other = fit(data), fit(replace(data, slope=[groups[:, ::-1], covariate]))
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-6)
    assert other.first.sd_slopes == pytest.approx(one.first.sd_slopes[::-1], abs=1e-4)
    assert other.std_error == pytest.approx(one.std_error, rel=1e-3)


def test_slopes_of_the_second_factor_are_those_of_the_first_exchanged():
    data = answers(DESIGNS["independent slopes"])
    one = fit(data)
    other = fit_crossed(data.y, data.X, data.second, data.first, slope_second=data.slope)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-6)
    assert other.second.sd_slopes == pytest.approx(one.first.sd_slopes, abs=1e-4)


def test_a_start_changes_nothing():
    data = answers(DESIGNS["independent slopes"])
    cold = fit(data)
    warm = fit(data, start=cold)
    assert warm.log_likelihood == pytest.approx(cold.log_likelihood, abs=1e-6)
    assert warm.std_error == pytest.approx(cold.std_error, rel=1e-3)


def test_a_spread_at_zero_is_reported_with_its_number():
    found = fit(answers(DESIGNS["independent slopes, one at 0"]))
    assert found.first.sd_slopes[1] == 0
    assert found.at_boundary == ["the SD of the slopes 2 of participants is estimated at 0"]


def test_the_variance_of_the_random_part_is_the_sum_of_the_parts():
    data = answers(DESIGNS["independent slopes"])
    found = fit(data)
    at = [np.array([-1.0, 0.0, 2.0]), np.eye(3)]
    variance, by_scale = found.random_variance(at)
    of_slope, of_group = found.first.sd_slopes
    centred = at[0] - data.slope[0].mean()
    assert variance == pytest.approx(
        found.first.sd**2 + found.second.sd**2 + of_group**2 + (of_slope * centred) ** 2, rel=1e-9
    )
    for index, step in enumerate(1e-6 * np.eye(len(found.scales))):
        moved, _ = found.random_variance(at, found.scales + step)
        assert (moved - variance) / 1e-6 == pytest.approx(by_scale[:, index], abs=1e-4)


def hopeless():
    """Slopes of people that answers allow no estimate of, and the reason."""
    first = np.repeat(np.arange(10), 8)
    x = np.random.default_rng(1).normal(size=80)
    return [
        ([x, np.ones(80)], "slope 2: the covariate is the same in all trials"),
        ([x, np.eye(2)[first % 2]], "slope 2: fewer than two participants have answers at more than one value"),
        ([first.astype(float)], "slope: fewer than two participants"),
        ([x, np.eye(7)[np.arange(80) % 7]], "slope 2: no more answers than intercepts and slopes of participants"),
        ([x, np.where(x > 2, np.nan, 1.0)[:, None]], "a covariate is missing or infinite"),
    ]


@pytest.mark.parametrize(("slope", "word"), hopeless())
def test_hopeless_slopes_are_refused_with_the_reason(slope, word):
    rng = np.random.default_rng(2)
    first, second = np.repeat(np.arange(10), 8), np.tile(np.arange(8), 10)
    with pytest.raises(NoFitError, match=word):
        fit_crossed(rng.random(80) < 0.6, np.ones((80, 1)), first, second, slope=slope)


def test_a_design_of_too_many_pairs_of_effects_is_refused(monkeypatch):
    data = answers(DESIGNS["independent slopes"])
    monkeypatch.setattr("gan_eval.stats.mixed.fit.MAX_CELLS", 2_200)  # 40 x 50 levels, 5 effects of each participant
    with pytest.raises(NoFitError, match="8,800 pairs of a participant and a stimulus and of their slopes"):
        fit(data)
