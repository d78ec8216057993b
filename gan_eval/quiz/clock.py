"""The clocks that a session runs on: the machine's, and a virtual one for simulated participants.

What the quiz needs of its clock: it never jumps (so not the time of day), resolves well below a millisecond, and is
shared with programs that watch from outside. `time.perf_counter_ns` is all three: CLOCK_MONOTONIC on Linux,
mach_absolute_time on macOS, QueryPerformanceCounter on Windows (where `time.monotonic_ns` moves in steps of 16 ms
before Python 3.13).
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from gan_eval.tables.frames import Row

now_ns: Final = time.perf_counter_ns
"""The monotonic clock of the quiz, in nanoseconds."""


CLOCK_TOLERANCE = timedelta(minutes=5)
"""Two computers' clocks, or one before and after it was set, may differ by this much."""


class SystemClock:
    """The machine's clocks. The time of day never goes back: where it is set back, it continues as it was."""

    def __init__(self) -> None:
        self._latest = datetime.now(UTC)
        self._when = now_ns()

    def monotonic(self) -> int:
        """Nanoseconds that never jump."""
        return now_ns()

    def utc(self) -> datetime:
        """The time of day, in UTC."""
        when = now_ns()
        self._latest = max(datetime.now(UTC), self._latest + timedelta(microseconds=(when - self._when) / 1000))
        self._when = when
        return self._latest


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


def read_instant(text: str) -> datetime:
    """An instant of a table; one without an offset is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def last_instant(session: Row, done: Iterable[Row], onsets: Iterable[Row]) -> datetime | None:
    """Return the last instant of a stored session; None where it has none.

    Args:
        done: its rows of `gan_eval.tables.TRIALS`.
        onsets: its rows of `gan_eval.tables.ONSETS`.
    """
    instants = [session.get("started_at"), *(row.get("answered_at") for row in done)]
    instants += [row.get("shown_at") for row in onsets]
    return max((read_instant(text) for text in instants if text), default=None)
