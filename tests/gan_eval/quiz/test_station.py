"""The self-test's record for later sessions."""

from pathlib import Path

import pytest

from gan_eval.errors import UserError
from gan_eval.quiz.station import (
    Check,
    Presentation,
    ScreenKey,
    ScreenSize,
    ScreenTiming,
    keep_size,
    keep_timing,
    presented_size,
    read_size,
    read_timing,
    station_file,
)
from gan_eval.settings.quiz import QuizSettings

SCREEN = ScreenKey("DP-1", 1920, 1080, 59.94, "xcb")
CHECKS = (Check("opengl_vsync", 1.0, "", "ok"), Check("opengl_jitter", 0.2, "ms", "ok"))
TIMING = ScreenTiming("opengl", True, 59.94, "2026-01-31T12:00:00.000Z", CHECKS)


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file for this computer's self-tests, not there yet."""
    path = tmp_path / "state" / "screens.json"
    monkeypatch.setattr("gan_eval.quiz.station.station_file", lambda: path)
    return path


@pytest.mark.usefixtures("record")
def test_what_was_kept_is_read_for_that_screen_alone() -> None:
    assert read_timing(SCREEN) is None
    other = ScreenKey("DP-1", 1920, 1080, 144.0, "xcb")
    slow = ScreenTiming("raster", False, 144.0, "2026-02-01T12:00:00.000Z")
    keep_timing(SCREEN, TIMING)
    keep_timing(other, slow)
    assert read_timing(SCREEN) == TIMING
    assert read_timing(other) == slow
    keep_timing(SCREEN, slow)
    assert read_timing(SCREEN) == slow


@pytest.mark.usefixtures("record")
def test_a_size_is_kept_for_a_screen_at_any_rate_beside_its_timing() -> None:
    assert read_size(SCREEN) == ScreenSize()
    keep_size(SCREEN, ScreenSize(53.1, None))
    keep_timing(SCREEN, TIMING)
    assert read_size(ScreenKey("DP-1", 1920, 1080, 144.0, "wayland")) == ScreenSize(53.1, None)
    assert read_size(ScreenKey("DP-2", 1920, 1080, 59.94, "xcb")) == ScreenSize()
    keep_size(SCREEN, ScreenSize(52.0, 60.0))
    assert (read_size(SCREEN), read_timing(SCREEN)) == (ScreenSize(52.0, 60.0), TIMING)
    study = QuizSettings(viewing_distance_cm=80)
    assert presented_size(SCREEN, Presentation(), study) == ScreenSize(52.0, 80.0)
    assert presented_size(SCREEN, Presentation(viewing_distance_cm=70.0), study) == ScreenSize(52.0, 70.0)


@pytest.mark.parametrize(
    "sizes", ["[]", '{"DP-1 1920x1080": {"width": 3}}', '{"DP-1 1920x1080": {"screen_width_cm": "a"}}', "3"]
)
def test_damaged_sizes_are_a_line(record: Path, sizes: str) -> None:
    record.parent.mkdir()
    record.write_text(f'{{"sizes": {sizes}}}')
    with pytest.raises(UserError, match=r"screens\.json"):
        read_size(SCREEN)


@pytest.mark.parametrize("text", ["[]", "{", '{"DP-1 1920x1080 59.94 Hz xcb": {"presenter": "raster"}}'])
def test_a_damaged_record_is_a_line(record: Path, text: str) -> None:
    record.parent.mkdir()
    record.write_text(text)
    with pytest.raises(UserError, match=r"screens\.json"):
        read_timing(SCREEN)


def test_the_record_follows_the_customs_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert station_file() == tmp_path / "gan-eval" / "screens.json"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert station_file() == tmp_path / "local" / "gan-eval" / "screens.json"
