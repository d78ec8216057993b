"""The monitor of a session and its pixel ratio, on screens that Qt draws alone."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

_STAGE = """
import json, sys
from PySide6.QtWidgets import QApplication
from gan_eval.errors import UserError
from gan_eval.quiz.app.pages.parts import Page
from gan_eval.quiz.app.stage import Stage
from gan_eval.quiz.station import Presentation
from gan_eval.settings.quiz import QuizSettings

def staged(how):
    try:
        stage = Stage(QuizSettings(), Presentation(**how))
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
        "grab": [grab.width(), grab.height()],
        "room": [stage.room.width(), stage.room.height()],
        "trials": list(stage.window.geometry().getRect()),
        "canvas": [stage.window.canvas.size.width(), stage.window.canvas.size.height()],
        "cursor": stage.window.cursor().shape().name,
    }


qt = QApplication(["quiz"])
print(json.dumps([staged(how) for how in json.loads(sys.argv[1])]))
"""
WAYS: dict[str, dict[str, object]] = {
    "primary": {},
    "first": {"screen": 1, "text_size": 200},
    "second": {"screen": 2},
    "third": {"screen": 3},
    "windowed": {"windowed": True},
}
SCREENS = {"small": ([0, 0, 1366, 768], 1), "large": ([1366, 0, 1920, 1080], 2)}
"""Area in logical pixels, and ratio."""


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """A session's stage in each of these ways, on a small screen and, right of it, a 4K one."""
    small = {"name": "small", "x": 0, "y": 0, "width": 1366, "height": 768, "logicalDpi": 96, "dpr": 1}
    large = {"name": "large", "x": 1366, "y": 0, "width": 3840, "height": 2160, "logicalDpi": 96, "dpr": 1}
    file = tmp_path_factory.mktemp("screens") / "screens.json"
    file.write_text(json.dumps({"screens": [small, large]}))
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": f"offscreen:configfile={file}",
        "QT_SCREEN_SCALE_FACTORS": "small=1;large=2",
        "XDG_STATE_HOME": str(file.parent),
    }
    command = [sys.executable, "-c", _STAGE, json.dumps(list(WAYS.values()))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return dict(zip(WAYS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(("way", "number"), [("primary", 1), ("first", 1), ("second", 2)])
def test_full_screen_on_the_chosen_monitor_at_its_own_pixels(
    stages: dict[str, dict[str, Any]], way: str, number: int
) -> None:
    found = stages[way]
    assert sorted(found["names"]) == sorted(SCREENS)
    area, ratio = SCREENS[found["names"][number - 1]]
    assert found["pages"] == found["trials"] == area
    pixels = [length * ratio for length in area[2:]]
    assert found["grab"] == found["room"] == found["canvas"] == pixels
    assert [found["screen_width"], found["screen_height"], found["device_pixel_ratio"]] == [*pixels, ratio]
    assert (found["title"], found["cursor"]) == ("Picture quiz", "BlankCursor")
    assert (found["presenter"], found["text_size"]) == ("raster", WAYS[way].get("text_size", 100))


def test_a_window_stands_in_the_middle_of_its_monitor(stages: dict[str, dict[str, Any]]) -> None:
    found = stages["windowed"]
    (left, top, width, height), _ = SCREENS[found["names"][0]]
    x, y, wide, high = found["pages"]
    assert (wide, high) == (min(width, 1280), min(height, 800))
    assert abs((x - left) - (left + width - x - wide)) <= 2
    assert abs((y - top) - (top + height - y - high)) <= 2


def test_a_monitor_that_is_not_there_is_a_line(stages: dict[str, dict[str, Any]]) -> None:
    error = stages["third"]["error"]
    assert error.startswith("--screen 3: ")
    assert "2" in error
