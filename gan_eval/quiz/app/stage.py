"""The screen of a session: monitor, windows, look, presenter, and a watch for changes."""

import os
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QScreen, QWindow
from PySide6.QtWidgets import QStackedLayout, QWidget

from gan_eval.base.errors import UserError
from gan_eval.quiz.app.pages.parts import Page, PageLook, scale_for, sheet
from gan_eval.quiz.app.painting import Canvas
from gan_eval.quiz.app.presenter import OpenGLWindow, PresenterWindow, RasterWindow, opengl_available
from gan_eval.quiz.session import Session
from gan_eval.quiz.station import Presentation, ScreenKey, ScreenTiming, read_timings, round_exposure
from gan_eval.quiz.trial import State
from gan_eval.quiz.visual_angle import Viewing
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tables.frames import Row

WINDOW_TITLE = "Picture quiz"
"""Title of the windows; it names no study, participant or picture, because bystanders can read it."""

WINDOWED = QSize(1280, 800)


class Shell(QWidget):
    """The window that holds one page at a time."""

    close_requested = Signal()

    def __init__(self, look: PageLook, title: str) -> None:
        super().__init__()
        self.setWindowTitle(title)
        self.setStyleSheet(sheet(look))
        self._layout = QStackedLayout(self)

    def turn_to(self, page: Page) -> None:
        """Show another page and delete the one before."""
        before = self._layout.currentWidget()
        self._layout.addWidget(page)
        self._layout.setCurrentWidget(page)
        if before is not None:
            self._layout.removeWidget(before)
            before.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  (Qt's name)
        """Let the application decide about closing the window."""
        event.ignore()
        self.close_requested.emit()


def window_area(screen: QScreen, *, windowed: bool) -> QRect:
    """Return the whole screen, or a window in its middle."""
    area = screen.geometry()
    if not windowed:
        return area
    size = WINDOWED.boundedTo(area.size())
    return QRect(area.center() - QPoint(size.width() // 2, size.height() // 2), size)


def show(window: QWidget | QWindow, area: QRect, *, windowed: bool) -> None:
    """Show a window in its area, also without a window manager."""
    window.setGeometry(area)
    if windowed:
        window.show()
    else:
        window.showFullScreen()


class ScreenWatch(QObject):
    """Reports when a window moves to another screen (its own was unplugged, say) or the screen's mode changes."""

    changed = Signal()

    def __init__(self, window: QWindow) -> None:
        super().__init__(window)
        self._window = window
        self._screen: QScreen | None = None
        self._known = self._facts()
        self._first: tuple[object, ...] | None = None
        self._listen(window.screen())
        window.screenChanged.connect(self._listen)
        window.installEventFilter(self)

    def remember(self) -> bool:
        """Compare with the present state from now on; return True if it differs from the first remembered one."""
        self._known = self._facts()
        self._first = self._first or self._known
        return self._known != self._first

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Notice another scaling; leave the event to the window."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._compare()
        return False

    def _listen(self, screen: QScreen | None) -> None:
        """Watch the changes of the window's screen."""
        if screen is not None and screen is not self._screen:
            screen.geometryChanged.connect(self._compare)
            screen.refreshRateChanged.connect(self._compare)
            screen.logicalDotsPerInchChanged.connect(self._compare)
        self._screen = screen
        self._compare()

    def _compare(self) -> None:
        facts = self._facts()
        if facts != self._known:
            self._known = facts
            self.changed.emit()

    def _facts(self) -> tuple[object, ...]:
        screen = self._window.screen()
        if screen is None:
            return ()
        area = screen.geometry().getRect()
        return screen.name(), area, screen.refreshRate(), screen.logicalDotsPerInch(), self._window.devicePixelRatio()


class ChosenPresenter(NamedTuple):
    """A presenter for one screen."""

    make: Callable[..., PresenterWindow]
    """Function that makes its hidden window, from `corner_patch` and `text_scale`."""
    frame_ms: float | None
    """Length of a frame in ms to which exposures are rounded; None: no rounding."""
    refresh_hz: float
    """Refresh rate measured by the self-test, else stated by the platform."""
    timing: ScreenTiming | None
    """Result of the self-test on this screen; None: never run."""


def numbered_screen(number: int | None) -> QScreen:
    """Return the monitor with this number, from 1; None: the primary one. Raises `UserError` for an unknown number."""
    screens = QGuiApplication.screens()
    if number is None:
        return QGuiApplication.primaryScreen()
    if not 1 <= number <= len(screens):
        raise UserError(f"--screen {number}: this computer has {len(screens)}, numbered from 1")
    return screens[number - 1]


def screen_key(screen: QScreen) -> ScreenKey:
    """Return the identity of a screen with its driver and rate."""
    ratio = screen.devicePixelRatio()
    return ScreenKey(
        name=screen.name(),
        width=round(screen.size().width() * ratio),
        height=round(screen.size().height() * ratio),
        refresh_hz=screen.refreshRate(),
        platform=QGuiApplication.platformName(),
    )


def choose_presenter(screen: QScreen) -> ChosenPresenter:
    """Choose the window by the self-test of this screen; without a test, the raster window.

    Exposures are rounded only for an OpenGL window whose swaps wait for the screen: otherwise a program cannot know
    when a frame begins.
    """
    timing = read_timings().get(str(screen_key(screen)))
    refresh_hz = timing.refresh_hz if timing else screen.refreshRate()
    if timing and timing.presenter == "opengl" and opengl_available(screen):
        frame_ms = 1000 / refresh_hz
        return ChosenPresenter(partial(OpenGLWindow, screen, frame_ms=frame_ms), frame_ms, refresh_hz, timing)
    return ChosenPresenter(partial(RasterWindow, screen), None, refresh_hz, timing)


def window_system() -> str:
    """Return Qt's name of the window system; `xwayland`: X11 within Wayland, whose compositor delays pictures, too."""
    name = QGuiApplication.platformName()
    is_within = os.environ.get("WAYLAND_DISPLAY") or any(
        screen.name().startswith("XWAYLAND") for screen in QGuiApplication.screens()
    )
    return "xwayland" if name == "xcb" and is_within else name


_OF_SCREEN = ("presenter", "window_system", "screen_width", "screen_height", "device_pixel_ratio")
"""Columns of a session's row about the screen and window."""


class PictureStage:
    """Two windows on one monitor, of which one is visible: the pages or the trials."""

    def __init__(self, settings: QuizSettings, presentation: Presentation) -> None:
        """Make the hidden windows.

        Raises:
            UserError: the monitor does not exist, or the record of self-tests is damaged.
        """
        self._presentation = presentation
        self._settings = settings
        self.texts = Texts(presentation.language or settings.language)
        self._screen = numbered_screen(presentation.screen)
        self._screen_state = _screen_state(self._screen)
        area = window_area(self._screen, windowed=presentation.windowed)
        self.look = PageLook(scale_for(area.height()), presentation.text_size / 100)
        self.shell = Shell(self.look, self.texts("window_title"))
        self._chosen = choose_presenter(self._screen)
        self.window = self._chosen.make(corner_patch=settings.corner_patch, text_scale=self.look.text)
        self.window.setTitle(self.texts("window_title"))

    @property
    def window_pixels(self) -> QSize:
        """Size of the trial window in physical pixels, on its current screen."""
        screen = self._current
        return window_area(screen, windowed=self._presentation.windowed).size() * screen.devicePixelRatio()

    @property
    def canvas(self) -> Canvas:
        """The surface that trials are painted on, also before their window is shown."""
        return Canvas(self.window_pixels, self._current.devicePixelRatio(), self.look.text)

    @property
    def viewing(self) -> Viewing:
        """The screen's scale and the viewing distance, from the options, else from the study."""
        options, study = self._presentation, self._settings
        width = options.screen_width_cm or study.screen_width_cm
        distance = options.viewing_distance_cm or study.viewing_distance_cm
        scale = None if width is None else screen_key(self._screen).width / (10 * width)
        return Viewing(scale, None if distance is None else 10 * distance)

    def description(self) -> Row:
        """Return the columns of the session's row about its presentation."""
        screen = screen_key(self._screen)
        return {
            "presenter": self.window.name,
            "screen_width": screen.width,
            "screen_height": screen.height,
            "device_pixel_ratio": self._screen.devicePixelRatio(),
            "refresh_hz": self._chosen.refresh_hz,
            "window_system": window_system(),
            "rounded": self._chosen.frame_ms is not None,
            "language": self.texts.language,
            "text_size": self._presentation.text_size,
        }

    def checks(self, session: str) -> list[Row]:
        """Return rows of the table `checks` with the results of this screen's self-test, if any."""
        return self._chosen.timing.rows(session) if self._chosen.timing else []

    def round_exposures(self, session: Session) -> None:
        """Let a session plan exposures in whole frames, if chosen and if the screen has not changed."""
        session.planned_exposure = float
        if self._chosen.frame_ms is not None and _screen_state(self._current) == self._screen_state:
            session.planned_exposure = partial(round_exposure, refresh_hz=1000 / self._chosen.frame_ms)

    def show_trials(self) -> None:
        """Show the trial window instead of the pages."""
        self._show(self.window)
        self.shell.hide()

    def show_page(self, page: Page) -> None:
        """Show a page instead of the trials or another page."""
        if self.window.isVisible():
            page.settle()
        self.shell.turn_to(page)
        self._show(self.shell)
        self.shell.activateWindow()
        self.window.hide()

    def _show(self, window: QWidget | QWindow) -> None:
        """Show a window on the current screen of the trials; the first one may have been unplugged."""
        area = window_area(self._current, windowed=self._presentation.windowed)
        show(window, area, windowed=self._presentation.windowed)

    @property
    def _current(self) -> QScreen:
        return self.window.screen() or QGuiApplication.primaryScreen()

    def close(self) -> None:
        """Hide the windows."""
        self.shell.hide()
        self.window.hide()


def note_differences(session: Session, description: Row) -> bool:
    """Warn the experimenter if a resumed session differs from its row in screen, presenter or language.

    Returns:
        True if the screen or presenter differs, so that pictures are not shown as described.
    """
    if session.state is State.NEW:
        return False
    before = session.row
    differs = {
        name: f"{name} {description[name]} instead of {before[name]}"
        for name in (*_OF_SCREEN, "language")
        if before[name] not in (None, description[name])
    }
    if differs:
        session.warnings.append(
            f"the session {before['session']} was continued with other values than in its row: "
            f"{', '.join(differs.values())}"
        )
    return bool(differs.keys() - {"language"})


def _screen_state(screen: QScreen) -> tuple[str, QRect, float, float]:
    """Return the identity of a screen with its place and rate."""
    return screen.name(), screen.geometry(), screen.refreshRate(), screen.devicePixelRatio()
