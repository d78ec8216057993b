from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from gan_eval.metrics.definitions import kid as module
from gan_eval.metrics.definitions.jackknife import (
    GROUPS,
    JackknifeEstimate,
    PictureSet,
    as_of_equal_groups,
    deal,
    groups_of,
)
from gan_eval.metrics.definitions.kid import compare_kid, kid, kid_all_pairs
from gan_eval.metrics.kernels.pictures import Unmeasurable


def _double_sum(real: np.ndarray, fake: np.ndarray, items: tuple[Sequence[str], Sequence[str]] | None = None) -> float:
    """KID by scikit-learn's kernel: means over the pairs of different items."""
    names = items or ([f"r{n}" for n in range(len(real))], [f"f{n}" for n in range(len(fake))])
    sides = [(real, np.array(names[0])), (fake, np.array(names[1]))]
    xx, yy, xy = (
        polynomial_kernel(a, b)[i[:, None] != j].mean() for (a, i), (b, j) in [(s, s) for s in sides] + [tuple(sides)]
    )
    return float(xx + yy - 2 * xy)


REAL, FAKE = np.random.default_rng(0).normal(size=(17, 6)), np.random.default_rng(1).normal(0.4, 1.2, size=(23, 6))
ITEMS = [str(n) for n in range(17)], [str(n % 14 + 6) for n in range(23)]
"""Some of the real pictures' items have no generated picture, some one, some two; others are of no real picture."""


@pytest.mark.parametrize("block", [3, 2048])
def test_equals_the_double_sum_without_and_with_items(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    assert kid(REAL, FAKE) == kid_all_pairs(REAL, FAKE) == pytest.approx(_double_sum(REAL, FAKE), rel=1e-12)
    assert kid(REAL, FAKE, items=ITEMS) == pytest.approx(_double_sum(REAL, FAKE, ITEMS), rel=1e-12)
    assert kid(REAL, REAL, items=(ITEMS[0], ITEMS[0])) == pytest.approx(0, abs=1e-15)
    assert kid_all_pairs(REAL, REAL) < -0.1


def test_one_pass_gives_the_values_without_each_group() -> None:
    dealt = deal(*ITEMS)
    real, fake = (
        PictureSet(features, tuple(items), groups_of(items, dealt))
        for features, items in zip((REAL, FAKE), ITEMS, strict=True)
    )
    compare = compare_kid(real)
    compare(fake, ["kid_all_pairs"])  # the sums of other pairs, which are kept
    found = compare(fake, ["kid"])["kid"]
    kept = [(real.groups != group, fake.groups != group) for group in range(GROUPS)]
    by_hand = np.array([_double_sum(REAL[x], FAKE[y], (np.array(ITEMS[0])[x], np.array(ITEMS[1])[y])) for x, y in kept])
    assert isinstance(found, JackknifeEstimate)
    assert found.left_out == pytest.approx(as_of_equal_groups(found.value, by_hand, fake.groups), rel=1e-12)


def test_sets_without_a_value() -> None:
    for sets in ((np.ones((1, 3)), np.ones((4, 3))), (np.ones((4, 3)), np.ones((1, 3)))):
        with pytest.raises(Unmeasurable, match="KID needs two of each"):
            kid(*sets)
    with pytest.raises(Unmeasurable, match="of different items"):
        kid(np.ones((4, 3)), np.ones((2, 3)), items=("abcd", "aa"))
    broken = np.ones((4, 3))
    broken[1, 1] = np.nan
    with pytest.raises(Unmeasurable, match="not finite"):
        kid(np.ones((4, 3)), broken)


@pytest.mark.nightly
@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_the_interval_of_paired_sets_covers_the_distance_of_independent_ones(shift: float) -> None:
    """A generated picture that shares a part with its real one: about 95% of the intervals cover the true distance."""
    rng = np.random.default_rng(3)

    def pair(n: int, between: int) -> tuple[np.ndarray, np.ndarray]:
        common = rng.normal(size=(2, n, 32)) * 0.4
        return common[0] + 0.4 * rng.normal(size=(n, 32)), common[between] + shift + 0.4 * rng.normal(size=(n, 32))

    truth = np.mean([kid(*pair(1000, 1)) for _ in range(20)]) if shift else 0.0
    items = tuple(map(str, range(40)))
    groups = groups_of(items, deal(items, items))
    covered = 0
    for _ in range(300):
        real, fake = (PictureSet(features, items, groups) for features in pair(40, 0))
        found = compare_kid(real)(fake, ["kid"])["kid"]
        assert isinstance(found, JackknifeEstimate)
        interval = found.interval()
        assert interval is not None
        covered += interval.low <= truth <= interval.high
    assert covered / 300 > 0.92
