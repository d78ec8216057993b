"""The application off screen: every page and every way through, with the keyboard alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface, QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz.admission import Applicant, admit
from gan_eval.quiz.app import trials as trials_module
from gan_eval.quiz.app.application import QuizApplication
from gan_eval.quiz.app.pages.end import EndPage
from gan_eval.quiz.app.pages.notices import PausePage, ProblemPage
from gan_eval.quiz.app.pages.parts import Page
from gan_eval.quiz.app.pages.start import StartPage
from gan_eval.quiz.clock import SystemClock
from gan_eval.quiz.library import Library
from gan_eval.quiz.protocol import protocol_for
from gan_eval.quiz.session import Session, State
from gan_eval.schema import Table
from gan_eval.stimuli import StimulusSet
from gan_eval.store import Store, Writer, open_store
from gan_eval.study import QuizSettings
from gan_eval.tabular import Row

SETTINGS = QuizSettings(real=2, fake=2, blank_ms=100, response_ms=2000)


class Sitting:
    """One application with a robot that acts every few milliseconds."""

    def __init__(self, qapp: QApplication, stimuli: StimulusSet, writer: Writer, settings: QuizSettings) -> None:
        applicant = Applicant("study", "hash", "P01", simulated=False)
        admitted = writer.submit(lambda store: admit(store, applicant, list(stimuli.rows), settings, seed=1)).result()
        library = Library([stimuli])
        self.writer = writer
        self.session = Session(
            admitted.row,
            library.checked(admitted.plan),
            protocol_for(settings),
            writer,
            SystemClock(),
            done=admitted.done,
            stored=admitted.stored,
        )
        self.quiz = QuizApplication(qapp, self.session, library, settings, title="Facades", windowed=True)
        self.qapp = qapp
        self.seen: list[type[Page]] = []
        self.first_words = ""

    def run(self, act: Callable[["Sitting"], None], *, intro: bool = True) -> str:
        """Run the application; `act` is called again and again and plays the participant."""
        error: list[BaseException] = []

        def step() -> None:
            try:
                if self.page is not None and (not self.seen or self.seen[-1] is not type(self.page)):
                    self.seen.append(type(self.page))
                    self.first_words = self.first_words or words(self.page)
                act(self)
            except BaseException as problem:  # to be raised in the test, not in the event loop
                error.append(problem)
                self.qapp.exit()

        robot, guard = QTimer(interval=5), QTimer(interval=20_000)
        robot.timeout.connect(step)
        guard.timeout.connect(lambda: (error.append(TimeoutError("the session hangs")), self.qapp.exit()))
        robot.start()
        guard.start()
        try:
            status = self.quiz.run(intro=intro)
        finally:
            robot.stop()
            guard.stop()
            self.quiz.close()
        if error:
            raise error[0]
        return status

    @property
    def page(self) -> Page | None:
        """The page that is shown."""
        page = self.quiz.shell.page
        return page if self.quiz.shell.isVisible() else None

    @property
    def shows_picture(self) -> bool:
        return self.session.state is State.SHOWN

    def key(self, key: Qt.Key | str) -> None:
        """Press a key where the keyboard is."""
        target: QWidget | QWindow = self.quiz.window
        if self.page is not None:
            target = self.page.focusWidget() or self.page
        QTest.keyClick(target, key)  # type: ignore[call-overload]

    def rows(self, table: Table) -> list[Row]:
        return self.writer.submit(lambda store: store.rows(table)).result()


@pytest.fixture
def sit(
    qapp: QApplication, stimuli: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Sitting]]:
    """`sit()` sits a participant down; a second call is the same participant another time."""
    monkeypatch.setattr(trials_module, "FIRST_BLANK_MS", 100.0)
    with Writer(lambda: open_store(tmp_path / "store.sqlite")) as writer:
        yield lambda settings=SETTINGS, stimuli=stimuli: Sitting(qapp, stimuli, writer, settings)


def diligent(sitting: Sitting) -> None:
    """Agrees, calls every picture fake, looks at the end page and finishes."""
    match sitting.page:
        case StartPage() as page if page.isActiveWindow():
            sitting.key(Qt.Key.Key_Space)
            assert page.box.isChecked()
            sitting.key(Qt.Key.Key_Return)
        case EndPage():
            sitting.key(Qt.Key.Key_Return)
        case None if sitting.shows_picture:
            sitting.key("f")


def test_a_whole_session_by_keyboard(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    assert sitting.run(diligent) == "complete"

    assert sitting.seen == [StartPage, EndPage]
    trials = sitting.rows(tables.TRIALS)
    assert [row["response"] for row in trials] == ["fake"] * 4
    assert all(row["exposure_ms"] >= row["reaction_time_ms"] > 0 for row in trials)
    assert len(sitting.rows(tables.CONSENTS)) == 1
    (session,) = sitting.rows(tables.SESSIONS)
    assert (session["status"], session["presenter"]) == ("complete", "raster")
    assert session["screen_width"] > 0


def test_without_intro_the_trials_come_at_once_and_the_end_by_itself(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    assert sitting.run(diligent, intro=False) == "complete"
    assert sitting.seen == []
    assert sitting.rows(tables.CONSENTS) == []
    assert len(sitting.rows(tables.TRIALS)) == 4


def test_without_agreement_nothing_begins_and_nothing_is_stored(sit: Callable[..., Sitting]) -> None:
    def refuse(sitting: Sitting) -> None:
        sitting.key(Qt.Key.Key_Return)
        assert sitting.session.state is State.NEW
        sitting.key(Qt.Key.Key_Escape)

    sitting = sit()
    assert sitting.run(refuse) == "declined"
    assert sitting.rows(tables.SESSIONS) == []


def test_enter_on_the_leave_button_leaves(sit: Callable[..., Sitting]) -> None:
    presses = iter([Qt.Key.Key_Space, Qt.Key.Key_Tab, Qt.Key.Key_Return])

    def change_mind(sitting: Sitting) -> None:
        assert isinstance(sitting.page, StartPage)
        if sitting.page.isActiveWindow():
            sitting.key(next(presses))

    sitting = sit()
    assert sitting.run(change_mind) == "declined"
    assert sitting.rows(tables.SESSIONS) == []


def test_no_answer_in_time(sit: Callable[..., Sitting]) -> None:
    sitting = sit(SETTINGS.model_copy(update={"response_ms": 150.0}))
    sitting.run(lambda _: None, intro=False)
    trials = sitting.rows(tables.TRIALS)
    assert [row["response"] for row in trials] == ["none"] * 4
    assert all(row["exposure_ms"] > 140 for row in trials)


def test_a_flash_ends_by_itself_and_an_answer_after_it_counts(sit: Callable[..., Sitting]) -> None:
    def wait_for_the_end(sitting: Sitting) -> None:
        if sitting.session.state is State.WAITING:
            sitting.key("j")

    sitting = sit(SETTINGS.model_copy(update={"exposure_ms": 60.0}))
    sitting.run(wait_for_the_end, intro=False)
    trials = sitting.rows(tables.TRIALS)
    assert [row["response"] for row in trials] == ["real"] * 4
    assert all(row["requested_exposure_ms"] == 60 for row in trials)
    assert all(row["reaction_time_ms"] > row["exposure_ms"] > 50 for row in trials)


def test_an_answer_during_a_flash_counts_and_does_not_shorten_it(sit: Callable[..., Sitting]) -> None:
    sitting = sit(SETTINGS.model_copy(update={"exposure_ms": 500.0, "real": 1, "fake": 1}))
    sitting.run(diligent, intro=False)
    trials = sitting.rows(tables.TRIALS)
    assert [row["response"] for row in trials] == ["fake"] * 2
    assert all(row["exposure_ms"] > 490 > row["reaction_time_ms"] for row in trials)


def test_escape_pauses_and_the_session_goes_on(sit: Callable[..., Sitting]) -> None:
    def escape_once(sitting: Sitting) -> None:
        if isinstance(sitting.page, PausePage):
            assert "1 of 4 pictures are done" in words(sitting.page)
            sitting.key(Qt.Key.Key_Return)
        elif sitting.page is None and sitting.shows_picture:
            sitting.key(Qt.Key.Key_Escape if sitting.session.progress[0] == 0 else "f")

    sitting = sit()
    assert sitting.run(escape_once, intro=False) == "complete"
    assert sitting.seen == [PausePage]
    trials = sitting.rows(tables.TRIALS)
    assert [row["response"] for row in trials] == ["none", "fake", "fake", "fake"]
    assert trials[0]["flags"] == "paused"


def test_escape_in_the_blank_loses_no_trial(sit: Callable[..., Sitting]) -> None:
    def escape_once(sitting: Sitting) -> None:
        if sitting.page is not None:
            sitting.key(Qt.Key.Key_Escape)
        elif sitting.shows_picture:
            sitting.key("f")
        elif not sitting.seen:
            sitting.key(Qt.Key.Key_Escape)

    sitting = sit()
    assert sitting.run(escape_once, intro=False) == "complete"
    assert sitting.seen == [PausePage]
    assert [row["response"] for row in sitting.rows(tables.TRIALS)] == ["fake"] * 4


def test_stopping_for_good_asks_first_and_keeps_the_trials(sit: Callable[..., Sitting]) -> None:
    presses = iter([Qt.Key.Key_Tab, Qt.Key.Key_Return, Qt.Key.Key_Return])

    def stop(sitting: Sitting) -> None:
        if sitting.page is not None:
            sitting.key(next(presses))
        elif sitting.shows_picture:
            sitting.key(Qt.Key.Key_Escape if sitting.session.done else "f")

    sitting = sit()
    assert sitting.run(stop, intro=False) == "aborted"
    assert [row["response"] for row in sitting.rows(tables.TRIALS)] == ["fake", "none"]
    assert sitting.rows(tables.SESSIONS)[0]["status"] == "aborted"


def test_closing_the_window_leaves_the_session_open_and_it_goes_on_another_time(sit: Callable[..., Sitting]) -> None:
    def close(sitting: Sitting) -> None:
        if sitting.page is not None:
            sitting.quiz.shell.close()
        elif sitting.shows_picture:
            if sitting.session.done:
                sitting.quiz.window.close()
            else:
                sitting.key("f")

    first = sit()
    assert first.run(close, intro=False) == "open"
    assert [row["response"] for row in first.rows(tables.TRIALS)] == ["fake", "none"]

    second = sit()
    assert second.run(diligent) == "complete"
    assert "Welcome back: 2 of 4" in second.first_words
    assert len(second.rows(tables.SESSIONS)) == 1
    assert len(second.rows(tables.TRIALS)) == 4


def test_a_store_that_cannot_be_written_asks_for_help_and_tries_again(
    sit: Callable[..., Sitting],
) -> None:
    def full(*_: object) -> None:
        raise UserError("store.sqlite: the disk is full")

    def help_once(sitting: Sitting) -> None:
        if isinstance(sitting.page, ProblemPage):
            assert "the disk is full" in words(sitting.page)
            broken.undo()
            sitting.key(Qt.Key.Key_Return)
        elif sitting.shows_picture:
            sitting.key("f")

    sitting = sit()
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(Store, "add", full)
        assert sitting.run(help_once, intro=False) == "complete"
    assert sitting.seen == [ProblemPage]
    assert [row["response"] for row in sitting.rows(tables.TRIALS)] == ["fake"] * 4


def test_a_picture_larger_than_the_window_is_refused_before_the_session(
    sit: Callable[..., Sitting], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_eval.quiz.app.windows.WINDOWED", QApplication.primaryScreen().size() / 100)
    with pytest.raises(UserError, match=r"secret\d.png: 64x48 pixels do not fit the window of \d+x\d+"):
        sit()


def test_a_broken_picture_is_refused_before_the_session(sit: Callable[..., Sitting], stimuli: StimulusSet) -> None:
    for path in stimuli.folder.glob("*/*.png"):
        path.write_bytes(path.read_bytes()[:60])
    unhashed = StimulusSet(stimuli.folder, tuple({**row, "sha256": None} for row in stimuli.rows))
    with pytest.raises(UserError, match=r"secret\d.png: not a readable picture"):
        sit(stimuli=unhashed)


def test_a_picture_that_vanishes_in_the_middle_ends_with_a_line_and_loses_nothing(sit: Callable[..., Sitting]) -> None:
    def remove(sitting: Sitting) -> None:
        if sitting.shows_picture:
            for path in (sitting.quiz.library.path(row["stimulus"]) for row in sitting.session.plan[1:]):
                path.unlink(missing_ok=True)
            sitting.key("f")

    sitting = sit()
    with pytest.raises(UserError, match=r"secret\d.png: no such picture"):
        sitting.run(remove, intro=False)
    assert [row["response"] for row in sitting.rows(tables.TRIALS)] == ["fake"]
    assert sitting.rows(tables.SESSIONS)[0]["status"] == "open"


def test_nothing_before_the_end_gives_the_truth_away(sit: Callable[..., Sitting]) -> None:
    heard: list[str] = []

    def listen(sitting: Sitting) -> None:
        if isinstance(sitting.page, EndPage):
            heard_by_now = " ".join(heard)
            for secret in ("secret", "hiddenmodel", "tiles", ".png"):
                assert secret not in heard_by_now
        else:
            heard.extend(said_by(sitting.quiz.shell))
            heard.extend([sitting.quiz.shell.windowTitle(), sitting.quiz.window.title()])
        diligent(sitting)

    sit().run(listen)
    assert "Picture quiz" in heard
    assert any("I agree" in word for word in heard), "the accessibility tree was read"


def test_the_end_page_tells_score_and_review(sit: Callable[..., Sitting]) -> None:
    told: list[str] = []

    def read(sitting: Sitting) -> None:
        if isinstance(sitting.page, EndPage):
            told.append(words(sitting.page))
            told.extend(said_by(sitting.page))
            image = sitting.page.grab().toImage()
            colours = {
                image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)
            }
            assert len(colours) > 500, "the three noisy pictures of a line are painted"
        diligent(sitting)

    sitting = sit()
    sitting.run(read)
    assert "0 of 2 correct" in told[0]
    assert "2 of 2 correct" in told[0]
    lines = [word for word in told if word.startswith("Picture ")]
    trials = sitting.rows(tables.TRIALS)
    assert len(lines) == 4
    for line, row in zip(lines, trials, strict=True):
        assert f"Picture {row['trial']}: shown {row['kind']}, your answer fake, " in line
        assert ("right" if row["correct"] else "wrong") in line


@pytest.mark.parametrize(("show_score", "show_review"), [(True, False), (False, True), (False, False)])
def test_score_and_review_can_be_switched_off(sit: Callable[..., Sitting], show_score: bool, show_review: bool) -> None:
    def read(sitting: Sitting) -> None:
        if isinstance(sitting.page, EndPage):
            assert ("of 2 correct" in words(sitting.page)) is show_score
            assert hasattr(sitting.page, "gallery") is show_review
        diligent(sitting)

    sitting = sit(SETTINGS.model_copy(update={"show_score": show_score, "show_review": show_review}))
    assert sitting.run(read) == "complete"


def words(page: Page) -> str:
    """All text of a page."""
    return "\n".join(label.text() for label in page.findChildren(QLabel))


def said_by(widget: QWidget) -> list[str]:
    """All names in the accessibility tree below a widget, as a screen reader finds them."""

    def walk(node: QAccessibleInterface) -> Iterator[str]:
        yield node.text(QAccessible.Text.Name)
        yield node.text(QAccessible.Text.Description)
        for number in range(node.childCount()):
            child = node.child(number)
            if child is not None:
                yield from walk(child)

    root = QAccessible.queryAccessibleInterface(widget)
    return [text for text in walk(root) if text] if root is not None else []
