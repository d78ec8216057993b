"""`quiz --self-test`: measures a screen's timing, chooses the presenter, and keeps both for later sessions."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from PySide6.QtGui import QGuiApplication, QScreen

from gan_eval.errors import UserError
from gan_eval.quiz.app.choice import numbered_screen, screen_key
from gan_eval.quiz.app.display import require_display
from gan_eval.quiz.app.immortal import keep_singletons_alive
from gan_eval.quiz.app.measure import MAY_DROP, opengl_checks, raster_checks, screen_checks, timer_checks
from gan_eval.quiz.app.opengl import NO_OPENGL, opengl_available
from gan_eval.quiz.app.process import Priority, raised_priority
from gan_eval.quiz.app.windows import WINDOW_TITLE, window_area
from gan_eval.quiz.options import Presentation, PresenterChoice
from gan_eval.quiz.station import Check, PresenterName, ScreenTiming, keep_timing
from gan_eval.tabular import iso

FRAMES = 300

LIMITS = (
    "No program can see how much later than its time stamps the light changes: display server, compositor, cable and "
    "panel add a delay (published: 2 to 30 ms), and the keyboard adds its own. It shifts all onsets and reaction times "
    "alike, and is in no number here. A photodiode on the corner patch (`corner_patch = true` in [quiz]) measures it."
)


NO_REALTIME = (
    "This account may not run with real-time priority; a busy program beside the quiz can make a picture late. An "
    "administrator allows it by a line such as `@lab - rtprio 10` in /etc/security/limits.conf."
)


@dataclass(frozen=True)
class SelfTest:
    """What the self-test of a screen found."""

    timing: ScreenTiming
    lines: tuple[str, ...]
    """The same in words."""


def run_self_test(presentation: Presentation, *, frames: int = FRAMES) -> SelfTest:
    """Measure a screen on plain grey, and keep what was found for later sessions. Takes about 20 s.

    Args:
        presentation: which screen, full or windowed, and which presenter; with `auto` both are measured.
        frames: how many each presenter shows.

    Raises:
        UserError: no display or no such screen; OpenGL is wanted and not to be had; the result cannot be kept.
    """
    require_display()
    keep_singletons_alive()
    application = QGuiApplication.instance() or QGuiApplication([WINDOW_TITLE])  # held on to: Qt ends with it
    screen = numbered_screen(presentation.screen)
    with raised_priority() as priority:
        timing = _measure(screen, presentation.presenter, priority, windowed=presentation.windowed, frames=frames)
    key = screen_key(screen)
    where = keep_timing(key, timing)
    assert application is not None
    return SelfTest(timing, (str(key), *_words(timing), LIMITS, f"Kept in {where}."))


def _measure(
    screen: QScreen, wanted: PresenterChoice, priority: Priority, *, windowed: bool, frames: int
) -> ScreenTiming:
    has_opengl = wanted != "raster" and opengl_available(screen)
    if wanted == "opengl" and not has_opengl:
        raise UserError(NO_OPENGL)
    area = window_area(screen, windowed=windowed)
    checks = [*screen_checks(screen), *timer_checks(priority)]
    if wanted != "opengl":
        checks += raster_checks(screen, area, windowed=windowed, frames=frames)
    if has_opengl:
        checks += opengl_checks(screen, area, windowed=windowed, frames=frames)
    return judge(checks, wanted, measured_at=iso(datetime.now(UTC)))


def judge(checks: Sequence[Check], wanted: PresenterChoice, *, measured_at: str) -> ScreenTiming:
    """Choose the presenter: OpenGL where its swaps wait for the screen and leave out few frames, else raster.

    Args:
        checks: what was measured.
        wanted: raster and opengl are wishes and are met.
        measured_at: UTC, ISO 8601.
    """
    values = {check.check: check.value for check in checks}
    vsync = values["opengl_vsync"] == 1.0 if "opengl_vsync" in values else None
    good = vsync is True and values["opengl_dropped"] < MAY_DROP
    chosen: PresenterName = "opengl" if wanted == "opengl" or (wanted == "auto" and good) else "raster"
    refresh = 1000 / values["opengl_interval"] if vsync else values["stated_refresh"]
    return ScreenTiming(chosen, vsync, refresh, measured_at, tuple(checks))


def _words(timing: ScreenTiming) -> list[str]:
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
        lines.append("Sessions on this screen use the OpenGL window.")
    else:
        lines.append("Sessions on this screen use the raster window.")
    lines.append(
        "Exposures are rounded to whole frames (--round-frames auto)."
        if timing.vsync and timing.presenter == "opengl"
        else "Exposures are not rounded to frames: the screen may show one up to a frame longer or shorter."
    )
    return lines
