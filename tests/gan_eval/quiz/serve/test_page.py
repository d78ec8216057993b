"""The page in a real browser: whole sessions, and what may happen to them."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gan_eval import tables
from gan_eval.quiz.protocol import OPPOSITE
from gan_eval.stimuli.pictures import write_png
from gan_eval.stimuli.sets import stimulus_row, write_set
from gan_eval.store import open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

webdriver = pytest.importorskip("selenium.webdriver")
from visitor import Visitor, by_turns  # noqa: E402 - needs selenium

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(BROWSER is None or DRIVER is None, reason="needs chromium and chromedriver on the PATH"),
    pytest.mark.slow,
]
SIZE = (72, 96)
"""Height and width of the pictures."""


def make_sets(folder: Path) -> None:
    """Two sets: `tiles` with two models, and `obvious` for catch trials."""
    generator = np.random.default_rng(1)
    for name, items, models in (("tiles", 8, ("ma", "mb")), ("obvious", 2, ("ma",))):
        rows: list[Row] = []
        for number in range(items):
            for model in (None, *models):
                file = folder / name / (model or "real") / f"{number}.png"
                write_png(file, generator.integers(0, 256, (*SIZE, 3), dtype=np.uint8))
                rows.append(
                    stimulus_row(
                        folder / name,
                        file,
                        kind="fake" if model else "real",
                        dataset=name,
                        stem=str(number),
                        size=SIZE,
                        model=model,
                        reference_file=f"real/{number}.png" if model else None,
                    )
                )
        write_set(folder / name, rows)


def toml(value: Any) -> str:
    """A value in TOML; its strings, numbers and truths are those of JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


class Server:
    """`gan-eval serve` as a process of its own."""

    def __init__(self, folder: Path, *options: str, **quiz: Any) -> None:
        make_sets(folder)
        quiz = {"real": 2, "fake": 2, "pairs": 3, "blank_ms": 100, "feedback_ms": 300, **quiz}
        stimuli = {"sets": ["tiles"], "catch_sets": ["obvious"] if quiz.get("catch") else []}
        study = {"study": {"name": "tiles", "seed": 5}, "stimuli": stimuli, "quiz": quiz}
        lines = [f"{name} = {toml(value)}" for name, value in study.items()]
        (folder / "study.toml").write_text("\n".join(lines), encoding="utf-8")
        self.folder, self.options = folder, options
        self.port = 0
        self.start()

    def start(self) -> None:
        """Serve; after the first time on the same port."""
        command = [sys.executable, "-m", "gan_eval", "serve", "study.toml", "--out", "out", "--port", str(self.port)]
        with (self.folder / "stderr").open("ab") as errors:
            self.process = subprocess.Popen(
                [*command, *self.options], cwd=self.folder, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("serving tiles at "), (self.folder / "stderr").read_text()
        self.url = line.split()[-1]
        self.port = int(self.url.rpartition(":")[2])

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process, if it has not ended."""
        self.process.send_signal(how)
        self.process.communicate(timeout=10)

    def link(self, participant: str = "P01", more: str = "") -> str:
        """A participant's link."""
        return f"{self.url}/?participant={participant}{more}"

    def rows(self, table: Table, **equal: Any) -> list[Row]:
        """Rows of the store."""
        with open_store(self.folder / "out" / "store.sqlite") as store:
            return store.rows(table, **equal)

    def answers(self) -> dict[int, str]:
        """The stored answer of each trial, by the name of its button."""
        return {row["trial"]: answered(row) for row in self.rows(tables.TRIALS)}


def answered(row: Row) -> str:
    """The button that a stored answer belongs to."""
    if row["choice"] in ("a", "b"):
        return str(row["position"] if row["choice"] == "a" else OPPOSITE[row["position"]])
    return str(row["choice"] or row["response"] or int(row["rating"]))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Serve a study with these settings of the quiz."""
    with ExitStack() as stack:

        def start(*options: str, **quiz: Any) -> Server:
            server = Server(tmp_path, *options, **quiz)
            stack.callback(server.end)
            return server

        yield start
        errors = tmp_path / "stderr"
        assert "Traceback" not in (errors.read_text() if errors.exists() else "")


def start_chromium() -> Any:
    """Start a browser without a screen; nothing is downloaded."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1366,768"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.binary_location = BROWSER
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser of these tests."""
    driver = start_chromium()
    yield driver
    driver.quit()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Visitor]]:
    """A participant in a tab of their own; no script failed and nothing was blocked in it."""
    home = chromium.current_window_handle
    visitors: list[Visitor] = []

    def visit(**how: Any) -> Visitor:
        visitors.append(Visitor(chromium, **how))
        return visitors[-1]

    yield visit
    expected = {part for visitor in visitors for part in visitor.expected}
    log = [entry["message"] for entry in chromium.get_log("browser")]
    for handle in chromium.window_handles:
        if handle != home:
            chromium.switch_to.window(handle)
            chromium.close()
    chromium.switch_to.window(home)
    assert [line for line in log if not any(part in line for part in expected)] == []


QUESTIONS = [
    {"id": "age", "text": "How old are you?"},
    {"id": "expert", "text": "Do you work with pictures?", "choices": ["yes", "no"]},
    {"id": "notes", "text": "Anything else?", "required": False},
]
CHECKS = {"checks": [{"text": "What do you judge?", "choices": ["sounds", "pictures"], "answer": "pictures"}]}
ANSWERS = {"How old": "30", "work with pictures": "no", "What do you judge": "pictures"}
QUIZZES: dict[str, dict[str, Any]] = {
    "everything": {
        "protocol": "quick_response", "exposure_ms": 150, "response_ms": 1500, "mask": "noise", "practice": 2,
        "confidence": 4, "catch": 1, "break_every": 4, "questions": QUESTIONS, "browser": CHECKS,
    },
    "quick_response": {"protocol": "quick_response", "response_ms": 1500, "break_every": 2},
    "yes_no": {"protocol": "yes_no", "exposures_ms": [100, "until-answer"], "response_ms": 1500, "catch": 2},
    "paired": {"protocol": "paired", "response_ms": 1500},
    "in_turn": {
        "protocol": "paired", "layout": "one_after_other", "exposure_ms": 200, "response_ms": 1500,
        "mask": "scramble", "practice": 1, "counterbalance_keys": True,
    },
    "staircase": {"protocol": "staircase", "response_ms": 1500, "confidence": 3, "language": "de"},
    "quest_plus": {"protocol": "quest_plus", "response_ms": 1500, "practice": 1},
    "model_vs_model": {"protocol": "model_vs_model", "response_ms": 1500, "practice": 1, "break_every": 2},
    "rating": {"protocol": "rating", "response_ms": "unlimited", "grades": 7, "confidence": 9, "practice": 1},
}  # fmt: skip
"""All protocols, and what else a session may have."""
ALWAYS = [("everything", False), ("paired", True)]
"""Sessions that are not left to the night."""
SESSIONS = [
    pytest.param(
        quiz,
        touch,
        id=f"{name}-{'touch' if touch else 'keys'}",
        marks=[] if (name, touch) in ALWAYS else [pytest.mark.nightly],
    )
    for name, quiz in QUIZZES.items()
    for touch in (False, True)
]


@pytest.mark.parametrize(("quiz", "touch"), SESSIONS)
def test_a_whole_session(
    serve: Callable[..., Server], visit: Callable[..., Visitor], quiz: dict[str, Any], touch: bool
) -> None:
    """Sit through a session by keys, and by touch on a phone: what is stored is what was pressed."""
    server = serve(**quiz)
    silent = 3 if quiz["response_ms"] != "unlimited" else None

    def choose(trial: int, names: list[str]) -> str | None:
        return None if trial == silent else names[trial % len(names)]

    visitor = visit(touch=touch, choose=choose, answers=ANSWERS)
    visitor.driver.get(server.link(more="&STUDY_ID=s1"))
    assert visitor.walk()["page"] == "end"
    stored = server.rows(tables.TRIALS)
    assert server.answers() == visitor.given
    assert {row["trial"]: row["confidence"] for row in stored if row["confidence"]} == visitor.confidence
    (session,) = server.rows(tables.SESSIONS)
    assert (session["presenter"], session["status"]) == ("browser", "complete")
    given = {row["question"]: row["answer"] for row in server.rows(tables.PARTICIPANTS)}
    assert given == {"STUDY_ID": "s1", **({"age": "30", "expert": "no", "notes": None} if "questions" in quiz else {})}
    check_pages(visitor, quiz)
    check_states(visitor, stored, quiz)


def check_pages(visitor: Visitor, quiz: dict[str, Any]) -> None:
    """The pages come in their order."""
    first = [page for page in visitor.pages if page not in ("trial", "confidence", "feedback", "break")]
    questions = ["questions"] if "questions" in quiz else []
    assert first == ["welcome", "consent", *questions, "instructions", "keys", "ready", "end"]
    feedback = quiz.get("practice") and quiz["protocol"] not in ("model_vs_model", "rating")  # where there is a truth
    wanted = {"confidence": quiz.get("confidence"), "feedback": feedback, "break": quiz.get("break_every")}
    for page, there in wanted.items():
        assert (page in visitor.pages) == bool(there or (page == "break" and quiz.get("practice"))), page


def check_states(visitor: Visitor, stored: list[Row], quiz: dict[str, Any]) -> None:
    """Every trial runs from waiting to saving, and its hooks name the row that is stored."""
    in_turn = quiz.get("layout") == "one_after_other"
    for row in stored:
        seen = [hooks for hooks in visitor.seen if hooks.get("trial") == str(row["trial"])]
        assert {hooks["phase"] for hooks in seen} == {row["phase"]}
        states = [hooks["state"] for hooks in seen if hooks["page"] == "trial" and "state" in hooks]
        states = [state for state, before in zip(states, [None, *states], strict=False) if state != before]
        assert states[:2] == ["waiting", "shown"], states
        assert states.count("shown") == (2 if in_turn else 1), states
        assert "saving" in states[-3:], states


UNTIL_ANSWERED = {"protocol": "quick_response", "response_ms": "unlimited", "real": 3, "fake": 3}
"""Trials that wait."""


def begun(visitor: Visitor, link: str, trial: int = 2) -> None:
    """Sit until this trial's picture is on the screen and its onset is stored."""
    visitor.driver.get(link)
    visitor.walk(lambda hooks: (hooks.get("trial"), hooks.get("state")) == (str(trial), "shown"))
    time.sleep(0.2)


def flags(server: Server) -> dict[int, str]:
    """The flags of the trials that have some, without those of a machine that is slow at the moment."""
    rows = {
        row["trial"]: {*(row["flags"] or "").split()} - {"missed_frames", "late"} for row in server.rows(tables.TRIALS)
    }
    return {trial: " ".join(sorted(those)) for trial, those in rows.items() if those}


def test_a_reload_and_a_second_browser(serve: Callable[..., Server], visit: Callable[..., Visitor]) -> None:
    """Reload in mid-trial: it continues at the next trial; open the link elsewhere: the first page is refused."""
    server = serve(**{**UNTIL_ANSWERED, "real": 2, "fake": 2})
    first = visit(expected=("409",))
    begun(first, server.link())
    first.driver.refresh()
    first.page("resume")
    first.walk(lambda hooks: (hooks.get("trial"), hooks.get("state")) == ("3", "shown"))
    assert server.answers() == {1: first.given[1], 2: "none"}
    assert flags(server)[2] in ("killed", "hidden_tab")
    second = visit()
    second.driver.get(server.link())
    second.walk(lambda hooks: (hooks.get("trial"), hooks.get("state")) == ("4", "shown"))
    with first.there():
        first.reply("fake")
        first.page("refused")
        assert "another" in first.text
    second.walk()
    assert server.answers() == {1: first.given[1], 2: "none", 3: "none", **second.given}
    second.driver.refresh()
    assert second.page("end")


@pytest.mark.nightly
def test_a_restarted_server_is_not_noticed(serve: Callable[..., Server], visit: Callable[..., Visitor]) -> None:
    """Kill the server in mid-trial, answer, and start it again: the page continues alone and nothing is flagged."""
    server = serve(**UNTIL_ANSWERED)
    visitor = visit(expected=("ERR_CONNECTION_REFUSED",))
    begun(visitor, server.link())
    server.end(signal.SIGKILL)
    visitor.given[2] = "real"
    visitor.reply("real")
    assert visitor.state("saving")["trial"] == "2"
    server.start()
    assert visitor.walk()["page"] == "end"
    assert (server.answers(), flags(server)) == (visitor.given, {})
    assert len(visitor.given) == 6


@pytest.mark.nightly
@pytest.mark.parametrize("closed", [False, True], ids=["waiting", "closed"])
def test_an_answer_without_a_network_arrives_once(
    serve: Callable[..., Server], visit: Callable[..., Visitor], closed: bool
) -> None:
    """Answer while the network is down: it is delivered afterwards, also by another tab where this one was closed."""
    server = serve(**UNTIL_ANSWERED)
    visitor = visit(expected=("ERR_INTERNET_DISCONNECTED",))
    begun(visitor, server.link())
    visitor.offline(True)
    visitor.given[2] = "fake"
    visitor.reply("fake")
    visitor.state("saving")
    time.sleep(3)
    assert visitor.hooks["state"] == "saving"
    assert "onnection" in visitor.text
    if closed:
        again = visit(given=visitor.given)
        with visitor.there():
            visitor.driver.close()
        again.driver.get(server.link())
        again.page("resume")
        visitor = again
    else:
        visitor.offline(False)
    visitor.walk()
    assert (server.answers(), flags(server)) == (visitor.given, {3: "resumed"} if closed else {})


@pytest.mark.nightly
@pytest.mark.parametrize("touch", [False, True], ids=["keys", "touch"])
def test_pause_and_save_and_quit(serve: Callable[..., Server], visit: Callable[..., Visitor], touch: bool) -> None:
    """Pause a trial and continue; pause, save and quit, and come back."""
    server = serve(**UNTIL_ANSWERED)
    visitor = visit(touch=touch)
    begun(visitor, server.link())
    visitor.pause()
    visitor.go_on()
    visitor.walk(lambda hooks: (hooks.get("trial"), hooks.get("state")) == ("4", "shown"))
    visitor.pause()
    visitor.press("save-and-quit")
    visitor.page("end")
    assert [row["status"] for row in server.rows(tables.SESSIONS)] == ["open"]
    visitor.driver.get(server.link())
    visitor.page("resume")
    assert visitor.walk()["page"] == "end"
    assert server.answers() == {**visitor.given, 2: "none", 4: "none"}
    assert flags(server) == {2: "paused", 4: "paused", 5: "resumed"}


@pytest.mark.nightly
@pytest.mark.parametrize("forget", [False, True])
def test_withdraw(serve: Callable[..., Server], visit: Callable[..., Visitor], forget: bool) -> None:
    """Withdraw with and without deletion; the link then shows the end."""
    server = serve(**UNTIL_ANSWERED)
    visitor = visit()
    begun(visitor, server.link())
    visitor.pause()
    visitor.press("withdraw")
    assert visitor.hooks["page"] == "paused"
    if forget:
        visitor.script("document.querySelector('[name=forget]').click()")
    visitor.press("withdraw")
    visitor.page("end")
    assert [row["status"] for row in server.rows(tables.SESSIONS)] == ([] if forget else ["aborted"])
    assert len(server.rows(tables.TRIALS)) == (0 if forget else 2)
    visitor.driver.refresh()
    visitor.page("welcome" if forget else "end")


@pytest.mark.nightly
def test_leave_before_consent(serve: Callable[..., Server], visit: Callable[..., Visitor]) -> None:
    """Decline: nothing is stored, the study's code is shown, and the code that the browser made for itself is kept."""
    server = serve(**UNTIL_ANSWERED, browser={"declined_code": "NO-1"})
    visitor = visit()
    visitor.driver.get(server.url)
    visitor.page("welcome")
    (code,) = re.findall(r"Participant (W\w{11})", visitor.text)
    visitor.go_on()
    visitor.page("consent")
    visitor.press("back")
    visitor.page("welcome")
    visitor.go_on()
    visitor.page("consent")
    visitor.press("exit")
    visitor.page("end")
    assert "NO-1" in visitor.text
    assert server.rows(tables.SESSIONS) == []
    visitor.driver.refresh()
    visitor.page("welcome")
    assert code in visitor.text


@pytest.mark.nightly
def test_comprehension_has_two_attempts(serve: Callable[..., Server], visit: Callable[..., Visitor]) -> None:
    """Fail twice: screened out with the code; a correct second attempt continues."""
    server = serve(**UNTIL_ANSWERED, browser={**CHECKS, "screened_out_code": "OUT-1"})
    wrong = {"What do you judge": "sounds"}
    for code, second, page in (("P01", wrong, "refused"), ("P02", ANSWERS, "keys")):
        visitor = visit(answers=wrong)
        visitor.driver.get(server.link(code))
        visitor.walk(lambda hooks: hooks.get("page") == "instructions")
        visitor.go_on()
        for answers in (wrong, second):
            visitor.answers = answers
            visitor.fill_in()
            visitor.go_on()
            time.sleep(0.3)
        visitor.page(page)
        assert ("OUT-1" in visitor.text) == (page == "refused")


@pytest.mark.nightly
def test_without_an_introduction_and_with_a_cyrillic_keyboard(
    serve: Callable[..., Server], visit: Callable[..., Visitor]
) -> None:
    """`--no-intro` begins with the first trial; keys of another alphabet count by their place."""
    server = serve("--no-intro", **UNTIL_ANSWERED)
    visitor = visit()
    visitor.driver.get(server.link())
    places = {"real": ("о", "KeyJ"), "fake": ("а", "KeyF")}
    for trial in range(1, 7):
        visitor.wait(lambda hooks, trial=trial: (hooks.get("trial"), hooks.get("state")) == (str(trial), "shown"))  # type: ignore[misc]
        time.sleep(0.12)
        visitor.given[trial] = by_turns(trial, list(places))
        key, code = places[visitor.given[trial]]
        visitor.key(key, code=code)
    visitor.page("end")
    assert {hooks["page"] for hooks in visitor.seen} - {""} == {"trial", "end"}
    assert server.answers() == visitor.given


@pytest.mark.nightly
@pytest.mark.parametrize("ratio", [1, 1.25, 1.5, 2, 2.625, 3])
def test_pictures_are_shown_pixel_by_pixel(
    serve: Callable[..., Server], visit: Callable[..., Visitor], ratio: float
) -> None:
    """Pictures are in the middle at their size in device pixels; the 12 pixels around them have one colour."""
    server = serve("--no-intro", **UNTIL_ANSWERED)
    for number, (width, height) in enumerate(((1366, 768), (1367, 767), (1003, 801))):
        visitor = visit()
        visitor.window(width, height, ratio=ratio)
        visitor.driver.get(server.link(f"P{number}"))
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
    serve: Callable[..., Server], visit: Callable[..., Visitor], window: tuple[int, int], ratio: float, size: int
) -> None:
    """Show a picture that leaves no room below: the buttons are next to it, and nothing is drawn around it."""
    server = serve("--no-intro", **UNTIL_ANSWERED, picture_size=size)
    visitor = visit()
    visitor.window(*window, ratio=ratio)
    visitor.driver.get(server.link())
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


@pytest.mark.parametrize("touch", [False, True], ids=["keys", "touch"])
def test_a_second_press_of_the_last_answer_finds_no_button_of_the_next_page(
    serve: Callable[..., Server], visit: Callable[..., Visitor], touch: bool
) -> None:
    """Answer before a break and before the end: their pages come half a second after the press."""
    server = serve(**{**UNTIL_ANSWERED, "real": 1, "fake": 1, "break_every": 1})
    visitor = visit(touch=touch)
    visitor.driver.get(server.link())
    assert visitor.walk()["page"] == "end"
    for page in ("break", "end"):
        place = next(place for place, hooks in enumerate(visitor.seen) if hooks["page"] == page)
        saving = [hooks for hooks in visitor.seen[:place] if hooks.get("state") == "saving"]
        trial = saving[-1]["trial"]
        answered = min(float(hooks["at"]) for hooks in saving if hooks["trial"] == trial)
        assert 400 < float(visitor.seen[place]["at"]) - answered < 2000


@pytest.mark.parametrize("language", ["en", "de"])
def test_by_touch_nothing_is_said_of_keys(
    serve: Callable[..., Server], visit: Callable[..., Visitor], language: str
) -> None:
    """Read all that a phone shows, up to the question after a flash: no key is named, and buttons have no letters."""
    more = {"protocol": "paired", "exposure_ms": 100, "confidence": 3, "language": language}
    server = serve(**{**UNTIL_ANSWERED, **more})
    visitor = visit(touch=True)
    visitor.driver.get(server.link())
    said = {}
    for page in ("instructions", "keys", "ready"):
        visitor.walk(lambda hooks, page=page: hooks.get("page") == page)  # type: ignore[misc]
        said[page] = visitor.text
    visitor.walk(lambda hooks: hooks.get("trial") == "1")
    visitor.state("hidden")
    visitor.wait(lambda _: visitor.script("return document.querySelector('.headline').matches('.seen')"))
    said["trial"] = visitor.text
    for page, text in said.items():
        assert not re.search(r"\bkeys?\b|\bpress|\bEsc\b|Tast(e|en)\b|drücken", text, re.IGNORECASE), (page, text)
        assert not re.search(r"\b[FJ]\b", text), (page, text)
    assert re.search("tap a button|Tippen Sie bei jedem Paar auf", said["instructions"])


def test_a_photodiodes_patch_is_white_while_a_picture_is_shown(
    serve: Callable[..., Server], visit: Callable[..., Visitor]
) -> None:
    """The corner has 48 x 48 device pixels, as on the desktop; black before the onset and after the offset."""
    server = serve("--no-intro", **UNTIL_ANSWERED, corner_patch=True, blank_ms=1500)
    visitor = visit()
    visitor.window(800, 600, ratio=2)
    visitor.driver.get(server.link())
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
def test_after_a_reload_the_first_flash_has_the_frames_of_a_faster_display(
    serve: Callable[..., Server], visit: Callable[..., Visitor]
) -> None:
    """With 144 frames a second, a flash of 100 ms is 14 of them, before and after a reload."""
    server = serve(protocol="quick_response", exposure_ms=100, response_ms="unlimited")
    visitor = visit()
    visitor.cdp("Page.addScriptToEvaluateOnNewDocument", source=FAST_DISPLAY)
    begun(visitor, server.link())
    visitor.driver.refresh()
    visitor.page("resume")
    visitor.walk()
    rows = [row for row in server.rows(tables.TRIALS) if row["trial"] != 2]  # it was on the screen at the reload
    assert [row["planned_exposure_ms"] for row in rows] == [pytest.approx(14000 / 144, abs=0.5)] * 3
    assert min(row["exposure_ms"] for row in rows) > 13500 / 144


@pytest.mark.nightly
def test_a_window_that_is_too_small_for_the_study_may_be_enlarged(
    serve: Callable[..., Server], visit: Callable[..., Visitor]
) -> None:
    """The page before the first trial names both sizes; who starts all the same is screened out."""
    browser = {"smallest_window": [900, 700], "screened_out_code": "OUT-1"}
    server = serve(**UNTIL_ANSWERED, browser=browser)
    for code, larger in (("P01", True), ("P02", False)):
        visitor = visit()
        visitor.window(800, 600)
        visitor.driver.get(server.link(code))
        visitor.walk(lambda hooks: hooks.get("page") == "ready")
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
let waiting = [];
window.requestAnimationFrame = (callback) => {
  if (!waiting.length) setTimeout(tick, FRAME - (performance.now() % FRAME));
  return waiting.push(callback);
};
function tick() {
  const time = Math.round(performance.now() / FRAME) * FRAME;
  const callbacks = waiting;
  waiting = [];
  for (const callback of callbacks) callback(time);
}
"""
"""Frames come 144 times a second, whatever the display does."""


@pytest.mark.nightly
def test_a_window_that_becomes_too_small_is_waited_for(
    serve: Callable[..., Server], visit: Callable[..., Visitor]
) -> None:
    """Shrink the window in the blank before a trial: the page names both sizes, and continues in a larger window."""
    server = serve("--no-intro", **UNTIL_ANSWERED, picture_size=300, blank_ms=1500)
    visitor = visit()
    visitor.window(800, 700)
    visitor.driver.get(server.link())
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
def test_degrees_follow_from_the_bank_card(serve: Callable[..., Server], visit: Callable[..., Visitor]) -> None:
    """Fit the card on the screen: the rectangle follows the slider, and pictures get the width in degrees."""
    server = serve(**UNTIL_ANSWERED, picture_size="4 deg", viewing_distance_cm=60)
    visitor = visit()
    visitor.window(1366, 768, ratio=2)
    visitor.driver.get(server.link())
    visitor.walk(lambda hooks: hooks.get("page") == "ready")
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


@pytest.mark.nightly
def test_no_kill_loses_an_acknowledged_answer(
    serve: Callable[..., Server], visit: Callable[..., Visitor], pytestconfig: pytest.Config
) -> None:
    """Kill the server, reload or close the page at random moments: every acknowledged answer is stored, once."""
    generator = np.random.default_rng(3)
    server = serve(**{**UNTIL_ANSWERED, "real": 4, "fake": 4})
    kills, number = pytestconfig.getoption("--kills"), 0
    while kills > 0:
        number += 1
        link = server.link(f"P{number}")
        visitor = visit(expected=("ERR_CONNECTION", "ERR_EMPTY", "ERR_SOCKET"))
        visitor.driver.get(link)
        visitor.walk(lambda hooks: hooks.get("trial") is not None)
        while True:
            ends = time.monotonic() + generator.uniform(0, 1.5)
            hooks = visitor.walk(lambda _, ends=ends: time.monotonic() > ends)  # type: ignore[misc]
            if hooks.get("page") == "end":
                break
            kills -= 1
            how = generator.choice(["server", "reload", "close"])
            if how == "server":
                server.end(signal.SIGKILL)
                server.start()
                continue
            visitor.given.pop(int(hooks.get("trial", 0)), None)  # not acknowledged; its trial may come once more
            if how == "reload":
                visitor.driver.refresh()
            else:
                again = visit(given=visitor.given)
                with visitor.there():
                    visitor.driver.close()
                visitor = again
                visitor.driver.get(link)
        (session,) = server.rows(tables.SESSIONS, participant=f"P{number}")
        stored = {row["trial"]: answered(row) for row in server.rows(tables.TRIALS, session=session["session"])}
        assert session["status"] == "complete"
        assert sorted(stored) == list(range(1, 9))
        assert {trial: stored[trial] for trial in visitor.given} == visitor.given
