"""Trials that arrive complete: the report of a browser or a simulated participant, and its replay into a session."""

from collections.abc import Collection
from datetime import datetime
from math import inf
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gan_eval.base.errors import UserError
from gan_eval.quiz.session import Session
from gan_eval.quiz.trial import MILLISECOND, State

Moment = Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)]
"""Milliseconds on the presenter's monotonic clock."""
ReportedFlag = Literal["focus_lost", "screen_changed", "hidden_tab", "missed_frames", "coarse_clock"]


class _Reported(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Showing(_Reported):
    """One showing as it was presented."""

    onset_ms: Moment
    offset_ms: Moment


class ReportedPress(_Reported):
    """One press of a key of an answer, or of its button."""

    key: str = Field(min_length=1, max_length=4)
    at_ms: Moment
    repeated: bool = False
    """True if the keyboard repeated a key that was held down."""


class BrokenOff(_Reported):
    """The participant or the presenter ended the trial early."""

    at_ms: Moment
    flag: Literal["paused", "hidden_tab", "screen_changed"] = "paused"


class TrialReport(_Reported):
    """Everything that happened in one trial."""

    trial: int = Field(ge=0, le=10**6)
    """Its number within the session."""
    showings: tuple[Showing, ...] = Field(min_length=1, max_length=2)
    presses: tuple[ReportedPress, ...] = Field(default=(), max_length=200)
    """All presses of answer keys from the blank before the trial to its end."""
    confidence: int | None = Field(default=None, ge=1, le=9)
    broken_off: BrokenOff | None = None
    flags: tuple[ReportedFlag, ...] = Field(default=(), max_length=8)
    sent_ms: Moment
    """Time when the report was sent, not before its events."""
    frame_ms: float | None = Field(default=None, gt=0, le=1000)
    """Mean interval between frames during the trial; None: not measured."""
    missed_frames: int | None = Field(default=None, ge=0, le=10**6)
    """Number of frames dropped while a picture was shown; None: not measured."""


def nanoseconds(milliseconds: float) -> int:
    """Return a moment in nanoseconds.

    >>> nanoseconds(16.667)
    16667000
    """
    return round(milliseconds * MILLISECOND)


CLOCK_MS = 100.0
"""Time in ms by which a trial may exceed the time since the answer before it, because clocks have steps."""


def is_likely(session: Session, report: TrialReport, now: datetime) -> bool:
    """Return whether the reported time from onset to sending has passed since the answer before, or since the start.

    A page cannot show a trial before the one before it is stored, so a slow network makes no trial unlikely.
    """
    onset = report.showings[0].onset_ms
    if session.trial.seen:  # the first onset arrived before the report
        onset = min(onset, session.trial.seen[0].onset / MILLISECOND)
    answered_at = session.done[-1]["answered_at"] if session.done else None
    passed = now - datetime.fromisoformat(answered_at or session.row["started_at"])
    return report.sent_ms - onset <= passed.total_seconds() * 1000 + CLOCK_MS


def replay(session: Session, report: TrialReport, *, flags: Collection[str] = ()) -> None:
    """Pass a trial's events to its session in the order in which they happened; the session then stores it.

    Args:
        session: READY for the trial, or its first onset is reported already.
        report: of this trial.
        flags: flags of the trial besides the report's.

    Raises:
        UserError: the report is not possible in this trial: showings that are missing, too many or out of order, a
            trial that ends without an answer before the response window closes.
    """
    trial = session.trial
    assert report.trial == trial.planned["trial"], (report.trial, trial.planned["trial"])
    _require_possible(session, report)
    # Events of one moment keep the order of the showings; an answer comes between its onset and the offset it causes.
    events: list[tuple[int, int, ReportedPress | None]] = []
    for index, showing in enumerate(report.showings):
        events.append((nanoseconds(showing.onset_ms), 4 * index, None))
        events.append((nanoseconds(showing.offset_ms), 4 * index + 2, None))
    answering = 4 * len(report.showings) - 3
    events += [(nanoseconds(press.at_ms), answering, press) for press in report.presses]
    for when, what, press in sorted(events, key=lambda event: event[:2]):
        if press is not None:
            session.press(press.key, when, repeated=press.repeated)
        elif what % 4:
            session.offset(when)
        elif trial.state is not State.PRESENTED:  # the first onset may have arrived before the report
            session.onset(when)
    for flag in (*report.flags, *flags):
        session.flag(flag)
    trial.frame_ms, trial.missed_frames = report.frame_ms, report.missed_frames
    if report.broken_off is not None:
        session.break_off(nanoseconds(report.broken_off.at_ms), report.broken_off.flag)
        return
    session.close()
    if session.state is State.CONFIDENCE:
        session.press(str(report.confidence), nanoseconds(report.sent_ms))


def _require_possible(session: Session, report: TrialReport) -> None:
    """Refuse a report that the session could not process."""
    trial, where = session.trial, f"trial {report.trial}"
    moments = [moment for showing in report.showings for moment in (showing.onset_ms, showing.offset_ms)]
    if trial.seen:  # its onset arrived before the report
        moments[0] = trial.seen[0].onset / MILLISECOND
    if moments != sorted(moments):
        raise UserError(f"{where}: showings: their times are not in order")
    if max([moments[-1], *(press.at_ms for press in report.presses)]) > report.sent_ms:
        raise UserError(f"{where}: sent_ms: before the last of its showings and presses")
    if len(report.showings) > trial.showings or (report.broken_off is None and len(report.showings) < trial.showings):
        raise UserError(f"{where}: showings: found {len(report.showings)}, expected {trial.showings}")
    if report.broken_off is None:
        _require_answer(session, report, onset=nanoseconds(moments[-2]))


def _require_answer(session: Session, report: TrialReport, *, onset: int) -> None:
    """Refuse a whole trial without an answer in its window, which begins at its last onset, or without confidence."""
    where, window = f"trial {report.trial}", session.trial.timing.response_ms
    closes = inf if window is None else onset + nanoseconds(window)
    answered = any(
        press.key.lower() in session.protocol.answers
        and not press.repeated
        and onset <= nanoseconds(press.at_ms) <= closes
        for press in report.presses
    )
    if not answered and nanoseconds(report.sent_ms) < closes:
        raise UserError(f"{where}: presses: no answer, and the response window was still open")
    levels = session.protocol.settings.confidence
    if answered and levels and (report.confidence is None or report.confidence > levels):
        raise UserError(f"{where}: confidence: found {report.confidence}, expected 1 to {levels}")
