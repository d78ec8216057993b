"""The area under the empirical ROC curve of answers graded by confidence, with its interval."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from gan_eval.stats.answers.detection_intervals import GroupEstimate
from gan_eval.stats.clustering import places, t95
from gan_eval.stats.shares import Z95


class Graded(NamedTuple):
    """Graded answers, (M,) each; an answer stands once for each group that it belongs to."""

    group: np.ndarray
    """0..G-1."""
    participant: np.ndarray
    """int, 0.. ."""
    stimulus: np.ndarray
    """int, 0.. ."""
    grade: np.ndarray
    """Evidence for `fake` as whole numbers from 0."""
    is_fake: np.ndarray
    """bool"""


def evidence(says_fake: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """(N,) answers on one ordered scale: from `real` with full confidence over both without any to `fake` with full.

    Args:
        says_fake: (N,) bool.
        confidence: (N,) any scale that grows with confidence.

    >>> evidence(np.array([False, False, True, True]), np.array([3.0, 1.0, 1.0, 3.0])).tolist()
    [-3.0, -1.0, 1.0, 3.0]
    """
    if not len(confidence):
        return confidence
    above = confidence - np.min(confidence) + 1  # the answers stay apart where a scale starts at 0 or below
    return np.where(says_fake, above, -above)


def areas(graded: Graded, size: int) -> GroupEstimate:
    """Each group's area under the ROC curve with its 95 % interval, (size,) each.

    The chance that a fake has more evidence for `fake` than a real, ties counting half: the Mann-Whitney statistic
    (Hanley & McNeil 1982, Radiology 143, 29-36). The variance is the sum of squared structural components (DeLong,
    DeLong & Clarke-Pearson 1988, Biometrics 44, 837-845). Where several participants judged several pictures of a
    kind, they are summed by participant and by stimulus before (Obuchowski 1997, Biometrics 53, 567-578), both ways
    together less their cells; the largest variance counts, with Student's t of one degree of freedom fewer than the
    fewest participants or stimuli of a kind. The interval is taken on the logit scale. There is none of an area of 0
    or 1, and none where one participant or one stimulus stands behind a kind of which there are several of the other.

    Args:
        graded: the answers; the area is NaN without reals or without fakes.
        size: number of groups.

    >>> whole = np.zeros(4, int)
    >>> grade, is_fake = np.array([0, 1, 1, 2]), np.array([False, False, True, True])
    >>> [round(float(part[0]), 4) for part in areas(Graded(whole, whole, np.arange(4), grade, is_fake), 1)]
    [0.875, 0.2276, 0.994]
    """
    if not len(graded.group):
        return GroupEstimate(*np.full((3, size), np.nan))
    area, influence = _components(graded, size)
    single = _variance(graded, size, np.arange(len(influence)), influence)
    people, pictures = (_fewest(graded, size, cluster) for cluster in (graded.participant, graded.stimulus))
    crossed = (_number(graded.group, size, graded.participant) > 1) & (pictures.max(axis=0) > 1)
    half = Z95 * np.sqrt(single)
    if crossed.any():
        cell = graded.participant.astype(np.int64) * (int(graded.stimulus.max()) + 1) + graded.stimulus
        by_person, by_stimulus, by_cell = (
            _variance(graded, size, cluster, influence) for cluster in (graded.participant, graded.stimulus, cell)
        )
        largest = np.max([by_person + by_stimulus - by_cell, by_person, by_stimulus, single], axis=0)
        freedom = np.minimum(people.min(axis=0), pictures.min(axis=0)) - 1
        half = np.where(crossed, t95(freedom) * np.sqrt(largest), half)
    inner = np.where((area > 0) & (area < 1), area, np.nan)
    reach = half / (inner * (1 - inner))
    return GroupEstimate(area, expit(logit(inner) - reach), expit(logit(inner) + reach))


def _components(graded: Graded, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(size,) areas, and (M,) what each answer adds to the error of its group's area."""
    is_fake = graded.is_fake
    place, owner = places(graded.group, size, graded.grade)
    real, fake = (np.bincount(place[chosen], minlength=len(owner)).astype(float) for chosen in (~is_fake, is_fake))
    n_real, n_fake = (np.bincount(owner, part, minlength=size) for part in (real, fake))
    reals_below, fakes_below = (_before(part, owner, n) for part, n in ((real, n_real), (fake, n_fake)))
    with np.errstate(divide="ignore", invalid="ignore"):
        of_fake = (reals_below + real / 2) / n_real[owner]
        of_real = 1 - (fakes_below + fake / 2) / n_fake[owner]
        area = np.bincount(owner, np.where(fake > 0, fake * of_fake, 0.0), minlength=size) / n_fake
        share = np.where(is_fake, of_fake[place], of_real[place])
        influence = (share - area[graded.group]) / np.where(is_fake, n_fake[graded.group], n_real[graded.group])
    return area, influence


def _before(counts: np.ndarray, owner: np.ndarray, total: np.ndarray) -> np.ndarray:
    """(K,) how many stand at the lower grades of the same group."""
    return np.cumsum(counts) - counts - (np.cumsum(total) - total)[owner]


def _variance(graded: Graded, size: int, cluster: np.ndarray, influence: np.ndarray) -> np.ndarray:
    """(size,) sums over clusters of squared influences, with the factor C / (C - 1) for the C clusters of each kind."""
    place, owner = places(graded.group, size, cluster)
    sums = np.zeros(len(owner))
    for chosen in (graded.is_fake, ~graded.is_fake):
        number = _number(graded.group[chosen], size, cluster[chosen]).astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(number > 1, np.sqrt(number / (number - 1)), np.nan)
        held = np.bincount(place[chosen], minlength=len(owner)) > 0
        part = np.bincount(place[chosen], influence[chosen], minlength=len(owner))
        sums += np.where(held, part * factor[owner], 0.0)
    return np.maximum(np.bincount(owner, sums**2, minlength=size), 0.0)


def _number(group: np.ndarray, size: int, cluster: np.ndarray) -> np.ndarray:
    """(size,) how many clusters stand in each group."""
    place, owner = places(group, size, cluster)
    return np.bincount(owner[np.bincount(place, minlength=len(owner)) > 0], minlength=size)


def _fewest(graded: Graded, size: int, cluster: np.ndarray) -> np.ndarray:
    """(2, size) clusters behind the fakes and behind the reals."""
    kinds = (graded.is_fake, ~graded.is_fake)
    return np.stack([_number(graded.group[chosen], size, cluster[chosen]) for chosen in kinds])
