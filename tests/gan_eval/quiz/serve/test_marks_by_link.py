"""Marks by link: stored once, after their trial, in spite of failures of the network, the tab and the server."""

from typing import Any

import pytest
from robot import Robot, Serve

from gan_eval import tables
from gan_eval.quiz.admission import Person
from gan_eval.quiz.simulate import Observer
from gan_eval.tables.frames import Row

MARK = {"x": 0.25, "y": 0.5, "at_ms": 900.0}
FAKE = {"marks": 2, "marks_after": "every", "response_ms": "unlimited"}


def to_marks(robot: Robot, following: dict[str, Any], plan: list[Row]) -> dict[str, Any]:
    following = robot.take_part(following, plan, most=1, to_marks=True)
    assert following["page"] == "marks"
    return following


@pytest.mark.parametrize(
    "quiz", [{"marks_after": "every"}, {"practice": 2}, {"protocol": "paired"}, {"protocol": "model_vs_model"}], ids=str
)
def test_marks_are_those_of_the_desktop_and_of_the_picture_called_fake(serve: Serve, quiz: dict[str, Any]) -> None:
    served, desktop = (serve(f"{name}.sqlite", marks=2, **quiz) for name in ("browser", "desktop"))
    desktop.room.run(Person("P01", Observer()))
    robot, plan, following = served.begun()
    assert robot.take_part(following, plan)["page"] == "end"
    marks, trials = served.rows(tables.MARKS), {row["trial"]: row for row in served.rows(tables.TRIALS)}
    assert {row["trial"] for row in marks} == {row["trial"] for row in desktop.rows(tables.MARKS)}
    for row in marks:
        trial = trials[row["trial"]]
        other = {"a": "stimulus_b", "b": "stimulus"}.get(trial["choice"], "stimulus")
        assert row["stimulus"] == trial[other]
        assert row["kind"] == ("real" if "/real/" in row["stimulus"] else "fake")
        assert row["model"] == (None if row["kind"] == "real" else row["stimulus"].split("/")[1])
        assert quiz.get("marks_after") == "every" or trial["choice"] or trial["response"] == "fake"
    asked = [row for row in trials.values() if quiz.get("marks_after") == "every" or row["response"] in (None, "fake")]
    assert {row["trial"] for row in marks} == {
        row["trial"] for row in asked if row["response"] != "none" and row["choice"] != "none"
    }
    assert served.rows(tables.SESSIONS)[0]["status"] == "complete"


def test_repeats_change_nothing_and_what_is_impossible_is_refused(serve: Serve) -> None:
    served = serve(**FAKE)
    robot, plan, following = served.begun()
    asked = to_marks(robot, following, plan)
    assert robot.ask("next")["next"] == asked, "after a pause the question comes again"
    for wrong in ([MARK] * 3, [{**MARK, "x": 1.01}], [{**MARK, "at_ms": -1}], [MARK, {**MARK, "at_ms": 1}]):
        assert robot.call("marks", trial=1, marks=wrong).status_code == 422
    assert robot.call("marks", trial=1, marks=[MARK], nothing_ms=1.0).status_code == 422
    assert robot.call("marks", trial=2, marks=[MARK]).status_code == 409
    first = robot.ask("marks", trial=1, marks=[MARK])
    assert first["next"]["trial"] == 2
    assert robot.ask("marks", trial=1, nothing_ms=5.0) == first
    assert [(row["mark"], row["x"]) for row in served.rows(tables.MARKS)] == [(1, 0.25)]


def test_a_restart_a_new_tab_and_going_on_without_marks(serve: Serve) -> None:
    served = serve("one.sqlite", **FAKE)
    robot, plan, following = served.begun()
    to_marks(robot, following, plan)
    robot.client = serve("one.sqlite", **FAKE).client  # another process, which knows the store alone
    following = robot.ask("marks", trial=1, marks=[MARK])["next"]
    robot.client = served.client
    del served.live._live[robot.setup["session"]]
    to_marks(robot, following, plan)
    robot.tab = "another-tab-0123456789"
    following = robot.arrive("resume")["next"]
    assert (following["page"], following["trial"]) == ("trial", 3), "the marks of one trial are lost"
    to_marks(robot, following, plan)
    report = robot.report({"planned_exposure_ms": None, "showings": [[""]]}, plan[3])
    assert robot.ask("trial", **report)["next"]["page"] == "marks"
    while following["page"] != "end":
        following = robot.take_part(robot.ask("marks", trial=4, nothing_ms=1.0)["next"], plan)
    assert {row["trial"] for row in served.rows(tables.MARKS)} == {row["trial"] for row in plan} - {2, 3}
    assert [row["mark"] for row in served.rows(tables.MARKS, trial=4)] == [None]
