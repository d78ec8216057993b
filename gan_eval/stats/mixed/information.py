"""The information matrix of all random effects of a crossed model, factored by eliminating one factor.

With b = Λu for each level of a factor (Λ lower triangular, one for each factor, Bates et al. 2015, equation 4),
H = I + M'WM has a small block on the diagonal for each level, and cells between the factors. A cell is one level of
each factor. The factor with more effects is eliminated by a Schur complement (G levels). Only the other, the retained
one (K levels), is factored as a whole. Blocks between the factors are arrays (r, w, G, K): r effects for each
eliminated level, w for each retained one. All products call scipy's BLAS, because numpy's has its own threads.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy.linalg.blas import dgemv, dsymm, dsyrk
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

MAX_CELLS = 5_000_000
"""Maximum number of cells of a design; with that many, one evaluation takes about a second."""
_SMALL = 200
"""Number of effects; with fewer, threads take more time than they save."""
T = TypeVar("T")


@dataclass(frozen=True)
class Side:
    """One grouping factor: an intercept and at most one slope for each of its levels."""

    level: np.ndarray
    """(N,) int, 0.. without gaps."""
    slope: np.ndarray | None
    """(N,) the covariate whose effect varies over the levels."""
    n: int
    """Number of levels."""

    @cached_property
    def width(self) -> int:
        """Number of effects of each level."""
        return 1 if self.slope is None else 2

    def weighted(self, values: np.ndarray) -> list[np.ndarray]:
        """Return the values (N,) times 1 and, with a slope, times its covariate."""
        return [values] if self.slope is None else [values, values * self.slope]


@dataclass(frozen=True)
class Layout:
    """Levels of the trials, and the choice of the factor to eliminate."""

    sides: tuple[Side, Side]
    first_retained: bool
    """The first factor has fewer effects than the second."""

    @staticmethod
    def of(first: Side, second: Side) -> "Layout":
        """Return the layout that retains the factor with fewer effects."""
        return Layout((first, second), first.width * first.n <= second.width * second.n)

    @property
    def size(self) -> int:
        """Number of effects."""
        return sum(side.width * side.n for side in self.sides)

    def split(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return effects (size,) as (width, levels) of the first and of the second factor."""
        first, second = self.sides
        cut = first.width * first.n
        return u[:cut].reshape(first.width, first.n), u[cut:].reshape(second.width, second.n)

    def retained_first(self, first: T, second: T) -> tuple[T, T]:
        """Return the parts of the first and of the second factor as (retained, eliminated), or back again."""
        return (first, second) if self.first_retained else (second, first)

    @cached_property
    def cell(self) -> np.ndarray:
        """(N,) index of each trial's cell, 0..G K-1."""
        retained, eliminated = self.retained_first(*self.sides)
        return eliminated.level * retained.n + retained.level

    def cell_sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sums (G, K) of values (N,) over the trials of each cell."""
        retained, eliminated = self.retained_first(*self.sides)
        return np.bincount(self.cell, values, eliminated.n * retained.n).reshape(eliminated.n, retained.n)


class Factor:
    """H = I + M'WM for one set of weights.

    Args:
        layout: the trials' levels.
        scales: Λ of the first and of the second factor, (1, 1) or (2, 2) lower triangular.
        weight: (N,) weights of the trials.

    Raises:
        np.linalg.LinAlgError: H is not positive definite in floating point.
    """

    def __init__(self, layout: Layout, scales: tuple[np.ndarray, np.ndarray], weight: np.ndarray) -> None:
        self.layout, self.scales = layout, scales
        first, second = layout.sides
        self.between = np.array(
            [[layout.cell_sums(both) for both in second.weighted(one)] for one in first.weighted(weight)]
        )  # (a, b, G, K), as Z'WZ
        axes = layout.retained_first(1, 2)  # the axis of the other factor's levels
        leads = (self.between[:, 0], self.between[0])
        own_sums = []
        for side, axis, lead in zip(layout.sides, axes, leads, strict=True):
            blocks = [[*lead.sum(axis=axis)]]
            if side.slope is not None:
                blocks.append([blocks[0][1], np.bincount(side.level, weight * side.slope**2, side.n)])
            own_sums.append(np.array(blocks))
        self.own = tuple(own_sums)  # (a, a, n) and (b, b, m), as Z'WZ
        diagonals = [
            both_sides(root, own, root) + np.eye(len(own))[..., None]
            for root, own in zip(scales, self.own, strict=True)
        ]
        retained, eliminated = layout.retained_first(*diagonals)
        cross = both_sides(scales[0], self.between, scales[1])
        # Cholesky factors of the eliminated levels' blocks: (1, G), or (3, G) as L11, L21, L22
        with np.errstate(invalid="ignore", divide="ignore"):  # from a negative weight; refused below
            lead = np.sqrt(eliminated[0, 0])
            if len(eliminated) == 1:
                self.root = lead[None]
            else:
                corner = eliminated[0, 1] / lead
                self.root = np.stack([lead, corner, np.sqrt(eliminated[1, 1] - corner**2)])
        if not np.isfinite(self.root).all():
            raise np.linalg.LinAlgError("the information of the random effects is not positive definite")
        self.block = _whiten(cross.swapaxes(0, 1) if layout.first_retained else cross, self.root[..., None])
        width, size = retained.shape[1:]  # the retained levels' blocks as a matrix, lower triangle
        matrix = np.zeros((width * size, width * size), order="F")
        for a in range(width):
            for b in range(a + 1):
                np.einsum("ii->i", matrix[a * size : (a + 1) * size, b * size : (b + 1) * size])[:] = retained[a, b]
        r, w, n_eliminated, n_retained = self.block.shape
        self.flat = np.ascontiguousarray(self.block.transpose(0, 2, 1, 3).reshape(r * n_eliminated, w * n_retained))
        rest = dsyrk(-1.0, self.flat.T, beta=1.0, c=matrix, lower=1, overwrite_c=1)
        self.rest, failed = dpotrf(rest, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("the information of the random effects is not positive definite")

    def log_determinant(self) -> float:
        """Return log|H|."""
        of_eliminated = np.log(self.root[0]).sum() + (np.log(self.root[2]).sum() if len(self.root) > 1 else 0.0)
        return float(2 * (np.log(np.diagonal(self.rest)).sum() + of_eliminated))

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Return H⁻¹ r for one right-hand side (size,)."""
        layout = self.layout
        retained, eliminated = layout.retained_first(*layout.split(right))
        eliminated = _whiten(eliminated, self.root)
        rest = retained.reshape(-1) - dgemv(1.0, self.flat.T, eliminated.reshape(-1))
        solved = dpotrs(self.rest, rest, lower=1)[0]
        from_retained = dgemv(1.0, self.flat.T, solved, trans=1).reshape(eliminated.shape)
        retained, eliminated = solved.reshape(retained.shape), _unwhiten(eliminated - from_retained, self.root)
        return np.concatenate([part.ravel() for part in layout.retained_first(retained, eliminated)])

    def inverse_blocks(self) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        """Return H⁻¹ within single levels, (a, a, n) and (b, b, m), and within cells, (a, b, G, K)."""
        layout, order = self.layout, len(self.rest)
        if order > _SMALL:
            inverse, _ = dpotri(self.rest, lower=1)  # the lower triangle
        else:  # in pieces too small for threads
            inverse, step = np.eye(order, order="F"), max(1, 400 // order)
            for start in range(0, order, step):
                inverse[:, start : start + step] = dpotrs(self.rest, inverse[:, start : start + step], lower=1)[0]
        height, width, n_eliminated, levels = self.block.shape
        product = dsymm(1.0, inverse, self.flat.T, lower=1).T
        solved = product.reshape(height, n_eliminated, width, levels).transpose(0, 2, 1, 3)
        retained = np.array(
            [[np.diagonal(inverse, -levels * abs(a - b))[levels * min(a, b) :][:levels] for a in range(width)]
             for b in range(width)]
        )  # fmt: skip
        reached = [
            [(self.block[a] * solved[b]).sum(axis=0).sum(axis=1) + (a == b) for b in range(height)]
            for a in range(height)
        ]
        eliminated = _unwhiten(_unwhiten(np.array(reached), self.root).swapaxes(0, 1), self.root)
        between = _unwhiten(-solved, self.root[..., None])
        between = between.swapaxes(0, 1) if layout.first_retained else between
        return layout.retained_first(retained, eliminated), between


def scaled(root: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return Λ'v for v (width, ...) and a lower triangular Λ (width, width)."""
    if len(root) == 1:
        return np.asarray(root[0, 0] * values)
    return np.stack([root[0, 0] * values[0] + root[1, 0] * values[1], root[1, 1] * values[1]])


def effects(root: np.ndarray, spherical: np.ndarray) -> np.ndarray:
    """Return Λu for u (width, ...) and a lower triangular Λ (width, width)."""
    if len(root) == 1:
        return np.asarray(root[0, 0] * spherical)
    return np.stack([root[0, 0] * spherical[0], root[1, 0] * spherical[0] + root[1, 1] * spherical[1]])


def both_sides(left: np.ndarray, values: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return Λ₁'VΛ₂ for V (a, b, ...)."""
    return scaled(right, scaled(left, values).swapaxes(0, 1)).swapaxes(0, 1)


def _whiten(values: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return L⁻¹ v for v (r, ..., M) and the Cholesky factors L of M levels or cells, `Factor.root`."""
    if len(root) == 1:
        return np.asarray(values / root[0])
    lead = values[0] / root[0]
    return np.stack([lead, (values[1] - root[1] * lead) / root[2]])


def _unwhiten(values: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return L⁻ᵀ v for the arguments of `_whiten`."""
    if len(root) == 1:
        return np.asarray(values / root[0])
    last = values[1] / root[2]
    return np.stack([(values[0] - root[1] * last) / root[0], last])
