"""The trial window's pixels and keys, and what is said where no window can be opened."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtGui", exc_type=ImportError)

from gan_eval.errors import UserError
from gan_eval.images import read_rgb, write_png
from gan_eval.quiz.app.display import require_display
from gan_eval.quiz.app.keys import press_moment
from gan_eval.quiz.app.presenter import LearnedLead

_DRAW = """
import sys
from PySide6.QtGui import QGuiApplication
from pathlib import Path
from gan_eval.quiz.app.pictures import load
from gan_eval.quiz.app.presenter import BLANK, Frame
from gan_eval.quiz.app.raster import RasterWindow

picture, shown, blank, text = map(Path, sys.argv[1:])
app = QGuiApplication(["x", "-platform", "offscreen"])
window = RasterWindow(app.primaryScreen())
window.resize(401, 303)
window.show()
app.processEvents()
for frame, path in ((Frame(load(picture)), shown), (BLANK, blank), (Frame(text="3 of 4"), text)):
    window.stage(frame)
    window.present()
    window.grab().save(str(path))
"""


@pytest.mark.parametrize("ratio", ["1", "1.5", "2"])
def test_pictures_are_shown_pixel_for_pixel_on_grey(tmp_path: Path, ratio: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (101, 150, 3)).astype(np.uint8)
    write_png(tmp_path / "picture.png", picture)
    shots = [tmp_path / f"{name}.png" for name in ("shown", "blank", "text")]
    subprocess.run(
        [sys.executable, "-c", _DRAW, tmp_path / "picture.png", *shots],
        env={**os.environ, "QT_SCALE_FACTOR": ratio},
        check=True,
        timeout=60,
    )
    shown, blank, text = map(read_rgb, shots)
    height, width = round(303 * float(ratio)), round(401 * float(ratio))
    assert abs(shown.shape[0] - height) <= 1
    assert abs(shown.shape[1] - width) <= 1
    top, left = (height - 101) // 2, (width - 150) // 2
    np.testing.assert_array_equal(shown[top : top + 101, left : left + 150], picture)
    around = shown.copy()
    around[top : top + 101, left : left + 150] = 128
    assert (around == 128).all()
    assert (blank == 128).all()
    assert (text[: height // 2] == 128).all()
    assert (text[height // 2 :] != 128).any()


@pytest.mark.parametrize(
    ("stamp", "now", "moment", "from_server"),
    [
        (1_000, 1_000_300_000, 1_000_300_000, True),  # handled in the same millisecond: the finer time
        (1_000, 1_001_100_000, 1_001_100_000, True),
        (1_000, 1_030_000_000, 1_000_500_000, True),  # the program was busy: the server's time
        (50, (2**32 + 60) * 1_000_000, (2**32 + 50) * 1_000_000 + 500_000, True),  # the stamp has 32 bits
        (77_777, 1_000_300_000, 1_000_300_000, False),  # another clock
        (0, 5_000_000_000, 5_000_000_000, False),
    ],
)
def test_when_a_key_was_pressed(stamp: int, now: int, moment: int, from_server: bool) -> None:
    assert press_moment(stamp, now) == (moment, from_server)


def test_the_lead_is_what_presenting_costs_and_one_hiccup_does_not_move_it() -> None:
    lead = LearnedLead()
    assert lead.nanoseconds == 0
    for cost in (300, 310, 290, 9_000_000, 305):
        lead.learn(cost)
    assert lead.nanoseconds == 305
    for _ in range(9):
        lead.learn(1000)
    assert lead.nanoseconds == 1000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
@pytest.mark.parametrize(("display", "message"), [(None, "no display"), (":4321", "DISPLAY=:4321 cannot be reached")])
def test_without_a_display_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, display: str | None, message: str
) -> None:
    for name in ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    with pytest.raises(UserError, match=rf"{message}.*--simulate.*QT_QPA_PLATFORM=offscreen"):
        require_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    require_display()


def test_missing_libraries_are_a_line_that_names_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PySide6.QtWidgets", None)  # as where a shared library is missing
    with pytest.raises(UserError, match="gan-eval doctor"):
        require_display()


def test_the_quiz_without_its_app_imports_neither_qt_nor_the_heavy_libraries() -> None:
    code = (
        "import sys, gan_eval.quiz, gan_eval.quiz.simulate, gan_eval.quiz.review\n"
        "print(*{name.split('.')[0] for name in sys.modules} & {'PySide6', 'pandas', 'torch', 'scipy'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
