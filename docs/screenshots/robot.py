"""A participant made of timers, which takes a picture of everything it sees."""

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.admission import Person, QuizStudy, Reserved, reserve
from gan_eval.quiz.app.application import QuizApplication
from gan_eval.quiz.app.pages.end import EndPage
from gan_eval.quiz.app.pages.parts import NoticePage, Page
from gan_eval.quiz.app.pages.steps import ConsentPage, KeysPage, QuestionPage
from gan_eval.quiz.app.painting import painted
from gan_eval.quiz.app.presenter import PresenterWindow
from gan_eval.quiz.clock import SystemClock
from gan_eval.quiz.library import Library
from gan_eval.quiz.room import make_session
from gan_eval.quiz.session import Session
from gan_eval.quiz.station import Presentation
from gan_eval.quiz.trial import State
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Writer, open_store

STEP_MS = 120
LOOKS = 6
"""Steps before an answer."""
NAMES = {ConsentPage: "consent", QuestionPage: "question", KeysPage: "keys", EndPage: "end"}
"""The pages that are not notices, which have names of their own."""


def take_pictures(
    stimuli: StimulusSet,
    settings: QuizSettings,
    how: Presentation,
    *,
    store: Path,
    out: Path,
    every_trial: bool = False,
) -> None:
    """Sit through a session; write a picture of every page, and of the first (or every) trial's phases, into `out`."""
    qt = QApplication(["screenshots"])
    library = Library([stimuli])
    study = QuizStudy(name="study", settings=settings, shown=[stimuli], seed=3, design={})
    with Writer(lambda: open_store(store)) as writer:
        reserved = writer.submit(lambda opened: reserve(opened, study, Person("P01"))).result()
        admitted = reserved.deal(study) if isinstance(reserved, Reserved) else reserved
        session = make_session(admitted, library, settings, writer, SystemClock())
        quiz = QuizApplication(qt, session, library, settings, presentation=how)
        robot = Robot(quiz, session, out, every_trial=every_trial)
        timer = QTimer(interval=STEP_MS)
        timer.timeout.connect(robot.step)
        timer.start()
        quiz.run()
        quiz.stage.close()


class Robot:
    """Looks, takes a picture of what it has not seen yet, and presses the next key."""

    def __init__(self, quiz: QuizApplication, session: Session, out: Path, *, every_trial: bool) -> None:
        self._quiz = quiz
        self._session = session
        self._out = out
        self._taken = 0
        self._seen: object = None
        self._seen_phases: set[tuple[State, int]] = set()
        self._every_trial = every_trial
        self._keys: Iterator[Qt.Key | str] = iter(())
        self._paused = False
        self._looked = 0

    def step(self) -> None:
        """One look or one key."""
        shell = self._quiz.stage.shell
        page = shell.layout().currentWidget()
        if shell.isVisible() and isinstance(page, Page):
            self._on_page(page)
        else:
            self._on_trial()

    def _on_page(self, page: Page) -> None:
        if not page.isEnabled():  # it ignores keys at first
            return
        if page is not self._seen:
            self._seen = page
            self._keys = self._way_on(page)
            return
        key = next(self._keys, None)
        if key is not None:
            QTest.keyClick(page.focusWidget() or page, key)

    def _way_on(self, page: Page) -> Iterator[Qt.Key | str]:
        """Keys to press on a page, with pictures taken in between."""
        if isinstance(page, ConsentPage):
            yield Qt.Key.Key_Space
        elif isinstance(page, QuestionPage):
            yield from "2" if page.choices else "nurse"
        elif isinstance(page, KeysPage):
            yield from sorted(page.untried)[1:]
            yield "k"
        self._take(NAMES.get(type(page)) or page.objectName(), page)
        if isinstance(page, KeysPage):
            yield from list(page.untried)
        if isinstance(page, EndPage):
            yield from self._look_at_the_end(page)
        else:
            yield Qt.Key.Key_Return

    def _look_at_the_end(self, page: EndPage) -> Iterator[Qt.Key | str]:
        yield Qt.Key.Key_Down
        message = "store.sqlite: the disk is full; free some space"
        buttons = [("exit_without_answer", page.finished.emit), ("try_again", page.finished.emit)]
        lines = [page.texts("problem_unsaved")]
        problem = NoticePage(
            page.look, page.texts, "problem", lines, buttons=buttons, hint="hint_buttons", problem=message
        )
        self._quiz.stage.show_page(problem)
        self._seen = problem
        yield Qt.Key.Key_Shift
        self._take("problem", problem)
        self._quiz.stage.shell.close()

    def _on_trial(self) -> None:
        state, window = self._session.state, self._quiz.stage.window
        if state is State.CONFIDENCE:
            self._take_once(state, "confidence", window)
            QTest.keyClick(window, "4")
        elif state is State.PRESENTED and len(self._session.done) == 5 and not self._paused and not self._every_trial:
            self._paused = True
            QTest.keyClick(window, Qt.Key.Key_Escape)
        elif state is State.PRESENTED and self._session.trial.timing.requested_exposure_ms is None:
            self._take_once(state, "picture", window)
            self._judge(window)
        elif state is State.WAITING:
            self._take_once(state, "cue", window)
            self._judge(window)
        elif self._session.feedback is not None:
            self._take_once(State.SAVING, "feedback", window)
        elif state is State.READY and window.isExposed():
            self._take_once(state, "fixation", window)

    def _judge(self, window: PresenterWindow) -> None:
        """Look for a while, then give the answer; every fourth one is wrong."""
        self._looked += 1
        done = len(self._session.done)
        if self._looked <= LOOKS + done % 3:
            return
        self._looked = 0
        right = self._session.protocol.truth(self._session.trial.planned)
        keys = {answer: key for key, answer in self._session.protocol.answers.items()}
        wrong = next(answer for answer in keys if answer != right)
        answer = wrong if right is None or done % 4 == 3 else right
        QTest.keyClick(window, keys[answer])

    def _take_once(self, state: State, name: str, window: PresenterWindow) -> None:
        phase = (state, len(self._session.done) if self._every_trial else 0)
        if phase not in self._seen_phases:
            self._seen_phases.add(phase)
            self._take(name, window)

    def _take(self, name: str, what: QWidget | PresenterWindow) -> None:
        self._taken += 1
        # of a trial's window what is on the screen: its own memory holds what comes next already
        taken = what.grab() if isinstance(what, QWidget) else painted(what._presented, what.canvas)
        taken.save(str(self._out / f"{self._taken:02}_{name}.png"))
