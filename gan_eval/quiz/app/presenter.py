"""Presenters: what puts a frame on the screen at a given moment and says when it did."""

from dataclasses import dataclass
from statistics import median
from typing import Protocol

from PySide6.QtGui import QImage

from gan_eval.quiz.clock import now_ns

SPIN_NS = 2_000_000
"""Timers come up to this late; the last stretch before a deadline is waited for in a loop."""


@dataclass(frozen=True)
class Frame:
    """What the screen shows: fixed grey, on it a centred picture or, between trials, a line of text."""

    picture: QImage | None = None
    text: str = ""


BLANK = Frame()


class Presenter(Protocol):
    """A window that puts frames on the screen. All moments are nanoseconds on the monotonic clock."""

    name: str

    def isExposed(self) -> bool:  # noqa: N802  (Qt's name, as the next two)
        """The window is on the screen."""
        ...

    def isActive(self) -> bool:  # noqa: N802
        """The window has the keyboard."""
        ...

    def requestActivate(self) -> None:  # noqa: N802
        """Ask for the keyboard."""
        ...

    def stage(self, frame: Frame) -> None:
        """Draw a frame where it cannot be seen yet."""
        ...

    def present(self, due: int | None = None) -> int:
        """Put the staged frame on the screen, so that it is there at `due` (None: at once); when that was done."""
        ...

    @property
    def lead(self) -> int:
        """How long presenting takes, as learned; it starts by so much earlier than `due`."""
        ...


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


def spin_until(moment: int) -> int:
    """Wait in a loop until `moment`; the time after it."""
    while (now := now_ns()) < moment:
        pass
    return now
