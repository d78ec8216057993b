"""The application off screen: trials, pauses, problems and the end, with the keyboard alone."""

import sys
from collections.abc import Callable
from datetime import datetime

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from app_sitting import SETTINGS, Sitting, diligent, words
from PySide6.QtCore import Qt

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz.app.pages import parts
from gan_eval.quiz.app.pages.end import EndPage
from gan_eval.quiz.clock import now_ns
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.store import Store


def test_without_agreement_nothing_begins_and_nothing_is_stored(sit: Callable[..., Sitting]) -> None:
    presses = iter([Qt.Key.Key_Return, Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Escape])

    def refuse(sitting: Sitting) -> None:
        if sitting.page is not None and sitting.page.isActiveWindow():
            sitting.key(next(presses))

    sitting = sit()
    assert sitting.run(refuse) == "declined"
    assert sitting.seen == ["welcome", "ConsentPage", "welcome"]
    assert sitting.rows(tables.SESSIONS) == []


def test_escape_pauses_and_withdrawing_asks_first_and_keeps_the_trials(sit: Callable[..., Sitting]) -> None:
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


def test_closing_the_window_leaves_the_session_open_for_that_person_alone(sit: Callable[..., Sitting]) -> None:
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
    assert second.run(deny) == "denied"
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


def test_no_file_of_a_picture_is_opened_once_the_session_is_there(
    sit: Callable[..., Sitting], stimuli: StimulusSet
) -> None:
    pictures = set(map(str, stimuli.folder.glob("*/*.png")))
    opened: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event == "open" and str(arguments[0]) in pictures:
            opened.append(str(arguments[0]))

    watching = False
    sys.addaudithook(watch)  # it stays for as long as Python runs, and is deaf after this test
    sitting = sit(SETTINGS.model_copy(update={"show_review": False}))
    watching = True
    try:
        assert sitting.run(diligent) == "complete"
    finally:
        watching = False
    assert opened == []


def test_a_key_meant_for_the_last_trial_does_nothing_on_the_page_after_it(
    sit: Callable[..., Sitting], monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_a_store_that_cannot_be_written_asks_for_help_and_tries_again(
    sit: Callable[..., Sitting],
) -> None:
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
