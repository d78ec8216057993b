"""The clocks of a session: the machine's, a browser's, and a virtual one for simulated participants.

The machine's clock must never jump, resolve well below a millisecond, and be shared with programs that watch from
outside. `time.perf_counter_ns` does: CLOCK_MONOTONIC on Linux, mach_absolute_time on macOS, QueryPerformanceCounter on
Windows (where `time.monotonic_ns` has steps of 16 ms before Python 3.13).
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Final

now_ns: Final = time.perf_counter_ns
"""The monotonic clock of the quiz, in nanoseconds."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> int:
        """Return nanoseconds on the monotonic clock."""
        return now_ns()

    def utc(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """A clock that moves only by `advance_to`."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0

    def monotonic(self) -> int:
        """Return nanoseconds since the start."""
        return self._elapsed

    def utc(self) -> datetime:
        """Return the start plus the elapsed time."""
        return self._start + timedelta(microseconds=self._elapsed / 1000)

    def advance_to(self, when: int) -> None:
        """Advance to `when`; never go back."""
        self._elapsed = max(self._elapsed, when)


JUMP_S: Final = 5.0
"""Difference in seconds between the time of day and the monotonic clock from which the time of day has been changed."""


def _passed() -> float:
    """Return seconds on a clock that nobody can set; where the system has one, it runs while the computer sleeps."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class ReportedClock:
    """The clock of a browser: the moment at which the page sent its last message."""

    def __init__(self) -> None:
        self._sent, self._received, self._passed = 0, datetime.now(UTC), _passed()
        self.steady = True
        """False after the page's clock went back, or this computer's time of day was changed."""

    def receive(self, sent: int, at: datetime | None = None) -> None:
        """Set the clock to the time, in nanoseconds, at which a message was sent.

        Args:
            sent: on the page's clock.
            at: time of day that the page gave the message; None: the message has just arrived.
        """
        if at is not None:
            self._sent, self._received = sent, at
            return
        before, self._received, passed = self._received, datetime.now(UTC), _passed()
        jump = (self._received - before).total_seconds() - (passed - self._passed)
        if sent < self._sent or abs(jump) > JUMP_S:
            self.steady = False
        self._sent, self._passed = sent, passed

    def monotonic(self) -> int:
        """Return nanoseconds on the page's clock when it sent its last message."""
        return self._sent

    def utc(self) -> datetime:
        """Return the time of day at which that message arrived."""
        return self._received


Clock = SystemClock | VirtualClock | ReportedClock
"""The clocks of a session: `monotonic` for measurements, and `utc` for time stamps."""
