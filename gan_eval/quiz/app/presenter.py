"""The windows that present frames at a given moment and time them, with a backing store or OpenGL."""

import time
from math import ceil, floor
from statistics import median

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QBackingStore,
    QExposeEvent,
    QMatrix4x4,
    QOpenGLContext,
    QPainter,
    QRegion,
    QResizeEvent,
    QScreen,
    QSurface,
    QSurfaceFormat,
    QWindow,
)
from PySide6.QtOpenGL import QOpenGLTexture, QOpenGLTextureBlitter

from gan_eval.base.errors import UserError
from gan_eval.quiz.app.painting import BLANK, GREY, Canvas, Frame, changed_area, paint, painted
from gan_eval.quiz.clock import now_ns

LAST_STRETCH_NS = 2_000_000
"""Maximum delay of the event loop's timers; the program waits without them for this time before a deadline."""

SPIN_NS = 300_000
"""Maximum delay of a short sleep; the program waits in a loop for this time before a deadline."""


def wait_until(moment: int) -> int:
    """Sleep until shortly before `moment`, then wait in a loop; return the time after it.

    Only looping would occupy a processor that the display server may need.
    """
    while (left := moment - now_ns()) > SPIN_NS:
        time.sleep((left - SPIN_NS) / 1e9)
    while (now := now_ns()) < moment:
        pass
    return now


class PresenterWindow(QWindow):
    """A window on fixed grey that shows frames at given moments.

    `stage` draws ahead; `present` starts earlier by the time that showing a frame usually takes. A subclass draws a
    frame invisibly (`_draw`) and shows it (`_put`).
    """

    name: str

    def __init__(
        self, screen: QScreen, surface: QSurface.SurfaceType, *, corner_patch: bool = False, text_scale: float = 1.0
    ) -> None:
        """Make a window, not shown yet; `corner_patch` and `text_scale` as in `Canvas`."""
        super().__init__(screen)
        self.setSurfaceType(surface)
        self.setCursor(Qt.CursorShape.BlankCursor)
        self._corner_patch = corner_patch
        self._text_scale = text_scale
        self._costs: list[int] = []
        self._presented = BLANK
        self._staged = BLANK
        self._rendered: Frame | None = None

    @property
    def lead(self) -> int:
        """Time before `due` at which presenting starts, in nanoseconds: the median of the last nine durations."""
        return round(median(self._costs)) if self._costs else 0

    @property
    def canvas(self) -> Canvas:
        """The surface that frames are painted on."""
        ratio = self.devicePixelRatio()
        size = QSize(floor(self.width() * ratio + 0.5), floor(self.height() * ratio + 0.5))  # as Qt rounds
        return Canvas(size, ratio, self._text_scale, self._corner_patch)

    def stage(self, frame: Frame) -> None:
        """Draw a frame without showing it."""
        self._staged = frame
        self._draw(frame, everything=False)
        self._rendered = frame

    def present(self, due: int | None = None) -> int:
        """Show the staged frame so that it is on the screen at `due` (None: now); return the time when that was done.

        The time is taken when the call that shows the frame returns, without the delay of display server, compositor,
        cable and panel.
        """
        if self._rendered is not self._staged:
            self.stage(self._staged)
        lead = self.lead
        start = now_ns() if due is None else wait_until(due - lead)
        self._put()
        stamp = now_ns()
        if due is not None:  # text shown without a deadline takes less time than a picture
            self._costs = [*self._costs, min(stamp - start, 20_000_000)][-9:]
        self._presented = self._staged
        self._rendered = None
        return stamp

    def exposeEvent(self, _: QExposeEvent) -> None:  # noqa: N802  (Qt's name)
        """Show the current frame again; the staged frame is redrawn when it is due."""
        if self.isExposed():
            self._draw(self._presented, everything=True)
            self._put()
            self._rendered = None

    def resizeEvent(self, _: QResizeEvent) -> None:  # noqa: N802
        """Discard the staged drawing; the following expose event draws again."""
        self._rendered = None

    def _draw(self, frame: Frame, *, everything: bool) -> None:
        """Draw a frame invisibly; `everything`: no part of the screen is known to be right."""
        raise NotImplementedError

    def _put(self) -> None:
        """Show the drawn frame."""
        raise NotImplementedError


class RasterWindow(PresenterWindow):
    """`stage` draws a whole frame into the backing store, `present` flushes what differs from the frame before.

    A flush does not wait for the screen's refresh. Without a compositor, an exposure can differ by up to a frame, and a
    change can cross the screen in the middle of a refresh. A compositor shows it one or more refreshes later.
    """

    name = "raster"

    def __init__(self, screen: QScreen, *, corner_patch: bool = False, text_scale: float = 1.0) -> None:
        super().__init__(screen, QSurface.SurfaceType.RasterSurface, corner_patch=corner_patch, text_scale=text_scale)
        self._store = QBackingStore(self)
        self._changed = QRegion()

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
    """Return the region of logical pixels that covers rectangles of physical pixels, at a device pixel ratio."""
    region = QRegion()
    for rectangle in area:
        left, top = floor(rectangle.left() / ratio), floor(rectangle.top() / ratio)
        right, bottom = ceil((rectangle.right() + 1) / ratio), ceil((rectangle.bottom() + 1) / ratio)
        region += QRect(left, top, right - left, bottom - top)
    return region


_COLOUR_BUFFER = 0x4000
_SCISSOR_TEST = 0x0C11


class OpenGLWindow(PresenterWindow):
    """`stage` draws a whole frame into the back buffer, `present` swaps the buffers and waits until that was done.

    A driver that waits for the screen swaps at its refresh. A compositor, or a driver with three buffers, shows the
    frame one to three refreshes later, which no program can see: exposures are correct, onsets late by a constant.
    """

    name = "opengl"

    def __init__(
        self, screen: QScreen, *, frame_ms: float | None = None, corner_patch: bool = False, text_scale: float = 1.0
    ) -> None:
        """Make a hidden window; `frame_ms` is the length of a frame if swaps were measured to wait for the screen.

        Raises:
            UserError: OpenGL is not available.
        """
        super().__init__(screen, QSurface.SurfaceType.OpenGLSurface, corner_patch=corner_patch, text_scale=text_scale)
        self._frame_ns = None if frame_ms is None else round(frame_ms * 1e6)
        surface_format = QSurfaceFormat()
        surface_format.setSwapInterval(1)
        surface_format.setSwapBehavior(QSurfaceFormat.SwapBehavior.DoubleBuffer)
        self.setFormat(surface_format)
        self.create()
        self._context = QOpenGLContext(self)
        self._context.setFormat(surface_format)
        self._context.setScreen(screen)
        if not (self._context.create() and self._context.makeCurrent(self)):
            raise UserError("OpenGL cannot be used on this screen")
        self._gl = self._context.functions()
        self._blitter = QOpenGLTextureBlitter()
        self._blitter.create()

    @property
    def lead(self) -> int:
        """Time before `due` at which presenting starts, in nanoseconds; with vsync half a frame, to meet the refresh
        nearest to `due`."""
        return super().lead if self._frame_ns is None else self._frame_ns // 2

    def swap_grey(self) -> int:
        """Swap in plain grey without waiting for a moment; return the time after it. For the self-test."""
        self._context.makeCurrent(self)
        self._clear()
        self._put()
        self._rendered = None
        return now_ns()

    def give_up(self) -> None:
        """Release the context and window; nothing can be shown after it."""
        self._context.doneCurrent()
        self.destroy()

    def _draw(self, frame: Frame, *, everything: bool) -> None:
        """Draw a whole frame into the back buffer, whose content is undefined after a swap."""
        self._context.makeCurrent(self)
        size = self.canvas.size
        self._gl.glViewport(0, 0, size.width(), size.height())
        self._clear()
        texture = QOpenGLTexture(painted(frame, self.canvas), QOpenGLTexture.MipMapGeneration.DontGenerateMipMaps)
        texture.setMinMagFilters(QOpenGLTexture.Filter.Nearest, QOpenGLTexture.Filter.Nearest)
        self._blitter.bind()
        self._blitter.blit(texture.textureId(), QMatrix4x4(), QOpenGLTextureBlitter.Origin.OriginTopLeft)
        self._blitter.release()
        self._gl.glFinish()
        texture.destroy()

    def _clear(self) -> None:
        self._gl.glClearColor(GREY.redF(), GREY.greenF(), GREY.blueF(), 1.0)
        self._gl.glClear(_COLOUR_BUFFER)

    def _put(self) -> None:
        """Swap, and wait for it: many drivers return early, but drawing a pixel takes until the buffer is free."""
        self._context.swapBuffers(self)
        self._gl.glEnable(_SCISSOR_TEST)
        self._gl.glScissor(0, 0, 1, 1)
        self._gl.glClear(_COLOUR_BUFFER)
        self._gl.glDisable(_SCISSOR_TEST)
        self._gl.glFinish()


def opengl_available(screen: QScreen) -> bool:
    """Return True if OpenGL works in a window; some contexts can be made but refuse every window."""
    context = QOpenGLContext()
    context.setScreen(screen)
    if not context.create():
        return False
    try:
        window = OpenGLWindow(screen)
    except UserError:
        return False
    window.give_up()
    return True
