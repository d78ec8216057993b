"""What a command tells its user: progress bars on a terminal, plain lines elsewhere, all on stderr."""

import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

PLAIN_EVERY_S = 10.0
"""Seconds between two plain lines where stderr is not a terminal."""


class Console:
    """A listener of the pipeline (see `gan_eval.study.markers.Listener`)."""

    def __init__(self) -> None:
        self._rich = RichConsole(file=sys.stderr, highlight=False, soft_wrap=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            _Detail(table_column=Column()),  # the only column that gives way on a narrow terminal
            console=self._rich,
            disable=not self._rich.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._plain: dict[str, _PlainTask] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def message(self, text: str) -> None:
        """One line for the user."""
        self._rich.print(Text(text))

    def progress(
        self, what: str, done: int, total: int, detail: str = "", *, unit: str = "", units_each: float = 1.0
    ) -> None:
        """`done` of `total` parts of `what` are finished.

        Args:
            unit, units_each: the rate is told in these units, of which each part has so many.
        """
        speed = _Speed(unit, units_each)
        if not self._rich.is_terminal:
            self._plain_line(what, done, total, detail, speed)
            return
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what, total=total, detail=detail, speed=speed)
        self._progress.update(self._tasks[what], completed=done, total=total, detail=detail)

    def _plain_line(self, what: str, done: int, total: int, detail: str, speed: "_Speed") -> None:
        now = time.monotonic()
        task = self._plain.setdefault(what, _PlainTask(now, done))
        if done < total and now - task.told < PLAIN_EVERY_S:
            return
        task.told = now
        rate = (done - task.first) / (now - task.start) if now > task.start and done > task.first else 0.0
        left = f", {_clock((total - done) / rate)} left" if rate and done < total else ""
        told = f", {speed.text(rate)}{left}" if rate else ""
        self.message(f"{what}: {done}/{total}{told}  {detail}".rstrip())


class _PlainTask:
    def __init__(self, start: float, first: int) -> None:
        self.start, self.first, self.told = start, first, start


@dataclass(frozen=True)
class _Speed:
    """How a rate in parts a second is told."""

    unit: str
    units_each: float

    def text(self, rate: float) -> str:
        digits = f"{rate * self.units_each:.1f}" if rate * self.units_each >= 10 else f"{rate * self.units_each:.2f}"
        return f"{digits} {self.unit}/s" if self.unit else f"{digits}/s"


class _Detail(ProgressColumn):
    """As much of the detail as there is room for."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["detail"], style="dim", no_wrap=True, overflow="ellipsis")


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        return Text("" if rate is None else task.fields["speed"].text(rate))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
