"""Every protocol from admission to the stored trials, through the whole application; off screen."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from quiz_study import study_of, two_models

from gan_eval import tables
from gan_eval.quiz.admission import Person
from gan_eval.quiz.app import trials as trials_module
from gan_eval.quiz.room import run_session
from gan_eval.quiz.station import Presentation
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.store import open_store
from gan_eval.tables.frames import Row

BRISK = {"blank_ms": 100, "response_ms": 2000, "feedback_ms": 50, "practice": 1, "confidence": 3}
PAIR = {"pairs": 2, "exposure_ms": 50}
SHORT = {"start_ms": 60, "shortest_ms": 40, "longest_ms": 80, "up_ms": 20}


@pytest.fixture
def robot(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Presses one key after another on any screen."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(trials_module, "FIRST_BLANK_MS", 100.0)
    keys = cycle("fj23")

    def press() -> None:
        window = QGuiApplication.focusWindow()
        if window is not None:
            QTest.keyClick(window, next(keys))  # type: ignore[call-overload]

    timer = QTimer(interval=20)
    timer.timeout.connect(press)
    timer.start()
    yield
    timer.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "trials", "answered"),
    [
        ({"protocol": "yes_no", "real": 2, "fake": 2, "exposures_ms": [50, "until-answer"]}, 5, "response"),
        ({"protocol": "paired", "layout": "one_after_other", "gap_ms": 60, "mask": "scramble", **PAIR}, 3, "choice"),
        ({"protocol": "staircase", "real": 1, "fake": 2, "mask": "noise", "staircase": SHORT}, 4, "response"),
        ({"protocol": "rating", "real": 1, "fake": 2}, 4, "rating"),
    ],
)
def test_every_protocol_from_admission_to_the_store(
    robot: None, stimuli: StimulusSet, tmp_path: Path, settings: dict[str, object], trials: int, answered: str
) -> None:
    quiz = QuizSettings(**{**BRISK, **settings})  # type: ignore[arg-type]
    study = study_of(two_models(stimuli), quiz)
    presentation = Presentation(windowed=True, intro=False, presenter="raster")
    result = run_session(study, tmp_path / "store.sqlite", Person("P01"), presentation=presentation)
    assert result.status == "complete"
    with open_store(tmp_path / "store.sqlite", create=False) as store:
        rows = store.rows(tables.TRIALS)
        plan = store.rows(tables.PLANS)
    assert [row["trial"] for row in rows] == list(range(1, trials + 1)) == [row["trial"] for row in plan]
    assert [row["phase"] for row in rows] == ["practice"] + ["main"] * (trials - 1)
    for row in rows:
        require_whole(row, answered, pairs=quiz.shows_pairs)


def require_whole(row: Row, answered: str, *, pairs: bool) -> None:
    """An answer of the protocol's kind, its times, and how sure the participant was."""
    assert row[answered] not in (None, "none")
    assert [name for name in ("response", "choice", "rating") if row[name] is not None] == [answered]
    assert row["exposure_ms"] > 0
    assert row["reaction_time_ms"] > 0
    assert row["confidence"] in (1.0, 2.0, 3.0)
    assert (row["stimulus_b"] is not None) == pairs
    assert (row["second_onset_ms"] is not None) == (row["position"] in ("first", "second"))
