"""Progress of long work: one form for every function that reports it, and its receiver."""

import math
from typing import Protocol


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


def about_download(work: str, progress: Progress) -> Progress:
    """Return the progress function of a download, which is given bytes and shows MB and MB/s."""

    def show(done: int, total: int, *_: object, **_more: object) -> None:
        whole = math.ceil(total / 10**6)
        progress(whole if done == total else done // 10**6, whole, f"{work} (MB)", unit="MB")

    return show
