"""The quiz on a real X server without a window manager, driven by keys that the server injects."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from gan_eval import tables
from gan_eval.pictures.sets import StimulusSet
from gan_eval.store import open_store
from gan_eval.tables.frames import Row

pytestmark = [
    pytest.mark.display,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool (apt install both)"
    ),
]

_QUIZ = """
import sys
from gan_eval.quiz.admission import Person, QuizStudy
from gan_eval.quiz.room import run_session
from gan_eval.pictures.sets import read_set
from gan_eval.quiz.station import Presentation
from gan_eval.settings.quiz import QuizSettings

folder, store, confidence, each = sys.argv[1:]
settings = QuizSettings(real=int(each), fake=int(each), blank_ms=100, response_ms=20000, confidence=int(confidence))
study = QuizStudy(name="study", settings=settings, shown=[read_set(folder)], seed=1, design={})
result = run_session(study, store, Person("P01"), presentation=Presentation(intro=False))
print(result.status)
"""


def start(
    stimuli: StimulusSet, store: Path, screen: dict[str, str], *, confidence: int = 0, each: int = 2
) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _QUIZ, str(stimuli.folder), str(store), str(confidence), str(each)]
    return subprocess.Popen(command, env=screen, stdout=subprocess.PIPE, text=True)


def stored(store: Path) -> list[Row]:
    """The trials as another program sees them while the quiz writes."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM trials ORDER BY trial")]
    except sqlite3.OperationalError:  # the store or its tables are not there yet
        return []


def press_until(quiz: "subprocess.Popen[str]", keys: str, store: Path, screen: dict[str, str], *, trials: int) -> None:
    """Press keys (characters, or X key codes from 10 on) now and then until the given number of trials is stored."""
    deadline = time.monotonic() + 40
    while len(stored(store)) < trials and quiz.poll() is None:
        assert time.monotonic() < deadline, "the keys do not arrive"
        subprocess.run(["xdotool", "key", *keys.split()], env=screen, check=True, timeout=10)
        time.sleep(0.15)


@pytest.mark.slow
def test_keys_reach_the_window_without_a_manager(stimuli: StimulusSet, tmp_path: Path, screen: dict[str, str]) -> None:
    store = tmp_path / "store.sqlite"
    quiz = start(stimuli, store, screen, each=1)
    press_until(quiz, "f", store, screen, trials=2)
    output, _ = quiz.communicate(timeout=30)
    assert output.split() == ["complete"]
    assert quiz.returncode == 0
    rows = stored(store)
    assert [row["response"] for row in rows] == ["fake"] * 2
    assert not any("focus_lost" in (row["flags"] or "") for row in rows)
    assert not any("handler_time" in (row["flags"] or "") for row in rows), "the X server's clock is the monotonic one"
    with open_store(store) as opened:
        assert [row["window_system"] for row in opened.rows(tables.SESSIONS)] == ["xcb"]


@pytest.mark.nightly
@pytest.mark.skipif(not shutil.which("setxkbmap"), reason="needs setxkbmap (apt install x11-xkb-utils xkb-data)")
def test_keys_count_by_place_on_other_layouts(stimuli: StimulusSet, tmp_path: Path, screen: dict[str, str]) -> None:
    store = tmp_path / "store.sqlite"
    quiz = start(stimuli, store, screen, confidence=3)
    # the places of J and 2: no j on Russian and Greek keyboards, no 2 without Shift on French, ^ dead on German ones
    for trials, (layout, keys) in enumerate({"ru": "44 11", "gr": "44 11", "fr": "44 11", "de": "49 44 11"}.items(), 1):
        subprocess.run(["setxkbmap", layout], env=screen, check=True, timeout=10)
        press_until(quiz, keys, store, screen, trials=trials)
    output, _ = quiz.communicate(timeout=30)
    assert output.split() == ["complete"]
    assert [(row["response"], row["confidence"]) for row in stored(store)] == [("real", 2)] * 4


@pytest.mark.nightly
def test_a_key_that_is_held_down_answers_once_and_a_signal_loses_nothing(
    stimuli: StimulusSet, tmp_path: Path, screen: dict[str, str]
) -> None:
    store = tmp_path / "store.sqlite"
    quiz = start(stimuli, store, screen)
    press_until(quiz, "f", store, screen, trials=1)
    subprocess.run(["xdotool", "keydown", "j"], env=screen, check=True, timeout=10)
    time.sleep(2)  # the server repeats a key after 0.66 s, 25 times a second
    before = len(stored(store))
    time.sleep(1)
    assert len(stored(store)) == before < 3, "a key that is held down answers at most once"
    subprocess.run(["xdotool", "keyup", "j"], env=screen, check=True, timeout=10)
    quiz.send_signal(signal.SIGTERM)
    quiz.communicate(timeout=30)
    rows = stored(store)
    assert rows[0]["response"] == "fake"
    assert any("held_key" in (row["flags"] or "") for row in rows)
    assert len(rows) <= before + 1
    assert not rows[before:] or "interrupted" in rows[before]["flags"]
    with open_store(store) as opened:
        assert opened.rows(tables.SESSIONS)[0]["status"] == "open"
