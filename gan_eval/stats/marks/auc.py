"""Shuffled AUC of marks and its interval, on plain arrays.

The map of a picture should be higher at the marks on this picture (positives) than at the same person's marks on other
pictures (negatives), which have the same bias to the centre (Zhang, Tong, Marks, Shan and Cottrell 2008, Journal of
Vision 8(7):32; Tatler 2007, Journal of Vision 7(14):4). A cell is one person on one picture; the AUC is the mean of
the cells. Negatives of the same person keep chance at 0.5 where each person has a habit of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gan_eval.science.inference import cells, one_way, t_critical, two_sided_p

MAX_OTHERS = 200
"""Maximum number of a person's marks on other pictures that a cell uses; more are thinned evenly."""
MAX_SIDE = 512
"""Maximum side of a map; larger ones are thinned."""
_NO_ERROR = 1e-9
"""Standard error up to which rounding is all that there is, as for a map that is the same in every picture."""


class Cell(NamedTuple):
    """The marks of one person on one picture, and on other pictures."""

    person: int
    picture: int
    own: np.ndarray
    """(A,) numbers of the person's marks on the picture."""
    others: np.ndarray
    """(B,) numbers of the person's marks on pictures of other items of the same group; there may be none."""
    items: np.ndarray
    """(I,) distinct items of those pictures."""
    place: np.ndarray
    """(B,) place of each other mark's item among them."""


@dataclass(frozen=True)
class Marks:
    """M marks of P people on S pictures."""

    person: np.ndarray
    """(M,) int"""
    picture: np.ndarray
    """(M,) int"""
    place: np.ndarray
    """(M, 2) x and y, shares of the picture's width and height."""
    item: np.ndarray
    """(S,) int, item of each picture. Pictures of one item are never negatives of each other."""
    group: np.ndarray
    """(S,) int, such as the data set; negatives are of the same group."""
    aspect: np.ndarray
    """(S,) height divided by width."""

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells by picture and person."""
        order = np.lexsort((self.person, self.picture))
        starts = np.flatnonzero(np.diff(self.picture[order], prepend=-1) | np.diff(self.person[order], prepend=-1))
        of_person = [np.flatnonzero(self.person == number) for number in range(int(self.person.max(initial=-1)) + 1)]
        items, groups = self.item[self.picture], self.group[self.picture]
        cells: list[Cell] = []
        for own in np.split(order, starts[1:]) if len(order) else ():
            person, picture = int(self.person[own[0]]), int(self.picture[own[0]])
            every = of_person[person]
            others = every[(groups[every] == self.group[picture]) & (items[every] != self.item[picture])]
            if len(others) > MAX_OTHERS:
                others = others[np.linspace(0, len(others) - 1, MAX_OTHERS).round().astype(int)]
            cells.append(Cell(person, picture, own, others, *np.unique(items[others], return_inverse=True)))
        return cells

    @cached_property
    def on_picture(self) -> list[np.ndarray]:
        """(S,) for each picture the numbers of its marks, by person."""
        order = np.lexsort((self.person, self.picture))
        return np.split(order, np.searchsorted(self.picture[order], np.arange(1, len(self.item))))

    def scaled(self, marks: np.ndarray, picture: int) -> np.ndarray:
        """Return the places (N, 2) of marks on a picture, in widths of the picture."""
        return self.place[marks] * np.array([1, self.aspect[picture]])


@dataclass(frozen=True)
class Aucs:
    """Value of each cell, and the values after leaving out one person, or one item, that other cells depend on."""

    value: np.ndarray
    """(C,) NaN: none."""
    by_person: tuple[np.ndarray, np.ndarray, np.ndarray]
    """(K,) cell, person, and the cell's value without the marks of that other person on the cell's picture."""
    by_item: tuple[np.ndarray, np.ndarray, np.ndarray]
    """(L,) cell, item, and the cell's value without the negatives on the item's pictures."""

    def minus(self, other: "Aucs") -> "Aucs":
        """Return the differences of two maps' values of the same cells."""
        (cell, item, without), own = self.by_item, self.value - other.value
        return Aucs(own, self.by_person, (cell, item, without - other.by_item[2]))


class Estimate(NamedTuple):
    """A mean over cells."""

    value: float
    low: float
    high: float
    p: float
    """Two-sided, of the hypothesis that the mean is `chance`."""
    people: int
    pictures: int
    marks: int


def density(marks: Marks, picture: int, points: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the people who marked a picture, (Q,), and the density of each one's marks at points, (Q, N).

    Each person has weight one: the mean of Gaussians around the person's marks.

    Args:
        points: (N, 2) in widths of the picture.
        sigma: standard deviation of the Gaussian in widths of the picture.
    """
    on = marks.on_picture[picture]
    away = ((marks.scaled(on, picture)[:, None] - points) ** 2).sum(axis=2)
    people, starts, counts = np.unique(marks.person[on], return_index=True, return_counts=True)
    if not len(on):
        return people, np.zeros((0, len(points)))
    return people, np.add.reduceat(np.exp(-away / (2 * sigma**2)), starts) / counts[:, None]


def people_aucs(marks: Marks, sigma: float) -> Aucs:
    """Return the shuffled AUC of each cell, whose map is the density of all other people's marks on the picture."""

    def scores(cell: Cell, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        people, of_each = density(marks, cell.picture, points, sigma)
        is_other = people != cell.person
        of_each = of_each[is_other]
        total = of_each.sum(axis=0)
        without = np.maximum(total - of_each, 0) if len(of_each) > 1 else np.full(of_each.shape, np.nan)
        return (total if len(of_each) else np.full(len(points), np.nan)), people[is_other], without

    return _aucs(marks, scores)


def map_aucs(marks: Marks, values_at: Callable[[int, np.ndarray], np.ndarray | None]) -> Aucs:
    """Return the shuffled AUC of each cell for a map.

    Args:
        values_at: function of a picture's number and points (N, 2) in widths of the picture, which returns the map's
            values (N,); None if the picture has no map.
    """
    nobody, nothing = np.zeros(0, int), np.zeros((0, 0))

    def scores(cell: Cell, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = values_at(cell.picture, points)
        return (np.full(len(points), np.nan) if found is None else found), nobody, nothing

    return _aucs(marks, scores)


Scores = Callable[[Cell, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""Map values at a cell's points, (N,); the people that they depend on, (Q,); the values without each, (Q, N)."""


def _aucs(marks: Marks, scores: Scores) -> Aucs:
    value, by_person, by_item = [], [], []
    for number, cell in enumerate(marks.cells):
        if not len(cell.others):
            value.append(np.nan)
            continue
        points = marks.scaled(np.concatenate([cell.own, cell.others]), cell.picture)
        total, people, without = scores(cell, points)
        first = len(cell.own)
        wins = _wins(total[:first], total[first:])
        value.append(wins.mean())
        if len(people):
            reduced = _wins(without[:, :first], without[:, first:]).mean(axis=1)
            by_person.append((np.full(len(people), number), people, reduced))
        sums, left = np.bincount(cell.place, wins), len(wins) - np.bincount(cell.place)
        reduced = np.divide(wins.sum() - sums, left, out=np.full(len(left), np.nan), where=left > 0)
        by_item.append((np.full(len(left), number), cell.items, reduced))
    return Aucs(np.array(value), _joined(by_person), _joined(by_item))


def _wins(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return (..., B) the share of the own values (..., A) above each of the others (..., B); equal ones count half."""
    return (1 + np.sign(own[..., :, None] - others[..., None, :])).mean(axis=-2) / 2


def _joined(parts: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not parts:
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    cell, which, without = (np.concatenate(column) for column in zip(*parts, strict=True))
    return cell, which, without


def cell_means(marks: Marks, regions: Mapping[int, np.ndarray]) -> tuple[Aucs, np.ndarray]:
    """Return the share of each cell's own marks in a region, and (C,) that of its marks on other pictures.

    Args:
        regions: (H, W) bool by picture; other pictures have none.
    """

    def share(cell: Cell, chosen: np.ndarray) -> float:
        region = regions.get(cell.picture)
        if region is None or not len(chosen):
            return np.nan
        size = np.array(region.shape[::-1])
        column, row = np.minimum((marks.place[chosen] * size).astype(int), size - 1).T
        return float(region[row, column].mean())

    own = np.array([share(cell, cell.own) for cell in marks.cells])
    others = np.array([share(cell, cell.others) for cell in marks.cells])
    return Aucs(own, _joined([]), _joined([])), others


def estimate(marks: Marks, aucs: Aucs, pictures: np.ndarray, *, chance: float = 0.5) -> Estimate:
    """Return the mean of the cells on the chosen pictures, with its 95% interval and its p.

    Marks of a person on an item have an influence on the mean as the cell's positives, in the density that the other
    people's cells use, and as negatives of the person's other cells: the change of the mean if they are left out. The
    variance is by person and item (`clustering`); that of a single picture by person. Without an interval where there
    is one person.

    Args:
        pictures: (S,) bool.
    """
    person, picture = np.reshape([(cell.person, cell.picture) for cell in marks.cells], (-1, 2)).astype(int).T
    item = marks.item[picture]
    used = pictures[picture] & np.isfinite(aucs.value)
    count, people, items = (len(np.unique(column[used])) for column in (picture, person, item))
    n_marks = sum(len(cell.own) for cell, is_used in zip(marks.cells, used, strict=True) if is_used)
    if not count:
        return Estimate(np.nan, np.nan, np.nan, np.nan, 0, 0, 0)
    mean, value = float(aucs.value[used].mean()), np.where(used, aucs.value, 0)
    parts = [(person[used], item[used], aucs.value[used] - mean)]
    for (cell, other, without), is_person in ((aucs.by_person, True), (aucs.by_item, False)):
        kept = used[cell]
        cell, other, without = cell[kept], other[kept], without[kept]
        change = value[cell] - np.where(np.isnan(without), mean, without)
        counts = np.maximum(np.bincount(cell, minlength=len(value)), 1)
        change -= (np.bincount(cell, change, len(value)) / counts)[cell]  # the sum of all weights has no influence
        change *= 1 - 1 / counts[cell]  # leaving out is more than an infinitesimal change of a weight
        parts.append((other, item[cell], change) if is_person else (person[cell], other, change))
    by_person, by_item, influence = (np.concatenate(column) for column in zip(*parts, strict=True))
    df = (people if items == 1 else min(people, items)) - 1
    if df < 1:
        return Estimate(mean, np.nan, np.nan, np.nan, people, count, n_marks)
    error = float(np.sqrt(_variance(influence / used.sum(), by_person, by_item if items > 1 else None)))
    half = float(t_critical(df)) * error
    p = float(two_sided_p(mean - chance, error, df)) if error > _NO_ERROR else np.nan
    least = 0 if chance else -1  # a difference may be negative
    return Estimate(mean, max(mean - half, least), min(mean + half, 1), p, people, count, n_marks)


def _variance(influence: np.ndarray, person: np.ndarray, item: np.ndarray | None) -> float:
    """Return the variance by person and item; by person without items.

    Where people do not agree, the pairs of people are unrelated, and the variance by person counts each pair twice, as
    the variance by cell does: their difference is right, so that the larger one-way variance is no lower bound here.
    """
    column = influence[:, None]
    if item is None:
        return float(one_way(column, person)[0])
    by_person, by_item, by_cell = (float(one_way(column, by)[0]) for by in (person, item, cells(person, item)))
    return max(by_person + by_item - by_cell, by_item)


def smoothed_at(values: np.ndarray, places: np.ndarray, sigma: tuple[float, float]) -> np.ndarray:
    """Return (N,) a map's means around places, weighted by a Gaussian; pixels without a value (NaN) have no weight.

    Args:
        values: (H, W).
        places: (N, 2) x and y, shares of width and height.
        sigma: standard deviations, shares of width and of height.

    >>> smoothed_at(np.array([[0.0, 0.0, np.nan, 4.0]]), np.array([[0.9, 0.5]]), (0.05, 0.05)).tolist()
    [4.0]
    """
    step = max(1, max(values.shape) // MAX_SIDE)
    values = values[::step, ::step]  # next to the Gaussian's width, the pixels in between do not matter
    known = np.isfinite(values)
    (rows, columns), (x, y) = values.shape, places.T
    down, right = (
        np.exp(-0.5 * ((place[:, None] - (np.arange(size) + 0.5) / size) / width) ** 2)
        for place, size, width in ((y, rows, sigma[1]), (x, columns, sigma[0]))
    )
    sums, weights = (((down @ given) * right).sum(axis=1) for given in (np.where(known, values, 0), known))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weights > 0, sums / weights, values[known].mean() if known.any() else np.nan)
