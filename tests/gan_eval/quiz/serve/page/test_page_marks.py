"""Marks in a real browser: clicks, touches and keys become the places that they point at."""

from typing import Any

import pytest

from gan_eval import tables

pytest.importorskip("selenium.webdriver")
from page_server import NEEDS_BROWSER, UNTIL_ANSWERED, Serve
from visitor import Visit, Visitor

pytestmark = NEEDS_BROWSER
PLACES = ((0.02, 0.03), (0.5, 0.5), (0.977, 0.961))


def to_marks(visitor: Visitor) -> int:
    """Go to the next trial that asks for marks; return its number."""
    return int(visitor.walk(lambda hooks: hooks.get("state") == "marking")["trial"])


@pytest.mark.parametrize(
    ("window", "ratio", "touch", "size"),
    [
        ((1366, 768), 1, False, "native"),
        *(
            pytest.param(*case, marks=pytest.mark.nightly)
            for case in (
                ((2732, 1536), 0.5, False, 400), ((1821, 1024), 0.75, False, 301), ((1093, 614), 1.25, False, 333),
                ((683, 384), 2, False, 700), ((3840, 2160), 1, False, 512), ((390, 844), 3, True, "native"),
                ((844, 390), 3, True, 900), ((360, 640), 2.625, True, 800),
            )
        ),
    ],
)  # fmt: skip
def test_a_mark_is_within_a_pixel_of_the_click(
    serve: Serve, visit: Visit, window: tuple[int, int], ratio: float, touch: bool, size: Any
) -> None:
    """Zoom of 50% to 200% is a window of other CSS pixels at another ratio."""
    server = serve("--no-intro", **UNTIL_ANSWERED, marks=3, picture_size=size)
    visitor = visit("", touch=touch, choose=lambda trial, names: "fake")
    visitor.window(*window, ratio=ratio)
    visitor.driver.get(server.link())
    trial = to_marks(visitor)
    visitor.check_layout()
    box = visitor.board()
    assert box["left"] >= 0
    assert box["left"] + box["width"] <= window[0]
    for place in PLACES:
        visitor.point(*place)
    visitor.press("continue")
    visitor.wait(lambda hooks: hooks.get("trial") == str(trial + 1))
    rows = server.rows(tables.MARKS)
    assert [row["mark"] for row in rows] == [1, 2, 3]
    for row, (x, y) in zip(rows, PLACES, strict=True):
        assert abs(row["x"] - x) * box["width"] <= 1
        assert abs(row["y"] - y) * box["height"] <= 1
    assert rows[0]["stimulus"] == server.rows(tables.TRIALS)[-1]["stimulus"]
    assert 0 <= rows[0]["marked_at_ms"] <= rows[1]["marked_at_ms"] <= rows[2]["marked_at_ms"]


@pytest.mark.nightly
def test_a_picture_that_is_decoded_late_loses_no_click_and_can_be_left(serve: Serve, visit: Visit) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED, marks=1)

    def choose(trial: int, names: list[str]) -> str:
        visitor.script("HTMLImageElement.prototype.decode = () => new Promise((go) => setTimeout(go, 1500))")
        return "fake"

    visitor = visit(server.link(), choose=choose)
    visitor.walk(lambda hooks: visitor.script("return document.querySelector('.marking')?.hidden === false"))
    assert visitor.hooks.get("state") != "marking", "it cannot be marked yet"
    visitor.pause()
    visitor.key("Enter")
    trial = int(visitor.state("marking")["trial"])
    visitor.point(0.25, 0.5)
    visitor.press("continue")
    visitor.wait(lambda hooks: hooks.get("trial") == str(trial + 1))
    assert [(row["trial"], round(row["x"], 2)) for row in server.rows(tables.MARKS)] == [(trial, 0.25)]


@pytest.mark.nightly
def test_keys_undo_nothing_and_the_time_limit(serve: Serve, visit: Visit) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED, marks=2, marks_ms=3000)
    visitor = visit(server.link(), choose=lambda trial, names: "fake")
    first = to_marks(visitor)
    for key in (
        "ArrowRight",
        "ArrowRight",
        "ArrowUp",
        "Enter",
        "ArrowLeft",
        "Enter",
        "Backspace",
        "Tab",
        "Tab",
        "Enter",
    ):
        visitor.key(key)
    visitor.wait(lambda hooks: hooks.get("state") != "marking")
    second = to_marks(visitor)
    visitor.press("nothing")
    visitor.wait(lambda hooks: hooks.get("state") != "marking")
    third = to_marks(visitor)
    visitor.point(0.5, 0.25)
    visitor.wait(lambda hooks: hooks.get("state") != "marking")
    assert to_marks(visitor) == third + 1
    visitor.wait(lambda hooks: hooks.get("state") != "marking")
    visitor.walk()
    rows = server.rows(tables.MARKS)
    assert [(row["trial"], row["mark"]) for row in rows[:3]] == [(first, 1), (second, None), (third, 1)]
    assert (rows[0]["x"], rows[0]["y"]) == (pytest.approx(0.54), pytest.approx(0.48))
    assert {rows[1]["x"], rows[1]["y"]} == {None}
    assert rows[1]["marked_at_ms"] > 0
    assert third + 1 not in {row["trial"] for row in rows}, "without an answer no row"


@pytest.mark.nightly
def test_marks_outlive_a_pause_a_lost_network_and_a_restart(serve: Serve, visit: Visit) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED, marks=1)
    visitor = visit(server.link(), choose=lambda trial, names: "fake", expected=("ERR_", "Failed to load"))
    first = to_marks(visitor)
    visitor.pause()
    visitor.key("Enter")
    assert to_marks(visitor) == first
    visitor.offline(True)
    visitor.point(0.25, 0.5)
    visitor.press("continue")
    visitor.state("saving")
    assert server.rows(tables.MARKS) == []
    visitor.offline(False)
    visitor.wait(lambda hooks: hooks.get("trial") == str(first + 1))
    second = to_marks(visitor)
    server.kill()
    server.start()
    visitor.point(0.75, 0.5)
    visitor.press("continue")
    visitor.walk()
    rows = server.rows(tables.MARKS)
    assert {row["trial"]: round(row["x"], 2) for row in rows if row["trial"] <= second} == {first: 0.25, second: 0.75}
    assert [row["status"] for row in server.rows(tables.SESSIONS)] == ["complete"]


AHEAD = """
Object.defineProperty(Event.prototype, "timeStamp", { get: () => performance.now() + 60000 });
"""
"""The time stamps of events are a minute ahead of the page's clock; WebKit's may be some milliseconds ahead."""


@pytest.mark.parametrize("touch", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_no_press_and_no_mark_is_later_than_the_clock_of_the_page(serve: Serve, visit: Visit, touch: bool) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED, marks=2, picture_size=300)
    visitor = visit("", touch=touch, choose=lambda trial, names: "fake")
    visitor.cdp("Page.addScriptToEvaluateOnNewDocument", source=AHEAD)
    visitor.driver.get(server.link())
    to_marks(visitor)
    visitor.point(0.25, 0.5)
    if not touch:
        for key in ("ArrowLeft", "Enter"):
            visitor.key(key)
    visitor.press("continue")
    trial = to_marks(visitor)
    visitor.press("nothing")
    visitor.wait(lambda hooks: hooks.get("trial") == str(trial + 1))
    rows = [*server.rows(tables.TRIALS), *server.rows(tables.MARKS)]
    times = [row.get("reaction_time_ms", row.get("marked_at_ms")) for row in rows]
    assert len(times) == (4 if touch else 5)
    assert max(times) < 60_000
    assert not any("clock_unlikely" in (row["flags"] or "") for row in rows[:2])


@pytest.mark.nightly
def test_a_pen_and_fingers_on_an_enlarged_page_mark_what_they_point_at(serve: Serve, visit: Visit) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED, marks=3, picture_size=400)
    visitor = visit("", touch=True, choose=lambda trial, names: "fake")
    visitor.window(390, 844, ratio=3)
    visitor.driver.get(server.link())
    to_marks(visitor)
    box, pen = visitor.board(), {"button": "left", "clickCount": 1, "pointerType": "pen"}
    for x, y in PLACES:
        at = {"x": box["left"] + x * box["width"], "y": box["top"] + y * box["height"]}
        for kind in ("mousePressed", "mouseReleased"):
            visitor.cdp("Input.dispatchMouseEvent", type=kind, **at, **pen)
    visitor.press("continue")
    trial = to_marks(visitor)
    swipe = {"touchStart": [{"x": 150, "y": 350}], "touchMove": [{"x": 150, "y": 280}], "touchEnd": []}
    for kind, points in swipe.items():
        visitor.cdp("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    visitor.cdp("Input.synthesizePinchGesture", x=150, y=350, scaleFactor=2.0)
    view = "const {scale, offsetLeft, offsetTop} = visualViewport; return [scale, offsetLeft, offsetTop]"
    scale, left, top = visitor.script(view)
    assert scale > 1.5, "the picture can be enlarged by two fingers"
    assert len(visitor.script("return [...document.querySelectorAll('.place')]")) == 0, "not a mark, nor is a swipe"
    box, places = visitor.board(), ((0.3, 0.4), (0.45, 0.5))  # the protocol's points move with the view, unscaled
    for x, y in places:
        place = {"x": box["left"] + x * box["width"] - left, "y": box["top"] + y * box["height"] - top}
        visitor.cdp("Input.dispatchTouchEvent", type="touchStart", touchPoints=[place])
        visitor.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    visitor.script("document.querySelector('[data-action=continue]').click()")
    visitor.wait(lambda hooks: hooks.get("trial") == str(trial + 1))
    rows = server.rows(tables.MARKS)
    assert [row["mark"] for row in rows] == [1, 2, 3, 1, 2]
    for row, (x, y) in zip(rows, PLACES + places, strict=True):
        assert abs(row["x"] - x) * box["width"] <= 1
        assert abs(row["y"] - y) * box["height"] <= 1
