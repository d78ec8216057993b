"""A session makes more calls into Qt than a fresh interpreter has references to None and True.

PySide6 6.12.0 takes one at each call on Python 3.11, until the program is aborted: `pyproject.toml` leaves it out.
"""

import subprocess
import sys

import pytest

pytest.importorskip("PySide6.QtCore", exc_type=ImportError)

_MANY_CALLS = """
from PySide6.QtCore import QObject, QTimer, Signal

class Bell(QObject):
    rung = Signal()

bell, timer = Bell(), QTimer()
for _ in range(200_000):
    bell.rung.emit()
    timer.stop()
print("alive")
"""


def test_a_program_outlives_many_calls_and_ends_well() -> None:
    done = subprocess.run([sys.executable, "-c", _MANY_CALLS], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.returncode) == ("alive", 0), done.stderr
