"""Observers and grades: who grades unlike the others (ITU-R BT.500), and what is left of a picture when bias and
inconsistency of its graders are allowed for (ITU-T P.910 Annex E)."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gan_eval.stats.shares import share

OUTLYING = 0.05
"""BT.500: a larger share of outlying grades is suspect ..."""
BALANCED = 0.3
"""... and rejects where high and low ones balance: the observer is erratic, not merely strict or lenient."""
_COLLAPSED = 0.1
"""P.910: an inconsistency below this part of all participants' together is no estimate: the likelihood grows without
limit where the qualities follow one participant's grades exactly."""
_NOTHING = 1e-6
"""An inconsistency of 0 in grades, so that it can be divided by."""


@dataclass(frozen=True)
class Grades:
    """Grades of pictures by raters."""

    grade: np.ndarray
    """(N,) finite."""
    picture: np.ndarray
    """(N,) int, 0..pictures-1."""
    rater: np.ndarray
    """(N,) int, 0..raters-1."""
    pictures: int
    raters: int

    def by_picture(self, values: np.ndarray) -> np.ndarray:
        """(pictures,) sums of values (N,)."""
        return np.bincount(self.picture, values, self.pictures)

    def by_rater(self, values: np.ndarray) -> np.ndarray:
        """(raters,) sums of values (N,)."""
        return np.bincount(self.rater, values, self.raters)

    def only(self, chosen: np.ndarray) -> "Grades":
        """The grades marked in `chosen` (N,)."""
        return Grades(self.grade[chosen], self.picture[chosen], self.rater[chosen], self.pictures, self.raters)

    def shared(self) -> np.ndarray:
        """(N,) whether anybody else graded the same picture."""
        pairs = np.unique(self.picture * np.int64(self.raters) + self.rater)
        graders = np.bincount(pairs // self.raters, minlength=self.pictures)
        return graders[self.picture] > 1


@dataclass(frozen=True)
class Outliers:
    """What BT.500 finds, each (raters,)."""

    share: np.ndarray
    """(P + Q) / n; NaN without a grade."""
    skew: np.ndarray
    """|P - Q| / (P + Q); NaN without an outlying grade."""
    rejected: np.ndarray
    """bool"""


@dataclass(frozen=True)
class Quality:
    """What P.910 finds."""

    quality: np.ndarray
    """(pictures,) NaN where nothing can be said."""
    std_error: np.ndarray
    """(pictures,) NaN where grades without any spread give none."""
    bias: np.ndarray
    """(raters,) mean 0; NaN for who shares no picture with anybody."""
    inconsistency: np.ndarray
    """(raters,)"""
    held: np.ndarray
    """(raters,) bool: the inconsistency has no estimate of its own; that of the others together stands for it."""
    parts: int
    """Groups of raters with no picture in common: 1 is as it should be."""
    converged: bool


def bt500(grades: Grades) -> Outliers:
    """Observer screening of ITU-R BT.500-14, Annex 1 to Part 1 (BT.500-13, Annex 2, 2.3.1), applied once.

    A picture's grades have mean m, standard deviation s (n - 1) and kurtosis β₂ = m₄ / m₂². A grade is outlying, high
    (P) or low (Q), where it is at least k s from m; k is 2 where 2 ≤ β₂ ≤ 4 (near normal) and √20 elsewhere. Rejected
    is who has (P + Q) / n > 0.05 and |P - Q| / (P + Q) < 0.3, with n the rater's grades. Pictures whose grades all
    agree have no outlying ones.
    """
    counts = grades.by_picture(np.ones(len(grades.grade)))
    mean = share(grades.by_picture(grades.grade), counts)
    off = grades.grade - mean[grades.picture]
    second, fourth = (share(grades.by_picture(off**power), counts) for power in (2, 4))
    kurtosis = share(fourth, second**2)
    limit = np.where((kurtosis >= 2 - 1e-9) & (kurtosis <= 4 + 1e-9), 2.0, np.sqrt(20))
    reach = (limit * np.sqrt(share(second * counts, counts - 1)))[grades.picture]
    spread = (second > 1e-18)[grades.picture]
    high = grades.by_rater(spread & (off >= reach - 1e-9))
    low = grades.by_rater(spread & (off <= -reach + 1e-9))
    outlying = share(high + low, grades.by_rater(np.ones(len(off))))
    skew = share(np.abs(high - low), high + low)
    return Outliers(outlying, skew, (outlying > OUTLYING) & (skew < BALANCED))


def plain_raters(grades: Grades) -> tuple[np.ndarray, np.ndarray]:
    """Each rater's mean difference to the pictures' mean grades, and the standard deviation of what is left.

    Pictures that nobody else graded are left out; NaN where none is left.

    Returns:
        bias (raters,) and inconsistency (raters,).
    """
    shared = grades.only(grades.shared())
    mean = share(shared.by_picture(shared.grade), shared.by_picture(np.ones(len(shared.grade))))
    off = shared.grade - mean[shared.picture]
    counts = shared.by_rater(np.ones(len(off)))
    bias = share(shared.by_rater(off), counts)
    return bias, np.sqrt(share(shared.by_rater((off - bias[shared.rater]) ** 2), counts))


def p910(grades: Grades, *, tolerance: float = 1e-8, most: int = 5000) -> Quality:
    """Quality, bias and inconsistency by maximum likelihood (ITU-T P.910 Annex E; Li & Bampis 2017, DCC, 52-61).

    A grade is normal about quality(picture) + bias(rater) with the standard deviation inconsistency(rater). The
    likelihood is climbed by alternating projection: inconsistencies, then qualities, then biases, each given the
    others. Only differences of biases are identified, so each connected part's biases have the mean 0. The standard
    error of a quality is that of its information at the estimates, 1 / √Σ 1/inconsistency².

    Pictures with one grader say nothing of him: they enter afterwards, with his bias and inconsistency from the others.
    With few grades a picture the likelihood can grow without limit about one rater, whose inconsistency goes to 0 and
    whose word would then be taken for the truth. A rater below a tenth of the common inconsistency is given that of
    the others together.

    Args:
        grades: any; missing pairs of picture and rater are no matter.
        tolerance: the largest change of a quality, in grades, at which to stop.
        most: iterations.
    """
    shared = grades.only(grades.shared())
    counts = shared.by_rater(np.ones(len(shared.grade)))
    quality = share(shared.by_picture(shared.grade), shared.by_picture(np.ones(len(shared.grade))))
    bias = share(shared.by_rater(shared.grade - quality[shared.picture]), counts)
    inconsistency = np.full(grades.raters, np.nan)
    held, converged = np.zeros(grades.raters, bool), not len(shared.grade)
    for _ in range(most if len(shared.grade) else 0):
        before = quality
        inconsistency, held = _inconsistency(shared, quality, bias, counts, held)
        weight = (1 / inconsistency**2)[shared.rater]
        quality = share(shared.by_picture(weight * (shared.grade - bias[shared.rater])), shared.by_picture(weight))
        bias = share(shared.by_rater(shared.grade - quality[shared.picture]), counts)
        if np.nanmax(np.abs(quality - before)) < tolerance:
            converged = True
            break
    parts, bias = _centred(shared, bias, counts)
    weight = (1 / inconsistency**2)[grades.rater]
    told = np.isfinite(weight)
    information = grades.by_picture(np.where(told, weight, 0))
    summed = grades.by_picture(np.where(told, weight * (grades.grade - bias[grades.rater]), 0))
    error = np.sqrt(share(1.0, information))
    if np.nanmax(inconsistency, initial=0) <= _NOTHING:
        error[:], inconsistency, held = np.nan, inconsistency * 0, held & False
    return Quality(share(summed, information), error, bias, inconsistency, held, parts, converged)


def _inconsistency(
    grades: Grades, quality: np.ndarray, bias: np.ndarray, counts: np.ndarray, held: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(raters,) standard deviation about quality and bias, and who is held at the others': once held, always."""
    squares = (grades.grade - quality[grades.picture] - bias[grades.rater]) ** 2
    sums = grades.by_rater(squares)
    found = share(sums, counts)
    held = held | (found < _COLLAPSED**2 * squares.mean())
    free = ~held & (counts > 0)
    common = (sums[free].sum() / counts[free].sum()) if free.any() else squares.mean()
    return np.where(counts > 0, np.maximum(np.sqrt(np.where(held, common, found)), _NOTHING), np.nan), held


def _centred(grades: Grades, bias: np.ndarray, counts: np.ndarray) -> tuple[int, np.ndarray]:
    """How many parts of raters have no picture in common, and the biases with the mean 0 in each."""
    nodes = grades.pictures + grades.raters
    links = coo_array((np.ones(len(grades.grade)), (grades.picture, grades.pictures + grades.rater)), (nodes, nodes))
    _, label = connected_components(links, directed=False)
    _, part = np.unique(label[grades.pictures :], return_inverse=True)
    known = counts > 0
    size = part.max(initial=0) + 1
    mean = share(np.bincount(part[known], bias[known], size), np.bincount(part[known], minlength=size))
    return len(np.unique(part[known])), bias - mean[part]
