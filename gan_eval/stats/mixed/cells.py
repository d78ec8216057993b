"""Sums and products over the cells of two crossed factors, stored whole or only where there are trials.

One factor is eliminated (`gone`, G levels), the other kept (K levels). A cell is one level of each. Blocks between
the two factors are arrays (r, w, *cells): r effects for each eliminated level, w for each kept one. Matrices of the
kept factor are (w K, w K), effect after effect. All products call scipy's BLAS: numpy's brings its own threads.
"""

from typing import Protocol

import numpy as np
from scipy.linalg.blas import dgemv, dsymm, dsyrk

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
