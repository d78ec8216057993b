"""What a presenter shows, and how it meets a moment: frames, the learned lead, the last stretch before a deadline."""

import time
from dataclasses import dataclass
from statistics import median

from PySide6.QtGui import QImage

from gan_eval.quiz.clock import now_ns

LAST_STRETCH_NS = 2_000_000
"""The event loop's timers come up to this late; the last stretch before a deadline is waited for without it."""

SPIN_NS = 300_000
"""A short sleep ends up to this late; the end of the last stretch is waited for in a loop."""


@dataclass(frozen=True)
class Frame:
    """What the screen shows: fixed grey, on it pictures, pixel for pixel, and text."""

    pictures: tuple[QImage, ...] = ()
    """Side by side, centred together."""
    text: str = ""
    """A line near the bottom: progress."""
    headline: str = ""
    """A larger text in the middle, or below the pictures: feedback, a question."""
    patch: bool = False
    """The photodiode's patch is white: a stimulus is shown. Only seen where the study wants the patch."""


BLANK = Frame()


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
