"""Does the number of a participant's answers go together with the answers?"""

from typing import NamedTuple

import numpy as np

from gan_eval.base.inference import cells, two_sided_p
from gan_eval.judgements.checks import CHECKS


class Correlation(NamedTuple):
    """Correlation of people's numbers of answers with a score of their answers."""

    r: float
    p: float
    """Two-sided."""
    people: int


def of_scores(score: np.ndarray, participant: np.ndarray, kind: np.ndarray) -> Correlation | None:
    """Return the correlation of people's numbers of answers with their scores, if it is not by chance; else None.

    A person's score is the mean over the kinds of pictures of the person's mean score.

    Args:
        score: (N,) score of each answer.
        participant: (N,) int, 0.. without gaps.
        kind: (N,) int, 0..: kind of the picture.
    """
    of = cells(participant, kind)
    _, first, place, n = np.unique(of, return_index=True, return_inverse=True, return_counts=True)
    means = np.bincount(place, score) / n
    person = participant[first]
    found = correlation(np.bincount(participant), np.bincount(person, means) / np.bincount(person))
    return found if found is not None and found.p < CHECKS["stopped_early"].threshold else None


def correlation(number: np.ndarray, score: np.ndarray) -> Correlation | None:
    """Return Pearson's correlation over people; None: too few people, or nearly equal numbers or scores.

    Args:
        number: (P,) each person's number of answers.
        score: (P,) each person's score.

    >>> found = correlation(np.array([10, 20, 30, 40, 50, 60]), np.array([0.5, 0.6, 0.5, 0.7, 0.8, 0.8]))
    >>> round(found.r, 3), round(found.p, 3), found.people
    (0.892, 0.017, 6)
    """
    people, check = len(number), CHECKS["stopped_early"]
    if people < check.n or number.std(ddof=1) < check.share * number.mean() or np.ptp(score) < 1e-12:
        return None
    r = float(np.clip(np.corrcoef(number, score)[0, 1], -1.0, 1.0))
    error = np.sqrt(max(1 - r * r, 1e-300) / (people - 2))
    return Correlation(r, float(two_sided_p(r, error, people - 2)), people)
