"""The session as a state machine against a real store and a virtual clock, its breaks and its time of day."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quiz_study import study_of

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz import clock
from gan_eval.quiz.admission import Admitted, Person, admit
from gan_eval.quiz.clock import VirtualClock
from gan_eval.quiz.protocol import QuizProtocol
from gan_eval.quiz.session import Session, break_due
from gan_eval.quiz.simulate import Observer
from gan_eval.quiz.trial import MILLISECOND, State
from gan_eval.settings.quiz import ConsentSettings, QuizSettings
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.store import Store, Writer, open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

SETTINGS = QuizSettings(real=2, fake=2)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Writer(lambda: open_store(tmp_path / "store.sqlite")) as writer:
        yield writer


def make(
    writer: Writer,
    stimuli: StimulusSet,
    clock: VirtualClock,
    participant: str = "P01",
    *,
    settings: QuizSettings = SETTINGS,
) -> Session:
    """The session that `participant` is admitted to."""
    admitted = admission(writer, stimuli, settings, participant)
    session = Session(admitted.row, admitted.plan, QuizProtocol(settings), writer, clock, done=admitted.done)
    if admitted.stored:
        session.resume(admitted.onsets)
    return session


def admission(
    writer: Writer,
    stimuli: StimulusSet,
    settings: QuizSettings = SETTINGS,
    code: str = "P01",
    observer: Observer | None = None,
    **how: object,
) -> Admitted:
    study, person = study_of(stimuli, settings, **how), Person(code, observer)
    return writer.submit(lambda store: admit(store, study, person, now=datetime.now(UTC))).result()


def show(session: Session, clock: VirtualClock, *, exposure: float, key: str | None = "f") -> None:
    """One trial; the key is pressed when the picture vanishes."""
    clock.advance_to(clock.monotonic() + 500 * MILLISECOND)
    onset = clock.monotonic()
    session.onset(onset)
    clock.advance_to(onset + round(exposure * MILLISECOND))
    if key:
        assert session.press(key, clock.monotonic())
    session.offset(clock.monotonic())
    session.close()


def rows_of(writer: Writer, table: Table) -> list[Row]:
    return writer.submit(lambda store: store.rows(table)).result()


def test_a_whole_session(writer: Writer, stimuli: StimulusSet, clock: VirtualClock) -> None:
    session = make(writer, stimuli, clock)
    assert session.state is State.NEW
    assert rows_of(writer, tables.SESSIONS) == []

    session.begin(ConsentSettings(version="3", text="Yes."))
    for number in range(4):
        assert session.wait() is State.READY
        assert session.progress == (number, 4)
        show(session, clock, exposure=600 + number)

    assert session.wait() is State.OVER
    (stored,) = rows_of(writer, tables.SESSIONS)
    assert (stored["status"], stored["list"], stored["study"]) == ("complete", 1, "study")
    assert stored["started_at"] == "2026-01-31T12:00:00.000Z"
    assert stored["ended_at"] == "2026-01-31T12:00:04.406Z"
    (consent,) = rows_of(writer, tables.CONSENTS)
    assert (consent["version"], consent["text"], consent["given"]) == ("3", "Yes.", True)
    trials = rows_of(writer, tables.TRIALS)
    plan = rows_of(writer, tables.PLANS)
    assert [row["stimulus"] for row in trials] == [row["stimulus"] for row in plan]
    assert [row["correct"] for row in trials] == [row["kind"] == "fake" for row in trials]
    assert [row["reaction_time_ms"] for row in trials] == [600, 601, 602, 603]
    assert trials[0]["answered_at"] == "2026-01-31T12:00:01.100Z"
    assert session.done == trials


def test_no_answer_in_time_is_kept_as_none(writer: Writer, stimuli: StimulusSet, clock: VirtualClock) -> None:
    session = make(writer, stimuli, clock)
    session.begin(None)
    show(session, clock, exposure=4000, key=None)
    session.wait()
    (trial,) = rows_of(writer, tables.TRIALS)
    assert (trial["response"], trial["correct"], trial["reaction_time_ms"]) == ("none", None, None)
    assert trial["answered_at"] == "2026-01-31T12:00:04.500Z"


def test_the_next_trial_waits_for_the_commit_of_the_last(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock
) -> None:
    session = make(writer, stimuli, clock)
    session.begin(None)
    writer.submit(lambda _: time.sleep(0.2))
    show(session, clock, exposure=500)
    assert session.state is State.SAVING
    with pytest.raises(AssertionError):
        session.onset(clock.monotonic())
    assert session.wait() is State.READY


def test_a_session_that_is_taken_up_stores_nothing_before_resume(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock
) -> None:
    first = make(writer, stimuli, clock)
    first.begin(None)
    first.onset(0)  # and then the program is killed
    admitted = admission(writer, stimuli)
    again = Session(admitted.row, admitted.plan, QuizProtocol(SETTINGS), writer, clock, done=admitted.done)
    assert rows_of(writer, tables.TRIALS) == []
    again.resume(admitted.onsets)
    assert again.wait() is State.READY
    assert [row["flags"] for row in rows_of(writer, tables.TRIALS)] == ["killed"]


def test_a_session_is_taken_up_at_the_next_unanswered_trial(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock
) -> None:
    first = make(writer, stimuli, clock)
    first.begin(None)
    show(first, clock, exposure=500)
    first.wait()
    planned = [row["stimulus"] for row in first.plan]

    again = make(writer, stimuli, clock)
    assert again.row["session"] == first.row["session"]
    assert again.progress == (1, 4)
    for _ in range(3):
        assert again.wait() is State.READY
        show(again, clock, exposure=500)
    assert again.wait() is State.OVER
    trials = rows_of(writer, tables.TRIALS)
    assert [row["stimulus"] for row in trials] == planned
    assert [row["flags"] for row in trials] == [None, "resumed", None, None]


def test_no_instant_comes_before_those_of_an_earlier_sitting(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock
) -> None:
    first = make(writer, stimuli, clock)
    first.begin(None)
    show(first, clock, exposure=500)
    first.wait()
    earlier = VirtualClock(clock.utc() - timedelta(hours=3))
    again = make(writer, stimuli, earlier)
    while again.wait() is State.READY:
        show(again, earlier, exposure=500)
    (session,) = rows_of(writer, tables.SESSIONS)
    trials = rows_of(writer, tables.TRIALS)
    instants = [session["started_at"], *(row["answered_at"] for row in trials), session["ended_at"]]
    assert instants == sorted(instants)
    assert [row["flags"] for row in trials] == [None, "clock_set_back resumed", None, None]


def test_a_session_killed_between_its_last_trial_and_its_end_is_completed(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock
) -> None:
    session = make(writer, stimuli, clock)
    session.begin(None)
    for _ in range(4):
        session.wait()
        show(session, clock, exposure=500)
    session.wait()
    writer.submit(lambda store: store.set_status(session.row["session"], "open", None)).result()

    assert make(writer, stimuli, clock).wait() is State.OVER
    assert rows_of(writer, tables.SESSIONS)[0]["status"] == "complete"


def test_stopping_for_good_keeps_the_trials(writer: Writer, stimuli: StimulusSet, clock: VirtualClock) -> None:
    session = make(writer, stimuli, clock)
    session.begin(None)
    show(session, clock, exposure=500)
    session.wait()
    session.abort()
    assert session.wait() is State.OVER
    assert rows_of(writer, tables.SESSIONS)[0]["status"] == "aborted"
    assert len(rows_of(writer, tables.TRIALS)) == 1
    with pytest.raises(UserError, match="stopped for good"):
        make(writer, stimuli, clock)


def test_a_full_disk_pauses_and_the_answer_is_stored_later(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make(writer, stimuli, clock)
    session.begin(None)
    with monkeypatch.context() as broken:
        broken.setattr(Store, "add", _full)
        show(session, clock, exposure=500)
        assert session.wait() is State.FAILED
        session.retry()
        assert session.wait() is State.FAILED
        assert str(session.error) == "the disk is full"
    assert rows_of(writer, tables.TRIALS) == []

    session.retry()
    assert session.wait() is State.READY
    assert session.error is None
    assert len(rows_of(writer, tables.TRIALS)) == 1


def test_an_onset_that_cannot_be_stored_neither_ends_the_session_nor_loses_the_trial(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Store.add

    def refuse_onsets(store: Store, table: Table, rows: list[Row]) -> None:
        if table is tables.ONSETS:
            _full()
        add(store, table, rows)

    monkeypatch.setattr(Store, "add", refuse_onsets)
    session = make(writer, stimuli, clock)
    session.begin(None)
    show(session, clock, exposure=500)
    assert session.wait() is State.READY
    assert [row["response"] for row in rows_of(writer, tables.TRIALS)] == ["fake"]


def test_exposures_are_planned_by_the_rule_of_the_moment_of_onset(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock
) -> None:
    settings = SETTINGS.model_copy(update={"exposure_ms": 100.0})
    session = make(writer, stimuli, clock, settings=settings)
    session.begin(None)
    session.planned_flash = lambda asked_ms: asked_ms + 16
    show(session, clock, exposure=116)
    session.wait()
    (trial,) = rows_of(writer, tables.TRIALS)
    assert (trial["requested_exposure_ms"], trial["planned_exposure_ms"], trial["flags"]) == (100, 116, None)


def test_a_trial_on_the_screen_when_the_program_was_killed_counts_as_seen(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock
) -> None:
    first = make(writer, stimuli, clock)
    first.begin(None)
    show(first, clock, exposure=500)
    first.wait()
    first.onset(clock.monotonic())
    (_, onset) = rows_of(writer, tables.ONSETS)

    again = make(writer, stimuli, clock)
    assert again.wait() is State.READY
    assert again.progress == (2, 4)
    killed = rows_of(writer, tables.TRIALS)[1]
    assert (killed["flags"], killed["response"], killed["onset_ms"]) == ("killed", "none", onset["onset_ms"])
    assert (killed["exposure_ms"], killed["planned_exposure_ms"], killed["answered_at"]) == (None, None, None)


def test_confidence_belongs_to_the_trial_before_it_is_stored(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock
) -> None:
    session = make(writer, stimuli, clock, settings=SETTINGS.model_copy(update={"confidence": 4}))
    session.begin(None)
    show(session, clock, exposure=500)
    assert session.state is State.CONFIDENCE
    for key, repeated in (("0", False), ("5", False), ("44", False), ("\u0663", False), ("", False), ("2", True)):
        assert not session.press(key, clock.monotonic(), repeated=repeated)
    assert rows_of(writer, tables.TRIALS) == []
    assert session.press("4", clock.monotonic())
    assert session.wait() is State.READY
    (trial,) = rows_of(writer, tables.TRIALS)
    assert (trial["confidence"], trial["reaction_time_ms"]) == (4.0, 500.0)


def test_a_commit_that_was_done_though_reported_as_failed_is_not_doubled(
    writer: Writer, stimuli: StimulusSet, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make(writer, stimuli, clock)
    session.begin(None)
    add = Store.add

    def add_and_fail(store: Store, *arguments: object) -> None:
        add(store, *arguments)  # type: ignore[arg-type]
        _full()

    with monkeypatch.context() as broken:
        broken.setattr(Store, "add", add_and_fail)
        show(session, clock, exposure=500)
        session.wait()
    if session.state is State.FAILED:
        session.retry()
    assert session.wait() is State.READY
    assert len(rows_of(writer, tables.TRIALS)) == 1


def _full(*_: object) -> None:
    raise UserError("the disk is full")


def plan(*blocks: int, practice: int = 0, catch: Sequence[int] = ()) -> list[Row]:
    rows: list[Row] = [{"block": 1, "phase": "practice"}] * practice
    rows += [{"block": number, "phase": "main"} for number, trials in enumerate(blocks, 1) for _ in range(trials)]
    return [{**row, "phase": "catch"} if place in catch else row for place, row in enumerate(rows)]


def breaks(trials: list[Row], every: int | None) -> list[int]:
    """After how many trials there is one."""
    settings = QuizSettings(break_every=every)
    comings = [*trials, None]
    return [done for done, coming in enumerate(comings) if break_due(trials[:done], coming, settings)]


@pytest.mark.parametrize(
    ("trials", "every", "expected"),
    [
        (plan(7), 3, [3, 6]),
        (plan(6), 3, [3]),
        (plan(4, 4), 3, [3, 4, 7]),
        (plan(4, 4), 100, [4]),
        (plan(3, 3), None, []),
        (plan(4, practice=2), None, [2]),
        (plan(4, practice=2), 2, [2, 4]),
        (plan(5, catch=[1]), 2, [2, 4]),
        (plan(0, practice=2), 1, []),
    ],
)
def test_when(trials: list[Row], every: int | None, expected: list[int]) -> None:
    assert breaks(trials, every) == expected


@given(blocks=st.lists(st.integers(1, 20), min_size=1, max_size=4), every=st.integers(1, 25))
def test_never_more_trials_between_breaks_than_asked_for_and_none_at_the_ends(blocks: list[int], every: int) -> None:
    trials = plan(*blocks)
    stops = [0, *breaks(trials, every), len(trials)]
    assert all(0 < after - before <= every for before, after in pairwise(stops))


class MovedClock(datetime):
    """The machine's time of day, with a person who sets it."""

    offset = timedelta(0)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime.now(UTC) + cls.offset


def test_a_clock_that_is_set_back_goes_on_and_one_set_forward_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "datetime", MovedClock)
    moments, machine = [0], clock.SystemClock
    monkeypatch.setattr(clock, "now_ns", lambda: moments[-1])
    running = machine()
    first = running.utc()
    MovedClock.offset = timedelta(hours=-2)
    moments.append(5_000_000_000)
    second = running.utc()
    assert second - first == timedelta(seconds=5)
    MovedClock.offset = timedelta(hours=3)
    assert running.utc() - first > timedelta(hours=2.9)
    MovedClock.offset = timedelta(0)
    moments.append(6_000_000_000)
    assert running.utc() - first > timedelta(hours=2.9)


def test_an_instant_without_an_offset_is_utc() -> None:
    assert clock.read_instant("2026-01-31T12:00:00") == clock.read_instant("2026-01-31T13:00:00+01:00")
