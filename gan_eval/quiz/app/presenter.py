"""What the presenters' windows have in common: drawing ahead, meeting the moment, and stamping it."""

import time
from math import floor
from statistics import median

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QExposeEvent, QResizeEvent, QScreen, QSurface, QWindow

from gan_eval.quiz.app.painting import BLANK, Canvas, Frame
from gan_eval.quiz.clock import now_ns

LAST_STRETCH_NS = 2_000_000
"""The event loop's timers come up to this late; the last stretch before a deadline is waited for without it."""

SPIN_NS = 300_000
"""A short sleep ends up to this late; the end of the last stretch is waited for in a loop."""


class LearnedLead:
    """A running estimate of how long presenting takes: the median of the last few times."""

    def __init__(self, *, keep: int = 9, longest: int = 20_000_000) -> None:
        self._costs: list[int] = []
        self._keep = keep
        self._longest = longest

    @property
    def nanoseconds(self) -> int:
        """The estimate; 0 before the first observation."""
        return round(median(self._costs)) if self._costs else 0

    def learn(self, cost: int) -> None:
        """Take note of one presentation's cost; a single hiccup does not move a median."""
        self._costs = [*self._costs, min(cost, self._longest)][-self._keep :]


def wait_until(moment: int) -> int:
    """Sleep until shortly before `moment`, then wait in a loop; the time after it.

    The loop alone would hold a processor for the whole stretch, and with it, on a small machine, the display server.
    """
    while (left := moment - now_ns()) > SPIN_NS:
        time.sleep((left - SPIN_NS) / 1e9)
    while (now := now_ns()) < moment:
        pass
    return now


class PresenterWindow(QWindow):
    """A window on fixed grey that shows frames at their moment.

    `stage` draws ahead, which leaves little for the deadline; what that costs is learned, and `present` starts by so
    much earlier. A subclass says how to draw where nobody sees it (`_draw`) and how to make it seen (`_put`).
    """

    name: str

    def __init__(
        self, screen: QScreen, surface: QSurface.SurfaceType, *, corner_patch: bool = False, text_scale: float = 1.0
    ) -> None:
        """Make a window, not shown yet.

        Args:
            screen: where it will stand.
            surface: what it is drawn with.
            corner_patch: show a patch for a photodiode in the lower left corner.
            text_scale: the participant's text size, 1 to 2.
        """
        super().__init__(screen)
        self.setSurfaceType(surface)
        self.setCursor(Qt.CursorShape.BlankCursor)
        self._corner_patch = corner_patch
        self._text_scale = text_scale
        self._cost = LearnedLead()
        self._presented = BLANK
        self._staged = BLANK
        self._rendered: Frame | None = None

    @property
    def lead(self) -> int:
        """How much before `due` presenting starts, in nanoseconds."""
        return self._cost.nanoseconds

    @property
    def canvas(self) -> Canvas:
        """What frames are painted on."""
        ratio = self.devicePixelRatio()
        size = QSize(floor(self.width() * ratio + 0.5), floor(self.height() * ratio + 0.5))  # as Qt rounds
        return Canvas(size, ratio, self._text_scale, self._corner_patch)

    def stage(self, frame: Frame) -> None:
        """Draw a frame where it cannot be seen yet."""
        self._staged = frame
        self._draw(frame, everything=False)
        self._rendered = frame

    def present(self, due: int | None = None) -> int:
        """Show the staged frame so that it is on the screen at `due` (None: at once); the time when that was done.

        The time is taken when the call that shows the frame returns: what lies behind it (display server, compositor,
        cable, panel) is not in it.
        """
        if self._rendered is not self._staged:
            self.stage(self._staged)
        lead = self.lead
        start = now_ns() if due is None else wait_until(due - lead)
        self._put()
        stamp = now_ns()
        if due is not None:  # a line of text, shown at once, costs less than a picture
            self._cost.learn(stamp - start)
        self._presented = self._staged
        self._rendered = None
        return stamp

    def exposeEvent(self, _: QExposeEvent) -> None:  # noqa: N802  (Qt's name)
        """Show again what must be seen now; what is staged is drawn anew when it is due."""
        if self.isExposed():
            self._draw(self._presented, everything=True)
            self._put()
            self._rendered = None

    def resizeEvent(self, _: QResizeEvent) -> None:  # noqa: N802
        """What was drawn does not fit any more; the expose event that follows draws."""
        self._rendered = None

    def _draw(self, frame: Frame, *, everything: bool) -> None:
        """Draw a frame where it cannot be seen yet; `everything`: the screen may hold anything, not what is shown."""
        raise NotImplementedError

    def _put(self) -> None:
        """Show what was drawn."""
        raise NotImplementedError
