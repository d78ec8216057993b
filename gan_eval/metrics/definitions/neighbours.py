"""Precision, recall, density and coverage: metrics of the nearest neighbours of two sets.

The radius of a picture's ball is the distance to the k-th nearest other picture of its set. As the sources define it,
the ball includes its surface for precision and recall (Kynkäänniemi et al. 2019, equation 1), and excludes it for
density and coverage (Naeem et al. 2020, in the authors' program). Squared distances count as equal if they differ by
less than 1e-11 of the squared norms (from a point near the real pictures' mean), so that rounding does not separate
copies. One pass over all distances gives the four values.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.frechet import Features, Matrix, Vector, near_mean, require_finite
from gan_eval.metrics.definitions.jackknife import (
    GROUPS,
    NO_GROUP,
    Groups,
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

K = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}
"""The radius of a ball is the distance to the k-th nearest neighbour; k for each metric."""
RELATIVE_TOLERANCE = 1e-11
"""Tolerance of distances: equal if their squares differ by less than this share of the squared norms."""
MAX_DISTANCES = 2**22
"""Maximum number of distances in memory at a time."""
NEAREST = 32
"""Number of nearest pictures among which the radii without a group are looked for first."""
Pairs = tuple[NDArray[np.intp], ...]
"""Row numbers of a real and a generated picture, pair by pair."""


def precision(real: Features, fake: Features) -> float:
    """Share of the generated pictures inside a ball of a real one (Kynkäänniemi et al. 2019, k = 3).

    Raises:
        Unmeasurable: a set has fewer than k + 1 members, or a feature is not finite.

    >>> line = np.arange(8.0)[:, None]
    >>> precision(line, line + 5)
    0.75
    """
    return _value("precision", real, fake)


def recall(real: Features, fake: Features) -> float:
    """Share of the real pictures inside a ball of a generated one; arguments and errors as `precision`.

    >>> line = np.arange(8.0)[:, None]
    >>> recall(line, line[:4])
    0.875
    """
    return _value("recall", real, fake)


def density(real: Features, fake: Features) -> float:
    """Mean number of real balls that contain a generated picture, divided by k (Naeem et al. 2020, k = 5).

    Arguments and errors as `precision`; 0 and above, 1 where both sets are alike; higher is better.

    >>> line = np.arange(8.0)[:, None] ** 1.1
    >>> density(line, line)
    1.0
    """
    return _value("density", real, fake)


def coverage(real: Features, fake: Features) -> float:
    """Share of the real pictures whose ball contains a generated one (Naeem et al. 2020, k = 5); as `precision`.

    >>> line = np.arange(8.0)[:, None]
    >>> coverage(line, np.concatenate([line[:6], line[:6]]))
    1.0
    """
    return _value("coverage", real, fake)


def _value(name: str, real: Features, fake: Features) -> float:
    result = compare_neighbours(PictureSet(real, (), None))(PictureSet(fake, (), None), [name])[name]
    if isinstance(result, Unmeasurable):
        raise result
    return result.value


def _too_few(name: str, real: Features, fake: Features) -> Unmeasurable | None:
    if min(len(real), len(fake)) > K[name]:
        return None
    return Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; {name} needs {K[name] + 1} of each")


def compare_neighbours(real: PictureSet) -> SetComparison:
    """Return a function that computes the four metrics of a generated set, for these real pictures.

    One pass over the distances also gives the values without each group.
    """

    def compare(
        fake: PictureSet, names: Sequence[str], on_part: OnPart = silent
    ) -> dict[str, JackknifeEstimate | Unmeasurable]:
        sets = real.features, fake.features
        results = {name: reason for name in names if (reason := _too_few(name, *sets))}
        measurable = [name for name in names if name not in results]
        if not measurable:
            return dict(results)
        left_out = range(GROUPS) if _has_enough(real.groups) and _has_enough(fake.groups) else ()
        values, *without = _values(real, fake, left_out, on_part)
        shares = {"precision": len(sets[1]), "recall": len(sets[0]), "coverage": len(sets[0])}
        estimates: dict[str, JackknifeEstimate | Unmeasurable] = {}
        for name in measurable:
            others = None
            if without and fake.groups is not None:
                others = as_of_equal_groups(values[name], np.array([part[name] for part in without]), fake.groups)
            estimates[name] = JackknifeEstimate(values[name], others, shares.get(name))
        return estimates | results

    return compare


def _has_enough(groups: Groups | None) -> bool:
    """Return True if without any of the groups there are enough pictures for all metrics."""
    return groups is not None and len(groups) - int(np.bincount(groups, minlength=GROUPS).max()) > max(K.values())


def _metric(function: Callable[..., float], measures: str, high: float, source: str) -> Metric:
    name = function.__name__
    return Metric(
        name=f"{name}_inception",
        title=f"{name}, Inception",
        kind="set",
        measures=measures,
        high=high,
        higher_is_better=True,
        source=f"{source}; Inception 2015-12-05, 2048 features (not VGG16's, as in the papers)",
        definition=f"{name}/inception/k={K[name]}",
        function=function,
        weights=("inception",),
        extractor="inception",
        depends_on_count=True,
        compare=compare_neighbours,
    )


_KYNKAANNIEMI = "Kynkäänniemi et al. 2019; k = 3"
_NAEEM = "Naeem et al. 2020; k = 5"
METRICS = (
    _metric(precision, "share of the generated pictures that lie among the real ones", 1.0, _KYNKAANNIEMI),
    _metric(recall, "share of the real pictures that lie among the generated ones", 1.0, _KYNKAANNIEMI),
    _metric(
        density,
        "how densely the real pictures surround each generated one; 1 where both sets are alike, more is possible",
        math.inf,
        _NAEEM,
    ),
    _metric(coverage, "share of the real pictures with a generated one nearby", 1.0, _NAEEM),
)


def _values(real: PictureSet, fake: PictureSet, left_out: Sequence[int], on_part: OnPart) -> list[dict[str, float]]:
    """Find the pictures inside the other set's balls: of all pictures, then without each of the groups.

    Coverage and density need 6 pictures in each set.
    """
    x, y = real.features, fake.features
    origin, without = near_mean(x), [NO_GROUP, *left_out]
    x_norms, y_norms = _norms(x, origin), _norms(y, origin)
    x_groups, y_groups = (
        np.zeros(len(each.features), np.intp) if each.groups is None else each.groups for each in (real, fake)
    )
    steps = [len(x), len(y), len(x)]
    x_radii = _radii(x, x_norms, origin, x_groups, left_out, parts_of(on_part, steps, 0))
    y_radii = _radii(y, y_norms, origin, y_groups, left_out, parts_of(on_part, steps, 1))
    on_rows = parts_of(on_part, steps, 2)
    y_inside, x_inside, x_covered = (np.zeros((len(without), n), dtype=bool) for n in (len(y), len(x), len(x)))
    pairs_inside = np.zeros(len(without))
    for rows in _blocks(len(x), len(y)):
        norms = x_norms[rows, None] + y_norms
        squares = norms - 2 * _products(x[rows] - origin, y, origin)
        norms *= RELATIVE_TOLERANCE  # the slack
        outer, inner = squares - norms, squares + norms
        in_x = np.nonzero(outer <= x_radii[3][rows].max(axis=1)[:, None])  # few: those inside the largest ball
        in_y = np.nonzero(outer <= y_radii[3].max(axis=1))
        in_covering = np.nonzero(inner < x_radii[5][rows].max(axis=1)[:, None])
        for column, group in enumerate(without):
            kept = x_groups[rows] != group, y_groups != group
            _, inside = _chosen(in_x, outer[in_x] <= x_radii[3][rows][in_x[0], column], kept)
            y_inside[column, inside] = True
            inside, _ = _chosen(in_y, outer[in_y] <= y_radii[3][in_y[1], column], kept)
            x_inside[column, rows.start + inside] = True
            covered, _ = _chosen(in_covering, inner[in_covering] < x_radii[5][rows][in_covering[0], column], kept)
            x_covered[column, rows.start + covered] = True
            pairs_inside[column] += len(covered)
        on_rows(min(rows.stop / len(x), 1.0))
    values = []
    for column, group in enumerate(without):
        of_x, of_y = x_groups != group, y_groups != group
        values.append(
            {
                "precision": float(y_inside[column][of_y].mean()),
                "recall": float(x_inside[column][of_x].mean()),
                "density": float(pairs_inside[column]) / (K["density"] * int(of_y.sum())),
                "coverage": float(x_covered[column][of_x].mean()),
            }
        )
    return values


def _chosen(pairs: Pairs, inside: NDArray[np.bool_], kept: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> Pairs:
    """Return the pairs that are inside and whose pictures are both kept."""
    chosen = inside & kept[0][pairs[0]] & kept[1][pairs[1]]
    return pairs[0][chosen], pairs[1][chosen]


def _radii(
    features: Features, norms: Vector, origin: Vector, groups: Groups, left_out: Sequence[int], on_part: OnPart
) -> dict[int, Matrix]:
    """Return the squared radii of the members' balls for k = 3 and 5; infinite if there are too few members.

    Returns:
        (N, 1 + number of groups) for each k: of all members, then without each group.
    """
    count = len(features)
    radii = {k: np.full((count, 1 + len(left_out)), np.inf) for k in (3, 5)}
    for rows in _blocks(count, count):
        squares = norms[rows, None] + norms - 2 * _products(features[rows] - origin, features, origin)
        squares[np.arange(len(squares)), np.arange(count)[rows]] = np.inf
        is_part = count > NEAREST
        of_nearest = (
            np.argpartition(squares, NEAREST - 1, axis=1)[:, :NEAREST] if is_part else np.argsort(squares, axis=1)
        )
        nearest = np.take_along_axis(squares, of_nearest, axis=1)
        order = np.argsort(nearest, axis=1)
        nearest = np.take_along_axis(nearest, order, axis=1)
        of_groups = np.take_along_axis(groups[of_nearest], order, axis=1)
        for column, group in enumerate([NO_GROUP, *left_out]):
            ranks = np.cumsum(of_groups != group, axis=1)
            for k in radii:
                is_among = ranks[:, -1] >= k
                radii[k][rows, column] = np.where(
                    is_among, np.take_along_axis(nearest, (ranks >= k).argmax(axis=1)[:, None], axis=1)[:, 0], np.inf
                )
                if is_part and not is_among.all():  # its nearest pictures are nearly all of this group
                    others = squares[~is_among][:, groups != group]
                    radii[k][np.arange(count)[rows][~is_among], column] = np.partition(others, k - 1, axis=1)[:, k - 1]
        on_part(min(rows.stop / count, 1.0))
    return radii


def _norms(features: Features, origin: Vector) -> Vector:
    blocks = _blocks(len(features), features.shape[1])
    norms = np.concatenate([np.square(features[rows] - origin).sum(axis=1) for rows in blocks])
    require_finite(norms)
    return norms


def _products(rows: Matrix, features: Features, origin: Vector) -> Matrix:
    """Return (n, N) inner products of vectors with the members of a set."""
    block = 1024
    parts = [rows @ (features[start : start + block] - origin).T for start in range(0, len(features), block)]
    return np.concatenate(parts, axis=1)


def _blocks(count: int, width: int) -> list[slice]:
    """Return slices of rows, so that `MAX_DISTANCES` numbers are in memory at a time."""
    step = max(1, MAX_DISTANCES // width)
    return [slice(start, start + step) for start in range(0, count, step)]
