"""Each page alone, off screen: what it asks, what it takes for an answer, and that the keyboard is enough."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from app_sitting import words
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QPushButton, QScrollArea, QWidget

from gan_eval.pictures.decode import write_png
from gan_eval.quiz.app.pages.end import EndPage
from gan_eval.quiz.app.pages.parts import NoticePage, Page, PageLook, scale_for
from gan_eval.quiz.app.pages.steps import ConsentPage, KeysPage, QuestionPage, key_caps
from gan_eval.quiz.app.stage import Shell
from gan_eval.quiz.review import Panel, ReviewedTrial, ScoreLine
from gan_eval.quiz.wording import Texts, instructions
from gan_eval.settings.quiz import ConsentSettings, QuestionSettings, QuizSettings

LOOK = PageLook()
WORDS = Texts()
AGE = QuestionSettings(id="age", text="How old are you?", choices=("18 to 29", "30 to 44", "Arts & crafts"))
WORK = QuestionSettings(id="work", text="What is your work?")
KEYS = {"real": "j", "fake": "f"}
RATED = QuizSettings(protocol="rating", grades=5)
Show = Callable[[Page], Page]


@pytest.fixture
def show(qapp: QApplication) -> Iterator[Callable[..., Page]]:
    """`show(page)` puts a page into a window of 1366x768."""
    shells: list[Shell] = []

    def show_page(page: Page) -> Page:
        shell = Shell(page.look, "Picture quiz")
        shells.append(shell)
        shell.turn_to(page)
        shell.setGeometry(0, 0, 1366, 768)
        shell.show()
        shell.activateWindow()
        QTest.qWaitForWindowActive(shell)
        return page

    yield show_page
    for shell in shells:
        shell.hide()
        shell.deleteLater()


def press(page: Page, *keys: Qt.Key | str) -> None:
    """Press keys where the keyboard is."""
    for key in keys:
        QTest.keyClick(page.focusWidget() or page, key)  # type: ignore[call-overload]


def heard(sender: QObject, name: str) -> QSignalSpy:
    """Counts a signal."""
    return QSignalSpy(getattr(sender, name))


def test_consent_goes_on_only_with_the_box_ticked(show: Show) -> None:
    page = show(ConsentPage(LOOK, WORDS, ConsentSettings(text="First.\n\nSecond <b>.")))
    on, back, refused = heard(page, "continued"), heard(page, "went_back"), heard(page, "refused")
    assert "First.\nSecond <b>." in words(page), "markup is shown unchanged"
    press(page, Qt.Key.Key_Return)
    assert (on.count(), "Enter: continue" in words(page)) == (0, False)
    press(page, Qt.Key.Key_Space, Qt.Key.Key_Return)
    assert (on.count(), "Enter: continue" in words(page)) == (1, True)
    press(page, Qt.Key.Key_Space, Qt.Key.Key_Return)
    assert on.count() == 1, "the tick was taken away"
    press(page, Qt.Key.Key_Escape)
    assert (back.count(), refused.count()) == (1, 0)


def test_a_choice_by_number_or_arrow(show: Show) -> None:
    page = show(QuestionPage(LOOK, WORDS, AGE, number=1, count=2, answer=None))
    assert isinstance(page, QuestionPage)
    on = heard(page, "continued")
    press(page, Qt.Key.Key_Return)
    assert (on.count(), page.answer) == (0, None)
    assert "Please answer this question." in words(page)
    press(page, "2")
    assert page.answer == "30 to 44"
    assert "Please answer" not in words(page)
    press(page, Qt.Key.Key_Down)
    assert page.answer == "Arts & crafts"
    typed(page, "&", 10)  # the place of 1 on a French keyboard
    assert page.answer == "18 to 29"
    press(page, Qt.Key.Key_Return)
    assert on.count() == 1


def test_a_free_text(show: Show) -> None:
    page = show(QuestionPage(LOOK, WORDS, WORK, number=2, count=2, answer=None))
    assert isinstance(page, QuestionPage)
    on = heard(page, "continued")
    press(page, *"  ", Qt.Key.Key_Return)
    assert (on.count(), page.answer) == (0, None)
    press(page, *"nurse 2", Qt.Key.Key_Return)
    assert (on.count(), page.answer) == (1, "nurse 2")


def hold(page: Page, key: Qt.Key) -> None:
    """Repeat a key that is held down, as the keyboard does."""
    for _ in range(3):
        repeat = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, "", autorep=True)
        QApplication.sendEvent(page.window().windowHandle(), repeat)


def test_a_key_that_is_held_down_answers_nothing_and_buttons_are_reached_by_tab(show: Show) -> None:
    called: list[str] = []
    buttons = [(name, partial(called.append, name)) for name in ("withdraw", "save_and_quit", "continue")]
    escape = partial(called.append, "escape")
    page = show(NoticePage(LOOK, WORDS, "pause", ["One."], buttons=buttons, hint="hint_pause", escape=escape))
    hold(page, Qt.Key.Key_Escape)
    hold(page, Qt.Key.Key_Return)
    assert called == []
    press(page, Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Return)
    hold(page, Qt.Key.Key_Return)
    hold(page, Qt.Key.Key_Space)
    assert called == ["continue", "escape", "withdraw"]


def typed(page: QWidget, text: str, scan_code: int = 0, shift: bool = False) -> None:
    """A key press as the display server reports it: a character, and the code of the key's place."""
    held = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    event = QKeyEvent(QEvent.Type.KeyPress, 0, held, scan_code, 0, 0, text)
    QApplication.sendEvent(page.focusWidget() or page, event)


def test_every_key_is_tried_once_before_the_page_is_left(show: Show) -> None:
    page = show(KeysPage(LOOK, WORDS, QuizSettings(confidence=3), keys=KEYS))
    assert isinstance(page, KeysPage)
    on = heard(page, "continued")
    typed(page, "k", 45)
    assert "K is not one of these keys." in words(page)
    typed(page, "J")  # Caps Lock
    typed(page, "а", 41)  # Cyrillic, in the place of F
    assert "is not one of these keys" not in words(page)
    assert "J ✓" in words(page)
    press(page, Qt.Key.Key_Return, Qt.Key.Key_Space)
    assert (on.count(), page.untried) == (0, {"1", "2", "3"})
    assert "Enter: continue" not in words(page)
    typed(page, "&", 10)  # AZERTY
    typed(page, "@", 11, shift=True)
    typed(page, "3")  # the keypad
    assert "All keys work." in words(page)
    assert "Enter: continue" in words(page)
    press(page, Qt.Key.Key_Return)
    assert on.count() == 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_keys_that_were_tried_show_their_whole_mark(show: Show, language: str) -> None:
    """The row of five grades was wider than the page once its keys had their marks."""
    page = show(KeysPage(LOOK, Texts(language), QuizSettings(confidence=5), keys=KEYS))
    for key in "fj12345":
        typed(page, key)
    QApplication.processEvents()
    labels = [label for label in page.findChildren(QLabel) if not label.wordWrap()]
    assert sum("✓" in label.text() for label in labels) == 7
    assert [label.text() for label in labels if label.width() < label.sizeHint().width()] == []


BUTTONS = [(name, lambda: None) for name in ("withdraw", "save_and_quit", "continue")]


PAGES: list[Callable[[PageLook, Texts], Page]] = [
    lambda look, words: NoticePage(
        look,
        words,
        "welcome",
        instructions(RATED, 50, words),
        buttons=BUTTONS,
        hint="hint_pause",
        participant="P01",
        problem="The screen has changed.",
        extra=key_caps(look, words, RATED, RATED.keys),
    ),
    lambda look, words: ConsentPage(look, words, ConsentSettings(text="A long text. " * 120)),
    lambda look, words: KeysPage(look, words, QuizSettings(confidence=9), keys=KEYS),
    lambda look, words: QuestionPage(look, words, AGE, number=1, count=1, answer=None),
    lambda look, words: EndPage(look, words, [ScoreLine("Real photographs", "20 of 25 correct", "")], []),
]


@pytest.mark.parametrize("make", PAGES)
def test_every_page_can_be_read_and_used_in_german_at_the_largest_text_size(
    show: Show, make: Callable[[PageLook, Texts], Page]
) -> None:
    """Nothing is wider than the window, and what is below its edge is scrolled to."""
    page = show(make(PageLook(scale=1.1, text=2.0), Texts("de")))
    QApplication.processEvents()
    for label in page.findChildren(QLabel):
        if label.isVisible():
            assert label.height() >= label.heightForWidth(label.width()), label.text()
            assert label.wordWrap() or label.width() >= label.sizeHint().width(), label.text()
            assert label.mapTo(page, label.rect().topRight()).x() < 1366
    for button in page.findChildren(QPushButton):
        if button.isVisible():
            assert button.width() >= button.sizeHint().width()
            button.setFocus()
            page.bring_into_view(button)
            place = QRect(button.mapTo(page, button.rect().topLeft()), button.size())
            assert page.rect().contains(place), button.text()


@pytest.mark.parametrize("width", [320, 480])
@pytest.mark.parametrize("make", PAGES)
def test_every_button_is_in_a_narrow_window_and_the_rest_is_scrolled_to(
    show: Show, make: Callable[[PageLook, Texts], Page], width: int
) -> None:
    """Continue was cut off at 320 pixels, with nothing that showed it."""
    page = show(make(LOOK, WORDS))
    for each in (1366, width, 1366):
        page.window().resize(each, 768)
        QTest.qWait(50)
        buttons = [button for button in page.findChildren(QPushButton) if button.isVisible()]
        places = [(button.mapTo(page, QPoint()).x(), button.width()) for button in buttons]
        assert all(left >= 0 and left + wide <= each for left, wide in places), places
        assert all(button.width() >= button.sizeHint().width() for button in buttons)
        rows = {button.mapTo(page, QPoint()).y() for button in buttons}
        assert each < 1366 or len(rows) == 1, "in a row where they fit"
        (area,) = page.findChildren(QScrollArea)
        assert area.horizontalScrollBar().isVisible() == (area.widget().width() > each)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("make", PAGES)
def test_the_buttons_are_visible_in_a_low_window_and_no_text_is_wider_than_a_narrow_one(
    show: Show, make: Callable[[PageLook, Texts], Page], language: str
) -> None:
    """At 1024 x 600 with a scale of 1.5 they were below the edge; at 600 pixels the consent was cut at its right."""
    page = show(make(LOOK, Texts(language)))
    for width, height in ((683, 400), (600, 1024), (683, 400)):
        page.window().resize(width, height)
        QTest.qWait(50)
        for button in (each for each in page.findChildren(QPushButton) if each.isVisible()):
            place = QRect(button.mapTo(page, button.rect().topLeft()), button.size())
            assert page.rect().contains(place), (button.text(), place)
        (area,) = page.findChildren(QScrollArea)
        if not page.findChildren(QLabel, "key"):  # a row of keys is not broken
            assert not area.horizontalScrollBar().isVisible()
        assert page.focusWidget() is not None


def test_the_text_of_a_box_comes_back_in_one_line_in_a_wide_window(show: Show) -> None:
    page = show(ConsentPage(LOOK, WORDS, ConsentSettings()))
    (box,) = page.findChildren(QCheckBox)
    lines = []
    for width in (1366, 420, 1366):
        page.window().resize(width, 768)
        QTest.qWait(20)
        lines.append(len(box.text().splitlines()))
    assert lines == [1, 2, 1]


@pytest.fixture
def reviewed(tmp_path: Path) -> list[ReviewedTrial]:
    """Twelve trials, the second with a picture that has gone."""
    for name, colour in (("label", (0, 200, 0)), ("real", (200, 0, 0)), ("fake", (0, 0, 200))):
        write_png(tmp_path / f"{name}.png", np.full((300, 400, 3), colour, np.uint8))
    panels = tuple(Panel(name, tmp_path / f"{name}.png", marked=False) for name in ("label", "real", "fake"))
    gone = (*panels[:2], Panel("fake", tmp_path / "gone.png", marked=True))
    return [ReviewedTrial((f"No. {place}", "truth: real"), gone if place == 2 else panels) for place in range(12)]


def test_the_review_shows_two_trials_and_enter_does_not_leave_it(show: Show, reviewed: list[ReviewedTrial]) -> None:
    page = show(EndPage(PageLook(scale_for(600)), WORDS, [ScoreLine("Pairs", "3 of 4 correct", "")], reviewed))
    assert isinstance(page, EndPage)
    page.window().resize(1024, 600)
    QApplication.processEvents()
    view = page.gallery.viewport().rect()
    places = [page.gallery.visualRect(page.gallery.model().index(row, 0)) for row in range(12)]
    assert sum(view.contains(place) for place in places) >= 2
    assert max(place.right() for place in places) < view.width()
    finished = heard(page, "finished")
    image = page.gallery.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(0, view.width(), 2) for y in range(0, view.height(), 2)}
    assert {"#00c800", "#c80000", "#0000c8"} <= colours
    press(page, Qt.Key.Key_PageDown)
    assert page.gallery.verticalScrollBar().value() > 0
    page.gallery.grab()  # the picture that has gone among them
    press(page, Qt.Key.Key_Return)
    assert finished.count() == 0, "Enter in the list does not leave"
    press(page, Qt.Key.Key_Tab, Qt.Key.Key_Return)
    assert finished.count() == 1


def test_the_review_s_pictures_are_large_on_a_large_screen(show: Show, reviewed: list[ReviewedTrial]) -> None:
    """They were 150 pixels on a screen of 1920."""
    page = show(EndPage(PageLook(scale_for(1080)), WORDS, [ScoreLine("Pairs", "3 of 4 correct", "")], reviewed))
    assert isinstance(page, EndPage)
    page.window().resize(1920, 1080)
    QApplication.processEvents()
    places = [page.gallery.visualRect(page.gallery.model().index(row, 0)) for row in range(12)]
    assert sum(page.gallery.viewport().rect().contains(place) for place in places) >= 2
    grid = page.gallery.gridSize()
    decoration = page.gallery.model().index(0, 0).data(Qt.ItemDataRole.DecorationRole)
    assert decoration.height() / decoration.devicePixelRatio() > 300
    assert decoration.width() / decoration.devicePixelRatio() <= grid.width()
