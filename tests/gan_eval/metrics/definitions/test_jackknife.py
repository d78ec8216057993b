import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from gan_eval.metrics.definitions import cmmd, neighbours
from gan_eval.metrics.definitions.cmmd import compare_cmmd
from gan_eval.metrics.definitions.frechet import compare_fid, fid
from gan_eval.metrics.definitions.jackknife import (
    GROUPS,
    Interval,
    JackknifeEstimate,
    PictureSet,
    SetComparison,
    as_of_equal_groups,
    deal,
    groups_of,
    leave_groups_out,
    standard_error,
)
from gan_eval.metrics.definitions.neighbours import compare_neighbours
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


class Counted(np.ndarray[Any, Any]):
    """Features that count the rows that are read."""

    rows = 0

    def __getitem__(self, key: Any) -> Any:
        found = np.asarray(self)[key]
        Counted.rows += len(found)
        return found


def _two_sets(count: int, width: int, *, constant: int = 0) -> list[PictureSet]:
    rng = np.random.default_rng(6)
    sets = []
    for place in range(2):
        features = rng.normal(0.1 * place, 1 + 0.1 * place, size=(count, width)).astype(np.float32)
        features[:, :constant] = 3.0
        sets.append(PictureSet(features, (), rng.integers(0, GROUPS, size=count)))
    return sets


WIDTH = 20
"""Number of features of the next test."""
ROUNDING = {
    "fid": 2 * 1.2 * WIDTH * 400 * np.finfo(np.float64).eps,
    "cmmd": cmmd.SCALE * (2 / cmmd.SIGMA**2) * WIDTH * float(np.finfo(np.float32).eps) / cmmd.SIGMA**2,
}
"""Largest rounding error of a value: terms of its sums x eps, because each BLAS kernel sums in another order. FID has
two traces of WIDTH variances up to 1.2, each a sum over at most 400 pictures. CMMD has Σ t²/2 in float32, where t, up
to 2 / σ², is a sum of WIDTH products over σ²."""


@pytest.mark.parametrize(("compare", "distance"), [(compare_fid, fid), (compare_cmmd, cmmd.cmmd)])
@pytest.mark.parametrize("constant", [0, 3])
@pytest.mark.parametrize("count", [25, 400])
def test_one_pass_gives_the_values_without_each_group(
    compare: Callable[[PictureSet], SetComparison], distance: Callable[..., float], constant: int, count: int
) -> None:
    real, fake = _two_sets(count, WIDTH, constant=constant)
    parts: list[float] = []
    (found,) = compare(real)(fake, [distance.__name__], parts.append).values()
    wanted = leave_groups_out(distance, real, fake)
    assert isinstance(found, JackknifeEstimate)
    assert wanted.left_out is not None
    tolerance = ROUNDING[distance.__name__]
    assert found.value == pytest.approx(wanted.value, rel=0, abs=tolerance)
    assert found.left_out == pytest.approx(wanted.left_out, rel=0, abs=4 * tolerance)  # a sum of four such values
    assert parts == sorted(parts)
    assert parts[-1] == 1


@pytest.mark.parametrize("compare", [compare_fid, compare_cmmd])
def test_without_a_group_that_leaves_too_little_there_is_no_interval(
    compare: Callable[[PictureSet], SetComparison],
) -> None:
    real, fake = _two_sets(25, 4)
    fake = PictureSet(fake.features, (), np.zeros(25, np.intp))
    (found,) = compare(real)(fake, ["any"]).values()
    assert isinstance(found, JackknifeEstimate)
    assert found.left_out is None
    assert "0 generated pictures" in found.why_no_interval


def test_the_interval_of_fid_reads_the_pictures_a_few_times() -> None:
    sets = [PictureSet(each.features.view(Counted), (), each.groups) for each in _two_sets(3000, 20)]
    Counted.rows = 0
    compare_fid(sets[0])(sets[1], ["fid"])
    assert Counted.rows < 6 * 2 * 3000  # 20 times before


@pytest.mark.parametrize(
    ("compare", "names"), [(compare_neighbours, list(neighbours.K)), (compare_cmmd, ["cmmd"])], ids=["balls", "cmmd"]
)
def test_intervals_need_no_copy_of_the_features(
    compare: Callable[[PictureSet], SetComparison], names: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten copies of both sets were 7 GB for 100,000 pictures of Inception's features."""
    for module, constant, value in ((neighbours, "MAX_DISTANCES", 2**14), (cmmd, "BLOCK", 64)):
        monkeypatch.setattr(module, constant, value)
    real, fake = _two_sets(600, 1500)
    tracemalloc.start()
    compare(real)(fake, names)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * (real.features.nbytes + fake.features.nbytes)
