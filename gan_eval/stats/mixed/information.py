"""The information matrix of all random effects of a crossed model, factored by eliminating one factor.

With b = Λu for each level of the first factor (Λ lower triangular, Bates et al. 2015, equation 4) and σu for each
level of the second, H = I + M'WM has a small block on the diagonal for each level, and cells between the factors.
The factor that costs more to retain is eliminated by a Schur complement; only the other is factored whole.

One factor is eliminated (G levels), the other retained (K levels). A cell is one level of each; cells are stored whole
or only where there are trials. Blocks between the two factors are arrays (r, w, *cells): r effects for each eliminated
level, w for each retained one. Matrices of the retained factor are (w K, w K), effect after effect. All products call
scipy's BLAS: numpy's brings its own threads.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from scipy.linalg.blas import dgemv, dsymm, dsyrk
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

_MOST_PAIRS = 20_000_000
"""Pairs of cells that a sparse layout may hold in memory."""
_PAIR_COST = 30
"""Time for a pair of cells in a sparse product, in multiplications of a dense one."""
_SMALL = 200
"""Effects below which threads cost more than they give."""


class Cells(Protocol):
    """What both layouts can do."""

    n_eliminated: int
    n_retained: int

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum over the trials (N,) of each cell."""

    def at_trials(self, cells: np.ndarray) -> np.ndarray:
        """(N,) each trial's cell."""

    def of_eliminated(self, levels: np.ndarray) -> np.ndarray:
        """Values (..., G) in the shape that meets cells."""

    def sum_eliminated(self, cells: np.ndarray) -> np.ndarray:
        """(G,) sum over the cells of an eliminated level."""

    def sum_retained(self, cells: np.ndarray) -> np.ndarray:
        """(K,) sum over the cells of a retained level."""

    def subtract_product(self, matrix: np.ndarray, block: np.ndarray) -> np.ndarray:
        """The lower triangle of matrix - B B', B being the block as (w K, r G)."""

    def product(self, inverse: np.ndarray, block: np.ndarray) -> np.ndarray:
        """A B at the cells, for a symmetric A of which the lower triangle is given; shape as the block's."""

    def to_eliminated(self, block: np.ndarray, retained: np.ndarray) -> np.ndarray:
        """(r, G): B' v for v (w, K)."""

    def to_retained(self, block: np.ndarray, eliminated: np.ndarray) -> np.ndarray:
        """(w, K): B v for v (r, G)."""


def cells_of(eliminated: np.ndarray, retained: np.ndarray, width: int) -> Cells:
    """The cheaper layout for trials at the levels of both factors, (N,) each; `width` effects for a retained level."""
    n_eliminated, n_retained = int(eliminated.max()) + 1, int(retained.max()) + 1
    code = eliminated * n_retained + retained
    if n_eliminated * n_retained > 8 * len(code):
        seen = np.unique(code)
        pairs = float((np.bincount(seen // n_retained, minlength=n_eliminated).astype(float) ** 2).sum())
        if pairs <= _MOST_PAIRS and pairs * _PAIR_COST * width**2 < float(n_retained * width) ** 2 * n_eliminated:
            return SparseCells(code, n_eliminated, n_retained)
    return DenseCells(code, n_eliminated, n_retained)


class DenseCells:
    """Every cell, as an array (G, K)."""

    def __init__(self, code: np.ndarray, n_eliminated: int, n_retained: int) -> None:
        self.code, self.n_eliminated, self.n_retained = code, n_eliminated, n_retained

    def sums(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.code, values, self.n_eliminated * self.n_retained).reshape(
            self.n_eliminated, self.n_retained
        )

    def at_trials(self, cells: np.ndarray) -> np.ndarray:
        return cells.reshape(-1)[self.code]

    def of_eliminated(self, levels: np.ndarray) -> np.ndarray:
        return levels[..., None]

    def sum_eliminated(self, cells: np.ndarray) -> np.ndarray:
        return np.asarray(cells.sum(axis=1))

    def sum_retained(self, cells: np.ndarray) -> np.ndarray:
        return np.asarray(cells.sum(axis=0))

    def subtract_product(self, matrix: np.ndarray, block: np.ndarray) -> np.ndarray:
        return np.asarray(dsyrk(-1.0, self._flat(block).T, beta=1.0, c=matrix, lower=1, overwrite_c=1))

    def product(self, inverse: np.ndarray, block: np.ndarray) -> np.ndarray:
        r, w = block.shape[:2]
        result = dsymm(1.0, inverse, self._flat(block).T, lower=1).T
        return result.reshape(r, self.n_eliminated, w, self.n_retained).transpose(0, 2, 1, 3)

    def to_eliminated(self, block: np.ndarray, retained: np.ndarray) -> np.ndarray:
        levels = np.asarray(dgemv(1.0, self._flat(block).T, retained.reshape(-1), trans=1))
        return levels.reshape(block.shape[0], self.n_eliminated)

    def to_retained(self, block: np.ndarray, eliminated: np.ndarray) -> np.ndarray:
        levels = np.asarray(dgemv(1.0, self._flat(block).T, eliminated.reshape(-1)))
        return levels.reshape(block.shape[1], self.n_retained)

    def _flat(self, block: np.ndarray) -> np.ndarray:
        """(r G, w K), C order."""
        r, w = block.shape[:2]
        return np.ascontiguousarray(block.transpose(0, 2, 1, 3).reshape(r * self.n_eliminated, w * self.n_retained))


class SparseCells:
    """Only the cells that hold trials, as an array (C,), and all pairs of cells within an eliminated level."""

    def __init__(self, code: np.ndarray, n_eliminated: int, n_retained: int) -> None:
        seen, self.cell = np.unique(code, return_inverse=True)
        self.n_eliminated, self.n_retained, self.count = n_eliminated, n_retained, len(seen)
        self.eliminated, self.retained = seen // n_retained, seen % n_retained
        sizes = np.bincount(self.eliminated, minlength=n_eliminated)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        repeats = sizes[self.eliminated]
        self.left = np.repeat(np.arange(self.count), repeats)
        within = np.arange(len(self.left)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        self.right = np.repeat(starts[self.eliminated], repeats) + within
        self.pair = (self.retained[self.left], self.retained[self.right])

    def sums(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.cell, values, self.count)

    def at_trials(self, cells: np.ndarray) -> np.ndarray:
        return cells[self.cell]

    def of_eliminated(self, levels: np.ndarray) -> np.ndarray:
        return levels[..., self.eliminated]

    def sum_eliminated(self, cells: np.ndarray) -> np.ndarray:
        return np.bincount(self.eliminated, cells, self.n_eliminated)

    def sum_retained(self, cells: np.ndarray) -> np.ndarray:
        return np.bincount(self.retained, cells, self.n_retained)

    def subtract_product(self, matrix: np.ndarray, block: np.ndarray) -> np.ndarray:
        size, order = self.n_retained, self.n_retained * block.shape[1]
        for a in range(block.shape[1]):
            for b in range(a + 1):
                values = np.einsum("rp,rp->p", block[:, a, self.left], block[:, b, self.right])
                cell = (self.pair[0]) * size + self.pair[1]
                sums = np.bincount(cell, values, size * size).reshape(size, size)
                matrix[a * size : (a + 1) * size, b * size : (b + 1) * size] -= sums
        return matrix[:order, :order]

    def product(self, inverse: np.ndarray, block: np.ndarray) -> np.ndarray:
        r, w = block.shape[:2]
        result = np.zeros((r, w, self.count))
        size = self.n_retained
        for a in range(w):
            for b in range(w):
                high, low = max(a, b), min(a, b)
                part = inverse[high * size : (high + 1) * size, low * size : (low + 1) * size]
                rows, columns = self.pair if a >= b else self.pair[::-1]
                if a == b:
                    rows, columns = np.maximum(rows, columns), np.minimum(rows, columns)
                values = part[rows, columns]
                for c in range(r):
                    result[c, a] += np.bincount(self.left, values * block[c, b, self.right], self.count)
        return result

    def to_eliminated(self, block: np.ndarray, retained: np.ndarray) -> np.ndarray:
        return np.stack([self.sum_eliminated((row * retained[:, self.retained]).sum(axis=0)) for row in block])

    def to_retained(self, block: np.ndarray, eliminated: np.ndarray) -> np.ndarray:
        return np.stack(
            [
                self.sum_retained((column * eliminated[:, self.eliminated]).sum(axis=0))
                for column in block.swapaxes(0, 1)
            ]
        )


class Scales(NamedTuple):
    """Λ and σ: how the spherical effects are scaled."""

    t1: float
    """SD of the first factor's intercepts, Λ11."""
    t2: float
    """Λ21"""
    t3: float
    """Λ22"""
    sd: float
    """SD of the second factor's intercepts."""


@dataclass(frozen=True)
class Layout:
    """The trials' levels, and which factor is eliminated."""

    first: np.ndarray
    """(N,) level of the first factor."""
    second: np.ndarray
    slope: np.ndarray | None
    """(N,) the covariate whose effect varies over the first factor's levels."""
    n_first: int
    n_second: int
    first_retained: bool
    cells: Cells

    @staticmethod
    def of(first: np.ndarray, second: np.ndarray, slope: np.ndarray | None) -> "Layout":
        """The layout that keeps the factor with fewer effects."""
        n_first, n_second = int(first.max()) + 1, int(second.max()) + 1
        width = 1 if slope is None else 2
        first_retained = width * n_first <= n_second
        retained, eliminated = (first, second) if first_retained else (second, first)
        cells = cells_of(eliminated, retained, width if first_retained else 1)
        return Layout(first, second, slope, n_first, n_second, first_retained, cells)

    @property
    def width(self) -> int:
        """Effects of each level of the first factor."""
        return 1 if self.slope is None else 2

    @property
    def size(self) -> int:
        """Effects in all."""
        return self.width * self.n_first + self.n_second

    def split(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Effects (size,) as (width, n_first) and (n_second,)."""
        cut = self.width * self.n_first
        return u[:cut].reshape(self.width, self.n_first), u[cut:]


class InverseBlocks(NamedTuple):
    """H⁻¹ between the effects of single levels and cells."""

    first: np.ndarray
    """(width, width, n_first)"""
    second: np.ndarray
    """(n_second,)"""
    between: np.ndarray
    """(width, *cells)"""


class Factor:
    """H = I + M'WM for one set of weights.

    Raises:
        np.linalg.LinAlgError: H is not positive definite in floating point.
    """

    def __init__(self, layout: Layout, scales: Scales, weight: np.ndarray) -> None:
        self.layout, self.scales = layout, scales
        cells = layout.cells
        self.sums = [cells.sums(weight)]
        sum_first, sum_second = (
            (cells.sum_retained, cells.sum_eliminated)
            if layout.first_retained
            else (cells.sum_eliminated, cells.sum_retained)
        )
        self.first_sums = [sum_first(self.sums[0])]
        self.second_sums = sum_second(self.sums[0])
        t1, t2, t3, sd = scales
        if layout.slope is None:
            diagonal = (1 + t1 * t1 * self.first_sums[0])[None, None]
            cross = (sd * t1) * self.sums[0][None]
        else:
            weighted = weight * layout.slope
            self.sums.append(cells.sums(weighted))
            s0, s1 = self.first_sums[0], sum_first(self.sums[1])
            s2 = np.bincount(layout.first, weighted * layout.slope, layout.n_first)
            self.first_sums += [s1, s2]
            corner = t3 * (t1 * s1 + t2 * s2)
            lead = 1 + t1 * t1 * s0 + 2 * t1 * t2 * s1 + t2 * t2 * s2
            diagonal = np.array([[lead, corner], [corner, 1 + t3 * t3 * s2]])
            cross = sd * np.stack([t1 * self.sums[0] + t2 * self.sums[1], t3 * self.sums[1]])
        own = (1 + sd * sd * self.second_sums)[None, None]
        retained, eliminated = (diagonal, own) if layout.first_retained else (own, diagonal)
        # Cholesky factors of the eliminated levels' blocks: (1, G), or (3, G) as L11, L21, L22
        lead = np.sqrt(eliminated[0, 0])
        if len(eliminated) == 1:
            self.root = lead[None]
        else:
            corner = eliminated[0, 1] / lead
            self.root = np.stack([lead, corner, np.sqrt(eliminated[1, 1] - corner**2)])
        self.block = (
            cross[None] / cells.of_eliminated(self.root[0])
            if layout.first_retained
            else _whiten(cross, cells.of_eliminated(self.root))[:, None]
        )
        width, size = retained.shape[1:]  # the retained levels' blocks as a matrix, lower triangle
        matrix = np.zeros((width * size, width * size), order="F")
        for a in range(width):
            for b in range(a + 1):
                np.einsum("ii->i", matrix[a * size : (a + 1) * size, b * size : (b + 1) * size])[:] = retained[a, b]
        rest = cells.subtract_product(matrix, self.block)
        self.rest, failed = dpotrf(rest, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("the information of the random effects is not positive definite")

    def log_determinant(self) -> float:
        """log|H|."""
        of_eliminated = np.log(self.root[0]).sum() + (np.log(self.root[2]).sum() if len(self.root) > 1 else 0.0)
        return float(2 * (np.log(np.diagonal(self.rest)).sum() + of_eliminated))

    def solve(self, right: np.ndarray) -> np.ndarray:
        """H⁻¹ r for one right-hand side (size,)."""
        layout, cells = self.layout, self.layout.cells
        first, second = layout.split(right)
        retained, eliminated = (first, second[None]) if layout.first_retained else (second[None], first)
        eliminated = _whiten(eliminated, self.root)
        rest = (retained - cells.to_retained(self.block, eliminated)).reshape(-1)
        retained = dpotrs(self.rest, rest, lower=1)[0].reshape(retained.shape)
        eliminated = _unwhiten(eliminated - cells.to_eliminated(self.block, retained), self.root)
        parts = [retained.ravel(), eliminated.ravel()]
        return np.concatenate(parts if layout.first_retained else parts[::-1])

    def inverse_blocks(self) -> InverseBlocks:
        """H⁻¹ at each level and cell."""
        layout, cells = self.layout, self.layout.cells
        order = len(self.rest)
        if order > _SMALL:
            inverse, _ = dpotri(self.rest, lower=1)  # the lower triangle
        else:  # in pieces that wake no threads
            inverse, step = np.eye(order, order="F"), max(1, 400 // order)
            for start in range(0, order, step):
                inverse[:, start : start + step] = dpotrs(self.rest, inverse[:, start : start + step], lower=1)[0]
        solved = cells.product(inverse, self.block)
        levels = layout.n_first
        if layout.first_retained:
            root = self.root[0]
            diagonal = np.diagonal(inverse)
            if layout.width == 1:
                first = diagonal[None, None]
            else:
                corner = np.diagonal(inverse, -levels)
                first = np.array([[diagonal[:levels], corner], [corner, diagonal[levels:]]])
            reached = cells.sum_eliminated((self.block[0] * solved[0]).sum(axis=0))
            return InverseBlocks(first, (1 + reached) / root**2, -solved[0] / cells.of_eliminated(root))
        corners = [
            [cells.sum_eliminated(self.block[a, 0] * solved[b, 0]) + (a == b) for b in range(layout.width)]
            for a in range(layout.width)
        ]
        first = _unwhiten(np.array(corners), self.root)
        first = _unwhiten(first.swapaxes(0, 1), self.root)
        between = _unwhiten(-solved[:, 0], cells.of_eliminated(self.root))
        return InverseBlocks(first, np.diagonal(inverse), between)


def _whiten(values: np.ndarray, root: np.ndarray) -> np.ndarray:
    """L⁻¹ v for v (r, ..., M) and the Cholesky factors L of M levels or cells, (1, M) or (3, M) as `Factor.root`."""
    lead = values[0] / root[0]
    if len(root) == 1:
        return lead[None]
    return np.stack([lead, (values[1] - root[1] * lead) / root[2]])


def _unwhiten(values: np.ndarray, root: np.ndarray) -> np.ndarray:
    """L⁻ᵀ v, as `_whiten`."""
    if len(root) == 1:
        return values / root[0]
    last = values[1] / root[2]
    return np.stack([(values[0] - root[1] * last) / root[0], last])
