"""The trials of a session on the screen: the phases of a trial, and what comes between trials."""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from gan_eval.quiz.app.keys import Keyboard, Press, matching_key
from gan_eval.quiz.app.loading import Images, ReadyTrial, load_trial
from gan_eval.quiz.app.painting import BLANK, Frame, fitted
from gan_eval.quiz.app.presenter import LAST_STRETCH_NS, PresenterWindow
from gan_eval.quiz.app.stage import ScreenWatch
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.library import Library
from gan_eval.quiz.session import Session, break_due
from gan_eval.quiz.trial import MILLISECOND, Flag, State
from gan_eval.quiz.wording import Texts, TrialTexts, confidence_keys
from gan_eval.settings.quiz import QuizSettings

STRAGGLERS_MS = 20
"""Milliseconds to wait after the response window for a key that was pressed in time."""
REDRAW_MS = 20
"""Minimum milliseconds before a frame is due at which it is redrawn."""
FIRST_BLANK_MS = 1000.0
"""Milliseconds of rest after a page."""
COMMIT_SECONDS = 10.0
"""Seconds for which the program waits for the store before it reports a problem."""


@dataclass(frozen=True)
class Wait:
    """The event that a trial waits for."""

    until: int | None
    """Moment on the monotonic clock; None: no moment."""
    key: bool = False
    """True if an answer key ends the waiting."""


class TrialRunner(QObject):
    """Runs trials until the session is over, is interrupted or fails. `start` continues."""

    over = Signal()
    """Emitted when the session is over and everything is stored."""
    paused = Signal(str)
    """Emitted when the trials are interrupted, with a message for the participant (empty after Esc)."""
    break_due = Signal()
    """Emitted between two trials, for a break or after practice."""
    marks_due = Signal()
    """Emitted when the last trial's picture, `to_mark`, is to be marked."""
    failed = Signal(str)
    """Emitted with a message when the store could not be written; call `session.retry`."""
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
        screen_differs: bool = False,
    ) -> None:
        """Make a runner that has not started; with `screen_differs` all trials are flagged `screen_changed`."""
        super().__init__()
        self._session = session
        self._window = window
        self._library = library
        self._settings = settings
        self._breaks = breaks
        self._screen_differs = screen_differs
        self._texts = TrialTexts(texts, settings, session.protocol.keys)
        self._confidence_keys = confidence_keys(settings, texts)
        self._screen_changed = False  # trials are shown on a screen other than in the session's row
        self._confidence_onset = 0
        self._running = False
        self._rested_after = 0
        self._stopped_after = 0
        self._blank_until = 0
        self._script: Iterator[Wait] = iter(())
        self._ready = ReadyTrial((), ())
        self._asked = False  # for marks, before the trial's feedback
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

    @property
    def to_mark(self) -> QImage:
        """The picture of the last trial that asks for marks."""
        pictures = [picture for showing in self._ready.showings for picture in showing]
        shown = [name for showing in self._session.protocol.showings(self._session.done[-1]) for name in showing]
        return pictures[shown.index(self._session.to_mark or "")]

    def start(self) -> None:
        """Continue with the next trial, or with feedback after marks. The blank begins when the window is shown."""
        self._running = True
        if not self._window.isExposed():
            self._wait_until(now_ns() + 10 * MILLISECOND, self.start)
            return
        self._window.requestActivate()
        self._watching = True
        self._screen_changed = self._screen.remember() or self._screen_differs  # changes before the mapping are ignored
        after_marks, self._asked = self._asked and self._session.to_mark is None, False
        if not after_marks:
            self._rested_after = len(self._session.done)
        if after_marks and self._session.feedback is not None:
            self._script = self._show_feedback()
            self._step()
        else:
            self._blank(max(FIRST_BLANK_MS, self._settings.blank_ms))

    def pause(self) -> None:
        """Interrupt the current trial, if any, and stop."""
        if self._running:
            self._stop(Flag.PAUSED)
            self.paused.emit("")

    def interrupt(self) -> None:
        """Handle a signal that ends the program: interrupt the current trial and wait until it is stored."""
        self._stop(Flag.INTERRUPTED)

    def _pause_on_another_screen(self) -> None:
        """Note that the current trial was not shown as described; `start` checks the next ones."""
        if self._running and self._watching:
            self._stop(Flag.SCREEN_CHANGED)
            self.paused.emit(self._texts.texts("pause_screen"))

    def _stop(self, flag: str) -> None:
        self._halt()
        state = self._session.state
        if state is State.PRESENTED:
            self._window.stage(BLANK)
            self._session.offset(self._window.present())
        if self._session.trial_begun:
            self._session.break_off(now_ns(), flag)
        with suppress(TimeoutError):  # the session is still SAVING
            self._session.wait(COMMIT_SECONDS)

    def _halt(self) -> None:
        self._running = self._watching = False
        self._timer.stop()
        self._script = iter(())
        gc.enable()

    def _blank(self, milliseconds: float) -> None:
        """Show the grey between trials, with progress and fixation mark."""
        saving = self._session.advance() is State.SAVING
        coming = len(self._session.done) + saving
        mark = self._settings.fixation_mark and coming < len(self._session.plan)
        progress = self._texts.progress(self._session.plan, coming)
        presented = self._present(Frame(text=progress, fixation=mark))
        self._blank_until = presented + round(milliseconds * MILLISECOND)
        gc.enable()
        self._after_commit()

    def _after_commit(self) -> None:
        """Continue according to the session's state; called again when a pending commit is done."""
        if not self._running:
            return
        match self._session.advance():
            case State.SAVING if self._session.saving is not None:
                self._session.saving.add_done_callback(lambda _: self._settled.emit())
            case State.MARKING:
                self._asked = True
                self._halt()
                self.marks_due.emit()
            case State.READY if self._wants_break():
                self._halt()
                self._stopped_after = len(self._session.done)
                self.break_due.emit()
            case State.READY:  # decode the next trial's pictures and begin; nothing is decoded while one is shown
                session, planned = self._session, self._session.trial.planned
                showings, name = session.protocol.showings(planned), session.row["session"]
                self._ready = load_trial(planned, showings, self._library, self._settings.mask, session=name)
                self._script = self._trial(self._ready, self._blank_until)
                self._step()
            case State.FAILED:
                self._halt()
                self.failed.emit(str(self._session.error))
            case State.OVER:
                self._halt()
                self.over.emit()

    def _wants_break(self) -> bool:
        """Return True if a page comes now: the end of practice once, a break never directly after another page."""
        session = self._session
        if not (self._breaks and break_due(session.done, session.trial.planned, self._settings)):
            return False
        ends_practice = session.done[-1]["phase"] == "practice"
        return len(session.done) > (self._stopped_after if ends_practice else self._rested_after)

    def _step(self) -> None:
        """Continue with the trial until its next wait, or to the blank after it."""
        wait = next(self._script, None)
        if wait is None:
            self._blank(self._settings.blank_ms)
            return
        self._wait = wait
        if wait.until is not None:
            self._wait_until(wait.until, self._step)

    def _key(self, press: Press) -> None:
        state = self._session.state
        if state is State.CONFIDENCE and press.when < self._confidence_onset:
            return  # pressed before the question was visible
        keys = self._confidence_keys if state is State.CONFIDENCE else self._session.protocol.answers
        key = matching_key(press.key, press.place, keys)
        taken = key is not None and self._session.press(key, press.when, repeated=press.repeated)
        if taken and not press.from_server and state is not State.CONFIDENCE:
            self._session.flag(Flag.HANDLER_TIME)
        if taken and self._wait.key:
            self._timer.stop()
            self._step()

    def _wait_until(self, moment: int, then: Callable[[], None]) -> None:
        self._then = then
        self._timer.start(max(0, (moment - now_ns()) // MILLISECOND))

    def _trial(self, ready: ReadyTrial, due: int) -> Iterator[Wait]:
        """Run one trial until its last text; each moment is planned from the one before."""
        session, window, trial = self._session, self._window, self._session.trial
        caption = self._library.caption(trial.planned) if self._settings.show_caption else ""
        for pictures, masks in zip(ready.showings, ready.masks, strict=True):
            window.stage(Frame(pictures, caption=caption, patch=True))
            yield self._ahead_of(due)
            gc.disable()
            session.onset(window.present(due))
            if not window.isActive():
                session.flag(Flag.FOCUS_LOST)
            if self._screen_changed:
                session.flag(Flag.SCREEN_CHANGED)
            # until the answer: then nothing is left to judge, and no mask is shown
            until_answer = trial.timing.requested_exposure_ms is None
            if masks and not until_answer:
                window.stage(Frame(masks))
                yield self._ahead_of(trial.vanish_due)
            else:
                yield from self._draw_what_follows(pictures, trial.vanish_due)
            offset = window.present(None if until_answer and trial.answer else trial.vanish_due)
            session.offset(offset)
            due = trial.next_due
            mask_end = offset + round(session.planned_exposure(self._settings.mask_ms) * MILLISECOND)
            # Something follows the mask, unless the next picture replaces it earlier.
            if masks and not until_answer and (trial.all_presented or mask_end < due):
                yield from self._draw_what_follows(pictures, mask_end)
                window.present(mask_end)
        if trial.waits_for_answer:
            closes = trial.close_due
            yield Wait(None if closes is None else closes + STRAGGLERS_MS * MILLISECOND, key=True)
        session.close()  # now it is being stored, unless the confidence is asked
        if session.state is State.CONFIDENCE:
            self._confidence_onset = self._present(Frame(headline=self._texts.confidence))
            yield Wait(None, key=True)
        if session.to_mark is None:
            yield from self._show_feedback()

    def _show_feedback(self) -> Iterator[Wait]:
        """Show the feedback of a practice trial, with the pictures and their truth if there is one."""
        row, protocol = self._session.feedback, self._session.protocol
        if row is None:
            return
        frame = Frame(headline=self._texts.feedback(row["correct"]))
        if protocol.truth(row) is not None:
            pictures = [picture for showing in self._ready.showings for picture in showing]
            stimuli = [stimulus for showing in protocol.showings(row) for stimulus in showing]
            captions = tuple(self._texts.truth_of(row, stimulus) for stimulus in stimuli)
            frame = Frame(fitted(pictures, self._window.canvas), headline=frame.headline, captions=captions)
        yield Wait(self._present(frame) + round(self._settings.feedback_ms * MILLISECOND))

    def _draw_what_follows(self, pictures: Images, due: int | None) -> Iterator[Wait]:
        """Draw what follows the pictures or their masks, and wait until it is due.

        It is the fixation mark before another picture, the cue before an answer. An answer meanwhile removes the cue,
        unless drawing again might be late.
        """
        window, trial = self._window, self._session.trial
        frame = BLANK
        if not trial.all_presented:
            frame = Frame(fixation=self._settings.fixation_mark)
        elif trial.timing.requested_exposure_ms is not None and trial.waits_for_answer and due != trial.close_due:
            frame = Frame(headline=self._texts.response_cue, vanished=pictures)
        window.stage(frame)
        yield self._ahead_of(due, key=trial.timing.requested_exposure_ms is None or bool(frame.headline))
        if frame.headline and trial.answer and due is not None and now_ns() < due - REDRAW_MS * MILLISECOND:
            window.stage(BLANK)
            yield self._ahead_of(due)

    def _present(self, frame: Frame) -> int:
        """Show a frame now; return the time after it."""
        self._window.stage(frame)
        return self._window.present()

    def _ahead_of(self, due: int | None, *, key: bool = False) -> Wait:
        """Wait until shortly before a frame is due: presenting takes time, and timers are late."""
        return Wait(None if due is None else due - LAST_STRETCH_NS - self._window.lead, key)
