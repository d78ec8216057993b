"""This computer's screens: what is kept of them, whole frames, time stamps, pixels and degrees."""

import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_eval.base.errors import UserError
from gan_eval.quiz.station import (
    ScreenCheck,
    ScreenKey,
    ScreenTiming,
    pace,
    read_timings,
    round_exposure,
    save_timing,
    station_file,
)
from gan_eval.quiz.visual_angle import Viewing, picture_width
from gan_eval.settings.quiz import QuizSettings

SCREEN = ScreenKey("DP-1", 1920, 1080, 59.94, "xcb")
CHECKS = (ScreenCheck("opengl_vsync", 1.0, "", "ok"), ScreenCheck("opengl_jitter", 0.2, "ms", "ok"))
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
    save_timing(SCREEN, TIMING)
    save_timing(other, fast)
    assert read_timings() == {str(SCREEN): TIMING, str(other): fast}
    save_timing(SCREEN, fast)
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


SEEN = Viewing(pixels_per_mm=1920 / 531, distance_mm=570.0)
"""A usual screen of 24 inches at 57 cm, where a centimetre spans about a degree."""


def test_degrees_become_pixels_by_the_tangent_of_half_the_angle() -> None:
    centimetres = 2 * 57 * math.tan(math.pi * 4 / 180)
    assert SEEN.pixels(8.0) == pytest.approx(centimetres * 1920 / 53.1)
    assert SEEN.visual_angle(288) == pytest.approx(8.0, abs=0.02)
    assert SEEN.pixels(1.0) == pytest.approx(1920 / 53.1 * 0.995, abs=0.03)
    assert picture_width(QuizSettings(picture_size="8 deg"), SEEN) == 288
    assert SEEN.visual_angle(1920) == pytest.approx(2 * math.degrees(math.atan(26.55 / 57)))


@pytest.mark.parametrize("unknown", [Viewing(), Viewing(pixels_per_mm=4.0), Viewing(distance_mm=600.0)])
def test_what_is_not_known_stays_empty_and_degrees_are_refused(unknown: Viewing) -> None:
    columns = unknown.columns(512)
    assert columns["picture_width_px"] == 512
    assert (columns["picture_width_deg"], columns["pixels_per_degree"]) == (None, None)
    assert picture_width(QuizSettings(picture_size=512), unknown) == 512
    assert picture_width(QuizSettings(), unknown) is None
    with pytest.raises(UserError, match=r"8 deg.*--viewing-distance-cm and --screen-width-cm"):
        picture_width(QuizSettings(picture_size="8 deg"), unknown)
