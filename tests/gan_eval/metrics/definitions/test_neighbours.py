import numpy as np
import pytest
from judged_sets import by_neighbours

from gan_eval.metrics.definitions.jackknife import GROUPS, JackknifeEstimate, PictureSet, as_of_equal_groups
from gan_eval.metrics.definitions.neighbours import K, compare_neighbours


def _sets(n: int, m: int, d: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    return rng.normal(size=(n, d)).astype(np.float32), rng.normal(0.7, 0.8, size=(m, d)).astype(np.float32)


def _compared(real: np.ndarray, fake: np.ndarray, *groups: np.ndarray | None) -> dict[str, JackknifeEstimate]:
    real_groups, fake_groups = groups or (None, None)
    return dict(compare_neighbours(PictureSet(real, (), real_groups))(PictureSet(fake, (), fake_groups), list(K)))


def _values(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    return {name: estimate.value for name, estimate in _compared(real, fake).items()}


def test_leaving_a_group_out_equals_computing_without_it() -> None:
    real, fake = _sets(40, 31)
    real_groups, fake_groups = np.arange(40) % GROUPS, np.arange(31) * 7 % GROUPS
    found = _compared(real, fake, real_groups, fake_groups)
    wanted = [by_neighbours(real[real_groups != g], fake[fake_groups != g]) for g in range(GROUPS)]
    for name, estimate in found.items():
        left_out = np.array([values[name] for values in wanted])
        assert estimate.left_out == pytest.approx(as_of_equal_groups(estimate.value, left_out, fake_groups))


def test_ties_and_copies_are_found_in_spite_of_rounding() -> None:
    """Points of a small grid, many of them equal, turned in space: their distances tie only up to rounding."""
    rng = np.random.default_rng(8)
    points = rng.integers(0, 5, size=(40, 2)).astype(float)  # whole numbers: the definition is exact
    real, fake = points[:32], points[8:]
    turn = np.linalg.qr(rng.normal(size=(16, 16)))[0][:2] / 7
    assert _values(real @ turn + 900, fake @ turn + 900) == pytest.approx(by_neighbours(real, fake))
