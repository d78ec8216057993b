import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import kid_features_to_metric

from gan_eval.metrics.definitions import kid as module
from gan_eval.metrics.definitions.kid import kid
from gan_eval.metrics.kernels.pictures import Unmeasurable


def _double_sum(real: np.ndarray, fake: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a @ b) / len(a) + 1) ** 3

    n, m = len(real), len(fake)
    own = sum(kernel(real[i], real[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    other = sum(kernel(fake[i], fake[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return own + other - 2 * sum(kernel(a, b) for a in real for b in fake) / (n * m)


@pytest.mark.parametrize("block", [3, 2048])
def test_equals_the_double_sum(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(17, 6)), rng.normal(0.4, 1.2, size=(11, 6))
    assert kid(real, fake) == pytest.approx(_double_sum(real, fake), rel=1e-12)


@pytest.mark.nightly
def test_unbiased_two_samples_of_one_distribution_average_to_zero() -> None:
    rng = np.random.default_rng(1)
    found = [kid(rng.normal(size=(12, 5)), rng.normal(size=(12, 5))) for _ in range(400)]
    assert min(found) < 0
    assert abs(np.mean(found)) < 4 * np.std(found) / 20


def test_sets_without_a_value() -> None:
    with pytest.raises(Unmeasurable, match="KID needs two of each"):
        kid(np.ones((1, 3)), np.ones((4, 3)))
    broken = np.ones((4, 3))
    broken[1, 1] = np.nan
    with pytest.raises(Unmeasurable, match="not finite"):
        kid(np.ones((4, 3)), broken)


def test_equals_torch_fidelitys_estimate_with_one_subset_of_all() -> None:
    rng = np.random.default_rng(4)
    real, fake = rng.normal(size=(40, 8)), rng.normal(0.1, 1, size=(40, 8))
    theirs = kid_features_to_metric(
        torch.from_numpy(real), torch.from_numpy(fake), kid_subsets=1, kid_subset_size=40, verbose=False
    )
    assert kid(real, fake) == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-10)
