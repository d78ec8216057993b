import numpy as np
import pytest
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import normalize

from gan_eval.metrics.definitions import cmmd as module
from gan_eval.metrics.definitions.cmmd import cmmd
from gan_eval.metrics.kernels.pictures import Unmeasurable


def published(x: np.ndarray, y: np.ndarray) -> float:
    """Return the definition by whole kernel matrices of unit vectors."""
    x, y = normalize(x), normalize(y)
    xx, yy, xy = (rbf_kernel(a, b, gamma=1 / (2 * 10.0**2)).mean() for a, b in ((x, x), (y, y), (x, y)))
    return float(1000 * (xx + yy - 2 * xy))


@pytest.mark.parametrize(("n", "m"), [(30, 30), (1, 9), (17, 40)])
def test_equals_the_definition_written_out(n: int, m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 7)
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 12)), rng.normal(0.4, 2, size=(m, 12))
    assert cmmd(x, y) == pytest.approx(published(x, y), abs=1e-7)
    assert cmmd(x.astype(np.float32), y.astype(np.float32)) == pytest.approx(published(x, y), abs=1e-4)
    assert cmmd(x, 3 * x) == pytest.approx(0, abs=1e-9)


def test_sets_that_hardly_differ_keep_their_digits() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=768) + 0.2 * rng.normal(size=(60, 768))
    y = x + 0.01 * rng.normal(size=x.shape)
    exact = published(x, y)
    assert 0 < exact < 1e-4
    assert cmmd(x, y) == pytest.approx(exact, abs=1e-10)


def test_vectors_without_a_direction_have_a_reason() -> None:
    with pytest.raises(Unmeasurable, match="all features of a picture are 0"):
        cmmd(np.ones((2, 3)), np.zeros((1, 3)))
    with pytest.raises(Unmeasurable, match="not finite"):
        cmmd(np.ones((2, 3)), np.full((1, 3), np.nan))
    with pytest.raises(Unmeasurable, match="0 real and 1 generated"):
        cmmd(np.ones((0, 3)), np.ones((1, 3)))
