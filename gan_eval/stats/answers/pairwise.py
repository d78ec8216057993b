"""The model of Bradley & Terry (1952): whom it can estimate, the estimates, and their clustered variances."""

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from gan_eval.errors import UserError
from gan_eval.stats.clustering import two_way

_STEPS = 200


def estimable_group(wins: np.ndarray) -> np.ndarray:
    """The contestants, in order, of the largest group in which a chain of wins leads from each to each.

    Of groups of equal size the one with most contests counts, then the one with the first contestant.

    Args:
        wins: (C, C) how often the contestant of the row was chosen beside that of the column.

    >>> estimable_group(np.array([[0, 2, 0], [1, 0, 0], [4, 0, 0]])).tolist()
    [0, 1]
    """
    count, label = connected_components(wins > 0, directed=True, connection="strong")
    groups = [np.flatnonzero(label == number) for number in range(count)]
    return max(groups, key=lambda group: (len(group), wins[np.ix_(group, group)].sum(), -group[0]))


def linked_to(wins: np.ndarray, group: np.ndarray) -> set[int]:
    """The contestants whom contests link with `group`, whoever won."""
    _, label = connected_components(wins > 0, directed=False)
    return set(np.flatnonzero(np.isin(label, label[group])).tolist())


def strengths(wins: np.ndarray) -> np.ndarray:
    """(C,) log-odds strengths by maximum likelihood, which sum to 0.

    Newton's method with halved steps; the log-likelihood is concave.

    Args:
        wins: (C, C) as for `estimable_group`; a chain of wins must lead from each contestant to each other.

    >>> strengths(np.array([[0, 30], [10, 0]])).round(6).tolist()
    [0.549306, -0.549306]
    """
    strength = np.zeros(len(wins))
    reached = _log_likelihood(wins, strength)
    for _ in range(_STEPS):
        score = _score(wins, strength)
        step = np.linalg.solve(_information(wins, strength) + 1 / len(wins), score)
        size = 1.0
        while (found := _log_likelihood(wins, strength + size * step)) < reached and size > 1e-10:
            size /= 2
        if size > 1e-10:
            strength, reached = strength + size * step, found
        if np.abs(step).max() < 1e-9:
            return strength - strength.mean()
    raise UserError("bradley_terry: the estimate does not converge; a contestant is chosen nearly always or never")


def variances(
    strength: np.ndarray, winner: np.ndarray, loser: np.ndarray, participant: np.ndarray, item: np.ndarray
) -> np.ndarray:
    """(C,) variances of the strengths around their mean, clustered by participant and by item.

    The larger of the sandwich estimate (`gan_eval.stats.clustering.two_way`) and of that of independent answers.

    Args:
        strength: (C,) that maximise the likelihood of the answers.
        winner: (N,) 0..C-1.
        loser: (N,) 0..C-1.
        participant: (N,) int.
        item: (N,) int; participants or items, or both, are two or more.
    """
    size = len(strength)
    table = np.zeros((size, size))
    np.add.at(table, (winner, loser), 1)
    bread = np.linalg.inv(_information(table, strength) + 1 / size) - 1 / size
    residual = expit(strength[loser] - strength[winner])  # 1 - chance of what happened
    influence = residual[:, None] * (bread[winner] - bread[loser])
    return np.maximum(np.diag(bread), two_way(influence, participant, item))


def _log_likelihood(wins: np.ndarray, strength: np.ndarray) -> float:
    return float(-(wins * np.logaddexp(0, strength[None, :] - strength[:, None])).sum())


def _score(wins: np.ndarray, strength: np.ndarray) -> np.ndarray:
    surprise = wins * expit(strength[None, :] - strength[:, None])
    return np.asarray(surprise.sum(axis=1) - surprise.sum(axis=0))


def _information(wins: np.ndarray, strength: np.ndarray) -> np.ndarray:
    chance = expit(strength[:, None] - strength[None, :])
    return _laplacian(wins * chance * (1 - chance))


def _laplacian(weight: np.ndarray) -> np.ndarray:
    """Sum over pairs of weight (e_i - e_j)(e_i - e_j)'."""
    symmetric = weight + weight.T
    return np.asarray(np.diag(symmetric.sum(axis=1)) - symmetric)
