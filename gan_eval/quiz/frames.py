"""Whole frames: exposures rounded to them, and what a row of time stamps says of a screen. Plain Python."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median, pstdev
from typing import Final

DROPPED: Final = 1.5
"""An interval of more than this many frames has left one out."""

_RATE_TOLERANCE: Final = 0.03
"""A measured refresh differs from the stated one by less: 59.94 is stated as 60, 75 is not."""

_STEADY: Final = 0.1
"""Intervals of a screen that blocks vary by less than this share of a frame."""


def round_exposure(requested_ms: float, refresh_hz: float) -> float:
    """The exposure in whole frames, at least one, that is nearest to the one asked for; halves go up.

    Args:
        requested_ms: the exposure asked for, above 0.
        refresh_hz: the screen's measured refresh rate, above 0.

    >>> round_exposure(100, 60), round(round_exposure(110, 60), 3), round(round_exposure(1, 60), 3)
    (100.0, 116.667, 16.667)
    """
    frames = max(1, math.floor(requested_ms * refresh_hz / 1000 + 0.5))
    return frames * 1000 / refresh_hz


@dataclass(frozen=True)
class Summary:
    """How a quantity in milliseconds is distributed."""

    n: int
    mean: float
    median: float
    sd: float
    largest: float
    """The largest absolute value."""


def summary(values: Sequence[float]) -> Summary:
    """Summarise at least one value.

    >>> summary([1.0, 3.0, 2.0])
    Summary(n=3, mean=2.0, median=2.0, sd=0.816496580927726, largest=3.0)
    """
    return Summary(len(values), fmean(values), median(values), pstdev(values), max(map(abs, values)))


@dataclass(frozen=True)
class Pace:
    """What the moments at which frames were presented say of a screen."""

    frame_ms: float
    """The median interval."""
    jitter_ms: float
    """Standard deviation of the intervals that left no frame out."""
    dropped: float
    """Share of intervals that left at least one frame out, 0..1."""

    def blocks(self, stated_hz: float) -> bool:
        """Whether presenting waits for the screen, given frames that were presented without waiting for anything else.

        Then a frame takes as long as the platform states, each the same. Without vsync, frames follow each other
        as fast as they are drawn.
        """
        stated_ms = 1000 / stated_hz
        near = abs(self.frame_ms - stated_ms) < _RATE_TOLERANCE * stated_ms
        return near and self.jitter_ms < _STEADY * stated_ms


def pace(stamps: Sequence[int]) -> Pace:
    """Look at at least three moments in nanoseconds, in order.

    >>> pace([0, 10_000_000, 20_000_000, 40_000_000])
    Pace(frame_ms=10.0, jitter_ms=0.0, dropped=0.3333333333333333)
    """
    intervals = [(after - before) / 1e6 for before, after in pairwise(stamps)]
    typical = median(intervals)
    steady = [interval for interval in intervals if interval <= DROPPED * typical]
    return Pace(typical, pstdev(steady), (len(intervals) - len(steady)) / len(intervals))
