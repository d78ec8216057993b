"""This computer: how sessions are presented on it, what its screens do in time and how large they are. Plain Python.

Exposures are rounded to whole frames; a row of time stamps says how steady a screen is; what the self-test measured and
what somebody measured by a ruler is stored for later sessions.
"""

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Any, Final, Literal

from gan_eval.errors import UserError
from gan_eval.files.atomic import write_json
from gan_eval.files.reading import read_json
from gan_eval.quiz.visual_angle import Viewing
from gan_eval.settings.quiz import DISTANCES_CM, SCREEN_WIDTHS_CM, QuizSettings
from gan_eval.tables.frames import Row

PresenterChoice = Literal["auto", "raster", "opengl"]
RoundFrames = Literal["auto", "on", "off"]


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """The presentation of a session on this computer."""

    windowed: bool = False
    """A window of 1280x800 instead of the full screen."""
    intro: bool = True
    """All pages before, between and after the trials; without, the first trial comes first, no consent is recorded,
    and the program ends after the last."""
    screen: int | None = None
    """The monitor's number, from 1; None: the primary one."""
    presenter: PresenterChoice = "auto"
    """The presenter; auto: the one that the self-test found best."""
    round_frames: RoundFrames = "auto"
    """Exposures in whole frames; auto: where the self-test measured vsync."""
    text_size: int = 100
    """Size of the pages' texts, 100 to 200 %."""
    language: str | None = None
    """Language of the program's texts; None: the study's."""
    viewing_distance_cm: float | None = None
    """Viewing distance; None: the study's, else the value kept for this computer."""
    screen_width_cm: float | None = None
    """Width of the visible screen; None: the study's, else the value kept for this computer."""


PresenterName = Literal["raster", "opengl"]


@dataclass(frozen=True)
class ScreenKey:
    """The identity of a screen: after a change of any of these the self-test must be repeated."""

    name: str
    width: int
    """Physical pixels."""
    height: int
    refresh_hz: float
    """Stated by the platform."""
    platform: str
    """Qt's platform: xcb, wayland, windows, cocoa, ..."""

    def __str__(self) -> str:
        return f"{self.panel} {self.refresh_hz:.2f} Hz {self.platform}"

    @property
    def panel(self) -> str:
        """The screen, however it is driven in time."""
        return f"{self.name} {self.width}x{self.height}"


@dataclass(frozen=True)
class Check:
    """One measured value of the self-test, a row of the table `checks` without its session."""

    check: str
    value: float
    unit: str
    verdict: Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class ScreenTiming:
    """The result of the self-test on one screen."""

    presenter: PresenterName
    """The one to use."""
    vsync: bool | None
    """Presenting by OpenGL was measured to wait for the screen; None: it was not measured."""
    refresh_hz: float
    """Measured where `vsync`, else stated by the platform."""
    measured_at: str
    """UTC, ISO 8601."""
    checks: tuple[Check, ...] = ()

    def rows(self, session: str) -> list[Row]:
        """Rows of the table `checks`."""
        shared = {"session": session, "measured_at": self.measured_at, "simulated": False, "fraction": None}
        return [{**asdict(check), **shared} for check in self.checks]


def station_file() -> Path:
    """Return the file with this user's screens, in the system's usual place."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return folder / "gan-eval" / "screens.json"


def read_timing(screen: ScreenKey) -> ScreenTiming | None:
    """The stored timing of this screen; None where the self-test was never run on it.

    Raises:
        UserError: the file is damaged.
    """
    timing = _read_record().get(str(screen))
    if timing is None:
        return None
    try:
        return ScreenTiming(**{**timing, "checks": tuple(Check(**check) for check in timing["checks"])})
    except (KeyError, TypeError) as error:
        raise _damaged() from error


def keep_timing(screen: ScreenKey, timing: ScreenTiming) -> Path:
    """Store the timing of a screen, in place of an earlier one; the path of the record.

    Raises:
        UserError: the file is damaged, or cannot be written.
    """
    return _write_record({**_read_record(), str(screen): asdict(timing)})


@dataclass(frozen=True)
class ScreenSize:
    """The measured width of a screen and viewing distance; None: not measured."""

    screen_width_cm: float | None = None
    viewing_distance_cm: float | None = None

    def viewing(self, screen: ScreenKey) -> Viewing:
        """The same in the units of the tables."""
        width, distance = self.screen_width_cm, self.viewing_distance_cm
        return Viewing(
            None if width is None else screen.width / (10 * width), None if distance is None else 10 * distance
        )


_SIZES = "sizes"
"""The record's entry for sizes. They are kept by the screen's name and pixels: another refresh rate changes no size."""


def read_size(screen: ScreenKey) -> ScreenSize:
    """Return the kept size of a screen.

    Raises:
        UserError: the file is damaged.
    """
    try:
        size = ScreenSize(**_read_record().get(_SIZES, {}).get(screen.panel, {}))
    except (AttributeError, TypeError) as error:
        raise _damaged() from error
    for value, (least, most) in ((size.screen_width_cm, SCREEN_WIDTHS_CM), (size.viewing_distance_cm, DISTANCES_CM)):
        if value is not None and not (type(value) in (int, float) and least <= value <= most):
            raise _damaged()
    return size


def presented_size(screen: ScreenKey, *sources: Presentation | QuizSettings) -> ScreenSize:
    """A screen's size by the first of these sources that gives it, else as it was kept, each length separately.

    Raises:
        UserError: the file is damaged.
    """
    size = read_size(screen)
    for source in reversed(sources):
        given = {name: getattr(source, name) for name in asdict(size) if getattr(source, name) is not None}
        size = replace(size, **given)
    return size


def keep_size(screen: ScreenKey, size: ScreenSize) -> Path:
    """Store a screen's size, in place of an earlier one; the path of the record.

    Raises:
        UserError: the file is damaged, or cannot be written.
    """
    read_size(screen)
    record = _read_record()
    return _write_record({**record, _SIZES: {**record.get(_SIZES, {}), screen.panel: asdict(size)}})


def _read_record() -> dict[str, Any]:
    path = station_file()
    record = read_json(path) if path.is_file() else {}
    if not isinstance(record, dict):
        raise _damaged()
    return record


def _write_record(record: dict[str, Any]) -> Path:
    path = station_file()
    write_json(path, record)
    return path


def _damaged() -> UserError:
    return UserError(
        f"{station_file()}: not a record of this computer's screens; remove it and repeat `gan-eval quiz --self-test`"
    )


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
    """The distribution of a quantity in milliseconds."""

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
    """The timing of a screen, from the moments at which frames were presented."""

    frame_ms: float
    """The median interval."""
    jitter_ms: float
    """Standard deviation of the intervals that left no frame out."""
    dropped: float
    """Share of intervals that left at least one frame out, 0..1."""

    def blocks(self, stated_hz: float) -> bool:
        """Return whether presenting waits for the screen, for frames presented without any other wait.

        Then a frame takes as long as the platform states, each the same. Without vsync, frames follow each other
        at the speed of drawing.
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
