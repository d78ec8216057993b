"""The Fréchet distance between two sets of features, each taken as one Gaussian: FID.

d² = |μx - μy|² + tr Σx + tr Σy - 2 tr (Σx Σy)^(1/2), covariances with n - 1, everything in float64. The trace of the
root never passes through a matrix root, so it is never complex, and a singular covariance needs no epsilon.

For any factors with Σx = AᵀA and Σy = BᵀB that trace is the nuclear norm |A Bᵀ|_*, the sum of singular values. With the
centred features as factors (or R of their QR decomposition, if there are more pictures than features) it is exact to
the last digits at any rank. With more pictures than features in both sets, the roots of the eigenvalues of Lᵀ Σx L with
Σy = L Lᵀ are faster. Their rounding error is estimated: above 1e-8 of the distance the nuclear norm is taken.

The jackknife needs the distances without each group. With more pictures than features in both sets, a group's moments
are subtracted from those of all; else each distance is computed anew.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gan_eval.metrics.definitions.jackknife import GROUPS, Comparison, Estimate, Groups, PictureSet, as_of_equal_groups
from gan_eval.metrics.definitions.moments import (
    Features,
    Matrix,
    Moments,
    Vector,
    centred,
    moments,
    require_finite,
    triangular_factor,
)
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.pictures import Unmeasurable

TOLERANCE = 1e-8
"""Largest share of the distance that rounding may change with `cholesky`, estimated too high."""
REGULAR = 1024
"""Times rounding: above, eigenvalues are moved either way; below, those that should be 0 come out above it."""
OVERRATED = 16
"""The regular roots together were moved by less than this part of the estimate wherever that mattered. No simulated
distance taken from them (d = 14 to 1024, spectra that end at 0 or fall steeply) was off by more than 2e-9."""


def fid(real: Features, fake: Features) -> float:
    """Squared Fréchet distance (Heusel et al. 2017, equation 6), in float64.

    Memory beyond the features: five d x d matrices of float64 (168 MB for d = 2048), for any number of pictures.

    Raises:
        Unmeasurable: a set has fewer than two members, or a feature is not finite.

    >>> x = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(fid(x, x + 3), 12)
    18.0
    """
    if min(len(real), len(fake)) < 2:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; a Fréchet distance needs two of each")
    x, y = _Set(real), _Set(fake)
    shift = squared_shift(x, y)
    if x.moments is not None and y.moments is not None:
        factor = cholesky(y.moments.covariance())
        if factor is not None:
            root, slack = trace_with_factor(x.moments.covariance(), factor)
            value = shift + x.trace + y.trace - 2 * root
            if 2 * slack <= TOLERANCE * value:
                return value
    return distance_of_factors(shift, x.factor(), y.factor())


def distance_of_factors(shift: float, a: Matrix, b: Matrix) -> float:
    """Compute the distance of two Gaussians from factors of their covariances."""
    from scipy.linalg import svdvals

    traces = float(np.vdot(a, a)) + float(np.vdot(b, b))
    return max(shift + traces - 2 * float(svdvals(a @ b.T, check_finite=False).sum()), 0.0)


class _Set:
    """One set: where there are more pictures than features its moments, else the features themselves."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self.moments: Moments | None = None
        if len(features) > features.shape[1]:
            self.moments = moments(features)
            self.origin, self.offset = self.moments.origin, self.moments.offset
            self.trace = self.moments.trace
        else:
            self.origin, self.offset, self._rows = centred(features)
            self.trace = float(np.vdot(self._rows, self._rows))
        require_finite(self.offset)

    def factor(self) -> Matrix:
        """(min(N, d), d) F with FᵀF the covariance."""
        return self._rows if self.moments is None else triangular_factor(self._features, self.moments)


def squared_shift(x: "_Set | Moments | _Part", y: "_Set | Moments | _Part") -> float:
    """Return the squared distance of two means. The origins cancel first, so that an offset of both costs no digits."""
    shift = (x.origin - y.origin) + (x.offset - y.offset)
    return float(shift @ shift)


def trace_with_factor(covariance: Matrix, factor: Matrix) -> tuple[float, float]:
    """Return tr (Σx Σy)^(1/2) from the eigenvalues of Lᵀ Σx L with Σy = L Lᵀ, and what rounding may have done to it.

    Args:
        covariance: (d, d) Σx; overwritten.
        factor: (d, d) L. Of both the lower triangles count, in Fortran's order.
    """
    from scipy.linalg import eigh, lapack

    squared, _ = lapack.dsygst(covariance, factor, itype=2, lower=1, overwrite_a=1)
    eigenvalues = eigh(squared, lower=True, eigvals_only=True, driver="evd", overwrite_a=True, check_finite=False)
    eigenvalues = np.maximum(eigenvalues, 0)
    rounding = np.finfo(float).eps * eigenvalues[-1]
    moved = np.sqrt(eigenvalues + rounding) - np.sqrt(eigenvalues)
    regular = eigenvalues > REGULAR * rounding
    slack = np.linalg.norm(moved[regular]) / OVERRATED + moved[~regular].sum()
    return float(np.sqrt(eigenvalues).sum()), float(slack)


def cholesky(covariance: Matrix) -> Matrix | None:
    """Return L with L Lᵀ the covariance (lower triangles; overwritten); None if it is singular."""
    from scipy.linalg import lapack

    factor, failed = lapack.dpotrf(covariance, lower=1, overwrite_a=1, clean=0)
    return None if failed else factor


class FrechetReference:
    """The real pictures' part of the distance, computed once for all models.

    Memory beyond the features, with more pictures than features: the factors of the real pictures' covariance without
    each group, 11 d x d matrices of float64, and six more for a comparison (570 MB in all for d = 2048).

    Args:
        real: (N, d) features of the real pictures.
        groups: (N,) the group of each; None where none is to be left out.
    """

    def __init__(self, real: Features, groups: Groups | None) -> None:
        self._real = real
        self._groups = groups

    def compare(self, fake: Features, groups: Groups | None) -> Estimate:
        """The distance of generated pictures.

        Raises:
            Unmeasurable: as `fid`.
        """
        value = fid(self._real, fake)
        if self._groups is None or groups is None:
            return Estimate(value)
        counts = [np.sum(self._groups != g) for g in range(GROUPS)] + [np.sum(groups != g) for g in range(GROUPS)]
        if min(counts) < 2:
            return Estimate(value)
        if min(counts) > fake.shape[1] and all(part is not None for part in self._parts):
            of_all, left_out = moments(fake), []
            for g, part in enumerate(self._parts):
                assert part is not None
                rest = of_all - moments(fake, np.flatnonzero(groups == g), origin=of_all.origin)
                root, _ = trace_with_factor(rest.covariance(), part.factor)
                left_out.append(squared_shift(part, rest) + part.trace + rest.trace - 2 * root)
        else:
            left_out = [fid(self._real[self._groups != g], fake[groups != g]) for g in range(GROUPS)]
        return Estimate(value, as_of_equal_groups(value, np.array(left_out), groups))

    @cached_property
    def _parts(self) -> "list[_Part | None]":
        """The real pictures without each group; None where their covariance is singular."""
        assert self._groups is not None
        of_all, parts = moments(self._real), list[_Part | None]()
        for g in range(GROUPS):
            rest = of_all - moments(self._real, np.flatnonzero(self._groups == g), origin=of_all.origin)
            factor = cholesky(rest.covariance())
            parts.append(None if factor is None else _Part(rest.origin, rest.offset, rest.trace, factor))
        return parts


@dataclass(frozen=True)
class _Part:
    """Some of the real pictures: their mean, and their covariance as its factor."""

    origin: Vector
    offset: Vector
    trace: float
    factor: Matrix


def compare_fid(real: PictureSet) -> Comparison:
    """Return a function that computes FID of sets against these real pictures."""
    reference = FrechetReference(real.features, real.groups)
    return lambda fake, _: {"fid": reference.compare(fake.features, fake.groups)}


FID = Metric(
    name="fid",
    title="FID",
    kind="set",
    measures="distance of two sets' Inception features, each taken as one Gaussian; biased upwards if small",
    source="Heusel et al. 2017; Inception 2015-12-05, 2048 features",
    definition="fid/inception-2015-12-05",
    function=fid,
    weights=("inception",),
    extractor="inception",
    depends_on_count=True,
    compare=compare_fid,
)


METRICS = (FID,)
