"""The monitor of a session and its pixel ratio, on screens that Qt draws alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
from gan_eval.quiz.app.stage import window_system

_STAGE = """
import json, sys
from PySide6.QtWidgets import QApplication
from gan_eval.base.errors import UserError
from gan_eval.quiz.app.pages.parts import Page
from gan_eval.quiz.app.stage import PictureStage
from gan_eval.quiz.station import Presentation
from gan_eval.settings.quiz import QuizSettings

def staged(how):
    try:
        stage = PictureStage(QuizSettings(), Presentation(**how))
    except UserError as error:
        return {"error": str(error)}
    page = Page(stage.look, stage.texts)
    stage.show_page(page)
    qt.processEvents()
    pages = {"title": stage.shell.windowTitle(), "pages": list(stage.shell.geometry().getRect())}
    grab = page.grab().toImage()
    stage.show_trials()
    qt.processEvents()
    return {
        **pages,
        **stage.description(),
        "names": [screen.name() for screen in qt.screens()],
        "pixels": [list(size.toTuple()) for size in (grab.size(), stage.window_pixels, stage.window.canvas.size)],
        "trials": list(stage.window.geometry().getRect()),
        "cursor": stage.window.cursor().shape().name,
    }


qt = QApplication(["quiz"])
print(json.dumps([staged(how) for how in json.loads(sys.argv[1])]))
"""
SCREENS = {"small": ([0, 0, 1366, 768], 1), "large": ([1366, 0, 1920, 1080], 2)}
"""Area in logical pixels, and ratio: a small screen and, right of it, a 4K one."""


def test_the_chosen_monitor_is_filled_at_its_own_pixels_or_holds_a_window_in_its_middle(tmp_path: Path) -> None:
    shared = {"y": 0, "logicalDpi": 96, "dpr": 1}
    small = {"name": "small", "x": 0, "width": 1366, "height": 768, **shared}
    large = {"name": "large", "x": 1366, "width": 3840, "height": 2160, **shared}
    (tmp_path / "screens.json").write_text(json.dumps({"screens": [small, large]}))
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": f"offscreen:configfile={tmp_path / 'screens.json'}",
        "QT_SCREEN_SCALE_FACTORS": "small=1;large=2",
        "XDG_STATE_HOME": str(tmp_path),
    }
    ways: list[dict[str, object]] = [{}, {"screen": 1, "text_size": 200}, {"screen": 2}, {"screen": 3}]
    command = [sys.executable, "-c", _STAGE, json.dumps([*ways, {"windowed": True}])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    primary, first, second, third, windowed = json.loads(done.stdout)

    def require_whole(found: dict[str, Any], number: int, text_size: int = 100) -> None:
        area, ratio = SCREENS[found["names"][number - 1]]
        assert found["pages"] == found["trials"] == area
        pixels = [length * ratio for length in area[2:]]
        assert found["pixels"] == [pixels] * 3
        assert [found["screen_width"], found["screen_height"], found["device_pixel_ratio"]] == [*pixels, ratio]
        assert (found["title"], found["cursor"]) == ("Picture quiz", "BlankCursor")
        assert (found["presenter"], found["text_size"]) == ("raster", text_size)
        assert found["window_system"] == "offscreen"

    require_whole(primary, 1)
    require_whole(first, 1, 200)
    require_whole(second, 2)
    assert third["error"].startswith("--screen 3: this computer has 2")
    (left, top, width, height), _ = SCREENS[windowed["names"][0]]
    x, y, wide, high = windowed["pages"]
    assert (wide, high) == (min(width, 1280), min(height, 800))
    assert abs((x - left) - (left + width - x - wide)) <= 2
    assert abs((y - top) - (top + height - y - high)) <= 2


@pytest.mark.parametrize(
    ("name", "wayland", "screen", "stored"),
    [
        ("xcb", None, "HDMI-1", "xcb"),
        ("xcb", "wayland-0", "HDMI-1", "xwayland"),
        ("xcb", None, "XWAYLAND0", "xwayland"),
        ("wayland", "wayland-0", "HDMI-1", "wayland"),
    ],
)
def test_x11_within_wayland_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, wayland: str | None, screen: str, stored: str
) -> None:
    """Xwayland 22 names its screens; a program started without the variable of the Wayland session is seen by that."""
    screens = [SimpleNamespace(name=lambda: screen)]
    monkeypatch.setattr("gan_eval.quiz.app.stage.QGuiApplication.platformName", lambda: name)
    monkeypatch.setattr("gan_eval.quiz.app.stage.QGuiApplication.screens", lambda: screens)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if wayland:
        monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    assert window_system() == stored
