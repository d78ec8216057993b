"""Output of a command for its user: progress bars on a terminal, plain lines elsewhere, all on stderr."""

import re
import sys
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
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
from rich.table import Column, Table
from rich.text import Text

from gan_eval.machine.commands import as_typed

_NUMBER = re.compile(r"[-+−<≥±*]?\s?[\d∞]|no |–$")
"""The start of a cell in a column of numbers: a number, or that there is none."""
_MOST_ROWS = 100
_WIDEST = 100_000
"""Width of a table in characters when the output is not a terminal."""
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
        if not self._rich.is_terminal:
            self._rich.width = _WIDEST
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            _Count(),
            _Rate(),
            _Time(),
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
        """One line for the user, who has then seen the bars of what is finished: they go."""
        finished = [task.id for task in self._progress.tasks if task.finished and task.visible]
        for task in finished:
            self._progress.update(task, visible=False)
        if finished:
            self._progress.refresh()
        self._rich.print(Text(as_typed(text)))

    def sentence(self, text: str) -> None:
        """One line for the user; on a terminal it is broken at spaces, not within a word or a number and its unit."""
        if self._rich.is_terminal:
            text = textwrap.fill(text, self._rich.width, break_long_words=False, break_on_hyphens=False)
        self.message(text)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "") -> None:
        """A table of texts: columns of numbers to the right, without empty ones; a narrow terminal breaks cells.
        Long tables are cut: the files have all."""
        if caption:
            self.sentence(caption)
        filled = [place for place in range(len(heads)) if any(row[place] for row in rows)]
        cells = [[row[place] for place in filled] for row in rows[:_MOST_ROWS]]
        if not cells:
            return
        table = _table([heads[place] for place in filled], cells)
        if self._rich.is_terminal:
            self._rich.print(table, soft_wrap=False)
        else:
            with self._rich.capture() as captured:
                self._rich.print(table, soft_wrap=False)
            for line in captured.get().splitlines():
                self.message(line.rstrip())
        if len(rows) > len(cells):
            self.message(f"... and {len(rows) - len(cells)} rows more in the files")

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show the elapsed time while work of unknown progress runs; a terminal's line is removed at the end."""
        if self._rich.is_terminal:
            task = self._progress.add_task(what, total=None, detail="", speed=_Speed("", 1.0))
            try:
                yield
            finally:
                self._progress.remove_task(task)
                self._progress.refresh()
            return
        ended = threading.Event()

        def tell() -> None:
            start = time.monotonic()
            while not ended.wait(PLAIN_EVERY_S):
                self.message(f"{what}: {time.monotonic() - start:.0f} s")

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()

    def progress(
        self, what: str, done: int, total: int, detail: str = "", *, unit: str = "", units_each: float = 1.0
    ) -> None:
        """`done` of `total` parts of `what` are finished; a total of 0 is unknown.

        Args:
            unit, units_each: unit of the rate, and number of units in each part.
        """
        speed = _Speed(unit, units_each)
        if self._rich.is_terminal:
            if what not in self._tasks:
                self._tasks[what] = self._progress.add_task(what, total=total or None, detail=detail, speed=speed)
            bar = self._tasks[what]
            self._progress.update(bar, completed=done, total=total or None, detail=detail, visible=True)
            return
        if total == 1:  # how far says nothing in a line
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


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return the table as rich lays it out: columns of numbers to the right, cells broken where it is too wide."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head, column in zip(heads, zip(*rows, strict=True), strict=True):
        is_number = all(_NUMBER.match(cell) for cell in column if cell)
        table.add_column(Text(head), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


@dataclass
class _PlainTask:
    """One task's lines where stderr is not a terminal: times in seconds."""

    start: float
    first: int
    """Parts that were done at the start."""
    last_line: float


@dataclass(frozen=True)
class _Speed:
    """Format of a rate in parts a second."""

    unit: str
    units_each: float

    def text(self, rate: float) -> str:
        digits = f"{rate * self.units_each:.1f}" if rate * self.units_each >= 10 else f"{rate * self.units_each:.2f}"
        return f"{digits} {self.unit}/s" if self.unit else f"{digits}/s"


class _Count(MofNCompleteColumn):
    """Parts that are done, of how many; nothing of what has no parts."""

    def render(self, task: Task) -> Text:
        return Text() if task.total is None and not task.completed else super().render(task)


class _Time(TimeRemainingColumn):
    """The time that is left; what has no parts: that it has taken."""

    def render(self, task: Task) -> Text:
        if task.total is None and not task.completed:
            return Text(str(timedelta(seconds=int(task.elapsed or 0))), style="progress.elapsed")
        return super().render(task)


class _Detail(ProgressColumn):
    """The detail, cut to the room that is left."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["detail"], style="dim", no_wrap=True, overflow="ellipsis")


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        return Text("" if rate is None else task.fields["speed"].text(rate))
