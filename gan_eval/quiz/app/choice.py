"""Which presenter shows the pictures on a screen, and whether exposures are rounded to its frames."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QGuiApplication, QScreen

from gan_eval.errors import UserError
from gan_eval.quiz.app.opengl import NO_OPENGL, OpenGLWindow, opengl_available
from gan_eval.quiz.app.raster import RasterWindow
from gan_eval.quiz.app.surface import PresenterWindow
from gan_eval.quiz.options import PresenterChoice, RoundFrames
from gan_eval.quiz.station import PresenterName, ScreenKey, ScreenTiming, read_timing


@dataclass(frozen=True)
class Chosen:
    """A presenter for one screen."""

    name: PresenterName
    make: Callable[..., PresenterWindow]
    """`make(corner_patch=..., text_scale=...)`: its window on that screen, not shown yet."""
    frame_ms: float | None
    """Exposures are rounded to whole frames of this length; None: they are not."""
    refresh_hz: float
    """As measured by the self-test, else as the platform states it."""
    timing: ScreenTiming | None
    """What the self-test found on this screen; None: it was never run here."""


def numbered_screen(number: int | None) -> QScreen:
    """The monitor with this number, from 1; None: the primary one.

    Raises:
        UserError: there are fewer.
    """
    screens = QGuiApplication.screens()
    if number is None:
        return QGuiApplication.primaryScreen()
    if not 1 <= number <= len(screens):
        raise UserError(f"--screen {number}: this computer has {len(screens)}, numbered from 1")
    return screens[number - 1]


def screen_key(screen: QScreen) -> ScreenKey:
    """Which screen this is, driven how."""
    ratio = screen.devicePixelRatio()
    return ScreenKey(
        name=screen.name(),
        width=round(screen.size().width() * ratio),
        height=round(screen.size().height() * ratio),
        refresh_hz=screen.refreshRate(),
        platform=QGuiApplication.platformName(),
    )


def choose_presenter(wanted: PresenterChoice, screen: QScreen, *, round_frames: RoundFrames = "auto") -> Chosen:
    """Choose by wish, else by what the self-test found on this screen, else the raster window.

    Exposures are rounded by wish, and with `auto` where frames are swapped in by an OpenGL window whose swaps the
    self-test saw wait for the screen: anywhere else a program does not know when a frame begins.

    Raises:
        UserError: OpenGL is wanted and not to be had, or rounding is and the refresh rate is unknown; or the record of
            self-tests is damaged.
    """
    timing = read_timing(screen_key(screen))
    refresh_hz = timing.refresh_hz if timing else screen.refreshRate()
    if round_frames == "on" and refresh_hz <= 0:
        raise UserError("--round-frames on: the refresh rate is unknown; run `gan-eval quiz --self-test`, or give off")
    make: Callable[..., PresenterWindow]
    name: PresenterName
    if _takes_opengl(wanted, timing, screen):
        vsync = timing.vsync if timing else None
        frame_ms = 1000 / refresh_hz if vsync else None
        name, make = "opengl", partial(OpenGLWindow, screen, frame_ms=frame_ms, may_wait=vsync is not False)
    else:
        frame_ms = None
        name, make = "raster", partial(RasterWindow, screen)
    rounded = {"auto": frame_ms, "on": 1000 / refresh_hz if refresh_hz > 0 else None, "off": None}[round_frames]
    return Chosen(name, make, rounded, refresh_hz, timing)


def _takes_opengl(wanted: PresenterChoice, timing: ScreenTiming | None, screen: QScreen) -> bool:
    if wanted == "raster" or (wanted == "auto" and (timing is None or timing.presenter == "raster")):
        return False
    usable = opengl_available(screen)
    if wanted == "opengl" and not usable:
        raise UserError(NO_OPENGL)
    return usable
