"""This computer: how sessions are presented on it, what its screens do in time and how large they are. Plain Python."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median, pstdev
from typing import Annotated, Literal

from platformdirs import user_state_path
from pydantic import Field, TypeAdapter, ValidationError

from gan_eval.errors import UserError
from gan_eval.files.atomic import write_json
from gan_eval.files.reading import read_json
from gan_eval.quiz.visual_angle import Viewing
from gan_eval.settings.quiz import DISTANCES_CM, SCREEN_WIDTHS_CM, QuizSettings
from gan_eval.tables.frames import Row

PresenterName = Literal["raster", "opengl"]
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


@dataclass(frozen=True)
class ScreenSize:
    """The measured width of a screen and viewing distance; None: not measured."""

    screen_width_cm: Annotated[float, Field(ge=SCREEN_WIDTHS_CM[0], le=SCREEN_WIDTHS_CM[1])] | None = None
    viewing_distance_cm: Annotated[float, Field(ge=DISTANCES_CM[0], le=DISTANCES_CM[1])] | None = None

    def viewing(self, screen: ScreenKey) -> Viewing:
        """The same in the units of the tables."""
        width, distance = self.screen_width_cm, self.viewing_distance_cm
        return Viewing(
            None if width is None else screen.width / (10 * width), None if distance is None else 10 * distance
        )


@dataclass(frozen=True)
class Record:
    """The record of this computer's screens for later sessions."""

    timings: dict[str, ScreenTiming] = field(default_factory=dict)
    """By `ScreenKey`."""
    sizes: dict[str, ScreenSize] = field(default_factory=dict)
    """By `ScreenKey.panel`: another refresh rate changes no size."""


def station_file() -> Path:
    """Return the file with this user's screens, in the system's usual place."""
    return user_state_path("gan-eval", appauthor=False) / "screens.json"


def read_record() -> Record:
    """Return what is kept of this computer's screens.

    Raises:
        UserError: the file is damaged.
    """
    path = station_file()
    try:
        return TypeAdapter(Record).validate_python(read_json(path) if path.is_file() else {})
    except ValidationError as error:
        message = "not a record of this computer's screens; remove it and repeat `gan-eval quiz --self-test`"
        raise UserError(f"{path}: {message}") from error


def keep(screen: ScreenKey, kept: ScreenTiming | ScreenSize) -> Path:
    """Store a screen's timing or size, in place of an earlier one; the path of the record.

    Raises:
        UserError: the file is damaged, or cannot be written.
    """
    path, record = station_file(), read_record()
    if isinstance(kept, ScreenTiming):
        record.timings[str(screen)] = kept
    else:
        record.sizes[screen.panel] = kept
    write_json(path, asdict(record))
    return path


def presented_size(screen: ScreenKey, *sources: Presentation | QuizSettings) -> ScreenSize:
    """A screen's size by the first of these sources that gives it, else as it was kept, each length separately.

    Raises:
        UserError: the file is damaged.
    """
    size = read_record().sizes.get(screen.panel, ScreenSize())
    for source in reversed(sources):
        given = {name: getattr(source, name) for name in asdict(size) if getattr(source, name) is not None}
        size = replace(size, **given)
    return size


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

        Then a frame takes as long as the platform states (59.94 Hz is stated as 60), each the same. Without vsync,
        frames follow each other at the speed of drawing.
        """
        stated_ms = 1000 / stated_hz
        return abs(self.frame_ms - stated_ms) < 0.03 * stated_ms and self.jitter_ms < 0.1 * stated_ms


def pace(stamps: Sequence[int]) -> Pace:
    """Look at at least three moments in nanoseconds, in order; an interval above 1.5 frames has left one out.

    >>> pace([0, 10_000_000, 20_000_000, 40_000_000])
    Pace(frame_ms=10.0, jitter_ms=0.0, dropped=0.3333333333333333)
    """
    intervals = [(after - before) / 1e6 for before, after in pairwise(stamps)]
    typical = median(intervals)
    steady = [interval for interval in intervals if interval <= 1.5 * typical]
    return Pace(typical, pstdev(steady), (len(intervals) - len(steady)) / len(intervals))
