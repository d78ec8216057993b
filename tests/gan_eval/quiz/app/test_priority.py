"""Precedence over other programs: taken where it may be, given back, not handed on, never a reason to fail."""

import os
import sys
import threading

import pytest

from gan_eval.quiz.app.process import raised_priority

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at Linux' scheduling policies")


def refuse(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def standing() -> tuple[int, int, int]:
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority, os.getpriority(os.PRIO_PROCESS, 0)


def test_it_says_what_it_got_and_gives_it_back() -> None:
    before = standing()
    with raised_priority() as priority:
        policy, _, nice = standing()
        assert (policy & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR) == (priority == "realtime")
        assert (nice < 0) == (priority == "high")
    assert standing() == before


def test_a_thread_that_is_started_meanwhile_is_an_ordinary_one() -> None:
    found: list[int] = []
    with raised_priority():
        thread = threading.Thread(target=lambda: found.append(os.sched_getscheduler(0)))
        thread.start()
        thread.join()
    assert found == [os.SCHED_OTHER]


def test_where_realtime_is_refused_it_takes_less(monkeypatch: pytest.MonkeyPatch) -> None:
    before, nice = standing(), []
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "setpriority", lambda _, __, value: nice.append(value))
    with raised_priority() as priority:
        assert priority == "high"
    assert nice == [-10, before[2]]
