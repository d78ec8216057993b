"""What could not be measured, in lines for the user.

The mean of the values of single pictures: infinite ones (psnr of equal pictures) are left out and counted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gan_eval.stimuli.pictures import SUFFIXES

_FILE = re.compile(rf"^.*?(?:{'|'.join(map(re.escape, sorted(SUFFIXES)))}): ", re.IGNORECASE)
_OWN = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


@dataclass
class _Gap:
    """Values that are missing for one kind of reason."""

    reason: str
    """In the words of the first."""
    of: dict[str, None] = field(default_factory=dict)
    """The pictures or sets, in order."""
    metrics: dict[str, None] = field(default_factory=dict)

    def line(self, things: str) -> str:
        first, metrics = next(iter(self.of)), ", ".join(self.metrics)
        if len(self.of) == 1:
            return f"{first}: no {metrics}: {self.reason}"
        return f"{len(self.of)} {things}: no {metrics}; the first, {first}: {self.reason}"


def missing_values(frames: Mapping[str, pd.DataFrame], *, most: int = 20) -> list[str]:
    """What is missing and why: a line for each kind of reason, those of most pictures first.

    Reasons are of one kind where they differ in nothing but a file's name, a quoted name or numbers.

    Args:
        frames: the tables `image_metrics` and `set_metrics` by name.
        most: so many lines at the most; one more then counts the rest.
    """
    images, sets = frames["image_metrics"], frames["set_metrics"]
    of_pictures = _gaps(images, images["stimulus"])
    of_sets = _gaps(sets, sets["model"] + " on " + sets["dataset"])
    return first_lines(
        [*(gap.line("sets") for gap in of_sets), *(gap.line("pictures") for gap in of_pictures)], most=most
    )


def first_lines(lines: Sequence[str], *, most: int = 20) -> list[str]:
    """The first lines, and one that counts the rest where there are more.

    >>> first_lines(["a", "b", "c"], most=1)
    ['a', '... and 2 more']
    """
    rest = len(lines) - most
    return [*lines[:most], f"... and {rest} more"] if rest > 0 else list(lines)


def _gaps(frame: pd.DataFrame, of: pd.Series) -> list[_Gap]:
    """The missing values of a table by kind of reason, the kinds of most pictures or sets first."""
    missing = frame["value"].isna()
    gaps: dict[str, _Gap] = {}
    for name, metric, reason in zip(of[missing], frame["metric"][missing], frame["reason"][missing], strict=True):
        gap = gaps.setdefault(_kind(str(reason)), _Gap(str(reason)))
        gap.of[str(name)] = None
        gap.metrics[str(metric)] = None
    return sorted(gaps.values(), key=lambda gap: -len(gap.of))


def _kind(reason: str) -> str:
    """The reason without what is this picture's own."""
    return _OWN.sub("", _FILE.sub("", reason))


_LARGE = 1e150


@dataclass(frozen=True)
class FiniteMean:
    """Mean and spread of the finite values among some."""

    mean: float | None
    """None where no value is finite."""
    sd: float | None
    """With n - 1; None for fewer than two."""
    n: int
    """Finite values."""
    left_out: int
    """Values that are infinite, or NaN."""


def finite_mean(values: ArrayLike) -> FiniteMean:
    """Of any number of values.

    >>> finite_mean([20.0, 22.0, float("inf")])
    FiniteMean(mean=21.0, sd=1.4142135623730951, n=2, left_out=1)
    """
    given = np.asarray(values, dtype=np.float64)
    finite = given[np.isfinite(given)]
    unit = max(1.0, float(np.abs(finite).max(initial=0.0)) / _LARGE)  # squares of greater numbers are infinite
    return FiniteMean(
        mean=unit * float((finite / unit).mean()) if len(finite) else None,
        sd=unit * float((finite / unit).std(ddof=1)) if len(finite) > 1 else None,
        n=len(finite),
        left_out=len(given) - len(finite),
    )
