"""`quiz --self-test`: measure a screen's timers, flushes and swaps, and choose its presenter."""

import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import fmean, median, pstdev
from typing import Literal

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QImage, QScreen
from PySide6.QtWidgets import QApplication

from gan_eval.base.errors import UserError
from gan_eval.quiz.app.painting import Frame
from gan_eval.quiz.app.presenter import (
    LAST_STRETCH_NS,
    OpenGLWindow,
    PresenterWindow,
    RasterWindow,
    opengl_available,
    wait_until,
)
from gan_eval.quiz.app.process import Priority, raised_priority, require_display
from gan_eval.quiz.app.stage import WINDOW_TITLE, numbered_screen, screen_key, show, window_area
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.station import Presentation, PresenterName, ScreenCheck, ScreenTiming, pace, save_timing
from gan_eval.tables.frames import iso

MAX_DROPPED = 0.01
"""Maximum share of dropped frames with which the OpenGL window is still chosen."""

_WARM_UP = 10
"""Number of first frames of a window, which are slower and not counted."""
_TIMERS = 50
_USUAL_HZ = 60.0
"""Refresh rate if the platform states none."""
_APPEAR_TIMEOUT_S = 20.0
_SETTLE_S = 0.5
Verdict = Literal["ok", "warning"]
LIMITS = (
    "No program can measure when the light changes: display server, compositor, cable and panel add a delay "
    "(published: 2 to 30 ms), and the keyboard adds its own. No number here includes them. Without a compositor the "
    "delay is nearly the same for all onsets. With one, as always under Wayland, it differs from onset to onset "
    "(in Weston 10: mean 14 ms, standard deviation 7), and exposures can be longer or shorter than recorded. A "
    "photodiode on the corner patch (`corner_patch = true` in [quiz]) measures it."
)
NO_REALTIME = (
    "This account may not run with real-time priority; a busy program next to the quiz can make a picture late. An "
    "administrator allows it by a line such as `@lab - rtprio 10` in /etc/security/limits.conf."
)


def timer_checks(priority: Priority) -> list[ScreenCheck]:
    """Measure the delay of a 10 ms timer; a picture is late if it exceeds `LAST_STRETCH_NS`."""
    late = []
    loop = QEventLoop()
    timer = QTimer(singleShot=True, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(loop.quit)
    for _ in range(_TIMERS):
        due = now_ns() + 10_000_000
        timer.start(10)
        loop.exec()
        late.append((now_ns() - due) / 1e6)
    usual, largest = median(late), max(map(abs, late))
    return [
        ScreenCheck("realtime_priority", float(priority == "realtime"), "", "ok"),
        ScreenCheck("timer_lateness_median", usual, "ms", _verdict(abs(usual), 1.0)),
        ScreenCheck("timer_lateness_largest", largest, "ms", _verdict(largest, LAST_STRETCH_NS / 1e6)),
    ]


def raster_checks(screen: QScreen, *, windowed: bool, frames: int) -> list[ScreenCheck]:
    """Present at planned moments, two refreshes apart, and measure the deviations.

    The frames alternate between two almost equal greys: every pixel of a large square changes without visible flicker.
    """
    window = RasterWindow(screen)
    appeared = _appear(window, screen, windowed=windowed)
    greys = []
    for level in (128, 129):
        square = QImage(256, 256, QImage.Format.Format_RGB32)
        square.fill(QColor(level, level, level))
        greys.append(Frame((square,)))
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
    late = late[_WARM_UP:]
    mean, spread, largest = fmean(late), pstdev(late), max(map(abs, late))
    return [
        appeared,
        ScreenCheck("raster_cost", cost, "ms", _verdict(cost, 5.0)),
        ScreenCheck("raster_lateness_mean", mean, "ms", _verdict(abs(mean), 0.3)),
        ScreenCheck("raster_lateness_sd", spread, "ms", _verdict(spread, 0.6)),
        ScreenCheck("raster_lateness_largest", largest, "ms", _verdict(largest, 3.0)),
    ]


def opengl_checks(screen: QScreen, *, windowed: bool, frames: int) -> list[ScreenCheck]:
    """Swap frames, each after a random wait of up to half a frame; with vsync all intervals are one frame."""
    window = OpenGLWindow(screen)
    appeared = _appear(window, screen, windowed=windowed)
    half_frame = 0.5e9 / _hertz(screen)
    waits, stamps = random.Random(1), []
    for _ in range(_WARM_UP + frames):
        QGuiApplication.processEvents()
        wait_until(now_ns() + round(waits.random() * half_frame))
        stamps.append(window.swap_grey())
    window.destroy()
    swaps = pace(stamps[_WARM_UP:])
    has_vsync = swaps.blocks(_hertz(screen))
    verdict: Verdict = "ok" if has_vsync else "warning"
    checks = [
        appeared,
        ScreenCheck("opengl_vsync", float(has_vsync), "", verdict),
        ScreenCheck("opengl_interval", swaps.frame_ms, "ms", verdict),
        ScreenCheck("opengl_jitter", swaps.jitter_ms, "ms", verdict),
    ]
    if has_vsync:
        checks.append(ScreenCheck("opengl_dropped", swaps.dropped, "share", _verdict(swaps.dropped, MAX_DROPPED)))
    return checks


def _appear(window: PresenterWindow, screen: QScreen, *, windowed: bool) -> ScreenCheck:
    """Show a window and wait for it; check that it fills the screen."""
    window.setTitle(WINDOW_TITLE)
    show(window, window_area(screen, windowed=windowed), windowed=windowed)
    deadline = time.monotonic() + _APPEAR_TIMEOUT_S
    settled = time.monotonic() + _SETTLE_S
    while not window.isExposed() or time.monotonic() < settled:
        QGuiApplication.processEvents()
        time.sleep(0.005)
        if time.monotonic() > deadline:
            raise UserError(f"screen {screen.name()}: the window does not appear on it; is the screen locked?")
    fills = window.size() == screen.size()
    return ScreenCheck(f"{window.name}_full_screen", float(fills), "", "ok" if fills else "warning")


def _hertz(screen: QScreen) -> float:
    stated = screen.refreshRate()
    return stated if stated > 0 else _USUAL_HZ


def _verdict(value: float, limit: float) -> Verdict:
    return "ok" if value <= limit else "warning"


def run_self_test(presentation: Presentation, *, frames: int = 300) -> list[str]:
    """Measure a screen that shows plain grey, for about 20 s; save the result for later sessions and return its lines.

    Raises:
        UserError: no display or no such screen; the result cannot be stored.
    """
    require_display()
    application = QGuiApplication.instance() or QApplication([WINDOW_TITLE])  # keep a reference: Qt ends with it
    screen = numbered_screen(presentation.screen)
    windowed = presentation.windowed
    with raised_priority() as priority:
        stated, ratio = screen.refreshRate(), screen.devicePixelRatio()
        checks = [
            ScreenCheck("stated_refresh", stated, "Hz", "ok" if 20 <= stated <= 1000 else "warning"),
            ScreenCheck("device_pixel_ratio", ratio, "", "ok" if ratio == int(ratio) else "warning"),
            *timer_checks(priority),
            *raster_checks(screen, windowed=windowed, frames=frames),
        ]
        if opengl_available(screen):
            checks += opengl_checks(screen, windowed=windowed, frames=frames)
        timing = judge(checks, measured_at=iso(datetime.now(UTC)))
    key = screen_key(screen)
    path = save_timing(key, timing)
    assert application is not None
    return [str(key), *timing_lines(timing), LIMITS, f"Saved in {path}."]


def judge(checks: Sequence[ScreenCheck], *, measured_at: str) -> ScreenTiming:
    """Choose the presenter: OpenGL if swaps wait for the screen and drop few frames."""
    values = {check.check: check.value for check in checks}
    vsync = values["opengl_vsync"] == 1.0 if "opengl_vsync" in values else None
    good = vsync is True and values["opengl_dropped"] < MAX_DROPPED
    chosen: PresenterName = "opengl" if good else "raster"
    refresh = 1000 / values["opengl_interval"] if vsync else values["stated_refresh"]
    return ScreenTiming(chosen, vsync, refresh, measured_at, tuple(checks))


def timing_lines(timing: ScreenTiming) -> list[str]:
    """Return lines about the measurements and the choice, for the experimenter."""
    values = {check.check: check for check in timing.checks}
    lines = [f"{name:<24}{check.value:>10.3f} {check.unit:<6}{check.verdict}" for name, check in values.items()]
    if timing.vsync:
        lines.append(
            f"OpenGL frames wait for the screen: {timing.refresh_hz:.2f} Hz, a frame every "
            f"{1000 / timing.refresh_hz:.3f} ms. A compositor may still show each of them some frames later."
        )
    elif timing.vsync is False:
        lines.append("OpenGL frames do not wait for the screen here, so it is not known when a refresh begins.")
    if not values["realtime_priority"].value and sys.platform == "linux":
        lines.append(NO_REALTIME)
    if timing.presenter == "opengl":
        lines.append("Sessions on this screen use the OpenGL window. Exposures are rounded to whole frames.")
    else:
        lines.append(
            "Sessions on this screen use the raster window. Exposures are not rounded to frames: the screen may show "
            "one up to a frame longer or shorter."
        )
    return lines
