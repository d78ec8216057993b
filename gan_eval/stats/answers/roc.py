"""The area under the empirical ROC curve of answers graded by confidence, with 95 % intervals, for many groups."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from gan_eval.stats.answers.sensitivity import GroupEstimate
from gan_eval.stats.clustering import largest_variance, one_way, places, t_critical
from gan_eval.stats.shares import Z95


class Graded(NamedTuple):
    """Graded answers, (M,) each; an answer has a row for each group that it belongs to."""

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
    cell: np.ndarray | None
    """int, 0.., pairs of participant and stimulus; None where nobody judged a stimulus twice."""


def evidence(says_fake: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Put answers on one ordered scale (N,), from `real` with full confidence to `fake` with full confidence.

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
    """Compute each group's area under the ROC curve with its 95 % interval, (size,) each.

    The area is the chance that a fake has more evidence for `fake` than a real, ties counting half: the Mann-Whitney
    statistic. The variance is the sum of squared structural components (DeLong, DeLong & Clarke-Pearson 1988,
    Biometrics 44, 837-845). With several participants and pictures they are summed by participant and by stimulus
    before (Obuchowski 1997, Biometrics 53, 567-578), and the largest variance counts. The interval is Student's t on
    the logit scale. Areas of 0 or 1, and kinds with one participant or one stimulus, have none.

    Args:
        graded: the answers; the area is NaN without reals or without fakes.
        size: number of groups.

    >>> whole = np.zeros(4, int)
    >>> grade, is_fake = np.array([0, 1, 1, 2]), np.array([False, False, True, True])
    >>> [round(float(part[0]), 4) for part in areas(Graded(whole, whole, np.arange(4), grade, is_fake, None), 1)]
    [0.875, 0.2276, 0.994]
    """
    if not len(graded.group):
        return GroupEstimate(*np.full((3, size), np.nan))
    group, participant, stimulus, _, is_fake, cell = graded
    area, influence = _structural_components(graded, size)

    def variance(cluster: np.ndarray | None) -> np.ndarray:
        return one_way(influence[:, None], cluster, side=is_fake, group=group, size=size)[:, 0]

    participants, stimuli = (_numbers(group, size, cluster, is_fake) for cluster in (participant, stimulus))
    crossed = (participants[2] > 1) & (stimuli[:2].max(axis=0) > 1)
    by_answer = variance(None)
    half_width = Z95 * np.sqrt(by_answer)
    if crossed.any():
        by_cell = by_answer if cell is None else variance(cell)
        largest = np.maximum(largest_variance(variance(participant), variance(stimulus), by_cell), by_answer)
        freedom = np.minimum(participants, stimuli)[:2].min(axis=0) - 1
        half_width = np.where(crossed, t_critical(freedom) * np.sqrt(largest), half_width)
    inner = np.where((area > 0) & (area < 1), area, np.nan)
    reach = half_width / (inner * (1 - inner))
    return GroupEstimate(area, expit(logit(inner) - reach), expit(logit(inner) + reach))


def _structural_components(graded: Graded, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (size,) areas, and (M,) the share of each answer in the error of its group's area."""
    is_fake = graded.is_fake
    place, owner = places(graded.group, graded.grade, in_order=True)
    real, fake = (np.bincount(place[chosen], minlength=len(owner)).astype(float) for chosen in (~is_fake, is_fake))
    n_real, n_fake = (np.bincount(owner, part, minlength=size) for part in (real, fake))
    reals_below, fakes_below = (  # at the lower grades of the same group
        np.cumsum(part) - part - (np.cumsum(n) - n)[owner] for part, n in ((real, n_real), (fake, n_fake))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        of_fake = (reals_below + real / 2) / n_real[owner]
        of_real = 1 - (fakes_below + fake / 2) / n_fake[owner]
        area = np.bincount(owner, np.where(fake > 0, fake * of_fake, 0.0), minlength=size) / n_fake
        component = np.where(is_fake, of_fake[place], of_real[place])
        influence = (component - area[graded.group]) / np.where(is_fake, n_fake[graded.group], n_real[graded.group])
    return area, influence


def _numbers(group: np.ndarray, size: int, cluster: np.ndarray, is_fake: np.ndarray) -> np.ndarray:
    """Return (3, size) numbers of clusters with reals, with fakes and with either in each group."""
    place, owner = places(group, cluster)
    real, fake = np.bincount(2 * place + is_fake, minlength=2 * len(owner)).reshape(-1, 2).T > 0
    return np.stack([np.bincount(owner[occurs], minlength=size) for occurs in (real, fake, real | fake)])
