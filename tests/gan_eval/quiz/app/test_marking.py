"""Marks in the window: the place of a click in the picture, keys, buttons, pauses."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from app_sitting import Sitting, diligent, pixels
from made_sets import write_items
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from quiz_study import two_models

from gan_eval import tables
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.app.pages.marking import MarkPage
from gan_eval.quiz.app.pages.parts import PageLook
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

ASKING: dict[str, Any] = {
    "real": 1,
    "fake": 1,
    "blank_ms": 100,
    "response_ms": 4000,
    "marks": 2,
    "marks_after": "every",
}


def page_of(sitting: Sitting) -> MarkPage | None:
    """The page that asks for marks now."""
    page = sitting.page
    return page if isinstance(page, MarkPage) and page.isEnabled() and page.isActiveWindow() else None


def click(page: MarkPage, at: QPoint) -> None:
    """Click at a place of the picture, in pixels from its left and top edge."""
    QTest.mouseClick(page.board, Qt.MouseButton.LeftButton, pos=page.board.place.topLeft().toPoint() + at)


def test_clicks_keys_and_buttons(sit: Any) -> None:
    sitting = sit(QuizSettings(**ASKING), intro=False)
    clicked: list[tuple[float, float]] = []

    def act(sitting: Sitting) -> None:
        page = page_of(sitting)
        if sitting.shows_picture:
            sitting.key("f")
        if page is None:
            return
        if len(sitting.session.done) == 1:
            for at in (QPoint(0, 0), QPoint(-1, 0)):
                click(page, at)
            page.undo.click()
            for at in (QPoint(10, 30), QPoint(63, 47), QPoint(32, 24)):
                click(page, at)
            clicked.extend((mark.x * 64, mark.y * 48) for mark in page.board.marks)
            page.nothing.click()
            assert page.isVisible(), "there are marks"
            page.go_on.click()
        else:
            for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Return):
                sitting.key(key)
            shown = pixels(page.board.grab().toImage())
            assert (shown == (255, 255, 255)).all(axis=2).any(), "the mark is painted"
            for key in (Qt.Key.Key_Tab, Qt.Key.Key_Tab, Qt.Key.Key_Return):
                sitting.key(key)

    assert sitting.run(act) == "complete"
    assert clicked == [pytest.approx((10.5, 30.5)), pytest.approx((63.5, 47.5))]
    rows = sitting.rows(tables.MARKS)
    assert [(row["trial"], row["mark"]) for row in rows] == [(1, 1), (1, 2), (2, 1)]
    assert (rows[2]["x"], rows[2]["y"]) == (pytest.approx(0.52), pytest.approx(0.52))
    assert [row["response"] for row in sitting.rows(tables.TRIALS)] == ["fake", "fake"]


def test_of_a_pair_the_picture_called_fake_is_marked_in_a_limited_time(sit: Any, stimuli: StimulusSet) -> None:
    settings = QuizSettings(**{**ASKING, "protocol": "paired", "pairs": 2, "marks_ms": 400.0, "marks_after": "fake"})
    sitting = sit(settings, stimuli=two_models(stimuli), intro=False)
    asked: list[MarkPage] = []

    def act(sitting: Sitting) -> None:
        page = page_of(sitting)
        if sitting.shows_picture:
            sitting.key("f")
        if sitting.page is not None and sitting.page.objectName() == "pause" and sitting.page.isEnabled():
            sitting.key(Qt.Key.Key_Escape)
        if page is None or page in asked:
            return
        asked.append(page)
        row = sitting.session.done[-1]
        called = row["stimulus_b"] if row["choice"] == "a" else row["stimulus"]
        assert (pixels(page.board._picture) == sitting.quiz.library.decoded(called)).all()
        if len(asked) == 1:
            sitting.key(Qt.Key.Key_Escape)
        elif len(asked) == 2:
            click(page, QPoint(5, 5))

    assert sitting.run(act) == "complete"
    (row,) = sitting.rows(tables.MARKS)
    assert (row["trial"], row["mark"], len(asked)) == (1, 1, 3), "asked again after the pause; without an answer no row"


def test_feedback_follows_the_marks_of_practice(sit: Any) -> None:
    sitting = sit(QuizSettings(**ASKING, practice=1, feedback_ms=300), intro=False)
    seen: list[str] = []

    def act(sitting: Sitting) -> None:
        headline = sitting.quiz.stage.window._presented.headline
        if headline and headline not in seen:
            seen.append(headline)
        if sitting.shows_picture:
            sitting.key("f")
        if (page := page_of(sitting)) is not None:
            seen.append("marks")
            page.nothing.click()

    assert sitting.run(act) == "complete"
    assert seen[0] == "marks"
    assert len([each for each in seen if each != "marks"]) == 1
    assert [row["mark"] for row in sitting.rows(tables.MARKS)] == [None] * 3


def test_a_break_that_is_due_comes_after_the_marks(sit: Any) -> None:
    sitting = sit(QuizSettings(**{**ASKING, "real": 2, "fake": 2, "break_every": 2}))

    def act(sitting: Sitting) -> None:
        if (page := page_of(sitting)) is not None:
            page.nothing.click()
        elif not isinstance(sitting.page, MarkPage):
            diligent(sitting)

    assert sitting.run(act) == "complete"
    assert [name for name in sitting.seen if name in ("MarkPage", "break")] == ["MarkPage"] * 2 + ["break"] + [
        "MarkPage"
    ] * 2


_QUIZ = """
import sys
from gan_eval.quiz.admission import Person, QuizStudy
from gan_eval.quiz.room import run_session
from gan_eval.pictures.sets import read_set
from gan_eval.quiz.station import Presentation
from gan_eval.settings.quiz import QuizSettings

settings = QuizSettings(real=1, fake=1, blank_ms=100, response_ms=60000, marks=3, marks_after="every")
study = QuizStudy(name="study", settings=settings, shown=[read_set(sys.argv[1])], seed=1, design={})
print(run_session(study, sys.argv[2], Person("P01"), presentation=Presentation(intro=False)).status)
"""


def xdotool(screen: dict[str, str], *words: object) -> None:
    subprocess.run(["xdotool", *map(str, words)], env=screen, check=True, timeout=20)


def rows_of(store: Path, table: Any) -> list[Row]:
    if not store.exists():
        return []
    with open_store(store, create=False) as opened:
        return opened.rows(table)


@contextmanager
def quiz_on(screen: dict[str, str], folder: Path, side: int, scale: int = 1) -> Iterator[subprocess.Popen[str]]:
    """A session on an X server, whose store is `store.sqlite` in the folder."""
    if not (folder / "set").exists():
        noise = np.random.default_rng(1)
        made = {
            str(n): {kind: noise.integers(90, 160, (side, side, 3), dtype=np.uint8) for kind in ("real", "m")}
            for n in (1, 2)
        }
        write_items(folder / "set", made, model="m", dataset="d")
    quiz = subprocess.Popen(
        [sys.executable, "-c", _QUIZ, str(folder / "set"), str(folder / "store.sqlite")],
        env={**screen, "QT_SCALE_FACTOR": str(scale)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield quiz
    finally:
        quiz.kill()


def wait_for(
    store: Path, table: Table, trial: int, count: int = 1, act: Callable[[], object] = lambda: None
) -> list[Row]:
    """Wait until a trial has rows in the store, acting meanwhile; return them."""
    deadline = time.monotonic() + 60
    while len(found := [row for row in rows_of(store, table) if row["trial"] == trial]) < count:
        assert time.monotonic() < deadline, found
        act()
        time.sleep(0.3)
    return found


NEEDS_X = pytest.mark.skipif(not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool")


@pytest.mark.nightly
@pytest.mark.display
@NEEDS_X
@pytest.mark.parametrize(("size", "scale"), [((1280, 800), 1), ((2560, 1600), 2), ((3840, 2160), 1), ((3840, 2160), 2)])
@pytest.mark.parametrize("side", [256, 780])
def test_a_mark_is_at_the_click(tmp_path: Path, x_screen: Any, size: tuple[int, int], scale: int, side: int) -> None:
    """The picture is found on a screenshot by its corners, and clicked at known places by the X server."""
    store = tmp_path / "store.sqlite"
    with x_screen(*size) as screen, quiz_on(screen, tmp_path, side, scale) as quiz:
        for trial in (1, 2):
            wait_for(store, tables.TRIALS, trial, act=lambda: xdotool(screen, "key", "f"))
            time.sleep(2)
            left, top, across = picture_on(screen, tmp_path)
            inside = [(0, 0), (across // 3, across // 2), (across - 1, across - 1)]
            for x, y in inside:
                xdotool(screen, "mousemove", left + x, top + y, "click", 1)
                time.sleep(0.2)
            xdotool(screen, "key", "Tab", "Tab", "Return")
            for row, (x, y) in zip(wait_for(store, tables.MARKS, trial, 3), inside, strict=True):
                assert abs(row["x"] * across - (x + 0.5)) <= 1
                assert abs(row["y"] * across - (y + 0.5)) <= 1
        assert quiz.communicate(timeout=30)[0].split() == ["complete"]


@pytest.mark.nightly
@pytest.mark.display
@NEEDS_X
def test_a_kill_while_marks_are_asked_loses_the_marks_of_one_trial(tmp_path: Path, x_screen: Any) -> None:
    store = tmp_path / "store.sqlite"
    with x_screen(1280, 800) as screen:
        with quiz_on(screen, tmp_path, 256) as quiz:
            wait_for(store, tables.TRIALS, 1, act=lambda: xdotool(screen, "key", "f"))
            time.sleep(2)
            left, top, _ = picture_on(screen, tmp_path)
            xdotool(screen, "mousemove", left + 9, top + 9, "click", 1)
            time.sleep(0.5)
            quiz.kill()  # SIGKILL
            quiz.wait(10)
        assert [row["response"] for row in rows_of(store, tables.TRIALS)] == ["fake"]
        with quiz_on(screen, tmp_path, 256) as quiz:
            wait_for(store, tables.TRIALS, 2, act=lambda: xdotool(screen, "key", "f"))
            time.sleep(2)
            xdotool(screen, "key", "Tab", "Return")
            assert [row["mark"] for row in wait_for(store, tables.MARKS, 2)] == [None]
            assert quiz.communicate(timeout=30)[0].split() == ["complete"]
    assert {row["trial"] for row in rows_of(store, tables.MARKS)} == {2}


def picture_on(screen: dict[str, str], folder: Path) -> tuple[int, int, int]:
    """Return left edge, top edge and side of the noisy square picture on a screenshot."""
    file = folder / "screen.png"
    code = "import sys; from PySide6.QtGui import QGuiApplication; app = QGuiApplication([]);"
    code += "app.primaryScreen().grabWindow(0).save(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(file)], env=screen, check=True, timeout=60)
    shot = np.asarray(Image.open(file).convert("RGB")).astype(int)
    coloured = np.ptp(shot, axis=2) > 10  # unlike texts; and neighbours differ, unlike those of a button
    differs = [np.abs(np.roll(shot, 1, axis=axis) - shot).max(axis=2) > 10 for axis in (0, 1)]
    inside = [(coloured & each).mean(axis=axis) for axis, each in enumerate(differs)]
    columns, rows = (np.flatnonzero(share > share.max() / 2) for share in inside)
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1)


def test_a_finger_marks_and_presses_buttons(qapp: Any) -> None:
    picture = QImage(200, 100, QImage.Format.Format_RGB32)
    asked = QuizSettings(marks=2)
    page = MarkPage(PageLook(), Texts(), picture, "Where?", 1, asked)
    page.resize(800, 600)
    page.show()
    device = QTest.createTouchDevice()
    at = page.board.place.topLeft().toPoint() + QPoint(20, 30)
    for widget, point, marks in ((page.board, at, [(20.5, 30.5)]), (page.undo, page.undo.rect().center(), [])):
        QTest.touchEvent(widget, device).press(0, point, widget).commit()
        QTest.touchEvent(widget, device).release(0, point, widget).commit()
        assert [(mark.x * 200, mark.y * 100) for mark in page.board.marks] == marks
    page.hide()
