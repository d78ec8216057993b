"""Trials on the window, off screen: the frames of each protocol, and everything that comes between them."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from app_sitting import pixels
from PySide6.QtCore import QEvent, QEventLoop, Qt, QTimer
from PySide6.QtGui import QFocusEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from quiz_study import seated, two_models

from gan_eval import tables
from gan_eval.pictures.sets import StimulusSet
from gan_eval.quiz.app import trials as trials_module
from gan_eval.quiz.app.keys import Keyboard
from gan_eval.quiz.app.painting import Frame
from gan_eval.quiz.app.presenter import RasterWindow
from gan_eval.quiz.app.trials import TrialRunner
from gan_eval.quiz.trial import State
from gan_eval.settings.quiz import QuizSettings
from gan_eval.store import Writer, open_store
from gan_eval.tables.frames import Row


class RecordingWindow(RasterWindow):
    """Keeps what it presented and when; `react` is called shortly after each frame."""

    def __init__(self) -> None:
        super().__init__(QApplication.primaryScreen())
        self.presented: list[tuple[Frame, int]] = []
        self.react: Callable[[Frame], None] = lambda _: None

    def present(self, due: int | None = None) -> int:
        frame = self._staged
        stamp = super().present(due)
        self.presented.append((frame, stamp))
        QTimer.singleShot(15, self, lambda: self.react(frame))
        return stamp


class TrialSitting:
    """A session on a window of its own, run until the runner says what comes next."""

    def __init__(self, stimuli: StimulusSet, writer: Writer, settings: QuizSettings) -> None:
        self.writer = writer
        self.session, self.library = seated(stimuli, writer, settings)
        self.window = RecordingWindow()
        self.runner = TrialRunner(self.session, self.window, Keyboard(self.window), self.library, settings)
        self.runner.over.connect(lambda: self._end("over"))
        self.runner.break_due.connect(lambda: self._end("break"))
        self.runner.paused.connect(lambda note: self._end(f"paused: {note}"))
        self.runner.failed.connect(lambda line: self._end(f"failed: {line}"))
        self._ends: list[str | BaseException] = []
        if self.session.state is State.NEW:
            self.session.begin(None)

    def run(self, react: Callable[[Frame], None]) -> str:
        """Run until the runner stops: over, break, `paused: ...` or `failed: ...`."""
        self._ends, self._loop = [], QEventLoop()

        def guarded(frame: Frame) -> None:
            try:
                react(frame)
            except BaseException as error:  # to be raised in the test, not in the event loop
                self._end(error)

        self.window.react = guarded
        QTimer.singleShot(20_000, self._loop, lambda: self._end(TimeoutError("the session hangs")))
        self.window.show()
        self.runner.start()
        if not self._ends:
            self._loop.exec()
        self.window.react = lambda _: None
        if isinstance(self._ends[0], BaseException):
            raise self._ends[0]
        return self._ends[0]

    def _end(self, how: str | BaseException) -> None:
        self._ends.append(how)
        self._loop.quit()

    def key(self, key: Qt.Key | str) -> None:
        """Press a key on the window."""
        QTest.keyClick(self.window, key)  # type: ignore[call-overload]

    @property
    def phases(self) -> list[str]:
        """The presented frames in words."""
        return [phase(frame) for frame, _ in self.window.presented]

    @property
    def trials(self) -> list[Row]:
        """The trials in the store."""
        return self.writer.submit(lambda store: store.rows(tables.TRIALS)).result()


def phase(frame: Frame) -> str:
    """A frame in words."""
    if frame.captions:
        return f"{frame.headline} ({', '.join(frame.captions)})"
    if frame.pictures:
        assert not frame.text, "progress is never shown with a picture"
        assert not frame.headline
        return f"{len(frame.pictures)} pictures" if frame.patch else f"{len(frame.pictures)} masks"
    return frame.headline or frame.text or ("cross" if frame.fixation else "blank")


Sit = Callable[..., TrialSitting]


@pytest.fixture
def sit(qapp: QApplication, stimuli: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sit]:
    """`sit(protocol=..., ...)` sits the participant down with these settings; again: the same one another time."""
    monkeypatch.setattr(trials_module, "FIRST_BLANK_MS", 100.0)
    sittings: list[TrialSitting] = []

    def sit(stimuli: StimulusSet = stimuli, **settings: object) -> TrialSitting:
        chosen = QuizSettings(**{"blank_ms": 100, "response_ms": 2000, "real": 1, "fake": 1, **settings})
        sittings.append(TrialSitting(stimuli, writer, chosen))
        return sittings[-1]

    with Writer(lambda: open_store(tmp_path / "store.sqlite")) as writer:
        yield sit
        for sitting in sittings:
            sitting.window.hide()


def presses(sitting: TrialSitting, **keys: str) -> Callable[[Frame], None]:
    """A robot that presses the key of a phase: `pictures`, `question`, `confidence`."""

    def react(frame: Frame) -> None:
        word = phase(frame)
        for part, key in keys.items():
            if part in word.lower():
                sitting.key(key)

    return react


KEYS = "F:\u00a0fake    J:\u00a0real"


@pytest.mark.parametrize(("kind", "of_picture"), [("noise", False), ("scramble", True)])
def test_a_mask_takes_the_pictures_place(sit: Sit, kind: str, of_picture: bool) -> None:
    sitting = sit(exposure_ms=60, mask=kind, mask_ms=50, response_ms=150)
    assert sitting.run(lambda _: None) == "over"
    trial = ["1 pictures", "1 masks", KEYS]
    assert sitting.phases == ["1 of 2", *trial, "2 of 2", *trial, "blank"]
    (shown, onset), (masked, offset), (_, end) = sitting.window.presented[1:4]
    picture, mask = shown.pictures[0], masked.pictures[0]
    assert mask.size() == picture.size()
    assert (pixels(mask) != pixels(picture)).any()
    same = np.sort(pixels(mask), axis=None) == np.sort(pixels(picture), axis=None)
    assert same.all() == of_picture, "48 x 64 pixels are whole blocks: shuffling keeps every one of them"
    assert (offset - onset) / 1e6 == pytest.approx(sitting.trials[0]["exposure_ms"])
    assert (end - offset) / 1e6 > 25


def test_an_answer_during_flash_or_mask_ends_neither(sit: Sit) -> None:
    sitting = sit(exposure_ms=100, mask="noise", mask_ms=100, fixation_mark=False)

    def react(frame: Frame) -> None:
        if phase(frame) == ("1 masks" if sitting.session.done else "1 pictures"):
            sitting.key("f")

    assert sitting.run(react) == "over"
    stamps = [stamp for frame, stamp in sitting.window.presented]
    places = [place for place, name in enumerate(sitting.phases) if name == "1 pictures"]
    trial = ["1 pictures", "1 masks", "blank"]
    assert sitting.phases == ["1 of 2", *trial, "2 of 2", *trial, "blank"]
    assert not any(frame.fixation for frame, _ in sitting.window.presented)
    assert [row["response"] for row in sitting.trials] == ["fake", "fake"]
    for place in places:
        assert all((after - before) / 1e6 > 60 for before, after in pairwise(stamps[place : place + 3]))


@pytest.mark.parametrize("protocol", ["paired", "model_vs_model"])
def test_pairs_side_by_side(sit: Sit, stimuli: StimulusSet, protocol: str) -> None:
    sitting = sit(protocol=protocol, pairs=2, exposure_ms=80, stimuli=two_models(stimuli))
    assert sitting.run(presses(sitting, which="f")) == "over"
    asked = f"Which one {'is' if protocol == 'paired' else 'looks more'} real?    F:\u00a0left    J:\u00a0right"
    trial = ["2 pictures", asked]
    assert sitting.phases == ["1 of 2", *trial, "2 of 2", *trial, "blank"]
    for place, row in enumerate(sitting.trials):
        left, right = (pixels(picture) for picture in sitting.window.presented[1 + 3 * place][0].pictures)
        planned = sitting.session.plan[place]
        a, b = (sitting.library.decoded(planned[name]) for name in ("stimulus", "stimulus_b"))
        assert (left == (a if row["position"] == "left" else b)).all()
        assert (right == (b if row["position"] == "left" else a)).all()
        assert row["choice"] == ("a" if row["position"] == "left" else "b")
        assert row["correct"] == ((row["choice"] == "a") if protocol == "paired" else None)


@pytest.mark.parametrize("mask_ms", [None, 60, 200])
def test_pairs_one_after_the_other_with_a_gap(sit: Sit, mask_ms: float | None) -> None:
    settings: dict[str, object] = {"layout": "one_after_other", "exposure_ms": 80, "gap_ms": 150}
    if mask_ms:
        settings |= {"mask": "noise", "mask_ms": mask_ms}
    sitting = sit(protocol="paired", pairs=1, **settings)
    assert sitting.run(presses(sitting, which="j")) == "over"
    between = {None: ["cross"], 60: ["1 masks", "cross"], 200: ["1 masks"]}[mask_ms]
    after = ["1 masks"] if mask_ms else []
    asked = "Which one is real?    F:\u00a0first    J:\u00a0second"
    assert sitting.phases == ["1 of 1", "1 pictures", *between, "1 pictures", *after, asked, "blank"]
    (row,) = sitting.trials
    assert row["second_onset_ms"] - row["onset_ms"] - row["exposure_ms"] > 110
    assert row["second_exposure_ms"] > 40
    assert row["choice"] == ("a" if row["position"] == "second" else "b")
    assert row["reaction_time_ms"] > row["second_exposure_ms"]


def test_practice_tells_what_was_right_and_enters_no_progress(sit: Sit) -> None:
    sitting = sit(practice=2, feedback_ms=120, response_ms=300)
    answers = iter(["f", ""])

    def react(frame: Frame) -> None:
        if phase(frame) == "1 pictures" and (key := next(answers, "j")):
            sitting.key(key)

    assert sitting.run(react) == "break"
    first, second = sitting.session.plan[0]["kind"], sitting.session.plan[1]["kind"]
    reported = f"{'Correct' if first == 'fake' else 'Wrong'} ({first})"
    none = f"No answer in time ({second})"
    trial = ["1 pictures", "blank"]
    before = ["Practice: 1 of 2", *trial, reported, "Practice: 2 of 2", *trial, none, "1 of 2"]
    assert sitting.phases == before
    frames = sitting.window.presented
    assert not frames[3][0].patch
    assert (frames[4][1] - frames[3][1]) / 1e6 > 110
    assert sitting.run(react) == "over"
    assert sitting.phases == [*before, "1 of 2", *trial, "2 of 2", *trial, "blank"]
    assert [row["phase"] for row in sitting.trials] == ["practice", "practice", "main", "main"]


def test_a_cross_comes_before_the_picture_and_the_keys_after_it(sit: Sit) -> None:
    sitting = sit(exposure_ms=60)

    def answer(frame: Frame) -> None:
        if phase(frame) == KEYS:
            assert sitting.session.state is State.WAITING
            sitting.key("j")

    assert sitting.run(answer) == "over"
    frames = [frame for frame, _ in sitting.window.presented]
    assert sitting.phases == ["1 of 2", "1 pictures", KEYS, "2 of 2", "1 pictures", KEYS, "blank"]
    assert [frame.fixation for frame in frames] == [True, False, False, True, False, False, False]
    shown, cued = sitting.window.presented[1:3]
    assert cued[0].vanished == shown[0].pictures, "the keys stay out of its place"
    assert (cued[1] - shown[1]) / 1e6 == pytest.approx(sitting.trials[0]["exposure_ms"])
    assert sitting.trials[0]["exposure_ms"] < 75, "drawn ahead: the picture vanishes as the keys appear"


PAIRS = {"protocol": "paired", "pairs": 2, "layout": "one_after_other", "exposure_ms": 100, "gap_ms": 200}


def diligent(sitting: TrialSitting) -> Callable[[Frame], None]:
    """Answers f whenever an answer is taken."""

    def react(_: Frame) -> None:
        if sitting.session.state in (State.PRESENTED, State.WAITING):
            sitting.key("j" if sitting.session.protocol.facts.shows_pairs else "f")

    return react


STOPS = {
    "escape": ("paused: ", "paused"),
    "screen": ("paused: The screen has changed", "screen_changed"),
    "signal": ("over", "interrupted"),
}
"""Events that stop the trials: how the run ends, and the flag of the trial on its way."""


@pytest.mark.parametrize(
    ("stop", "where", "settings", "seen"),
    [
        ("escape", "1 of 2", {}, 0),
        pytest.param("escape", "1 pictures", {"exposure_ms": 300}, 1, marks=pytest.mark.nightly),
        ("escape", "1 masks", {"exposure_ms": 60, "mask": "noise", "mask_ms": 300}, 1),
        pytest.param("escape", "cross", PAIRS, 1, marks=pytest.mark.nightly),
        pytest.param("screen", "1 of 2", {}, 0, marks=pytest.mark.nightly),
        ("screen", "1 pictures", {}, 1),
        pytest.param("signal", "1 pictures", {}, 1, marks=pytest.mark.nightly),
        ("signal", "How sure", {"confidence": 3}, 1),
    ],
)
def test_what_stops_a_trial_stores_what_was_seen(
    sit: Sit, monkeypatch: pytest.MonkeyPatch, stop: str, where: str, settings: dict[str, object], seen: int
) -> None:
    sitting = sit(**settings)
    answers = where == "How sure"

    def react(frame: Frame) -> None:
        if where not in phase(frame):
            if answers:
                diligent(sitting)(frame)
        elif stop == "escape":
            sitting.key(Qt.Key.Key_Escape)
        elif stop == "screen":  # another one, as when a cable is pulled
            screen = QGuiApplication.primaryScreen()
            monkeypatch.setattr(sitting.runner._screen, "_facts", lambda: ("another",))
            screen.geometryChanged.emit(screen.geometry())
        else:
            sitting.runner.interrupt()
            assert sitting.session.state is State.READY
            sitting.runner.over.emit()

    end, flag = STOPS[stop]
    assert sitting.run(react).startswith(end)
    rows = sitting.trials
    assert len(rows) == seen
    for row in rows:
        assert flag in row["flags"]
        assert ((row["response"] or row["choice"]) == "none") is (row["reaction_time_ms"] is None) is not answers
    if stop != "signal":  # after which the program ends
        assert sitting.run(diligent(sitting)) == "over"
        assert [row["trial"] for row in sitting.trials] == [1, 2]
        assert [row["reaction_time_ms"] is None for row in sitting.trials] == [seen == 1, False]
        flagged = ["screen_changed" in (row["flags"] or "") for row in sitting.trials]
        assert flagged == [stop == "screen"] * 2, "all trials that are not shown on the screen that was described"


def test_a_trial_without_the_keyboard_is_flagged(sit: Sit) -> None:
    sitting = sit()

    def react(frame: Frame) -> None:
        if "1 pictures" in phase(frame) and not sitting.session.done:
            QGuiApplication.sendEvent(sitting.window, QFocusEvent(QEvent.Type.FocusOut))
        diligent(sitting)(frame)

    assert sitting.run(react) == "over"
    assert ["focus_lost" in (row["flags"] or "") for row in sitting.trials] == [True, False]


@pytest.mark.parametrize("protocol", ["quick_response", "paired"])
def test_a_caption_is_shown_with_its_picture_and_only_then(sit: Sit, protocol: str) -> None:
    sitting = sit(protocol=protocol, pairs=2, practice=1, feedback_ms=50, exposure_ms=100, show_caption=True)
    assert sitting.run(diligent(sitting)) == "break"  # after practice
    assert sitting.run(diligent(sitting)) == "over"
    shown = [frame.caption for frame, _ in sitting.window.presented if frame.patch]
    assert shown == [f"text of {row['item']}" for row in sitting.trials]
    assert not any(frame.caption for frame, _ in sitting.window.presented if not frame.patch)
