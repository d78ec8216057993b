import numpy as np
import pytest

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


def test_sets_without_a_value() -> None:
    with pytest.raises(Unmeasurable, match="KID needs two of each"):
        kid(np.ones((1, 3)), np.ones((4, 3)))
    broken = np.ones((4, 3))
    broken[1, 1] = np.nan
    with pytest.raises(Unmeasurable, match="not finite"):
        kid(np.ones((4, 3)), broken)
