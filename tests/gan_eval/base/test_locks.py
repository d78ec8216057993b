"""One process at a time holds a lock; messages name it; the lock of a killed one is free."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock, refuse_if_held

HOLD = """
import sys, time
from pathlib import Path
from gan_eval.base.locks import hold_lock
with hold_lock(Path(sys.argv[1]), "--out RUN", "training there"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "run" / ".gan-eval" / "train.lock"


@pytest.fixture
def other(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def take(lock: Path) -> None:
    with hold_lock(lock, "--out RUN", "training there"):
        pass


def refuse(lock: Path) -> None:
    refuse_if_held(lock, "--out RUN", "training there")


@pytest.mark.parametrize("attempt", [take, refuse])
def test_the_second_is_refused_until_the_first_ends(
    lock: Path, other: subprocess.Popen[str], attempt: Callable[[Path], None]
) -> None:
    who = rf"process {other.pid} \(.*\)" if Path("/proc/locks").exists() else "another program"
    with pytest.raises(UserError, match=rf"^--out RUN: {who}"):
        attempt(lock)
    other.communicate("")
    attempt(lock)
    assert not lock.parent.parent.exists(), "folders made for the lock go with it"


def test_the_lock_of_a_killed_process_is_free(lock: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    assert lock.exists()
    take(lock)
    assert not lock.exists()


def test_other_files_stay_and_an_error_frees_the_lock(lock: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold_lock(lock, "--out RUN", "training there"):
        (lock.parent.parent / "config.json").write_text("{}")
        1 / 0  # noqa: B018
    assert [path.name for path in sorted(lock.parent.parent.iterdir())] == [".gan-eval", "config.json"]
    assert list(lock.parent.iterdir()) == []
    take(lock)


CONTEND = """
import sys
from pathlib import Path
from gan_eval.base.errors import UserError
from gan_eval.base.locks import hold_lock
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


@pytest.mark.nightly
def test_never_two_at_once(lock: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", CONTEND, str(lock), str(tmp_path / "inside")]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
