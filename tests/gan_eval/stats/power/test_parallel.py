"""Simulated studies on processes: the same results in the same order, and no process is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_eval.stats.power.planning import in_parallel


def described(state: str, task: tuple[int, ...]) -> tuple[str, tuple[int, ...], str | None]:
    if task[0] < 0:
        raise ValueError(f"{state} {task}")
    return state, task, os.environ.get("OPENBLAS_NUM_THREADS")


@pytest.mark.slow
def test_an_error_in_a_process_is_an_error_here() -> None:
    with pytest.raises(ValueError, match=r"state \(-1, 7\)"):
        in_parallel(described, "state", [(-1, 7)], workers=2)


@pytest.mark.slow
def test_processes_give_results_in_order_and_compute_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    tasks, reported = [(number, 7) for number in range(9)], []
    found = in_parallel(described, "state", tasks, workers=2, on_done=reported.append)
    assert found == [("state", task, "1") for task in tasks]
    assert reported == list(range(1, 10))
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7"


KILLED = """
import os, sys, time
from pathlib import Path
from gan_eval.stats.power.planning import in_parallel

def wait(folder, task):
    Path(folder, str(os.getpid())).touch()
    time.sleep(60 if task[0] else 0.1)

if __name__ == "__main__":
    in_parallel(wait, sys.argv[1], [(0,), (1,)], workers=2)
"""


@pytest.mark.nightly
@pytest.mark.skipif(os.name == "nt", reason="signal 9 is of POSIX")
def test_processes_end_when_the_first_one_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    (tmp_path / "started").mkdir()
    first = subprocess.Popen([sys.executable, str(script), str(tmp_path / "started")])
    others = wait_for(
        lambda: [int(path.name) for path in (tmp_path / "started").iterdir()], lambda found: len(found) == 2
    )
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not wait_for(lambda: [number for number in others if is_running(number)], lambda left: not left)


def wait_for(look: Callable[[], list[int]], enough: Callable[[list[int]], bool]) -> list[int]:
    """Return what `look` gives when it is enough, or after a minute."""
    end = time.monotonic() + 60
    while not enough(found := look()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
