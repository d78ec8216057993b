"""The page in WebKitGTK, Safari's engine: whole sessions by keys and by mouse, and its times of frames and keys."""

from collections.abc import Iterator

import pytest

from gan_eval import tables

pytest.importorskip("selenium.webdriver")
from page_server import UNTIL_ANSWERED, Serve, flags
from webkit import NEEDS_WEBKIT, WebKit

pytestmark = [NEEDS_WEBKIT, pytest.mark.nightly, pytest.mark.slow]


@pytest.fixture
def webkit() -> Iterator[WebKit]:
    browser = WebKit()
    yield browser
    browser.quit()


def test_a_whole_session_by_keys(serve: Serve, webkit: WebKit) -> None:
    server = serve(**UNTIL_ANSWERED, confidence=3, marks=1, break_every=3, practice=1)
    webkit.walk_to_ready(server.link())
    webkit.key("Enter")
    for trial in range(1, 8):
        webkit.answer(trial)
        webkit.wait(page="confidence")
        webkit.key("2")
        webkit.wait(state="marking")
        webkit.key("Enter")
        webkit.click("[data-action=continue]")
        if trial in (1, 4):  # after practice, and after three trials
            webkit.wait(page="break")
            webkit.key("Enter")
    webkit.wait(page="end")
    assert server.answers() == dict.fromkeys(range(1, 8), "fake")
    assert {row["confidence"] for row in server.rows(tables.TRIALS)} == {2}
    assert [(row["x"], row["y"]) for row in server.rows(tables.MARKS)] == [(0.5, 0.5)] * 7
    assert flags(server) == {}


def test_a_whole_session_of_flashes_by_mouse(serve: Serve, webkit: WebKit) -> None:
    flashes = {"protocol": "yes_no", "exposures_ms": [100, 250], "response_ms": 4000, "real": 4, "fake": 4}
    server = serve(**flashes)
    webkit.walk_to_ready(server.link())
    webkit.click("[data-action=continue]")
    for trial in range(1, 9):
        webkit.wait(trial=str(trial), state="hidden")
        webkit.click("[data-action=answer-real]")
    webkit.wait(page="end")
    assert server.answers() == dict.fromkeys(range(1, 9), "real")
    (session,) = server.rows(tables.SESSIONS)
    assert "AppleWebKit" in session["platform"]
    assert 50 < session["refresh_hz"] < 70
    assert session["window_system"] is None
