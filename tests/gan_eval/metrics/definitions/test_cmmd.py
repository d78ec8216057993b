import numpy as np
import pytest
from judged_sets import cmmd_by_matrices

from gan_eval.metrics.definitions.cmmd import cmmd
from gan_eval.metrics.kernels.pictures import Unmeasurable


def test_sets_that_hardly_differ_keep_their_digits() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=768) + 0.2 * rng.normal(size=(60, 768))
    y = x + 0.01 * rng.normal(size=x.shape)
    exact = cmmd_by_matrices(x, y)
    assert 0 < exact < 1e-4
    assert cmmd(x, y) == pytest.approx(exact, abs=1e-10)


def test_vectors_without_a_direction_have_a_reason() -> None:
    with pytest.raises(Unmeasurable, match="are 0"):
        cmmd(np.ones((2, 3)), np.zeros((1, 3)))
