"""One participant at the trial window, without pages: what the runner's tests are made of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from quiz_study import seated

from gan_eval import tables
from gan_eval.quiz.app import trials as trials_module
from gan_eval.quiz.app.keys import Keyboard
from gan_eval.quiz.app.painting import Frame
from gan_eval.quiz.app.presenter import RasterWindow
from gan_eval.quiz.app.trials import TrialRunner
from gan_eval.quiz.trial import State
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stimuli.sets import StimulusSet
from gan_eval.store import Writer, open_store
from gan_eval.tables.frames import Row

WORDS = Texts(
    own={
        "progress": "{number} of {trials}",
        "practice_progress": "Practice: {number} of {trials}",
        "question_single": "Keys? {keys}",
        "question_pair": "Which one? {keys}",
        "question_models": "Which model? {keys}",
        "question_rating": "How real? 1 to {grades}",
        "confidence_question": "How sure? 1 to {levels}",
        "feedback_right": "Right: {truth}",
        "feedback_wrong": "Wrong: {truth}",
        "feedback_none": "None: {truth}",
        "pause_screen": "another screen",
    }
)


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
        self.runner = TrialRunner(self.session, self.window, Keyboard(self.window), self.library, settings, texts=WORDS)
        if self.session.state is State.NEW:
            self.session.begin(None)

    def run(self, react: Callable[[Frame], None]) -> str:
        """Run until the runner stops: over, break, `paused: ...` or `failed: ...`."""
        ended: list[str] = []
        loop = QEventLoop()

        def end(word: str) -> None:
            ended.append(word)
            loop.quit()

        connections = [
            self.runner.over.connect(lambda: end("over")),
            self.runner.break_due.connect(lambda: end("break")),
            self.runner.paused.connect(lambda note: end(f"paused: {note}")),
            self.runner.failed.connect(lambda line: end(f"failed: {line}")),
        ]
        errors: list[BaseException] = []

        def guarded(frame: Frame) -> None:
            try:
                react(frame)
            except BaseException as error:  # to be raised in the test, not in the event loop
                errors.append(error)
                loop.quit()

        self.window.react = guarded
        QTimer.singleShot(20_000, loop, lambda: end("hangs"))
        self.window.show()
        self.runner.start()
        if not ended:
            loop.exec()
        self.window.react = lambda _: None
        for connection in connections:
            self.runner.disconnect(connection)
        if errors:
            raise errors[0]
        return ended[0]

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

    def files(self, trial: int) -> list[Path]:
        """The picture files of a trial, by its place in the plan."""
        row = self.session.plan[trial]
        return [self.library.path(name) for name in (row["stimulus"], row["stimulus_b"]) if name]


def phase(frame: Frame) -> str:
    """A frame in words."""
    if frame.captions:
        return f"{frame.headline} ({', '.join(frame.captions)})"
    if frame.pictures:
        return f"{len(frame.pictures)} pictures" if frame.patch else f"{len(frame.pictures)} masks"
    return frame.headline or frame.text or ("cross" if frame.fixation else "blank")


Sit = Callable[..., TrialSitting]


@contextmanager
def sitting_down(stimuli: StimulusSet, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sit]:
    """`sit(...)` sits the participant down with these settings, each time on the same store in `folder`."""
    monkeypatch.setattr(trials_module, "FIRST_BLANK_MS", 100.0)
    sittings: list[TrialSitting] = []

    def sit(stimuli: StimulusSet = stimuli, **settings: object) -> TrialSitting:
        chosen = QuizSettings(**{"blank_ms": 100, "response_ms": 2000, "real": 1, "fake": 1, **settings})
        sittings.append(TrialSitting(stimuli, writer, chosen))
        return sittings[-1]

    with Writer(lambda: open_store(folder / "store.sqlite")) as writer:
        yield sit
        for sitting in sittings:
            sitting.window.hide()
