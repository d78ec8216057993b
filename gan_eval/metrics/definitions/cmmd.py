"""CMMD: the squared maximum mean discrepancy of two sets of unit features under a Gaussian kernel.

The kernel's exponent t is so near 0 (-0.02 to 0) that its series up to t⁵ is exact to 1e-13. Over all pairs, the term 1
cancels, and the term t gives the distance of the two means, computed in float64. The other terms are so small that
float32 is enough. In simulations, no value differed from float64 by more than 3e-8; those of the published float32
program differed by up to 1e-4.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.frechet import Features, Vector, require_finite
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
from gan_eval.metrics.kernels.pictures import Unmeasurable

SIGMA = 10.0
"""Width σ of the kernel exp(-|x - y|² / (2 σ²)), as in the published program."""
SCALE = 1000.0
"""Factor of the value, as in the published program."""
BLOCK = 1024
"""Number of rows and columns of the kernel matrix in memory at a time."""
Sums = NDArray[np.float64]
"""(G, H) sums over the pairs of pictures, by the groups of both."""


def cmmd(real: Features, fake: Features) -> float:
    """Return CMMD (Jayasumana et al. 2024): 1000 times the biased estimate, diagonals included.

    Every vector is divided by its length, as the published program does with CLIP's.

    Raises:
        Unmeasurable: a set is empty, a vector is 0, or a feature is not finite.

    >>> x, y = np.array([[2.0, 0.0]]), np.array([[0.0, 3.0]])
    >>> round(cmmd(x, y), 6)  # 1000 (1 + 1 - 2 exp(-2 / 200))
    19.900333
    """
    result = compare_cmmd(PictureSet(real, (), None))(PictureSet(fake, (), None), ["cmmd"])["cmmd"]
    assert isinstance(result, JackknifeEstimate)
    return result.value


def compare_cmmd(real: PictureSet) -> SetComparison:
    """Return a function that computes CMMD of a generated set, for these real pictures.

    Sums are kept by group, so one pass over the pairs also gives the values without each group. Only blocks of the
    vectors are in memory.
    """
    known: list[tuple[_Set, Sums]] = []

    def compare(fake: PictureSet, _: Sequence[str], on_part: OnPart = silent) -> dict[str, JackknifeEstimate]:
        n, m = len(real.features), len(fake.features)
        if min(n, m) < 1:
            raise Unmeasurable(f"{n} real and {m} generated pictures; CMMD needs one of each")
        sizes = [0 if known else n * n / 2, m * m / 2, n * m]  # pairs
        on_parts = [parts_of(on_part, sizes, index) for index in range(3)]
        if not known:
            x = _Set(real)
            known.append((x, _sums(x, x, on_parts[0])))
        (x, within_real), y = known[0], _Set(fake)
        sums = within_real, _sums(y, y, on_parts[1]), _sums(x, y, on_parts[2])
        value = _distance(x.total, y.total, (x.count, y.count), [float(each.sum()) for each in sums])
        return {"cmmd": _estimate(value, x, y, sums)}

    return compare


def _estimate(value: float, x: "_Set", y: "_Set", sums: Sequence[Sums]) -> JackknifeEstimate:
    """Return CMMD with its values without each group, from the kernel's sums by group."""
    if x.groups is None or y.groups is None:
        return JackknifeEstimate(value)
    left_out = []
    for g in range(GROUPS):
        counts = x.count - int(x.counts[g]), y.count - int(y.counts[g])
        if not all(counts):
            why = f"without a group, {counts[0]} real and {counts[1]} generated pictures"
            return JackknifeEstimate(value, why_no_interval=why)
        others = [np.delete(np.delete(each, g, axis=0), g, axis=1).sum() for each in sums]
        left_out.append(_distance(x.total - x.sums[g], y.total - y.sums[g], counts, others))
    return JackknifeEstimate(value, as_of_equal_groups(value, np.array(left_out), y.groups))


class _Set:
    """The unit vectors of a set, made when they are asked for, and their sums by group."""

    def __init__(self, pictures: PictureSet) -> None:
        self._features, self.groups = pictures.features, pictures.groups
        self.count = len(self._features)
        self._lengths = np.ones((self.count, 1))
        self.members = np.ones((self.count, 1)) if self.groups is None else np.eye(GROUPS)[self.groups]
        """(N, G): 1 for the group of each picture, else 0; one group if there are no groups."""
        self.counts = self.members.sum(axis=0)
        self.sums = np.zeros((self.members.shape[1], self._features.shape[1]))
        """(G, d) the sum of the unit vectors of each group."""
        for start in range(0, self.count, BLOCK):
            lengths = np.linalg.norm(self.unit(start), axis=1, keepdims=True)
            require_finite(lengths)
            if not lengths.all():
                raise Unmeasurable("all features of a picture are 0; CMMD needs their direction")
            self._lengths[start : start + BLOCK] = lengths
            self.sums += self.members[start : start + BLOCK].T @ self.unit(start)
        self.total = self.sums.sum(axis=0)

    def unit(self, start: int) -> NDArray[np.float64]:
        """Return a block of vectors, each divided by its length."""
        block = np.array(self._features[start : start + BLOCK], dtype=np.float64)
        block /= self._lengths[start : start + BLOCK]
        return block


def _distance(x: Vector, y: Vector, counts: tuple[int, int], rests: Sequence[float]) -> float:
    """Return CMMD from the sums of the vectors and of the kernel's rest within the sets and across."""
    (n, m), (within_real, within_fake, across) = counts, rests
    shift = x / n - y / m
    linear = float(shift @ shift) / SIGMA**2
    return SCALE * (linear + within_real / n**2 + within_fake / m**2 - 2 * across / (n * m))


def _sums(x: _Set, y: _Set, on_part: OnPart) -> Sums:
    """Return the sums of exp(t) - 1 - t over all pairs of unit vectors, t = -|x - y|² / (2 σ²) = (x·y - 1) / σ²."""
    sums, is_one = np.zeros((x.members.shape[1], y.members.shape[1])), x is y
    for i in range(0, x.count, BLOCK):
        of_x = x.unit(i).astype(np.float32)
        for j in range(i if is_one else 0, y.count, BLOCK):
            t = of_x @ y.unit(j).astype(np.float32).T
            t -= 1
            t /= np.float32(SIGMA**2)
            rest = t / np.float32(120)
            for factor in (24, 6, 2):
                rest += np.float32(1 / factor)
                rest *= t
            rest *= t
            part = x.members[i : i + BLOCK].T @ rest.astype(np.float64) @ y.members[j : j + BLOCK]
            sums += part + part.T if is_one and j > i else part  # blocks above the diagonal count twice
        done = min((i + BLOCK) / x.count, 1.0)
        on_part(1 - (1 - done) ** 2 if is_one else done)
    return sums
