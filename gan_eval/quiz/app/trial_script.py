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

    def __init__(self, session: Session, window: PresenterWindow, settings: QuizSettings, words: TrialTexts) -> None:
        self._session = session
        self._window = window
        self._settings = settings
        self._words = words
        self.screen_changed = False
        """Trials are shown on another screen than the one that the session's row describes."""
        self.asked = 0
        """When the last question for the confidence appeared, in nanoseconds on the monotonic clock."""

    def run(self, ready: ReadyTrial, due: int) -> Iterator[Wait]:
        """One trial from the blank before it to its last word.

        Args:
            ready: its pictures and masks.
            due: the moment of its first onset.
        """
        session = self._session
        yield from self._show(ready, due)
        yield from self._hear_answer()
        session.close()  # from here on it is being stored, unless the confidence is asked for
        if session.state is State.CONFIDENCE:
            self.asked = self.present(Frame(headline=self._words.confidence))
            yield Wait(None, key=True)
        if session.feedback is not None:
            told = self.present(Frame(headline=self._words.feedback(session.feedback)))
            yield Wait(told + round(self._settings.feedback_ms * MILLISECOND))

    def present(self, frame: Frame) -> int:
        """Show a frame at once; when that was done."""
        self._window.stage(frame)
        return self._window.present()

    def _show(self, ready: ReadyTrial, due: int) -> Iterator[Wait]:
        """Everything that appears and vanishes, each due from the moment of the one before it."""
        trial = self._session.trial
        for pictures, masks in zip(ready.showings, ready.masks, strict=True):
            self._window.stage(Frame(pictures, patch=True))
            yield self._ahead_of(due)
            self._onset(due)
            until_answer = trial.timing.flash_ms is None  # then nothing is left to be judged, and no mask comes
            self._window.stage(BLANK if until_answer else Frame(masks))
            yield self._ahead_of(trial.vanish_due, key=until_answer)
            gone = self._window.present(None if until_answer and trial.answer else trial.vanish_due)
            self._session.offset(gone)
            due = trial.next_due
            if masks and not until_answer:
                yield from self._end_mask(gone, None if trial.all_shown else due)

    def _onset(self, due: int) -> None:
        gc.disable()
        self._session.onset(self._window.present(due))
        if not self._window.isActive():
            self._session.flag(Flag.FOCUS_LOST)
        if self.screen_changed:
            self._session.flag(Flag.SCREEN_CHANGED)

    def _end_mask(self, gone: int, next_due: int | None) -> Iterator[Wait]:
        """Grey after the mask, unless the next picture takes its place before."""
        end = gone + round(self._session.planned_flash(self._settings.mask_ms) * MILLISECOND)
        if next_due is None or end < next_due:
            self._window.stage(BLANK)
            yield self._ahead_of(end)
            self._window.present(end)

    def _hear_answer(self) -> Iterator[Wait]:
        """Wait for the answer, if none has come yet, until the response window closes."""
        trial = self._session.trial
        if not trial.waits_for_answer:
            return
        closes = trial.close_due
        still_open = closes is None or now_ns() < closes
        if self._words.question and still_open and trial.timing.flash_ms is not None:
            self.present(Frame(headline=self._words.question))
        yield Wait(None if closes is None else closes + STRAGGLERS_MS * MILLISECOND, key=True)

    def _ahead_of(self, due: int | None, *, key: bool = False) -> Wait:
        """Wait until shortly before a frame is due: presenting takes its time, and timers come late."""
        return Wait(None if due is None else due - LAST_STRETCH_NS - self._window.lead, key)
