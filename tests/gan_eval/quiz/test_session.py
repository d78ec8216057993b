"""The session as a state machine against a real store and a virtual clock; and one trial: its answer and flags."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from quiz_study import seated

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.clock import VirtualClock
from gan_eval.quiz.protocol import Timing
from gan_eval.quiz.session import KEPT, Session, break_due
from gan_eval.quiz.station import round_exposure
from gan_eval.quiz.trial import MILLISECOND, Flag, Presented, State, Trial
from gan_eval.settings.quiz import ConsentSettings, QuizSettings
from gan_eval.store import Store, Writer, open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

START = 7_000 * MILLISECOND


def at(milliseconds: float) -> int:
    """A moment after onset."""
    return START + round(milliseconds * MILLISECOND)


def shown(requested_exposure_ms: float | None = None, response_ms: float = 1000) -> Trial:
    return Trial({}, Timing(requested_exposure_ms, response_ms), seen=[Presented(START)])


@pytest.mark.parametrize(
    ("delay", "taken", "flags"),
    [
        (-1, False, {Flag.BLANK_KEY}),
        (99.9, True, {Flag.EARLY_KEY}),
        (100, True, set()),
        (1000, True, set()),
        (1000.1, False, set()),
    ],
)
def test_the_time_of_the_press_decides_however_late_it_arrives(delay: float, taken: bool, flags: set[str]) -> None:
    trial = shown()
    trial.seen[-1].offset = at(1000)
    assert trial.press("real", at(delay)) is taken
    assert (trial.flags, trial.waits_for_answer) == (flags, not taken)


def test_repeats_of_a_held_key_never_count() -> None:
    trial = shown()
    assert not trial.press("real", at(300), repeated=True)
    assert trial.flags == {Flag.HELD_KEY}
    assert trial.press("fake", at(500))


@pytest.mark.parametrize(
    ("flash", "pressed", "vanished", "flags"),
    [
        (200, None, 204.9, None),
        (200, None, 205.1, "late"),
        (200, None, 194.0, "late"),
        (None, 300, 304, None),
        (None, 300, 306, "late"),
        (None, None, 1006, "late"),
    ],
)
def test_a_wrong_exposure_is_flagged(
    flash: float | None, pressed: float | None, vanished: float, flags: str | None
) -> None:
    trial = shown(flash)
    if pressed:
        trial.press("real", at(pressed))
    trial.seen[-1].offset = at(vanished)
    assert trial.measured()["flags"] == flags


@pytest.mark.parametrize(
    ("rate", "asked", "seen", "late"),
    [
        (60.0, 100, 104.9, False),
        (60.0, 100, 105.1, True),
        (60.0, 1000, 1009.9, False),
        (60.0, 1000, 1010.1, True),
        (60.0, 3000, 3012.4, False),
        (60.0, 3000, 3012.6, True),
        (58.4, 1000, 1000.0, False),  # a rate that was measured a little wrong: 993 ms are planned
        (58.4, 1000, 1016.7, True),
        (144.0, 250, 254.9, False),
        (144.0, 250, 256.94, True),  # a frame more
        (240.0, 250, 254.9, False),
        (240.0, 250, 255.1, True),
    ],
)
def test_an_exposure_in_whole_frames_may_be_off_by_a_hundredth_and_three_quarters_of_a_frame(
    rate: float, asked: float, seen: float, late: bool
) -> None:
    trial = Trial({}, Timing(asked, 4000))
    trial.plan(partial(round_exposure, refresh_hz=rate))
    trial.appear(START)
    trial.vanish(at(seen))
    assert (trial.measured()["flags"] == "late") is late


def test_a_trial_that_is_broken_off_takes_no_answer() -> None:
    trial = shown()
    trial.break_off(at(300), Flag.PAUSED)
    trial.seen[-1].offset = at(301)
    assert not trial.press("real", at(310))
    assert trial.measured()["flags"] == "paused"


def test_a_trial_that_is_cut_short_after_its_answer_is_not_late_and_keeps_the_answer() -> None:
    trial = shown(requested_exposure_ms=500)
    assert trial.press("fake", at(200))
    trial.seen[-1].offset = at(300)
    trial.break_off(at(300), Flag.PAUSED)
    assert (trial.answer, trial.ended) == ("fake", at(200))
    assert trial.measured()["flags"] == "paused"


def pair(gap_ms: float, *, requested_exposure_ms: float = 100) -> Trial:
    """Two pictures one after the other, each presented for `requested_exposure_ms`."""
    offset, second = at(requested_exposure_ms), at(requested_exposure_ms + gap_ms)
    seen = [Presented(START, offset), Presented(second, second + offset - START)]
    return Trial({}, Timing(100, 1000, 300), showings=2, seen=seen)


@pytest.mark.parametrize(("gap", "flags"), [(304.9, None), (305.1, "late"), (294.0, "late")])
def test_a_wrong_gap_is_flagged(gap: float, flags: str | None) -> None:
    row = pair(gap).measured()
    assert row["flags"] == flags
    assert row["second_onset_ms"] - row["onset_ms"] == pytest.approx(100 + gap)


def test_of_two_pictures_each_exposure_is_checked_and_the_reaction_time_counts_from_the_second() -> None:
    trial = pair(300)
    assert trial.press("first", at(400 + 250))
    assert trial.measured()["reaction_time_ms"] == 250
    assert pair(300, requested_exposure_ms=110).measured()["flags"] == "late"


SETTINGS = QuizSettings(real=2, fake=2)


@dataclass
class Lab:
    """A store, a set of stimuli and a virtual clock for sessions."""

    writer: Writer
    stimuli: StimulusSet
    clock: VirtualClock

    def make(self, settings: QuizSettings = SETTINGS) -> Session:
        """The session that P01 is admitted to, new or resumed."""
        return seated(self.stimuli, self.writer, settings, clock=self.clock)[0]

    def begun(self, settings: QuizSettings = SETTINGS) -> Session:
        session = self.make(settings)
        session.begin(None)
        return session

    def rows(self, table: Table) -> list[Row]:
        return self.writer.submit(lambda store: store.rows(table)).result()


@pytest.fixture
def lab(tmp_path: Path, stimuli: StimulusSet, clock: VirtualClock) -> Iterator[Lab]:
    with Writer(lambda: open_store(tmp_path / "store.sqlite")) as writer:
        yield Lab(writer, stimuli, clock)


def show(session: Session, clock: VirtualClock, *, exposure: float = 500, key: str | None = "f") -> None:
    """One trial; the key is pressed when the picture vanishes."""
    clock.advance_to(clock.monotonic() + 500 * MILLISECOND)
    onset = clock.monotonic()
    session.onset(onset)
    clock.advance_to(onset + round(exposure * MILLISECOND))
    if key:
        assert session.press(key, clock.monotonic())
    session.offset(clock.monotonic())
    session.close()


def test_a_whole_session(lab: Lab) -> None:
    session = lab.make()
    assert session.state is State.NEW
    assert lab.rows(tables.SESSIONS) == []

    session.begin(ConsentSettings(version="3", text="Yes."))
    for number in range(4):
        assert session.wait() is State.READY
        assert len(session.done) == number
        show(session, lab.clock, exposure=600 + number)

    assert session.wait() is State.OVER
    (stored,) = lab.rows(tables.SESSIONS)
    assert (stored["status"], stored["list"], stored["study"]) == ("complete", 1, "study")
    assert stored["started_at"] == "2026-01-31T12:00:00.000Z"
    assert stored["ended_at"] == "2026-01-31T12:00:04.406Z"
    (consent,) = lab.rows(tables.CONSENTS)
    assert (consent["version"], consent["text"], consent["given"]) == ("3", "Yes.", True)
    trials = lab.rows(tables.TRIALS)
    plan = lab.rows(tables.PLANS)
    assert [row["stimulus"] for row in trials] == [row["stimulus"] for row in plan]
    assert [row["correct"] for row in trials] == [row["kind"] == "fake" for row in trials]
    assert [row["reaction_time_ms"] for row in trials] == [600, 601, 602, 603]
    assert trials[0]["answered_at"] == "2026-01-31T12:00:01.100Z"
    assert session.done == trials
    session.shorten()
    assert session.done == [*({name: row[name] for name in KEPT} for row in trials[:-1]), trials[-1]]
    assert [id(row) for row in session.plan[:-1]] == [id(row) for row in session.done[:-1]], "memory for each row once"


def test_only_practice_has_truth(lab: Lab) -> None:
    session = lab.begun(QuizSettings(real=2, fake=2, practice=4))
    session.onset(lab.clock.monotonic())
    session.offset(lab.clock.monotonic())
    session.break_off(lab.clock.monotonic(), Flag.PAUSED)
    session.wait()
    assert session.feedback is None
    for correct in (True, False, None):
        keys = {True: "f", False: "j"} if session.trial.planned["kind"] == "fake" else {True: "j", False: "f"}
        show(session, lab.clock, key=keys.get(correct))
        session.wait()
        assert session.feedback is not None
        assert session.feedback["correct"] is correct
    show(session, lab.clock)
    session.wait()
    assert session.feedback is None


def test_a_grade_is_never_wrong(lab: Lab) -> None:
    session = lab.begun(QuizSettings(protocol="rating", real=2, fake=2, practice=2))
    for key, has_truth in (("3", False), (None, True)):
        show(session, lab.clock, key=key)
        session.wait()
        assert (session.feedback is not None) is has_truth


def test_the_next_trial_waits_for_the_commit_of_the_last(lab: Lab) -> None:
    session = lab.begun()
    lab.writer.submit(lambda _: time.sleep(0.2))
    show(session, lab.clock)
    assert session.state is State.SAVING
    with pytest.raises(AssertionError):
        session.onset(lab.clock.monotonic())
    assert session.wait() is State.READY


def test_a_killed_session_continues_after_the_trial_that_was_on_the_screen(lab: Lab) -> None:
    first = lab.begun()
    show(first, lab.clock)
    first.wait()
    first.onset(lab.clock.monotonic())
    (_, onset) = lab.rows(tables.ONSETS)
    planned = [row["stimulus"] for row in first.plan]

    again = lab.make()
    assert again.row["session"] == first.row["session"]
    assert again.wait() is State.READY
    assert len(again.done) == 2
    killed = lab.rows(tables.TRIALS)[1]
    assert (killed["response"], killed["onset_ms"]) == ("none", onset["onset_ms"])
    assert (killed["exposure_ms"], killed["planned_exposure_ms"], killed["answered_at"]) == (None, None, None)
    for _ in range(2):
        assert again.wait() is State.READY
        show(again, lab.clock)
    assert again.wait() is State.OVER
    trials = lab.rows(tables.TRIALS)
    assert [row["stimulus"] for row in trials] == planned
    assert [row["flags"] for row in trials] == [None, "killed", "resumed", None]

    reopened = {"status": "open", "ended_at": None}  # as if it was killed between its last trial and its end
    lab.writer.submit(lambda store: store.update_session(first.row["session"], reopened)).result()
    assert lab.make().wait() is State.OVER
    assert lab.rows(tables.SESSIONS)[0]["status"] == "complete"


def test_stopping_for_good_keeps_the_trials(lab: Lab) -> None:
    session = lab.begun()
    show(session, lab.clock)
    session.wait()
    session.abort()
    assert session.wait() is State.OVER
    assert lab.rows(tables.SESSIONS)[0]["status"] == "aborted"
    assert len(lab.rows(tables.TRIALS)) == 1
    with pytest.raises(UserError, match="this participant has withdrawn"):
        lab.make()


def test_a_full_disk_pauses_and_the_answer_is_stored_later(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    session = lab.begun()
    with monkeypatch.context() as broken:
        broken.setattr(Store, "add", _full)
        broken.setattr(Store, "add_together", lambda *_: False)
        show(session, lab.clock)
        assert session.wait() is State.FAILED
        session.retry()
        assert session.wait() is State.FAILED
        assert (str(session.error), session.unsaved) == ("the disk is full", "answer")
    assert lab.rows(tables.TRIALS) == []

    session.retry()
    assert session.wait() is State.READY
    assert (session.error, session.unsaved) == (None, "nothing")
    assert len(lab.rows(tables.TRIALS)) == 1
    monkeypatch.setattr(Store, "update_session", _full)
    session.abort()
    assert session.wait() is State.FAILED
    assert session.unsaved == "end"


def test_an_onset_that_cannot_be_stored_neither_ends_the_session_nor_loses_the_trial(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Store.add

    def refuse_onsets(store: Store, table: Table, rows: list[Row], **how: Any) -> None:
        if table is tables.ONSETS:
            _full()
        add(store, table, rows, **how)

    monkeypatch.setattr(Store, "add", refuse_onsets)
    session = lab.begun()
    show(session, lab.clock)
    assert session.wait() is State.READY
    assert [row["response"] for row in lab.rows(tables.TRIALS)] == ["fake"]


def test_confidence_belongs_to_the_trial_before_it_is_stored(lab: Lab) -> None:
    session = lab.begun(SETTINGS.model_copy(update={"confidence": 4}))
    show(session, lab.clock)
    assert session.state is State.CONFIDENCE
    for key, repeated in (("0", False), ("5", False), ("44", False), ("\u0663", False), ("", False), ("2", True)):
        assert not session.press(key, lab.clock.monotonic(), repeated=repeated)
    assert lab.rows(tables.TRIALS) == []
    assert session.press("4", lab.clock.monotonic())
    assert session.wait() is State.READY
    (trial,) = lab.rows(tables.TRIALS)
    assert (trial["confidence"], trial["reaction_time_ms"]) == (4.0, 500.0)


def test_a_commit_reported_as_failed_though_done_is_not_repeated(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    session = lab.begun()
    add = Store.add

    def add_and_fail(store: Store, *arguments: Any, **how: Any) -> None:
        add(store, *arguments, **how)
        _full()

    with monkeypatch.context() as broken:
        broken.setattr(Store, "add", add_and_fail)
        show(session, lab.clock)
        session.wait()
    if session.state is State.FAILED:
        session.retry()
    assert session.wait() is State.READY
    assert len(lab.rows(tables.TRIALS)) == 1


def _full(*_: object, **__: object) -> None:
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
