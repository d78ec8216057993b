"""One process at a time holds a lock; messages name it; a killed one is taken over."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gan_eval.errors import UserError
from gan_eval.files.locks import hold_lock, refuse_if_held

HOLD = """
import sys, time
from pathlib import Path
from gan_eval.files.locks import hold_lock
with hold_lock(Path(sys.argv[1]), "--out RUN", "training there"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "run" / ".gan-eval" / "train.lock"


@pytest.fixture
def other(lock: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts another process that holds the lock until its input ends."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def taken_over(lock: Path) -> list[str]:
    """What is said where the lock is to be had."""
    said: list[str] = []
    with hold_lock(lock, "--out RUN", "training there", say=said.append):
        pass
    return said


def test_the_second_is_refused_and_told_of_the_first(lock: Path, other: Callable[[], subprocess.Popen[str]]) -> None:
    first = other()
    who = rf"process {first.pid} on {re.escape(socket.gethostname())} has been training there since \d{{4}}-.* UTC"
    for attempt in (taken_over, lambda lock: refuse_if_held(lock, "--out RUN", "training there")):
        with pytest.raises(UserError, match=rf"^--out RUN: {who}; wait for it, or end it$"):
            attempt(lock)
    first.communicate("")
    assert taken_over(lock) == [], "it ended in its own time"
    assert not lock.parent.parent.exists(), "what was made for the lock goes with it"


def test_a_killed_one_is_taken_over(lock: Path, other: Callable[[], subprocess.Popen[str]]) -> None:
    first = other()
    first.kill()
    first.wait()
    assert lock.exists()
    (line,) = taken_over(lock)
    assert re.fullmatch(
        rf"--out RUN: process {first.pid}, which was training there since .* UTC, ended unexpectedly; .*", line
    )
    assert taken_over(lock) == []


def test_of_another_machine_nothing_is_known(lock: Path) -> None:
    lock.parent.mkdir(parents=True)
    record = {"process": os.getpid(), "machine": "elsewhere", "since": "2026-01-02 03:04 UTC"}
    file = lock.with_name("train.lock.json")
    file.write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"on elsewhere .* cannot check .*remove .*train\.lock\.json$"):
        taken_over(lock)
    assert json.loads(file.read_text()) == record
    file.unlink()
    assert taken_over(lock) == []


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"process": 1}', '{"process": "x", "machine": 1, "since": 2}'])
def test_a_record_that_says_nothing_hinders_nobody(lock: Path, text: str) -> None:
    lock.parent.mkdir(parents=True)
    lock.with_name("train.lock.json").write_text(text)
    assert taken_over(lock) == []


def test_what_is_there_stays(lock: Path) -> None:
    with hold_lock(lock, "--out RUN", "training there"):
        (lock.parent.parent / "config.json").write_text("{}")
    assert [path.name for path in sorted(lock.parent.parent.iterdir())] == [".gan-eval", "config.json"]
    assert list(lock.parent.iterdir()) == []


def test_an_error_inside_gives_the_lock_back(lock: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold_lock(lock, "--out RUN", "training there"):
        1 / 0  # noqa: B018
    assert taken_over(lock) == []


CONTEND = """
import sys, time
from pathlib import Path
from gan_eval.errors import UserError
from gan_eval.files.locks import hold_lock
lock, inside = Path(sys.argv[1]), Path(sys.argv[2])
held = 0
while held < 15:
    try:
        with hold_lock(lock, "x", "y"):
            inside.touch(exist_ok=False)  # nobody else is in here
            inside.unlink()
            held += 1
    except UserError:
        pass
"""


@pytest.mark.slow
def test_never_two_at_once(lock: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CONTEND, str(lock), str(tmp_path / "inside")]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
