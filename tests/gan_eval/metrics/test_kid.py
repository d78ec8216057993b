import numpy as np
import pytest

from gan_eval.metrics import kid
from gan_eval.metrics.jackknife import interval
from gan_eval.metrics.kid import kernel_distance
from gan_eval.metrics.unmeasurable import Unmeasurable


def _double_sum(real: np.ndarray, fake: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a @ b) / len(a) + 1) ** 3

    n, m = len(real), len(fake)
    own = sum(kernel(real[i], real[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    other = sum(kernel(fake[i], fake[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return own + other - 2 * sum(kernel(a, b) for a in real for b in fake) / (n * m)


@pytest.mark.parametrize("block", [3, 2048])
def test_equals_the_double_sum(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(kid, "BLOCK", block)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(17, 6)), rng.normal(0.4, 1.2, size=(11, 6))
    assert kernel_distance(real, fake) == pytest.approx(_double_sum(real, fake), rel=1e-12)


def test_unbiased_two_samples_of_one_distribution_average_to_zero() -> None:
    rng = np.random.default_rng(1)
    found = [kernel_distance(rng.normal(size=(12, 5)), rng.normal(size=(12, 5))) for _ in range(400)]
    assert min(found) < 0
    assert abs(np.mean(found)) < 4 * np.std(found) / 20


def test_too_few() -> None:
    with pytest.raises(Unmeasurable, match="KID needs two of each"):
        kernel_distance(np.ones((1, 3)), np.ones((4, 3)))


def _mean_difference(real: np.ndarray, fake: np.ndarray) -> float:
    return float(real.mean() - fake.mean())


def test_jackknife_of_a_mean_is_its_standard_error() -> None:
    """With one item in each of the ten groups, the jackknife of a mean is the textbook's s / √n."""
    real = np.random.default_rng(2).normal(size=(10, 1))
    items = [f"i{n}" for n in range(10)]
    found = interval(
        _mean_difference, real, np.zeros((10, 1)), real_items=items, fake_items=items, value=float(real.mean())
    )
    assert found is not None
    error = real.std(ddof=1) / np.sqrt(10)
    assert found.high - found.low == pytest.approx(2 * 2.262157 * error, rel=1e-6)
    assert (found.high + found.low) / 2 == pytest.approx(real.mean())


def test_jackknife_leaves_out_items_so_paired_noise_cancels() -> None:
    shared = np.random.default_rng(3).normal(size=(40, 1))
    items = [f"i{n}" for n in range(40)]
    found = interval(_mean_difference, shared, shared - 1, real_items=items, fake_items=items, value=1.0)
    assert found is not None
    assert found.high - found.low < 1e-12


def test_no_interval_from_too_few_items() -> None:
    items = [f"i{n}" for n in range(9)]
    values = np.ones((9, 1))
    assert interval(_mean_difference, values, values, real_items=items, fake_items=items, value=0.0) is None
