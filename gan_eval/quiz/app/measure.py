"""Measurements of the timing self-test: timers, raster flushes, OpenGL swaps; each gives rows of the table `checks`."""

import random
import time
from typing import Literal

from PySide6.QtCore import QEventLoop, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QImage, QScreen

from gan_eval.errors import UserError
from gan_eval.quiz.app.opengl import OpenGLWindow
from gan_eval.quiz.app.presenter import LAST_STRETCH_NS, Frame, wait_until
from gan_eval.quiz.app.process import Priority
from gan_eval.quiz.app.raster import RasterWindow
from gan_eval.quiz.app.surface import PresenterWindow
from gan_eval.quiz.app.windows import WINDOW_TITLE, show
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.frames import pace, spread
from gan_eval.quiz.station import Check

MAY_DROP = 0.01
"""Share of frames that the OpenGL window may leave out and still be chosen."""

_WARM_UP = 10
"""The first frames of a window are slower and are not counted."""
_TIMERS = 50
_USUAL_HZ = 60.0
"""Where the platform states no refresh rate."""
_APPEARS_S = 20.0
_SETTLES_S = 0.5


def screen_checks(screen: QScreen) -> list[Check]:
    """What the platform states."""
    stated, ratio = screen.refreshRate(), screen.devicePixelRatio()
    return [
        Check("stated_refresh", stated, "Hz", "ok" if 20 <= stated <= 1000 else "warning"),
        Check("device_pixel_ratio", ratio, "", "ok" if ratio == int(ratio) else "warning"),
    ]


def timer_checks(priority: Priority) -> list[Check]:
    """How late a timer of 10 ms comes: what is later than the spin before a deadline makes a picture late.

    Args:
        priority: with what precedence over other programs the program runs.
    """
    late = []
    loop = QEventLoop()
    timer = QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(loop.quit)
    for _ in range(_TIMERS):
        due = now_ns() + 10_000_000
        timer.start(10)
        loop.exec()
        late.append((now_ns() - due) / 1e6)
    found = spread(late)
    return [
        Check("realtime_priority", float(priority == "realtime"), "", "ok"),
        Check("timer_lateness_median", found.median, "ms", _up_to(abs(found.median), 1.0)),
        Check("timer_lateness_largest", found.largest, "ms", _up_to(found.largest, LAST_STRETCH_NS / 1e6)),
    ]


def raster_checks(screen: QScreen, area: QRect, *, windowed: bool, frames: int) -> list[Check]:
    """Present at moments given ahead, two refreshes apart, and see by how much each was missed.

    The frames are two greys next to each other, so that every pixel of a large square changes and no eye sees it.
    """
    window = RasterWindow(screen)
    appeared = _appear(window, screen, area, windowed=windowed)
    greys = [Frame((_grey_square(level),)) for level in (128, 129)]
    step = round(2e9 / _hertz(screen))
    due, late = now_ns() + step, []
    for number in range(_WARM_UP + frames):
        window.stage(greys[number % 2])
        QGuiApplication.processEvents()
        due = max(due + step, now_ns() + window.lead)
        time.sleep(max(0, due - LAST_STRETCH_NS - window.lead - now_ns()) / 1e9)
        late.append((window.present(due) - due) / 1e6)
    cost = window.lead / 1e6
    window.destroy()
    found = spread(late[_WARM_UP:])
    return [
        appeared,
        Check("raster_cost", cost, "ms", _up_to(cost, 5.0)),
        Check("raster_lateness_mean", found.mean, "ms", _up_to(abs(found.mean), 0.3)),
        Check("raster_lateness_sd", found.sd, "ms", _up_to(found.sd, 0.6)),
        Check("raster_lateness_largest", found.largest, "ms", _up_to(found.largest, 3.0)),
    ]


def opengl_checks(screen: QScreen, area: QRect, *, windowed: bool, frames: int) -> list[Check]:
    """Swap frames, each after a wait of up to half a frame. A swap that waits for the screen swallows the wait: all
    intervals are one frame. A swap that does not returns at once: the intervals are the waits."""
    window = OpenGLWindow(screen)
    appeared = _appear(window, screen, area, windowed=windowed)
    half_frame = 0.5e9 / _hertz(screen)
    waits, stamps = random.Random(1), []
    for _ in range(_WARM_UP + frames):
        QGuiApplication.processEvents()
        wait_until(now_ns() + round(waits.random() * half_frame))
        stamps.append(window.swap_grey())
    window.destroy()
    found = pace(stamps[_WARM_UP:])
    waited = found.blocks(_hertz(screen))
    verdict: Literal["ok", "warning"] = "ok" if waited else "warning"
    checks = [
        appeared,
        Check("opengl_vsync", float(waited), "", verdict),
        Check("opengl_interval", found.frame_ms, "ms", verdict),
        Check("opengl_jitter", found.jitter_ms, "ms", verdict),
    ]
    if waited:
        checks.append(Check("opengl_dropped", found.dropped, "share", _up_to(found.dropped, MAY_DROP)))
    return checks


def _appear(window: PresenterWindow, screen: QScreen, area: QRect, *, windowed: bool) -> Check:
    """Show a window and wait until it stands; whether it fills the screen."""
    window.setTitle(WINDOW_TITLE)
    show(window, area, windowed=windowed)
    deadline = time.monotonic() + _APPEARS_S
    settled = time.monotonic() + _SETTLES_S
    while not window.isExposed() or time.monotonic() < settled:
        QGuiApplication.processEvents()
        time.sleep(0.005)
        if time.monotonic() > deadline:
            raise UserError(f"screen {screen.name()}: the window does not appear on it; is the screen locked?")
    fills = window.size() == screen.size()
    return Check(f"{window.name}_full_screen", float(fills), "", "ok" if fills else "warning")


def _grey_square(level: int) -> QImage:
    image = QImage(256, 256, QImage.Format.Format_RGB32)
    image.fill(QColor(level, level, level))
    return image


def _hertz(screen: QScreen) -> float:
    stated = screen.refreshRate()
    return stated if stated > 0 else _USUAL_HZ


def _up_to(value: float, limit: float) -> Literal["ok", "warning"]:
    return "ok" if value <= limit else "warning"
