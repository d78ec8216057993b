import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.stats import pearsonr, spearmanr

from gan_eval.stats.metrics_and_people.curve import fit_logistic
from gan_eval.stats.mixed import NoFitError


def vqeg(x, b1, b2, b3, b4):
    return b2 + (b1 - b2) / (1 + np.exp(-(x - b3) / b4))


def noisy(seed: int, *, size: int = 120, falling: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(30, 4, size)
    rate = vqeg(x, 0.9, 0.1, 31.0, -1.5 if falling else 1.5)
    return x, rng.binomial(40, rate) / 40


@pytest.mark.parametrize("falling", [False, True])
def test_noise_free_parameters_come_back(falling):
    x = np.linspace(20, 40, 30)
    curve = fit_logistic(x, vqeg(x, 0.8, 0.2, 29.0, -2.0 if falling else 2.0), rising=not falling)
    found = (curve.low, curve.high, curve.centre, curve.width)
    assert found == pytest.approx((0.2, 0.8, 29.0, -2.0 if falling else 2.0), abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("falling", [False, True])
def test_equals_scipys_curve_fit(seed, falling):
    x, y = noisy(seed, falling=falling)
    reference, _ = curve_fit(vqeg, x, y, p0=[y.max(), y.min(), np.median(x), -2 if falling else 2], maxfev=20_000)
    curve = fit_logistic(x, y, rising=not falling)
    np.testing.assert_allclose(curve(x), vqeg(x, *reference), atol=2e-4)
    assert pearsonr(curve(x), y).statistic == pytest.approx(pearsonr(vqeg(x, *reference), y).statistic, abs=1e-5)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_metrics_unit_does_not_matter(scale):
    x, y = noisy(1)
    plain, scaled = fit_logistic(x, y, rising=True)(x), fit_logistic(x * scale, y, rising=True)(x * scale)
    np.testing.assert_allclose(plain, scaled, atol=1e-5)


def test_follows_a_straight_line_as_well_as_pearson_does():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 200)
    y = np.clip(0.1 + 0.8 * x + rng.normal(0, 0.05, 200), 0, 1)
    assert pearsonr(fit_logistic(x, y, rising=True)(x), y).statistic > pearsonr(x, y).statistic - 2e-3


@pytest.mark.parametrize("rising", [True, False])
def test_monotonic_as_asked_even_against_the_data(rising):
    x, y = noisy(2)
    curve = fit_logistic(x, y, rising=rising)
    steps = np.diff(curve(np.linspace(x.min(), x.max(), 200))) * (1 if rising else -1)
    assert (steps >= -1e-12).all()


@pytest.mark.parametrize("seed", range(25))
def test_few_wild_points_never_raise_anything_else(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_cauchy(int(rng.integers(8, 15)))
    y = rng.binomial(5, 0.5, len(x)) / 5
    curve = fit_logistic(x, y, rising=True)
    assert ((curve(x) - y) ** 2).sum() <= ((y - y.mean()) ** 2).sum() + 1e-6


def test_a_step_is_met():
    x = np.arange(20.0)
    curve = fit_logistic(x, (x > 9.5).astype(float), rising=True)
    assert np.abs(curve(x) - (x > 9.5)).max() < 0.05


@pytest.mark.parametrize(
    ("x", "word"),
    [(np.arange(7.0), "fewer than 8 points"), (np.arange(30) % 3.0, "different metric values")],
)
def test_too_little_gives_a_word(x, word):
    with pytest.raises(NoFitError, match=word):
        fit_logistic(x, np.linspace(0, 1, len(x)), rising=True)


def test_infinite_values_are_left_out():
    x, y = noisy(3)
    with_infinite = fit_logistic(np.append(x, np.inf), np.append(y, 0.0), rising=True)
    assert with_infinite == fit_logistic(x, y, rising=True)


def test_rounding_of_the_rates_does_not_move_the_correlation():
    """Of twenty points without a trend, which leave the curve's middle open."""
    rng = np.random.default_rng(164)
    x, y = rng.normal(size=20), rng.binomial(8, 0.5, 20) / 8
    rising = spearmanr(x, y).statistic >= 0
    found = [
        pearsonr(fit_logistic(x, rates, rising=rising)(x), y).statistic
        for rates in (y, *(y + rng.choice([-1, 0, 1], 20) * 1.1e-16 for _ in range(8)))
    ]
    assert found == pytest.approx([found[0]] * 9, rel=1e-6)
