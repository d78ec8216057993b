from collections.abc import Callable

import numpy as np
import pytest

from gan_eval.metrics.definitions import fid_infinity as module
from gan_eval.metrics.definitions.fid_infinity import (
    LEAST,
    SIZES,
    Draws,
    content_order,
    fid_infinity,
    infinity_estimate,
)
from gan_eval.metrics.definitions.frechet import frechet_distance
from gan_eval.metrics.definitions.jackknife import GROUPS
from gan_eval.metrics.kernels.pictures import Unmeasurable

Drawn = list[tuple[np.ndarray, np.ndarray]]


def _items(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{n}" for n in range(count)]


def _collect(drawn: Drawn) -> Callable[[np.ndarray, np.ndarray], float]:
    def distance(rows: np.ndarray, others: np.ndarray) -> float:
        drawn.append((rows, others))
        return 3 + 500 * (1 / len(rows) + 1 / len(others)) / 2

    return distance


def test_a_straight_line_in_one_over_n_is_read_off_at_zero() -> None:
    assert Draws(_items("i", 100), _items("i", 100)).extrapolate(_collect([])) == pytest.approx(3)


@pytest.mark.parametrize("fakes", [["one"] * 30, ["one"] * 29 + ["other"]])
def test_many_pictures_of_an_item_or_two_have_a_reason_instead_of_a_value(fakes: list[str]) -> None:
    features = np.random.default_rng(0).normal(size=(40, 4))
    with pytest.raises(Unmeasurable, match="too few items"):
        fid_infinity(features, features[:30], real_items=_items("r", 40), fake_items=fakes)


def test_pictures_of_an_item_are_drawn_together_without_replacement() -> None:
    drawn: Drawn = []
    Draws(_items("i", 60), _items("i", 60)[::-1]).extrapolate(_collect(drawn))
    assert len(drawn) == SIZES
    sizes = [len(rows) for rows, _ in drawn]
    assert (sizes[0], sizes[-1]) == (round(LEAST * 60), 60)
    for rows, others in drawn:
        assert len(set(rows.tolist())) == len(rows)
        assert set(rows.tolist()) == {59 - n for n in others.tolist()}


def test_sets_of_unequal_size_shrink_by_the_same_share() -> None:
    drawn: Drawn = []
    Draws(_items("r", 200) + _items("i", 40), _items("i", 40)).extrapolate(_collect(drawn))
    for rows, others in drawn:
        shares = np.sum(rows < 200) / 200, np.sum(rows >= 200) / 40, len(others) / 40
        assert max(shares) - min(shares) < 1 / 40


def test_draws_without_a_group_are_like_those_with_it() -> None:
    drawn: Drawn = []
    draws = Draws(_items("i", 100), _items("i", 100))
    draws.extrapolate(_collect(drawn))
    kept = np.arange(100) % GROUPS != 3
    draws.extrapolate(_collect(drawn), real_included=kept, fake_included=kept)
    for (rows, _), (fewer, _) in zip(drawn[:SIZES], drawn[SIZES:], strict=True):
        assert kept[fewer].all()
        assert len(np.intersect1d(rows, fewer)) > 0.85 * len(fewer)


def test_it_removes_most_of_the_bias() -> None:
    """Two samples of one Gaussian: the true distance is 0."""
    rng = np.random.default_rng(1)
    scale = np.arange(1, 65.0) ** -0.5
    found = []
    for _ in range(10):
        real, fake = rng.normal(size=(200, 64)) * scale, rng.normal(size=(200, 64)) * scale
        found.append((frechet_distance(real, fake).value, fid_infinity(real, fake)))
    biased, extrapolated = np.mean(found, axis=0)
    assert abs(extrapolated) < 0.25 * biased


def test_the_jackknife_leaves_items_out_of_the_whole_extrapolation() -> None:
    rng = np.random.default_rng(2)
    real, fake = rng.normal(size=(60, 80)), rng.normal(0.2, 1, size=(60, 80))
    items, groups = _items("i", 60), np.arange(60) % GROUPS
    found = infinity_estimate(real, fake, items, items, groups, groups)
    assert found.value == fid_infinity(real, fake, real_items=items, fake_items=items)
    kept = groups != 4
    draws = Draws(items, items)
    wanted = draws.extrapolate(
        lambda rows, others: frechet_distance(real[rows], fake[others]).value, real_included=kept, fake_included=kept
    )
    assert found.left_out is not None
    assert found.left_out[4] == pytest.approx(wanted, rel=1e-9)
    assert infinity_estimate(real, fake, items, items, None, None).left_out is None


@pytest.mark.parametrize("with_items", [False, True])
def test_the_order_of_the_pictures_has_no_part_in_it(*, with_items: bool) -> None:
    rng = np.random.default_rng(3)
    real, fake = rng.normal(size=(30, 8)), rng.normal(size=(25, 8))
    order, other = rng.permutation(30), rng.permutation(25)
    items = np.array(_items("i", 30))

    def value(order: np.ndarray, other: np.ndarray) -> float:
        if not with_items:
            return fid_infinity(real[order], fake[other])
        named = items[order].tolist(), items[other].tolist()
        return fid_infinity(real[order], fake[other], real_items=named[0], fake_items=named[1])

    wanted = value(np.arange(30), np.arange(25))
    assert value(order, other) == pytest.approx(wanted, rel=1e-10)
    assert value(np.arange(30)[::-1], np.arange(25)) == pytest.approx(wanted, rel=1e-10)


def test_the_order_by_content_is_that_of_float32_too_and_takes_no_notice_of_rounding() -> None:
    features = np.random.default_rng(4).random(size=(200, 40)).astype(np.float32)
    order = content_order(features)
    assert order == content_order(features.astype(np.float64)) == content_order(np.asfortranarray(features))
    assert order == content_order(features * np.float32(1 + 1e-6))
    assert content_order(np.zeros((3, 2)) * [[1], [-1], [1]]) == [0, 1, 2]
    ties = np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 3.0]])
    first = ties[content_order(ties)]
    assert np.array_equal(first, ties[::-1][content_order(ties[::-1])])


def test_items_are_told_for_all_pictures_or_for_none() -> None:
    features = np.random.default_rng(5).normal(size=(30, 4))
    with pytest.raises(ValueError, match="items of one set alone"):
        fid_infinity(features, features, real_items=_items("i", 30))
    with pytest.raises(ValueError, match="30 real and 30 generated pictures, but 30 and 29 items"):
        fid_infinity(features, features, real_items=_items("i", 30), fake_items=_items("i", 29))


def test_what_cannot_be_measured_says_why() -> None:
    with pytest.raises(Unmeasurable, match=f"needs {module.FEWEST} of each"):
        fid_infinity(np.ones((19, 3)), np.ones((40, 3)))
    broken = np.ones((40, 3))
    broken[30, 0] = np.nan
    with pytest.raises(Unmeasurable, match="not finite"):
        fid_infinity(broken, np.ones((40, 3)))
