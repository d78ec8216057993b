"""A running trial: its times of onset, offset and answer, which the caller measures, and its table rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Final

import sqlalchemy as sa

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.quiz.protocol import Timing
from gan_eval.settings.quiz import ConsentSettings
from gan_eval.store import Store
from gan_eval.tables.declared import LATE_FRAMES, LATE_MS, LATE_SHARE
from gan_eval.tables.frames import Row, iso

MILLISECOND: Final = 1_000_000
"""A millisecond in nanoseconds."""
EARLY_MS: Final = 100.0
"""Reaction time in ms that is too short for a judgement of the picture."""


class State(Enum):
    """State of a session and of its trial."""

    NEW = auto()
    """Before `begin` or `resume`."""
    READY = auto()
    """Everything so far is stored; the trial may be shown."""
    PRESENTED = auto()
    """The trial's picture is on the screen."""
    BETWEEN = auto()
    """The first of two pictures has vanished, and the second has not appeared yet."""
    WAITING = auto()
    """All pictures have vanished, and the response window is open."""
    CONFIDENCE = auto()
    """The answer is given, and the participant is asked for the confidence."""
    SAVING = auto()
    """The trial is over and is being stored; `Session.advance` continues when it is stored."""
    FAILED = auto()
    """The store could not be written; `Session.retry` tries again. Until then the rows are kept in memory."""
    MARKING = auto()
    """The trial is stored, and the participant is asked for marks in its picture."""
    OVER = auto()
    """The session is complete or aborted, and stored as such. In other states it stays open in the store."""


class Flag:
    """Words of the column `flags` of `gan_eval.tables.TRIALS`; docs/tables.md explains them."""

    LATE = "late"
    EARLY_KEY = "early_key"
    BLANK_KEY = "blank_key"
    HELD_KEY = "held_key"
    FOCUS_LOST = "focus_lost"
    SCREEN_CHANGED = "screen_changed"
    HANDLER_TIME = "handler_time"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    KILLED = "killed"
    RESUMED = "resumed"
    CLOCK_UNLIKELY = "clock_unlikely"


@dataclass
class Presented:
    """Measured onset and offset of one showing of the pictures, in nanoseconds on the monotonic clock."""

    onset: int
    offset: int | None = None

    @property
    def achieved_exposure_ms(self) -> float:
        """Offset minus onset, in ms."""
        assert self.offset is not None
        return (self.offset - self.onset) / MILLISECOND


@dataclass
class Trial:
    """A running trial. All times are nanoseconds on the monotonic clock."""

    planned: Row
    timing: Timing
    showings: int = 1
    """Number of showings: 2 for two pictures one after the other."""
    flags: set[str] = field(default_factory=set)
    state: State = State.READY
    """Order: READY, PRESENTED, (BETWEEN, PRESENTED,) WAITING, CONFIDENCE if asked, SAVING."""
    seen: list[Presented] = field(default_factory=list)
    answer: str | None = None
    pressed: int | None = None  # time of the answer
    broken_off: int | None = None  # time of an early end
    confidence: int | None = None
    frame_ms: float | None = None
    """Mean interval between frames; None: not measured."""
    missed_frames: int | None = None
    """Number of dropped frames; None: not measured."""
    planned_exposure_ms: float | None = field(init=False)
    """The exposure to present, in whole frames if vsync was measured; None: until the answer."""
    planned_gap_ms: float = field(init=False)
    """The time to present grey between two showings."""
    planned_frame_ms: float = field(init=False)
    """The shortest time that the screen can present: a frame, if vsync was measured; else 0."""

    def __post_init__(self) -> None:
        self.plan(float)

    def plan(self, rule: Callable[[float], float]) -> None:
        """Set the planned times; `rule` converts requested milliseconds to those that the screen can present."""
        requested = self.timing.requested_exposure_ms
        self.planned_exposure_ms = None if requested is None else rule(requested)
        self.planned_gap_ms = rule(self.timing.gap_ms) if self.showings > 1 else 0.0
        self.planned_frame_ms = rule(0.0)

    def appear(self, when: int) -> None:
        """Record that the next picture, or pair of pictures, has appeared."""
        assert self.state in (State.READY, State.BETWEEN)
        self.seen.append(Presented(when))
        self.state = State.PRESENTED

    def vanish(self, when: int) -> None:
        """Record that the pictures have vanished."""
        assert self.state is State.PRESENTED
        self.seen[-1].offset = when
        self.state = State.WAITING if self.all_presented else State.BETWEEN

    def close(self, *, asks_confidence: bool) -> State:
        """End the trial after its last picture, with or without an answer; return the next state."""
        assert self.state is State.WAITING
        self.state = State.CONFIDENCE if asks_confidence and self.answer is not None else State.SAVING
        return self.state

    @property
    def onset(self) -> int:
        """The last onset, from which the reaction time is measured."""
        return self.seen[-1].onset

    @property
    def all_presented(self) -> bool:
        """True if the last picture has appeared."""
        return len(self.seen) == self.showings

    @property
    def vanish_due(self) -> int | None:
        """Latest time of the offset; None if the pictures vanish only at the answer."""
        shown_ms = self.timing.response_ms if self.planned_exposure_ms is None else self.planned_exposure_ms
        return None if shown_ms is None else self.onset + round(shown_ms * MILLISECOND)

    @property
    def next_due(self) -> int:
        """Time at which the next picture must appear: the last offset plus the planned gap."""
        offset = self.seen[-1].offset
        assert offset is not None
        return offset + round(self.planned_gap_ms * MILLISECOND)

    @property
    def close_due(self) -> int | None:
        """Time at which the response window closes; None: never."""
        window = self.timing.response_ms
        return None if window is None else self.onset + round(window * MILLISECOND)

    @property
    def waits_for_answer(self) -> bool:
        """True if all pictures are or were shown and no answer has come yet."""
        return self.all_presented and self.answer is None and self.broken_off is None

    def press(self, answer: str, when: int, *, repeated: bool = False) -> bool:
        """Process a key press at time `when` (`repeated`: the key is held down); return True if it is the answer."""
        if repeated:
            if self.waits_for_answer or not self.all_presented:
                self.flags.add(Flag.HELD_KEY)
            return False
        if not self.all_presented or when < self.onset:
            self.flags.add(Flag.BLANK_KEY)
            return False
        if not self.waits_for_answer or (self.close_due is not None and when > self.close_due):
            return False
        self.answer, self.pressed = answer, when
        if when - self.onset < EARLY_MS * MILLISECOND:
            self.flags.add(Flag.EARLY_KEY)
        return True

    def break_off(self, when: int, flag: str) -> None:
        """End the trial early, with a flag for the reason; an answer that was given before is kept."""
        self.flags.add(flag)
        self.broken_off = when

    @property
    def ended(self) -> int:
        """Time of the answer, else of the early end, else of the end of the response window."""
        return next(end for end in (self.pressed, self.broken_off, self.close_due) if end is not None)

    def tolerance_ms(self, planned_ms: float) -> float:
        """Return the deviation from a planned exposure or gap, in ms, above which the trial is late."""
        return max(LATE_MS, min(LATE_SHARE * planned_ms, LATE_FRAMES * self.planned_frame_ms))

    def measured(self) -> Row:
        """Return the columns of the trial's row for times and flags."""
        first, second = self.seen[0], self.seen[1] if len(self.seen) > 1 else None
        if self._is_late(first, second):
            self.flags.add(Flag.LATE)
        return {
            "requested_exposure_ms": self.timing.requested_exposure_ms,
            "planned_exposure_ms": self.planned_exposure_ms,
            "exposure_ms": first.achieved_exposure_ms,
            "onset_ms": first.onset / MILLISECOND,
            "second_exposure_ms": None if second is None else second.achieved_exposure_ms,
            "second_onset_ms": None if second is None else second.onset / MILLISECOND,
            "reaction_time_ms": None if self.pressed is None else (self.pressed - self.onset) / MILLISECOND,
            "confidence": self.confidence,
            "flags": " ".join(sorted(self.flags)) or None,
            "frame_ms": self.frame_ms,
            "missed_frames": self.missed_frames,
        }

    def _is_late(self, first: Presented, second: Presented | None) -> bool:
        """Return whether an exposure, or the gap between two, differs from the planned one."""
        if any(self._has_other_exposure(seen) for seen in self.seen):
            return True
        if second is None or first.offset is None:
            return False
        gap_ms = (second.onset - first.offset) / MILLISECOND
        return abs(gap_ms - self.planned_gap_ms) > self.tolerance_ms(self.planned_gap_ms)

    def _has_other_exposure(self, seen: Presented) -> bool:
        """Return whether an exposure differs from the planned one."""
        due_ms, more_ms = self.planned_exposure_ms, 0.0
        if due_ms is None:
            # A browser hides pictures in the first frame after the answer, which is visible one frame later.
            more_ms = 2 * (self.frame_ms or 0.0)
            due_ms = self.timing.response_ms if self.pressed is None else (self.pressed - seen.onset) / MILLISECOND
        if due_ms is None:
            return False
        excess, allowed_ms = seen.achieved_exposure_ms - due_ms, self.tolerance_ms(due_ms)
        return excess > allowed_ms + more_ms or (excess < -allowed_ms and self.broken_off is None)


def trial_row(session: Row, trial: Trial, answer_columns: Row, *, answered_at: datetime) -> Row:
    """Return the row of `gan_eval.tables.TRIALS` for a finished trial, with the protocol's judgement."""
    return _known(session, trial.planned) | answer_columns | trial.measured() | {"answered_at": iso(answered_at)}


def killed_row(session: Row, planned: Row, onset: Row, answer_columns: Row) -> Row:
    """Return the row of a trial that was on the screen when the program was killed; its times are mostly unknown."""
    measured = {name: onset[name] for name in ("requested_exposure_ms", "onset_ms")}
    return _known(session, planned) | answer_columns | measured | {"flags": Flag.KILLED}


def onset_row(session: Row, trial: Trial, *, shown_at: datetime) -> Row:
    """Return the row of `gan_eval.tables.ONSETS` for the first picture of a trial."""
    return {
        **{name: session[name] for name in ("session", "simulated")},
        **{name: trial.planned[name] for name in ("trial", "fraction")},
        "requested_exposure_ms": trial.timing.requested_exposure_ms,
        "onset_ms": trial.seen[0].onset / MILLISECOND,
        "shown_at": iso(shown_at),
    }


def consent_row(session: Row, consent: ConsentSettings, *, answered_at: datetime) -> Row:
    """Return a row of `gan_eval.tables.CONSENTS`."""
    return _by_participant(session, answered_at) | {"version": consent.version, "text": consent.text, "given": True}


def answer_rows(session: Row, answers: Mapping[str, str | None], *, answered_at: datetime) -> list[Row]:
    """Return rows of `gan_eval.tables.PARTICIPANTS` for answers by question id; None: not answered."""
    shared = _by_participant(session, answered_at)
    return [{**shared, "question": question, "answer": answer} for question, answer in answers.items()]


def _by_participant(session: Row, answered_at: datetime) -> Row:
    shared = {name: session[name] for name in ("session", "participant", "simulated", "fraction")}
    return {**shared, "answered_at": iso(answered_at)}


def add_once(
    store: Store, rows: Iterable[Mapping[str, object]], *, require: Callable[[sa.Connection], object] | None = None
) -> None:
    """Add trials to the store; skip those that it already has, because a commit can succeed and still report an error.

    Args:
        require: as for `Store.add`.

    Raises:
        UserError: the store cannot be written, has another row of the same trial, or no longer has the session, because
            its participant's data were deleted; or `require` refuses the trials.
    """
    for row in rows:
        try:
            store.add(tables.TRIALS, [row], session=str(row["session"]), require=require)
        except UserError:
            stored = store.rows(tables.TRIALS, session=row["session"], trial=row["trial"])
            if not stored or any(stored[0][name] != value for name, value in row.items() if name in stored[0]):
                raise


def _known(session: Row, planned: Row) -> Row:
    """Return a trial's row with the columns that are known before the trial; the others are None."""
    cells = {
        **planned,
        **{name: session[name] for name in ("session", "study", "participant", "protocol", "simulated")},
    }
    return {name: cells.get(name) for name in tables.TRIALS.names}
