"""The pixels that both presenters put on a screen, at three device pixel ratios."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtGui", exc_type=ImportError)

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from gan_eval.pictures.decode import read_rgb, write_png
from gan_eval.quiz.app.painting import BLANK, GAP, PATCH, Canvas, Frame, changed_area, painted, places

_SHOW = """
import sys, time
from pathlib import Path
from typing import Any
from PySide6.QtGui import QGuiApplication, QImage
from gan_eval.quiz.app.presenter import OpenGLWindow
from gan_eval.quiz.app.painting import BLANK, Frame
from gan_eval.quiz.app.presenter import RasterWindow

folder = Path(sys.argv[1])
app = QGuiApplication([])
screen = app.primaryScreen()
picture, other = QImage(str(folder / "picture.png")), QImage(str(folder / "other.png"))
frames = {
    "single": Frame((picture,), patch=True), "text": Frame(text="3 of 4"), "pair": Frame((picture, other), patch=True),
    "blank": BLANK,
}
for make in (RasterWindow,) if app.platformName() == "offscreen" else (RasterWindow, OpenGLWindow):
    window = make(screen, corner_patch=True)
    window.setGeometry(screen.geometry())
    window.showFullScreen()
    deadline = time.monotonic() + 20
    while not window.isExposed() and time.monotonic() < deadline:
        app.processEvents()
        time.sleep(0.005)
    app.processEvents()
    for name, frame in frames.items():
        window.stage(frame)
        window.present()
        if app.platformName() == "offscreen":
            shot = window._store.paintDevice()
        else:
            time.sleep(0.1)
            shot = screen.grabWindow(0).toImage()
        shot.save(str(folder / f"{window.name}-{name}.png"))
    window.hide()
"""

PICTURE, OTHER = (101, 150), (90, 131)


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Two noisy pictures of odd sizes, in the test's folder."""
    generator = np.random.default_rng(0)
    picture, other = (generator.integers(0, 256, (*size, 3)).astype(np.uint8) for size in (PICTURE, OTHER))
    write_png(tmp_path / "picture.png", picture)
    write_png(tmp_path / "other.png", other)
    return picture, other


def require_grey_but_for(shot: np.ndarray, *expected: tuple[int, int, np.ndarray]) -> None:
    """Each picture stands pixel for pixel at its (top, left); all else, but the patch, is grey."""
    around = shot.copy()
    for top, left, picture in expected:
        height, width = picture.shape[:2]
        np.testing.assert_array_equal(shot[top : top + height, left : left + width], picture)
        around[top : top + height, left : left + width] = 128
    around[-PATCH:, :PATCH] = 128
    assert (around == 128).all()


def require_right(presenter: str, folder: Path, picture: np.ndarray, other: np.ndarray) -> None:
    """The four shots show what was asked for."""
    shots = {name: read_rgb(folder / f"{presenter}-{name}.png") for name in ("single", "pair", "text", "blank")}
    height, width = shots["blank"].shape[:2]
    middle = (height - PICTURE[0]) // 2
    require_grey_but_for(shots["single"], (middle, (width - PICTURE[1]) // 2, picture))
    left = (width - PICTURE[1] - GAP - OTHER[1]) // 2
    second = left + PICTURE[1] + GAP
    require_grey_but_for(shots["pair"], (middle, left, picture), ((height - OTHER[0]) // 2, second, other))
    require_grey_but_for(shots["blank"])
    assert (shots["text"][: height // 2] == 128).all()
    assert (shots["text"][height // 2 :, PATCH:] != 128).any()
    for name, level in {"single": 255, "pair": 255, "text": 0, "blank": 0}.items():
        assert (shots[name][-PATCH:, :PATCH] == level).all()


def test_off_screen_picture_pixels_are_physical_pixels(tmp_path: Path, pictures: tuple[np.ndarray, np.ndarray]) -> None:
    environment = {**os.environ, "QT_SCALE_FACTOR": "1.5", "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, "-c", _SHOW, tmp_path], env=environment, check=True, timeout=60)
    require_right("raster", tmp_path, *pictures)


@pytest.mark.slow
@pytest.mark.display
@pytest.mark.skipif(not shutil.which("Xvfb"), reason="needs Xvfb (apt install xvfb)")
@pytest.mark.parametrize("ratio", ["1", pytest.param("1.5", marks=pytest.mark.nightly)])
def test_on_a_screen_picture_pixels_are_physical_pixels(
    tmp_path: Path, pictures: tuple[np.ndarray, np.ndarray], screen: dict[str, str], ratio: str
) -> None:
    environment = {**screen, "QT_SCALE_FACTOR": ratio}
    subprocess.run([sys.executable, "-c", _SHOW, tmp_path], env=environment, check=True, timeout=60)
    require_right("raster", tmp_path, *pictures)
    require_right("opengl", tmp_path, *pictures)


def grey_picture(width: int, height: int) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0)
    return image


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BLANK, Frame((grey_picture(60, 40),), patch=True)),
        (Frame((grey_picture(60, 40),)), Frame((grey_picture(30, 80), grey_picture(40, 40)))),
        (Frame(text="1 of 4"), Frame(headline="How sure are you?")),
        (Frame(headline="Right", text="1 of 4"), BLANK),
        (Frame(text="1 of 4", fixation=True), Frame((grey_picture(60, 40),))),
        (BLANK, Frame(headline="J: real", vanished=(grey_picture(60, 40),))),
        (BLANK, Frame((grey_picture(60, 40),), headline="Right", captions=("fake",))),
        (BLANK, Frame((grey_picture(60, 40),), caption="a red house with " * 9)),
    ],
)
@pytest.mark.usefixtures("qapp")
def test_outside_the_changed_area_nothing_changes(before: Frame, after: Frame) -> None:
    canvas = Canvas(QSize(640, 480), 1.5, 2.0, corner_patch=True)
    one, other = painted(before, canvas), painted(after, canvas)
    assert one != other
    for place in changed_area(before, after, canvas):
        for y in range(place.top(), place.bottom() + 1):
            for x in range(place.left(), place.right() + 1):
                one.setPixel(x, y, other.pixel(x, y))
    assert one == other


@pytest.mark.parametrize("sizes", [[(64, 64)], [(300, 400)], [(360, 470)], [(200, 150), (180, 160)]], ids=str)
@pytest.mark.parametrize("caption", ["a house", "a red house with a " * 11, "https://" + "house" * 20, "紅い家" * 40])
@pytest.mark.usefixtures("qapp")
def test_a_caption_does_not_move_the_picture_or_change_the_grey(sizes: list[tuple[int, int]], caption: str) -> None:
    canvas, pictures = Canvas(QSize(800, 600)), tuple(grey_picture(*size) for size in sizes)
    without, shown = painted(Frame(pictures), canvas), painted(Frame(pictures, caption=caption), canvas)
    differs = np.array(without.constBits()) != np.array(shown.constBits())
    rows, columns = np.nonzero(differs.reshape(600, 800, 4).any(axis=2))
    assert len(rows) > 20
    assert 8 <= columns.min() <= columns.max() < 792
    assert rows.max() < 592, "nothing is cut off"
    for place in places(pictures, canvas):
        near = place.adjusted(-12, -12, 12, 12)
        assert not any(near.contains(x, y) for x, y in zip(columns.tolist(), rows.tolist(), strict=True))


@pytest.mark.parametrize(
    ("width", "height"), [(200, 200), (620, 300), (300, 440), (300, 480), (640, 480)], ids=lambda length: str(length)
)
@pytest.mark.usefixtures("qapp")
def test_the_keys_stay_out_of_the_place_where_the_picture_was(width: int, height: int) -> None:
    canvas = Canvas(QSize(640, 480))
    vanished = Frame(headline="F: fake    J: real", vanished=(grey_picture(width, height),))
    image = painted(vanished, canvas)
    inked = np.array(image.constBits()).reshape(480, 640, 4)[:, :, 0] != 128
    assert inked.any(), "nothing is cut off, and nothing is left out"
    place = inked[(480 - height) // 2 : (480 + height) // 2, (640 - width) // 2 : (640 + width) // 2]
    if (width, height) == (640, 480):  # nowhere else
        assert place[440:].any()
        assert not place[:440].any()
    else:
        assert not place.any()
