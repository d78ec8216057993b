import mpmath
import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from gan_eval.metrics.frechet import frechet_distance
from gan_eval.metrics.unmeasurable import Unmeasurable


def _draw(seed: int, n: int, d: int, scale: float = 1.0, shift: float = 0.0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) * np.linspace(0.3, 2, d) * scale + shift


def _fifty_digits(real: NDArray[np.float64], fake: NDArray[np.float64]) -> float:
    """The definition in 50-digit arithmetic; roots of the product's eigenvalues."""
    with mpmath.workdps(50):
        moments = []
        for features in (real, fake):
            x = mpmath.matrix(features.tolist())
            mean = mpmath.matrix([sum(x[:, j]) / x.rows for j in range(x.cols)])
            centred = mpmath.matrix([[x[i, j] - mean[j] for j in range(x.cols)] for i in range(x.rows)])
            moments.append((mean, centred.T * centred / (x.rows - 1)))
        (mean_x, cov_x), (mean_y, cov_y) = moments
        eigenvalues = mpmath.eig(cov_x * cov_y, left=False, right=False)
        root = sum(mpmath.sqrt(mpmath.re(value)) for value in eigenvalues if mpmath.re(value) > mpmath.mpf(10) ** -30)
        traces = sum(cov_x[i, i] + cov_y[i, i] for i in range(cov_x.rows))
        return float(sum((a - b) ** 2 for a, b in zip(mean_x, mean_y, strict=True)) + traces - 2 * root)


@pytest.mark.parametrize(
    ("n", "m", "d", "estimator"),
    [
        (4, 5, 7, "nuclear"),  # both ranks below d
        (3, 30, 6, "nuclear"),  # one rank below d
        (6, 6, 6, "nuclear"),  # N = d
        (7, 7, 6, "cholesky"),  # N = d + 1
        (40, 25, 5, "cholesky"),
    ],
)
def test_equals_fifty_digit_arithmetic(n: int, m: int, d: int, estimator: str) -> None:
    real, fake = _draw(1, n, d), _draw(2, m, d, 1.3, 0.2)
    found = frechet_distance(real, fake)
    assert found.estimator == estimator
    assert found.value == pytest.approx(_fifty_digits(real, fake), rel=1e-10)


def test_closed_form_of_two_gaussians() -> None:
    """With covariances that commute, d² = |μ|² + Σ (s - t)²."""
    basis = np.random.default_rng(0).normal(size=(400, 12))
    white = np.linalg.qr(basis - basis.mean(axis=0))[0] * np.sqrt(399)
    s, t = np.linspace(0.1, 3, 12), np.linspace(2, 0.5, 12)
    wanted = 12 * 0.7**2 + ((s - t) ** 2).sum()
    assert frechet_distance(white * s, white * t + 0.7).value == pytest.approx(wanted, rel=1e-12)


def test_equals_scipys_matrix_root() -> None:
    real, fake = _draw(3, 300, 20), _draw(4, 200, 20, 0.8, 0.1)
    covariances = [np.cov(features, rowvar=False) for features in (real, fake)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    shift = real.mean(axis=0) - fake.mean(axis=0)
    wanted = shift @ shift + sum(map(np.trace, covariances)) - 2 * np.trace(root.real)
    assert frechet_distance(real, fake).value == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_many_pictures_in_a_small_subspace(seed: int) -> None:
    """Singular covariances with N > d: the distance is that of the subspace's own coordinates."""
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(24, 24)))[0][:5]
    real, fake = _draw(seed, 80, 5), _draw(seed + 9, 90, 5, 1.2, 0.3)
    wanted = frechet_distance(real, fake)
    found = frechet_distance(real @ turn, fake @ turn)
    assert (wanted.estimator, found.estimator) == ("cholesky", "nuclear")
    assert found.value == pytest.approx(wanted.value, rel=1e-9)


def test_one_singular_covariance_among_many_pictures() -> None:
    """Roots of eigenvalues that should be 0 must not add up: Σx has rank 20 of 40."""
    real = _draw(1, 200, 40)
    real[:, 20:] = real[:, :20] @ np.random.default_rng(0).normal(size=(20, 20))
    fake = _draw(2, 150, 40)
    covariances = [np.cov(features, rowvar=False) for features in (real, fake)]
    values, vectors = np.linalg.eigh(covariances[1])
    half = vectors * np.sqrt(values)
    basis = np.linalg.svd(real - real.mean(axis=0), full_matrices=False)[2][:20]  # Σx lives in these 20 directions
    small = basis @ covariances[0] @ basis.T
    inner = np.linalg.svd(np.linalg.cholesky(small).T @ basis @ half, compute_uv=False).sum()
    shift = real.mean(axis=0) - fake.mean(axis=0)
    wanted = shift @ shift + sum(map(np.trace, covariances)) - 2 * inner
    for first, second in ((real, fake), (fake, real)):
        found = frechet_distance(first, second)
        assert found.estimator == "nuclear"
        assert found.value == pytest.approx(wanted, rel=1e-11)


def test_constant_features_do_not_matter() -> None:
    real, fake = _draw(5, 60, 6), _draw(6, 50, 6)
    wider = [np.hstack([features, np.full((len(features), 3), 4.0)]) for features in (real, fake)]
    assert frechet_distance(*wider).value == pytest.approx(frechet_distance(real, fake).value, rel=1e-10)


def test_equal_sets_are_at_distance_zero_and_order_does_not_matter() -> None:
    for n in (5, 60):
        real, fake = _draw(7, n, 12), _draw(8, n, 12)
        assert 0 <= frechet_distance(real, real).value < 1e-10
        assert frechet_distance(real, fake).value == pytest.approx(frechet_distance(fake, real[::-1]).value, rel=1e-12)


def test_float32_features_are_computed_in_float64() -> None:
    real, fake = (_draw(seed, 30, 40).astype(np.float32) for seed in (1, 2))
    assert frechet_distance(real, fake) == frechet_distance(real.astype(np.float64), fake.astype(np.float64))


def test_what_cannot_be_measured_says_why() -> None:
    with pytest.raises(Unmeasurable, match="1 real and 5 generated pictures"):
        frechet_distance(_draw(0, 1, 3), _draw(1, 5, 3))
    broken = _draw(0, 5, 3)
    broken[2, 1] = np.nan
    with pytest.raises(Unmeasurable, match="not finite"):
        frechet_distance(broken, _draw(1, 5, 3))
