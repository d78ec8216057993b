"""A session of one participant: a state machine without a screen or a clock of its own.

The presenter (application, browser or simulated participant) reports each event and its time. The session stores it
and decides what comes next; the next trial starts only after the one before it is durable.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.quiz.clock import Clock
from gan_eval.quiz.marks import MarksReport, mark_rows, marked_stimulus
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.trial import (
    MILLISECOND,
    Flag,
    State,
    Trial,
    add_once,
    answer_rows,
    consent_row,
    killed_row,
    onset_row,
    trial_row,
)
from gan_eval.settings.quiz import ConsentSettings, QuizSettings
from gan_eval.store import Addition, Store, Writer
from gan_eval.tables.frames import Row, iso

Unsaved = Literal["answer", "end", "nothing"]
"""The loss if the program ended now: an answer, the end of the session, or nothing."""

KEPT = (
    *("trial", "phase", "block", "protocol", "stimulus", "stimulus_b", "position", "kind", "model", "dataset"),
    *("requested_exposure_ms", "exposure_ms", "response", "choice", "rating", "correct", "reaction_time_ms"),
    "confidence",
)
"""Columns of finished trials that the next trials and the last page need."""


class Session:
    """One participant's session. Times are nanoseconds on the monotonic clock."""

    def __init__(
        self,
        row: Row,
        plan: Sequence[Row],
        protocol: QuizProtocol,
        writer: Writer,
        clock: Clock,
        *,
        done: Sequence[Row] = (),
    ) -> None:
        """Set up a session; nothing is stored before `begin`, or `resume` for a stored session."""
        self.row = dict(row)
        self.plan = list(plan)
        self.done = list(done)
        self.error: UserError | None = None
        self.warnings: list[str] = []
        """Lines for the experimenter at the end."""
        self.feedback: Row | None = None
        """The row of the last trial, if the participant gets feedback on it."""
        self.planned_exposure: Callable[[float], float] = float
        """Function from the requested to the planned exposure, both in ms, such as whole frames."""
        self.require_here: Callable[[sa.Connection], object] | None = None
        """Called in the transaction that stores an onset or a trial; raises `UserError` if the session continues
        elsewhere."""
        self.protocol = protocol
        self._writer = writer
        self._clock = clock
        self._job: Callable[[Store], object] | None = None
        self._future: Future[object] | None = None
        self._trial: Trial | None = None
        self._pending: list[Row] | None = None
        self._confidence = protocol.settings.confidence
        self._next_flags: set[str] = set()
        self._marked: int | None = None  # last trial whose marks are stored, or not asked for any more
        self._state = State.NEW

    @property
    def state(self) -> State:
        """State of the current trial, else of the session, as of the last `advance`."""
        return self._state if self._trial is None else self._trial.state

    def advance(self) -> State:
        """Process a finished commit, go to the next trial or the end, and return the new state."""
        if self._state is State.SAVING and self._future is not None and self._future.done():
            error = self._future.exception()
            if isinstance(error, UserError):
                self.error = error
                self._state = State.FAILED
            elif error is not None:
                raise error
            elif self._pending is None:
                self._state = State.OVER
            else:
                self.done += self._pending
                self._continue()
        return self.state

    @property
    def unsaved(self) -> Unsaved:
        """The part that is not stored yet: the last answer, the end of the session, or nothing."""
        if self._state not in (State.SAVING, State.FAILED):
            return "nothing"
        return "end" if self._pending is None else "answer"

    @property
    def to_mark(self) -> str | None:
        """The picture of the last trial, finished or being stored, that still asks for marks; None: none."""
        last = [*self.done[-1:], *(self._pending or ())][-1:]
        return marked_stimulus(self.protocol.settings, *last) if last and last[0]["trial"] != self._marked else None

    @property
    def trial(self) -> Trial:
        """The next or current trial."""
        assert self._trial is not None
        return self._trial

    @property
    def trial_begun(self) -> bool:
        """True if a picture of the trial has been shown and the trial is not yet being stored."""
        return self._trial is not None and self._trial.state is not State.READY

    @property
    def counted(self) -> tuple[int, int]:
        """Number of finished and of planned trials, without practice."""
        done, plan = (sum(row["phase"] != "practice" for row in rows) for rows in (self.done, self.plan))
        return done, plan

    @property
    def has_truth(self) -> bool:
        """True if trials have a correct answer."""
        return any(self.protocol.truth(row) is not None for row in self.plan)

    def begin(
        self,
        consent: ConsentSettings | None,
        *,
        answers: Mapping[str, str | None] | None = None,
        checks: Sequence[Row] = (),
        require: Callable[[sa.Connection], object] | None = None,
    ) -> None:
        """Store session, plan, consent, answers and checks in one transaction, and go to the first trial.

        Args:
            consent: the text that the participant agreed to; None: not asked.
            answers: answers to the study's questions by id; None: left open.
            checks: rows of `gan_eval.tables.CHECKS`.
            require: as in `Store.begin`.

        Raises:
            UserError: the store cannot be written, or `require` refuses; the session stays NEW.
        """
        assert self._state is State.NEW
        now = self._clock.utc()
        self.row["started_at"] = iso(now)
        shared = {name: self.row[name] for name in ("session", "simulated")}
        plan = [{**row, **shared} for row in self.plan]
        agreed = None if consent is None else consent_row(self.row, consent, answered_at=now)
        answered = answer_rows(self.row, answers or {}, answered_at=now)
        more = ((tables.PARTICIPANTS, answered), (tables.CHECKS, checks))
        self._writer.submit(lambda store: store.begin(self.row, plan, agreed, more=more, require=require)).result()
        self._continue()

    def resume(self, onsets: Sequence[Row], *, still_shown: bool = False, marked: bool = False) -> None:
        """Resume a stored session at its next trial; a finished one is OVER.

        Args:
            onsets: stored rows of `gan_eval.tables.ONSETS`. One without a trial was on the screen when the program was
                killed; its trial is stored as seen.
            still_shown: the trial on the screen continues, because only the server was restarted, not the page.
            marked: the last trial's marks are stored.
        """
        assert self._state is State.NEW
        if self.row["status"] != "open":
            self._state = State.OVER
            return
        finished = {row["trial"] for row in self.done}
        unfinished = [row for row in onsets if row["trial"] not in finished]
        if self.done and (marked or unfinished or not still_shown):
            self._marked = self.done[-1]["trial"]
        if still_shown:
            self._continue_shown(unfinished)
            return
        self._next_flags.add(Flag.RESUMED)
        planned = {row["trial"]: row for row in self.plan}
        killed = [
            killed_row(self.row, planned[row["trial"]], row, self.protocol.judge(planned[row["trial"]], None))
            for row in unfinished
        ]
        if killed:
            self._store(lambda store: add_once(store, killed), killed)
        else:
            self._continue()

    def _continue_shown(self, unfinished: Sequence[Row]) -> None:
        """Continue with the trial that is still on the screen, from the stored onsets of unfinished trials."""
        self._continue()
        if self._trial is not None and any(row["trial"] == self._trial.planned["trial"] for row in unfinished):
            self._trial.appear(round(unfinished[-1]["onset_ms"] * MILLISECOND))
            self._trial.plan(self.planned_exposure)

    def onset(self, when: int) -> None:
        """Note that the next picture, or pair of pictures, has appeared."""
        trial = self.trial
        trial.appear(when)
        if len(trial.seen) == 1:
            trial.plan(self.planned_exposure)
            row = onset_row(self.row, trial, shown_at=self._time_of_day(when))
            # If this fails the session continues: storing the trial reports the same error.
            require = self.require_here
            add = partial(Store.add, table=tables.ONSETS, rows=[row], session=row["session"], require=require)
            self._writer.submit(add, adds=None if require else (tables.ONSETS, row))

    def offset(self, when: int) -> None:
        """Note that the pictures have vanished."""
        self.trial.vanish(when)

    def press(self, key: str, when: int, *, repeated: bool = False) -> bool:
        """Process a key press; return True if it was the answer or its confidence."""
        if self._trial is None:
            return False
        if self._trial.state is State.CONFIDENCE:
            if repeated or key not in map(str, range(1, self._confidence + 1)):
                return False
            self._trial.confidence = int(key)
            self._finish()
            return True
        answer = self.protocol.answers.get(key.lower())
        return answer is not None and self._trial.press(answer, when, repeated=repeated)

    def flag(self, name: str) -> None:
        """Flag an event in the row of the current trial, if there is one."""
        if self.trial_begun:
            self.trial.flags.add(name)

    def close(self) -> None:
        """End the trial after its last picture; then ask for the confidence if wanted, or store the trial."""
        if self.trial.close(asks_confidence=self._confidence > 0) is State.SAVING:
            self._finish()

    def break_off(self, when: int, flag: str) -> None:
        """End the current trial early; its picture counts as seen. Call `offset` first."""
        self.trial.break_off(when, flag)
        self._finish()

    def mark(self, report: MarksReport) -> None:
        """Store the marks of the last finished trial, once, and continue; `UserError`: they are not possible."""
        stimulus, row, require = self.to_mark, self.done[-1], self.require_here
        assert stimulus is not None
        rows, key = mark_rows(row, stimulus, report, self.protocol.settings), {"session": row["session"]}

        def add(store: Store) -> None:
            if rows and not store.rows(tables.MARKS, trial=report.trial, **key):
                store.add(tables.MARKS, rows, **key, require=require)

        self._marked, self._trial = report.trial, None
        self._store(add, [])

    def leave_marks(self) -> None:
        """Continue without marks, if they are being asked for: the participant has continued."""
        if self._state is State.MARKING:
            self._marked = self.done[-1]["trial"]
            self._continue()

    def shorten(self) -> None:
        """Keep the columns `KEPT` of the finished trials before the last one in memory; the store has all columns."""
        for number in reversed(range(len(self.done) - 1)):
            row = self.done[number]
            if len(row) <= len(KEPT):  # so are those before it
                break
            index = next(index for index, planned in enumerate(self.plan) if planned["trial"] == row["trial"])
            self.done[number] = self.plan[index] = {name: row[name] for name in KEPT}

    def abort(self) -> None:
        """End the session for good; all trials are kept."""
        self._end("aborted")

    def wait(self, seconds: float | None = None) -> State:
        """Wait for the pending commits, at most `seconds`; return the new state.

        Raises:
            TimeoutError: the store took longer.
        """
        while self.advance() is State.SAVING and self._future is not None:
            self._future.exception(seconds)
        return self.state

    @property
    def saving(self) -> Future[object] | None:
        """The pending commit; None if there is none."""
        return self._future if self._state is State.SAVING else None

    def retry(self) -> None:
        """Try the failed commit again."""
        assert self._state is State.FAILED
        assert self._job is not None
        self.error = None
        self._store(self._job, self._pending)

    def _continue(self) -> None:
        """Continue with the last trial's marks or the next trial, or end."""
        if self.to_mark is not None:
            self._state = State.MARKING
            return
        planned = self.protocol.next_trial(self.plan, self.done)
        if planned is None:
            self._end("complete")
            return
        showings = len(self.protocol.showings(planned))
        self._trial = Trial(planned, self.protocol.timing(planned), showings, self._next_flags)
        self._next_flags = set()
        self._state = State.READY

    def _finish(self) -> None:
        """Store the current trial."""
        trial = self.trial
        answer_columns = self.protocol.judge(trial.planned, trial.answer)
        row = trial_row(self.row, trial, answer_columns, answered_at=self._time_of_day(trial.ended))
        has_truth = row["correct"] is not None or trial.answer is None  # no correct answer exists
        self.feedback = row if has_truth and row["phase"] == "practice" and trial.broken_off is None else None
        self._trial = None
        add = partial(add_once, rows=[row], require=self.require_here)
        self._store(add, [row], adds=None if self.require_here else (tables.TRIALS, row))

    def _end(self, status: str) -> None:
        session, ended = self.row["session"], {"status": status, "ended_at": iso(self._clock.utc())}
        self._trial = None
        self.row |= ended
        self._store(lambda store: store.update_session(session, ended), None)

    def _store(self, job: Callable[[Store], object], rows: list[Row] | None, *, adds: Addition | None = None) -> None:
        """Submit a job to the writer; then the session continues after these trials, or ends with None."""
        self._job, self._pending = job, rows
        self._future = self._writer.submit(job, adds=adds)
        self._state = State.SAVING

    def _time_of_day(self, when: int) -> datetime:
        ago = (self._clock.monotonic() - when) / MILLISECOND
        return self._clock.utc() - timedelta(milliseconds=ago)


def break_due(done: Sequence[Row], coming: Row | None, settings: QuizSettings) -> bool:
    """Return True if a break comes between the finished trials and the next one (None: no trial).

    Breaks come after every `break_every` trials of a block, between blocks, and after practice.
    """
    if not done or coming is None:
        return False
    last = done[-1]
    if last["phase"] == "practice":
        return bool(coming["phase"] != "practice")
    if settings.break_every is None:
        return False
    of_block = sum(row["phase"] != "practice" and row["block"] == last["block"] for row in done)
    return bool(last["block"] != coming["block"] or of_block % settings.break_every == 0)
