"""Tasks on processes: the same results in the same order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan_eval.stats.power.planning import in_parallel


def drawn(seed: int, task: tuple[int, ...]) -> float:
    return float(np.random.default_rng([seed, *task]).random())


def broken(state: int, task: tuple[int, ...]) -> float:
    raise ValueError(f"{state} {task}")


def threads(names: tuple[str, ...], task: tuple[int, ...]) -> list[str | None]:
    return [os.environ.get(name) for name in names]


TASKS = [(number, 7) for number in range(9)]


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing() -> None:
    reported: list[int] = []
    alone = in_parallel(drawn, 3, TASKS, workers=1)
    assert in_parallel(drawn, 3, TASKS, workers=2, on_done=reported.append) == alone
    assert len(set(alone)) == 9
    assert reported == list(range(1, 10))


@pytest.mark.nightly
def test_processes_compute_in_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    for name in names:
        monkeypatch.setenv(name, "7")
    assert in_parallel(threads, names, [(0,), (1,)], workers=2) == [["1", "1", "1"]] * 2
    assert [os.environ[name] for name in names] == ["7", "7", "7"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_process_is_an_error_here(workers: int) -> None:
    with pytest.raises(ValueError, match=r"3 \(0, 7\)"):
        in_parallel(broken, 3, TASKS[:1], workers=workers)


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
