"""Sessions by link: one study, one draw, one store; nothing lost, nothing doubled."""

import asyncio
import io
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image
from quiz_study import two_models
from refusals import refused
from robot import SCREEN, Serve, Served

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.admission import Person, QuizStudy
from gan_eval.quiz.serve import app
from gan_eval.quiz.serve.app import Buckets
from gan_eval.quiz.serve.content import AHEAD, PREPARED_S
from gan_eval.quiz.serve.live import PICTURE_WAITS_S, REPEAT_S
from gan_eval.quiz.serve.screening import check_notices
from gan_eval.quiz.simulate import Observer
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Store, open_store
from gan_eval.store.merging import push_lines
from gan_eval.tables.frames import Row

PROTOCOLS: list[dict[str, Any]] = [
    {"protocol": "quick_response", "exposure_ms": 500, "confidence": 4, "practice": 2, "mask": "noise"},
    {"protocol": "yes_no", "exposures_ms": [100, "until-answer"]},
    {"protocol": "paired", "layout": "one_after_other", "exposure_ms": 400, "mask": "scramble"},
    {"protocol": "staircase"},
    {"protocol": "model_vs_model"},
    {"protocol": "rating", "response_ms": "unlimited"},
]
"""Protocols of each kind, and what else a trial may have."""
OTHERS = [
    pytest.param({"protocol": name}, marks=pytest.mark.nightly) for name in ("quick_response", "paired", "quest_plus")
]
CHECK = {"text": "Which key is fake?", "choices": ["f", "j"], "answer": "f"}
AGAIN = {"tab": "another-tab-0123456789"}
OWN = {"session", "simulated", "answered_at", "onset_ms", "second_onset_ms"}
"""Columns in which a browser's session may differ from the desktop's."""


def compared(rows: list[Row]) -> list[Row]:
    """Rows without times of day and identifiers."""
    return [
        {name: round(value, 6) if isinstance(value, float) else value for name, value in row.items() if name not in OWN}
        for row in rows
    ]


@pytest.mark.parametrize("quiz", [*PROTOCOLS, *OTHERS], ids=str)
def test_a_browser_gives_the_plans_and_trials_of_the_desktop(serve: Serve, quiz: dict[str, Any]) -> None:
    served, desktop = serve("browser.sqlite", **quiz), serve("desktop.sqlite", **quiz)
    desktop.room.run(Person("P01", Observer()))
    robot = served.robot()
    assert robot.open() == {"page": "welcome"}
    robot.arrive()
    plan = served.rows(tables.PLANS)
    end = robot.take_part(robot.ready(), plan)
    assert end["page"] == "end"
    assert compared(served.rows(tables.PLANS)) == compared(desktop.rows(tables.PLANS))
    assert compared(served.rows(tables.TRIALS)) == compared(desktop.rows(tables.TRIALS))
    (session,) = served.rows(tables.SESSIONS)
    assert (session["presenter"], session["status"], session["simulated"]) == ("browser", "complete", False)
    assert len(served.rows(tables.ONSETS)) == len(plan)
    assert served.rows(tables.CONSENTS)[0]["given"]


def test_a_page_gets_the_caption_of_its_trial_and_of_no_other(serve: Serve) -> None:
    for name, settings in (("with", {"show_caption": True, "practice": 1}), ("without", {})):
        robot, plan, following = serve(f"{name}.sqlite", **settings).begun()
        for row in plan[:4]:
            caption = f"text of {row['item']}" if name == "with" else ""
            assert following["caption"] == caption
            assert str(following).count("text of") == bool(caption)
            following = robot.take_part(following, plan, most=1)
        assert "text of" not in str(robot.setup)


def test_a_link_costs_nothing_before_consent(serve: Serve) -> None:
    served = serve()
    for number in range(5):
        robot = served.robot(f"bot-{number}")
        robot.open()
        assert robot.ask("decline", participant=robot.participant)["page"] == "end"
        away = robot.ask("decline", participant=robot.participant, unfit="touch")
        assert (away["page"], away["text"]) == ("refused", "Thank you. This study needs a computer with a keyboard.")
    assert served.rows(tables.SESSIONS) == []
    assert served.robot().call("begin", participant="P01", tab="x" * 16, consent=False).status_code == 422
    served.robot().arrive()
    assert [row["list"] for row in served.rows(tables.SESSIONS)] == [1]


def test_an_arrival_that_is_cut_short_uses_up_no_list(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between dealing and beginning, or another server that has begun with the same list."""
    served, other = serve("one.sqlite"), serve("one.sqlite")

    def begins_first(*_: object, **__: object) -> None:
        monkeypatch.undo()
        other.robot("P02").arrive()

    def crashes(*_: object, **__: object) -> None:
        monkeypatch.undo()
        raise UserError("the server is gone")

    monkeypatch.setattr(served.study.dealer, "deal", crashes)
    assert served.robot().call("begin", participant="P01", tab="x" * 16, consent=True).status_code == 503
    deal = served.study.dealer.deal
    monkeypatch.setattr(served.study.dealer, "deal", lambda number: (begins_first(), deal(number))[1])
    served.robot().arrive()
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda name: (served, other)[name % 2].robot(f"Q{name}").arrive(), range(8)))
    lists = {row["participant"]: row["list"] for row in served.rows(tables.SESSIONS)}
    assert (lists["P02"], lists["P01"]) == (1, 2)
    assert sorted(lists.values()) == list(range(1, 11))


def test_no_more_people_begin_than_the_study_admits(serve: Serve) -> None:
    served = serve(browser={"admit": 2})
    robots = [served.robot(f"P{number}") for number in range(4)]
    assert {robot.open()["page"] for robot in robots} == {"welcome"}
    for robot in robots[:2]:
        robot.arrive()
    body = {"participant": "P2", "tab": "x" * 16, "consent": True}
    for response in (robots[2].call("begin", **body), robots[3].call("open", participant="P3")):
        assert (response.status_code, response.json()["page"]) == (403, "refused")
    assert served.robot("P1", **AGAIN).arrive("resume")["next"]["page"] == "trial"
    robots[0].ask("withdraw")
    assert served.robot("P2").arrive()["next"]["page"] == "trial"


def test_a_flood_gets_429_and_clears_within_20_s(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Mock(return_value=1000.0)
    monkeypatch.setattr(app, "time", Mock(monotonic=clock))
    monkeypatch.setattr(app, "Buckets", lambda size, rate: Buckets(size / 20, rate / 20))  # 20 times fewer requests
    client = serve().client
    statuses = [client.get("/nothing").status_code for _ in range(40)]
    assert statuses == sorted(statuses), "never admitted again while no time passes"
    assert set(statuses) == {404, 429}
    assert client.get("/healthz").status_code == 429
    clock.return_value += 20
    assert client.get("/healthz").status_code == 200


def test_repeats_change_nothing_and_later_trials_are_refused(serve: Serve) -> None:
    served = serve()
    robot, plan, following = served.begun()
    planned = {row["trial"]: row for row in plan}
    while following["page"] == "trial":
        report = robot.report(following, planned[following["trial"]])
        later = robot.call("trial", **{**report, "trial": report["trial"] + 1})
        assert later.status_code == 409
        answers = [robot.ask("trial", **{**report, "sent_ms": report["sent_ms"] + wait}) for wait in (0, 10, 500)]
        assert answers[0]["next"] == answers[1]["next"] == answers[2]["next"]
        following = answers[0]["next"]
    stored = served.rows(tables.TRIALS)
    assert sorted(row["trial"] for row in stored) == sorted(planned)


def test_a_reload_continues_at_the_next_trial_and_the_seen_picture_counts(serve: Serve) -> None:
    served = serve()
    first, plan, following = served.begun()
    following = first.take_part(following, plan, most=3)
    seen = following["trial"]
    first.ask("onset", trial=seen, onset_ms=first.now_ms, sent_ms=first.now_ms)
    again = served.robot(**AGAIN)
    opened = again.open()
    assert (opened["page"], opened["done"], opened["trials"]) == ("resume", 3, len(plan))
    setup = again.arrive("resume")
    assert setup["ready"]
    assert setup["next"]["trial"] == seen + 1
    refused = first.call("trial", **first.report(following, plan[3]))
    assert (refused.status_code, refused.json()["reason"]) == (409, "taken_over")
    again.take_part(setup["next"], plan)
    stored = {row["trial"]: row for row in served.rows(tables.TRIALS)}
    assert len(stored) == len(plan)
    assert (stored[seen]["response"], stored[seen]["flags"]) == ("none", "killed")
    assert "resumed" in stored[seen + 1]["flags"]
    assert again.open()["page"] == "end"


@pytest.mark.parametrize("shown", [False, True])
def test_a_restarted_server_continues_the_trial_on_the_screen(serve: Serve, shown: bool) -> None:
    before = serve("one.sqlite")
    robot, plan, following = before.begun()
    following = robot.take_part(following, plan, most=2)
    report = robot.report(following, plan[2])
    if shown:
        onset = report["showings"][0]["onset_ms"]
        robot.ask("onset", trial=following["trial"], onset_ms=onset, sent_ms=onset)
        before.room.writer.submit(lambda _: None).result()
    after = serve("one.sqlite")
    for address in following["ahead"]:  # before the next answer
        assert after.client.get(address).content == before.client.get(address).content
    robot.client = after.client
    following = robot.ask("trial", **report)["next"]
    end = robot.take_part(following, plan)
    assert end["page"] == "end"
    stored = after.rows(tables.TRIALS)
    assert len(stored) == len(plan)
    assert all(row["flags"] is None for row in stored)
    reviewed = [panel["address"] for row in end["review"] for panel in row["panels"] if panel["address"]]
    again = serve("one.sqlite")
    assert {again.client.get(address).status_code for address in reviewed} == {200}


def test_a_withdrawn_participant_is_forgotten(serve: Serve) -> None:
    served = serve()
    for name, forget in (("P01", True), ("P02", False)):
        robot, plan, first = served.begun(name)
        robot.take_part(first, plan, most=2)
        assert robot.ask("withdraw", forget=forget)["page"] == "end"
        assert robot.call("onset", trial=3, onset_ms=1.0, sent_ms=1.0).status_code in (200, 410)
    assert [(row["participant"], row["status"]) for row in served.rows(tables.SESSIONS)] == [("P02", "aborted")]
    assert len(served.rows(tables.TRIALS)) == 2
    assert served.robot("P02").open()["page"] == "end"


def test_data_that_a_participant_deletes_are_not_pushed(serve: Serve, tmp_path: Path) -> None:
    served = serve(push_to=str(tmp_path / "lab.sqlite"))
    robot, plan, first = served.begun()
    robot.take_part(first, plan, most=2)
    push_lines(served.room.store, str(tmp_path / "lab.sqlite"))  # another session has ended
    with open_store(tmp_path / "lab.sqlite") as lab:
        assert lab.rows(tables.SESSIONS) == []
    served.live._push = pytest.fail  # type: ignore[method-assign, assignment]
    robot.ask("withdraw", forget=True)
    assert served.said[-1] == "P01: withdrawn, data deleted"


def test_who_deletes_data_that_were_pushed_is_named_for_the_other_store(serve: Serve, tmp_path: Path) -> None:
    served = serve(push_to=str(tmp_path / "lab.sqlite"))
    robot, plan, first = served.begun()
    robot.take_part(first, plan)
    robot.ask("withdraw", forget=True)
    assert "quiz.push_to" in served.said[-1]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_trial_that_another_process_is_storing_is_forgotten_too(serve: Serve, database: str, moment: str) -> None:
    """Two servers on one database; the other one forgets the participant before a trial's row comes, or after it."""
    here, there = serve(store=database), serve(store=database)
    robot, plan, following = here.begun()
    following = robot.take_part(following, plan, most=2)
    report = robot.report(following, plan[2])
    other = replace(robot, client=there.client)
    reached, release = threading.Event(), threading.Event()
    submit = here.room.writer.submit

    def hold(job: Callable[[Store], Any]) -> Callable[[Store], Any]:
        def held(store: Store) -> Any:
            with store.group():
                found = job(store) if moment == "after" else None
                reached.set()
                release.wait(5)
                return job(store) if moment == "before" else found

        return held

    def submit_held(job: Callable[[Store], Any], **how: Any) -> Any:
        return submit(job if "alone" in how else hold(job), **how)  # the session's own jobs say no more

    here.room.writer.submit = submit_held  # type: ignore[method-assign]
    with ThreadPoolExecutor() as threads:
        answered = threads.submit(robot.call, "trial", **report)
        assert reached.wait(5)
        withdrawn = threads.submit(other.call, "withdraw", forget=True)
        with suppress(FutureTimeoutError):
            withdrawn.result(3 if moment == "before" else 0.3)
        release.set()
        assert withdrawn.result().status_code == 200
        assert answered.result().status_code == (200 if moment == "after" else 503)
    here.room.writer.submit = submit  # type: ignore[method-assign]
    assert robot.call("trial", **report).status_code == 410
    with open_store(database) as store, store.transaction() as connection:
        for name in sa.inspect(connection).get_table_names():
            rows = connection.execute(sa.text(f"SELECT * FROM {name}")).fetchall()
            assert robot.setup["session"] not in str(rows), name


def test_an_onset_stored_after_another_tab_has_the_session_is_not_the_new_tabs(serve: Serve, database: str) -> None:
    """Two servers on one database; the first one stores the onset of its tab only after the second has resumed."""
    here, there = serve(store=database), serve(store=database)
    robot, _, _ = here.begun()
    submit, late = here.room.writer.submit, list[Callable[[Store], Any]]()

    def submit_late(job: Callable[[Store], Any], **how: Any) -> Any:
        return submit(job, **how) if "alone" in how or late else late.append(job)  # the session's own jobs say no more

    here.room.writer.submit = submit_late  # type: ignore[method-assign]
    robot.ask("onset", trial=1, onset_ms=1000.0, sent_ms=1000.0)
    again = replace(robot, client=there.client, **AGAIN)
    assert again.arrive("resume")["next"]["trial"] == 1
    submit(late[0]).exception()
    shown = {"showings": [{"onset_ms": 2000.0, "offset_ms": 2300.0}], "presses": [{"key": "f", "at_ms": 2300.0}]}
    replace(again, client=here.client).ask("trial", trial=1, **shown, sent_ms=2400.0)
    assert [row["reaction_time_ms"] for row in here.rows(tables.TRIALS)] == [300.0]


def test_a_report_stored_after_another_tab_has_the_session_is_refused(serve: Serve, database: str) -> None:
    """Two servers on one database; the first one has accepted the report of its tab when the second resumes."""
    here, there = serve(store=database), serve(store=database)
    robot, _, _ = here.begun()
    submit, is_storing, is_resumed = here.room.writer.submit, threading.Event(), threading.Event()

    def submit_late(job: Callable[[Store], Any], **how: Any) -> Any:
        def late(store: Store) -> Any:
            is_storing.set()
            is_resumed.wait(10)
            return job(store)

        return submit(job, **how) if "alone" in how else submit(late)  # the session's own jobs say no more

    shown = {"showings": [{"onset_ms": 1000.0, "offset_ms": 1200.0}], "presses": [{"key": "f", "at_ms": 1200.0}]}
    again = replace(robot, client=there.client, **AGAIN)
    with ThreadPoolExecutor() as pool:
        here.room.writer.submit = submit_late  # type: ignore[method-assign]
        report = pool.submit(robot.call, "trial", trial=1, **shown, sent_ms=1300.0)
        assert is_storing.wait(10)
        assert again.arrive("resume")["next"]["trial"] == 1
        is_resumed.set()
        assert report.result(10).status_code == 503
    assert robot.call("trial", trial=1, **shown, sent_ms=1300.0).json()["reason"] == "taken_over"
    shown = {"showings": [{"onset_ms": 2000.0, "offset_ms": 2300.0}], "presses": [{"key": "f", "at_ms": 2300.0}]}
    again.ask("trial", trial=1, **shown, sent_ms=2400.0)
    assert [row["reaction_time_ms"] for row in here.rows(tables.TRIALS)] == [300.0]


def test_a_second_tab_of_a_participant_who_is_being_forgotten_begins_nothing(serve: Serve) -> None:
    """The second tab has found the session when the first one deletes it."""
    served = serve()
    robot = served.robot()
    robot.arrive()
    known = served.rows(tables.SESSIONS)
    robot.ask("withdraw", forget=True)
    again = served.robot(**AGAIN)

    async def found_before(_: str) -> Row:
        return known[0]

    served.live._known = found_before  # type: ignore[method-assign, assignment]
    refused = again.call("resume", participant="P01", tab=again.tab, consent=True)
    assert (refused.status_code, refused.json()["page"]) == (410, "end")
    assert served.rows(tables.SESSIONS) == []
    with open_store(served.where) as store, store.transaction() as connection:
        for name in ("gan_eval_tabs", "gan_eval_dealt"):
            assert connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar() == 0, name


def test_questions_are_required_and_stored_once(serve: Serve) -> None:
    questions = [
        {"id": "age", "text": "How old?"},
        {"id": "sex", "text": "?", "choices": ["f", "m"], "required": False},
    ]
    served = serve(questions=questions)
    robot = served.robot()
    robot.arrive(parameters={"STUDY_ID": "s1", "other": "no"})
    assert robot.call("ready", answers={}, screen=SCREEN).status_code == 422
    assert robot.call("ready", answers={"age": "30", "sex": "x"}, screen=SCREEN).status_code == 422
    for _ in range(2):
        robot.ready({"age": " 30 ", "sex": None})
    stored = {row["question"]: row["answer"] for row in served.rows(tables.PARTICIPANTS)}
    assert stored == {"STUDY_ID": "s1", "age": "30", "sex": None}


def test_comprehension_has_two_attempts_and_gates_screen_out(serve: Serve) -> None:
    browser = {"checks": [CHECK], "screened_out_code": "OUT", "complete_code": "DONE", "smallest_window": [800, 600]}
    served = serve(browser=browser)
    robot = served.robot("P01")
    robot.arrive()
    assert robot.ask("check", choices=[1]) == {"passed": False, "left": 1}
    again = served.robot("P01", **AGAIN)  # a reload gives no further attempt
    again.arrive("resume")
    assert again.ask("check", choices=[1])["code"] == "OUT"
    before = served.rows(tables.SESSIONS), served.rows(tables.CHECKS)
    assert again.ask("check", choices=[0])["page"] == "end"
    assert again.ask("ready", answers={}, screen=SCREEN)["page"] == "end"
    assert (served.rows(tables.SESSIONS), served.rows(tables.CHECKS)) == before
    robot = served.robot("P02")
    robot.arrive()
    early = robot.call("ready", answers={}, screen=SCREEN)
    assert (early.status_code, early.json()["page"]) == (409, "refused"), "whoever sends no answers is not let through"
    assert robot.ask("check", choices=[1])["left"] == 1
    for choice in (0, 1):
        assert robot.ask("check", choices=[choice]) == {"passed": True}, "who has passed has passed"
    found = {row["check"]: row["verdict"] for row in served.rows(tables.CHECKS, session=robot.setup["session"])}
    assert found == {"comprehension_1": "warning", "comprehension": "ok"}
    small = robot.ask("ready", answers={}, screen={**SCREEN, "window_width": 700})
    assert (small["page"], small["code"]) == ("refused", "OUT")
    assert {**robot.open(), "page": "refused"} == small, "later the link says why"
    # 800 x 600 pixels at a zoom of 110%: 800 * 1.1 is a little more than 880
    robot = served.robot("P03")
    robot.arrive()
    robot.ask("check", choices=[0])
    plan = served.rows(tables.PLANS, session=robot.setup["session"])
    first = robot.ready(window_width=880, window_height=660, device_pixel_ratio=1.1)
    assert robot.take_part(first, plan)["code"] == "DONE"
    assert robot.ask("check", choices=[1])["code"] == "DONE", "a complete session stays complete"
    robot.ask("withdraw")
    assert [row["status"] for row in served.rows(tables.SESSIONS)] == ["aborted", "aborted", "complete"]


def test_times_that_cannot_have_passed_are_flagged(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_eval.quiz.remote.CLOCK_MS", 100.0)
    served = serve(response_ms="unlimited")
    started = time.monotonic()
    robot, _, following = served.begun()

    def answer(shift_ms: float, took_ms: float) -> str:
        nonlocal following
        sent = 1000.0 * (time.monotonic() - started) + shift_ms
        onset = sent - took_ms
        report = {"showings": [{"onset_ms": onset, "offset_ms": sent}], "presses": [{"key": "f", "at_ms": sent}]}
        number = following["trial"]
        following = robot.ask("trial", trial=number, **report, sent_ms=sent)["next"]
        return str(served.rows(tables.TRIALS, trial=number)[0]["flags"])

    assert [answer(10_000, 5), answer(10_000, 800), answer(0, 5), answer(0, 5)] == [
        "early_key", "clock_unlikely", "clock_unlikely early_key", "early_key",
    ]  # fmt: skip
    live = served.live._live[robot.setup["session"]]
    live.clock._received -= timedelta(days=200)  # the server's clock is set to the right date
    assert [answer(0, 5), answer(0, 5)] == ["clock_unlikely early_key", "early_key"]
    live.session.done[-1]["answered_at"] = "2999-01-01T00:00:00.000Z"  # and it is set back during a restart
    assert [answer(0, 5), answer(0, 5)] == ["clock_unlikely early_key", "early_key"]


def test_practice_has_feedback_and_breaks_come_between(serve: Serve) -> None:
    served = serve(practice=2, break_every=3)
    robot, plan, following = served.begun()
    planned, kinds = {row["trial"]: row for row in plan}, []
    while following["page"] == "trial":
        kinds.append((following["phase"], (following["break"] or {}).get("kind")))
        report = robot.report(following, planned[following["trial"]])
        answer = robot.ask("trial", **report)
        assert answer == robot.ask("trial", **report), "the first answer may be lost on its way"
        assert (answer["feedback"] is not None) == (following["phase"] == "practice")
        following = answer["next"]
    assert kinds == [
        ("practice", None), ("practice", None), ("main", "counts"), ("main", None), ("main", None), ("main", "break"),
        ("main", None), ("main", None), ("main", "break"), ("main", None),
    ]  # fmt: skip


@pytest.mark.parametrize("done", [2, 5])
def test_a_reload_after_practice_says_that_it_counts_and_one_at_a_break_is_a_rest(serve: Serve, done: int) -> None:
    served = serve(practice=2, break_every=3)
    robot, plan, following = served.begun()
    following = robot.take_part(following, plan, most=done)
    assert following["break"]["kind"] == ("counts" if done == 2 else "break")
    resumed = served.robot(**AGAIN).arrive("resume")["next"]
    assert resumed["break"] == (following["break"] if done == 2 else None)


def test_the_width_of_the_pictures_in_the_plan_is_stored(serve: Serve) -> None:
    served = serve()
    robot = served.robot()
    robot.arrive()
    dealt = {row["stimulus"] for row in served.rows(tables.PLANS)}
    for row in served.room.library.rows:
        if row["stimulus"] not in dealt:
            row["width"] = 128
    robot.ready()
    assert served.rows(tables.SESSIONS)[0]["picture_width_px"] == 64


@pytest.mark.parametrize("mask", ["none", "noise"])
def test_pictures_have_the_size_at_which_they_are_shown_from_the_first_trial(serve: Serve, mask: str) -> None:
    """The page learns their addresses before it has said what its display is."""
    served = serve(picture_size=32, mask=mask, exposure_ms=100)
    robot, _, first = served.begun()
    assert robot.setup["next"]["sizes"] == first["sizes"] == [[[32, 24]]]
    assert robot.setup["next"]["showings"] == first["showings"]
    for address in (*first["showings"][0], *(first["masks"][0] if first["masks"] else ())):
        with Image.open(io.BytesIO(served.client.get(address).content)) as picture:
            assert picture.size == (32, 24)


def test_only_pictures_that_a_session_is_about_to_show_have_a_file(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, make = weakref.WeakSet[Any](), tempfile.TemporaryFile

    def temporary_file(**how: Any) -> Any:
        files.add(file := make(**how))
        return file

    monkeypatch.setattr("gan_eval.quiz.serve.pictures.CACHE_BYTES", 1)
    monkeypatch.setattr("gan_eval.quiz.serve.pictures.tempfile.TemporaryFile", temporary_file)
    served = serve(mask="scramble", exposure_ms=100)
    robot, plan, following = served.begun()
    seen = dict[str, bytes]()
    while following["page"] == "trial":
        for address in following["ahead"]:
            content = served.client.get(address).content
            assert seen.setdefault(address, content) == content
        live = served.live._live[robot.setup["session"]]
        assert len(live.addresses) <= 2 * (AHEAD + 1)
        following = robot.take_part(following, plan, most=1)
        assert sum(not file.closed for file in files) <= 2 * (AHEAD + 1) + 1
    assert served.room.library._contents == {}
    assert served.client.get(next(iter(seen))).status_code == 404


def test_few_pictures_are_in_memory_before_they_are_sent(serve: Serve) -> None:
    served = serve()
    robot, _, _ = served.begun()
    live = served.live._live[robot.setup["session"]]
    held: list[int] = []
    ready: Future[Callable[[], bytes]] = Future()
    ready.set_result(lambda: held.append(1) or b"picture")
    live.addresses = {str(number): (lambda: ready, 0.0) for number in range(20)}

    async def show(address: str) -> int:
        assert await served.live.picture(live.token, address) == b"picture"
        held.pop()
        return len(held)

    async def show_all() -> list[int]:
        return await asyncio.gather(*map(show, live.addresses))

    assert max(asyncio.run(show_all())) <= 2


def test_the_time_to_decode_a_picture_cannot_be_measured(serve: Serve) -> None:
    """A picture is sent at the same time after its address, however long it was decoded."""
    served, since = serve(), time.monotonic()
    for address in served.robot().arrive()["next"]["ahead"]:
        assert served.client.get(address).status_code == 200
        assert time.monotonic() >= since + PREPARED_S


@pytest.mark.parametrize("answered", [True, False])
def test_a_picture_waits_for_answers_but_not_for_ever(serve: Serve, answered: bool) -> None:
    served = serve()
    robot, _, first = served.begun()
    live = served.live._live[robot.setup["session"]]
    address = first["ahead"][0].rpartition("/")[2]

    async def look() -> tuple[bool, bytes]:
        await served.live.picture(live.token, address)  # it is made
        with ExitStack() as answer:
            answer.enter_context(served.live._busy())
            shown = asyncio.create_task(served.live.picture(live.token, address))
            await asyncio.sleep(0.01)
            waits = not shown.done()
            if answered:
                answer.close()
            return waits, await asyncio.wait_for(shown, 10 * PICTURE_WAITS_S)

    waits, picture = asyncio.run(look())
    assert waits
    assert picture.startswith(b"\x89PNG")


def test_pictures_for_which_the_disk_has_no_space_are_shown(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve()
    full = partial(Path("/dev/full").open, "r+b")
    monkeypatch.setattr("gan_eval.quiz.serve.pictures.tempfile.TemporaryFile", full)
    _, _, first = served.begun()
    assert served.client.get(first["ahead"][0]).content.startswith(b"\x89PNG")


def test_a_tab_has_16_to_64_letters(serve: Serve) -> None:
    served = serve()
    for tab, status in (("t" * 15, 422), ("t" * 65, 422), ("t " * 8, 422), ("ä" * 16, 200), ("t" * 64, 200)):
        robot = served.robot(f"P{len(tab)}", tab=tab)
        assert robot.call("begin", participant=robot.participant, tab=tab, consent=True).status_code == status, tab


def test_a_picture_that_is_changed_while_people_take_part_is_not_shown(serve: Serve) -> None:
    served = serve()
    _, plan, _ = served.begun()
    coming = plan[-1]["stimulus"]
    served.room.library.path(coming).write_bytes(served.room.library.path(plan[0]["stimulus"]).read_bytes())
    with pytest.raises(UserError, match="has changed"):
        served.room.library.decoded(coming)


def test_encoded_pictures_are_the_stimuli(serve: Serve) -> None:
    served = serve()
    _, plan, first = served.begun()
    with Image.open(io.BytesIO(served.client.get(first["showings"][0][0]).content)) as picture:
        assert picture.mode == "RGB"
        assert (np.asarray(picture) == served.room.library.decoded(plan[0]["stimulus"])).all()


def test_a_picture_of_the_review_that_is_missing_is_named_to_the_experimenter(serve: Serve) -> None:
    served = serve()
    robot, plan, first = served.begun()
    panel = robot.take_part(first, plan)["review"][0]["panels"][0]
    for row in served.room.library.rows:
        if row["input_file"]:
            (served.study.shown[0].folder / row["input_file"]).unlink(missing_ok=True)
    assert (panel["caption"], served.client.get(panel["address"]).status_code) == ("input", 503)
    served.client.get(panel["address"])
    assert ["no such picture" in line for line in served.said[-2:]] == [False, True]  # once a minute


def test_a_full_disk_is_reported_once_a_minute_however_many_pages_try_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, full = serve().live, UserError("my/store.sqlite: the disk is full")
    said: list[str] = []
    monkeypatch.setattr(live, "_say", said.append)
    for _ in range(3):
        assert live._unavailable(full).status == 503
    live._silent[str(full)] -= REPEAT_S  # a minute later
    live._unavailable(full)
    assert said == [str(full)] * 2


@pytest.mark.skipif(os.name == "nt", reason="Windows does not move or remove an open file")
@pytest.mark.parametrize("how", ["moved", "removed", "replaced"])
def test_no_answer_is_acknowledged_into_a_store_that_is_gone(
    stimuli: StimulusSet, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_eval.quiz.serve.live.REPEAT_S", 0)
    store, aside = tmp_path / "store.sqlite", tmp_path / "aside.sqlite"
    study = QuizStudy(name="t", settings=QuizSettings(real=2, fake=2), shown=[two_models(stimuli)], seed=5, design={})
    stack = ExitStack()
    served = Served(study, store, stack, intro=False)
    robot, plan, following = served.begun()
    following = robot.take_part(following, plan, most=1)
    shutil.copy(store, tmp_path / "copy.sqlite")
    store.rename(aside)
    if how == "replaced":
        (tmp_path / "copy.sqlite").rename(store)
    report = robot.report(following, {row["trial"]: row for row in plan}[following["trial"]])
    line = f"{store}: this file was removed, moved or replaced while it was in use"
    for _ in range(2):
        said = len(served.said)
        assert robot.call("trial", **report).status_code == 503
        assert served.said[said].startswith(line), "the terminal says so"
    assert robot.call("begin", participant="P02", tab="y" * 16, consent=True).status_code == 503
    if how == "moved":
        aside.rename(store)
        following = robot.ask("trial", **report)["next"]
        assert robot.take_part(following, plan)["page"] == "end"
        stack.close()
        with open_store(store) as opened:
            assert len(opened.rows(tables.TRIALS)) == 4
        return
    if how == "removed":
        aside.unlink()
    refused(line, stack.close)
    if how == "removed":
        refused("store.sqlite-wal is left from one and may hold its last answers", open_store, store)


def test_an_answer_in_the_moment_of_the_onset_counts(serve: Serve) -> None:
    """A browser's clock has steps of up to a millisecond. Without an end of the window no other answer is given."""
    served = serve(response_ms="unlimited", intro=False)
    robot, _, first = served.begun()
    press = {"key": "f", "at_ms": 1000.0}
    showings = [{"onset_ms": 1000.0, "offset_ms": 1003.0}]
    robot.ask("trial", trial=first["trial"], showings=showings, presses=[press], sent_ms=1020.0)
    (row,) = served.rows(tables.TRIALS)
    assert (row["response"], row["reaction_time_ms"], row["flags"]) == ("fake", 0.0, "early_key")
    assert served.rows(tables.CONSENTS) == [], "without pages nobody was asked"


def test_two_pictures_without_a_gap_are_two_showings(serve: Serve) -> None:
    served = serve(protocol="paired", layout="one_after_other", exposure_ms=400)
    robot, _, following = served.begun()
    showings = [{"onset_ms": 1000.0, "offset_ms": 1400.0}, {"onset_ms": 1400.0, "offset_ms": 1800.0}]
    press = {"key": robot.setup["answers"][0]["key"], "at_ms": 2000.0}
    robot.ask("trial", trial=following["trial"], showings=showings, presses=[press], sent_ms=2000.0)
    (row,) = served.rows(tables.TRIALS)
    assert (row["exposure_ms"], row["second_onset_ms"], row["reaction_time_ms"]) == (400.0, 1400.0, 600.0)


@pytest.mark.parametrize(
    ("quiz", "line"),
    [
        ({"picture_size": "8 deg"}, "--viewing-distance-cm"),
        ({"picture_size": "8 deg", "intro": False, "viewing_distance_cm": 60.0}, "remove --no-intro"),
        ({"real": 90, "fake": 90, "strict_counts": True}, "real"),
        ({"counterbalance_keys": True, "browser": {"checks": [{**CHECK, "choices": ["F", "J"], "answer": "F"}]}}, "{f"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anybody_comes(serve: Serve, quiz: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError, match=line):
        serve(**quiz)


@pytest.mark.parametrize(
    ("quiz", "choices", "notices"),
    [
        ({}, ["F", "J"], ["touch screens"]),
        ({"browser": {"touch": False}}, ["F", "J"], []),
        ({"counterbalance_keys": True}, ["{fake}", "{real}"], []),
        ({"protocol": "paired"}, ["{left}", "{real}"], ["{real}"]),
        ({"protocol": "rating"}, ["1", "5"], []),
        ({}, ["a photograph", "a fake"], []),
    ],
)
def test_a_check_that_some_cannot_answer_is_named(quiz: dict[str, Any], choices: list[str], notices: list[str]) -> None:
    check = {"text": "What do you press?", "choices": choices, "answer": choices[0]}
    settings = QuizSettings(**{**quiz, "browser": {**quiz.get("browser", {}), "checks": [check]}})
    found = check_notices(settings)
    assert len(found) == len(notices)
    assert all(part in line for part, line in zip(notices, found, strict=True))
