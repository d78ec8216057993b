"""The raster presenter: a plain window whose backing store is drawn ahead and flushed at the deadline."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QBackingStore,
    QColor,
    QExposeEvent,
    QFont,
    QImage,
    QPainter,
    QRegion,
    QResizeEvent,
    QScreen,
    QSurface,
    QWindow,
)

from gan_eval.quiz.app.presenter import BLANK, Frame, LearnedLead, spin_until
from gan_eval.quiz.clock import now_ns

GREY = QColor(128, 128, 128)
"""The background of every stimulus, whatever the theme."""

_TEXT = QColor(70, 70, 70)


class RasterWindow(QWindow):
    """A window on fixed grey. `stage` draws a whole frame into the backing store, `present` flushes what changed.

    Drawing ahead leaves only the flush for the deadline; its cost is learned and the flush starts by so much earlier.
    """

    name = "raster"

    def __init__(self, screen: QScreen) -> None:
        super().__init__(screen)
        self.setSurfaceType(QSurface.SurfaceType.RasterSurface)
        self.setCursor(Qt.CursorShape.BlankCursor)
        self._store = QBackingStore(self)
        self._lead = LearnedLead()
        self._shown = BLANK
        self._staged = BLANK
        self._drawn: Frame | None = None

    @property
    def lead(self) -> int:
        """How long a flush takes, as learned, in nanoseconds."""
        return self._lead.nanoseconds

    @property
    def physical_size(self) -> QSize:
        """The window's size in physical pixels."""
        ratio = self.devicePixelRatio()
        return QSize(round(self.width() * ratio), round(self.height() * ratio))

    def stage(self, frame: Frame) -> None:
        """Draw a frame where it cannot be seen yet."""
        self._staged = frame
        self._draw(frame)

    def present(self, due: int | None = None) -> int:
        """Flush the staged frame so that it is on the screen at `due`; the time after the flush.

        The time is taken when the flush returns: what lies behind it (display server, cable, panel) is not in it.
        """
        if self._drawn is not self._staged:
            self._draw(self._staged)
        changed = QRegion(self._area(self._shown)) + self._area(self._staged)
        start = now_ns() if due is None else spin_until(due - self.lead)
        self._store.flush(changed)
        stamp = now_ns()
        self._lead.learn(stamp - start)
        self._shown = self._staged
        return stamp

    def grab(self) -> QImage:
        """The pixels that were drawn last."""
        device = self._store.paintDevice()
        assert isinstance(device, QImage)
        return device.copy()

    def exposeEvent(self, _: QExposeEvent) -> None:  # noqa: N802  (Qt's name)
        """Show again what must be seen now; what is staged is drawn anew when it is due."""
        if self.isExposed():
            self._draw(self._shown)
            self._store.flush(QRect(QPoint(), self.size()))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Make room for the new size; the expose event that follows draws."""
        self._store.resize(event.size())
        self._drawn = None

    def _draw(self, frame: Frame) -> None:
        """Draw a whole frame into the backing store, one picture pixel to one physical pixel."""
        everything = QRect(QPoint(), self.size())
        if self._store.size() != self.size():
            self._store.resize(self.size())
        self._store.beginPaint(everything)
        painter = QPainter(self._store.paintDevice())
        painter.fillRect(everything, GREY)
        if frame.text:
            _set_font(painter, self.height())
            painter.drawText(self._text_area(), Qt.AlignmentFlag.AlignCenter, frame.text)
        if frame.picture is not None:
            ratio = self.devicePixelRatio()
            painter.scale(1 / ratio, 1 / ratio)
            painter.drawImage(self._picture_corner(frame.picture), frame.picture)
        painter.end()
        self._store.endPaint()
        self._drawn = frame

    def _picture_corner(self, picture: QImage) -> QPoint:
        """Where a centred picture begins, in physical pixels."""
        size = self.physical_size
        return QPoint((size.width() - picture.width()) // 2, (size.height() - picture.height()) // 2)

    def _text_area(self) -> QRect:
        line = max(40, self.height() // 20)
        return QRect(0, self.height() - line - line // 2, self.width(), line)

    def _area(self, frame: Frame) -> QRect:
        """The logical rectangle in which a frame differs from plain grey."""
        if frame.picture is not None:
            ratio = self.devicePixelRatio()
            corner = self._picture_corner(frame.picture)
            left, top = int(corner.x() / ratio), int(corner.y() / ratio)
            width, height = int(frame.picture.width() / ratio) + 2, int(frame.picture.height() / ratio) + 2
            return QRect(left, top, width, height).intersected(QRect(QPoint(), self.size()))
        return self._text_area() if frame.text else QRect()


def _set_font(painter: QPainter, height: int) -> None:
    font = QFont(painter.font())
    font.setPixelSize(max(15, height // 50))
    painter.setFont(font)
    painter.setPen(_TEXT)
