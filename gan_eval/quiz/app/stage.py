"""The screen as a session is presented on it: which monitor, which windows, in what look, language and presenter."""

from functools import partial

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QGuiApplication, QScreen, QWindow
from PySide6.QtWidgets import QApplication, QWidget

from gan_eval.quiz.app.choice import choose_presenter, numbered_screen
from gan_eval.quiz.app.introduction import Screen
from gan_eval.quiz.app.pages.parts import Page
from gan_eval.quiz.app.style import Look, scale_for
from gan_eval.quiz.app.translation import direction_of, load_texts
from gan_eval.quiz.app.windows import Shell, show, window_area
from gan_eval.quiz.frames import round_exposure
from gan_eval.quiz.options import Presentation
from gan_eval.quiz.session import Session
from gan_eval.quiz.session_state import State
from gan_eval.settings.quiz import QuizSettings
from gan_eval.tabular import Row

_MM_PER_INCH = 25.4
_SCREEN = ("presenter", "screen_width", "screen_height", "device_pixel_ratio")
"""Columns of a session's row that say on what pictures are shown."""


class Stage:
    """Two windows on one monitor, of which one is seen: the pages, or the trials."""

    def __init__(self, qt: QApplication, settings: QuizSettings, how: Presentation) -> None:
        """Make the windows, not shown yet.

        Raises:
            UserError: there is no such monitor, presenter, language or text.
        """
        self._how = how
        self.words = load_texts(how.language or settings.language, settings.texts)
        qt.setLayoutDirection(direction_of(self.words.language))
        self._screen = numbered_screen(how.screen)
        self._driven = _driven(self._screen)
        area = window_area(self._screen, windowed=how.windowed)
        self.look = Look(scale_for(area.height()), how.text_size / 100, how.high_contrast)
        self.shell = Shell(self.look, self.words("window_title"))
        self._chosen = choose_presenter(how.presenter, self._screen, round_frames=how.round_frames)
        self.window = self._chosen.make(corner_patch=settings.corner_patch, text_scale=self.look.text)
        self.window.setTitle(self.words("window_title"))

    @property
    def room(self) -> QSize:
        """The trial window's size in physical pixels, on the screen that it is on by now."""
        screen = self._current
        return window_area(screen, windowed=self._how.windowed).size() * screen.devicePixelRatio()

    @property
    def screen(self) -> Screen:
        """What the calibration must know."""
        ratio = self._screen.devicePixelRatio()
        return Screen(self.room.width(), self._screen.physicalDotsPerInchX() * ratio / _MM_PER_INCH)

    def description(self) -> Row:
        """The columns of the session's row that say how it is presented."""
        ratio, size = self._screen.devicePixelRatio(), self._screen.size()
        return {
            "presenter": self.window.name,
            "screen_width": round(size.width() * ratio),
            "screen_height": round(size.height() * ratio),
            "device_pixel_ratio": ratio,
            "refresh_hz": self._chosen.refresh_hz,
            "rounded": self._chosen.frame_ms is not None,
            "station": self._how.station,
            "language": self.words.language,
            "text_size": self._how.text_size,
        }

    def checks(self, session: str) -> list[Row]:
        """Rows of the table `checks`: what the self-test found on this screen, if it was ever run."""
        return self._chosen.timing.rows(session) if self._chosen.timing else []

    def round_exposures(self, session: Session) -> None:
        """Let a session plan its exposures in whole frames, where that was chosen and the screen is still the one."""
        session.planned_flash = float
        if self._chosen.frame_ms is not None and _driven(self._current) == self._driven:
            session.planned_flash = partial(round_exposure, refresh_hz=1000 / self._chosen.frame_ms)

    def show_trials(self) -> None:
        """The trial window instead of the pages."""
        self._show(self.window)
        self.shell.hide()

    def show_page(self, page: Page) -> None:
        """A page instead of the one before, or of the trials."""
        self.shell.turn_to(page)
        self._show(self.shell)
        self.shell.activateWindow()
        self.window.hide()

    def _show(self, window: QWidget | QWindow) -> None:
        """Show a window on the screen that the trials are on by now: the first one may have been unplugged."""
        area = window_area(self._current, windowed=self._how.windowed)
        show(window, area, windowed=self._how.windowed)

    @property
    def _current(self) -> QScreen:
        return self.window.screen() or QGuiApplication.primaryScreen()

    def close(self) -> None:
        """Take the windows away."""
        self.shell.hide()
        self.window.hide()


def note_differences(session: Session, here: Row) -> bool:
    """Tell the experimenter where a session that is taken up is not presented as its row says.

    Args:
        session: new, then nothing differs, or taken up.
        here: `Stage.description`.

    Returns:
        Whether it is another screen or presenter; then its pictures are not shown as described.
    """
    if session.state is State.NEW:
        return False
    before = session.row
    differs = [name for name in (*_SCREEN, "language") if before[name] not in (None, here[name])]
    if differs:
        told = ", ".join(f"{name} {here[name]} instead of {before[name]}" for name in differs)
        session.warnings.append(f"the session {before['session']} went on otherwise than its row says: {told}")
    return any(name in _SCREEN for name in differs)


def _driven(screen: QScreen) -> tuple[str, QRect, float, float]:
    """Which screen it is, and how it is driven."""
    return screen.name(), screen.geometry(), screen.refreshRate(), screen.devicePixelRatio()
