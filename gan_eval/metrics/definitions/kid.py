"""Kernel Inception distance: the squared maximum mean discrepancy over all pairs of pictures.

Its estimate is unbiased for sets that were drawn independently. Where both hold pictures of the same items, these N
pairs are nearer than chance, and the value is too low by an amount that falls with 1/N.

The sums of the kernel are kept for each pair of groups of items, so that one pass over all pairs gives the value
and the values without each group.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.jackknife import GROUPS, Comparison, Estimate, PictureSet, as_of_equal_groups
from gan_eval.metrics.definitions.moments import Features
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

BLOCK = 1024
"""Rows and columns of the kernel matrix that are held at a time."""


def kid(real: Features, fake: Features) -> float:
    """KID (Binkowski et al. 2018): cubic kernel (xᵀy/d + 1)³, diagonals left out, float64, no subsets, no seed.

    Raises:
        Unmeasurable: a set has fewer than two members, or a feature is not finite.

    >>> x = np.array([[0.0], [1.0]])
    >>> kid(x, x)  # (1 + 1)/2 + (1 + 1)/2 - 2 (1 + 1 + 1 + 8)/4
    -3.5
    """
    return compare_kid(PictureSet(real, (), None))(PictureSet(fake, (), None), ["kid"])["kid"].value


def compare_kid(real: PictureSet) -> Comparison:
    """Return a function that computes KID of sets against these real pictures."""
    of_x, within_x = _membership(real), _sums_within(real)

    def compare(fake: PictureSet, _: Sequence[str]) -> dict[str, Estimate]:
        n, m = len(real.features), len(fake.features)
        if min(n, m) < 2:
            raise Unmeasurable(f"{n} real and {m} generated pictures; KID needs two of each")
        of_y, within_y = _membership(fake), _sums_within(fake)
        across = np.zeros((GROUPS, GROUPS))
        for i in range(0, n, BLOCK):
            rows = _block(real.features, i)
            for j in range(0, m, BLOCK):
                across += of_x[i : i + BLOCK].T @ _kernel(rows, _block(fake.features, j)) @ of_y[j : j + BLOCK]
        counts_x, counts_y = of_x.sum(axis=0), of_y.sum(axis=0)

        def without(group: int) -> float:
            """KID without a group; of all pictures for -1."""
            kept = np.arange(GROUPS) != group
            pairs = np.ix_(kept, kept)
            x, y = counts_x[kept].sum(), counts_y[kept].sum()
            if min(x, y) < 2:
                return np.nan
            own = within_x[pairs].sum() / (x * (x - 1)) + within_y[pairs].sum() / (y * (y - 1))
            return float(own - 2 * across[pairs].sum() / (x * y))

        value = without(-1)
        if not np.isfinite(value):
            raise Unmeasurable("a feature is not finite")
        if real.groups is None or fake.groups is None:
            return {"kid": Estimate(value)}
        left_out = np.array([without(group) for group in range(GROUPS)])
        if np.isnan(left_out).any():
            return {"kid": Estimate(value)}
        return {"kid": Estimate(value, as_of_equal_groups(value, left_out, fake.groups))}

    return compare


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
    compare=compare_kid,
)


def _sums_within(pictures: PictureSet) -> NDArray[np.float64]:
    """(GROUPS, GROUPS) the kernel's sums over all pairs of different pictures, by their groups."""
    x, membership = pictures.features, _membership(pictures)
    sums = np.zeros((GROUPS, GROUPS))
    for i in range(0, len(x), BLOCK):
        rows = _block(x, i)
        squares = (np.einsum("ij,ij->i", rows, rows) / x.shape[1] + 1) ** 3
        sums -= np.diag(squares @ membership[i : i + BLOCK])
        for j in range(i, len(x), BLOCK):
            part = membership[i : i + BLOCK].T @ _kernel(rows, _block(x, j)) @ membership[j : j + BLOCK]
            sums += part if i == j else part + part.T
    return sums


def _membership(pictures: PictureSet) -> NDArray[np.float64]:
    """(N, GROUPS) 1 where a picture is in the group; without groups all are in the first."""
    groups = np.zeros(len(pictures.features), dtype=np.intp) if pictures.groups is None else pictures.groups
    return np.eye(GROUPS)[groups]


def _block(x: Features, start: int) -> NDArray[np.float64]:
    return np.asarray(x[start : start + BLOCK], dtype=np.float64)


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    product = x @ y.T
    product /= x.shape[1]
    product += 1
    return product * product * product


METRICS = (KID,)
