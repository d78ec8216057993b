"""One trial phase by phase: what is presented, when, and what is waited for."""

import gc
from collections.abc import Iterator
from dataclasses import dataclass

from gan_eval.quiz.app.loading import ReadyTrial
from gan_eval.quiz.app.painting import BLANK, Frame
from gan_eval.quiz.app.presenter import LAST_STRETCH_NS, PresenterWindow
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.session import Session, State
from gan_eval.quiz.trial import MILLISECOND, Flag
from gan_eval.quiz.wording import TrialTexts
from gan_eval.settings.quiz import QuizSettings

STRAGGLERS_MS = 20
"""After the response window has closed, a key that was pressed in time may still be on its way."""


@dataclass(frozen=True)
class Wait:
    """What a trial waits for before it goes on."""

    until: int | None
    """A moment on the monotonic clock; None: no moment."""
    key: bool = False
    """A key that counts ends the waiting."""


class TrialScript:
    """Presents a session's trials on a window. Who runs it resumes it after each wait."""

    def __init__(self, session: Session, window: PresenterWindow, settings: QuizSettings, texts: TrialTexts) -> None:
        self._session = session
        self._window = window
        self._settings = settings
        self._texts = texts
        self.screen_changed = False
        """Trials are shown on another screen than the one that the session's row describes."""
        self.confidence_asked = 0
        """When the last question for the confidence appeared, in nanoseconds on the monotonic clock."""

    def run(self, ready: ReadyTrial, due: int) -> Iterator[Wait]:
        """One trial from the blank before it to its last text; each moment is due from the one before it.

        Args:
            ready: its pictures and masks.
            due: the moment of its first onset.
        """
        session, window, trial = self._session, self._window, self._session.trial
        for pictures, masks in zip(ready.showings, ready.masks, strict=True):
            window.stage(Frame(pictures, patch=True))
            yield self._ahead_of(due)
            gc.disable()
            session.onset(window.present(due))
            if not window.isActive():
                session.flag(Flag.FOCUS_LOST)
            if self.screen_changed:
                session.flag(Flag.SCREEN_CHANGED)
            until_answer = trial.timing.flash_ms is None  # then nothing is left to be judged, and no mask comes
            window.stage(BLANK if until_answer else Frame(masks))
            yield self._ahead_of(trial.vanish_due, key=until_answer)
            offset = window.present(None if until_answer and trial.answer else trial.vanish_due)
            session.offset(offset)
            due = trial.next_due
            mask_end = offset + round(session.planned_flash(self._settings.mask_ms) * MILLISECOND)
            # grey after the mask, unless the next picture takes its place before
            if masks and not until_answer and (trial.all_presented or mask_end < due):
                window.stage(BLANK)
                yield self._ahead_of(mask_end)
                window.present(mask_end)
        if trial.waits_for_answer:
            closes = trial.close_due
            still_open = closes is None or now_ns() < closes
            if self._texts.question and still_open and trial.timing.flash_ms is not None:
                self.present(Frame(headline=self._texts.question))
            yield Wait(None if closes is None else closes + STRAGGLERS_MS * MILLISECOND, key=True)
        session.close()  # from here on it is being stored, unless the confidence is asked for
        if session.state is State.CONFIDENCE:
            self.confidence_asked = self.present(Frame(headline=self._texts.confidence))
            yield Wait(None, key=True)
        if session.feedback is not None:
            presented = self.present(Frame(headline=self._texts.feedback(session.feedback)))
            yield Wait(presented + round(self._settings.feedback_ms * MILLISECOND))

    def present(self, frame: Frame) -> int:
        """Show a frame at once; when that was done."""
        self._window.stage(frame)
        return self._window.present()

    def _ahead_of(self, due: int | None, *, key: bool = False) -> Wait:
        """Wait until shortly before a frame is due: presenting takes its time, and timers come late."""
        return Wait(None if due is None else due - LAST_STRETCH_NS - self._window.lead, key)
