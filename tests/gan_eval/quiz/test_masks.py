"""Backward masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_eval.quiz.library import BLOCK, mask, mask_generator, scrambled
from gan_eval.stimuli.pictures import Picture


def photograph(height: int, width: int) -> Picture:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3)).astype(np.uint8)


@given(height=st.integers(1, 70), width=st.integers(1, 70))
def test_a_mask_has_the_pictures_size(height: int, width: int) -> None:
    picture = photograph(height, width)
    for kind in ("noise", "scramble"):
        made = mask(picture, kind, np.random.default_rng(0))
        assert made.shape == picture.shape
        assert made.dtype == np.uint8


@pytest.mark.parametrize("kind", ["noise", "scramble"])
def test_a_trials_mask_is_always_the_same_and_another_trials_is_another(kind: str) -> None:
    picture = photograph(64, 48)
    masks = [mask(picture, kind, mask_generator(*trial)) for trial in (("s", 1), ("s", 1), ("s", 2), ("t", 1))]  # type: ignore[arg-type]
    assert (masks[0] == masks[1]).all()
    assert (masks[0] != masks[2]).any()
    assert (masks[0] != masks[3]).any()


def test_noise_is_grey_over_the_whole_range() -> None:
    made = mask(photograph(200, 200), "noise", np.random.default_rng(0))
    assert (made == made[..., :1]).all()
    assert set(np.unique(made)) == set(range(256))


def test_scrambled_blocks_are_the_pictures_own_each_once_and_mirrored() -> None:
    numbers = np.arange(6)
    picture = np.zeros((2 * BLOCK, 3 * BLOCK, 3), np.uint8)
    for number in numbers:
        block = picture[BLOCK * (number // 3) :, BLOCK * (number % 3) :][:BLOCK, :BLOCK]
        block[...] = 10 * number
        block[0, 0] = 255  # marks the orientation
    seen, corners = [], set()
    for seed in range(20):
        made = scrambled(picture, np.random.default_rng(seed))
        blocks = made.reshape(2, BLOCK, 3, BLOCK, 3).swapaxes(1, 2).reshape(6, BLOCK, BLOCK, 3)
        assert sorted(blocks[:, 8, 8, 0] // 10) == list(numbers)
        seen.append(tuple(blocks[:, 8, 8, 0]))
        corners |= {tuple(np.argwhere(block[..., 0] == 255)[0].tolist()) for block in blocks}
    assert len(set(seen)) > 10, "the order differs"
    last = BLOCK - 1
    assert corners == {(0, 0), (0, last), (last, 0), (last, last)}
