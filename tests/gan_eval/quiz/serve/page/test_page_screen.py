"""The screen of the page in a real browser: pixels, sizes, buttons, windows and words by touch."""

import re
import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gan_eval import tables

pytest.importorskip("selenium.webdriver")
from page_server import NEEDS_BROWSER, SIZE, UNTIL_ANSWERED, Serve
from visitor import Visit

pytestmark = NEEDS_BROWSER


@pytest.mark.nightly
@pytest.mark.parametrize("ratio", [1, 1.25, 1.5, 2, 2.625, 3])
def test_pictures_are_shown_pixel_by_pixel(serve: Serve, visit: Visit, ratio: float) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED)
    for number, (width, height) in enumerate(((1366, 768), (1367, 767), (1003, 801))):
        visitor = visit(server.link(f"P{number}"), window=(width, height), ratio=ratio)
        visitor.state("shown")
        time.sleep(0.1)
        (session,) = server.rows(tables.SESSIONS, participant=f"P{number}")
        (planned,) = server.rows(tables.PLANS, session=session["session"], trial=1)
        stimulus = planned["stimulus"].removeprefix("tiles/")
        picture = np.asarray(Image.open(server.folder / "tiles" / f"{stimulus}.png").convert("RGB"))
        screen = visitor.screenshot()
        (high, wide), (inner_high, inner_wide) = screen.shape[:2], picture.shape[:2]
        left, top = (wide - inner_wide) // 2, (high - inner_high) // 2
        places = [
            (top + down, left + right)
            for down in (0, 1) for right in (0, 1)
            if np.array_equal(screen[top + down :, left + right :][:inner_high, :inner_wide], picture)
        ]  # fmt: skip
        assert places, (width, height)
        assert_plain_around(screen, *places[0], *picture.shape[:2])


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("window", "ratio", "size"), [((1366, 768), 1, 900), ((844, 390), 3, 1400), ((683, 384), 2, 700)]
)
def test_buttons_beside_a_large_picture_keep_away_from_it(
    serve: Serve, visit: Visit, window: tuple[int, int], ratio: float, size: int
) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED, picture_size=size)
    visitor = visit(server.link(), window=window, ratio=ratio)
    visitor.state("shown")
    time.sleep(0.1)
    visitor.check_layout()
    screen, high = visitor.screenshot(), size * SIZE[0] // SIZE[1]
    top, left = (screen.shape[0] - high) // 2, (screen.shape[1] - size) // 2
    assert_plain_around(screen, top, left, high, size)
    visitor.reply("real")
    visitor.wait(lambda hooks: hooks.get("trial") == "2")


def assert_plain_around(screen: NDArray[np.uint8], top: int, left: int, high: int, wide: int) -> None:
    """The page has one colour 4 to 12 pixels around a picture."""
    around = screen[top - 12 : top + high + 12, left - 12 : left + wide + 12].copy()
    around[8:-8, 8:-8] = around[0, 0]
    assert (around == around[0, 0]).all()


@pytest.mark.nightly
@pytest.mark.parametrize("language", ["en", "de"])
def test_by_touch_nothing_is_said_of_keys(serve: Serve, visit: Visit, language: str) -> None:
    more = {"protocol": "paired", "exposure_ms": 100, "confidence": 3, "language": language}
    server = serve(**{**UNTIL_ANSWERED, **more})
    visitor = visit(server.link(), touch=True)
    said = {}
    for page in ("instructions", "keys", "ready"):
        visitor.walk_to(page)
        said[page] = visitor.text
    visitor.walk(lambda hooks: hooks.get("trial") == "1")
    visitor.state("hidden")
    visitor.wait(lambda _: visitor.script("return document.querySelector('.headline').matches('.seen')"))
    said["trial"] = visitor.text
    for page, text in said.items():
        assert not re.search(r"\bkeys?\b|\bpress|\bEsc\b|Tast(e|en)\b|drücken", text, re.IGNORECASE), (page, text)
        assert not re.search(r"\b[FJ]\b", text), (page, text)
    assert re.search("tap a button|Tippen Sie bei jedem Paar auf", said["instructions"])


TURNED_AWAY = [
    pytest.param({"touch": False, "screened_out_code": "OUT-1"}, "needs a computer with a keyboard", id="touch"),
    pytest.param(
        {"smallest_window": [900, 700], "screened_out_code": "OUT-1"}, "needs a larger window",
        id="window", marks=pytest.mark.nightly,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("browser", "reason"), TURNED_AWAY)
def test_a_phone_is_turned_away_before_anything_is_asked_or_stored(
    serve: Serve, visit: Visit, browser: dict[str, Any], reason: str
) -> None:
    server = serve(**UNTIL_ANSWERED, browser=browser)
    visitor = visit(server.link(), touch=True)
    visitor.page("refused")
    visitor.check_layout()
    assert visitor.pages == []
    assert reason in visitor.text
    assert "open the same link on a computer" in visitor.text
    assert "OUT-1" in visitor.text
    assert server.rows(tables.SESSIONS) == server.rows(tables.CHECKS) == []
    by_keys = visit(server.link(), window=(1280, 800))  # the same participant, at a computer
    by_keys.walk_to("ready")
    (session,) = server.rows(tables.SESSIONS)
    assert (session["participant"], session["list"], session["status"]) == ("P01", 1, "open")


@pytest.mark.nightly
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("browser", [{"touch": False}, {"smallest_window": [900, 700]}])
def test_pages_for_computers_say_so_and_nothing_of_touch(
    serve: Serve, visit: Visit, browser: dict[str, Any], language: str
) -> None:
    server = serve(**UNTIL_ANSWERED, browser=browser, language=language, marks=2)
    visitor = visit(server.link(), window=(1280, 800), choose=lambda trial, names: "fake")
    visitor.page("welcome")
    said = {"welcome": visitor.text}
    assert re.search("on a computer with a keyboard|auf einem Computer mit Tastatur", said["welcome"])
    for page in ("consent", "instructions", "keys", "ready"):
        visitor.walk_to(page)
        said[page] = visitor.text
    visitor.walk(lambda hooks: hooks.get("state") == "marking")
    said["marks"] = visitor.text
    for page, text in said.items():
        assert not re.search(r"\btap|\btouch|tippe", text, re.IGNORECASE), (page, text)


@pytest.mark.nightly
def test_where_phones_are_admitted_the_first_page_names_both(serve: Serve, visit: Visit) -> None:
    server = serve(**UNTIL_ANSWERED, browser={"smallest_window": [320, 480]})
    visitor = visit(server.link(), touch=True)
    visitor.page("welcome")
    assert "with a keyboard or by touch" in visitor.text
    visitor.walk(lambda hooks: hooks.get("state") == "shown")


@pytest.mark.nightly
@pytest.mark.parametrize("touch", [False, True])
def test_trying_the_keys_moves_no_button(serve: Serve, visit: Visit, touch: bool) -> None:
    visitor = visit(serve(**UNTIL_ANSWERED, confidence=4).link(), touch=touch)
    visitor.walk_to("keys")
    places = (
        "return [...document.querySelectorAll('button, .answer')].map((each) => each.getBoundingClientRect().toJSON())"
    )
    before = visitor.script(places)
    if not touch:
        visitor.key("x")
        visitor.key("3")
        assert visitor.script(places) == before
        ticks = "[...document.querySelectorAll('.levels > *')].map((each) => getComputedStyle(each, '::after'))"
        shown = visitor.script(f"return {ticks}.map((each) => [each.content, each.visibility])")
        assert shown == [['"✓"', "visible" if level == 3 else "hidden"] for level in (1, 2, 3, 4)]
    for answer in ("real", "fake"):
        visitor.reply(answer)
    assert "work" in visitor.script("return document.querySelector('.done').textContent")
    assert visitor.script(places) == before


@pytest.mark.nightly
def test_the_experimenter_sees_the_age_of_the_report_and_the_end(serve: Serve, visit: Visit) -> None:
    server = serve(**UNTIL_ANSWERED)
    assert server.process is not None
    assert server.process.stdout is not None
    (server.folder / "out" / "report.html").write_text("<title>Report</title>", encoding="utf-8")
    secret = server.process.stdout.readline().split()[1]
    visitor = visit(secret, expected=("ERR_CONNECTION_REFUSED",))
    visitor.script("window.confirm = () => true; document.querySelector('[data-act=stop]').click()")
    until = time.monotonic() + 20
    while "Stopped" not in visitor.text:
        assert time.monotonic() < until, visitor.text
    assert "Report (now)" in visitor.text
    server.process.wait(20)
    assert server._read_log().endswith("run study.toml --out out  # statistics and report\n")


@pytest.mark.nightly
def test_a_photodiodes_patch_is_white_while_a_picture_is_shown(serve: Serve, visit: Visit) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED, corner_patch=True, blank_ms=1500)
    visitor = visit(server.link(), window=(800, 600), ratio=2)
    found = []
    for state in ("shown", "waiting"):
        visitor.state(state)
        time.sleep(0.05)
        screen = visitor.screenshot()
        found.append(np.unique(screen[-48:, :48]).tolist())
        assert (screen[-52:-49, :52] == 128).all()
        visitor.reply("real")
    assert found == [[255], [0]]


@pytest.mark.nightly
def test_after_a_reload_the_first_flash_has_the_frames_of_a_faster_display(serve: Serve, visit: Visit) -> None:
    server = serve(protocol="quick_response", exposure_ms=100, response_ms="unlimited")
    visitor = visit()
    visitor.cdp("Page.addScriptToEvaluateOnNewDocument", source=FAST_DISPLAY)
    visitor.driver.get(server.link())
    visitor.begin(2)
    visitor.driver.refresh()
    visitor.page("resume")
    visitor.walk()
    rows = [row for row in server.rows(tables.TRIALS) if row["trial"] != 2]  # it was on the screen at the reload
    assert [row["planned_exposure_ms"] for row in rows] == [pytest.approx(14000 / 144, abs=0.5)] * 3
    assert min(row["exposure_ms"] for row in rows) > 13500 / 144


@pytest.mark.nightly
def test_a_window_that_is_too_small_for_the_study_may_be_enlarged(serve: Serve, visit: Visit) -> None:
    browser = {"smallest_window": [900, 700], "screened_out_code": "OUT-1"}
    server = serve(**UNTIL_ANSWERED, browser=browser)
    for code, larger in (("P01", True), ("P02", False)):
        visitor = visit(server.link(code), window=(800, 600))
        visitor.walk_to("ready")
        assert "at least 900 × 700 pixels; this one has 800 × 600" in visitor.text
        if larger:
            visitor.window(900, 700)
            time.sleep(0.3)
            assert "at least" not in visitor.text
        visitor.go_on()
        visitor.page("trial" if larger else "refused")
    assert "OUT-1" in visitor.text


FAST_DISPLAY = """
const FRAME = 1000 / 144;
let waiting = [], frame = 0;
window.requestAnimationFrame = (callback) => {
  if (!waiting.length) {
    frame = Math.max(frame, Math.floor(performance.now() / FRAME)) + 1;  // each frame once, though timers can be early
    setTimeout(tick, frame * FRAME - performance.now());
  }
  return waiting.push(callback);
};
function tick() {
  const callbacks = waiting;
  waiting = [];
  for (const callback of callbacks) callback(frame * FRAME);
}
"""
"""Frames come 144 times a second on every display."""


@pytest.mark.nightly
def test_a_window_that_becomes_too_small_is_waited_for(serve: Serve, visit: Visit) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED, picture_size=300, blank_ms=1500)
    visitor = visit(server.link(), window=(800, 700))
    visitor.state("shown")
    visitor.reply("real")
    visitor.wait(lambda hooks: (hooks.get("trial"), hooks.get("state")) == ("2", "waiting"))
    time.sleep(0.4)
    visitor.window(250, 700)
    time.sleep(2)
    assert visitor.hooks["state"] == "waiting"
    assert re.search(r"need 324 × \d{3} pixels, the window has 250 × 700", visitor.text)
    visitor.window(800, 700)
    visitor.state("shown")
    assert "too small" not in visitor.text


@pytest.mark.nightly
def test_degrees_follow_from_the_bank_card(serve: Serve, visit: Visit) -> None:
    server = serve(**UNTIL_ANSWERED, picture_size="4 deg", viewing_distance_cm=60)
    visitor = visit(server.link(), window=(1366, 768), ratio=2)
    visitor.walk_to("ready")
    widths = visitor.script(
        """
        const slider = document.querySelector("input[type=range]");
        slider.value = 400;
        slider.dispatchEvent(new Event("input"));
        return [...document.querySelectorAll(".card")].map((each) => each.offsetWidth);
        """
    )
    assert widths[-1] == 400 < widths[0]
    wanted = round(2 * 60 * np.tan(np.radians(2)) * 2 * 400 / 8.56)
    visitor.walk(lambda hooks: hooks.get("state") == "shown")
    (session,) = server.rows(tables.SESSIONS)
    shown = visitor.script("return document.querySelector('.plate img').getBoundingClientRect().width * 2")
    assert (session["picture_width_px"], round(shown)) == (wanted, wanted)


PLACES = """
const box = ({left, top, right, bottom}) => [left, top, right, bottom];
const range = document.createRange();
range.selectNodeContents(document.querySelector(".caption"));
const others = [...document.querySelectorAll(".plate.seen img, .answers button, .pause")];
return [box(range.getBoundingClientRect()), others.map((each) => box(each.getBoundingClientRect()))];
"""
SEEN = "return getComputedStyle(document.querySelector('.caption')).opacity"


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("window", "ratio", "size"),
    [((390, 844), 3, 768), ((1400, 900), 1, 512), ((1400, 900), 1, 1080), ((844, 390), 2, 400)],
)
def test_a_caption_appears_and_vanishes_with_its_picture_next_to_it(
    serve: Serve, visit: Visit, window: tuple[int, int], ratio: float, size: int
) -> None:
    more = {"picture_size": size, "show_caption": True, "caption": "a red house with a garden " * 8}
    server = serve("--no-intro", **{**UNTIL_ANSWERED, **more})
    visitor = visit(server.link(), window=window, ratio=ratio)
    visitor.state("waiting")
    assert visitor.script(SEEN) == "0"
    visitor.state("shown")
    time.sleep(0.1)
    assert visitor.script(SEEN) == "1"
    screen, high = visitor.screenshot(), size * SIZE[0] // SIZE[1]
    assert_plain_around(screen, (screen.shape[0] - high) // 2, (screen.shape[1] - size) // 2, high, size)
    (left, top, right, bottom), others = visitor.script(PLACES)
    assert 0 <= left < right <= window[0]
    assert 0 <= top < bottom <= window[1]
    for other in others:
        assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1], other
    visitor.reply("real")
    visitor.state("saving", "waiting")
    assert visitor.script(SEEN) == "0"


@pytest.mark.nightly
def test_two_pictures_share_a_caption(serve: Serve, visit: Visit) -> None:
    fits = {"protocol": "model_vs_model", "question": "fits", "exposure_ms": 300, "show_caption": True}
    server = serve("--no-intro", **{**UNTIL_ANSWERED, **fits}, caption="a red house")
    visitor = visit(server.link(), window=(1400, 900))
    visitor.begin(1)
    assert visitor.script("return document.querySelectorAll('.plate.seen img').length") == 2
    assert visitor.text.count("a red house") == 1
    visitor.state("hidden")
    assert "Which one fits the text better?" in visitor.text
    assert visitor.script(SEEN) == "0"
