"""This computer: how it presents sessions, and the measured timing of its screens."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median, pstdev
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from gan_eval.base.atomic import write_json
from gan_eval.base.errors import UserError
from gan_eval.base.reading import read_json
from gan_eval.tables.frames import Row

PresenterName = Literal["raster", "opengl"]


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """The presentation of a session on this computer; None: as in the study."""

    windowed: bool = False
    """Use a window of 1280x800 instead of the full screen."""
    intro: bool = True
    """Show all pages before, between and after the trials. Without them no consent is recorded."""
    screen: int | None = None
    """The monitor's number, from 1; None: the primary one."""
    text_size: int = 100
    """Size of the pages' texts, 100 to 200%."""
    language: str | None = None
    viewing_distance_cm: float | None = None
    screen_width_cm: float | None = None
    """Width of the visible screen."""
    note: str = ""
    """A line on the page before the first picture."""


@dataclass(frozen=True)
class ScreenKey:
    """The identity of a screen with its physical pixels, stated refresh rate and Qt platform; a self-test holds for
    one identity."""

    name: str
    width: int
    height: int
    refresh_hz: float
    platform: str

    def __str__(self) -> str:
        return f"{self.name} {self.width}x{self.height} {self.refresh_hz:.2f} Hz {self.platform}"


@dataclass(frozen=True)
class ScreenCheck:
    """One measured value of the self-test, a row of the table `checks` without its session."""

    check: str
    value: float
    unit: str
    verdict: Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class ScreenTiming:
    """The result of the self-test on one screen."""

    presenter: PresenterName
    """The presenter to use."""
    vsync: bool | None
    """True if OpenGL swaps wait for the screen; None: not measured."""
    refresh_hz: float
    """Refresh rate: measured with `vsync`, else stated by the platform."""
    measured_at: str
    """UTC, ISO 8601."""
    checks: tuple[ScreenCheck, ...] = ()

    def rows(self, session: str) -> list[Row]:
        """Rows of the table `checks`."""
        shared = {"session": session, "measured_at": self.measured_at, "simulated": False, "fraction": None}
        return [{**asdict(check), **shared} for check in self.checks]


def station_file() -> Path:
    """Return the file with the records of this user's screens."""
    from platformdirs import user_state_path

    return user_state_path("gan-eval", appauthor=False) / "screens.json"


def read_timings() -> dict[str, ScreenTiming]:
    """Return the measured timings of this user's screens, by `ScreenKey`."""
    path = station_file()
    try:
        return TypeAdapter(dict[str, ScreenTiming]).validate_python(read_json(path) if path.is_file() else {})
    except ValidationError as error:
        raise UserError(f"{path}: damaged; remove it and repeat `gan-eval quiz --self-test`") from error


def save_timing(screen: ScreenKey, timing: ScreenTiming) -> Path:
    """Store a screen's timing, replacing an earlier one; return the path of the record."""
    timings = read_timings() | {str(screen): timing}
    write_json(station_file(), {name: asdict(each) for name, each in timings.items()})
    return station_file()


def round_exposure(requested_ms: float, refresh_hz: float) -> float:
    """Return the exposure in whole frames (at least one) nearest to the requested one; halves are rounded up.

    >>> round_exposure(100, 60), round(round_exposure(110, 60), 3), round(round_exposure(1, 60), 3)
    (100.0, 116.667, 16.667)
    """
    frames = max(1, math.floor(requested_ms * refresh_hz / 1000 + 0.5))
    return frames * 1000 / refresh_hz


@dataclass(frozen=True)
class Pace:
    """The timing of a screen, computed from the moments at which frames were presented."""

    frame_ms: float
    """The median interval."""
    jitter_ms: float
    """Standard deviation of the intervals without dropped frames."""
    dropped: float
    """Share of intervals with dropped frames, 0..1."""

    def blocks(self, stated_hz: float) -> bool:
        """Return True if presenting waits for the screen: every frame takes the stated time (59.94 Hz counts as 60)."""
        stated_ms = 1000 / stated_hz
        return abs(self.frame_ms - stated_ms) < 0.03 * stated_ms and self.jitter_ms < 0.1 * stated_ms


def pace(stamps: Sequence[int]) -> Pace:
    """Return the timing from three or more ascending moments in ns; an interval above 1.5 frames dropped a frame.

    >>> pace([0, 10_000_000, 20_000_000, 40_000_000])
    Pace(frame_ms=10.0, jitter_ms=0.0, dropped=0.3333333333333333)
    """
    intervals = [(after - before) / 1e6 for before, after in pairwise(stamps)]
    typical = median(intervals)
    steady = [interval for interval in intervals if interval <= 1.5 * typical]
    return Pace(typical, pstdev(steady), (len(intervals) - len(steady)) / len(intervals))
