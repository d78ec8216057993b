"""Stimuli, sessions and clocks for the quiz tests."""

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_sets import write_items
from x_screens import x_server

from gan_eval.pictures.decode import Picture
from gan_eval.pictures.sets import StimulusSet, read_set
from gan_eval.quiz.clock import VirtualClock
from gan_eval.settings.quiz import QuizSettings

if TYPE_CHECKING:
    from app_sitting import Sitting
    from PySide6.QtWidgets import QApplication


@pytest.fixture(scope="session")
def ten_items(tmp_path_factory: pytest.TempPathFactory) -> StimulusSet:
    """The set that `stimuli` copies."""
    generator = np.random.default_rng(1)
    items: dict[str, dict[str, Picture]] = {}
    for number in range(10):
        pictures = {role: generator.integers(0, 60, (48, 64, 3)).astype(np.uint8) for role in ("input", "real", "fake")}
        for channel, picture in zip((1, 0, 2), pictures.values(), strict=True):
            picture[..., channel] += 160
        items[f"secret{number}"] = pictures
    return read_set(write_items(tmp_path_factory.mktemp("items") / "set", items, model="hiddenmodel", dataset="tiles"))


@pytest.fixture
def stimuli(ten_items: StimulusSet, tmp_path: Path) -> StimulusSet:
    """A stimulus set of ten items with small pictures: reals reddish, fakes bluish, labels green; with captions."""
    folder = shutil.copytree(ten_items.folder, tmp_path / "set")
    return StimulusSet(folder, tuple({**row, "caption": f"text of {row['item']}"} for row in ten_items.rows))


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that starts at noon."""
    return VirtualClock(datetime(2026, 1, 31, 12, tzinfo=UTC))


@pytest.fixture(scope="session", autouse=True)
def no_self_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep this user's self-tests out of the tests."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("XDG_STATE_HOME", "LOCALAPPDATA"):
            patched.setenv(name, str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def no_window_outlives_its_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Delete what a test of the window leaves behind, before the event loop of another test runs."""
    yield
    if "qapp" in request.fixturenames:
        from PySide6.QtCore import QCoreApplication, QEvent

        gc.collect()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """Qt draws off screen in these tests."""
    return ["pytest", "-platform", "offscreen"]


@pytest.fixture
def screen() -> Iterator[dict[str, str]]:
    """A private X server; the environment in which programs find it."""
    with x_server(800, 600) as environment:
        yield environment


@pytest.fixture
def x_screen() -> Callable[[int, int], AbstractContextManager[dict[str, str]]]:
    """`x_screen(width, height)` is an X server with such a screen while the block runs."""
    return x_server


@pytest.fixture
def sit(
    qapp: "QApplication", stimuli: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "Iterator[Callable[..., Sitting]]":
    """`sit()` sits a participant down; a second call is the same participant another time."""
    from app_sitting import SETTINGS, Sitting

    from gan_eval.quiz.app import trials
    from gan_eval.quiz.app.pages import parts
    from gan_eval.quiz.station import Presentation
    from gan_eval.store import Writer, open_store

    monkeypatch.setattr(trials, "FIRST_BLANK_MS", 100.0)
    monkeypatch.setattr(parts, "SETTLE_MS", 20)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # no self-test of this computer's
    with Writer(lambda: open_store(tmp_path / "store.sqlite")) as writer:

        def sit(
            settings: QuizSettings = SETTINGS, stimuli: StimulusSet = stimuli, participant: str = "P01", **how: object
        ) -> Sitting:
            presentation = Presentation(windowed=True, **how)  # type: ignore[arg-type]
            return Sitting(qapp, stimuli, writer, settings, presentation, participant=participant)

        yield sit
