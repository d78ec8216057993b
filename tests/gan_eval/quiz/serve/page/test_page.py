"""The page in a real browser: whole sessions, and what may happen to them."""

import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from gan_eval import tables
from gan_eval.store import open_store, pause
from gan_eval.tables.frames import Row

pytest.importorskip("selenium.webdriver")
from page_server import NEEDS_BROWSER, UNTIL_ANSWERED, Serve, answered, flags
from visitor import Visit, Visitor, by_turns

pytestmark = NEEDS_BROWSER

QUESTIONS = [
    {"id": "age", "text": "How old are you?"},
    {"id": "expert", "text": "Do you work with pictures?", "choices": ["yes", "no"]},
    {"id": "notes", "text": "Anything else?", "required": False},
]
CHECKS = {"checks": [{"text": "What do you judge?", "choices": ["sounds", "pictures"], "answer": "pictures"}]}
ANSWERS = {"How old": "30", "work with pictures": "no", "What do you judge": "pictures"}
QUIZZES: dict[str, dict[str, Any]] = {
    "everything": {
        "protocol": "quick_response", "exposure_ms": 150, "response_ms": 1500, "mask": "noise", "practice": 1,
        "confidence": 4, "catch": 1, "break_every": 4, "questions": QUESTIONS, "browser": CHECKS,
    },
    "yes_no": {"protocol": "yes_no", "exposures_ms": [100, "until-answer"], "response_ms": 1500, "catch": 2},
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
SESSIONS = [
    pytest.param(
        quiz,
        touch,
        id=f"{name}-{'touch' if touch else 'keys'}",
        marks=[] if (name, touch) == ("everything", False) else [pytest.mark.nightly],
    )
    for name, quiz in QUIZZES.items()
    for touch in (False, True)
]


@pytest.mark.parametrize(("quiz", "touch"), SESSIONS)
def test_a_whole_session(serve: Serve, visit: Visit, quiz: dict[str, Any], touch: bool) -> None:
    server = serve(**quiz)
    silent = 3 if quiz["response_ms"] != "unlimited" else None

    def choose(trial: int, names: list[str]) -> str | None:
        return None if trial == silent else names[trial % len(names)]

    visitor = visit(server.link(more="&STUDY_ID=s1"), touch=touch, choose=choose, answers=ANSWERS)
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


@pytest.mark.nightly
def test_a_reload_and_a_second_browser(serve: Serve, visit: Visit) -> None:
    server = serve(**{**UNTIL_ANSWERED, "real": 2, "fake": 2})
    first = visit(server.link(), expected=("409",))
    first.begin(2)
    first.driver.refresh()
    first.page("resume")
    first.begin(3)
    assert server.answers() == {1: first.given[1], 2: "none"}
    assert flags(server)[2] in ("killed", "hidden_tab")
    second = visit(server.link())
    second.begin(4)
    with first.there():
        first.reply("fake")
        first.page("refused")
        assert "another" in first.text
    second.walk()
    assert server.answers() == {1: first.given[1], 2: "none", 3: "none", **second.given}
    second.driver.refresh()
    assert second.page("end")


@pytest.mark.nightly
@pytest.mark.parametrize("closed", [False, True], ids=["waiting", "closed"])
def test_an_answer_without_a_network_arrives_once(serve: Serve, visit: Visit, closed: bool) -> None:
    server = serve(**UNTIL_ANSWERED)
    visitor = visit(server.link(), expected=("ERR_INTERNET_DISCONNECTED",))
    visitor.begin(2)
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
@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"<html>no such host"), (403, b'{"error": "blocked"}'), (408, b""), (200, b"{}"), (401, b"null")],
)
def test_an_answer_is_kept_while_something_else_answers_at_the_address(
    serve: Serve, visit: Visit, status: int, body: bytes
) -> None:
    """A proxy whose server restarts, a network that asks for a login."""

    class Foreign(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = serve(**UNTIL_ANSWERED)
    visitor = visit(server.link(), expected=("Failed to load",))
    visitor.begin(2)
    server.kill()
    with ThreadingHTTPServer(("127.0.0.1", server.port), Foreign) as foreign:
        threading.Thread(target=foreign.serve_forever, daemon=True).start()
        visitor.given[2] = "fake"
        visitor.reply("fake")
        time.sleep(1)
        assert visitor.hooks["state"] == "saving"
        foreign.shutdown()
    server.start()
    visitor.walk()
    assert server.answers() == visitor.given


@pytest.mark.nightly
@pytest.mark.parametrize("touch", [False, True], ids=["keys", "touch"])
def test_pause_and_save_and_quit(serve: Serve, visit: Visit, touch: bool) -> None:
    server = serve(**UNTIL_ANSWERED)
    visitor = visit(server.link(), touch=touch)
    visitor.begin(2)
    visitor.pause()
    visitor.go_on()
    visitor.page("trial")
    visitor.begin(4)
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
def test_withdraw(serve: Serve, visit: Visit, forget: bool) -> None:
    server = serve(**UNTIL_ANSWERED)
    visitor = visit(server.url)
    visitor.page("welcome")
    code = visitor.text
    visitor.begin(2)
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
    if forget:
        assert visitor.text != code, "the next person at this browser gets another code"


@pytest.mark.nightly
def test_leave_before_consent(serve: Serve, visit: Visit) -> None:
    server = serve(**UNTIL_ANSWERED, browser={"declined_code": "NO-1"})
    visitor = visit(server.url)
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
def test_who_has_not_begun_is_not_said_to_continue(serve: Serve, visit: Visit) -> None:
    server = serve(**UNTIL_ANSWERED)
    with open_store(server.folder / "out" / "store.sqlite") as store:
        pause(store, "tiles", on=True)
    preview = f"{server.url}/?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=3X"  # a worker who has not accepted yet
    paused, nobody = "The study is paused", "no participant code of your own"
    for link, reason in ((server.link(), paused), (server.link("%40"), nobody), (preview, nobody)):
        visitor = visit(link, expected=("403", "422"))
        visitor.page("refused")
        assert "You cannot begin yet" in visitor.text
        assert "cannot continue" not in visitor.text
        assert reason in visitor.text


@pytest.mark.nightly
def test_comprehension_has_two_attempts(serve: Serve, visit: Visit) -> None:
    server = serve(**UNTIL_ANSWERED, browser={**CHECKS, "screened_out_code": "OUT-1"})
    wrong = {"What do you judge": "sounds"}
    for code, second, page in (("P01", wrong, "refused"), ("P02", ANSWERS, "keys")):
        visitor = visit(server.link(code), answers=wrong)
        visitor.walk_to("instructions")
        visitor.go_on()
        for answers in (wrong, second):
            visitor.answers = answers
            visitor.fill_in()
            visitor.go_on()
            time.sleep(0.3)
        visitor.page(page)
        assert ("OUT-1" in visitor.text) == (page == "refused")


KEY_CHECK = {"text": "What do you press for a photograph?", "choices": ["{fake}", "{real}"], "answer": "{real}"}


@pytest.mark.nightly
@pytest.mark.parametrize("touch", [False, True], ids=["keys", "touch"])
def test_the_instructions_and_the_check_show_a_persons_keys_or_buttons(serve: Serve, visit: Visit, touch: bool) -> None:
    server = serve(**UNTIL_ANSWERED, counterbalance_keys=True, browser={"checks": [KEY_CHECK]})
    for code, keys in (("P01", "FJ"), ("P02", "JF")):
        wanted = {"fake": "fake", "real": "real"} if touch else dict(zip(("fake", "real"), keys, strict=True))
        visitor = visit(server.link(code), touch=touch)
        visitor.walk_to("instructions")
        words = visitor.script("return [...document.querySelectorAll('.caps > *')].map((each) => each.innerText)")
        assert sorted(re.sub(r"\W+", " ", each).strip() for each in words) == sorted(
            name if touch else f"{key} {name}" for name, key in wanted.items()
        )
        visitor.answers = {KEY_CHECK["text"]: wanted["real"]}
        visitor.walk_to("keys")


@pytest.mark.nightly
def test_without_an_introduction_and_with_a_cyrillic_keyboard(serve: Serve, visit: Visit) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED)
    visitor = visit(server.link())
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
def test_an_answer_after_a_key_was_held_down_for_long_counts(serve: Serve, visit: Visit) -> None:
    server = serve("--no-intro", **UNTIL_ANSWERED)
    visitor = visit(server.link())
    visitor.state("shown")
    visitor.script(
        "for (let left = 150; left; left -= 1) dispatchEvent(new KeyboardEvent('keydown', {key: 'f', repeat: true}))"
    )
    visitor.begin(1)
    visitor.walk()
    assert server.answers() == visitor.given
    assert flags(server) == {1: "held_key"}


@pytest.mark.nightly
@pytest.mark.parametrize("touch", [True, False], ids=["touch", "keys"])
def test_a_second_press_of_the_last_answer_does_not_press_on_the_next(serve: Serve, visit: Visit, touch: bool) -> None:
    server = serve(**{**UNTIL_ANSWERED, "real": 1, "fake": 1, "break_every": 1})
    visitor = visit(server.link(), touch=touch)
    assert visitor.walk()["page"] == "end"
    for page in ("break", "end"):
        place = next(place for place, hooks in enumerate(visitor.seen) if hooks["page"] == page)
        saving = [hooks for hooks in visitor.seen[:place] if hooks.get("state") == "saving"]
        trial = saving[-1]["trial"]
        answered = min(float(hooks["at"]) for hooks in saving if hooks["trial"] == trial)
        assert 400 < float(visitor.seen[place]["at"]) - answered < 2000


@pytest.mark.nightly
def test_no_kill_loses_an_acknowledged_answer(serve: Serve, visit: Visit, pytestconfig: pytest.Config) -> None:
    generator = np.random.default_rng(3)
    server = serve(**{**UNTIL_ANSWERED, "real": 4, "fake": 4})
    kills, number = pytestconfig.getoption("--kills"), 0
    while kills > 0:
        number += 1
        link = server.link(f"P{number}")
        visitor = visit(link, expected=("ERR_CONNECTION", "ERR_EMPTY", "ERR_SOCKET"))
        visitor.walk(lambda hooks: hooks.get("trial") is not None)
        while True:
            ends = time.monotonic() + generator.uniform(0, 1.5)
            hooks = visitor.walk(lambda _, ends=ends: time.monotonic() > ends)  # type: ignore[misc]
            if hooks.get("page") == "end":
                break
            kills -= 1
            how = generator.choice(["server", "reload", "close"])
            if how == "server":
                server.kill()
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
