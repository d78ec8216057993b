"""Effects of a page's messages on its session: the same for the server and for the import of a page's answers.

Each method raises `RequestError` for a message that is impossible now. Those with a store are jobs for its thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.quiz.clock import ReportedClock
from gan_eval.quiz.marks import MarksReport
from gan_eval.quiz.remote import TrialReport, is_likely, nanoseconds, replay
from gan_eval.quiz.serve.messages import Arrival, InstructionCheck, Onset, Ready, RequestError
from gan_eval.quiz.serve.screening import (
    PRESENTER,
    attempt_row,
    below_gate,
    check_row,
    checked_answers,
    checks_of,
    columns_of,
    passed,
)
from gan_eval.quiz.session import Session
from gan_eval.quiz.trial import Flag, State, answer_rows
from gan_eval.quiz.wording import Texts, presented_consent
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Store
from gan_eval.tables.frames import Row


@dataclass(frozen=True)
class Interpreter:
    """The messages of one study's pages."""

    settings: QuizSettings
    texts: Texts
    intro: bool = True
    """The page shows consent, questions and checks before the trials."""

    def begin(
        self, session: Session, message: Arrival, *, require: Callable[[sa.Connection], object] | None = None
    ) -> None:
        """Store a new session; `require` as in `Store.begin`. Raises `UserError` as `Session.begin`."""
        if self.intro and not message.consent:
            raise RequestError(422, "consent: expected true")
        names = self.settings.browser.other_parameters
        others = {name: message.parameters[name] for name in names if name in message.parameters}
        consent = presented_consent(self.settings.consent, self.texts) if self.intro else None
        session.row |= {"presenter": PRESENTER, "language": self.texts.language}
        session.begin(consent, answers=others, require=require)

    def check(self, store: Store, session: str, message: InstructionCheck, at: datetime) -> Row:
        """Store an attempt at the questions on the instructions, unless they are passed; return its row of `checks`."""
        checks = self.settings.browser.checks
        if len(message.choices) != len(checks):
            raise RequestError(422, f"choices: expected {len(checks)}")
        earlier = attempts(store, session)
        if passed(earlier):
            return next(row for row in earlier if row["verdict"] == "ok")
        row = attempt_row(session, message.choices, earlier, self.settings.browser, at)
        _add_check(store, row)
        return row

    def ready(
        self, store: Store, session: Row, message: Ready, widths: set[int], at: datetime
    ) -> tuple[Row, Row | None]:
        """Store the answers and the display from the pages before the trials.

        Args:
            session: the session's row, without a display.
            widths: the own widths of its pictures.

        Returns:
            The columns of `sessions` that were stored; the row of the check that the display has failed, or None.
        """
        if self.intro and self.settings.browser.checks and not passed(attempts(store, session["session"])):
            raise RequestError(409, self.texts("web_check_missing"), page="refused", reason="check_missing")
        answers = checked_answers(message.answers, self.settings, self.texts) if self.intro else {}
        if (problem := below_gate(message.screen, self.settings.browser)) is not None:
            failed = check_row(session["session"], *problem, "failed", at)
            _add_check(store, failed)
            return {}, failed
        columns = columns_of(message.screen, self.settings, self.texts, widths)
        answered = answer_rows(session, answers, answered_at=at)
        measured = checks_of(session["session"], message.screen, at)
        more = ((tables.PARTICIPANTS, answered), (tables.CHECKS, measured))
        store.update_session(session["session"], columns, more=more)
        return columns, None

    def onset(self, session: Session, clock: ReportedClock, message: Onset, at: datetime | None = None) -> bool:
        """Note that a trial's first picture has appeared, if it is the trial's turn; return whether it is."""
        if message.trial not in {row["trial"] for row in session.done}:
            session.leave_marks()
        if session.state is not State.READY or not _is_next(session, message.trial):
            return False
        clock.receive(nanoseconds(message.sent_ms), at)
        session.onset(nanoseconds(message.onset_ms))
        return True

    def trial(self, session: Session, clock: ReportedClock, message: TrialReport, at: datetime | None = None) -> None:
        """Store a trial; `at` as for `ReportedClock.receive`."""
        session.leave_marks()
        if not _is_next(session, message.trial):
            raise RequestError(409, f"trial {message.trial}: it is not the turn of this trial")
        clock.receive(nanoseconds(message.sent_ms), at)
        likely = clock.steady and is_likely(session, message, clock.utc())
        try:
            replay(session, message, flags=() if likely else (Flag.CLOCK_UNLIKELY,))
        except UserError as error:
            raise RequestError(422, str(error)) from error
        clock.steady = True

    def marks(self, session: Session, message: MarksReport) -> None:
        """Store the marks of a finished trial, if they are still being asked for."""
        if message.trial not in {row["trial"] for row in session.done}:
            raise RequestError(409, f"trial {message.trial}: it is not the turn of this trial's marks")
        if session.state is State.MARKING and session.done[-1]["trial"] == message.trial:
            try:
                session.mark(message)
            except UserError as error:
                raise RequestError(422, str(error)) from error


def attempts(store: Store, session: str) -> list[Row]:
    """Return the stored attempts at the questions on the instructions."""
    return store.rows(tables.CHECKS, session=session, unit="attempts")


def _add_check(store: Store, row: Row) -> None:
    """Store a row of `checks` unless there is one of this check."""
    if not store.rows(tables.CHECKS, session=row["session"], check=row["check"]):
        store.add(tables.CHECKS, [row], session=row["session"])


def _is_next(session: Session, trial: int) -> bool:
    """Return whether it is the turn of this trial; its picture may have been shown already."""
    is_open = session.row.get("screen_width") is not None and session.state in (State.READY, State.PRESENTED)
    return is_open and bool(session.trial.planned["trial"] == trial)
