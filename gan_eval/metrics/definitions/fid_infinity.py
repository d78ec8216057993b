"""FID∞: the Fréchet distances of smaller sets on a straight line in 1/N, read off at 1/N = 0.

The bias of FID falls with 1/N only where N
is above the number of features that vary. Below, the line leaves some: on Gaussians of 2048 features (standard
deviations falling as n^-0.7 and n^-1, true FID 4.5, traces of 31.6),

| N | falling | FID | FID∞ | its standard deviation over draws |
| --- | --- | --- | --- | --- |
| 50 | -0.7 | 19.3 | 13.5 | 2.0 |
| 50 | -1 | 9.4 | 5.7 | 2.8 |
| 106 | -0.7 | 14.1 | 10.0 | 0.8 |
| 106 | -1 | 6.6 | 4.7 | 0.9 |

with -1 and N = 500: 4.7, 4.15, 0.3; with 512 features, -0.7 and N = 500: 6.9, 4.75, 0.2, and N = 2000: 5.0, 4.45, 0.2.
Sizes from half of the pictures upwards had the least error in most of these, out of 0.1 to 0.8: smaller sizes bend the
line, larger ones lever the noise.

The fit's own standard error is that of independent points, and of the draws alone: it was 0.6 to 1.6 times the standard
deviation over draws of new pictures. The interval is therefore the jackknife's, of the whole extrapolation: 165
distances, each of a few milliseconds with some hundred pictures and of about a second with some thousand.
"""

import math
from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.frechet import SubsetDistance, subset_distance
from gan_eval.metrics.definitions.jackknife import GROUPS, Comparison, Estimate, Groups, PictureSet, as_of_equal_groups
from gan_eval.metrics.definitions.moments import Features, Vector, near_mean, require_finite
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

SIZES = 15
"""Sizes of the smaller sets; the last is that of all pictures."""
LEAST = 0.5
"""The smallest of them, as a share of all pictures."""
FEWEST = 20
"""Pictures that a set needs."""
SEED = 2020
"""Draws the smaller sets."""


def fid_infinity(
    real: Features,
    fake: Features,
    *,
    real_items: Sequence[str] | None = None,
    fake_items: Sequence[str] | None = None,
) -> float:
    """FID∞ (Chong and Forsyth 2020): an item's real and generated pictures are drawn together.

    Without items, real and generated pictures are drawn on their own, by the rank of their features: the order of the
    rows has no part in it. Sets of unequal size shrink by the same share, as FID's bias falls with either; 1/N is then
    the mean of both.

    Args:
        real: (N, d) features of the real pictures.
        fake: (M, d) features of the generated ones.
        real_items, fake_items: the item of each picture; both or neither.

    Raises:
        Unmeasurable: fewer than 20 pictures in a set, or a feature is not finite.
        ValueError: items of one set alone, or not one for each picture.

    >>> from gan_eval.metrics.definitions.frechet import fid
    >>> rng = np.random.default_rng(0)
    >>> real, fake = rng.normal(size=(300, 20)), rng.normal(0.5, 1, size=(300, 20))  # at a distance of 5
    >>> round(fid(real, fake), 2), round(fid_infinity(real, fake), 2)
    (6.2, 4.91)
    """
    if real_items is None and fake_items is None:
        real_items, fake_items = _names_by_rank("r", real), _names_by_rank("f", fake)
    if real_items is None or fake_items is None:
        raise ValueError("items of one set alone; name those of the real and of the generated pictures, or neither")
    if (len(real), len(fake)) != (len(real_items), len(fake_items)):
        raise ValueError(
            f"{len(real)} real and {len(fake)} generated pictures, but {len(real_items)} and {len(fake_items)} items"
        )
    if min(len(real), len(fake)) < FEWEST:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; fid_infinity needs {FEWEST} of each")
    require_finite(near_mean(real) + near_mean(fake))
    return Draws(real_items, fake_items).extrapolate(subset_distance(real, fake))


def infinity_estimate(
    real: Features,
    fake: Features,
    real_items: Sequence[str],
    fake_items: Sequence[str],
    real_groups: Groups | None,
    fake_groups: Groups | None,
) -> Estimate:
    """FID∞, and FID∞ of what is left without each group of items.

    Args:
        real, fake: (N, d) and (M, d) features.
        real_items, fake_items: the item of each picture.
        real_groups, fake_groups: the group of each; None where none is to be left out.

    Raises:
        Unmeasurable: as `fid_infinity`.
    """
    value = fid_infinity(real, fake, real_items=real_items, fake_items=fake_items)
    if real_groups is None or fake_groups is None:
        return Estimate(value)
    draws = Draws(real_items, fake_items)
    distance = subset_distance(real, fake)
    left_out = [
        draws.extrapolate(distance, real_included=real_groups != g, fake_included=fake_groups != g)
        for g in range(GROUPS)
    ]
    return Estimate(value, as_of_equal_groups(value, np.array(left_out), fake_groups))


def compare_fid_infinity(real: PictureSet) -> Comparison:
    """FID∞ of sets beside these real pictures."""
    return lambda fake, _: {
        "fid_infinity": infinity_estimate(
            real.features, fake.features, real.items, fake.items, real.groups, fake.groups
        )
    }


FID_INFINITY = Metric(
    name="fid_infinity",
    title="FID∞",
    kind="set",
    measures="fid extrapolated to sets without end: a straight line in 1/N through the fid of smaller sets",
    low=-math.inf,
    high=math.inf,
    higher_is_better=False,
    source="Chong and Forsyth 2020; subsets of items without replacement, stored seed; Inception 2015-12-05",
    definition="fid-infinity/inception-2015-12-05",
    function=fid_infinity,
    torch_class="FrechetInceptionDistanceInfinity",
    weights=("inception",),
    extractor="inception",
    depends_on_count=True,
    compare=compare_fid_infinity,
)


class Draws:
    """Which pictures are in the smaller sets: drawn by item, without replacement, with a stored seed.

    Every item gets a random number for each size, and the least of them are in: the draws with and without a group of
    items are alike. Items with a real picture alone, with generated ones alone and with both are drawn apart, so that
    both sets shrink by the same share.
    """

    def __init__(self, real_items: Sequence[str], fake_items: Sequence[str]) -> None:
        items = sorted({*real_items, *fake_items})
        place = {item: n for n, item in enumerate(items)}
        self._real = np.array([place[item] for item in real_items], dtype=np.intp)
        self._fake = np.array([place[item] for item in fake_items], dtype=np.intp)
        in_real, in_fake = np.isin(np.arange(len(items)), self._real), np.isin(np.arange(len(items)), self._fake)
        self._strata = [in_real & ~in_fake, in_fake & ~in_real, in_real & in_fake]
        self._numbers = np.random.default_rng(SEED).random((SIZES, len(items)))

    def extrapolate(
        self,
        distance: SubsetDistance,
        *,
        real_included: NDArray[np.bool_] | None = None,
        fake_included: NDArray[np.bool_] | None = None,
    ) -> float:
        """The distance at 1/N = 0, on the line through those of the subsets.

        Args:
            distance: of the real and the generated pictures in given rows.
            real_included, fake_included: (N,) and (M,) the pictures to draw from; default: all.

        Raises:
            Unmeasurable: the items are too few for smaller sets.
        """
        included = np.ones(self._numbers.shape[1], dtype=bool)
        for places, rows in ((self._real, real_included), (self._fake, fake_included)):
            if rows is not None:
                included[places[~rows]] = False
        inverse, values = [], []
        for proportion, numbers in zip(np.linspace(LEAST, 1, SIZES), self._numbers, strict=True):
            chosen = np.zeros(len(numbers), dtype=bool)
            for stratum in self._strata:
                members = np.flatnonzero(stratum & included)
                chosen[members[np.argsort(numbers[members])[: round(float(proportion) * len(members))]]] = True
            real, fake = np.flatnonzero(chosen[self._real]), np.flatnonzero(chosen[self._fake])
            if min(len(real), len(fake)) < 2:
                raise Unmeasurable("too few items: smaller sets of them hold fewer than two pictures")
            inverse.append((1 / len(real) + 1 / len(fake)) / 2)
            values.append(distance(real, fake))
        return intercept(np.array(inverse), np.array(values))


def intercept(inverse: Vector, values: Vector) -> float:
    """The least-squares line through `values` over `inverse`, at 0.

    >>> round(intercept(np.array([0.01, 0.02, 0.04]), np.array([7.0, 9.0, 13.0])), 9)
    5.0
    """
    centred = inverse - inverse.mean()
    slope = float(centred @ values) / float(centred @ centred)
    return float(values.mean() - slope * inverse.mean())


def content_order(features: Features) -> list[int]:
    """The rows by their sum, then by their hash: an order that no order of the rows changes, in float32 or float64.

    By the sum first, so that rounding in the features leaves it alone but for near ties.

    >>> content_order(np.array([[3.0, 1.0], [0.0, 2.0], [1.0, 0.5]]))
    [2, 1, 0]
    """
    rows = (np.ascontiguousarray(row, dtype="<f8") + 0.0 for row in features)  # 0.0 makes -0.0 the 0.0 that it equals
    keys = [(float(row.sum()), sha256(row.tobytes()).digest()) for row in rows]
    return sorted(range(len(keys)), key=keys.__getitem__)


def _names_by_rank(prefix: str, features: Features) -> list[str]:
    names = [""] * len(features)
    for rank, row in enumerate(content_order(features)):
        names[row] = f"{prefix}{rank}"
    return names


METRICS = (FID_INFINITY,)
