"""A session's trials on the screen: phase by phase, and one after the other with all that comes between them."""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from gan_eval.quiz.app.keys import Keyboard, Press, wanted_key
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
from gan_eval.tables.frames import Row

STRAGGLERS_MS = 20
"""After the response window has closed, a key that was pressed in time may still be on its way."""

REDRAW_MS = 20
"""A frame is drawn anew only so long before it is due."""


@dataclass(frozen=True)
class Wait:
    """Event that a trial waits for before it continues."""

    until: int | None
    """A moment on the monotonic clock; None: no moment."""
    key: bool = False
    """A key that counts ends the waiting."""


FIRST_BLANK_MS = 1000.0
"""After a page, the eyes and the fingers need a moment."""

COMMIT_SECONDS = 10.0
"""So long the program waits for the store, doing nothing else, before it says that something is wrong."""


class TrialRunner(QObject):
    """Runs trials until the session is over, something comes between, or something fails. `start` continues."""

    over = Signal()
    """The session is over and everything is stored."""
    paused = Signal(str)
    """No trial is on its way any more. Esc: an empty text; else what the participant must know."""
    break_due = Signal()
    """Between two trials: time to rest, or practice is over."""
    failed = Signal(str)
    """The store could not be written, as the line says; call `session.retry`."""
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
        keys = {answer: key for key, answer in session.protocol.answers.items()}
        self._texts = TrialTexts(texts, settings, keys)
        self._confidence_keys = confidence_keys(settings, texts)
        self._screen_changed = False  # trials are shown on another screen than the session's row describes
        self._confidence_onset = 0
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
        """Continue with the next trial. The window must be shown; the blank begins when it is."""
        self._running = True
        if not self._window.isExposed():
            self._wait_until(now_ns() + 10 * MILLISECOND, self.start)
            return
        self._window.requestActivate()
        self._screen.remember()  # what came while the window was mapped is not a change
        self._watching = True
        self._screen_changed = self._screen_differs or self._screen.differs
        self._rested_after = len(self._session.done)
        self._blank(max(FIRST_BLANK_MS, self._settings.blank_ms))

    def pause(self) -> None:
        """Break off the trial on its way, if any, and stop."""
        if self._running:
            self._stop(Flag.PAUSED)
            self.paused.emit("")

    def interrupt(self) -> None:
        """A signal ends the program: break off the trial on its way and wait until it is stored."""
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
        if self._session.trial_begun:
            self._session.break_off(now_ns(), flag)
        with suppress(TimeoutError):  # then the session is still SAVING
            self._session.wait(COMMIT_SECONDS)

    def _halt(self) -> None:
        self._running = self._watching = False
        self._timer.stop()
        self._script = iter(())
        gc.enable()

    def _blank(self, milliseconds: float) -> None:
        """The grey between trials, with progress and fixation mark; the next trial waits for the commit of the last."""
        saving = self._session.advance() is State.SAVING
        coming = len(self._session.done) + saving
        mark = self._settings.fixation_mark and coming < len(self._session.plan)
        progress = self._texts.progress(self._session.plan, coming)
        presented = self._present(Frame(text=progress, fixation=mark))
        self._blank_until = presented + round(milliseconds * MILLISECOND)
        gc.enable()
        self._after_commit()

    def _after_commit(self) -> None:
        """Continue as the session's state says; called again when a commit on its way is done."""
        if not self._running:
            return
        match self._session.advance():
            case State.SAVING if self._session.saving is not None:
                self._session.saving.add_done_callback(lambda _: self._settled.emit())
            case State.READY if self._wants_break():
                self._halt()
                self._stopped_after = len(self._session.done)
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

        That practice is over is said in any case, once: a pause does not say it.
        """
        session = self._session
        if not (self._breaks and break_due(session.done, session.trial.planned, self._settings)):
            return False
        ends_practice = session.done[-1]["phase"] == "practice"
        return len(session.done) > (self._stopped_after if ends_practice else self._rested_after)

    def _prepare(self) -> None:
        """Decode the next trial's pictures at their size and begin.

        Where that takes longer than the blank, the blank is longer: nothing is decoded while a picture is shown.
        """
        session, planned = self._session, self._session.trial.planned
        showings = session.protocol.showings(planned)
        ready = load_trial(planned, showings, self._library, self._settings.mask, session=session.row["session"])
        self._script = self._trial(ready, self._blank_until)
        self._step()

    def _step(self) -> None:
        """Continue with the trial up to where it waits again, or to the blank after it."""
        wait = next(self._script, None)
        if wait is None:
            self._blank(self._settings.blank_ms)
            return
        self._wait = wait
        if wait.until is not None:
            self._wait_until(wait.until, self._step)

    def _key(self, press: Press) -> None:
        if self._session.state is State.CONFIDENCE and press.when < self._confidence_onset:
            return  # pressed before the question could be read
        state = self._session.state
        wanted = self._confidence_keys if state is State.CONFIDENCE else self._session.protocol.answers
        key = wanted_key(press.key, press.place, wanted)
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
        """One trial from the blank before it to its last text; each moment is due from the one before it."""
        session, window, trial = self._session, self._window, self._session.trial
        for pictures, masks in zip(ready.showings, ready.masks, strict=True):
            window.stage(Frame(pictures, patch=True))
            yield self._ahead_of(due)
            gc.disable()
            session.onset(window.present(due))
            if not window.isActive():
                session.flag(Flag.FOCUS_LOST)
            if self._screen_changed:
                session.flag(Flag.SCREEN_CHANGED)
            until_answer = trial.timing.flash_ms is None  # then nothing is left to be judged, and no mask comes
            if masks and not until_answer:
                window.stage(Frame(masks))
                yield self._ahead_of(trial.vanish_due)
            else:
                yield from self._draw_what_follows(pictures, trial.vanish_due)
            offset = window.present(None if until_answer and trial.answer else trial.vanish_due)
            session.offset(offset)
            due = trial.next_due
            mask_end = offset + round(session.planned_flash(self._settings.mask_ms) * MILLISECOND)
            # something follows the mask, unless the next picture takes its place before
            if masks and not until_answer and (trial.all_presented or mask_end < due):
                yield from self._draw_what_follows(pictures, mask_end)
                window.present(mask_end)
        if trial.waits_for_answer:
            closes = trial.close_due
            yield Wait(None if closes is None else closes + STRAGGLERS_MS * MILLISECOND, key=True)
        session.close()  # from here on it is being stored, unless the confidence is asked for
        if session.state is State.CONFIDENCE:
            self._confidence_onset = self._present(Frame(headline=self._texts.confidence))
            yield Wait(None, key=True)
        if session.feedback is not None:
            presented = self._present(self._feedback(session.feedback, ready))
            yield Wait(presented + round(self._settings.feedback_ms * MILLISECOND))

    def _draw_what_follows(self, pictures: Images, due: int | None) -> Iterator[Wait]:
        """Draw ahead what is seen once pictures or their masks have vanished, and wait until that is due.

        Where another picture comes it is the fixation mark; before an answer it is its cue. An answer meanwhile
        makes the cue needless; it is taken out again, unless drawing anew might come late.
        """
        window, trial = self._window, self._session.trial
        frame = BLANK
        if not trial.all_presented:
            frame = Frame(fixation=self._settings.fixation_mark)
        elif trial.timing.flash_ms is not None and trial.waits_for_answer and due != trial.close_due:
            frame = Frame(headline=self._texts.response_cue, vanished=pictures)
        window.stage(frame)
        yield self._ahead_of(due, key=trial.timing.flash_ms is None or bool(frame.headline))
        if frame.headline and trial.answer and due is not None and now_ns() < due - REDRAW_MS * MILLISECOND:
            window.stage(BLANK)
            yield self._ahead_of(due)

    def _feedback(self, judged: Row, ready: ReadyTrial) -> Frame:
        """Return the feedback of a practice trial; where there is a truth, with the pictures, each with its own."""
        message = self._texts.feedback(judged["correct"])
        if self._session.protocol.truth(judged) is None:
            return Frame(headline=message)
        pictures = [picture for showing in ready.showings for picture in showing]
        stimuli = [stimulus for showing in self._session.protocol.showings(judged) for stimulus in showing]
        captions = tuple(self._texts.truth_of(judged, stimulus) for stimulus in stimuli)
        return Frame(fitted(pictures, self._window.canvas), headline=message, captions=captions)

    def _present(self, frame: Frame) -> int:
        """Show a frame now; return when that was done."""
        self._window.stage(frame)
        return self._window.present()

    def _ahead_of(self, due: int | None, *, key: bool = False) -> Wait:
        """Wait until shortly before a frame is due: presenting takes its time, and timers come late."""
        return Wait(None if due is None else due - LAST_STRETCH_NS - self._window.lead, key)
