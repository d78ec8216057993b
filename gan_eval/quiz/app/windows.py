"""Where windows stand, and the one that holds the pages."""

from PySide6.QtCore import QPoint, QRect, QSize, Signal
from PySide6.QtGui import QCloseEvent, QScreen, QWindow
from PySide6.QtWidgets import QStackedLayout, QWidget

from gan_eval.quiz.app.pages.parts import Page
from gan_eval.quiz.app.style import Look, sheet
from gan_eval.quiz.wording import TEXTS

WINDOW_TITLE = TEXTS["window_title"]
"""The same for every study, participant and picture: a window's title is seen by everybody in the room."""

WINDOWED = QSize(1280, 800)


class Shell(QWidget):
    """The window that holds one page at a time."""

    close_asked = Signal()

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
        self.close_asked.emit()


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
