"""The information matrix of all random effects of a crossed model, factored by eliminating one factor.

With b = Λu for each level of the first factor (Λ lower triangular, Bates et al. 2015, equation 4) and σu for each
level of the second, H = I + M'WM has a small block on the diagonal for each level, and cells between the factors.
The factor that costs more to keep is eliminated by a Schur complement; only the other is factored whole.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

from gan_eval.stats.mixed.cells import Cells, cells_of

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
