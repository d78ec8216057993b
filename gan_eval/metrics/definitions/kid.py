"""Kernel Inception distance: the squared maximum mean discrepancy over all pairs of pictures.

Its estimate is unbiased for sets that were drawn independently. Where both hold pictures of the same items, these N
pairs are nearer than chance, and the value is too low by an amount that falls with 1/N.

The sums of the kernel are kept for each pair of groups of items, so that one pass over all pairs gives the value
and the values without each group.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.jackknife import GROUPS, Comparison, Estimate, Groups, PictureSet, as_of_equal_groups
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
    return KernelReference(real, None).compare(fake, None).value


class KernelReference:
    """The real pictures' part of KID, computed once for all models.

    Args:
        real: (N, d) features of the real pictures.
        groups: (N,) the group of each; None where none is to be left out.
    """

    def __init__(self, real: Features, groups: Groups | None) -> None:
        self._real = real
        self._groups = groups
        self._within = _within(real, groups)

    def compare(self, fake: Features, groups: Groups | None) -> Estimate:
        """KID of generated pictures.

        Raises:
            Unmeasurable: as `kid`.
        """
        if min(len(self._real), len(fake)) < 2:
            raise Unmeasurable(f"{len(self._real)} real and {len(fake)} generated pictures; KID needs two of each")
        x, y = self._within, _within(fake, groups)
        of_x, of_y = _membership(len(self._real), self._groups), _membership(len(fake), groups)
        across = np.zeros((GROUPS, GROUPS))
        for i in range(0, len(self._real), BLOCK):
            rows = _block(self._real, i)
            for j in range(0, len(fake), BLOCK):
                across += of_x[i : i + BLOCK].T @ _kernel(rows, _block(fake, j)) @ of_y[j : j + BLOCK]
        value = x.mean() + y.mean() - 2 * across.sum() / (x.count * y.count)
        if not np.isfinite(value):
            raise Unmeasurable("a feature is not finite")
        if self._groups is None or groups is None:
            return Estimate(float(value))
        left_out = []
        for g in range(GROUPS):
            a, b = x.without(g), y.without(g)
            if min(a.count, b.count) < 2:
                return Estimate(float(value))
            left_out.append(a.mean() + b.mean() - 2 * _without(across, g).sum() / (a.count * b.count))
        return Estimate(float(value), as_of_equal_groups(float(value), np.array(left_out), groups))


def compare_kid(real: PictureSet) -> Comparison:
    """Return a function that computes KID of sets against these real pictures."""
    reference = KernelReference(real.features, real.groups)
    return lambda fake, _: {"kid": reference.compare(fake.features, fake.groups)}


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


@dataclass(frozen=True)
class _Within:
    """Sums of the kernel inside one set."""

    counts: NDArray[np.float64]
    """(GROUPS,) pictures of each group."""
    sums: NDArray[np.float64]
    """(GROUPS, GROUPS) the kernel of all pairs, the diagonal included."""
    diagonal: NDArray[np.float64]
    """(GROUPS,) the kernel of each picture with itself."""

    @property
    def count(self) -> float:
        return float(self.counts.sum())

    def mean(self) -> float:
        """The kernel's mean over all pairs of different pictures."""
        return float((self.sums.sum() - self.diagonal.sum()) / (self.count * (self.count - 1)))

    def without(self, g: int) -> "_Within":
        return _Within(np.delete(self.counts, g), _without(self.sums, g), np.delete(self.diagonal, g))


def _without(sums: NDArray[np.float64], g: int) -> NDArray[np.float64]:
    return np.delete(np.delete(sums, g, axis=0), g, axis=1)


def _within(x: Features, groups: Groups | None) -> _Within:
    membership = _membership(len(x), groups)
    diagonal = np.zeros(GROUPS)
    sums = np.zeros((GROUPS, GROUPS))
    for i in range(0, len(x), BLOCK):
        rows = _block(x, i)
        squares = (np.einsum("ij,ij->i", rows, rows) / x.shape[1] + 1) ** 3
        diagonal += squares @ membership[i : i + BLOCK]
        for j in range(i, len(x), BLOCK):
            part = membership[i : i + BLOCK].T @ _kernel(rows, _block(x, j)) @ membership[j : j + BLOCK]
            sums += part if i == j else part + part.T
    return _Within(membership.sum(axis=0), sums, diagonal)


def _membership(count: int, groups: Groups | None) -> NDArray[np.float64]:
    """(N, GROUPS) 1 where a picture is in the group; without groups all are in the first."""
    return np.eye(GROUPS)[np.zeros(count, dtype=np.intp) if groups is None else groups]


def _block(x: Features, start: int) -> NDArray[np.float64]:
    return np.asarray(x[start : start + BLOCK], dtype=np.float64)


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    product = x @ y.T
    product /= x.shape[1]
    product += 1
    return product * product * product


METRICS = (KID,)
