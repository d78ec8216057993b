"""Marks without a screen: which trials ask, a store that fails, a killed program, simulated participants."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_sets import write_items
from quiz_study import seated, study_of

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.pictures.sets import StimulusSet, read_set
from gan_eval.quiz.admission import Person
from gan_eval.quiz.clock import VirtualClock
from gan_eval.quiz.marks import Mark, MarksReport, marked_stimulus
from gan_eval.quiz.remote import replay
from gan_eval.quiz.room import Room
from gan_eval.quiz.session import Session
from gan_eval.quiz.simulate import Judgement, parse_observer, simulated_report
from gan_eval.quiz.trial import State
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Store, Writer, open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

ANSWER: Row = {
    "stimulus": "d/m/1", "stimulus_b": None, "response": "fake", "choice": None, "rating": None, "flags": None,
    "trial": 1,
}  # fmt: skip
PAIR = {"stimulus_b": "d/m/2", "response": None}


@pytest.mark.parametrize(
    ("settings", "row", "asks"),
    [
        ({}, {}, "d/m/1"),
        ({"marks": 0}, {}, None),
        ({}, {"response": "real"}, None),
        ({"marks_after": "every"}, {"response": "real"}, "d/m/1"),
        ({"marks_after": "every"}, {"response": "none"}, None),
        ({}, {"flags": "late paused"}, None),
        ({"marks_after": "every", "protocol": "rating"}, {"response": None, "rating": 2.0}, "d/m/1"),
        ({"marks_after": "every", "protocol": "rating"}, {"response": None}, None),
        ({"protocol": "paired"}, {**PAIR, "choice": "a"}, "d/m/2"),
        ({"protocol": "paired"}, {**PAIR, "choice": "b"}, "d/m/1"),
        ({"protocol": "paired"}, {**PAIR, "choice": "none"}, None),
    ],
)
def test_which_trials_ask(settings: dict[str, Any], row: Row, asks: str | None) -> None:
    assert marked_stimulus(QuizSettings(**{"marks": 2, **settings}), ANSWER | row) == asks


def answer_fake(session: Session, clock: VirtualClock) -> State:
    report = simulated_report(session.trial, Judgement("fake", 600.0, 1.0), session.protocol, begins=clock.monotonic())
    replay(session, report)
    return session.wait()


def test_a_full_disk_and_a_killed_program(
    stimuli: StimulusSet, tmp_path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, where = QuizSettings(real=1, fake=2, marks=1), tmp_path / "s.sqlite"
    one = (Mark(x=0.5, y=0.5, at_ms=1.0),)
    with Writer(lambda: open_store(where)) as writer:
        session, _ = seated(stimuli, writer, settings, clock=clock)
        session.begin(None)
        assert answer_fake(session, clock) is State.MARKING
        with pytest.raises(UserError, match="at most 1"):
            session.mark(MarksReport(trial=1, marks=one * 2))

        def full(store: Store, table: Table, rows: Sequence[Row], **how: Any) -> None:
            monkeypatch.undo()
            raise UserError("the disk is full")

        monkeypatch.setattr(Store, "add", full)
        session.mark(MarksReport(trial=1, marks=one))
        assert session.wait() is State.FAILED
        session.retry()
        assert session.wait() is State.READY
        assert answer_fake(session, clock) is State.MARKING
    with Writer(lambda: open_store(where)) as writer:  # killed while it asked
        session, _ = seated(stimuli, writer, settings, clock=clock)
        assert (session.wait(), session.trial.planned["trial"]) == (State.READY, 3)
        assert answer_fake(session, clock) is State.MARKING
    with Writer(lambda: open_store(where)) as writer:
        session, _ = seated(stimuli, writer, settings, clock=clock)
        assert (session.wait(), session.row["status"]) == (State.OVER, "complete")
        rows = writer.submit(lambda store: store.rows(tables.MARKS)).result()
    assert [(row["trial"], row["mark"], row["x"]) for row in rows] == [(1, 1, 0.5)]


def test_simulated_participants_mark_the_errors_but_for_lapses(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    items = {}
    for number in range(12):
        real = generator.integers(60, 120, (40, 80, 3), dtype=np.uint8)
        fake = real.copy()
        fake[20:, :20] += 100  # the lower left
        items[f"i{number}"] = {"real": real, "m": fake}
    stimuli = read_set(write_items(tmp_path / "set", items, model="m", dataset="d"))
    settings = QuizSettings(real=6, fake=6, marks=3, marks_after="every")
    with Room(study_of(stimuli, settings), tmp_path / "s.sqlite") as room:
        for number in range(8):
            room.run(Person(f"S{number}", parse_observer("lapse=0.1")))
    with open_store(tmp_path / "s.sqlite") as store:
        rows, trials = store.rows(tables.MARKS), store.rows(tables.TRIALS)
    assert all(row["simulated"] for row in rows)
    assert {row["trial"] for row in trials if row["response"] != "none"} == {row["trial"] for row in rows}
    fakes = [row for row in rows if row["kind"] == "fake"]
    share = np.mean([row["x"] <= 0.25 and row["y"] >= 0.5 for row in fakes])
    assert 0.8 < share < 0.99
    reals = [row for row in rows if row["kind"] == "real"]
    assert {row["mark"] for row in reals} == {None, 1, 2, 3}
    assert max(row["mark"] or 0 for row in fakes) == 3
