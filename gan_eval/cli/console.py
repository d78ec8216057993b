"""Output of a command for its user: progress bars on a terminal, plain lines elsewhere, all on stderr."""

import re
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from rich.console import Console as RichConsole
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from gan_eval.machine.commands import as_typed

_NUMBER = re.compile(r"[-+−<≥±*]?\s?[\d∞]|no |–$")
"""Start of a cell in a column of numbers: a number, or the sign or word for a missing one."""
_MAX_ROWS = 100
_MAX_WIDTH = 100_000
"""Width of a table in characters when the output is not a terminal."""
PLAIN_EVERY_S = 10.0
"""Time in seconds between two plain lines if stderr is not a terminal."""


class Console:
    """A listener of the pipeline (see `gan_eval.machine.progress.Listener`)."""

    def __init__(self) -> None:
        self._rich = RichConsole(file=sys.stderr, highlight=False, soft_wrap=True)
        if not self._rich.is_terminal:
            self._rich.width = _MAX_WIDTH
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            TimeElapsedColumn(),
            _Detail(table_column=Column()),  # the only column that shrinks on a narrow terminal
            console=self._rich,
            disable=not self._rich.is_terminal,
        )
        self._tasks: dict[str, _Task] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def message(self, text: str) -> None:
        """Print a line; remove the progress bars of finished tasks first."""
        finished = [task.id for task in self._progress.tasks if task.finished and task.visible]
        for task in finished:
            self._progress.update(task, visible=False)
        if finished:
            self._progress.refresh()
        self._rich.print(Text(as_typed(text)))

    def sentence(self, text: str) -> None:
        """Print a line; a terminal wraps it at spaces, never between a number and its unit."""
        if self._rich.is_terminal:
            text = textwrap.fill(text, self._rich.width, break_long_words=False, break_on_hyphens=False)
        self.message(text)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "") -> None:
        """Print a table of texts without its empty columns; numbers are aligned to the right.

        A narrow terminal wraps cells. Long tables are cut; the files have all rows.
        """
        if caption:
            self.sentence(caption)
        filled = [place for place in range(len(heads)) if any(row[place] for row in rows)]
        cells = [[row[place] for place in filled] for row in rows[:_MAX_ROWS]]
        if not cells:
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for place, column in zip(filled, zip(*cells, strict=True), strict=True):
            is_number = all(_NUMBER.match(cell) for cell in column if cell)
            table.add_column(Text(heads[place]), justify="right" if is_number else "left", overflow="fold")
        for row in cells:
            table.add_row(*map(Text, row))
        if self._rich.is_terminal:
            self._rich.print(table, soft_wrap=False)
        else:
            with self._rich.capture() as captured:
                self._rich.print(table, soft_wrap=False)
            for line in captured.get().splitlines():
                self._rich.print(Text(line.rstrip()))
        if len(rows) > len(cells):
            self.message(f"... and {len(rows) - len(cells)} rows more in the files")

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show on a terminal the elapsed time while work of unknown progress runs; its line is removed at the end."""
        task = self._progress.add_task(what, total=None, text="")
        try:
            yield
        finally:
            self._progress.remove_task(task)
            self._progress.refresh()

    def progress(
        self, done: int, total: int, what: str = "", detail: str = "", *, unit: str = "", units_each: float = 1.0
    ) -> None:
        """Show that `done` of `total` parts of `what` are finished (see `gan_eval.machine.progress.Progress`)."""
        now = time.monotonic()
        if what not in self._tasks:
            bar = self._progress.add_task(what, total=total or None, text="")
            self._tasks[what] = _Task(bar, now, done, now)
        task = self._tasks[what]
        text = f"{done}/{total or '?'}"
        if now > task.start and done > task.first:
            rate = (done - task.first) / (now - task.start)
            units = rate * units_each
            text += f", {units:.1f}" if units >= 10 else f", {units:.2f}"
            text += f" {unit}/s" if unit else "/s"
            if done < total:
                minutes, seconds = divmod(round((total - done) / rate), 60)
                text += f", {minutes // 60}:{minutes % 60:02d}:{seconds:02d} left"
        text = f"{text}  {detail}".rstrip()
        if self._rich.is_terminal:
            self._progress.update(task.bar, completed=done, total=total or None, text=text, visible=True)
        elif total != 1 and ((total and done >= total) or now - task.last_line >= PLAIN_EVERY_S):
            task.last_line = now
            self.message(f"{what}: {text}")


@dataclass
class _Task:
    """One bar on a terminal, or the lines of one task elsewhere: times in seconds."""

    bar: TaskID
    start: float
    first: int
    """Number of parts that were done at the start."""
    last_line: float


class _Detail(ProgressColumn):
    """Parts, rate, time left and detail, cut to the available width."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["text"], style="dim", no_wrap=True, overflow="ellipsis")
