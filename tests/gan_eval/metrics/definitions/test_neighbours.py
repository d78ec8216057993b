from collections.abc import Callable

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from gan_eval.metrics.definitions import neighbours
from gan_eval.metrics.definitions.jackknife import GROUPS, JackknifeEstimate, PictureSet, as_of_equal_groups
from gan_eval.metrics.definitions.neighbours import K, compare_neighbours
from gan_eval.metrics.kernels.pictures import Unmeasurable


def _by_definition(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    within_real, within_fake, across = (
        cdist(a, b, "sqeuclidean") for a, b in ((real, real), (fake, fake), (real, fake))
    )
    real3, fake3 = np.sort(within_real)[:, 3], np.sort(within_fake)[:, 3]  # the nearest one is the picture itself
    inside = across < np.sort(within_real)[:, 5, None]
    return {
        "precision": (across <= real3[:, None]).any(axis=0).mean(),
        "recall": (across <= fake3).any(axis=1).mean(),
        "density": inside.sum() / (5 * len(fake)),
        "coverage": inside.any(axis=1).mean(),
    }


def _sets(n: int, m: int, d: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    return rng.normal(size=(n, d)).astype(np.float32), rng.normal(0.7, 0.8, size=(m, d)).astype(np.float32)


def _compared(real: np.ndarray, fake: np.ndarray, *groups: np.ndarray | None) -> dict[str, JackknifeEstimate]:
    real_groups, fake_groups = groups or (None, None)
    return dict(compare_neighbours(PictureSet(real, (), real_groups))(PictureSet(fake, (), fake_groups), list(K)))


def _values(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    return {name: estimate.value for name, estimate in _compared(real, fake).items()}


@pytest.mark.parametrize("cells", [100, 2**22])
@pytest.mark.parametrize(("n", "m"), [(30, 30), (45, 21), (9, 50)])
def test_equals_the_definition(monkeypatch: pytest.MonkeyPatch, n: int, m: int, cells: int) -> None:
    monkeypatch.setattr(neighbours, "MAX_DISTANCES", cells)
    real, fake = _sets(n, m)
    wanted = _by_definition(real, fake)
    assert 0 < wanted["precision"] < 1
    assert _values(real, fake) == pytest.approx(wanted)


def test_leaving_a_group_out_equals_computing_without_it() -> None:
    real, fake = _sets(40, 31)
    real_groups, fake_groups = np.arange(40) % GROUPS, np.arange(31) * 7 % GROUPS
    found = _compared(real, fake, real_groups, fake_groups)
    wanted = [_by_definition(real[real_groups != g], fake[fake_groups != g]) for g in range(GROUPS)]
    for name, estimate in found.items():
        left_out = np.array([values[name] for values in wanted])
        assert estimate.left_out == pytest.approx(as_of_equal_groups(estimate.value, left_out, fake_groups))


def test_ties_and_copies_are_found_in_spite_of_rounding() -> None:
    """Points of a small grid, many of them equal, turned in space: their distances tie only up to rounding."""
    rng = np.random.default_rng(8)
    points = rng.integers(0, 5, size=(40, 2)).astype(float)  # whole numbers: the definition is exact
    real, fake = points[:32], points[8:]
    turn = np.linalg.qr(rng.normal(size=(16, 16)))[0][:2] / 7
    assert _values(real @ turn + 900, fake @ turn + 900) == pytest.approx(_by_definition(real, fake))


@pytest.mark.parametrize(
    ("metric", "least"),
    [(neighbours.precision, 4), (neighbours.recall, 4), (neighbours.density, 6), (neighbours.coverage, 6)],
)
def test_too_few(metric: Callable[[np.ndarray, np.ndarray], float], least: int) -> None:
    real, fake = _sets(20, least)
    assert 0 <= metric(real, fake) < np.inf
    with pytest.raises(Unmeasurable, match=f"needs {least} of each"):
        metric(real, fake[1:])
    with pytest.raises(Unmeasurable, match=f"needs {least} of each"):
        metric(fake[1:], real)


def test_a_feature_that_is_not_finite() -> None:
    real, fake = _sets(20, 20)
    fake[3, 1] = np.inf
    with pytest.raises(Unmeasurable, match="not finite"):
        neighbours.precision(real, fake)
