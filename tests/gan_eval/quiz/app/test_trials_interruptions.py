"""Everything that comes between: pauses, breaks, signals, another screen, a full disk, lost pictures; off screen."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QGuiApplication
from PySide6.QtWidgets import QApplication
from trial_sitting import Sit, TrialSitting, phase, sitting_down

from gan_eval.quiz.app.painting import Frame
from gan_eval.quiz.trial import State
from gan_eval.stimuli.sets import StimulusSet

PAIRS = {"protocol": "paired", "pairs": 2, "layout": "one_after_other", "exposure_ms": 100, "gap_ms": 200}


@pytest.fixture
def sit(qapp: QApplication, stimuli: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sit]:
    """`sit(protocol=..., ...)` sits the participant down with these settings; again: the same one another time."""
    with sitting_down(stimuli, tmp_path, monkeypatch) as sit:
        yield sit


def diligent(sitting: TrialSitting) -> Callable[[Frame], None]:
    """Answers f whenever an answer is taken."""

    def react(_: Frame) -> None:
        if sitting.session.state in (State.PRESENTED, State.WAITING):
            sitting.key("j" if sitting.session.protocol.facts.shows_pairs else "f")

    return react


def once_in(sitting: TrialSitting, where: str, do: Callable[[], object]) -> Callable[[Frame], None]:
    """Does something the first time that a phase is shown, and answers diligently otherwise."""
    left = [do]

    def react(frame: Frame) -> None:
        if where in phase(frame) and left:
            left.pop()()
        else:
            diligent(sitting)(frame)

    return react


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "settings", "seen"),
    [
        ("1 of 2", {}, False),
        ("1 pictures", {"exposure_ms": 300}, True),
        ("1 masks", {"exposure_ms": 60, "mask": "noise", "mask_ms": 300}, True),
        ("cross", PAIRS, True),
    ],
)
def test_escape_anywhere_before_the_answer_pauses(
    sit: Sit, where: str, settings: dict[str, object], seen: bool
) -> None:
    sitting = sit(**settings)
    assert sitting.run(lambda frame: sitting.key(Qt.Key.Key_Escape) if where in phase(frame) else None) == "paused: "
    rows = sitting.trials
    assert len(rows) == seen
    if seen:
        assert "paused" in rows[0]["flags"]
        assert (rows[0]["response"] or rows[0]["choice"]) == "none"
        assert (rows[0]["correct"], rows[0]["reaction_time_ms"]) == (None, None)
    assert sitting.run(diligent(sitting)) == "over"
    assert [row["trial"] for row in sitting.trials] == [1, 2]
    assert [row["correct"] is None for row in sitting.trials] == [seen, False]


@pytest.mark.parametrize(
    ("where", "settings"),
    [
        ("1 pictures", {}),
        ("How sure", {"confidence": 3}),
    ],
)
def test_a_signal_anywhere_stores_what_was_on_its_way(sit: Sit, where: str, settings: dict[str, object]) -> None:
    sitting = sit(**settings)
    interrupted: list[State] = []

    def interrupt() -> None:
        sitting.runner.interrupt()
        interrupted.append(sitting.session.state)
        sitting.runner.over.emit()

    sitting.run(once_in(sitting, where, interrupt))
    assert interrupted == [State.READY]
    (row,) = sitting.trials
    assert "interrupted" in row["flags"]


def test_breaks_come_after_so_many_trials_and_never_after_the_last(sit: Sit) -> None:
    sitting = sit(real=3, fake=3, break_every=2)
    stops = [sitting.run(diligent(sitting)) for _ in range(3)]
    assert stops == ["break", "break", "over"]
    assert [row["response"] for row in sitting.trials] == ["fake"] * 6


def test_without_the_keyboard_a_trial_is_flagged(sit: Sit) -> None:
    sitting = sit()

    def lose_focus() -> None:
        QGuiApplication.sendEvent(sitting.window, QFocusEvent(QEvent.Type.FocusOut))
        sitting.key("f")

    assert sitting.run(once_in(sitting, "1 pictures", lose_focus)) == "over"
    assert ["focus_lost" in (row["flags"] or "") for row in sitting.trials] == [True, False]


@pytest.mark.parametrize(("where", "stored"), [("1 pictures", 1), ("1 of 2", 0)])
def test_another_screen_pauses_with_a_note_and_flags_the_trial(
    sit: Sit,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    stored: int,
) -> None:
    sitting = sit()
    screen = QGuiApplication.primaryScreen()

    def unplug() -> None:
        monkeypatch.setattr(sitting.runner._screen, "_facts", lambda: ("another",))
        screen.geometryChanged.emit(screen.geometry())

    assert sitting.run(once_in(sitting, where, unplug)) == "paused: another screen"
    assert len(sitting.trials) == stored
    assert sitting.run(diligent(sitting)) == "over"
    flagged = ["screen_changed" in (row["flags"] or "") for row in sitting.trials]
    assert flagged == [True, True], "all trials that are not shown on the screen that was described"
    assert sitting.trials[0]["response"] == ("none" if stored else "fake")


def test_a_session_that_goes_on_elsewhere_is_flagged_throughout(sit: Sit) -> None:
    sitting = sit()
    sitting.runner._screen_differs = True
    assert sitting.run(diligent(sitting)) == "over"
    assert all("screen_changed" in row["flags"] for row in sitting.trials)


def test_a_picture_that_is_lost_in_the_middle_stops_with_a_line_until_it_is_back(
    sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_eval.quiz.library.HELD_BYTES", 0)
    sitting = sit()
    (path,) = sitting.files(1)
    kept = path.with_suffix(".kept")

    def lose() -> None:
        shutil.move(path, kept)
        shutil.copy(sitting.files(0)[0], path)
        sitting.key("f")

    line = sitting.run(once_in(sitting, "1 pictures", lose))
    assert line.startswith(f"failed: {path}: ")
    assert "has changed since the session started" in line
    assert sitting.session.state is State.READY
    assert len(sitting.trials) == 1
    shutil.move(kept, path)
    assert sitting.run(diligent(sitting)) == "over"
    assert [row["flags"] and "paused" in row["flags"] for row in sitting.trials] in ([None, None], [False, False])
