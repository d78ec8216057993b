"""A session: one participant sitting once, as a state machine that knows neither a screen nor a clock of its own.

Whoever shows the pictures (the application, or a simulated participant) tells it what happened and when; the session
decides what comes next and keeps everything in the store. The next trial is given out only after the one before it
is durable.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.trial import MILLISECOND, Flag, Trial
from gan_eval.store import Store, Writer
from gan_eval.study import ConsentSettings
from gan_eval.tabular import Row


class State(Enum):
    """Where a session is."""

    NEW = auto()
    """Nothing is stored; consent is awaited."""
    READY = auto()
    """Everything so far is durable; `trial` may be shown."""
    SHOWN = auto()
    """The trial's picture is on the screen."""
    WAITING = auto()
    """The picture has vanished, the response window is open."""
    SAVING = auto()
    """The trial is being stored."""
    FAILED = auto()
    """The store could not be written; `retry` tries again. Nothing is lost while the program runs."""
    OVER = auto()
    """Complete or aborted, and stored as such. A session that is left in another state stays open in the store."""


class Clock(Protocol):
    """The two clocks of a session."""

    def monotonic(self) -> int:
        """Nanoseconds that never jump."""
        ...

    def utc(self) -> datetime:
        """The time of day, in UTC."""
        ...


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
        stored: bool = False,
    ) -> None:
        """Set a session up.

        Args:
            row: the row of `gan_eval.tables.SESSIONS`.
            plan: its dealt plan.
            protocol: how stimuli are judged.
            writer: the thread that owns the store.
            clock: where times of day come from.
            done: the trials that are in the store already.
            stored: the session is in the store and is taken up again.
        """
        self.row = dict(row)
        self.plan = tuple(plan)
        self.done = list(done)
        self.error: UserError | None = None
        self._protocol = protocol
        self._writer = writer
        self._clock = clock
        self._job: Callable[[Store], None] | None = None
        self._future: Future[None] | None = None
        self._trial: Trial | None = None
        self._pending: Row | None = None
        self._state = State.NEW
        if stored:
            self._go_on(first_flag=Flag.RESUMED)

    @property
    def state(self) -> State:
        """Where the session is. Reading it takes note of a finished commit."""
        if self._state is State.SAVING and self._future is not None and self._future.done():
            self._settle(self._future)
        return self._state

    @property
    def protocol(self) -> QuizProtocol:
        """How stimuli are judged."""
        return self._protocol

    @property
    def trial(self) -> Trial:
        """The trial that is to be shown next or is on its way."""
        assert self._trial is not None
        return self._trial

    @property
    def progress(self) -> tuple[int, int]:
        """Trials that are done, and planned in all."""
        return len(self.done), len(self.plan)

    def begin(self, consent: ConsentSettings | None) -> None:
        """Store session, plan and consent in one transaction, and go to the first trial.

        Args:
            consent: the text that the participant agreed to; None where nobody was asked.

        Raises:
            UserError: the store cannot be written; the session stays NEW.
        """
        assert self._state is State.NEW
        now = _iso(self._clock.utc())
        self.row["started_at"] = now
        shared = {name: self.row[name] for name in ("session", "simulated")}
        plan = [{**row, **shared} for row in self.plan]
        agreed = None if consent is None else {**self._consent_row(consent), "answered_at": now}
        self._writer.submit(lambda store: store.begin(self.row, plan, agreed)).result()
        self._go_on()

    def onset(self, when: int) -> None:
        """The picture has appeared."""
        assert self.state is State.READY
        self.trial.onset = when
        self._state = State.SHOWN

    def offset(self, when: int) -> None:
        """The picture has vanished."""
        assert self._state is State.SHOWN
        self.trial.offset = when
        self._state = State.WAITING

    def press(self, key: str, when: int, *, repeated: bool = False) -> bool:
        """A key was pressed; whether that was the answer."""
        answer = self._protocol.answers.get(key.lower())
        if answer is None or self._trial is None or self._state not in (State.READY, State.SHOWN, State.WAITING):
            return False
        return self._trial.press(answer, when, repeated=repeated)

    def flag(self, word: str) -> None:
        """Something happened that the trial's row must tell."""
        if self._trial is not None and self._state in (State.SHOWN, State.WAITING):
            self._trial.flags.add(word)

    def close(self) -> None:
        """The picture has vanished and the trial has its answer, or none in time: store it."""
        assert self._state is State.WAITING
        row = self._trial_row(self.trial)
        self._trial = None
        self._store(lambda store: _add_once(store, row), row)

    def break_off(self, when: int, flag: str) -> None:
        """End the trial on its way before its time; its picture counts as seen. Call `offset` first."""
        self.trial.break_off(when, flag)
        self.close()

    def abort(self) -> None:
        """The participant stops for good; all trials are kept."""
        self._end("aborted")

    def wait(self, seconds: float | None = None) -> State:
        """Wait for the commits on their way, at most so long; the state after them.

        Raises:
            TimeoutError: the store took longer.
        """
        while self.state is State.SAVING and self._future is not None:
            self._future.exception(seconds)
        return self._state

    def when_settled(self, call: Callable[[], None]) -> None:
        """Call `call` once the commit on its way is done, on any thread."""
        if self._future is not None:
            self._future.add_done_callback(lambda _: call())

    def retry(self) -> None:
        """Try the failed commit again."""
        assert self._state is State.FAILED
        assert self._job is not None
        self.error = None
        self._submit(self._job)

    def _go_on(self, first_flag: str | None = None) -> None:
        """To the next trial, or to the end."""
        planned = self._protocol.next_trial(self.plan, self.done)
        if planned is None:
            self._end("complete")
            return
        flags = {first_flag} if first_flag else set()
        self._trial = Trial(planned, self._protocol.timing(planned), flags)
        self._state = State.READY

    def _end(self, status: str) -> None:
        now = _iso(self._clock.utc())
        self._trial = None
        self.row |= {"status": status, "ended_at": now}
        session = self.row["session"]
        self._store(lambda store: store.set_status(session, status, now), None)

    def _store(self, job: Callable[[Store], None], row: Row | None) -> None:
        self._pending = row
        self._submit(job)

    def _submit(self, job: Callable[[Store], None]) -> None:
        self._job = job
        self._future = self._writer.submit(job)
        self._state = State.SAVING

    def _settle(self, future: "Future[None]") -> None:
        error = future.exception()
        if isinstance(error, UserError):
            self.error = error
            self._state = State.FAILED
            return
        if error is not None:
            raise error
        if self._pending is None:
            self._state = State.OVER
            return
        self.done.append(self._pending)
        self._go_on()

    def _trial_row(self, trial: Trial) -> Row:
        copied = ("block", "trial", "phase", "stimulus", "stimulus_b", "position", "item", "kind", "model", "dataset")
        row = {name: self.row[name] for name in ("session", "study", "participant", "protocol", "simulated")}
        row |= {name: trial.planned[name] for name in (*copied, "fraction")}
        row |= dict.fromkeys(("choice", "rating", "confidence"))
        row |= self._protocol.judge(trial.planned, trial.answer) | trial.measured()
        row["answered_at"] = _iso(self._time_of_day(_end_of(trial)))
        return row

    def _time_of_day(self, when: int) -> datetime:
        ago = (self._clock.monotonic() - when) / MILLISECOND
        return self._clock.utc() - timedelta(milliseconds=ago)

    def _consent_row(self, consent: ConsentSettings) -> Row:
        shared = {name: self.row[name] for name in ("session", "participant", "simulated", "fraction")}
        return {**shared, "version": consent.version, "text": consent.text, "given": True}


def _end_of(trial: Trial) -> int:
    """When the answer was given, the trial was broken off, or the response window closed."""
    ends = (trial.pressed, trial.broken_off)
    return next((end for end in ends if end is not None), trial.close_due)


def _add_once(store: Store, row: Mapping[str, object]) -> None:
    """Add a trial; a commit that was reported as failed but had succeeded is not an error when tried again."""
    try:
        store.add(tables.TRIALS, [row])
    except UserError:
        kept = store.rows(tables.TRIALS, session=row["session"], trial=row["trial"])
        if not kept or any(kept[0][name] != value for name, value in row.items() if name in kept[0]):
            raise


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
