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


def confirmed(question: str) -> bool:
    """Ask on the terminal; everything but a yes is a no, and so is the end of the input."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    try:
        answer = input()
    except EOFError:
        print(file=sys.stderr)
        return False
    return answer.strip().lower() in ("y", "yes")


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
        """`done` of `total` parts of `what` are finished; a total of 0 is unknown.

        Args:
            unit, units_each: the rate is told in these units, of which each part has so many.
        """
        speed = _Speed(unit, units_each)
        if self._rich.is_terminal:
            if what not in self._tasks:
                self._tasks[what] = self._progress.add_task(what, total=total or None, detail=detail, speed=speed)
            self._progress.update(self._tasks[what], completed=done, total=total or None, detail=detail)
            return
        now = time.monotonic()
        task = self._plain.setdefault(what, _PlainTask(now, done, now))
        if (done < total or not total) and now - task.last_line < PLAIN_EVERY_S:
            return
        task.last_line = now
        text = f"{what}: {done}/{total or '?'}"
        if now > task.start and done > task.first:
            rate = (done - task.first) / (now - task.start)
            text += f", {speed.text(rate)}"
            if done < total:
                minutes, seconds = divmod(round((total - done) / rate), 60)
                text += f", {minutes // 60}:{minutes % 60:02d}:{seconds:02d} left"
        self.message(f"{text}  {detail}".rstrip())


@dataclass
class _PlainTask:
    """One task's lines where stderr is not a terminal: times in seconds."""

    start: float
    first: int
    """Parts that were done at the start."""
    last_line: float


@dataclass(frozen=True)
class _Speed:
    """How a rate in parts a second is written."""

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
