import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from gan_eval.metrics.definitions import kid as module
from gan_eval.metrics.definitions.kid import kid
from gan_eval.metrics.kernels.pictures import Unmeasurable


def _double_sum(real: np.ndarray, fake: np.ndarray) -> float:
    xx, yy, xy = (polynomial_kernel(a, b) for a, b in ((real, real), (fake, fake), (real, fake)))
    own = sum((k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (xx, yy))
    return float(own - 2 * xy.mean())


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
