"""The interval of a set metric: a delete-group jackknife over items.

A bootstrap repeats pictures, which lowers the covariance's rank and shifts FID. The jackknife leaves out items, not
pictures, because the versions of an item are not independent. The same groups are left out for each model, so that
effects of the items cancel in the difference of two models. An interval describes the spread at this number of
pictures, not FID's bias.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gan_eval.base.inference import t_95
from gan_eval.metrics.kernels.pictures import Unmeasurable

GROUPS = 10
"""Number of groups."""
NO_GROUP = -1
"""Group to leave out where none is left out."""
METHOD = (
    f"jackknife, {GROUPS} groups of items, for the spread at this N; of a share Wilson's, with the jackknife's spread"
)
"""Description of the interval method of set metrics."""
SEED = 20_151_205
"""Salt of the hashes that assign items to groups."""

Groups = NDArray[np.intp]
"""(N,) group of each picture of a set, 0..GROUPS - 1."""
Distance = Callable[[NDArray, NDArray], float]
OnPart = Callable[[float], object]
"""Called with the share of the work that is done, 0 to 1."""


@dataclass(frozen=True)
class PictureSet:
    """The pictures of one set in a comparison."""

    features: NDArray[np.floating]
    """(N, d)"""
    items: tuple[str, ...]
    """(N,) item of each picture."""
    groups: Groups | None
    """(N,) group of each picture; None if there are too few items for an interval."""


@dataclass(frozen=True)
class Interval:
    """Lower and upper end of a 95% interval."""

    low: float
    high: float


@dataclass(frozen=True)
class JackknifeEstimate:
    """A set metric's value, and its values without each group of items in turn."""

    value: float
    left_out: NDArray[np.float64] | None = None
    """(GROUPS,); None if the sets are too small for an interval."""
    share_of: int | None = None
    """Number of pictures, if the value is a share of them."""
    why_no_interval: str = f"too few items for {GROUPS} groups"
    """The reason if `left_out` is None."""

    def interval(self, *, low: float = -math.inf, high: float = math.inf) -> Interval | None:
        """Return value ± t · standard error, clipped to `low` and `high`; None if there are too few items.

        A share has Wilson's interval instead, for the number of independent pictures that its standard error implies.
        The jackknife's own interval would have width 0 if all pictures of a set count.

        >>> JackknifeEstimate(2.0, np.linspace(1.8, 2.2, 10)).interval(low=1.5).low
        1.5
        >>> all_inside = JackknifeEstimate(1.0, np.ones(10), share_of=50).interval()
        >>> round(all_inside.low, 3), all_inside.high
        (0.907, 1.0)
        """
        if self.left_out is None:
            return None
        error = standard_error(self.left_out)
        t, share, count = t_95(GROUPS - 1), self.value, self.share_of
        if count is None:
            return Interval(max(self.value - t * error, low), min(self.value + t * error, high))
        inner = (share * count + 1) / (count + 2)  # moved away from 0 and 1, where a share has no variance
        independent = min(count, inner * (1 - inner) / error**2) if error else count
        t = t**2 / independent
        middle, half_width = (share + t / 2) / (1 + t), math.sqrt(t * (share * (1 - share) + t / 4)) / (1 + t)
        return Interval(max(middle - half_width, 0.0), min(middle + half_width, 1.0))

    def minus(self, other: "JackknifeEstimate") -> "JackknifeEstimate":
        """Return the difference of two values with the same groups left out; what both sets share cancels."""
        if self.left_out is None or other.left_out is None:
            why = (self if self.left_out is None else other).why_no_interval
            return JackknifeEstimate(self.value - other.value, why_no_interval=why)
        return JackknifeEstimate(self.value - other.value, self.left_out - other.left_out)


def silent(share: float) -> None:
    """Show no progress."""


def parts_of(on_part: OnPart, sizes: Sequence[float], number: int) -> OnPart:
    """Return the function to call with the share of one part that is done; `sizes` are those of all parts.

    >>> parts_of(print, [1, 3], 1)(0.5)
    0.625
    """
    before, size, total = sum(sizes[:number]), sizes[number], sum(sizes)
    return lambda share: on_part((before + share * size) / total)


class SetComparison(Protocol):
    """Function from the generated pictures to estimates."""

    def __call__(
        self, fake: PictureSet, names: Sequence[str], on_part: OnPart = silent, /
    ) -> Mapping[str, JackknifeEstimate | Unmeasurable]:
        """Return the estimates of the named functions, which are computed together, or reasons for missing ones.

        Raises:
            Unmeasurable: a reason that all share.
        """


def standard_error(left_out: NDArray[np.float64]) -> float:
    """Return the standard error of the jackknife from the values without each group (Shao and Wu 1989).

    >>> means = np.array([np.delete(np.arange(10.0), g).mean() for g in range(10)])
    >>> round(float(standard_error(means) / (np.arange(10.0).std(ddof=1) / 10**0.5)), 12)
    1.0
    """
    return math.sqrt((GROUPS - 1) * float(np.var(left_out)))


def as_of_equal_groups(value: float, left_out: NDArray[np.float64], groups: Groups) -> NDArray[np.float64]:
    """Convert the values without each group (`left_out`) to those of groups of equal size.

    Without a large group, a value changes more: more pictures are missing, and FID's bias grows more. The change is
    therefore weighted by the group's size, as in the delete-m jackknife for unequal m (Busing, Meijer and van der
    Leeden 1999). The part of a group with the share f of the pictures in the error is f x (pseudo-value - weighted mean
    of the pseudo-values). The squares of the parts sum to (1 - sum of f squared) times the variance, with empty groups.

    >>> as_of_equal_groups(2.0, np.arange(10.0), np.arange(40) % 10).round(6).tolist() == list(range(10))
    True
    """
    shares = np.bincount(groups, minlength=GROUPS) / len(groups)
    parts = (1 - shares) * (value - left_out)
    parts -= shares * parts.sum()
    return left_out.mean() - parts / math.sqrt((1 - (shares**2).sum()) * (1 - 1 / GROUPS))


def deal(real: Collection[str], fake: Collection[str] = ()) -> dict[str, int]:
    """Return the group of each item, 0..GROUPS - 1: its rank by SHA-256 among the real pictures' items, modulo GROUPS.

    Items without a real picture are ranked among themselves. Group sizes differ by at most one item, the groups of the
    real pictures are the same for every model, and no model's groups depend on another model. The groups of a model
    with pictures of only some real items are unequal; see `as_of_equal_groups`.

    Args:
        real, fake: the items of the real pictures, and those of one model's pictures.

    >>> sorted(deal([f"i{n}" for n in range(20)]).values())
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]
    """
    dealt: dict[str, int] = {}
    for items in (set(real), set(fake) - set(real)):
        ordered = sorted(items, key=lambda item: sha256(f"{SEED} {item}".encode("utf-8", "surrogatepass")).digest())
        dealt |= {item: index % GROUPS for index, item in enumerate(ordered)}
    return dealt


def groups_of(items: Sequence[str], dealt: Mapping[str, int]) -> Groups | None:
    """Return (N,) the group of each picture by its item; None if there are fewer items than groups."""
    if len(set(items)) < GROUPS:
        return None
    return np.array([dealt[item] for item in items], dtype=np.intp)


def leave_groups_out(
    distance: Distance,
    real: PictureSet,
    fake: PictureSet,
    *,
    on_part: OnPart = silent,
) -> JackknifeEstimate:
    """Return the estimate of any distance, computed GROUPS + 1 times.

    Args:
        distance: its function.
        real, fake: the two sets.
        on_part: called after each of the computations.

    Raises:
        Unmeasurable: the distance of all pictures has no value.
    """
    value = distance(real.features, fake.features)
    if real.groups is None or fake.groups is None:
        return JackknifeEstimate(value)
    left_out: list[float] = []
    try:
        for g in range(GROUPS):
            on_part((g + 1) / (GROUPS + 1))
            left_out.append(distance(*(pictures.features[pictures.groups != g] for pictures in (real, fake))))
    except Unmeasurable as reason:
        return JackknifeEstimate(value, why_no_interval=str(reason))
    return JackknifeEstimate(value, as_of_equal_groups(value, np.array(left_out), fake.groups))
