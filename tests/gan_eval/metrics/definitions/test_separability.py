from collections.abc import Sequence

import numpy as np
import pytest
from judged_sets import machine

from gan_eval.metrics.definitions import separability
from gan_eval.metrics.definitions.jackknife import JackknifeEstimate, PictureSet, deal, groups_of
from gan_eval.metrics.definitions.separability import compare_separability, p_ids, u_ids
from gan_eval.metrics.kernels.pictures import Unmeasurable


def sets(n: int, d: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    real = rng.normal(size=(n, d)).astype(np.float32)
    return real, (real + rng.normal(shift, 0.5, size=(n, d))).astype(np.float32)


def picture_set(features: np.ndarray, items: Sequence[str]) -> PictureSet:
    return PictureSet(features, tuple(items), groups_of(items, deal(items)))


@pytest.mark.parametrize("scale", [1, 0.05])  # with small features the machine's penalty decides
def test_equal_the_definition(scale: float) -> None:
    real, fake = (np.float32(scale) * side for side in sets(120, 4, 0.1))
    p, u = machine(real, fake)
    assert 0 < p < 0.5 < 1 - u  # neither end
    assert (p_ids(real, fake), u_ids(real, fake)) == pytest.approx((p, u), abs=1e-12)


def test_a_machine_that_does_not_converge_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = sets(60, 4, 0.1)
    with pytest.raises(Unmeasurable, match="1e"):
        u_ids(real.astype(np.float64) * 1e99, fake)
    monkeypatch.setattr(separability, "MAX_ITERATIONS", 1)
    with pytest.warns(UserWarning, match="converge"), pytest.raises(Unmeasurable, match="converged"):
        p_ids(real, fake)


def test_pictures_are_paired_by_item_in_any_order() -> None:
    real, fake = sets(60, 3, 0.2)
    items = [f"i{n:02}" for n in range(60)]
    order = np.random.default_rng(1).permutation(60)
    shuffled = picture_set(fake[order], [items[n] for n in order])
    found = compare_separability(picture_set(real, items))(shuffled, ["p_ids", "u_ids"])
    p, u = machine(real, fake)
    for name, value in (("p_ids", p), ("u_ids", u)):
        estimate = found[name]
        assert isinstance(estimate, JackknifeEstimate)
        assert estimate.value == pytest.approx(value, abs=1e-12)
        interval = estimate.interval()
        assert interval is not None
        assert interval.low < value < interval.high
    lone = [f"other{n}" for n in range(60)]
    found = compare_separability(picture_set(real, items))(picture_set(fake, lone), ["p_ids", "u_ids"])
    assert isinstance(found["p_ids"], Unmeasurable)
    assert isinstance(found["u_ids"], JackknifeEstimate)
