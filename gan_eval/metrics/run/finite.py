"""The mean of the values of single pictures: infinite ones (psnr of equal pictures) are left out and counted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

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
