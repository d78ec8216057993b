"""Shuffled AUC of marks and its interval, on plain arrays.

The map of a picture should be higher at the marks on this picture (positives) than at the same person's marks on other
pictures (negatives), which have the same bias to the centre (Zhang, Tong, Marks, Shan and Cottrell 2008, Journal of
Vision 8(7):32; Tatler 2007, Journal of Vision 7(14):4). A cell is one person on one picture; the AUC is the mean of
the cells. Negatives of the same person keep chance at 0.5 where each person has a habit of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from gan_eval.base.inference import cells, one_way, t_critical, two_sided_p

_MAX_SIDE = 256
"""Side in pixels above which maps are thinned."""
_NO_ERROR = 1e-9
"""Standard error, or difference from chance, that is only rounding."""
Heights = Callable[[int, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Function of a picture and of points (N, 2) in widths of the picture, which returns people (Q,) and the height of the
map at the points that each one's marks contribute (Q, N). A metric's map is of the person -1; NaN: there is none."""


class MarkedPicture(NamedTuple):
    """The marks of one person on one picture, and on other pictures."""

    person: int
    picture: int
    here: np.ndarray
    """(A,) numbers of the person's marks on the picture; `others`: (B,) on pictures of other items of its group."""
    others: np.ndarray


@dataclass(frozen=True)
class Marks:
    """M marks of P people on S pictures."""

    person: np.ndarray
    """(M,) int, as `picture`."""
    picture: np.ndarray
    place: np.ndarray
    """(M, 2) x and y, shares of the picture's width and height."""
    item: np.ndarray
    """(S,) int, item of each picture; negatives are of other items of the same group, such as the data set."""
    group: np.ndarray
    aspect: np.ndarray
    """(S,) height divided by width."""

    @cached_property
    def cells(self) -> list[MarkedPicture]:
        """The cells by picture and person."""
        pictures, items, groups = [], self.item[self.picture], self.group[self.picture]
        for picture, on in enumerate(self.on_picture):
            for person in np.unique(self.person[on]):
                is_negative = (groups == self.group[picture]) & (items != self.item[picture])
                others = np.flatnonzero((self.person == person) & is_negative)
                pictures.append(MarkedPicture(int(person), picture, on[self.person[on] == person], others))
        return pictures

    @cached_property
    def on_picture(self) -> list[np.ndarray]:
        """(S,) for each picture the numbers of its marks, by person."""
        order = np.lexsort((self.person, self.picture))
        return np.split(order, np.searchsorted(self.picture[order], np.arange(1, len(self.item))))


class Aucs(NamedTuple):
    """(C,) value of each cell (NaN: none), and the K influences on `cell` of people and items other than its own."""

    value: np.ndarray
    cell: np.ndarray
    person: np.ndarray
    item: np.ndarray
    influence: np.ndarray

    def minus(self, other: "Aucs") -> "Aucs":
        """Return the differences of two metrics' maps."""
        return self._replace(value=self.value - other.value, influence=self.influence - other.influence)


class MeanAuc(NamedTuple):
    """A mean over cells; `p` is two-sided, of the hypothesis that the mean is `chance`."""

    value: float
    low: float
    high: float
    p: float
    people: int
    pictures: int
    marks: int


def people_aucs(marks: Marks, sigma: float) -> Aucs:
    """Return the shuffled AUC of each cell by the others' marks: Gaussians of `sigma` widths, each person once."""

    def density(picture: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        on = marks.on_picture[picture]
        away = (((marks.place[on] * (1, marks.aspect[picture]))[:, None] - points) ** 2).sum(axis=2)
        people, starts, counts = np.unique(marks.person[on], return_index=True, return_counts=True)
        return people, np.add.reduceat(np.exp(-away / (2 * sigma**2)), starts) / counts[:, None]

    return shuffled_aucs(marks, density)


def shuffled_aucs(marks: Marks, heights: Heights) -> Aucs:
    """Return the shuffled AUC of each cell by the map that people other than the cell's make."""
    value, parts = np.full(len(marks.cells), np.nan), []
    for number, cell in enumerate(marks.cells):
        if not len(cell.others):
            continue
        points = marks.place[np.r_[cell.here, cell.others]] * (1, marks.aspect[cell.picture])
        people, of_each = heights(cell.picture, points)
        of_each, people = of_each[people != cell.person], people[people != cell.person]
        if not len(people):
            continue
        total, first = of_each.sum(axis=0), len(cell.here)
        wins = _wins(total[:first], total[first:])
        value[number] = wins.mean()
        items, item = np.unique(marks.item[marks.picture[cell.others]], return_inverse=True)
        of_items = np.bincount(item, wins - value[number]) / len(wins)
        parts.append((np.full(len(items), number), np.full(len(items), cell.person), items, of_items))
        if len(people) > 1:
            without = np.maximum(total - of_each, 0)
            change = value[number] - _wins(without[:, :first], without[:, first:]).mean(axis=1)
            change = (change - change.mean()) * (1 - 1 / len(people))  # the sum of all weights has no influence
            of_item = np.full(len(people), marks.item[cell.picture])
            parts.append((np.full(len(people), number), people, of_item, change))
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.zeros(0, int)] * 4
    return Aucs(value, *joined)


def _wins(here: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return (..., B) the share of the own values (..., A) above each of the others (..., B); equal ones count half."""
    return (1 + np.sign(here[..., :, None] - others[..., None, :])).mean(axis=-2) / 2


def region_shares(marks: Marks, regions: Mapping[int, np.ndarray]) -> Aucs:
    """Return the share of each cell's marks in the region (H, W) of its picture, if it has one."""
    value = np.full(len(marks.cells), np.nan)
    for number, cell in enumerate(marks.cells):
        if cell.picture in regions:
            value[number] = height_at(regions[cell.picture] * 1.0, marks.place[cell.here], order=0).mean()
    return Aucs(value, *[np.zeros(0, int)] * 4)


def estimate(marks: Marks, aucs: Aucs, pictures: np.ndarray, *, chance: float = 0.5) -> MeanAuc:
    """Return the mean of the cells on the chosen `pictures` (S,), with its 95% interval and its p.

    The variance is that by item plus what people have in common over items: the variance by person minus that by cell,
    where it is positive, with Satterthwaite's degrees of freedom (1946, Biometrics Bulletin 2, 110-114). On a single
    picture it is that by person. One person has no interval. The test of `chance` takes the variance by item alone:
    where marks have nothing to do with the picture, what people have in common in the sample is noise. Tests do not
    multiply it by C / (C - 1): marks are negatives, too, and their influences make it too large (Efron and Stein 1981,
    Annals of Statistics 9, 586-596). A test is missing if each person's value is `chance`, as for a map that all
    pictures share; values without variance have the sign test of items.
    """
    person, picture = np.array([cell[:2] for cell in marks.cells], int).reshape(-1, 2).T
    used, item = pictures[picture] & np.isfinite(aucs.value), marks.item[picture]
    people, items, count = (len(np.unique(of[used])) for of in (person, item, picture))
    counts = (people, count, sum(len(marks.cells[number].here) for number in np.flatnonzero(used)))
    mean = float(aucs.value[used].mean()) if count else np.nan
    if people < 2:
        return MeanAuc(mean, np.nan, np.nan, np.nan, *counts)
    on_used = used[aucs.cell]
    by = [np.r_[of[used], part[on_used]] for of, part in ((person, aucs.person), (item, aucs.item))]
    influence = np.r_[aucs.value[used] - mean, aucs.influence[on_used]][:, None] / used.sum()
    of_people, of_items, of_cells = (float(one_way(influence, of)[0]) for of in (*by, cells(*by)))
    variance, null, common, df, null_df = of_people, of_people, 0.0, float(people - 1), float(people - 1)
    if items > 1:  # where people do not agree, the variances by person and by cell both count each pair of them twice
        common = max(of_people - of_cells, 0)
        variance, null, null_df = of_items + common, of_items * (1 - 1 / items), items - 1
        df = variance**2 / (of_items**2 / null_df + common**2 / (people - 1)) if variance > 0 else np.nan
    if not chance:
        null, null_df = null + common, df
    half, error = float(t_critical(df)) * variance**0.5, null**0.5
    p = float(two_sided_p(mean - chance, error, null_df)) if error > _NO_ERROR else 2.0 ** (1 - items)
    if max(abs(mean - chance), of_people**0.5) <= _NO_ERROR:
        p = np.nan
    return MeanAuc(mean, max(mean - half, 0 if chance else -1), min(mean + half, 1), p, *counts)


def smoothed(values: np.ndarray, sigma: tuple[float, float]) -> np.ndarray:
    """Return a map (H, W) smoothed by a Gaussian (`sigma`: shares of height and width); NaN pixels have no weight.

    >>> smoothed(np.array([[0.0, 0.0, np.nan, 4.0]]), (0.05, 0.05)).tolist()
    [[0.0, 0.0, 2.0, 4.0]]
    """
    from scipy.ndimage import gaussian_filter

    step = max(1, max(values.shape) // _MAX_SIDE)
    values = values[::step, ::step].astype(float)
    finite, width = np.isfinite(values), np.multiply(sigma, values.shape)
    sums = gaussian_filter(np.where(finite, values, 0), width, mode="constant")
    weights = gaussian_filter(finite * 1.0, width, mode="constant")
    mean = values[finite].mean() if finite.any() else np.nan
    mapped = np.divide(sums, weights, out=np.full(sums.shape, mean), where=weights > 0)
    return mapped.astype(np.float32)  # equal values stay equal: rounding would order the places of a flat map


def height_at(values: np.ndarray, places: np.ndarray, order: Literal[0, 1] = 1) -> np.ndarray:
    """Return (N,) the values of a map (H, W) at places (N, 2), shares of width and height; `order` 0: of the pixel."""
    from scipy.ndimage import map_coordinates

    return map_coordinates(values, (places[:, ::-1] * values.shape - 0.5).T, order=order, mode="nearest")
