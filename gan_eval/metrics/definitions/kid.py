"""Kernel Inception distance: the squared maximum mean discrepancy over all pairs of pictures.

The estimate is unbiased for independent sets. If both sets hold pictures of the same items, these N pairs are more
alike than other pairs, and the value is too low by an amount that falls with 1/N.
"""

import math

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.frechet import Features, require_finite
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

BLOCK = 1024
"""Number of rows and columns of the kernel matrix in memory at a time."""


def kid(real: Features, fake: Features) -> float:
    """KID (Binkowski et al. 2018): cubic kernel (xᵀy/d + 1)³, diagonals left out, float64, no subsets, no seed.

    Raises:
        Unmeasurable: a set has fewer than two members, or a feature is not finite.

    >>> x = np.array([[0.0], [1.0]])
    >>> kid(x, x)  # (1 + 1)/2 + (1 + 1)/2 - 2 (1 + 1 + 1 + 8)/4
    -3.5
    """
    n, m = len(real), len(fake)
    if min(n, m) < 2:
        raise Unmeasurable(f"{n} real and {m} generated pictures; KID needs two of each")
    own = _sum_within(real) / (n * (n - 1)) + _sum_within(fake) / (m * (m - 1))
    value = own - 2 * _sum(real, fake) / (n * m)
    require_finite(value)
    return float(value)


KID = Metric(
    name="kid",
    title="KID",
    kind="set",
    measures="squared maximum mean discrepancy of two sets' Inception features; unbiased for independent sets, "
    "too low where they share items; may be below 0",
    low=-math.inf,
    source="Binkowski et al. 2018; cubic kernel, all pairs; Inception 2015-12-05",
    definition="kid/inception-2015-12-05/all-pairs",
    function=kid,
    weights=("inception",),
    extractor="inception",
)


def _sum_within(x: Features) -> float:
    """Return the kernel's sum over all pairs of different pictures of a set; blocks above the diagonal count twice."""
    total = 0.0
    for i in range(0, len(x), BLOCK):
        rows = _block(x, i)
        scaled = rows / x.shape[1]
        diagonal = float(((np.einsum("ij,ij->i", scaled, rows) + 1) ** 3).sum())
        of_rows = (_sum_of_block(scaled, rows) - diagonal) / 2
        for j in range(i + BLOCK, len(x), BLOCK):
            of_rows += _sum_of_block(scaled, _block(x, j))
        total += of_rows
    return 2 * total


def _sum(x: Features, y: Features) -> float:
    """Return the kernel's sum over all pairs of two sets."""
    total = 0.0
    for i in range(0, len(x), BLOCK):
        scaled, of_rows = _block(x, i) / x.shape[1], 0.0
        for j in range(0, len(y), BLOCK):
            of_rows += _sum_of_block(scaled, _block(y, j))
        total += of_rows
    return total


def _sum_of_block(scaled: NDArray[np.float64], columns: NDArray[np.float64]) -> float:
    """Return the kernel's sum over the pairs of some rows, divided by d, and some columns."""
    kernel = scaled @ columns.T
    kernel += 1
    return float(np.vdot(kernel * kernel, kernel))


def _block(x: Features, start: int) -> NDArray[np.float64]:
    return np.asarray(x[start : start + BLOCK], dtype=np.float64)


METRICS = (KID,)
