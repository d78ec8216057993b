"""Psychometric functions: the likelihood against integrals and other programs; thresholds against simulation."""

from contextlib import suppress

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import expit, logit, ndtr

from gan_eval.base.inference import t_critical
from gan_eval.stats.mixed.fit import Spread, Start, fit_crossed
from gan_eval.stats.mixed.likelihood import Crossed, Laplace, NoFitError, guessing_terms
from gan_eval.stats.mixed.psychometric import (
    LAPSES,
    Curve,
    Judgements,
    averaged,
    crossed,
    guess_rates,
    lapse_weights,
    pooled,
    threshold,
)

PSIGNIFIT = [
    (10, 45), (15, 50), (20, 44), (25, 44), (30, 52), (35, 53), (40, 62), (45, 64), (50, 76), (60, 79), (70, 88),
    (80, 90), (100, 90),
]  # fmt: skip
"""The example of psignifit's first demonstration: level in 1e-4, right answers of 90 choices between two."""


def judgements(rng, *, people=20, each=40, pictures=40, slope=1.2, spread=0.6, lapse=0.02, leaning=0.5, pairs=False):
    """Answers at five levels, two doublings around a threshold of 0."""
    participant = np.repeat(np.arange(people), each)
    picture = rng.integers(pictures, size=people * each)
    picture = np.unique(picture, return_inverse=True)[1]
    level = rng.integers(-2, 3, people * each).astype(float)
    is_fake = np.ones(len(level), bool) if pairs else picture % 2 == 0
    eta = slope * level + rng.normal(0, spread, people)[participant] + rng.normal(0, spread, pictures)[picture]
    leanings = expit(rng.normal(0, leaning, people))[participant]
    guess = np.full(len(level), 0.5) if pairs else np.where(is_fake, leanings, 1 - leanings)
    right = rng.random(len(level)) < guess + (1 - guess) * (1 - 2 * lapse) * expit(eta)
    return Judgements(right, level, participant, picture, np.where(is_fake, 0, -1), not pairs)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_items_that_pictures_share_make_the_threshold_less_certain(link) -> None:
    """A photograph and its version of each item are equally easy."""
    rng = np.random.default_rng(4)
    participant, item, kind = (each.ravel() for each in np.indices((24, 16, 2)))
    level = rng.integers(-2, 3, len(item)).astype(float)
    eta = 1.2 * level + rng.normal(0, 0.3, 24)[participant] + rng.normal(0, 1.0, 16)[item]
    right = rng.random(len(item)) < 0.5 + 0.5 * expit(eta)
    apart = Judgements(right, level, participant, 2 * item + kind, kind - 1, True)
    together = apart._replace(item=item)
    assert apart.degrees_of_freedom() == together.degrees_of_freedom() == 15
    alone, of_items = (pooled(data, 0.0, link=link)[0] for data in (apart, together))
    assert np.array_equal(alone.beta, of_items.beta)
    assert of_items.covariance[0, 0] > 1.3 * alone.covariance[0, 0]
    of_pictures_only = pooled(apart._replace(picture=item), 0.0, link=link)[0]
    assert np.diag(of_items.covariance) == pytest.approx(
        np.maximum(np.diag(of_pictures_only.covariance), np.diag(alone.covariance))
    )
    fits = [crossed(data, 0.0, link=link) for data in (apart, together)]
    assert np.array_equal(fits[0].beta, fits[1].beta)
    extra = fits[1].covariance - fits[0].covariance
    sd = np.hypot(fits[0].sd_participant, fits[0].sd_picture)
    scale = np.sqrt(1 + (0.346 if link == "logit" else 1) * sd**2)
    assert fits[0].beta[1] / alone.beta[1] == pytest.approx(scale, rel=0.1)  # so much larger are its coefficients
    assert extra == pytest.approx(of_items.of_items * scale**2)
    assert extra[0, 0] > 0.3 * fits[0].covariance[0, 0]
    assert np.linalg.eigvalsh(extra).min() > -1e-12


def test_the_mean_of_curves_has_the_covariance_of_their_mixture() -> None:
    weights, spread = np.array([0.25, 0.75]), np.diag([0.04, 0.01])
    betas = np.array([[0.2, 1.0], [-0.4, 1.6]])
    curves = [Curve(beta, spread, 0.0, 0.5, beta) for beta in betas]
    found = averaged(curves, weights)
    mean = weights @ betas
    assert found.beta == pytest.approx(mean)
    second_moment = spread + (weights * betas.T) @ betas
    np.testing.assert_allclose(found.covariance, second_moment - np.outer(mean, mean))


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_terms_are_derivatives_of_the_log_likelihood(link):
    eta, yes = np.linspace(-3, 3, 13), np.arange(13) % 2.0
    guess, lapse, step = np.linspace(0.2, 0.7, 13), np.full(13, 0.03), 1e-4

    def terms(at):
        return guessing_terms(at, yes, guess, lapse, link=link)

    up, middle, down = terms(eta + step), terms(eta), terms(eta - step)
    np.testing.assert_allclose(middle.score, (up.log_likelihood - down.log_likelihood) / (2 * step), rtol=1e-5)
    np.testing.assert_allclose(middle.observed, -(up.score - down.score) / (2 * step), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(middle.weight_slope, (up.weight - down.weight) / (2 * step), rtol=1e-4, atol=1e-6)
    share = guess + (1 - guess - lapse) * (expit if link == "logit" else ndtr)(eta)
    right, wrong = (guessing_terms(eta, np.full(13, answer), guess, lapse, link=link).observed for answer in (1.0, 0.0))
    np.testing.assert_allclose(middle.expected, share * right + (1 - share) * wrong, rtol=1e-9)


def test_without_guessing_it_is_the_crossed_logistic_model():
    data = judgements(np.random.default_rng(0), pairs=True)
    X = np.column_stack([np.ones(len(data.level)), data.level])
    plain = fit_crossed(data.right, X, data.participant, data.picture)
    zero = np.zeros(len(data.level))
    start = Start(plain.beta * 0.8, Spread(0.4), Spread(0.4))
    fit = fit_crossed(data.right, X, data.participant, data.picture, guessing=(zero, zero), start=start)
    np.testing.assert_allclose(fit.beta, plain.beta, atol=1e-5)
    np.testing.assert_allclose(fit.std_error, plain.std_error, rtol=1e-4)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)


def test_laplace_is_close_to_the_integral():
    """Check participants alone: their integrals can be computed one by one."""
    data = judgements(np.random.default_rng(1), people=6, each=50, pairs=True)
    X = np.column_stack([np.ones(len(data.level)), data.level])
    guessing = np.full(len(data.level), 0.5), np.full(len(data.level), 0.02)
    laplace = Laplace(Crossed.of(data.right, X, data.participant, data.picture, guessing=guessing))
    value, _ = laplace.value_and_gradient(np.array([0.7, 0.0, 0.1, 1.2]))
    exact = 0.0
    for person in range(6):
        own = data.participant == person

        def density(u, own=own):
            share = 0.5 + 0.48 * expit(0.1 + 1.2 * data.level[own] + 0.7 * u)
            return np.exp(np.log(np.where(data.right[own], share, 1 - share)).sum() - u * u / 2 + 20)

        exact += np.log(quad(density, -8, 8)[0] / np.sqrt(2 * np.pi)) - 20
    assert value == pytest.approx(exact, abs=0.1)


def test_pooled_fit_is_the_maximum_that_scipy_finds():
    data = judgements(np.random.default_rng(2), pairs=True)

    def loss(beta):
        share = 0.5 + (0.5 - 0.03) * expit(beta[0] + beta[1] * data.level)
        return -np.log(np.where(data.right, share, 1 - share)).sum()

    found = minimize(loss, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    np.testing.assert_allclose(pooled(data, 0.03)[0].beta, found.x, atol=1e-4)


def test_published_example_of_psignifit():
    level, right = (
        np.concatenate([np.full(90, at) for at, _ in PSIGNIFIT]).astype(float),
        np.concatenate([np.arange(90) < k for _, k in PSIGNIFIT]),
    )
    n = len(right)
    data = Judgements(right, level, np.zeros(n, int), np.arange(n), np.zeros(n, int), False)
    alpha, beta = pooled(data, 0.0, link="probit")[0].beta
    width = 2 * 1.6448536 / beta  # from 5% to 95% of the sigmoid
    assert (-alpha / beta, width) == (pytest.approx(46.5, abs=0.2), pytest.approx(46.9, abs=0.6))


def test_leanings_are_found():
    data = judgements(np.random.default_rng(3), people=60, each=200, leaning=1.0)
    guess, mean = guess_rates(data, expit(1.2 * data.level), 0.02)
    leaning = np.where(data.model >= 0, guess, 1 - guess)[::200]
    says_fake = (data.right == (data.model >= 0)).reshape(60, 200).mean(axis=1)
    assert np.corrcoef(logit(leaning), says_fake)[0, 1] > 0.9
    assert mean == pytest.approx(0.5, abs=0.1)
    assert 0.6 < np.std(logit(leaning)) < 1.2


def test_fieller_is_the_set_of_levels_that_no_test_refutes():
    beta, covariance, df = np.array([0.3, 1.1]), np.array([[0.04, 0.01], [0.01, 0.05]]), 20
    crossing = threshold(beta, covariance, df)
    for end in (crossing.low, crossing.high):
        error = np.sqrt(covariance[0, 0] + 2 * end * covariance[0, 1] + end**2 * covariance[1, 1])
        assert abs(beta[0] + beta[1] * end) == pytest.approx(float(t_critical(df)) * error)
    assert crossing.low < crossing.value < crossing.high
    unsure = threshold(np.array([0.3, 0.4]), covariance, df)
    assert np.isnan([unsure.low, unsure.high]).all()


def test_what_allows_no_function():
    data = judgements(np.random.default_rng(4), people=4, each=20)
    one = Judgements(data.right, np.zeros(80), data.participant, data.picture, data.model, True)
    with pytest.raises(NoFitError, match="one level"):
        pooled(one, 0.0)
    fakes = Judgements(data.right, data.level, data.participant, data.picture, np.zeros(80, int), True)
    with pytest.raises(NoFitError, match="only fakes or only reals"):
        pooled(fakes, 0.0)
    right = Judgements(np.ones(80, bool), data.level, data.participant, data.picture, data.model, True)
    with pytest.raises(NoFitError, match="all answers"):
        pooled(right, 0.0)


@pytest.mark.nightly
@pytest.mark.parametrize("pairs", [True, False])
def test_intervals_hold_the_truth(pairs):
    """Check 40 studies; the shares of a thousand are in results/calibration.md."""
    held = np.zeros(2, int)
    for number in range(40):
        data = judgements(np.random.default_rng([5, number]), pairs=pairs)
        curves = {}
        for lapse in LAPSES:
            with suppress(NoFitError):  # at lapse rates that do not fit
                curves[lapse] = crossed(data, lapse)
        weights = lapse_weights([[each.evidence for each in curves.values()]], list(curves))
        curve = averaged(list(curves.values()), weights)
        df = data.degrees_of_freedom()
        crossing = threshold(curve.beta, curve.covariance, df)
        half_width = float(t_critical(df)) * np.sqrt(curve.covariance[1, 1])
        held += [crossing.low < 0 < crossing.high, abs(curve.beta[1] - 1.2) < half_width]
    assert (held >= 34).all()
