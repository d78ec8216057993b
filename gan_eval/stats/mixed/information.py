"""The information matrix of all random effects of a crossed model, factored by eliminating one factor.

With b = Λu for each level of a factor (Λ lower triangular, one for each factor, Bates et al. 2015, equation 4),
H = I + M'WM has a small block on the diagonal for each level, and cells between the factors.
The factor that costs more to retain is eliminated by a Schur complement; only the other is factored whole.

One factor is eliminated (G levels), the other retained (K levels). A cell is one level of each; cells are stored whole
or only where there are trials. Blocks between the two factors are arrays (r, w, *cells): r effects for each eliminated
level, w for each retained one. Matrices of the retained factor are (w K, w K), effect after effect. All products call
scipy's BLAS: numpy's brings its own threads.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

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


T = TypeVar("T")


class Side(NamedTuple):
    """One grouping factor: an intercept and at most one slope for each of its levels."""

    level: np.ndarray
    """(N,) int, 0.. without gaps."""
    slope: np.ndarray | None
    """(N,) the covariate whose effect varies over the levels."""
    n: int
    """Levels."""

    @property
    def width(self) -> int:
        """Effects of each level."""
        return 1 if self.slope is None else 2

    def weighted(self, values: np.ndarray) -> list[np.ndarray]:
        """Values (N,) times what each effect is of: 1, and the slope's covariate."""
        return [values] if self.slope is None else [values, values * self.slope]


@dataclass(frozen=True)
class Layout:
    """The trials' levels, and which factor is eliminated."""

    sides: tuple[Side, Side]
    first_retained: bool
    cells: Cells

    @staticmethod
    def of(first: Side, second: Side) -> "Layout":
        """The layout that keeps the factor with fewer effects."""
        first_retained = first.width * first.n <= second.width * second.n
        retained, eliminated = (first, second) if first_retained else (second, first)
        cells = cells_of(eliminated.level, retained.level, retained.width)
        return Layout((first, second), first_retained, cells)

    @property
    def size(self) -> int:
        """Effects in all."""
        return sum(side.width * side.n for side in self.sides)

    def split(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Effects (size,) as (width, levels) of the first and of the second factor."""
        first, second = self.sides
        cut = first.width * first.n
        return u[:cut].reshape(first.width, first.n), u[cut:].reshape(second.width, second.n)

    def retained_first(self, first: T, second: T) -> tuple[T, T]:
        """What belongs to the first and to the second factor, as (retained, eliminated); the same turns it back."""
        return (first, second) if self.first_retained else (second, first)


class InverseBlocks(NamedTuple):
    """H⁻¹ between the effects of single levels and cells; a and b are the widths of the two factors."""

    own: tuple[np.ndarray, np.ndarray]
    """(a, a, n) and (b, b, m)."""
    between: np.ndarray
    """(a, b, *cells)"""


class Factor:
    """H = I + M'WM for one set of weights.

    Args:
        layout: the trials' levels.
        scales: Λ of the first and of the second factor, (1, 1) or (2, 2) lower triangular.
        weight: (N,)

    Raises:
        np.linalg.LinAlgError: H is not positive definite in floating point.
    """

    def __init__(self, layout: Layout, scales: tuple[np.ndarray, np.ndarray], weight: np.ndarray) -> None:
        self.layout, self.scales = layout, scales
        cells = layout.cells
        first, second = layout.sides
        self.between = np.array(
            [[cells.sums(both) for both in second.weighted(one)] for one in first.weighted(weight)]
        )  # (a, b, *cells), as Z'WZ
        sums = layout.retained_first(cells.sum_retained, cells.sum_eliminated)
        leads = (self.between[:, 0], self.between[0])
        own_sums = []
        for side, add, lead in zip(layout.sides, sums, leads, strict=True):
            blocks = [[add(cell) for cell in lead]]
            if side.slope is not None:
                blocks.append([blocks[0][1], np.bincount(side.level, weight * side.slope**2, side.n)])
            own_sums.append(np.array(blocks))
        self.own = tuple(own_sums)  # (a, a, n) and (b, b, m), likewise
        diagonals = [
            both_sides(root, own, root) + np.eye(len(own))[..., None]
            for root, own in zip(scales, self.own, strict=True)
        ]
        retained, eliminated = layout.retained_first(*diagonals)
        cross = both_sides(scales[0], self.between, scales[1])
        # Cholesky factors of the eliminated levels' blocks: (1, G), or (3, G) as L11, L21, L22
        with np.errstate(invalid="ignore", divide="ignore"):  # a negative weight's: refused below
            lead = np.sqrt(eliminated[0, 0])
            if len(eliminated) == 1:
                self.root = lead[None]
            else:
                corner = eliminated[0, 1] / lead
                self.root = np.stack([lead, corner, np.sqrt(eliminated[1, 1] - corner**2)])
        if not np.isfinite(self.root).all():
            raise np.linalg.LinAlgError("the information of the random effects is not positive definite")
        self.block = _whiten(cross.swapaxes(0, 1) if layout.first_retained else cross, cells.of_eliminated(self.root))
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
        retained, eliminated = layout.retained_first(*layout.split(right))
        eliminated = _whiten(eliminated, self.root)
        rest = (retained - cells.to_retained(self.block, eliminated)).reshape(-1)
        retained = dpotrs(self.rest, rest, lower=1)[0].reshape(retained.shape)
        eliminated = _unwhiten(eliminated - cells.to_eliminated(self.block, retained), self.root)
        return np.concatenate([part.ravel() for part in layout.retained_first(retained, eliminated)])

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
        height, width = solved.shape[:2]
        levels = order // width
        retained = np.array(
            [[np.diagonal(inverse, -levels * abs(a - b))[levels * min(a, b) :][:levels] for a in range(width)]
             for b in range(width)]
        )  # fmt: skip
        reached = [
            [cells.sum_eliminated((self.block[a] * solved[b]).sum(axis=0)) + (a == b) for b in range(height)]
            for a in range(height)
        ]
        eliminated = _unwhiten(_unwhiten(np.array(reached), self.root).swapaxes(0, 1), self.root)
        between = _unwhiten(-solved, cells.of_eliminated(self.root))
        return InverseBlocks(
            layout.retained_first(retained, eliminated), between.swapaxes(0, 1) if layout.first_retained else between
        )


def scaled(root: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Λ'v for v (width, ...) and a lower triangular Λ (width, width)."""
    if len(root) == 1:
        return np.asarray(root[0, 0] * values)
    return np.stack([root[0, 0] * values[0] + root[1, 0] * values[1], root[1, 1] * values[1]])


def effects(root: np.ndarray, spherical: np.ndarray) -> np.ndarray:
    """Λu for u (width, ...) and a lower triangular Λ (width, width)."""
    if len(root) == 1:
        return np.asarray(root[0, 0] * spherical)
    return np.stack([root[0, 0] * spherical[0], root[1, 0] * spherical[0] + root[1, 1] * spherical[1]])


def both_sides(left: np.ndarray, values: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Λ₁'VΛ₂ for V (a, b, ...)."""
    return scaled(right, scaled(left, values).swapaxes(0, 1)).swapaxes(0, 1)


def _whiten(values: np.ndarray, root: np.ndarray) -> np.ndarray:
    """L⁻¹ v for v (r, ..., M) and the Cholesky factors L of M levels or cells, (1, M) or (3, M) as `Factor.root`."""
    if len(root) == 1:
        return np.asarray(values / root[0])
    lead = values[0] / root[0]
    return np.stack([lead, (values[1] - root[1] * lead) / root[2]])


def _unwhiten(values: np.ndarray, root: np.ndarray) -> np.ndarray:
    """L⁻ᵀ v, as `_whiten`."""
    if len(root) == 1:
        return np.asarray(values / root[0])
    last = values[1] / root[2]
    return np.stack([(values[0] - root[1] * last) / root[0], last])
