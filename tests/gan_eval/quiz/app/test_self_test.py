"""The timing self-test on a private screen, and the choice that follows from what it finds."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtGui", exc_type=ImportError)

from PySide6.QtWidgets import QApplication

from gan_eval.quiz.app import self_test, stage
from gan_eval.quiz.app.presenter import OpenGLWindow, RasterWindow
from gan_eval.quiz.app.self_test import judge, timer_checks
from gan_eval.quiz.app.stage import choose_presenter, screen_key
from gan_eval.quiz.station import ScreenCheck, ScreenTiming, save_timing

NOW = "2026-01-31T12:00:00.000Z"
STATED = ScreenCheck("stated_refresh", 60.0, "Hz", "ok")


def swaps(*, vsync: float, dropped: float) -> list[ScreenCheck]:
    return [
        STATED,
        ScreenCheck("opengl_vsync", vsync, "", "ok"),
        ScreenCheck("opengl_interval", 16.683 if vsync else 1.0, "ms", "ok"),
        *([ScreenCheck("opengl_dropped", dropped, "share", "ok")] if vsync else []),
    ]


def test_opengl_is_chosen_where_swaps_wait_and_hardly_a_frame_is_left_out() -> None:
    good = judge(swaps(vsync=1.0, dropped=0.0), measured_at=NOW)
    assert (good.presenter, good.vsync) == ("opengl", True)
    assert good.refresh_hz == pytest.approx(59.94, abs=0.01)
    assert judge(swaps(vsync=1.0, dropped=0.02), measured_at=NOW).presenter == "raster"
    unsynced = judge(swaps(vsync=0.0, dropped=0.0), measured_at=NOW)
    assert (unsynced.presenter, unsynced.vsync, unsynced.refresh_hz) == ("raster", False, 60.0)
    unmeasured = judge([STATED], measured_at=NOW)
    assert (unmeasured.presenter, unmeasured.vsync) == ("raster", None)


def test_opengl_and_whole_frames_are_chosen_by_a_measured_vsync_alone(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gan_eval.quiz.station.station_file", lambda: tmp_path / "screens.json")
    screen = qapp.primaryScreen()
    chosen = choose_presenter(screen)
    assert (chosen.frame_ms, chosen.timing) == (None, None)
    window = chosen.make(corner_patch=True, text_scale=2.0)
    assert isinstance(window, RasterWindow)
    assert window.canvas.corner_patch
    window.destroy()
    save_timing(screen_key(screen), ScreenTiming("opengl", True, 50.0, NOW))
    monkeypatch.setattr(stage, "opengl_available", lambda _: True)
    chosen = choose_presenter(screen)
    assert (chosen.frame_ms, chosen.refresh_hz) == (20.0, 50.0)
    assert chosen.make.func is OpenGLWindow
    assert chosen.make.keywords == {"frame_ms": 20.0}
    monkeypatch.setattr(stage, "opengl_available", lambda _: False)
    assert choose_presenter(screen).make.func is RasterWindow


def test_a_timer_that_ends_after_its_time_is_late(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0, 12_000_000] * 3)  # ns, before and after each timer of 10 ms
    monkeypatch.setattr(self_test, "_TIMERS", 3)
    monkeypatch.setattr(self_test, "now_ns", lambda: next(moments))
    _, usual, largest = timer_checks("normal")
    assert (usual.value, usual.verdict) == (2.0, "warning")
    assert largest.value == 2.0


_MEASURE = """
from gan_eval.quiz.app.self_test import run_self_test
from gan_eval.quiz.station import Presentation
for line in run_self_test(Presentation(), frames=8):
    print(line)
"""


@pytest.mark.nightly
@pytest.mark.display
@pytest.mark.skipif(not shutil.which("Xvfb"), reason="needs Xvfb (apt install xvfb)")
def test_a_screen_without_vsync_is_measured_kept_and_not_flattered(screen: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE],
        env={**screen, "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kept_in = tmp_path / "gan-eval" / "screens.json"
    (timing,) = json.loads(kept_in.read_text()).values()
    values = {check["check"]: check["value"] for check in timing["checks"]}
    assert len(values) == len(timing["checks"]), "the names are the table's key"
    assert values["opengl_vsync"] == 0.0, "Xvfb has no refresh to wait for"
    assert timing["presenter"] == "raster"
    assert values["raster_full_screen"] == values["opengl_full_screen"] == 1.0
    assert {"timer_lateness_largest", "raster_cost", "raster_lateness_sd", "opengl_jitter"} <= set(values)
    for words in ("raster window", "No program can measure", f"Saved in {kept_in}."):
        assert words in done.stdout
