"""A session makes more calls into Qt than a fresh interpreter has references to None and True."""

import subprocess
import sys

import pytest

pytest.importorskip("PySide6.QtCore", exc_type=ImportError)

_MANY_CALLS = """
from PySide6.QtCore import QObject, QTimer, Signal
from gan_eval.quiz.app.process import keep_singletons_alive

class Bell(QObject):
    rung = Signal()

keep_singletons_alive()
keep_singletons_alive()
bell, timer = Bell(), QTimer()
for _ in range(200_000):
    bell.rung.emit()
    timer.stop()
print("alive")
"""


def test_a_program_outlives_many_calls_and_ends_well() -> None:
    done = subprocess.run([sys.executable, "-c", _MANY_CALLS], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.returncode) == ("alive", 0), done.stderr
