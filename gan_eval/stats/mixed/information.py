"""The information matrix of all random effects of a crossed model, factored by eliminating one factor.

With b = Λu for each level of the first factor (Λ lower triangular, Bates et al. 2015, equation 4) and σu for each
level of the second, H = I + M'WM has a small block on the diagonal for each level, and cells between the factors.
The factor that costs more to keep is eliminated by a Schur complement; only the other is factored whole.

Sums and products over the cells of two crossed factors, stored whole or only where there are trials.

One factor is eliminated (`gone`, G levels), the other kept (K levels). A cell is one level of each. Blocks between
the two factors are arrays (r, w, *cells): r effects for each eliminated level, w for each kept one. Matrices of the
kept factor are (w K, w K), effect after effect. All products call scipy's BLAS: numpy's brings its own threads.
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


class Cells(Protocol):
    """What both layouts can do."""

    n_gone: int
    n_kept: int

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum over the trials (N,) of each cell."""

    def at_trials(self, cells: np.ndarray) -> np.ndarray:
        """(N,) each trial's cell."""

    def of_gone(self, levels: np.ndarray) -> np.ndarray:
        """Values (..., G) in the shape that meets cells."""

    def sum_gone(self, cells: np.ndarray) -> np.ndarray:
        """(G,) sum over the cells of an eliminated level."""

    def sum_kept(self, cells: np.ndarray) -> np.ndarray:
        """(K,) sum over the cells of a kept level."""

    def subtract_product(self, matrix: np.ndarray, block: np.ndarray) -> np.ndarray:
        """The lower triangle of matrix - B B', B being the block as (w K, r G)."""

    def product(self, inverse: np.ndarray, block: np.ndarray) -> np.ndarray:
        """A B at the cells, for a symmetric A of which the lower triangle is given; shape as the block's."""

    def to_gone(self, block: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """(r, G): B' v for v (w, K)."""

    def to_kept(self, block: np.ndarray, gone: np.ndarray) -> np.ndarray:
        """(w, K): B v for v (r, G)."""


def cells_of(gone: np.ndarray, kept: np.ndarray, width: int) -> Cells:
    """The cheaper layout for trials at the levels `gone` and `kept`, each (N,); `width` effects for a kept level."""
    n_gone, n_kept = int(gone.max()) + 1, int(kept.max()) + 1
    code = gone * n_kept + kept
    if n_gone * n_kept > 8 * len(code):
        seen = np.unique(code)
        pairs = float((np.bincount(seen // n_kept, minlength=n_gone).astype(float) ** 2).sum())
        if pairs <= _MOST_PAIRS and pairs * _PAIR_COST * width**2 < float(n_kept * width) ** 2 * n_gone:
            return SparseCells(code, n_gone, n_kept)
    return DenseCells(code, n_gone, n_kept)


class DenseCells:
    """Every cell, as an array (G, K)."""

    def __init__(self, code: np.ndarray, n_gone: int, n_kept: int) -> None:
        self.code, self.n_gone, self.n_kept = code, n_gone, n_kept

    def sums(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.code, values, self.n_gone * self.n_kept).reshape(self.n_gone, self.n_kept)

    def at_trials(self, cells: np.ndarray) -> np.ndarray:
        return cells.reshape(-1)[self.code]

    def of_gone(self, levels: np.ndarray) -> np.ndarray:
        return levels[..., None]

    def sum_gone(self, cells: np.ndarray) -> np.ndarray:
        found: np.ndarray = cells.sum(axis=1)
        return found

    def sum_kept(self, cells: np.ndarray) -> np.ndarray:
        found: np.ndarray = cells.sum(axis=0)
        return found

    def subtract_product(self, matrix: np.ndarray, block: np.ndarray) -> np.ndarray:
        found: np.ndarray = dsyrk(-1.0, self._flat(block).T, beta=1.0, c=matrix, lower=1, overwrite_c=1)
        return found

    def product(self, inverse: np.ndarray, block: np.ndarray) -> np.ndarray:
        r, w = block.shape[:2]
        found = dsymm(1.0, inverse, self._flat(block).T, lower=1).T
        return found.reshape(r, self.n_gone, w, self.n_kept).transpose(0, 2, 1, 3)

    def to_gone(self, block: np.ndarray, kept: np.ndarray) -> np.ndarray:
        found: np.ndarray = dgemv(1.0, self._flat(block).T, kept.reshape(-1), trans=1)
        return found.reshape(block.shape[0], self.n_gone)

    def to_kept(self, block: np.ndarray, gone: np.ndarray) -> np.ndarray:
        found: np.ndarray = dgemv(1.0, self._flat(block).T, gone.reshape(-1))
        return found.reshape(block.shape[1], self.n_kept)

    def _flat(self, block: np.ndarray) -> np.ndarray:
        """(r G, w K), C order."""
        r, w = block.shape[:2]
        return np.ascontiguousarray(block.transpose(0, 2, 1, 3).reshape(r * self.n_gone, w * self.n_kept))


class SparseCells:
    """Only the cells that hold trials, as an array (C,), and all pairs of cells within an eliminated level."""

    def __init__(self, code: np.ndarray, n_gone: int, n_kept: int) -> None:
        seen, self.cell = np.unique(code, return_inverse=True)
        self.n_gone, self.n_kept, self.count = n_gone, n_kept, len(seen)
        self.gone, self.kept = seen // n_kept, seen % n_kept
        sizes = np.bincount(self.gone, minlength=n_gone)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        repeats = sizes[self.gone]
        self.left = np.repeat(np.arange(self.count), repeats)
        within = np.arange(len(self.left)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        self.right = np.repeat(starts[self.gone], repeats) + within
        self.pair = (self.kept[self.left], self.kept[self.right])

    def sums(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.cell, values, self.count)

    def at_trials(self, cells: np.ndarray) -> np.ndarray:
        return cells[self.cell]

    def of_gone(self, levels: np.ndarray) -> np.ndarray:
        return levels[..., self.gone]

    def sum_gone(self, cells: np.ndarray) -> np.ndarray:
        return np.bincount(self.gone, cells, self.n_gone)

    def sum_kept(self, cells: np.ndarray) -> np.ndarray:
        return np.bincount(self.kept, cells, self.n_kept)

    def subtract_product(self, matrix: np.ndarray, block: np.ndarray) -> np.ndarray:
        size, order = self.n_kept, self.n_kept * block.shape[1]
        for a in range(block.shape[1]):
            for b in range(a + 1):
                values = np.einsum("rp,rp->p", block[:, a, self.left], block[:, b, self.right])
                cell = (self.pair[0]) * size + self.pair[1]
                sums = np.bincount(cell, values, size * size).reshape(size, size)
                matrix[a * size : (a + 1) * size, b * size : (b + 1) * size] -= sums
        return matrix[:order, :order]

    def product(self, inverse: np.ndarray, block: np.ndarray) -> np.ndarray:
        r, w = block.shape[:2]
        found = np.zeros((r, w, self.count))
        size = self.n_kept
        for a in range(w):
            for b in range(w):
                high, low = max(a, b), min(a, b)
                part = inverse[high * size : (high + 1) * size, low * size : (low + 1) * size]
                rows, columns = self.pair if a >= b else self.pair[::-1]
                if a == b:
                    rows, columns = np.maximum(rows, columns), np.minimum(rows, columns)
                values = part[rows, columns]
                for c in range(r):
                    found[c, a] += np.bincount(self.left, values * block[c, b, self.right], self.count)
        return found

    def to_gone(self, block: np.ndarray, kept: np.ndarray) -> np.ndarray:
        return np.stack([self.sum_gone((row * kept[:, self.kept]).sum(axis=0)) for row in block])

    def to_kept(self, block: np.ndarray, gone: np.ndarray) -> np.ndarray:
        return np.stack([self.sum_kept((column * gone[:, self.gone]).sum(axis=0)) for column in block.swapaxes(0, 1)])


_SMALL = 200
"""Effects below which threads cost more than they give."""


class Spread(NamedTuple):
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
    first_kept: bool
    cells: Cells

    @staticmethod
    def of(first: np.ndarray, second: np.ndarray, slope: np.ndarray | None) -> "Layout":
        """The layout that keeps the factor with fewer effects."""
        n_first, n_second = int(first.max()) + 1, int(second.max()) + 1
        width = 1 if slope is None else 2
        first_kept = width * n_first <= n_second
        kept, gone = (first, second) if first_kept else (second, first)
        cells = cells_of(gone, kept, width if first_kept else 1)
        return Layout(first, second, slope, n_first, n_second, first_kept, cells)

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


class Own(NamedTuple):
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

    def __init__(self, layout: Layout, spread: Spread, weight: np.ndarray) -> None:
        self.layout, self.spread = layout, spread
        cells = layout.cells
        self.sums = [cells.sums(weight)]
        sum_first, sum_second = (
            (cells.sum_kept, cells.sum_gone) if layout.first_kept else (cells.sum_gone, cells.sum_kept)
        )
        self.first_sums = [sum_first(self.sums[0])]
        self.second_sums = sum_second(self.sums[0])
        t1, t2, t3, sd = spread
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
        kept, gone = (diagonal, own) if layout.first_kept else (own, diagonal)
        self.root = _roots(gone)
        self.block = cross[None] / cells.of_gone(self.root[0]) if layout.first_kept else self._whiten_cells(cross)
        rest = cells.subtract_product(_spread_out(kept), self.block)
        self.rest, failed = dpotrf(rest, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("the information of the random effects is not positive definite")

    def log_determinant(self) -> float:
        """log|H|."""
        gone = np.log(self.root[0]).sum() + (np.log(self.root[2]).sum() if len(self.root) > 1 else 0.0)
        return float(2 * (np.log(np.diagonal(self.rest)).sum() + gone))

    def solve(self, right: np.ndarray) -> np.ndarray:
        """H⁻¹ r for one right-hand side (size,)."""
        layout, cells = self.layout, self.layout.cells
        first, second = layout.split(right)
        kept, gone = (first, second[None]) if layout.first_kept else (second[None], first)
        gone = self._whiten(gone)
        rest = (kept - cells.to_kept(self.block, gone)).reshape(-1)
        kept = dpotrs(self.rest, rest, lower=1)[0].reshape(kept.shape)
        gone = self._unwhiten(gone - cells.to_gone(self.block, kept))
        return np.concatenate([kept.ravel(), gone.ravel()] if layout.first_kept else [gone.ravel(), kept.ravel()])

    def own(self) -> Own:
        """H⁻¹ at each level and cell."""
        layout, cells = self.layout, self.layout.cells
        inverse = _inverse(self.rest)
        solved = cells.product(inverse, self.block)
        levels = layout.n_first
        if layout.first_kept:
            root = self.root[0]
            diagonal = np.diagonal(inverse)
            if layout.width == 1:
                first = diagonal[None, None]
            else:
                corner = np.diagonal(inverse, -levels)
                first = np.array([[diagonal[:levels], corner], [corner, diagonal[levels:]]])
            reached = cells.sum_gone((self.block[0] * solved[0]).sum(axis=0))
            return Own(first, (1 + reached) / root**2, -solved[0] / cells.of_gone(root))
        corners = [
            [cells.sum_gone(self.block[a, 0] * solved[b, 0]) + (a == b) for b in range(layout.width)]
            for a in range(layout.width)
        ]
        first = self._unwhiten(np.array(corners))
        first = self._unwhiten(first.swapaxes(0, 1))
        return Own(first, np.diagonal(inverse), self._unwhiten_cells(-solved[:, 0]))

    def _whiten(self, gone: np.ndarray) -> np.ndarray:
        """L⁻¹ v for v (r, G)."""
        lead = gone[0] / self.root[0]
        if len(self.root) == 1:
            return lead[None]
        return np.stack([lead, (gone[1] - self.root[1] * lead) / self.root[2]])

    def _unwhiten(self, gone: np.ndarray) -> np.ndarray:
        """L⁻ᵀ v for v (r, ..., G)."""
        if len(self.root) == 1:
            return gone / self.root[0]
        last = gone[1] / self.root[2]
        return np.stack([(gone[0] - self.root[1] * last) / self.root[0], last])

    def _whiten_cells(self, cross: np.ndarray) -> np.ndarray:
        """L⁻¹ of the cells (r, *cells), as a block (r, 1, *cells)."""
        at = self.layout.cells.of_gone(self.root)
        lead = cross[0] / at[0]
        if len(at) == 1:
            return lead[None, None]
        return np.stack([lead, (cross[1] - at[1] * lead) / at[2]])[:, None]

    def _unwhiten_cells(self, cross: np.ndarray) -> np.ndarray:
        at = self.layout.cells.of_gone(self.root)
        if len(at) == 1:
            return cross / at[0]
        last = cross[1] / at[2]
        return np.stack([(cross[0] - at[1] * last) / at[0], last])


def _inverse(root: np.ndarray) -> np.ndarray:
    """The lower triangle of the inverse from a Cholesky factor, for small ones in pieces that wake no threads."""
    size = len(root)
    found: np.ndarray
    if size > _SMALL:
        found, _ = dpotri(root, lower=1)
        return found
    found, step = np.eye(size, order="F"), max(1, 400 // size)
    for start in range(0, size, step):
        found[:, start : start + step] = dpotrs(root, found[:, start : start + step], lower=1)[0]
    return found


def _roots(blocks: np.ndarray) -> np.ndarray:
    """Cholesky factors of blocks (r, r, G): (1, G), or (3, G) as L11, L21, L22."""
    lead = np.sqrt(blocks[0, 0])
    if len(blocks) == 1:
        return lead[None]
    corner = blocks[0, 1] / lead
    return np.stack([lead, corner, np.sqrt(blocks[1, 1] - corner**2)])


def _spread_out(blocks: np.ndarray) -> np.ndarray:
    """Blocks (w, w, K) as a matrix (w K, w K), lower triangle, Fortran order."""
    width, size = blocks.shape[1:]
    matrix = np.zeros((width * size, width * size), order="F")
    for a in range(width):
        for b in range(a + 1):
            np.einsum("ii->i", matrix[a * size : (a + 1) * size, b * size : (b + 1) * size])[:] = blocks[a, b]
    return matrix
