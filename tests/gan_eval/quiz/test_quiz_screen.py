"""The quiz on a real X server without a window manager, driven by keys that the server injects."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gan_eval import tables
from gan_eval.stimuli import StimulusSet
from gan_eval.store import open_store
from gan_eval.tabular import Row

pytestmark = [
    pytest.mark.display,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool (apt install both)"
    ),
]

_QUIZ = """
import sys
from gan_eval.quiz import run_session
from gan_eval.stimuli import read_set
from gan_eval.study import QuizSettings

folder, store = sys.argv[1:]
result = run_session(
    [read_set(folder)], QuizSettings(real=2, fake=2, blank_ms=100, response_ms=20000), participant="P01",
    store=store, study_name="study", design_hash="hash", seed=1, intro=False,
)
print(result.status)
"""


@pytest.fixture
def screen() -> Iterator[dict[str, str]]:
    """A private X server; the environment in which programs find it."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    environment = {name: value for name, value in os.environ.items() if name not in ("WAYLAND_DISPLAY", "XAUTHORITY")}
    yield {**environment, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
    server.terminate()
    server.wait(10)


def start(stimuli: StimulusSet, store: Path, screen: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _QUIZ, str(stimuli.folder), str(store)]
    return subprocess.Popen(command, env=screen, stdout=subprocess.PIPE, text=True)


def stored(store: Path) -> list[Row]:
    """The trials as another program sees them while the quiz writes."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM trials ORDER BY trial")]
    except sqlite3.OperationalError:  # the store or its tables are not there yet
        return []


def press_until(quiz: "subprocess.Popen[str]", key: str, store: Path, screen: dict[str, str], *, trials: int) -> None:
    """Press a key now and then until so many trials are stored."""
    deadline = time.monotonic() + 40
    while len(stored(store)) < trials and quiz.poll() is None:
        assert time.monotonic() < deadline, "the keys do not arrive"
        subprocess.run(["xdotool", "key", key], env=screen, check=True, timeout=10)
        time.sleep(0.15)


def test_keys_reach_the_window_without_a_window_manager(
    stimuli: StimulusSet, tmp_path: Path, screen: dict[str, str]
) -> None:
    store = tmp_path / "store.sqlite"
    quiz = start(stimuli, store, screen)
    press_until(quiz, "f", store, screen, trials=4)
    output, _ = quiz.communicate(timeout=30)
    assert output.split() == ["complete"]
    assert quiz.returncode == 0
    rows = stored(store)
    assert [row["response"] for row in rows] == ["fake"] * 4
    assert not any("focus_lost" in (row["flags"] or "") for row in rows)
    assert not any("handler_time" in (row["flags"] or "") for row in rows), "the X server's clock is the monotonic one"


def test_a_signal_loses_nothing(stimuli: StimulusSet, tmp_path: Path, screen: dict[str, str]) -> None:
    store = tmp_path / "store.sqlite"
    quiz = start(stimuli, store, screen)
    press_until(quiz, "j", store, screen, trials=2)
    quiz.send_signal(signal.SIGTERM)
    quiz.communicate(timeout=30)
    rows = stored(store)
    assert [row["response"] for row in rows[:2]] == ["real", "real"]
    assert [row["flags"] for row in rows[2:]] in ([], ["interrupted"])
    with open_store(store) as opened:
        assert opened.rows(tables.SESSIONS)[0]["status"] == "open"
