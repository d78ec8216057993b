"""The information matrix of all random effects of a crossed model, factored by eliminating one factor.

With b = Λu for each level of a factor (Λ lower triangular, one for each factor, Bates et al. 2015, equation 4; or
diagonal for effects without correlation), H = I + M'WM has a small block on the diagonal for each level, and cells
between the factors. A cell is one level of each factor. The factor with more effects is eliminated by a Schur
complement (G levels). Only the other, the retained one (K levels), is factored as a whole. Blocks between the factors
are arrays (r, w, G, K): r effects for each eliminated level, w for each retained one. Large products call scipy's BLAS,
because numpy's has its own threads. Small ones use no threads, which would wait for each other longer than they work.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import dgemm, dsymm, dsyrk
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs

MAX_CELLS = 5_000_000
"""Maximum number of cells of a design; with that many, one evaluation takes about a second."""
_SMALL = 200
"""Number of effects; with fewer, threads take more time than they save."""
_UNTHREADED = 262_144
"""Maximum number of multiplications of a matrix product for which OpenBLAS starts no threads."""

Columns = tuple[float | np.ndarray, ...]
"""The covariate of each effect of a factor's levels: 1 of the intercept, (N,) of a slope."""


def times(root: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return Λu for a Λ (width, width) and u (width, ...)."""
    return root[0, 0] * u if len(root) == 1 else np.einsum("ab,b...->a...", root, u)


def transposed_times(root: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return Λ'v for a Λ (width, width) and v (width, ...)."""
    return root[0, 0] * v if len(root) == 1 else np.einsum("ba,b...->a...", root, v)


def right_times(left: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return VΛ for V (a, width, ...) and a Λ (width, width)."""
    return root[0, 0] * left if len(root) == 1 else np.einsum("ab...,bc->ac...", left, root)


def product_of(column: float | np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return values (N,) times a column of `Columns`; the values themselves for an intercept's."""
    return values if isinstance(column, float) else column * values


Entries = tuple[tuple[tuple[int, int], ...], ...]
"""For each parameter of a Λ, the places (row, column) in Λ that have its value."""


class Side(NamedTuple):
    """One grouping factor: an intercept and slopes for each of its levels."""

    level: np.ndarray
    """(N,) int, 0.. without gaps."""
    slopes: tuple[np.ndarray, ...]
    """(N,) each: the covariates whose effects vary over the levels."""
    n: int
    """Number of levels."""
    entries: Entries
    """Places of the parameters in Λ."""


@dataclass(frozen=True)
class CellLayout:
    """Levels of the trials, where their effects are among all effects, and the choice of the factor to eliminate."""

    sides: tuple[Side, Side]
    columns: tuple[Columns, Columns]
    first_retained: bool
    """The first factor has fewer effects than the second."""
    slices: tuple[slice, slice]
    """Places of each factor's effects: (width, levels), flat."""
    cell: np.ndarray
    """(N,) index of each trial's cell, 0..G K-1."""
    size: int
    """Number of effects."""

    @staticmethod
    def of(first: Side, second: Side) -> "CellLayout":
        """Return the layout that retains the factor with fewer effects."""
        sides = first, second
        columns: tuple[Columns, Columns] = (1.0, *first.slopes), (1.0, *second.slopes)
        sizes = [len(column) * side.n for column, side in zip(columns, sides, strict=True)]
        first_retained = sizes[0] <= sizes[1]
        retained, eliminated = sides if first_retained else sides[::-1]
        return CellLayout(
            sides,
            columns,
            first_retained,
            (slice(0, sizes[0]), slice(sizes[0], sum(sizes))),
            eliminated.level * retained.n + retained.level,
            sum(sizes),
        )

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return Z'v (size,) for values of the trials (N,)."""
        return np.concatenate(
            [
                np.bincount(side.level, product_of(column, values), side.n)
                for side, columns in zip(self.sides, self.columns, strict=True)
                for column in columns
            ]
        )

    def onto(self, scales: tuple[np.ndarray, np.ndarray], sums: np.ndarray) -> np.ndarray:
        """Return Λ's (size,) for sums (size,)."""
        parts = zip(scales, self.slices, strict=True)
        return np.concatenate(
            [transposed_times(root, sums[part].reshape(len(root), -1)).ravel() for root, part in parts]
        )

    def at_trials(self, scales: tuple[np.ndarray, np.ndarray], u: np.ndarray) -> np.ndarray:
        """Return ZΛu (N,), the sum of the effects of each trial, for u (size,)."""
        total = np.zeros(len(self.cell))
        for root, part, side, columns in zip(scales, self.slices, self.sides, self.columns, strict=True):
            for column, effect in zip(columns, times(root, u[part].reshape(len(root), -1)), strict=True):
                total += product_of(column, effect[side.level])
        return total


class Factor:
    """H = I + M'WM for one set of weights.

    Args:
        layout: the trials' levels.
        scales: Λ of the first and of the second factor, (r, r) and (w, w) lower triangular.
        weight: (N,) weights of the trials.

    Raises:
        np.linalg.LinAlgError: H is not positive definite in floating point.
    """

    def __init__(self, layout: CellLayout, scales: tuple[np.ndarray, np.ndarray], weight: np.ndarray) -> None:
        self.layout, self.scales, self.weight = layout, scales, weight
        (first, second), (of_first, of_second) = layout.sides, layout.columns
        shape = (second.n, first.n) if layout.first_retained else (first.n, second.n)
        between = np.array(
            [
                [
                    np.bincount(layout.cell, product_of(both, product_of(one, weight)), shape[0] * shape[1])
                    for both in of_second
                ]
                for one in of_first
            ]
        ).reshape(len(of_first), len(of_second), *shape)  # (a, b, G, K), as Z'WZ
        axes = (1, 2) if layout.first_retained else (2, 1)  # the axis of the other factor's levels
        leads = (between[:, 0], between[0])
        sums = []
        for side, axis, lead in zip(layout.sides, axes, leads, strict=True):
            blocks = np.empty((len(lead), len(lead), side.n))
            blocks[0] = blocks[:, 0] = lead.sum(axis=axis)
            for a, one in enumerate(side.slopes, start=1):
                for b, both in enumerate(side.slopes[:a], start=1):
                    blocks[a, b] = blocks[b, a] = np.bincount(side.level, weight * one * both, side.n)
            sums.append(blocks)
        self.sums = tuple(sums)  # (a, a, n) and (b, b, m), as Z'WZ
        diagonals = [
            right_times(transposed_times(root, sums), root) + np.eye(len(sums))[..., None]
            for root, sums in zip(scales, self.sums, strict=True)
        ]
        retained, eliminated = diagonals if layout.first_retained else diagonals[::-1]
        cross = right_times(transposed_times(scales[0], between), scales[1])
        with np.errstate(invalid="ignore", divide="ignore"):  # from a negative weight; refused below
            self.root = _roots(eliminated)
        if not np.isfinite(self.root).all():
            raise np.linalg.LinAlgError("the information of the random effects is not positive definite")
        block = _whiten(cross.swapaxes(0, 1) if layout.first_retained else cross, self.root[..., None])
        r, w, n_eliminated, n_retained = block.shape
        self.flat = np.ascontiguousarray(block.transpose(0, 2, 1, 3).reshape(r * n_eliminated, w * n_retained))
        del block, cross, between  # arrays of this size are most of the memory of an analysis
        self.block = self.flat.reshape(r, n_eliminated, w, n_retained).transpose(0, 2, 1, 3)
        width, size = retained.shape[1:]  # the retained levels' blocks as a matrix, lower triangle
        matrix = np.zeros((width * size, width * size), order="F")
        for a in range(width):
            for b in range(a + 1):
                np.einsum("ii->i", matrix[a * size : (a + 1) * size, b * size : (b + 1) * size])[:] = retained[a, b]
        rest = _minus_gram(self.flat, matrix)
        self.rest, failed = dpotrf(rest, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("the information of the random effects is not positive definite")
        of_eliminated = sum(np.log(self.root[a, a]).sum() for a in range(len(self.root)))
        self.log_determinant = float(2 * (np.log(np.diagonal(self.rest)).sum() + of_eliminated))

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Return H⁻¹ r for one right-hand side (size,)."""
        layout = self.layout
        of_retained, of_eliminated = layout.slices if layout.first_retained else layout.slices[::-1]
        eliminated = _whiten(right[of_eliminated].reshape(len(self.block), -1), self.root)
        rest = right[of_retained] - np.einsum("gk,g->k", self.flat, eliminated.reshape(-1))
        solved = dpotrs(self.rest, rest, lower=1)[0]
        from_retained = np.einsum("gk,k->g", self.flat, solved).reshape(eliminated.shape)
        result = np.empty(len(right))
        result[of_retained] = solved
        result[of_eliminated] = _unwhiten(eliminated - from_retained, self.root).ravel()
        return result

    def leverage(self) -> tuple[np.ndarray, np.ndarray]:
        """Return m_i'H⁻¹m_i of each trial (N,), and Σ w_i m_i'H⁻¹ dm_i for each parameter of (Λ₁, Λ₂)."""
        layout, order = self.layout, len(self.rest)
        if order > _SMALL:
            inverse, _ = dpotri(self.rest, lower=1)  # the lower triangle
        else:  # in pieces too small for threads
            inverse, step = np.eye(order, order="F"), max(1, 400 // order)
            for start in range(0, order, step):
                inverse[:, start : start + step] = dpotrs(self.rest, inverse[:, start : start + step], lower=1)[0]
        height, width, n_eliminated, levels = self.block.shape
        product = _times_symmetric(self.flat, inverse)
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
        between = _unwhiten(np.negative(solved, out=solved), self.root[..., None])
        del product, solved
        # H⁻¹ within single levels, (a, a, n) and (b, b, m), and within cells, (a, b, G, K)
        inverses = (retained, eliminated) if layout.first_retained else (eliminated, retained)
        inverse_between = between.swapaxes(0, 1) if layout.first_retained else between
        of_cells = np.ascontiguousarray(inverse_between.reshape(*inverse_between.shape[:2], -1)[:, :, layout.cell])
        crosses = (of_cells, of_cells.swapaxes(0, 1))
        leverage, determinant = np.zeros(len(layout.cell)), []
        for index, (side, inverse, root) in enumerate(zip(layout.sides, inverses, self.scales, strict=True)):
            columns, other_columns = layout.columns[index], layout.columns[1 - index]
            lead = times(root, inverse)  # Λ H⁻¹ of the level: (s, q)
            to_level: list[np.ndarray] = []  # m_i'H⁻¹ of each effect of the trial's level
            for q, cross in enumerate(crosses[index]):
                other = times(self.scales[1 - index], cross)  # Λ of the other factor times H⁻¹ between
                own = [product_of(column, of[q][side.level]) for column, of in zip(columns, lead, strict=True)]
                total = np.sum(own, axis=0)
                for column, of in zip(other_columns, other, strict=True):
                    total += product_of(column, of)
                to_level.append(total)
            weighted = [product_of(column, self.weight) for column in columns]
            determinant += [sum((weighted[p] * to_level[q]).sum() for p, q in entries) for entries in side.entries]
            for p, q in sorted({entry for entries in side.entries for entry in entries}):
                leverage += root[p, q] * product_of(columns[p], to_level[q])
        return leverage, np.array(determinant)


def _pieces(rows: int, order: int) -> list[slice]:
    """Return slices of the rows of a matrix (rows, order), so that its products start no threads."""
    count = max(1, _UNTHREADED // order**2)
    return [slice(start, start + count) for start in range(0, rows, count)]


def _minus_gram(flat: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return A - F'F in its lower triangle, for F (rows, order) and A (order, order), which is overwritten."""
    if len(matrix) > _SMALL:
        return np.asarray(dsyrk(-1.0, flat.T, beta=1.0, c=matrix, lower=1, overwrite_c=1))
    for piece in _pieces(*flat.shape):
        part = flat[piece].T
        matrix = dgemm(-1.0, part, part, beta=1.0, c=matrix, trans_b=1, overwrite_c=1)
    return matrix


def _times_symmetric(flat: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return FA for F (rows, order) and a symmetric A (order, order); of a large one, the lower triangle is read."""
    if len(matrix) > _SMALL:
        return np.asarray(dsymm(1.0, matrix, flat.T, lower=1).T)
    result = np.empty(flat.shape)
    for piece in _pieces(*flat.shape):
        dgemm(1.0, matrix, flat[piece].T, c=result[piece].T, overwrite_c=1)
    return result


def _roots(blocks: np.ndarray) -> np.ndarray:
    """Return the Cholesky factors (r, r, M), lower triangular, of M symmetric blocks (r, r, M)."""
    root = np.zeros_like(blocks)
    for b in range(len(blocks)):
        root[b, b] = np.sqrt(blocks[b, b] - (root[b, :b] ** 2).sum(axis=0))
        for a in range(b + 1, len(blocks)):
            root[a, b] = (blocks[b, a] - (root[a, :b] * root[b, :b]).sum(axis=0)) / root[b, b]
    return root


def _whiten(values: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return L⁻¹ v for v (r, ..., M) and the Cholesky factors L (r, r, ..., M) of M levels or cells."""
    if len(root) == 1:
        return np.divide(values, root[0])
    result = np.empty_like(values)
    for a in range(len(root)):
        left = values[a]
        for b in range(a):
            left = left - root[a, b] * result[b]
        np.divide(left, root[a, a], out=result[a])
    return result


def _unwhiten(values: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return L⁻ᵀ v for the arguments of `_whiten`."""
    if len(root) == 1:
        return np.divide(values, root[0])
    result = np.empty_like(values)
    for a in reversed(range(len(root))):
        left = values[a]
        for b in range(a + 1, len(root)):
            left = left - root[b, a] * result[b]
        np.divide(left, root[a, a], out=result[a])
    return result
