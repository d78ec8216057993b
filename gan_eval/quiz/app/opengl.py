"""The OpenGL presenter: a window whose frames are swapped in by the driver, with the screen's refresh where it waits.

What the moment of a swap does not tell: a compositor, or a driver with three buffers, takes a frame and shows it one
to three refreshes later. As long as that is always the same number, exposures are right and onsets late by a constant.
A program cannot see that, nor the cable and the panel behind it.
"""

from PySide6.QtGui import QMatrix4x4, QOpenGLContext, QScreen, QSurface, QSurfaceFormat
from PySide6.QtOpenGL import QOpenGLTexture, QOpenGLTextureBlitter

from gan_eval.errors import UserError
from gan_eval.quiz.app.painting import GREY, Frame, painted
from gan_eval.quiz.app.presenter import PresenterWindow
from gan_eval.quiz.clock import now_ns

NO_OPENGL = "--presenter opengl: OpenGL cannot be used on this screen; give raster, or auto"

_COLOUR_BUFFER = 0x4000
_SCISSOR_TEST = 0x0C11


class OpenGLWindow(PresenterWindow):
    """`stage` draws a whole frame into the back buffer, `present` swaps the buffers and waits until that was done."""

    name = "opengl"

    def __init__(
        self,
        screen: QScreen,
        *,
        frame_ms: float | None = None,
        may_wait: bool = True,
        corner_patch: bool = False,
        text_scale: float = 1.0,
    ) -> None:
        """Make a window, not shown yet.

        Args:
            screen: where it will stand.
            frame_ms: the screen's frame, where swaps were measured to wait for it.
            may_wait: false where swaps were measured not to wait for the screen.
            corner_patch: show a patch for a photodiode in the lower left corner.
            text_scale: the participant's text size, 1 to 2.

        Raises:
            UserError: there is no OpenGL here.
        """
        super().__init__(screen, QSurface.SurfaceType.OpenGLSurface, corner_patch=corner_patch, text_scale=text_scale)
        self._frame_ns = None if frame_ms is None else round(frame_ms * 1e6)
        self._may_wait = may_wait
        wanted = QSurfaceFormat()
        wanted.setSwapInterval(1)
        wanted.setSwapBehavior(QSurfaceFormat.SwapBehavior.DoubleBuffer)
        self.setFormat(wanted)
        self.create()
        self._context = QOpenGLContext(self)
        self._context.setFormat(wanted)
        self._context.setScreen(screen)
        if not (self._context.create() and self._context.makeCurrent(self)):
            raise UserError(NO_OPENGL)
        self._gl = self._context.functions()
        self._blitter = QOpenGLTextureBlitter()
        self._blitter.create()

    @property
    def lead(self) -> int:
        """How much before `due` presenting starts, in nanoseconds.

        Where swaps wait for the screen: half a frame, so that of all refreshes the one nearest to `due` is met.
        """
        return super().lead if self._frame_ns is None else self._frame_ns // 2

    def swap_grey(self) -> int:
        """Swap in plain grey as soon as can be; the time when that was done. For measuring what a swap waits for."""
        self._context.makeCurrent(self)
        self._clear()
        self._put()
        self._rendered = None
        return now_ns()

    def give_up(self) -> None:
        """Let go of context and window; nothing can be shown any more."""
        self._context.doneCurrent()
        self.destroy()

    def _draw(self, frame: Frame, *, everything: bool) -> None:
        """Draw a frame into the back buffer, which holds nothing of use after a swap, so always all of it."""
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
        """Swap. Many drivers only note down that a swap is wanted, and return at once; so one pixel is drawn then, and
        waited for, which takes until the swap has freed the buffer that it is drawn in."""
        self._context.swapBuffers(self)
        if self._may_wait:
            self._gl.glEnable(_SCISSOR_TEST)
            self._gl.glScissor(0, 0, 1, 1)
            self._gl.glClear(_COLOUR_BUFFER)
            self._gl.glDisable(_SCISSOR_TEST)
            self._gl.glFinish()


def opengl_available(screen: QScreen) -> bool:
    """Whether OpenGL can be used on a screen, in a window: a context that can be made may still refuse every window."""
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
