"""The window of the pages, the places of windows, and a watch on the trial window's screen."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Signal
from PySide6.QtGui import QCloseEvent, QScreen, QWindow
from PySide6.QtWidgets import QStackedLayout, QWidget

from gan_eval.quiz.app.pages.parts import Page
from gan_eval.quiz.app.style import Look, sheet

WINDOW_TITLE = "Picture quiz"
"""Names no study, participant or picture: everybody in the room sees a window's title."""

WINDOWED = QSize(1280, 800)


class Shell(QWidget):
    """The window that holds one page at a time."""

    close_requested = Signal()

    def __init__(self, look: Look, title: str) -> None:
        super().__init__()
        self.setWindowTitle(title)
        self.setStyleSheet(sheet(look))
        self._layout = QStackedLayout(self)

    @property
    def page(self) -> Page | None:
        """The page it holds."""
        page = self._layout.currentWidget()
        return page if isinstance(page, Page) else None

    def turn_to(self, page: Page) -> None:
        """Show another page and forget the one before."""
        before = self._layout.currentWidget()
        self._layout.addWidget(page)
        self._layout.setCurrentWidget(page)
        if before is not None:
            self._layout.removeWidget(before)
            before.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802  (Qt's name)
        """Closing the window is a question to the application."""
        event.ignore()
        self.close_requested.emit()


def window_area(screen: QScreen, *, windowed: bool) -> QRect:
    """The whole screen, or a window in its middle."""
    area = screen.geometry()
    if not windowed:
        return area
    size = WINDOWED.boundedTo(area.size())
    return QRect(area.center() - QPoint(size.width() // 2, size.height() // 2), size)


def show(window: QWidget | QWindow, area: QRect, *, windowed: bool) -> None:
    """Show a window in its area; the geometry is set as well, since without a window manager nobody else does."""
    window.setGeometry(area)
    if windowed:
        window.show()
    else:
        window.showFullScreen()


class ScreenWatch(QObject):
    """Reports when a window comes to another screen (its own was unplugged, say), or its screen is driven otherwise."""

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

    def remember(self) -> None:
        """Compare with the present state from now on."""
        self._known = self._facts()
        if self._first is None:
            self._first = self._known

    @property
    def differs(self) -> bool:
        """The screen, or its rate, is another than when it was remembered for the first time."""
        return self._first is not None and self._known != self._first

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Take note of another scaling, leave everything to the window."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._compare()
        return False

    def _listen(self, screen: QScreen | None) -> None:
        """Another screen: compare, and hear of its changes from now on."""
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
