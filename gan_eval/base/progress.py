"""Progress of long work: one form for every function that reports it, and its receiver."""

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

EVERY_S = 0.2
"""Minimum time in seconds between two texts of a line of progress."""


class Progress(Protocol):
    """Function that shows progress to the user."""

    def __call__(
        self, done: int, total: int, what: str = "", detail: str = "", *, unit: str = "", units_each: float = 1.0
    ) -> None:
        """Show that `done` of `total` parts of `what` are finished.

        Args:
            total: 0: unknown.
            what: a part of the work, if it has several; the caller of the function names the work itself (`about`).
            detail: more to show with it, such as losses.
            unit, units_each: unit of the rate, and number of units in each part.
        """


class Listener(Protocol):
    """Receiver of messages and progress."""

    def message(self, text: str) -> None:
        """Show one line to the user."""

    @property
    def progress(self) -> Progress:
        """Function that shows progress."""


def about(work: str, progress: Progress, *, unit: str = "") -> Progress:
    """Return the progress function for one piece of work.

    >>> show = about("metrics", lambda done, total, what, detail, **_: print(f"{what}: {done}/{total}"))
    >>> show(1, 9, "pictures"), show(9, 9)
    metrics: pictures: 1/9
    metrics: 9/9
    (None, None)
    """

    def show(
        done: int, total: int, what: str = "", detail: str = "", *, unit: str = unit, units_each: float = 1.0
    ) -> None:
        progress(done, total, f"{work}: {what}" if what else work, detail, unit=unit, units_each=units_each)

    return show


@contextmanager
def line_of_progress(work: str) -> Iterator[Progress | None]:
    """Show progress in one line of stderr, rewritten in place and removed at the end; None where nobody looks.

    It is for functions that are called from Python: in a terminal, or in a notebook.
    """
    if not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        yield None
        return
    start, last, width = time.monotonic(), -math.inf, 0

    def show(done: int, total: int, what: str = "", *_: object, **_more: object) -> None:
        nonlocal last, width
        if (now := time.monotonic()) - last < EVERY_S and done < total:
            return
        last = now
        left = f", {round((now - start) * (total - done) / done)} s left" if 0 < done < total else ""
        text = f"{work}: {f'{what} ' if what else ''}{f'{done}/{total}' if total else done or ''}{left}"
        sys.stderr.write(f"\r{text:<{width}}")
        sys.stderr.flush()
        width = len(text)

    try:
        yield show
    finally:
        if width:
            sys.stderr.write(f"\r{' ' * width}\r")
            sys.stderr.flush()


def about_download(work: str, progress: Progress) -> Progress:
    """Return the progress function of a download, which is given bytes and shows MB and MB/s."""

    def show(done: int, total: int, *_: object, **_more: object) -> None:
        whole = math.ceil(total / 10**6)
        progress(whole if done == total else done // 10**6, whole, f"{work} (MB)", unit="MB")

    return show
