"""Participants with different numbers of answers: each counts once; does the number go together with the answers?

If the less skilled stop earlier, an average over answers is that of the people who stayed, and a likelihood ignores
what the number of answers shows. A mean of people's own shares is not affected (Hoffman, Sen & Weinberg 2001,
Biometrika 88, 1121-1134; Williamson, Datta & Satten 2003, Biometrics 59, 36-42).
"""

import numpy as np

from gan_eval.base.inference import cells
from gan_eval.judgements.doubts import Correlation, correlation

MAX_P = 0.1
"""Maximum p of that correlation for an estimate that counts each participant once. It is above 5%, since an estimate
that ignores a true correlation is biased, while counting each participant once only widens the interval."""

FAR_FROM_PEOPLE = "it is far from the means of participants, who have different numbers of answers"
"""Reason not to use a model that is half an error or more from the estimate that counts each participant once."""


def person_weights(participant: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the weights (N,) of answers with which each participant counts once in each cell.

    Their mean is 1 in each cell. In a cell where all participants have the same number of answers each weight is 1.

    Args:
        participant: (N,) int, 0.. .
        cell: (N,) int, 0.. without gaps.

    >>> person_weights(np.array([0, 0, 0, 1]), np.zeros(4, int)).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    _, first, pair, n = np.unique(cells(participant, cell), return_index=True, return_inverse=True, return_counts=True)
    mean = np.bincount(cell) / np.bincount(cell[first])
    return np.asarray(mean[cell] / n[pair])


def effective_numbers(weights: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the number of equally weighted answers in each cell (C,) that gives its mean the same variance.

    See Kish 1965, Survey Sampling. The arguments are those of `person_weights`.

    >>> effective_numbers(np.array([1.0, 1.0, 1.5, 0.5]), np.array([0, 0, 1, 1])).tolist()
    [2.0, 1.6]
    """
    return np.asarray(np.bincount(cell, weights) ** 2 / np.bincount(cell, weights**2))


def with_number(influence: np.ndarray, participant: np.ndarray, cell: np.ndarray) -> Correlation | None:
    """Return the correlation of people's numbers of answers with their part in an estimate; None: equal numbers.

    A number is relative to the mean of the cells in which the person has answers.

    Args:
        influence: (N,) what each answer adds to the error of an estimate that counts each participant once.
        participant: (N,) int, 0.. without gaps.
        cell: (N,) int, 0.. without gaps.
    """
    of = cells(participant, cell)
    first = np.unique(of, return_index=True)[1]
    mean = np.bincount(cell) / np.bincount(cell[first])
    expected = np.bincount(participant[first], mean[cell[first]])
    return correlation(np.bincount(participant) / expected, np.bincount(participant, influence))


def is_far_from_people(estimate: float, once: float, error: float, numbers: Correlation | None) -> bool:
    """Return whether an estimate is half an error or more from that of people with different numbers of answers.

    Args:
        once: the difference if each participant counts once.
        numbers: the result of `with_number`; None: people have nearly equal numbers of answers.
    """
    return numbers is not None and abs(estimate - once) >= error / 2


def why_each_once(*found: Correlation | None) -> str:
    """Return the reason for an estimate that counts each participant once instead of a model; empty: none."""
    known = [each for each in found if each is not None and each.p < MAX_P]
    if not known:
        return ""
    r = min(known, key=lambda each: each.p).r
    return f"participants with more answers answered differently, r = {r:.2f}: each participant counts once"
