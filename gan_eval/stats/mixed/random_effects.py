"""Random effects of a mixed model's factors: an effect that varies within a level has a slope for each level.

Without its slope an effect that people (or items) differ in is tested against too small an error, because the repeated
answers of a person count as if they were those of further people (Barr, Levy, Scheepers & Tily 2013, Journal of Memory
and Language 68, 255-278).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from gan_eval.base.inference import cells, n_levels, side_of
from gan_eval.stats.mixed.fit import Spread
from gan_eval.stats.mixed.likelihood import Slope


class RandomEffects(NamedTuple):
    """Random intercepts of one factor's levels, and slopes of some effects."""

    factor: str
    """`participant`, `stimulus` or `item`."""
    level: np.ndarray
    """(N,) index of the level, 0.. without gaps."""
    slopes: Mapping[str, np.ndarray] = {}
    """(N, C) fixed-effect columns of each effect with slopes, by the effect's name."""
    missing: frozenset[str] = frozenset()
    """Effects that vary within levels and have no slope."""

    @staticmethod
    def of(
        factor: str,
        level: np.ndarray,
        effects: Mapping[str, np.ndarray],
        *,
        with_slopes: bool,
        min_answers: float = 0.0,
    ) -> "RandomEffects":
        """Return intercepts, with slopes of those effects that vary within levels.

        If there are no more answers than intercepts and slopes, there are no slopes.

        Args:
            level: (N,) index of the level.
            effects: (N, C) fixed-effect columns by name.
            with_slopes: False: intercepts only.
            min_answers: mean number of answers of a level that must be exceeded; with fewer, no effect needs a slope,
                because the answers of a level are as good as independent.
        """
        is_repeated = len(level) > min_answers * n_levels(level)
        varying = {name: columns for name, columns in effects.items() if is_repeated and varies_within(columns, level)}
        sizes = [
            n_levels(level if columns.shape[1] == 1 else cells(level, _values(columns))) for columns in varying.values()
        ]
        if with_slopes and len(level) > n_levels(level) + sum(sizes):
            return RandomEffects(factor, level, varying)
        return RandomEffects(factor, level, missing=frozenset(varying))

    @property
    def is_correlated(self) -> bool:
        """True if intercepts and slopes are correlated: the only slope is that of an effect with one column."""
        return [columns.shape[1] for columns in self.slopes.values()] == [1]

    @property
    def slope(self) -> Slope:
        """The slopes as `fit_crossed` takes them."""
        if not self.slopes:
            return None
        if self.is_correlated:
            (columns,) = self.slopes.values()
            return columns[:, 0]
        return [
            _column(columns[:, 0]) if columns.shape[1] == 1 else np.eye(_values(columns).max() + 1)[_values(columns)]
            for columns in self.slopes.values()
        ]

    def sd_slope(self, spread: Spread, effect: str) -> float | None:
        """Return the SD of an effect's slopes in a fit with these random effects; None: it has none."""
        if effect not in self.slopes:
            return None
        return spread.sd_slope if self.is_correlated else spread.sd_slopes[list(self.slopes).index(effect)]

    def __str__(self) -> str:
        if not self.slopes:
            return f"(1|{self.factor})"
        if self.is_correlated:
            return f"(1 + {next(iter(self.slopes))}|{self.factor})"
        own = [
            f"(0 + centred({name})|{self.factor})" if columns.shape[1] == 1 else f"(1|{self.factor}:{name})"
            for name, columns in self.slopes.items()
        ]
        return " + ".join([f"(1|{self.factor})", *own])


def _column(column: np.ndarray) -> np.ndarray:
    """Return a column (N,) of numbers; if it has two values, they are 0 and 1."""
    side = side_of(column)
    return column if side is None else (~side).astype(float)


def _values(columns: np.ndarray) -> np.ndarray:
    """Return (N,) the number of each row among the distinct rows of columns (N, C), 0.. ."""
    return np.unique(columns, axis=0, return_inverse=True)[1].ravel()


def varies_within(columns: np.ndarray, level: np.ndarray) -> bool:
    """Return whether at least two levels (N,) have answers at several values of an effect's columns (N, C).

    >>> kind, person = np.array([[0], [1], [0], [1], [1]]), np.array([0, 0, 1, 1, 2])
    >>> varies_within(kind, person), varies_within(kind[:3], person[:3])
    (True, False)
    """
    if not len(level):
        return False
    first = np.zeros(int(level.max()) + 1, int)
    first[level[::-1]] = np.arange(len(level))[::-1]  # the first answer of each level
    differs = (columns != columns[first[level]]).any(axis=1)
    return len(np.unique(level[differs])) > 1
