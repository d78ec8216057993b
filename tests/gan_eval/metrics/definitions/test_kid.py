import numpy as np
import pytest
from judged_sets import kid_by_double_sum

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

REAL, FAKE = np.random.default_rng(0).normal(size=(17, 6)), np.random.default_rng(1).normal(0.4, 1.2, size=(23, 6))
ITEMS = [str(n) for n in range(17)], [str(n % 14 + 6) for n in range(23)]
"""Some of the real pictures' items have no generated picture, some one, some two; others are of no real picture."""


@pytest.mark.parametrize("block", [3, 2048])
def test_equals_the_double_sum_with_items(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    assert kid(REAL, FAKE, items=ITEMS) == pytest.approx(kid_by_double_sum(REAL, FAKE, ITEMS), rel=1e-12)
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
    by_hand = np.array(
        [kid_by_double_sum(REAL[x], FAKE[y], (np.array(ITEMS[0])[x], np.array(ITEMS[1])[y])) for x, y in kept]
    )
    assert isinstance(found, JackknifeEstimate)
    assert found.left_out == pytest.approx(as_of_equal_groups(found.value, by_hand, fake.groups), rel=1e-12)


def test_one_item_alone_has_no_value() -> None:
    with pytest.raises(Unmeasurable, match="of different items"):
        kid(np.ones((4, 3)), np.ones((2, 3)), items=("abcd", "aa"))


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
