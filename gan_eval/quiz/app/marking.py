"""The screen on which a participant marks places in a picture, by mouse, touch, pen or keyboard."""

from PySide6.QtCore import QEvent, QLineF, QObject, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QImage, QKeyEvent, QMouseEvent, QPainter, QPen

from gan_eval.quiz.app.painting import BLANK, GAP, TEXT, TEXT_FLAGS, Canvas, Frame, font, unit_of
from gan_eval.quiz.app.presenter import PresenterWindow
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.marks import Board
from gan_eval.quiz.trial import MILLISECOND
from gan_eval.quiz.wording import Texts

BAND = 6.5
"""Room above and below the picture for texts and buttons, in units of the font size."""
UNDO, NOTHING, CONTINUE = range(3)
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)


class MarkScreen(QObject):
    """Shows a picture in the trials' window and takes marks, until a button ends it. `board` has them."""

    finished = Signal()
    """Emitted after *Continue* or *Nothing in particular*."""

    def __init__(self, window: PresenterWindow, picture: QImage, limit: int, question: str, texts: Texts) -> None:
        super().__init__(window)
        self.board = Board(limit)
        self._window = window
        self._picture = picture
        self._question = question
        self._hint = texts("mark_keys")
        self._labels = (texts("mark_undo"), texts("mark_nothing"), texts("continue"))
        self._focus: int | None = None  # the button that Enter presses; None: Enter sets a mark
        self._shown_at = 0

    def show(self) -> int:
        """Show the picture and take input; return the time of its onset."""
        self._window.installEventFilter(self)
        self._window.setCursor(Qt.CursorShape.CrossCursor)
        self._shown_at = self._present()
        return self._shown_at

    def close(self) -> None:
        """Take no more input, and hide the picture."""
        self._window.removeEventFilter(self)
        self._window.setCursor(Qt.CursorShape.BlankCursor)
        self._window.stage(BLANK)
        self._window.present()
        self.deleteLater()

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        """Take presses and keys other than Esc; Qt sends those of fingers and pens as a mouse's, too."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event)
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseMove:
            on_button = self._button_at(self._pixel(event)) is not None
            self._window.setCursor(Qt.CursorShape.PointingHandCursor if on_button else Qt.CursorShape.CrossCursor)
        if isinstance(event, QMouseEvent) and event.type() in _PRESSES and event.button() == Qt.MouseButton.LeftButton:
            self._press(self._pixel(event))
            return True
        return False

    def _key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            return False
        if key in _ARROWS:
            self._focus = None
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.board.move(*_ARROWS[key], fine=fine)
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            stops = [None, *(number for number, usable in enumerate(self._usable) if usable)]
            step = 1 if key == Qt.Key.Key_Tab else -1
            self._focus = stops[(stops.index(self._focus) + step) % len(stops)]
        elif event.isAutoRepeat():
            return True
        elif self._focus is not None and key in (*_ENTER, Qt.Key.Key_Space):
            self._use(self._focus)
        elif key in _ENTER:
            self._put(*(self.board.cross or (0.5, 0.5)))
        elif key == Qt.Key.Key_Backspace:
            self._use(UNDO)
        self._present()
        return True

    def _press(self, pixel: QPointF) -> None:
        place = self._places(self._window.canvas)[0]
        if (button := self._button_at(pixel)) is not None:
            self._use(button)
        elif QRectF(place).contains(pixel):
            self._put((pixel.x() - place.x()) / place.width(), (pixel.y() - place.y()) / place.height())
        self._present()

    def _put(self, x: float, y: float) -> None:
        self._focus = None
        self.board.put(x, y, self._elapsed_ms)

    def _use(self, button: int) -> None:
        """Do what a button says, if it can be used now."""
        if not self._usable[button]:
            return
        self._focus = None
        if button == UNDO:
            self.board.undo()
            return
        if button == NOTHING:
            self.board.nothing_ms = self._elapsed_ms
        self._window.removeEventFilter(self)
        self.finished.emit()

    @property
    def _elapsed_ms(self) -> float:
        return (now_ns() - self._shown_at) / MILLISECOND

    @property
    def _usable(self) -> tuple[bool, bool, bool]:
        has_marks = bool(self.board.marks)
        return has_marks, not has_marks, has_marks

    def _pixel(self, event: QMouseEvent) -> QPointF:
        """Return the middle of the physical pixel of an event."""
        return event.position() * self._window.devicePixelRatio() + QPointF(0.5, 0.5)

    def _button_at(self, pixel: QPointF) -> int | None:
        _, buttons = self._places(self._window.canvas)
        return next((number for number, place in enumerate(buttons) if QRectF(place).contains(pixel)), None)

    def _places(self, canvas: Canvas) -> tuple[QRect, list[QRect]]:
        """Return the rectangles of the picture, in the middle and smaller if it must be, and of the buttons below."""
        unit, size = unit_of(canvas), self._picture.size()
        room = QSize(canvas.size.width() - 2 * GAP, canvas.size.height() - round(2 * BAND * unit))
        if size.width() > room.width() or size.height() > room.height():
            size = size.scaled(room.expandedTo(QSize(1, 1)), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (canvas.size.width() - size.width()) // 2, (canvas.size.height() - size.height()) // 2
        place = QRect(left, top, size.width(), size.height())
        metrics = QFontMetrics(font(round(unit)))
        widths = [metrics.horizontalAdvance(label) + round(2.4 * unit) for label in self._labels]
        x = (canvas.size.width() - sum(widths) - 2 * round(unit)) // 2
        buttons = []
        for width in widths:
            buttons.append(QRect(x, place.bottom() + round(1.2 * unit), width, round(2.6 * unit)))
            x += width + round(unit)
        return place, buttons

    def _present(self) -> int:
        self._window.stage(Frame(overlay=self._paint))
        return self._window.present()

    def _paint(self, painter: QPainter, canvas: Canvas) -> None:
        """Paint the picture with its marks, the question and the buttons."""
        unit, (place, buttons) = unit_of(canvas), self._places(canvas)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, place.size() != self._picture.size())
        painter.drawImage(place, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(TEXT)
        painter.setFont(font(round(1.4 * unit)))
        above = QRect(GAP // 2, 0, canvas.size.width() - GAP, place.top() - round(0.8 * unit))
        painter.drawText(above, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom | Qt.TextFlag.TextWordWrap,
                         self._question)  # fmt: skip
        for number, (button, label) in enumerate(zip(buttons, self._labels, strict=True)):
            self._paint_button(painter, unit, button, label, number)
        painter.setPen(TEXT)
        painter.setFont(font(round(0.85 * unit)))
        painter.drawText(QRect(0, buttons[0].bottom(), canvas.size.width(), round(2 * unit)), TEXT_FLAGS, self._hint)
        for mark in self.board.marks:
            self._paint_place(painter, unit, place, (mark.x, mark.y), ring=True)
        if self.board.cross is not None:
            self._paint_place(painter, unit, place, self.board.cross, ring=False)

    def _paint_button(self, painter: QPainter, unit: float, place: QRect, label: str, number: int) -> None:
        usable, radius = self._usable[number], unit / 3
        painter.setPen(
            QPen(
                QColor(20, 60, 110) if number == self._focus else QColor(92, 92, 92),
                unit / 5 if number == self._focus else 1,
            )
        )
        painter.setBrush(QColor(166, 166, 166) if usable else QColor(136, 136, 136))
        painter.drawRoundedRect(QRectF(place), radius, radius)
        painter.setPen(TEXT if usable else QColor(96, 96, 96))
        painter.setFont(font(round(unit)))
        painter.drawText(place, TEXT_FLAGS, label)

    def _paint_place(
        self, painter: QPainter, unit: float, place: QRect, at: tuple[float, float], *, ring: bool
    ) -> None:
        """Paint a mark as a ring, or the cross; dark with a light edge, to be seen on any picture."""
        middle, size = QPointF(place.x() + at[0] * place.width(), place.y() + at[1] * place.height()), 0.6 * unit
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((QColor(255, 255, 255), unit / 4), (QColor(200, 20, 20), unit / 9)):
            painter.setPen(QPen(colour, width))
            if ring:
                painter.drawEllipse(middle, size, size)
            else:
                across, down = QPointF(2 * size, 0), QPointF(0, 2 * size)
                painter.drawLines([QLineF(middle - across, middle + across), QLineF(middle - down, middle + down)])
