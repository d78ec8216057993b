"""The page on which a participant marks places in a picture, by mouse, touch, pen or keyboard."""

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gan_eval.quiz.app.pages.parts import Page, PageLook, button
from gan_eval.quiz.app.painting import GREY, TEXT
from gan_eval.quiz.clock import now_ns
from gan_eval.quiz.marks import Mark, MarksReport
from gan_eval.quiz.trial import MILLISECOND
from gan_eval.quiz.wording import Texts
from gan_eval.settings.quiz import QuizSettings

_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
STEP = 0.02
"""Share of the picture by which an arrow key moves the cross."""
FINE_STEP = 0.002
"""The same with Shift."""
MIDDLE = (0.5, 0.5)


class Board(QWidget):
    """A picture in the middle, smaller if it must be, with its marks and the cross that arrow keys move."""

    changed = Signal()

    def __init__(self, picture: QImage, limit: int, size: float) -> None:
        """Make a board for up to `limit` marks: circles with the diameter `size` in logical pixels."""
        super().__init__()
        self.marks: list[Mark] = []
        self.cross: tuple[float, float] | None = None  # where arrow keys have moved it
        self._picture, self._limit, self._size = picture, limit, size
        self._shown_at = 0
        self.changed.connect(self.update)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)

    @property
    def elapsed_ms(self) -> float:
        """Time since the picture was painted first."""
        return (now_ns() - self._shown_at) / MILLISECOND

    @property
    def place(self) -> QRectF:
        """The picture's rectangle, on whole physical pixels."""
        ratio, size = self.devicePixelRatioF(), QSizeF(self._picture.size())
        room = QSizeF(self.size()) * ratio
        if size.width() > room.width() or size.height() > room.height():
            size.scale(room, Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (room.width() - size.width()) // 2, (room.height() - size.height()) // 2
        return QRectF(left / ratio, top / ratio, size.width() / ratio, size.height() / ratio)

    def put(self, x: float, y: float) -> None:
        """Set a mark, unless it is outside the picture or one too many."""
        if 0 <= x <= 1 and 0 <= y <= 1 and len(self.marks) < self._limit:
            self.marks.append(Mark(x=x, y=y, at_ms=self.elapsed_ms))
        self.changed.emit()

    def undo(self) -> None:
        """Remove the last mark."""
        del self.marks[-1:]
        self.changed.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Mark the middle of the physical pixel of a press; Qt sends those of fingers and pens as a mouse's, too."""
        if event.button() == Qt.MouseButton.LeftButton:
            half = 0.5 / self.devicePixelRatioF()
            at = event.position() + QPointF(half, half) - self.place.topLeft()
            self.put(at.x() / self.place.width(), at.y() / self.place.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Move the cross."""
        if event.key() not in _ARROWS:
            super().keyPressEvent(event)
            return
        step = FINE_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else STEP
        (dx, dy), (x, y) = _ARROWS[Qt.Key(event.key())], self.cross or MIDDLE
        self.cross = min(1.0, max(0.0, x + dx * step)), min(1.0, max(0.0, y + dy * step))
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802
        """Paint the picture, and on it marks and cross: dark with a light edge, to be seen on any picture."""
        self._shown_at = self._shown_at or now_ns()
        painter, area = QPainter(self), self.place
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(area, self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marks = [(mark.x, mark.y) for mark in self.marks]
        for number, (x, y) in enumerate([*marks, *filter(None, [self.cross])]):
            middle = QPointF(area.x() + x * area.width(), area.y() + y * area.height())
            for colour, width in ((QColor(255, 255, 255), self._size / 4), (QColor(200, 20, 20), self._size / 9)):
                painter.setPen(QPen(colour, width))
                if number < len(marks):
                    painter.drawEllipse(middle, self._size / 2, self._size / 2)
                    continue
                for arm in (QPointF(self._size, 0), QPointF(0, self._size)):
                    painter.drawLine(middle - arm, middle + arm)


class MarkPage(Page):
    """The question where the participant saw it."""

    finished = Signal(MarksReport)

    def __init__(
        self, look: PageLook, texts: Texts, picture: QImage, question: str, trial: int, settings: QuizSettings
    ) -> None:
        super().__init__(look, texts, width=10_000, fill=True)
        grey = f"QWidget#ground, QFrame#card {{ background: {GREY.name()}; border: none; }}"
        self.setStyleSheet(grey + f"QLabel#heading, QLabel#muted {{ color: {TEXT.name()}; }}")
        self._trial = trial
        self.add_text(question, "heading").setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.board = self.first = Board(picture, settings.marks, look.px(16))
        self.board.setAccessibleName(texts("mark_picture"))
        self.body.addWidget(self.board, 1)
        self.undo = button(texts("mark_undo"), self.board.undo)
        self.nothing = button(texts("mark_nothing"), lambda: self._finish(nothing_ms=self.board.elapsed_ms))
        self.go_on = button(texts("continue"), self._finish, main=True)
        self.add_buttons(self.undo, self.nothing, self.go_on, hint=texts("mark_keys"))
        self.buttons.addStretch(1)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.board.changed.connect(self._update)
        self._update()
        self.on_key("Backspace", self.undo.click)
        if settings.marks_ms is not None:
            timer = QTimer(self, singleShot=True, interval=round(settings.marks_ms))
            timer.timeout.connect(self._finish)
            self.finished.connect(timer.stop)
            timer.start()

    def _enter(self) -> None:
        if self.board.hasFocus():
            self.board.put(*(self.board.cross or MIDDLE))
        else:
            super()._enter()

    def _update(self) -> None:
        for each in (self.undo, self.nothing, self.go_on):
            each.setEnabled((each is self.nothing) is not bool(self.board.marks))
        self.board.setFocus()

    def _finish(self, nothing_ms: float | None = None) -> None:
        self.finished.emit(MarksReport(trial=self._trial, marks=tuple(self.board.marks), nothing_ms=nothing_ms))
