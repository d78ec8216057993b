"""The sessions of a study with practice and catch trials of their own pictures."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from finished import make_set
from refusals import refused

from gan_eval import tables
from gan_eval.pictures.sets import read_set
from gan_eval.quiz.admission import Person, next_code
from gan_eval.quiz.room import run_session
from gan_eval.quiz.simulate import Observer
from gan_eval.store import forget, open_store, push
from gan_eval.study import sessions
from gan_eval.study.plan import Plan, make_plan
from gan_eval.study.sessions import (
    draw_warnings,
    next_participant,
    open_quiz,
    pending_sessions,
    quiz_command,
    quiz_session,
    quiz_study,
    read_sessions,
    require_one_design,
    simulate_missing,
    unfinished_sessions,
)
from gan_eval.study.stages import list_stages
from gan_eval.tables.frames import iso

STUDY = """
[study]
name = "s"
[stimuli]
sets = ["main"]
practice_sets = ["old"]
catch_sets = ["noise"]
[quiz]
real = 2
fake = 2
practice = 2
catch = 2
participants = 1
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    make_set(tmp_path / "main", 8)
    make_set(tmp_path / "old", 3)
    make_set(tmp_path / "noise", 3, ("fake",))
    (tmp_path / "study.toml").write_text(STUDY)
    return make_plan(tmp_path / "study.toml", tmp_path / "out", simulate="default")


def rehearse(plan: Plan, participant: str) -> tuple[str, ...]:
    """A simulated session; its warnings."""
    return quiz_session(plan, Person(participant, Observer())).warnings


def changed(plan: Plan, keys: str) -> Plan:
    plan.file.write_text(f"{STUDY}{keys}\n")
    return make_plan(plan.file, plan.folder, simulate="default")


def test_practice_and_catch_trials_come_from_their_sets(plan: Plan) -> None:
    assert draw_warnings(plan) == []
    rehearse(plan, "P1")
    with open_store(plan.store) as store:
        shown = [(row["phase"], row["dataset"]) for row in store.rows(tables.TRIALS)]
    assert sorted(shown) == [("catch", "noise")] * 2 + [("main", "main")] * 4 + [("practice", "old")] * 2


def test_a_session_reads_each_set_once(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []
    monkeypatch.setattr(sessions, "read_set", lambda folder, **how: folders.append(folder) or read_set(folder, **how))
    rehearse(plan, "P1")
    assert sorted(folder.name for folder in folders) == ["main", "noise", "old"]


def test_a_rehearsal_of_fewer_participants_than_before_simulates_none(plan: Plan) -> None:
    for participant in ("P1", "P2"):
        rehearse(plan, participant)
    simulate_missing(plan, quiz_study(plan), read_sessions(plan), Mock())
    assert read_sessions(plan).counts["simulated"] == 2


def test_an_ended_session_is_copied_to_the_store_that_the_study_names(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushing = changed(plan, f"push_to = '{tmp_path / 'lab.sqlite'}'")
    assert rehearse(pushing, "P1") == ()
    assert not (tmp_path / "lab.sqlite").exists()  # simulated sessions stay here

    def answered_by_a_person(*study: Any, **how: Any) -> Any:
        result = run_session(*study, **how)
        with open_store(plan.store) as here:
            session = max(row["session"] for row in here.rows(tables.SESSIONS))  # the last one begun
            here.update_session(session, {"simulated": False})
            with here.transaction() as connection:
                connection.exec_driver_sql("UPDATE trials SET simulated = 0 WHERE session = ?", (session,))
        return replace(result, simulated=False)

    monkeypatch.setattr(sessions, "run_session", answered_by_a_person)
    assert rehearse(pushing, "P2") == ()
    with open_store(tmp_path / "lab.sqlite", create=False) as lab, open_store(plan.store) as here:
        assert lab.rows(tables.TRIALS) == here.rows(tables.TRIALS, participant="P2") != []
    forget(plan.store, "P2")  # nobody rehearses where a person has answered
    (line,) = rehearse(changed(plan, f"push_to = '{tmp_path}'"), "P3")
    assert "is a folder" in line
    assert f"push {plan.store} URL" in line


def test_other_pictures_for_practice_or_catch_are_another_design(plan: Plan) -> None:
    (quiz,) = (stage for stage in list_stages(plan) if stage.name == "quiz")
    rehearse(plan, "P1")
    for name, phase, kinds in (("noise", "catch", ("fake",)), ("old", "practice", ("real", "fake"))):
        before = quiz.inputs()
        make_set(plan.file.parent / name, 4, kinds)
        assert quiz.inputs() != before
        refused(rf"pictures\.{phase}", require_one_design, plan, plan.store)


def test_a_change_after_the_first_session_is_refused_key_by_key(plan: Plan) -> None:
    rehearse(plan, "P1")

    rehearse(changed(plan, "show_review = false\nshow_score = false"), "P2")
    refused(r"quiz\.blank_ms.*500\.0,.*400\.0", rehearse, changed(plan, "blank_ms = 400"), "P3")
    rehearse(changed(plan, "blank_ms = 500"), "P3")  # the default, given


def test_the_next_person_gets_a_new_code_and_unfinished_sessions_are_listed_and_continued(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sessions, "run_own", lambda *words: asked.append(words[-1]) or 0)
    rehearse(plan, "p01")
    open_quiz(plan, read_sessions(plan), Mock())
    for hours in (1, 48):
        began = datetime.now(UTC) - timedelta(hours=hours)
        with closing(sqlite3.connect(plan.store)) as store, store:  # as if a person had begun then, and broken off
            store.execute("DELETE FROM trials WHERE trial > 2")
            store.execute("UPDATE sessions SET simulated = 0, status = 'open', started_at = ?", (iso(began),))
        assert next_participant(plan) == "P02"
        lines = unfinished_sessions(plan, read_sessions(plan))
        assert [line.partition(";")[0] for line in lines] == [
            f"unfinished: p01, since {began:%Y-%m-%d %H:%M} UTC, 0 of 6 trials"
        ]
        assert all(line.endswith(quiz_command(plan, read_sessions(plan), "p01")) for line in lines)
        assert "--participant P02" in pending_sessions(plan)[0]
    open_quiz(plan, read_sessions(plan), Mock())
    assert asked == ["P02", "p01"]


def test_the_next_person_gets_no_code_of_someone_whose_data_are_deleted(plan: Plan) -> None:
    for code in ("p01", "P02", "guest", "P20250102"):
        rehearse(plan, code)
    forget(plan.store, "P01")
    assert next_participant(plan) == "P03", "a paper record may still name P01"
    pushed = plan.folder / "pushed.sqlite"
    push(plan.store, pushed)
    for store in (plan.store, pushed):
        forget(store, "P02")
    assert next_participant(plan) == next_code(pushed, "s") == "P03", "also the last one"
    assert b"P02" not in plan.store.read_bytes()
    rehearse(plan, "P03")
    aside = plan.folder / ".gan-eval" / "old" / "quiz-20250101T000000.0"
    aside.mkdir(parents=True)
    forget(plan.store, "P03")
    plan.store.rename(aside / plan.store.name)
    assert next_participant(plan) == "P04", "also in a store that was moved aside"
    damaged = aside.with_name("quiz-20250102T000000.0")
    damaged.mkdir()
    (damaged / plan.store.name).write_bytes(b"damaged")
    assert next_participant(plan) == "P04", "a damaged store that was moved aside does not block"
    rehearse(plan, "P10000")
    assert next_participant(plan) == "P10001", "online studies have ten thousand people"
