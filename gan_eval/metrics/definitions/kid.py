"""Kernel Inception distance: the squared maximum mean discrepancy over pairs of pictures.

A picture and another version of it are more alike than two pictures that were drawn independently. Pairs of pictures of
one item are therefore left out of all three means, as in the estimator with i ≠ j of Gretton et al. 2012 (lemma 6). The
estimate is then unbiased for independent sets and for sets that share items. `kid_all_pairs` counts these pairs, as
other programs do; it is too low by an amount that falls with 1/N if the two sets share items.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.frechet import Features, require_finite
from gan_eval.metrics.definitions.jackknife import (
    GROUPS,
    JackknifeEstimate,
    OnPart,
    PictureSet,
    SetComparison,
    as_of_equal_groups,
    parts_of,
    silent,
)
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

BLOCK = 1024
"""Number of rows and columns of the kernel matrix in memory at a time."""
Items = Sequence[str]
"""(N,) item of each picture of a set."""
Numbers = NDArray[np.intp]
"""(N,) number of each picture; pairs of pictures with equal numbers do not count."""
Sums = NDArray[np.float64]
"""(2, G, H) the kernel's sum and the number of pairs, by the groups of both pictures."""


def kid(real: Features, fake: Features, *, items: tuple[Items, Items] | None = None) -> float:
    """KID (Binkowski et al. 2018): cubic kernel (xᵀy/d + 1)³, pairs of different items, float64, no subsets, no seed.

    `items`: those of the real and of the generated pictures; default: each picture has an item of its own.

    Raises:
        Unmeasurable: a set has pictures of fewer than two items, or a feature is not finite.

    >>> x = np.array([[0.0], [1.0]])
    >>> kid(x, x)  # (1 + 1)/2 + (1 + 1)/2 - 2 (1 + 1 + 1 + 8)/4
    -3.5
    >>> kid(x, x, items=("ab", "ab"))  # (1 + 1)/2 + (1 + 1)/2 - 2 (1 + 1)/2
    0.0
    """
    if items is None:
        return kid_all_pairs(real, fake)
    return _value("kid", real, fake, items)


def kid_all_pairs(real: Features, fake: Features) -> float:
    """KID over all pairs, also those of one item; only a picture with itself does not count. Errors as `kid`.

    >>> kid_all_pairs(np.array([[0.0], [1.0]]), np.array([[0.0], [1.0]]))
    -3.5
    """
    return _value("kid_all_pairs", real, fake, ([""] * len(real), [""] * len(fake)))


def _value(name: str, real: Features, fake: Features, items: tuple[Items, Items]) -> float:
    x, y = (PictureSet(features, tuple(of), None) for features, of in zip((real, fake), items, strict=True))
    result = compare_kid(x)(y, [name])[name]
    if isinstance(result, Unmeasurable):
        raise result
    return result.value


def compare_kid(real: PictureSet) -> SetComparison:
    """Return a function that computes both metrics of a generated set, for these real pictures.

    The kernel's sums are kept by group, so one pass over the pairs also gives the values without each group.
    """
    number_of = {item: number for number, item in enumerate(dict.fromkeys(real.items))}
    numbers = {"kid": _numbers(real.items, number_of), "kid_all_pairs": np.arange(len(real.items))}
    within_real: dict[str, Sums] = {}

    def compare(
        fake: PictureSet, names: Sequence[str], on_part: OnPart = silent
    ) -> dict[str, JackknifeEstimate | Unmeasurable]:
        n, m = len(real.features), len(fake.features)
        others = {"kid": _numbers(fake.items, number_of), "kid_all_pairs": n + np.arange(m)}
        missing = [name for name in names if name not in within_real]
        sizes = [n * n / 2 if missing else 0, m * m / 2, n * m]  # pairs
        on_parts = [parts_of(on_part, sizes, index) for index in range(3)]
        within_real.update(_sums(real, real, {name: (numbers[name],) * 2 for name in missing}, on_parts[0]))
        within_fake = _sums(fake, fake, {name: (others[name],) * 2 for name in names}, on_parts[1])
        across = _sums(real, fake, {name: (numbers[name], others[name]) for name in names}, on_parts[2])
        too_few = Unmeasurable(f"{n} real and {m} generated pictures; KID needs two of each, of different items")
        return {name: _estimate((within_real[name], within_fake[name], across[name]), fake, too_few) for name in names}

    return compare


def _numbers(items: Items, number_of: dict[str, int]) -> Numbers:
    """Return the number of each picture's item; unknown items get the next ones."""
    return np.array([number_of.setdefault(item, len(number_of)) for item in items], dtype=np.intp)


def _sums(
    x: PictureSet, y: PictureSet, numbers: Mapping[str, tuple[Numbers, Numbers]], on_part: OnPart
) -> dict[str, Sums]:
    """Return the sums over the pairs of two sets, or of different pictures of one set, for each numbering.

    Blocks above the diagonal of a set's own pairs count twice.
    """
    rows, columns = _memberships(x), _memberships(y)
    sums = {name: np.zeros((2, rows.shape[1], columns.shape[1])) for name in numbers}
    for i in range(0, len(x.features) if numbers else 0, BLOCK):
        scaled = _block(x.features, i) / x.features.shape[1]
        for j in range(i if x is y else 0, len(y.features), BLOCK):
            kernel = scaled @ _block(y.features, j).T
            kernel += 1
            kernel *= kernel * kernel
            for name, (first, second) in numbers.items():
                counts = (first[i : i + BLOCK, None] != second[j : j + BLOCK]).astype(np.float64)
                sides = rows[i : i + BLOCK].T, columns[j : j + BLOCK]
                part = np.stack([sides[0] @ values @ sides[1] for values in (kernel * counts, counts)])
                sums[name] += part + part.transpose(0, 2, 1) if x is y and j > i else part
        done = min((i + BLOCK) / len(x.features), 1.0)
        on_part(1 - (1 - done) ** 2 if x is y else done)
    return sums


def _memberships(pictures: PictureSet) -> NDArray[np.float64]:
    """Return (N, G): 1 for the group of each picture, else 0; one group if there are no groups."""
    if pictures.groups is None:
        return np.ones((len(pictures.features), 1))
    return np.eye(GROUPS)[pictures.groups]


def _block(x: Features, start: int) -> NDArray[np.float64]:
    return np.asarray(x[start : start + BLOCK], dtype=np.float64)


def _estimate(
    sums: tuple[Sums, Sums, Sums], fake: PictureSet, too_few: Unmeasurable
) -> JackknifeEstimate | Unmeasurable:
    """Return the value from the sums within the real and the generated pictures and across, or why there is none."""
    if not all(pairs.any() for _, pairs in sums):
        return too_few
    value = _distance([kernel.sum() / pairs.sum() for kernel, pairs in sums])
    require_finite(value)
    if fake.groups is None or not all(len(kernel) == GROUPS for kernel, _ in sums):
        return JackknifeEstimate(float(value))
    totals = [  # (GROUPS,) each: without the row and the column of each group
        [side.sum() - side.sum(axis=0) - side.sum(axis=1) + side.diagonal() for side in of] for of in sums
    ]
    if not all(pairs.all() for _, pairs in totals):
        return JackknifeEstimate(float(value), why_no_interval=f"without a group, {too_few}")
    left_out = _distance([kernel / pairs for kernel, pairs in totals])
    return JackknifeEstimate(float(value), as_of_equal_groups(float(value), np.asarray(left_out), fake.groups))


def _distance(means: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    within_real, within_fake, across = means
    return within_real + within_fake - 2 * across


KID = Metric(
    name="kid",
    title="KID",
    kind="set",
    measures="squared maximum mean discrepancy of two sets' Inception features, over pairs of different items; "
    "unbiased, so equal sets give values below and above 0",
    low=-math.inf,
    source="Binkowski et al. 2018; cubic kernel, pairs of different items (Gretton et al. 2012); Inception 2015-12-05",
    definition="kid/inception-2015-12-05/different-items",
    function=kid,
    weights=("inception",),
    extractor="inception",
    compare=compare_kid,
)
KID_ALL_PAIRS = replace(
    KID,
    name="kid_all_pairs",
    title="KID, all pairs",
    measures="as kid, over all pairs, as in other programs; too low where the two sets share items",
    source="Binkowski et al. 2018; cubic kernel, all pairs; Inception 2015-12-05",
    definition="kid/inception-2015-12-05/all-pairs",
    function=kid_all_pairs,
    depends_on_count=True,
)
METRICS = (KID, KID_ALL_PAIRS)
