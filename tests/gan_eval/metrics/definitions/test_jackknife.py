import numpy as np
import pytest

from gan_eval.metrics.definitions.frechet import fid
from gan_eval.metrics.definitions.jackknife import (
    GROUPS,
    Interval,
    JackknifeEstimate,
    PictureSet,
    as_of_equal_groups,
    deal,
    groups_of,
    leave_groups_out,
    standard_error,
)
from gan_eval.metrics.kernels.pictures import Unmeasurable


def _mean_difference(real: np.ndarray, fake: np.ndarray) -> float:
    if min(len(real), len(fake)) < 5:
        raise Unmeasurable("too few")
    return float(real.mean() - fake.mean())


def test_of_a_mean_it_is_the_standard_error() -> None:
    """Check that ten groups of one picture each give the textbook's s / √n."""
    real = np.random.default_rng(2).normal(size=(10, 1))
    sets = (PictureSet(values, (), np.arange(10)) for values in (real, np.zeros((10, 1))))
    found = leave_groups_out(_mean_difference, *sets)
    assert found.left_out is not None
    assert standard_error(found.left_out) == pytest.approx(real.std(ddof=1) / np.sqrt(10))
    interval = found.interval()
    assert interval is not None
    assert interval.high - interval.low == pytest.approx(2 * 2.262157 * real.std(ddof=1) / np.sqrt(10), rel=1e-6)
    assert (interval.high + interval.low) / 2 == pytest.approx(real.mean())


def test_what_two_models_share_cancels_in_their_difference() -> None:
    shared = np.random.default_rng(4).normal(size=GROUPS)
    difference = JackknifeEstimate(3.0, 3 + shared).minus(JackknifeEstimate(1.0, 1 + shared))
    assert difference.interval() == Interval(pytest.approx(2.0), pytest.approx(2.0))
    assert JackknifeEstimate(3.0, shared).minus(JackknifeEstimate(1.0)).interval() is None


def test_a_bias_that_falls_with_the_number_adds_nothing_where_groups_are_unequal() -> None:
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(GROUPS), [1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    values = rng.normal(size=len(groups))

    def error(bias: float) -> float:
        left_out = [np.mean(rest := values[groups != g]) + bias / len(rest) for g in range(GROUPS)]
        value = float(values.mean() + bias / len(values))
        return standard_error(as_of_equal_groups(value, np.array(left_out), groups))

    assert error(50.0) == pytest.approx(error(0.0))


@pytest.mark.nightly
def test_fid_of_few_pictures_and_many_real_ones_has_nearly_its_true_standard_error() -> None:
    """25 of 300 items have unequal groups: 1.6 times the true one, without weights 3.7, with equal groups 1.5."""
    values, errors = [], []
    for repetition in range(60):
        rng = np.random.default_rng(repetition)
        items = [f"{repetition}/{number}" for number in range(300)]
        spread = np.arange(1, 33) ** -0.5
        real, fake = rng.normal(size=(300, 32)) * spread, rng.normal(size=(25, 32)) * spread
        dealt = deal(items, items[:25])
        sets = (PictureSet(f, tuple(i), groups_of(i, dealt)) for f, i in ((real, items), (fake, items[:25])))
        estimate = leave_groups_out(fid, *sets)
        assert estimate.left_out is not None
        values.append(estimate.value)
        errors.append(standard_error(estimate.left_out))
    assert 0.75 < np.sqrt(np.mean(np.square(errors))) / np.std(values, ddof=1) < 2


def test_items_are_dealt_evenly_and_alike_for_every_model() -> None:
    real, alone = [f"i{n}" for n in range(40)], [f"i{n}" for n in range(40, 60)]
    dealt = deal(real, [*real, *alone])
    for members in (real, alone):
        counts = np.bincount([dealt[item] for item in members], minlength=GROUPS)
        assert counts.max() - counts.min() == 0
    assert dealt == deal(real[::-1], [*alone[::-1], *real])
    assert {item: dealt[item] for item in real} == deal(real, real[:7])
    assert [dealt[f"i{n}"] for n in range(6)] == [5, 1, 4, 7, 4, 0]  # the same in every process and version


def test_many_pictures_of_few_items_are_in_no_group() -> None:
    items = [f"i{n}" for n in range(9)]
    assert groups_of(items * 2, deal(items)) is None


def test_a_group_that_leaves_too_little_leaves_no_interval() -> None:
    values = np.arange(10.0)[:, None]
    groups = np.zeros(10, dtype=np.intp)
    pictures = PictureSet(values, (), groups)
    found = leave_groups_out(_mean_difference, pictures, pictures)
    assert found == JackknifeEstimate(0.0, why_no_interval="too few")
    with pytest.raises(Unmeasurable):
        leave_groups_out(_mean_difference, PictureSet(values[:2], (), groups[:2]), pictures)
