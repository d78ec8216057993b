import numpy as np
import pytest

from gan_eval.metrics.definitions.frechet import FrechetReference, fid
from gan_eval.metrics.definitions.jackknife import GROUPS
from gan_eval.metrics.kernels.pictures import Unmeasurable


def _draw(seed: int, n: int, d: int) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(n, d)) * np.linspace(0.3, 2, d) + 50).astype(np.float32)


@pytest.mark.parametrize(("n", "m", "d"), [(25, 30, 40), (20, 60, 21), (80, 70, 12)])
def test_leaving_a_group_out_equals_computing_without_it(n: int, m: int, d: int) -> None:
    """Check sets with fewer pictures than features: both, one, and neither."""
    real, fake = _draw(0, n, d), _draw(1, m, d)
    real_groups, fake_groups = np.arange(n) % GROUPS, np.arange(m) % GROUPS
    found = FrechetReference(real, real_groups).compare(fake, fake_groups)
    assert found.value == fid(real, fake)
    wanted = [fid(real[real_groups != g], fake[fake_groups != g]) for g in range(GROUPS)]
    assert found.left_out == pytest.approx(wanted, rel=1e-10)


def test_leaving_groups_out_of_singular_sets() -> None:
    real, fake = _draw(0, 80, 12), _draw(1, 70, 12)
    real[:, 3] = real[:, 4] = 7
    groups = np.arange(80) % GROUPS
    found = FrechetReference(real, groups).compare(fake, groups[:70])
    wanted = [fid(real[groups != g], fake[groups[:70] != g]) for g in range(GROUPS)]
    assert found.left_out == pytest.approx(wanted, rel=1e-9)


def test_without_groups_there_is_nothing_to_leave_out() -> None:
    assert FrechetReference(_draw(0, 9, 4), None).compare(_draw(1, 9, 4), None).left_out is None
    with pytest.raises(Unmeasurable, match="needs two of each"):
        FrechetReference(_draw(0, 9, 4), None).compare(_draw(1, 1, 4), None)
