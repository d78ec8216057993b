"""Runs a session's trials on a presenter: blank, picture, blank, each at its moment."""

import gc
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from gan_eval.quiz.app.keys import Keyboard, Press
from gan_eval.quiz.app.pictures import load
from gan_eval.quiz.app.presenter import BLANK, SPIN_NS, Frame, Presenter
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.library import Library
from gan_eval.quiz.session import Session, State
from gan_eval.quiz.trial import MILLISECOND, Flag

FIRST_BLANK_MS = 1000.0
"""After a page, the eyes and the fingers need a moment."""

STRAGGLERS_MS = 20
"""After the response window has closed, a key that was pressed in time may still be on its way."""

COMMIT_SECONDS = 10.0


class TrialRunner(QObject):
    """Runs trials until the session is over, a pause is asked for, or the store fails."""

    over = Signal()
    """The session is over and everything is stored."""
    paused = Signal()
    """Esc: no trial is on its way any more. `start` goes on."""
    failed = Signal()
    """The store could not be written; `session.error` says why. Call `session.retry`, then `start`."""
    _settled = Signal()

    def __init__(
        self, session: Session, window: Presenter, keyboard: Keyboard, library: Library, *, blank_ms: float
    ) -> None:
        super().__init__()
        self._session = session
        self._window = window
        self._library = library
        self._blank_ms = blank_ms
        self._blank_until = 0
        self._running = False
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._then: Callable[[], None] = self._show
        self._timer.timeout.connect(lambda: self._then())
        self._settled.connect(self._after_commit, Qt.ConnectionType.QueuedConnection)
        keyboard.pressed.connect(self._key)
        keyboard.pause_asked.connect(self.pause)
        keyboard.close_asked.connect(self.pause)
        keyboard.focus_lost.connect(lambda: self._session.flag(Flag.FOCUS_LOST))

    def start(self) -> None:
        """Go on with the next trial. The window must be shown; the blank begins when it is."""
        self._running = True
        if self._window.isExposed():
            self._window.requestActivate()
            self._blank(max(FIRST_BLANK_MS, self._blank_ms))
        else:
            self._wait_until(now_ns() + 10 * MILLISECOND, self.start)

    def pause(self) -> None:
        """Break off the trial on its way, if any, and stop."""
        if self._running:
            self._stop(Flag.PAUSED)
            self.paused.emit()

    def interrupt(self) -> None:
        """The program was told to end: break off the trial on its way and wait until it is stored."""
        self._stop(Flag.INTERRUPTED)

    def _stop(self, flag: str) -> None:
        self._running = False
        self._timer.stop()
        state = self._session.state
        if state is State.SHOWN:
            self._window.stage(BLANK)
            self._session.offset(self._window.present())
        if state in (State.SHOWN, State.WAITING):
            self._session.break_off(now_ns(), flag)
        with suppress(TimeoutError):  # then the page after it says so
            self._session.wait(COMMIT_SECONDS)
        gc.enable()

    def _blank(self, milliseconds: float) -> None:
        """The grey between trials, with the progress in it; the next trial waits for the commit of the last."""
        saving = self._session.state is State.SAVING  # first: asking for the state takes note of a finished commit
        done, planned = self._session.progress
        coming = done + 1 + saving
        self._window.stage(Frame(text=f"{coming} of {planned}" if coming <= planned else ""))
        self._blank_until = self._window.present() + round(milliseconds * MILLISECOND)
        gc.enable()
        self._after_commit()

    def _after_commit(self) -> None:
        """Go on as the session's state says; called again when a commit on its way is done."""
        if not self._running:
            return
        match self._session.state:
            case State.SAVING:
                self._session.when_settled(self._settled.emit)
            case State.READY:
                self._prepare()
            case State.FAILED:
                self._running = False
                self.failed.emit()
            case State.OVER:
                self._running = False
                self.over.emit()

    def _prepare(self) -> None:
        """Decode and draw the next picture ahead."""
        picture = load(self._library.path(self._session.trial.planned["stimulus"]))
        self._window.stage(Frame(picture))
        self._wait_until(self._blank_until - SPIN_NS - self._window.lead, self._show)

    def _show(self) -> None:
        """Onset."""
        gc.disable()
        self._session.onset(self._window.present(self._blank_until))
        if not self._window.isActive():
            self._session.flag(Flag.FOCUS_LOST)
        self._window.stage(BLANK)
        self._wait_until(self._session.trial.vanish_due - SPIN_NS - self._window.lead, self._vanish)

    def _vanish(self) -> None:
        """Offset, because the time is up."""
        trial = self._session.trial
        self._session.offset(self._window.present(trial.vanish_due))
        if trial.waits_for_answer:
            self._wait_until(trial.close_due + STRAGGLERS_MS * MILLISECOND, self._close)
        else:
            self._close()

    def _key(self, press: Press) -> None:
        taken = self._session.press(press.key, press.when, repeated=press.repeated)
        if not taken:
            return
        trial = self._session.trial
        if not press.from_server:
            self._session.flag(Flag.HANDLER_TIME)
        if self._session.state is State.SHOWN and trial.timing.flash_ms is None:
            self._session.offset(self._window.present())
        if self._session.state is State.WAITING:
            self._close()

    def _close(self) -> None:
        """The trial is done; what it gave is stored while the blank is shown."""
        self._timer.stop()
        self._session.close()
        self._blank(self._blank_ms)

    def _wait_until(self, moment: int, then: Callable[[], None]) -> None:
        self._then = then
        self._timer.start(max(0, (moment - now_ns()) // MILLISECOND))
