"""The clocks that a session runs on: the machine's, and a virtual one for simulated participants.

What the quiz needs of its clock: it never jumps (so not the time of day), resolves well below a millisecond, and is
shared with programs that watch from outside. `time.perf_counter_ns` is all three: CLOCK_MONOTONIC on Linux,
mach_absolute_time on macOS, QueryPerformanceCounter on Windows (where `time.monotonic_ns` moves in steps of 16 ms
before Python 3.13).
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

now_ns: Final = time.perf_counter_ns
"""The monotonic clock of the quiz, in nanoseconds."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> int:
        """Nanoseconds that never jump."""
        return now_ns()

    def utc(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """A clock that moves only by `advance_to`."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0

    def monotonic(self) -> int:
        """Nanoseconds since the start."""
        return self._elapsed

    def utc(self) -> datetime:
        """The start plus what has elapsed."""
        return self._start + timedelta(microseconds=self._elapsed / 1000)

    def advance_to(self, when: int) -> None:
        """Move on to `when`, never back."""
        self._elapsed = max(self._elapsed, when)


Clock = SystemClock | VirtualClock
"""The two clocks of a session: `monotonic`, and `utc`, by which nothing is measured."""
