"""All presenters' windows: drawing ahead, meeting the moment, learning the cost; on a made-up clock."""

import pytest

pytest.importorskip("PySide6.QtGui", exc_type=ImportError)

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QExposeEvent, QImage, QRegion, QSurface
from PySide6.QtWidgets import QApplication

from gan_eval.quiz.app import presenter
from gan_eval.quiz.app.painting import BLANK, Frame, caption_place
from gan_eval.quiz.app.presenter import PresenterWindow, RasterWindow, covering

TEXT = Frame(text="1 of 4")


class Clock:
    """Moves when somebody waits or works."""

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def read(self) -> int:
        return self.now

    def wait(self, moment: int) -> int:
        self.now = max(self.now, moment)
        return self.now


class Window(PresenterWindow):
    """Takes `cost` to show a frame, and notes what it did."""

    name = "test"

    def __init__(self, application: QApplication, clock: Clock) -> None:
        super().__init__(application.primaryScreen(), QSurface.SurfaceType.RasterSurface)
        self.clock = clock
        self.cost = 400_000
        self.did: list[object] = []

    def isExposed(self) -> bool:  # noqa: N802
        return True

    def _draw(self, frame: Frame, *, everything: bool) -> None:
        self.did.append((frame, everything))

    def _put(self) -> None:
        self.clock.now += self.cost
        self.did.append("put")


@pytest.fixture
def window(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Window:
    clock = Clock()
    monkeypatch.setattr(presenter, "now_ns", clock.read)
    monkeypatch.setattr(presenter, "wait_until", clock.wait)
    return Window(qapp, clock)


def test_once_the_cost_is_known_frames_are_there_when_they_are_due(window: Window) -> None:
    due, missed = window.clock.now, []
    for _ in range(5):
        due += 100_000_000
        window.stage(TEXT)
        missed.append(window.present(due) - due)
    assert missed == [400_000, 0, 0, 0, 0]
    assert window.lead == 400_000


def test_an_uncovered_window_shows_what_was_shown_and_draws_the_staged_frame_anew(window: Window) -> None:
    window.stage(TEXT)
    window.exposeEvent(QExposeEvent(QRegion()))
    assert window.did == [(TEXT, False), (BLANK, True), "put"]
    window.present()
    assert window.did[3:] == [(TEXT, False), "put"]
    window.exposeEvent(QExposeEvent(QRegion()))
    assert window.did[5:] == [(TEXT, True), "put"]


def test_a_caption_is_drawn_ahead_and_flushed_with_its_picture_at_the_onset(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = RasterWindow(qapp.primaryScreen())
    window.resize(800, 600)
    window.show()
    qapp.processEvents()
    picture = QImage(64, 64, QImage.Format.Format_RGB32)
    frame = Frame((picture,), caption="an old harbour with small boats")
    window.stage(frame)
    placed = caption_place(frame.caption, [picture.size()], window.canvas)
    flushed: list[QRegion] = []
    monkeypatch.setattr(window._store, "flush", flushed.append, raising=False)
    monkeypatch.setattr(presenter, "paint", lambda *_: pytest.fail("painted after the deadline"))
    window.present(presenter.now_ns())
    (region,) = flushed
    assert placed is not None
    assert all(region.contains(place.center()) for place in (placed[0], QRect(368, 268, 64, 64)))
    window.destroy()


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 300), st.sampled_from([1.0, 1.25, 1.5, 2.0]))
def test_a_flushed_region_covers_every_pixel_and_hardly_more(left: int, top: int, side: int, ratio: float) -> None:
    region = covering([QRect(left, top, side, side)], ratio)
    for x, y in ((left, top), (left + side - 1, top), (left + side - 1, top + side - 1)):
        assert region.contains(QPoint(int(x / ratio), int(y / ratio)))
    assert region.boundingRect().width() <= side / ratio + 2
