"""Runs a session's trials one after the other, with all that comes between them."""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from gan_eval.errors import UserError
from gan_eval.quiz.app.keys import Keyboard, Press
from gan_eval.quiz.app.loading import load_trial
from gan_eval.quiz.app.painting import BLANK, Frame
from gan_eval.quiz.app.presenter import PresenterWindow
from gan_eval.quiz.app.trial_script import TrialScript, Wait
from gan_eval.quiz.app.windows import ScreenWatch
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.library import Library
from gan_eval.quiz.session import ON_ITS_WAY, Session, State, break_due
from gan_eval.quiz.trial import MILLISECOND, Flag
from gan_eval.quiz.wording import Texts, TrialTexts
from gan_eval.settings.quiz import QuizSettings

FIRST_BLANK_MS = 1000.0
"""After a page, the eyes and the fingers need a moment."""

COMMIT_SECONDS = 10.0
"""So long the program waits for the store, doing nothing else, before it says that something is wrong."""


class TrialRunner(QObject):
    """Runs trials until the session is over, something comes between, or something fails. `start` goes on."""

    over = Signal()
    """The session is over and everything is stored."""
    paused = Signal(str)
    """No trial is on its way any more. Esc: an empty text; else what the participant must know."""
    break_due = Signal()
    """Between two trials: time to rest, or to be told that practice is over."""
    failed = Signal(str)
    """The store could not be written (then call `session.retry`), or a picture is not what was dealt; the line says."""
    _settled = Signal()

    def __init__(
        self,
        session: Session,
        window: PresenterWindow,
        keyboard: Keyboard,
        library: Library,
        settings: QuizSettings,
        *,
        texts: Texts = Texts(),  # noqa: B008  (a frozen value)
        breaks: bool = True,
        elsewhere: bool = False,
    ) -> None:
        """Make a runner that has not started.

        Args:
            session: has begun by the time of `start`.
            window: where frames are presented; shown by the time of `start`.
            keyboard: listens to the window.
            library: the pictures.
            settings: the quiz.
            texts: in the participant's language.
            breaks: stop for breaks.
            elsewhere: the screen is not as the session's row describes it; all trials are flagged.
        """
        super().__init__()
        self._session = session
        self._window = window
        self._library = library
        self._settings = settings
        self._breaks = breaks
        self._elsewhere = elsewhere
        keys = {answer: key for key, answer in session.protocol.answers.items()}
        self._texts = TrialTexts(texts, settings, keys)
        self._trials = TrialScript(session, window, settings, self._texts)
        self._running = False
        self._rested_after = 0
        self._stopped_after = 0
        self._blank_until = 0
        self._script: Iterator[Wait] = iter(())
        self._wait = Wait(None)
        self._then: Callable[[], None] = self._step
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self._then())
        self._settled.connect(self._after_commit, Qt.ConnectionType.QueuedConnection)
        self._screen = ScreenWatch(window)
        self._watching = False
        self._screen.changed.connect(self._pause_on_another_screen)
        keyboard.pressed.connect(self._key)
        keyboard.pause_requested.connect(self.pause)
        keyboard.close_requested.connect(self.pause)
        keyboard.focus_lost.connect(lambda: self._session.flag(Flag.FOCUS_LOST))

    def start(self) -> None:
        """Go on with the next trial. The window must be shown; the blank begins when it is."""
        self._running = True
        if not self._window.isExposed():
            self._wait_until(now_ns() + 10 * MILLISECOND, self.start)
            return
        self._window.requestActivate()
        self._screen.remember()  # what came while the window was mapped is no change
        self._watching = True
        self._trials.screen_changed = self._elsewhere or self._screen.differs
        self._rested_after = self._session.progress[0]
        self._blank(max(FIRST_BLANK_MS, self._settings.blank_ms))

    def pause(self) -> None:
        """Break off the trial on its way, if any, and stop."""
        if self._running:
            self._stop(Flag.PAUSED)
            self.paused.emit("")

    def interrupt(self) -> None:
        """The program was told to end: break off the trial on its way and wait until it is stored."""
        self._stop(Flag.INTERRUPTED)

    def _pause_on_another_screen(self) -> None:
        """The trial on its way was not shown as described; `start` looks whether those to come will be."""
        if self._running and self._watching:
            self._stop(Flag.SCREEN_CHANGED)
            self.paused.emit(self._texts.texts("pause_screen"))

    def _stop(self, flag: str) -> None:
        self._halt()
        state = self._session.state
        if state is State.PRESENTED:
            self._window.stage(BLANK)
            self._session.offset(self._window.present())
        if state in ON_ITS_WAY:
            self._session.break_off(now_ns(), flag)
        with suppress(TimeoutError):  # then the session is still SAVING
            self._session.wait(COMMIT_SECONDS)

    def _halt(self) -> None:
        self._running = self._watching = False
        self._timer.stop()
        self._script = iter(())
        gc.enable()

    def _blank(self, milliseconds: float) -> None:
        """The grey between trials, with the progress in it; the next trial waits for the commit of the last."""
        saving = self._session.state is State.SAVING  # first: asking for the state takes note of a finished commit
        coming = self._session.progress[0] + saving
        presented = self._trials.present(Frame(text=self._texts.progress(self._session.plan, coming)))
        self._blank_until = presented + round(milliseconds * MILLISECOND)
        gc.enable()
        self._after_commit()

    def _after_commit(self) -> None:
        """Go on as the session's state says; called again when a commit on its way is done."""
        if not self._running:
            return
        match self._session.state:
            case State.SAVING:
                self._session.when_settled(self._settled.emit)
            case State.READY if self._wants_break():
                self._halt()
                self._stopped_after = self._session.progress[0]
                self.break_due.emit()
            case State.READY:
                self._prepare()
            case State.FAILED:
                self._halt()
                self.failed.emit(str(self._session.error))
            case State.OVER:
                self._halt()
                self.over.emit()

    def _wants_break(self) -> bool:
        """A rest never comes straight after a page: it was one, or the session was just taken up.

        That practice is over is told in any case, once: a pause does not say it.
        """
        session = self._session
        if not (self._breaks and break_due(session.done, session.trial.planned, self._settings)):
            return False
        ends_practice = session.done[-1]["phase"] == "practice"
        return session.progress[0] > (self._stopped_after if ends_practice else self._rested_after)

    def _prepare(self) -> None:
        """Decode the next trial's pictures and begin.

        Where that takes longer than the blank, the blank is longer: nothing is decoded while a picture is shown.
        """
        session, planned = self._session, self._session.trial.planned
        try:
            ready = load_trial(
                planned, session.showings, self._library, self._settings.mask, session=session.row["session"]
            )
        except UserError as error:
            self._halt()
            self.failed.emit(str(error))
            return
        self._script = self._trials.run(ready, self._blank_until)
        self._step()

    def _step(self) -> None:
        """Go on with the trial up to where it waits again, or to the blank after it."""
        wait = next(self._script, None)
        if wait is None:
            self._blank(self._settings.blank_ms)
            return
        self._wait = wait
        if wait.until is not None:
            self._wait_until(wait.until, self._step)

    def _key(self, press: Press) -> None:
        if self._session.state is State.CONFIDENCE and press.when < self._trials.confidence_asked:
            return  # pressed before the question could be read
        state = self._session.state
        taken = self._session.press(press.key, press.when, repeated=press.repeated)
        if taken and not press.from_server and state is not State.CONFIDENCE:
            self._session.flag(Flag.HANDLER_TIME)
        if taken and self._wait.key:
            self._timer.stop()
            self._step()

    def _wait_until(self, moment: int, then: Callable[[], None]) -> None:
        self._then = then
        self._timer.start(max(0, (moment - now_ns()) // MILLISECOND))
