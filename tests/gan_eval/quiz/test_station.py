"""This computer's screens: what is kept of them, whole frames, and what time stamps say of a screen."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_eval.errors import UserError
from gan_eval.quiz.station import Check, ScreenKey, ScreenTiming, keep, pace, read_timings, round_exposure, station_file

SCREEN = ScreenKey("DP-1", 1920, 1080, 59.94, "xcb")
CHECKS = (Check("opengl_vsync", 1.0, "", "ok"), Check("opengl_jitter", 0.2, "ms", "ok"))
TIMING = ScreenTiming("opengl", True, 59.94, "2026-01-31T12:00:00.000Z", CHECKS)
RATES = st.sampled_from([50.0, 59.94, 60.0, 75.0, 120.0, 143.9, 240.0])


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file for this computer's screens, not there yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert station_file() == tmp_path / "gan-eval" / "screens.json"
    return station_file()


@pytest.mark.usefixtures("record")
def test_what_was_kept_is_read_for_that_screen_alone() -> None:
    assert read_timings() == {}
    other, fast = ScreenKey("DP-1", 1920, 1080, 144.0, "xcb"), ScreenTiming("raster", False, 144.0, "2026-02-01")
    keep(SCREEN, TIMING)
    keep(other, fast)
    assert read_timings() == {str(SCREEN): TIMING, str(other): fast}
    keep(SCREEN, fast)
    assert read_timings()[str(SCREEN)] == fast


@pytest.mark.parametrize("text", ["[]", "{", '{"DP-1": 3}', '{"DP-1": {"vsync": 1}}'])
def test_a_damaged_record_is_a_line(record: Path, text: str) -> None:
    record.parent.mkdir()
    record.write_text(text)
    with pytest.raises(UserError, match=r"screens\.json"):
        read_timings()


@given(st.floats(0.1, 5000), RATES)
def test_a_rounded_exposure_is_the_nearest_number_of_frames_and_at_least_one(requested: float, hertz: float) -> None:
    frames = round_exposure(requested, hertz) * hertz / 1000
    assert frames == pytest.approx(round(frames))
    assert frames > 0.99
    if frames > 1.01:
        assert abs(round_exposure(requested, hertz) - requested) <= 500 / hertz + 1e-9


def stamps_of(intervals_ms: list[float]) -> list[int]:
    stamps = [0]
    for interval in intervals_ms:
        stamps.append(stamps[-1] + round(interval * 1e6))
    return stamps


def test_a_screen_that_blocks_is_told_from_one_that_does_not() -> None:
    noise = random.Random(0)
    synced = pace(stamps_of([16.67 + noise.gauss(0, 0.2) for _ in range(300)]))
    assert [synced.blocks(stated) for stated in (60.0, 59.94, 75.0)] == [True, True, False]
    assert 1000 / synced.frame_ms == pytest.approx(60, abs=0.1)
    assert not pace(stamps_of([noise.uniform(0, 8.3) + 0.8 for _ in range(300)])).blocks(60.0)
    by_chance_as_slow = pace(stamps_of([noise.uniform(0, 8.3) + 12.5 for _ in range(300)]))
    assert by_chance_as_slow.frame_ms == pytest.approx(16.67, rel=0.03)
    assert not by_chance_as_slow.blocks(60.0)
