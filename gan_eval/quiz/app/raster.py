"""The raster presenter: a plain window whose backing store is drawn ahead and flushed at the deadline.

A flush does not wait for the screen's refresh. It hands the pixels to the display server; without a compositor they
are on their way to the panel at once, so that an exposure can differ by up to a frame from a whole number of frames and
the picture's change can cross the screen in the middle of a refresh. A compositor shows it one refresh or more later.
"""

from math import ceil, floor

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QBackingStore, QImage, QPainter, QRegion, QScreen, QSurface

from gan_eval.quiz.app.painting import Frame, changed_area, paint
from gan_eval.quiz.app.presenter import PresenterWindow


class RasterWindow(PresenterWindow):
    """`stage` draws a whole frame into the backing store, `present` flushes what differs from the frame before."""

    name = "raster"

    def __init__(self, screen: QScreen, *, corner_patch: bool = False, text_scale: float = 1.0) -> None:
        """Make a window, not shown yet; the arguments are those of every presenter's window."""
        super().__init__(screen, QSurface.SurfaceType.RasterSurface, corner_patch=corner_patch, text_scale=text_scale)
        self._store = QBackingStore(self)
        self._changed = QRegion()

    def grab(self) -> QImage:
        """The pixels that were drawn last."""
        device = self._store.paintDevice()
        assert isinstance(device, QImage)
        return device.copy()

    def _draw(self, frame: Frame, *, everything: bool) -> None:
        canvas, ratio = self.canvas, self.devicePixelRatio()
        whole = QRect(QPoint(), self.size())
        if self._store.size() != self.size():
            self._store.resize(self.size())
        self._store.beginPaint(whole)
        painter = QPainter(self._store.paintDevice())
        painter.scale(1 / ratio, 1 / ratio)
        paint(painter, frame, canvas)
        painter.end()
        self._store.endPaint()
        changed = covering(changed_area(self._presented, frame, canvas), ratio)
        self._changed = QRegion(whole) if everything else changed.intersected(whole)

    def _put(self) -> None:
        self._store.flush(self._changed)


def covering(area: list[QRect], ratio: float) -> QRegion:
    """The region of logical pixels that covers rectangles of physical pixels, at a device pixel ratio."""
    region = QRegion()
    for rectangle in area:
        left, top = floor(rectangle.left() / ratio), floor(rectangle.top() / ratio)
        right, bottom = ceil((rectangle.right() + 1) / ratio), ceil((rectangle.bottom() + 1) / ratio)
        region += QRect(left, top, right - left, bottom - top)
    return region
