"""Output of a command for its user: progress bars on a terminal, plain lines elsewhere, all on stderr."""

import re
import shlex
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import typer

from gan_eval.base.commands import as_typed

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.table import Table

_NUMBER = re.compile(r"[-+−<≥±*]?\s?[\d∞]|no |–$")
"""Start of a cell in a column of numbers: a number, or the sign or word for a missing one."""
_MAX_ROWS = 100
PLAIN_EVERY_S = 10.0
"""Time in seconds between two plain lines if stderr is not a terminal."""


def say(line: str) -> None:
    """Print a line for the user to stderr; commands in it are printed as the user types them."""
    typer.echo(as_typed(line), err=True)


def print_next_command(*words: str, remark: str = "") -> None:
    """Print the next command, with a remark that the shell ignores, so that the whole line can be copied."""
    line = f"next: {shlex.join(['gan-eval', *words])}{f'  # {remark}' * bool(remark)}"
    typer.echo(as_typed(line), err=True)


class Console:
    """A listener of the pipeline (see `gan_eval.base.progress.Listener`)."""

    def __init__(self) -> None:
        self._file = sys.stderr
        self._bars: Progress | None = None
        """None: not a terminal."""
        self._tasks: dict[str, _Task] = {}
        if self._file.isatty():
            from rich import progress
            from rich.console import Console as RichConsole
            from rich.table import Column

            rest = Column(no_wrap=True, overflow="ellipsis", ratio=1)  # the only one that shrinks
            self._bars = progress.Progress(
                progress.TextColumn("{task.description}", markup=False),
                progress.BarColumn(bar_width=16),
                progress.TimeElapsedColumn(),
                progress.TextColumn("{task.fields[text]}", style="dim", markup=False, table_column=rest),
                expand=True,
                console=RichConsole(file=self._file, highlight=False, soft_wrap=True),
            )

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def message(self, text: str, *, wrap: bool = False) -> None:
        """Print a line; remove the progress bars of finished tasks first.

        Args:
            wrap: break it at spaces on a terminal, never between a number and its unit.
        """
        if self._bars is None:
            print(as_typed(text), file=self._file, flush=True)
            return
        if wrap:
            text = textwrap.fill(text, self._bars.console.width, break_long_words=False, break_on_hyphens=False)
        self._hide_finished()
        self._bars.console.print(as_typed(text), markup=False, emoji=False)

    def _hide_finished(self) -> None:
        """Remove the progress bars of finished tasks."""
        if self._bars is None:
            return
        finished = [task.id for task in self._bars.tasks if task.finished and task.visible]
        for task in finished:
            self._bars.update(task, visible=False)
        if finished:
            self._bars.refresh()

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "") -> None:
        """Print a table of texts without its empty columns; numbers are aligned to the right.

        A narrow terminal wraps cells. Long tables are cut; the files have all rows.
        """
        if caption:
            self.message(caption, wrap=True)
        columns = [column[: _MAX_ROWS + 1] for column in zip(heads, *rows, strict=True) if any(column[1:])]
        if not columns:
            return
        are_numbers = [all(_NUMBER.match(cell) for cell in column[1:] if cell) for column in columns]
        names, *cells = zip(*columns, strict=True)
        if self._bars is None:
            for line in _plain_table([names, *cells], are_numbers):
                print(line, file=self._file)
        else:
            self._bars.console.print(_rich_table(names, cells, are_numbers), soft_wrap=False)
        if len(rows) > len(cells):
            self.message(f"... and {len(rows) - len(cells)} rows more in the files")

    def ask(self, question: str) -> bool:
        """Ask a question and return whether the answer is yes, which is the default; progress stands still."""
        if self._bars is not None:
            self._bars.stop()
        try:
            return typer.confirm(as_typed(question), default=True, err=True)
        finally:
            if self._bars is not None:
                self._bars.start()

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Show on a terminal the elapsed time while work of unknown progress runs; its line is removed at the end."""
        if self._bars is None:
            yield
            return
        task = self._bars.add_task(what, total=None, text="")
        try:
            yield
        finally:
            self._bars.remove_task(task)
            self._bars.refresh()

    def progress(
        self, done: int, total: int, what: str = "", detail: str = "", *, unit: str = "", units_each: float = 1.0
    ) -> None:
        """Show that `done` of `total` parts of `what` are finished (see `gan_eval.base.progress.Progress`)."""
        now = time.monotonic()
        task = self._task(what, done, total, now)
        text = f"{task.text(now, done, unit, units_each)}  {detail}".rstrip()
        if self._bars is not None and task.bar is not None:
            self._bars.update(task.bar, completed=done, total=total or None, text=text, visible=True)
        elif total != 1 and ((total and done >= total) or now - task.last_line >= PLAIN_EVERY_S):
            task.last_line = now
            self.message(f"{what}: {text or 'working'}")

    def _task(self, what: str, done: int, total: int, now: float) -> "_Task":
        """Return the task of this name, which is made if it is new and begins once its total is known."""
        if what not in self._tasks:
            self._hide_finished()
            bar = None if self._bars is None else self._bars.add_task(what, total=total or None, text="")
            self._tasks[what] = _Task(bar, now, done, now, total)
        task = self._tasks[what]
        if total and not task.total:  # what came before was preparation
            task.start, task.first, task.total = now, done, total
        return task


def _rich_table(names: Sequence[str], rows: Sequence[Sequence[str]], are_numbers: Sequence[bool]) -> "Table":
    """Return a table for a terminal; columns of numbers are aligned to the right."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, is_number in zip(names, are_numbers, strict=True):
        table.add_column(Text(name), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _plain_table(rows: Sequence[Sequence[str]], are_numbers: Sequence[bool]) -> Iterator[str]:
    """Yield the lines of a table; columns of numbers are aligned to the right."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        gaps = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        columns = zip(row, gaps, are_numbers, strict=True)
        yield "  ".join(gap + cell if is_number else cell + gap for cell, gap, is_number in columns).rstrip()


def _pace(rate: float, left: int, unit: str, units_each: float) -> str:
    """Return the speed of a task, and how long it still takes.

    Args:
        rate: parts per second.
        left: number of parts that are not done; 0 or less: all are, or their number is not known.

    >>> _pace(0.5, 60, "pictures", 8.0), _pace(12.0, 0, "", 1.0)
    (', 4.00 pictures/s, 0:02:00 left', ', 12.0/s')
    """
    units = rate * units_each
    text = (f", {units:.1f}" if units >= 10 else f", {units:.2f}") + (f" {unit}/s" if unit else "/s")
    if left <= 0:
        return text
    minutes, seconds = divmod(round(left / rate), 60)
    return f"{text}, {minutes // 60}:{minutes % 60:02d}:{seconds:02d} left"


@dataclass
class _Task:
    """One bar on a terminal, or the lines of one task elsewhere: times in seconds."""

    bar: "TaskID | None"
    start: float
    first: int
    """Number of parts that were done at the start."""
    last_line: float
    total: int
    """Number of all parts; 0: not known yet."""

    def text(self, now: float, done: int, unit: str, units_each: float) -> str:
        """Return the number of parts that are done, and how fast."""
        text = f"{done}/{self.total}" if self.total else str(done or "")
        if now > self.start and done > self.first:
            text += _pace((done - self.first) / (now - self.start), self.total - done, unit, units_each)
        return text
