"""The time of day within a session."""

from datetime import UTC, datetime, timedelta

import pytest

from gan_eval.quiz import clock


class MovedClock(datetime):
    """The machine's time of day, with a person who sets it."""

    offset = timedelta(0)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime.now(UTC) + cls.offset


def test_a_clock_that_is_set_back_goes_on_and_one_set_forward_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "datetime", MovedClock)
    moments, machine = [0], clock.SystemClock
    monkeypatch.setattr(clock, "now_ns", lambda: moments[-1])
    running = machine()
    first = running.utc()
    MovedClock.offset = timedelta(hours=-2)
    moments.append(5_000_000_000)
    second = running.utc()
    assert second - first == timedelta(seconds=5)
    MovedClock.offset = timedelta(hours=3)
    assert running.utc() - first > timedelta(hours=2.9)
    MovedClock.offset = timedelta(0)
    moments.append(6_000_000_000)
    assert running.utc() - first > timedelta(hours=2.9)


def test_an_instant_without_an_offset_is_utc() -> None:
    assert clock.read_instant("2026-01-31T12:00:00") == clock.read_instant("2026-01-31T13:00:00+01:00")
