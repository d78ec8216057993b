"""Rows for the tests of the store, jobs that add them, and processes that do so at once."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

from gan_eval import tables
from gan_eval.store import Store, Writer

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


def trial(number: int, session: str = "s1") -> dict[str, object]:
    """A trial of `SESSION`, or of another session."""
    return {
        "session": session,
        "study": "t",
        "participant": "P01",
        "trial": number,
        "phase": "main",
        "stimulus": f"d/real/{number}",
        "kind": "real",
        "exposure_ms": 1000.25,
        "correct": True,
        "simulated": False,
    }


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
    """What processes of this code print that end their `sys.stdin.read()` at the same moment, one for each argument."""
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
