"""The way in: what is asked and refused before the first trial, and what the experimenter is reported afterwards."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from quiz_study import rehearse as simulated_session
from quiz_study import study_of
from refusals import refused

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.admission import Person, session_lock
from gan_eval.quiz.clock import VirtualClock
from gan_eval.quiz.room import Room, run_session
from gan_eval.quiz.session import Session
from gan_eval.quiz.simulate import Observer, SimulatedParticipant
from gan_eval.quiz.trial import State
from gan_eval.settings.quiz import QuestionSettings, QuizSettings
from gan_eval.store import Store, open_store

SETTINGS = QuizSettings(real=2, fake=2)


def rehearse(stimuli: StimulusSet, store: Path, code: str, settings: QuizSettings = SETTINGS, **how: Any) -> Any:
    """A simulated session of a short quiz."""
    return simulated_session(stimuli, store, code, settings, **how)


def test_a_new_person_gets_a_free_code(stimuli: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(session: Session, *_: object, **__: object) -> str:
        if session.state is State.NEW:
            session.begin(None)
            return "open"
        return "other_person"

    pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr("gan_eval.quiz.app.application.run_application", deny)
    study, store = study_of(stimuli, SETTINGS), tmp_path / "s.sqlite"
    first, _, again = (run_session(study, store, Person(code)) for code in ("p01", "P02", "P01"))
    assert (first.status, again.status) == ("open", "open")
    assert "--participant P03" in again.warnings[-1]


def test_a_session_that_does_not_begin_uses_up_no_list(stimuli: StimulusSet, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    pictures = [stimuli.folder / row["file"] for row in stimuli.rows]
    kept = [path.read_bytes() for path in pictures]
    for path in pictures:
        path.write_bytes(b"changed")
    refused("changed", rehearse, stimuli, store, "P1")
    for path, content in zip(pictures, kept, strict=True):
        path.write_bytes(content)
    refused("strict_counts", rehearse, stimuli, store, "P2", QuizSettings(real=90, fake=90, strict_counts=True))
    rehearse(stimuli, store, "P3")
    with open_store(store) as opened:
        assert [row["list"] for row in opened.rows(tables.SESSIONS)] == [1]


def test_a_list_that_cannot_be_given_back_is_reported(
    stimuli: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(store: Store, session: str) -> None:
        raise UserError("store.sqlite: the disk is full")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gan_eval.quiz.room.give_back_list", full)
    monkeypatch.setattr("gan_eval.quiz.room.take_part", interrupted)
    reported: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        rehearse(stimuli, tmp_path / "store.sqlite", "P1", warn=reported.append)
    assert [line for line in reported if "store.sqlite:" in line and "list 1 " in line]


def test_what_gives_the_truth_away_is_refused_before_anything_is_stored(
    stimuli: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UserError("format")

    for name in ("require_no_giveaways", "require_no_identical"):
        with monkeypatch.context() as patched, pytest.raises(UserError, match="format"):
            patched.setattr(f"gan_eval.quiz.room.{name}", refuse)
            rehearse(stimuli, tmp_path / "store.sqlite", "P01")
    assert not (tmp_path / "store.sqlite").exists()


def test_another_design_in_the_same_store_is_told(stimuli: StimulusSet, tmp_path: Path) -> None:
    store = tmp_path / "store.sqlite"
    assert rehearse(stimuli, store, "P1").warnings == ()
    (line,) = rehearse(stimuli, store, "P2", design={"other": 1}).warnings
    assert "with other stimuli or settings" in line


QUESTIONS = (
    QuestionSettings(id="age", text="How old are you?"),
    QuestionSettings(id="job", text="Do you work with pictures?", choices=("yes", "no"), required=False),
)


def test_simulated_participants_answer_the_questions_of_the_study(stimuli: StimulusSet, tmp_path: Path) -> None:
    people = [SimulatedParticipant(Observer(), seed=1, participant=f"P{number:02d}") for number in range(60)]
    age, job = QUESTIONS
    ages = {int(str(person.answer(age))) for person in people}
    assert len(ages) > 10
    assert 18 <= min(ages) < max(ages) < 80
    assert {person.answer(job) for person in people} == {"yes", "no", None}

    store = tmp_path / "a.sqlite"
    rehearse(stimuli, store, "P00", QuizSettings(real=1, fake=1, questions=QUESTIONS))
    with open_store(store) as opened:
        rows = opened.rows(tables.PARTICIPANTS)
    assert {row["question"]: row["answer"] for row in rows} == {
        question.id: people[0].answer(question) for question in QUESTIONS
    }
    assert all(row["simulated"] for row in rows)


def test_of_two_sittings_of_one_participant_the_second_is_refused(stimuli: StimulusSet, tmp_path: Path) -> None:
    store = tmp_path / "a.sqlite"
    with hold_lock(*session_lock(store, study_of(stimuli, SETTINGS), Person("P01"))):
        refused("P01:", rehearse, stimuli, store, "P01")
        assert rehearse(stimuli, store, "P02").status == "complete", "another one may sit"
        assert rehearse(stimuli, tmp_path / "b.sqlite", "P01").status == "complete", "in another store, too"
    assert rehearse(stimuli, store, "P01").status == "complete"
    assert not list(tmp_path.glob(".gan-eval-*"))


def test_a_session_goes_on_though_pictures_that_were_seen_are_gone(stimuli: StimulusSet, tmp_path: Path) -> None:
    clock = VirtualClock(datetime(2026, 1, 31, tzinfo=UTC))
    with Room(study_of(stimuli, SETTINGS), tmp_path / "s.sqlite") as room:
        with room.admitted(Person("P1"), clock) as session:
            session.begin(None)
            session.onset(0)
            room.writer.submit(lambda _: None).result()  # its onset is stored; then the program is killed
        room.library.path(session.plan[0]["stimulus"]).unlink()
        with room.admitted(Person("P1"), clock) as again:
            again.wait(10)
            assert [row["trial"] for row in again.done] == [1]
        room.library.path(session.plan[1]["stimulus"]).unlink()
        with pytest.raises(UserError, match="no such picture"), room.admitted(Person("P1"), clock):
            pass
