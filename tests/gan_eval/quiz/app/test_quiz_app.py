"""The application off screen, with the keyboard alone: what is asked and stored, pauses, problems and the end."""

import math
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from app_sitting import SETTINGS, Sitting, diligent, pixels, said_by, words
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.quiz.app import application, stage
from gan_eval.quiz.app.pages import parts
from gan_eval.quiz.app.pages.end import EndPage
from gan_eval.quiz.app.pages.steps import QuestionPage
from gan_eval.quiz.app.stage import screen_key
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.station import Presentation, ScreenCheck, ScreenTiming, save_timing
from gan_eval.quiz.trial import State
from gan_eval.settings.quiz import QuestionSettings, QuizSettings
from gan_eval.store import Store

Sit = Callable[..., Sitting]

FULL = SETTINGS.model_copy(
    update={
        "practice": 1,
        "feedback_ms": 50.0,
        "break_every": 2,
        "questions": (
            QuestionSettings(id="age", text="How old are you?", choices=("18 to 29", "30 to 44")),
            QuestionSettings(id="work", text="What is your work?", required=False),
        ),
    }
)


class Thorough:
    """Answers everything that is asked, going back once, and rests in every break."""

    def __init__(self) -> None:
        self.went_back = False
        self.heard: list[str] = []
        self.end: list[str] = []
        """Texts of the end page."""

    def __call__(self, sitting: Sitting) -> None:
        page = sitting.page
        if isinstance(page, EndPage) and not self.end:
            self.end = [words(page), *said_by(page)]
            colours = pixels(page.grab().toImage()) @ np.array([1 << 16, 1 << 8, 1])
            assert len(np.unique(colours)) > 500, "the three noisy pictures are painted"
        elif page is not None and not isinstance(page, EndPage):
            self.heard += [*said_by(page), sitting.quiz.stage.shell.windowTitle(), sitting.quiz.stage.window.title()]
        match page:
            case QuestionPage() if page.choices and page.answer is None:
                sitting.key("2")
            case QuestionPage() if not page.choices and not self.went_back:
                self.went_back = True
                sitting.key(Qt.Key.Key_Escape)
            case QuestionPage():
                sitting.key(Qt.Key.Key_Return)
            case _:
                diligent(sitting)


def test_everything_that_is_asked_is_stored_and_no_page_before_the_end_gives_the_truth_away(sit: Sit) -> None:
    participant = Thorough()
    sitting = sit(FULL, text_size=150)
    assert sitting.run(participant) == "complete"
    assert sitting.seen == [
        *("welcome", "ConsentPage", *["QuestionPage"] * 4, "KeysPage"),
        *("practice", "counts", "break", "EndPage"),
    ]
    answers = {row["question"]: row["answer"] for row in sitting.rows(tables.PARTICIPANTS)}
    assert answers == {"age": "30 to 44", "work": None}
    (session,) = sitting.rows(tables.SESSIONS)
    reported = [session[name] for name in ("status", "presenter", "language", "text_size", "rounded")]
    assert reported == ["complete", "raster", "en", 150, False]
    assert session["screen_width"] > 0
    (consent,) = sitting.rows(tables.CONSENTS)
    assert (consent["version"], consent["given"]) == ("1", True)
    assert consent["text"] == FULL.consent.text
    trials = sitting.rows(tables.TRIALS)
    assert [row["phase"] for row in trials] == ["practice", *["main"] * 4]
    assert [row["response"] for row in trials] == ["fake"] * 5
    assert all(row["exposure_ms"] >= row["reaction_time_ms"] > 0 for row in trials)

    heard = " ".join(participant.heard)
    for asked in ("I agree", "How old are you?", "Now it counts", "Rest your eyes"):
        assert asked in heard, "the accessibility tree was read"
    for secret in ("secret", "hiddenmodel", "tiles", ".png"):
        assert secret not in heard
    assert {word for word in participant.heard if "quiz" in word.lower()} == {"Picture quiz"}

    assert "0 of 2 correct" in participant.end[0]
    assert "2 of 2 correct" in participant.end[0]
    practised, *lines = [word for word in participant.end if ", truth: " in word]
    assert practised.startswith("Practice, no. 1, truth: ")
    for number, (line, row) in enumerate(zip(lines, trials[1:], strict=True), start=1):
        assert line.startswith(f"No. {number}, truth: {row['kind']}, your answer: fake, ")
        assert ("correct" if row["correct"] else "wrong") in line


def test_where_nothing_is_correct_practice_does_not_promise_to_tell(sit: Sit) -> None:
    reported: list[str] = []

    def rate(sitting: Sitting) -> None:
        if sitting.page is not None and sitting.page.objectName() in ("practice", "counts"):
            reported.append(words(sitting.page))
        if sitting.page is None and sitting.session.state is State.CONFIDENCE:
            sitting.key("2")
        elif sitting.page is None and sitting.shows_picture:
            sitting.key("3")
        else:
            diligent(sitting)

    settings = QuizSettings(protocol="rating", real=1, fake=1, practice=1, blank_ms=100, confidence=3)
    sitting = sit(settings)
    assert sitting.run(rate) == "complete"
    assert "First comes practice (1 in all). It does not count." in reported[0]
    assert "From now on your answers count (2 in all)." in reported[-1]
    assert "correct" not in "".join(reported)
    assert [(row["rating"], row["confidence"]) for row in sitting.rows(tables.TRIALS)] == [(3, 2)] * 3


def test_a_session_in_german_and_a_line_about_small_pictures(sit: Sit) -> None:
    sitting = sit(language="de")
    width = sitting.quiz.stage.description()["screen_width"]
    assert sitting.run(diligent) == "complete"
    (line,) = sitting.session.warnings
    assert all(f" {size}" in line for size in (64, width))
    assert "--picture-size " in line
    assert sitting.rows(tables.SESSIONS)[0]["picture_width_px"] == 64
    assert "Jedes Bild ist zu sehen, bis Sie antworten, höchstens 2 Sekunden." in sitting.first_words
    assert sitting.rows(tables.SESSIONS)[0]["language"] == "de"
    assert sitting.rows(tables.CONSENTS)[0]["text"].startswith("Sie werden Bilder beurteilen.")


def test_messages_come_when_the_window_has_gone(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    class Quiz:
        stage = SimpleNamespace(close=lambda: events.append("closed"))

        def __init__(self, *_: Any, **__: Any) -> None: ...

        def run(self) -> str:
            events.append("run")
            return "complete"

    monkeypatch.setattr(application, "QuizApplication", Quiz)
    session: Any = SimpleNamespace(warnings=["small pictures"])
    library: Any = None
    application.run_application(session, library, SETTINGS, presentation=Presentation(), warn=events.append)
    assert events == ["run", "closed", "small pictures"]


def test_the_page_before_the_first_picture_has_the_note(sit: Sit) -> None:
    sitting = sit(note="Pictures are 640 pixels wide here.")
    shown: list[str] = []

    def act(sitting: Sitting) -> None:
        if sitting.page is not None:
            shown.append(f"{sitting.page.objectName()}: {words(sitting.page)}")
        diligent(sitting)

    assert sitting.run(act) == "complete"
    pages = {text.partition(":")[0] for text in shown if "Pictures are 640 pixels wide here." in text}
    assert pages == {"ready"}


def test_whole_frames_and_the_self_test_of_the_screen_are_kept_with_the_session(
    sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = (ScreenCheck("raster_lead", 0.4, "ms", "ok"),)
    timing = ScreenTiming("raster", False, 59.9, "2026-01-31T12:00:00Z", found)
    save_timing(screen_key(QApplication.primaryScreen()), timing)
    found_here = stage.choose_presenter  # off screen no swap waits, so nothing is rounded
    monkeypatch.setattr(stage, "choose_presenter", lambda *how: found_here(*how)._replace(frame_ms=1000 / 59.9))
    sitting = sit(SETTINGS.model_copy(update={"exposure_ms": 110.0}), intro=False)
    sitting.run(diligent)
    (session,) = sitting.rows(tables.SESSIONS)
    assert (session["refresh_hz"], session["rounded"]) == (59.9, True)
    for row in sitting.rows(tables.TRIALS):
        assert row["requested_exposure_ms"] == 110
        assert row["planned_exposure_ms"] == pytest.approx(7 * 1000 / 59.9)
    (check,) = sitting.rows(tables.CHECKS)
    assert (check["check"], check["value"], check["verdict"]) == ("raster_lead", 0.4, "ok")


def test_pictures_in_degrees_follow_from_the_screen(sit: Sit) -> None:
    settings = SETTINGS.model_copy(update={"picture_size": "4 deg", "screen_width_cm": 40.0})
    with pytest.raises(UserError, match="--viewing-distance-cm"):
        sit(settings).run(diligent)
    sitting = sit(settings, participant="P02", viewing_distance_cm=57.5)
    assert sitting.run(diligent) == "complete"
    (session,) = sitting.rows(tables.SESSIONS)
    pixels_per_cm = session["screen_width"] / 40
    assert session["picture_width_px"] == round(2 * 57.5 * math.tan(math.radians(2)) * pixels_per_cm)
    assert session["picture_width_deg"] == pytest.approx(4, abs=0.05)
    assert session["pixels_per_degree"] == pytest.approx(57.5 * math.radians(1) * pixels_per_cm, rel=1e-4)
    assert (session["pixels_per_mm"], session["viewing_distance_mm"]) == (pixels_per_cm / 10, 575)


def test_without_agreement_nothing_begins_and_nothing_is_stored(sit: Sit) -> None:
    presses = iter([Qt.Key.Key_Return, Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Escape])

    def refuse(sitting: Sitting) -> None:
        if sitting.page is not None and sitting.page.isActiveWindow():
            sitting.key(next(presses))

    sitting = sit()
    assert sitting.run(refuse) == "declined"
    assert sitting.seen == ["welcome", "ConsentPage", "welcome"]
    assert sitting.rows(tables.SESSIONS) == []


def test_escape_pauses_and_withdrawing_asks_first_and_keeps_the_trials(sit: Sit) -> None:
    presses = iter([Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Return, Qt.Key.Key_Return])
    reported: list[str] = []

    def pause_twice(sitting: Sitting) -> None:
        if sitting.page is not None and sitting.page.isEnabled():
            reported.append(words(sitting.page))
            sitting.key(next(presses))
        elif sitting.page is None and sitting.shows_picture:
            sitting.key("f" if len(sitting.session.done) == 1 else Qt.Key.Key_Escape)

    sitting = sit(intro=False)
    assert sitting.run(pause_twice) == "aborted"
    assert sitting.seen == ["pause", "pause"]
    assert "1 of 4 are done" in reported[0]
    assert "If you withdraw, your part ends" in reported[-1]
    trials = sitting.rows(tables.TRIALS)
    assert [row["response"] for row in trials] == ["none", "fake", "none"]
    assert trials[0]["flags"] == "paused"
    assert sitting.rows(tables.SESSIONS)[0]["status"] == "aborted"


def test_closing_the_window_leaves_the_session_open_for_that_person_alone(sit: Sit) -> None:
    def close(sitting: Sitting) -> None:
        if sitting.page is not None:
            sitting.quiz.stage.shell.close()
        elif sitting.shows_picture:
            if sitting.session.done:
                sitting.quiz.stage.window.close()
            else:
                sitting.key("f")

    def deny(sitting: Sitting) -> None:
        if sitting.page is not None and sitting.page.isActiveWindow():
            sitting.page.buttons.itemAt(2).widget().click()

    first = sit(intro=False)
    assert first.run(close) == "open"
    trials = first.rows(tables.TRIALS)
    assert [row["response"] for row in trials] == ["fake", "none"]

    second = sit()
    assert second.run(deny) == "other_person"
    assert second.seen == ["resume"]
    assert second.rows(tables.TRIALS) == trials

    third = sit()
    assert third.run(diligent) == "complete"
    assert third.seen == ["resume", "welcome", "KeysPage", "EndPage"]
    began = datetime.fromisoformat(first.rows(tables.SESSIONS)[0]["started_at"]).astimezone()
    assert f"Are you the person who began this session on {began:%Y-%m-%d at %H:%M}?" in third.first_words
    assert "Participant P01" in third.first_words
    assert len(third.rows(tables.SESSIONS)) == 1
    assert len(third.rows(tables.TRIALS)) == 4


def test_a_key_of_the_last_trial_does_nothing_on_the_next_page(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "SETTLE_MS", 300)
    first_key: list[int] = []

    def impatient(sitting: Sitting) -> None:
        if isinstance(sitting.page, EndPage):
            first_key.append(now_ns())
            if (first_key[-1] - first_key[0]) / 1e6 < 200:
                sitting.key("2")
                sitting.key(Qt.Key.Key_Tab)
                sitting.key(Qt.Key.Key_Return)
                assert not sitting.page.isEnabled()
                return
        diligent(sitting)

    assert sit().run(impatient) == "complete"


def test_a_store_that_cannot_be_written_asks_for_help_and_tries_again(sit: Sit) -> None:
    def full(*_: object, **__: object) -> None:
        raise UserError("store.sqlite: the disk is full")

    def help_once(sitting: Sitting) -> None:
        if sitting.page is not None and sitting.page.objectName() == "problem":
            assert "the disk is full" in words(sitting.page)
            broken.undo()
            sitting.key(Qt.Key.Key_Return)
        elif sitting.shows_picture:
            sitting.key("f")

    sitting = sit(intro=False)
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(Store, "add", full)
        assert sitting.run(help_once) == "complete"
    assert sitting.seen == ["problem"]
    assert [row["response"] for row in sitting.rows(tables.TRIALS)] == ["fake"] * 4
