"""Missing values as messages, and the mean of the finite ones: infinite ones (psnr of equal pictures) are counted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gan_eval.stimuli.pictures import SUFFIXES

_FILE = re.compile(rf"^.*?(?:{'|'.join(map(re.escape, sorted(SUFFIXES)))}): ", re.IGNORECASE)
_SPECIFIC = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
"""In a reason what is specific to a picture: quoted names and numbers."""


@dataclass
class _Gap:
    """Values that are missing for one kind of reason."""

    reason: str
    """In the words of the first."""
    owners: dict[str, None] = field(default_factory=dict)
    """The pictures or sets, in order."""
    metrics: dict[str, None] = field(default_factory=dict)

    def message(self, things: str) -> str:
        first, metrics = next(iter(self.owners)), ", ".join(self.metrics)
        if len(self.owners) == 1:
            return f"{first}: no {metrics}: {self.reason}"
        return f"{len(self.owners)} {things}: no {metrics}; the first, {first}: {self.reason}"


def missing_values(frames: Mapping[str, pd.DataFrame], *, most: int = 20) -> list[str]:
    """A message for each kind of reason for missing values, those of most pictures first.

    Reasons are of one kind where they differ in nothing but a file's name, a quoted name or numbers.

    Args:
        frames: the tables `image_metrics` and `set_metrics` by name.
        most: so many lines at the most; one more then counts the rest.
    """
    images, sets = frames["image_metrics"], frames["set_metrics"]
    of_sets = _gaps(sets, sets["model"] + " on " + sets["dataset"])
    of_pictures = _gaps(images, images["stimulus"])
    messages = [gap.message("sets") for gap in of_sets] + [gap.message("pictures") for gap in of_pictures]
    return first_lines(messages, most=most)


def first_lines(lines: Sequence[str], *, most: int = 20) -> list[str]:
    """The first lines, and one that counts the rest where there are more.

    >>> first_lines(["a", "b", "c"], most=1)
    ['a', '... and 2 more']
    """
    rest = len(lines) - most
    return [*lines[:most], f"... and {rest} more"] if rest > 0 else list(lines)


def _gaps(frame: pd.DataFrame, owners: pd.Series) -> list[_Gap]:
    """The missing values of a table by kind of reason, the kinds of most pictures or sets first."""
    missing = frame["value"].isna()
    gaps: dict[str, _Gap] = {}
    for owner, metric, reason in zip(owners[missing], frame["metric"][missing], frame["reason"][missing], strict=True):
        kind = _SPECIFIC.sub("", _FILE.sub("", str(reason)))
        gap = gaps.setdefault(kind, _Gap(str(reason)))
        gap.owners[str(owner)] = None
        gap.metrics[str(metric)] = None
    return sorted(gaps.values(), key=lambda gap: -len(gap.owners))


_LARGE = 1e150


@dataclass(frozen=True)
class FiniteMean:
    """Mean and standard deviation of the finite values."""

    mean: float | None
    """None where no value is finite."""
    sd: float | None
    """With n - 1; None for fewer than two."""
    n: int
    """Finite values."""
    left_out: int
    """Values that are infinite, or NaN: in neither."""


def finite_mean(values: ArrayLike) -> FiniteMean:
    """Mean and standard deviation of the finite ones of any number of values.

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
