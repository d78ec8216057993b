"""The page in Firefox: a whole session, its clock and pixel ratio, full screen, a session that continues elsewhere."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gan_eval import tables

pytest.importorskip("selenium.webdriver")
pytest.importorskip("websocket")
from firefox import NEEDS_FIREFOX, Firefox
from page_server import SIZE, UNTIL_ANSWERED, Serve, flags

pytestmark = [NEEDS_FIREFOX, pytest.mark.nightly, pytest.mark.slow]
Start = Callable[..., Firefox]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start Firefox with these preferences."""
    started: list[Firefox] = []

    def start(**preferences: Any) -> Firefox:
        started.append(Firefox(tmp_path / f"profile{len(started)}", **preferences))
        return started[-1]

    yield start
    errors = [line for each in started for line in each.errors]
    for each in started:
        each.quit()
    assert errors == []


def test_a_whole_session(serve: Serve, start: Start) -> None:
    server, firefox = serve(**UNTIL_ANSWERED), start()
    firefox.walk_to_ready(server.link())
    firefox.key("Enter")
    firefox.answer(*range(1, 7))
    firefox.wait(page="end")
    assert server.answers() == dict.fromkeys(range(1, 7), "fake")
    assert flags(server) == {}


def test_pictures_keep_their_size_where_firefox_calls_every_display_fine_and_its_coarse_clock_is_flagged(
    serve: Serve, start: Start
) -> None:
    server, firefox = serve("--no-intro", **UNTIL_ANSWERED), start(**{"privacy.resistFingerprinting": True})
    firefox.get(server.link())
    firefox.wait(trial="1", state="shown")
    time.sleep(0.3)
    (planned,) = server.rows(tables.PLANS, trial=1)
    path = server.folder / "tiles" / f"{planned['stimulus'].removeprefix('tiles/')}.png"
    picture, screen = np.asarray(Image.open(path).convert("RGB")), firefox.screenshot()
    assert firefox.script("devicePixelRatio") == 2
    top, left = (screen.shape[0] - SIZE[0]) // 2, (screen.shape[1] - SIZE[1]) // 2
    assert np.array_equal(screen[top:, left:][: SIZE[0], : SIZE[1]], picture)
    firefox.answer(*range(1, 7))
    firefox.wait(page="end")
    assert {*flags(server).values()} == {"coarse_clock"}
    (session,) = server.rows(tables.SESSIONS)
    assert session["device_pixel_ratio"] == 1


def test_enter_starts_after_full_screen_and_the_first_picture_waits_for_the_message(serve: Serve, start: Start) -> None:
    server, firefox = serve(**UNTIL_ANSWERED), start()
    firefox.walk_to_ready(server.link())
    clicked = time.monotonic()
    firefox.click("[data-action=full-screen]")
    firefox.until("document.querySelector('.wait').textContent")
    firefox.key("Enter")
    firefox.wait(page="trial", state="waiting")
    firefox.wait(state="shown")
    assert time.monotonic() - clicked > 4.9
    assert firefox.script("document.fullscreenElement !== null")
    firefox.answer(*range(1, 7))
    firefox.wait(page="end")
    assert flags(server) == {}


@pytest.mark.parametrize("paused", [True, False])
def test_a_tab_whose_session_continues_elsewhere_is_refused(serve: Serve, start: Start, paused: bool) -> None:
    server, firefox, other = serve(**UNTIL_ANSWERED, blank_ms=5000), start(), start()
    firefox.walk_to_ready(server.link())
    firefox.key("Enter")
    other.get(server.link())
    other.wait(page="resume")
    firefox.answer(1)
    firefox.wait(trial="2", state="waiting")
    if paused:
        firefox.key("Escape")
        firefox.wait(page="paused")
    other.key("Enter")
    other.wait(page="instructions")
    if paused:
        firefox.click("[data-action=continue]")
    firefox.wait(page="refused")  # where it was not paused, in the moment of the picture's onset
    assert "another window" in firefox.text


def test_marks_by_mouse_and_keys(serve: Serve, start: Start) -> None:
    server, firefox = serve("--no-intro", **UNTIL_ANSWERED, marks=2, picture_size=300), start()
    firefox.window(1000, 700, ratio=1.5)
    firefox.get(server.link())
    firefox.answer(1)
    firefox.wait(state="marking")
    box = firefox.script("(({left, top, width, height}) => [left, top, width, height])"
                         "(document.querySelector('.board img').getBoundingClientRect())")  # fmt: skip
    firefox.click(".board img")
    for key in ("ArrowLeft", "ArrowUp", "Enter", "Tab", "Tab", "Enter"):
        firefox.key(key)
    firefox.wait(trial="2", state="shown")
    middle, by_keys = server.rows(tables.MARKS)
    left, top, width, height = box
    assert abs(middle["x"] * width - (round(left + width / 2) - left)) <= 1
    assert abs(middle["y"] * height - (round(top + height / 2) - top)) <= 1
    assert (by_keys["x"], by_keys["y"]) == (pytest.approx(0.48), pytest.approx(0.48))
