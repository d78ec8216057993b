"""Simulated studies on processes: the same results in the same order, and no process is left behind."""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_eval.base.parallel import in_parallel


def described(state: str, task: tuple[int, ...]) -> tuple[str, tuple[int, ...], str | None]:
    if task[0] < 0:
        raise ValueError(f"{state} {task}")
    return state, task, os.environ.get("OPENBLAS_NUM_THREADS")


@pytest.mark.slow
def test_processes_give_results_in_order_and_compute_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    tasks, reported = [(number, 7) for number in range(9)], []
    found = in_parallel(described, "state", tasks, workers=2, on_done=reported.append)
    assert found == [("state", task, "1") for task in tasks]
    assert reported == list(range(1, 10))
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7"


class Held:
    def __init__(self, file: Path) -> None:
        self.release = file.touch

    def __del__(self) -> None:
        self.release()


held: list[Held] = []


def hold(folder: Path, _: int) -> None:
    held.append(Held(folder / "released"))
    atexit.register((folder / "handled").touch)


@pytest.mark.slow
def test_processes_run_their_exit_handlers_and_release_nothing(tmp_path: Path) -> None:
    in_parallel(hold, tmp_path, [0, 1], workers=2)
    assert [file.name for file in tmp_path.iterdir()] == ["handled"]


@pytest.mark.nightly
def test_processes_pass_errors_on() -> None:
    with pytest.raises(ValueError, match=r"state \(-1, 7\)"):
        in_parallel(described, "state", [(-1, 7)], workers=2)


KILLED = """
import os, sys, time
from pathlib import Path
from gan_eval.base.parallel import in_parallel

def wait(folder, task):
    Path(folder, str(os.getpid())).touch()
    while len(os.listdir(folder)) < 2:  # until both processes have a task
        time.sleep(0.05)
    time.sleep(60 if task[0] else 0)

if __name__ == "__main__":
    in_parallel(wait, sys.argv[1], [(0,), (1,)], workers=2)
"""


@pytest.mark.nightly
@pytest.mark.skipif(os.name == "nt", reason="signal 9 is of POSIX")
def test_processes_end_when_the_first_one_is_killed(tmp_path: Path) -> None:
    script, started = tmp_path / "killed.py", tmp_path / "started"
    script.write_text(KILLED)
    started.mkdir()
    first = subprocess.Popen([sys.executable, str(script), str(started)])
    assert wait_for(lambda: len([*started.iterdir()]) == 2)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert wait_for(lambda: not any(is_running(int(path.name)) for path in started.iterdir()))


def wait_for(fulfilled: Callable[[], bool]) -> bool:
    """Return whether it is fulfilled within a minute."""
    end = time.monotonic() + 60
    while not (found := fulfilled()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
