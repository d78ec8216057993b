"""One reviewed trial large: its pictures side by side, each pixel of them a square where they fit."""

from collections.abc import Sequence
from contextlib import suppress
from math import floor

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gan_eval.errors import UserError
from gan_eval.quiz.app.loading import load
from gan_eval.quiz.app.painting import GREY
from gan_eval.quiz.app.style import Look
from gan_eval.quiz.review import Panel, ReviewedTrial, panels, sentence
from gan_eval.quiz.wording import Texts

_INK = QColor(10, 10, 10)


class Viewer(QWidget):
    """Covers the page that it belongs to, on the grey on which the pictures were judged."""

    closed = Signal(int)
    """The place of the trial that was looked at last."""

    def __init__(
        self, parent: QWidget, look: Look, texts: Texts, trials: Sequence[ReviewedTrial], *, place: int
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._texts = texts
        self._trials = trials
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setGeometry(parent.rect())
        self.turn_to(place)

    def turn_to(self, place: int) -> None:
        """Show another trial."""
        self.place = max(0, min(len(self._trials) - 1, place))
        trial = self._trials[self.place]
        self.setAccessibleName(sentence(trial, self._texts))
        self._panels: list[tuple[Panel, QImage | None]] = []
        for panel in panels(trial, self._texts):
            image = None
            if panel.path is not None:
                with suppress(UserError):  # the file may have gone or broken since
                    image = load(panel.path)
            self._panels.append((panel, image))
        self.update()

    @property
    def zoom(self) -> float:
        """Physical pixels of the screen for one of a picture: a whole number, or less than 1 where they do not fit."""
        pictures = [image for _, image in self._panels if image is not None]
        if not pictures:
            return 1.0
        line = self._look.font(30)
        width = self.width() // len(self._panels) - self._look.px(24)
        room = QSize(width, self.height() - 21 * line // 4) * self.devicePixelRatio()  # for each picture
        widest = max(image.width() for image in pictures)
        highest = max(image.height() for image in pictures)
        fits = min(room.width() / widest, room.height() / highest)
        return fits if fits < 1 else float(floor(fits))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (Qt's name)
        """The arrow keys turn; Esc and Enter are the page's."""
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Up:
                self.turn_to(self.place - 1)
            case Qt.Key.Key_Right | Qt.Key.Key_Down | Qt.Key.Key_Space:
                self.turn_to(self.place + 1)

    def mousePressEvent(self, _: QMouseEvent) -> None:  # noqa: N802
        """A click closes."""
        self.close_it()

    def close_it(self) -> None:
        """Say that it is to be taken away."""
        self.closed.emit(self.place)

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802
        """Draw the pictures with their captions, what is said of the trial above, the keys below."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), GREY)
        line = self._look.font(30)
        self._write(painter, QRect(0, line // 4, self.width(), 2 * line), self.accessibleName(), strong=True)
        zoom = self.zoom
        below = self._texts("hint_viewer")
        if zoom != 1:
            below += "    " + self._texts("viewer_size", percent=round(100 * zoom))
        self._write(painter, QRect(0, self.height() - line - line // 2, self.width(), line), below)
        column = self.width() // len(self._panels)
        for place, (panel, image) in enumerate(self._panels):
            area = QRect(place * column, 9 * line // 4, column, self.height() - 15 * line // 4)
            self._paint_panel(painter, area, panel, image, zoom / self.devicePixelRatio())
        painter.end()

    def _paint_panel(
        self, painter: QPainter, area: QRect, panel: Panel, image: QImage | None, logical_zoom: float
    ) -> None:
        line = self._look.font(30)
        middle = area.adjusted(0, 0, 0, -line).center()
        if image is None:
            self._write(painter, QRect(area.left(), middle.y(), area.width(), line), self._texts("picture_missing"))
            return
        size = QSize(round(image.width() * logical_zoom), round(image.height() * logical_zoom))
        corner = middle - QPoint(size.width() // 2, size.height() // 2)
        exact = QRectF(corner.x(), corner.y(), image.width() * logical_zoom, image.height() * logical_zoom)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.zoom < 1)
        painter.drawImage(exact, image)
        below = round(exact.bottom()) + self._look.px(8)
        self._write(painter, QRect(area.left(), below, area.width(), line), panel.caption)
        if panel.marked:
            edge = self._look.px(3)
            painter.setPen(QPen(QColor("white"), edge))
            painter.drawRect(exact.adjusted(-edge, -edge, edge, edge))

    def _write(self, painter: QPainter, area: QRect, text: str, *, strong: bool = False) -> None:
        font = QFont(painter.font())
        font.setPixelSize(self._look.font(17))
        font.setBold(strong)
        painter.setFont(font)
        painter.setPen(_INK)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
