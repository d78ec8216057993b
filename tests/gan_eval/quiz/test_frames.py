"""Rounding to whole frames, and what time stamps say of a screen."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_eval.quiz.station import pace, round_exposure, summary

RATES = st.sampled_from([50.0, 59.94, 60.0, 75.0, 120.0, 143.9, 240.0])


@given(st.floats(0.1, 5000), RATES)
def test_a_rounded_exposure_is_the_nearest_number_of_frames_and_at_least_one(requested: float, hertz: float) -> None:
    frames = round_exposure(requested, hertz) * hertz / 1000
    assert frames == pytest.approx(round(frames))
    assert frames > 0.99
    if frames > 1.01:
        assert abs(round_exposure(requested, hertz) - requested) <= 500 / hertz + 1e-9


@given(st.integers(1, 300), RATES)
def test_whole_frames_stay_as_they_are(frames: int, hertz: float) -> None:
    assert round_exposure(frames * 1000 / hertz, hertz) == pytest.approx(frames * 1000 / hertz)


def stamps_of(intervals_ms: list[float]) -> list[int]:
    stamps = [0]
    for interval in intervals_ms:
        stamps.append(stamps[-1] + round(interval * 1e6))
    return stamps


def test_a_screen_that_blocks_is_told_from_one_that_does_not() -> None:
    noise = random.Random(0)
    synced = pace(stamps_of([16.67 + noise.gauss(0, 0.2) for _ in range(300)]))
    assert synced.blocks(60.0)
    assert synced.blocks(59.94)
    assert not synced.blocks(75.0)
    assert 1000 / synced.frame_ms == pytest.approx(60, abs=0.1)
    unsynced = pace(stamps_of([noise.uniform(0, 8.3) + 0.8 for _ in range(300)]))
    assert not unsynced.blocks(60.0)
    by_chance_as_slow = pace(stamps_of([noise.uniform(0, 8.3) + 12.5 for _ in range(300)]))
    assert by_chance_as_slow.frame_ms == pytest.approx(16.67, rel=0.03)
    assert not by_chance_as_slow.blocks(60.0)


def test_frames_left_out_are_counted_and_are_no_jitter() -> None:
    found = pace(stamps_of([10.0] * 97 + [20.0] * 2 + [40.0]))
    assert found.dropped == pytest.approx(0.03)
    assert found.jitter_ms == pytest.approx(0, abs=1e-9)


def test_spread_keeps_the_sign_of_the_mean_and_the_size_of_the_largest() -> None:
    found = summary([-3.0, 1.0, -1.0])
    assert (found.n, found.mean, found.median, found.largest) == (3, -1.0, -1.0, 3.0)
