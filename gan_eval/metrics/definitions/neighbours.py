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

from gan_eval.metrics.definitions.frechet import Features, Matrix, Vector, near_mean, require_finite
from gan_eval.metrics.definitions.jackknife import GROUPS, Comparison, JackknifeEstimate, PictureSet, as_of_equal_groups
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

K = {"precision": 3, "recall": 3, "density": 5, "coverage": 5}
"""The radius of a ball is the distance to the k-th nearest neighbour; k for each metric."""
RELATIVE_TOLERANCE = 1e-11
"""Tolerance of distances: equal if their squares differ by less than this share of the squared norms."""
MAX_DISTANCES = 2**22
"""Maximum number of distances in memory at a time."""


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
    if reason := _too_few(name, real, fake):
        raise reason
    return _values(real, fake)[name]


def _too_few(name: str, real: Features, fake: Features) -> Unmeasurable | None:
    if min(len(real), len(fake)) > K[name]:
        return None
    return Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; {name} needs {K[name] + 1} of each")


def compare_neighbours(real: PictureSet) -> Comparison:
    """Return a function that computes the four metrics of a generated set, for these real pictures."""

    def compare(fake: PictureSet, names: Sequence[str]) -> dict[str, JackknifeEstimate | Unmeasurable]:
        sets = real.features, fake.features
        results = {name: reason for name in names if (reason := _too_few(name, *sets))}
        measurable = [name for name in names if name not in results]
        if not measurable:
            return dict(results)
        values, left_out = _values(*sets), None
        if real.groups is not None and fake.groups is not None:
            kept = [(sets[0][real.groups != g], sets[1][fake.groups != g]) for g in range(GROUPS)]
            if min(len(features) for pair in kept for features in pair) > max(K.values()):
                left_out = [_values(*pair) for pair in kept]
        shares = {"precision": len(sets[1]), "recall": len(sets[0]), "coverage": len(sets[0])}
        estimates: dict[str, JackknifeEstimate | Unmeasurable] = {}
        for name in measurable:
            without = None
            if left_out is not None and fake.groups is not None:
                parts = np.array([part[name] for part in left_out])
                without = as_of_equal_groups(values[name], parts, fake.groups)
            estimates[name] = JackknifeEstimate(values[name], without, shares.get(name))
        return estimates | results

    return compare


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


def _values(real: Features, fake: Features) -> dict[str, float]:
    """Find the pictures inside the other set's balls; coverage and density need 6 pictures in each set."""
    origin = near_mean(real)
    real_norms, fake_norms = _norms(real, origin), _norms(fake, origin)
    real_radii, fake_radii = _radii(real, real_norms, origin), _radii(fake, fake_norms, origin)
    fake_inside = np.zeros(len(fake), dtype=bool)
    real_inside, real_covered = np.zeros((2, len(real)), dtype=bool)
    pairs_inside = 0
    for rows in _blocks(len(real), len(fake)):
        norms = real_norms[rows, None] + fake_norms
        squares = norms - 2 * _products(real[rows] - origin, fake, origin)
        slack = RELATIVE_TOLERANCE * norms
        with_rim = squares - slack
        fake_inside |= (with_rim <= real_radii[3][rows, None]).any(axis=0)
        real_inside[rows] = (with_rim <= fake_radii[3]).any(axis=1)
        covered = squares + slack < real_radii[5][rows, None]
        real_covered[rows] = covered.any(axis=1)
        pairs_inside += int(np.count_nonzero(covered))
    return {
        "precision": float(fake_inside.mean()),
        "recall": float(real_inside.mean()),
        "density": pairs_inside / (K["density"] * len(fake)),
        "coverage": float(real_covered.mean()),
    }


def _radii(features: Features, norms: Vector, origin: Vector) -> dict[int, Vector]:
    """Return the squared radii of the members' balls, (N,) for k = 3 and 5; infinite if there are too few members."""
    radii = {k: np.full(len(features), np.inf) for k in (3, 5)}
    for rows in _blocks(len(features), len(features)):
        squares = norms[rows, None] + norms - 2 * _products(features[rows] - origin, features, origin)
        squares[np.arange(len(squares)), np.arange(len(features))[rows]] = np.inf
        reached = [k for k in radii if k < len(features)]
        nearest = np.partition(squares, [k - 1 for k in reached], axis=1)
        for k in reached:
            radii[k][rows] = nearest[:, k - 1]
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
