"""Rows for the tests of the store, jobs that add them, and processes that run at the same time."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from gan_eval import tables
from gan_eval.store import Store, Writer, open_store

Job = Callable[[Store], Any]

SESSION = {
    "session": "s1",
    "study": "t",
    "participant": "P01",
    "protocol": "quick_response",
    "status": "open",
    "simulated": False,
    "started_at": "2026-01-01T00:00:00Z",
}


def picture(number: int) -> dict[str, object]:
    """Return the pictures of a trial: those of odd numbers are fakes of the model m."""
    model = "m" if number % 2 else None
    named = {"stimulus": f"d/{model or 'real'}/{number}", "item": f"d/{number}", "model": model, "dataset": "d"}
    return {"trial": number, "phase": "main", "kind": "fake" if model else "real", **named}


def trial(number: int, session: str = "s1", **more: object) -> dict[str, object]:
    """A trial of `SESSION`, or of another session, that was answered with real."""
    shown = {"session": session, "study": "t", "participant": "P01", **picture(number), "exposure_ms": 1000 / 3}
    answer = {"response": "real", "correct": shown["kind"] == "real", "reaction_time_ms": 0.1 + 0.2}
    return {**shown, **answer, "simulated": False, **more}


def sit(
    store: Store,
    participant: str = "P01",
    *,
    study: str = "t",
    session: str = "",
    planned: int = 2,
    done: int = 1,
    **columns: object,
) -> str:
    """A session with rows in every table, of which some trials are done; return its identifier."""
    session = session or f"session-of-{participant}-{study}"
    who = {"session": session, "participant": participant}
    plan = [{**picture(number), "session": session, "block": 1} for number in range(1, planned + 1)]
    consent = {**who, "given": True, "text": f'{participant}, "yes"\nGrüße, 世界'}
    store.begin({**SESSION, **who, "study": study, **columns}, plan, consent)
    store.add(tables.CHECKS, [{"session": session, "check": "refresh", "value": 60.0}])
    store.add(tables.PARTICIPANTS, [{**who, "question": "age", "answer": f"age of {participant}"}])
    for number in range(1, done + 1):
        answer(store, number, session, participant=participant, study=study)
    if done:
        shown = {name: picture(1)[name] for name in ("stimulus", "item", "kind", "model", "dataset")}
        store.add(tables.MARKS, [{**who, **shown, "study": study, "trial": 1, "simulated": False}])
    return session


def answer(store: Store, number: int, session: str, **who: object) -> None:
    store.add(tables.ONSETS, [{"session": session, "trial": number, "onset_ms": number / 3}])
    store.add(tables.TRIALS, [trial(number, session, **who)])


def fill(where: Path | str, *participants: str, **how: Any) -> Path:
    """A store in which each participant has sat."""
    with open_store(where) as store:
        for participant in participants:
            sit(store, participant, **how)
    return Path(where)


@contextmanager
def meanwhile(where: Path | str, job: Job) -> Iterator[None]:
    """Let another program do a job before each transaction of a store at `where`, within the block."""
    transaction = Store.transaction

    def interrupted(store: Store) -> AbstractContextManager[sa.Connection]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Store, "transaction", transaction)
            if store.where == where_is:
                with open_store(where) as other:
                    job(other)
        return transaction(store)

    with open_store(where) as store:
        where_is = store.where
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "transaction", interrupted)
        yield


def add(number: int, session: str = "s1") -> Job:
    """The job that stores a trial."""
    return lambda store: store.add(tables.TRIALS, [trial(number, session)])


@contextmanager
def held(writer: Writer) -> Iterator[None]:
    """Jobs that are submitted in the block are queued together."""
    begun, free = Event(), Event()

    def wait(_: Store) -> None:
        begun.set()
        free.wait(60)

    writer.submit(wait)
    assert begun.wait(60)
    try:
        yield
    finally:
        free.set()


def together(writer: Writer, *jobs: Job) -> list[Any]:
    """Results or errors of jobs that are queued at the same moment."""
    with held(writer):
        futures = [writer.submit(job) for job in jobs]
    return [future.exception(60) or future.result() for future in futures]


def start(code: str, *arguments: str, stdout: int) -> "subprocess.Popen[bytes]":
    """Start a process of this code, which may import what tests share."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=stdout, stderr=pipe, env=environment)


def at_once(code: str, *each: tuple[str, ...]) -> list[str]:
    """Return the output of processes, one for each argument, whose `sys.stdin.read()` ends at the same moment."""
    children = [start(code, *arguments, stdout=subprocess.PIPE) for arguments in each]
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
        child.stdin = None
    printed = [child.communicate(timeout=120) for child in children]
    assert [(child.returncode, errors) for child, (_, errors) in zip(children, printed, strict=True)] == [
        (0, b"")
    ] * len(each)
    return [output.decode().strip() for output, _ in printed]
