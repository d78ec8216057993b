"""Agreement of votes between two pictures with a metric: its 2AFC score, the ceiling of such scores, and differences.

A vote for one of two pictures goes with a metric if the metric prefers the same one. The 2AFC score (two-alternative
forced choice; Zhang, Isola, Efros, Shechtman & Wang 2018, CVPR, arXiv 1801.03924, section 4) is the share of votes that
do; where the metric is equal for both pictures, the vote counts one half.

People and pictures are both samples: errors are clustered by participant and by picture with Student's t
(`gan_eval.base.inference`). No interval is narrower, and no p lower, than those of independent votes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from gan_eval.base.inference import (
    Estimate,
    binomial_p,
    cells,
    degrees_of_freedom,
    n_levels,
    one_way,
    t_critical,
    two_sided_p,
    two_way,
    wilson,
)

NONE = Estimate(np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Votes:
    """Votes between two pictures, each of one participant; all arrays (N,)."""

    chose_first: np.ndarray
    """bool: the vote is for the first picture of its pair."""
    pair: np.ndarray
    """int, 0..: the pair of pictures, in which the same one is always first."""
    picture: np.ndarray
    """int, 0..: what both pictures of a pair are of, such as an item; several pairs may share it."""
    participant: np.ndarray
    """int, 0.. ; all of one if nobody knows who voted: then intervals are over pictures alone (`votes_of_counts`)."""
    both: tuple[np.ndarray, np.ndarray] | None = None
    """int, 0..: the two pictures, numbered together, if any two are paired (`pictures_of_any_pair`)."""

    def of(self, chosen: np.ndarray) -> "Votes":
        """Return the chosen votes (N,) bool."""
        both = None if self.both is None else (self.both[0][chosen], self.both[1][chosen])
        return Votes(self.chose_first[chosen], self.pair[chosen], self.picture[chosen], self.participant[chosen], both)


def votes_of_counts(for_first: np.ndarray, for_second: np.ndarray, picture: np.ndarray) -> Votes:
    """Return the single votes of (P,) pairs whose votes were only counted, so that nobody knows who voted.

    >>> votes = votes_of_counts(np.array([2, 0]), np.array([1, 1]), np.array([0, 1]))
    >>> votes.pair.tolist(), votes.chose_first.tolist()
    ([0, 0, 0, 1], [True, True, False, False])
    """
    count = np.stack([for_first, for_second], axis=1).ravel()
    pair, side = (np.repeat(column, count) for column in np.indices((len(for_first), 2)).reshape(2, -1))
    return Votes(side == 0, pair, picture[pair], np.zeros(len(pair), int))


def agreement(votes: Votes, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return (N,) 1 where a vote goes with the larger of two values (N,), 0 where against it, ½ where they are equal.

    >>> pair = np.array([0, 0, 1])
    >>> agreement(Votes(np.array([True, False, True]), pair, pair, pair), np.array([2, 2, 5.0]), np.array([1, 1, 5.0]))
    array([1. , 0. , 0.5])
    """
    return np.where(first == second, 0.5, ((first > second) == votes.chose_first).astype(float))


def score(votes: Votes, agrees: np.ndarray) -> Estimate:
    """Return the share of votes that go with a metric, with its 95% interval over people and pictures.

    Args:
        agrees: (N,) 1, ½ or 0, as of `agreement`.

    A metric prefers the first picture of both pairs. Of the first one's three votes two are for it, of the second one's
    two votes one is: (2 + 1) / 5.

    >>> votes = votes_of_counts(np.array([2, 1]), np.array([1, 1]), np.array([0, 1]))
    >>> score(votes, agreement(votes, np.ones(5), np.zeros(5))).value
    0.6
    """
    if len(agrees) == 0:
        return NONE
    influence = (agrees - _smoothed(agrees.sum(), len(agrees))) / len(agrees)
    return _with_interval(float(agrees.mean()), _variance(influence, votes, votes.participant), votes)


def ceiling(votes: Votes) -> Estimate:
    """Return the score of the best guess of each vote, the majority of the pair's other votes, with its 95% interval.

    Equally many other votes for both pictures are a guess: ½. Votes that are alone in their pair are left out. With few
    votes for each pair the majority is itself uncertain, and a good metric may be above it.

    The votes 3 to 1 and 1 to 1: each of the three sees two others of its mind and one that is not, the one sees three
    others against it, and the last two see one against each.

    >>> ceiling(votes_of_counts(np.array([3, 1]), np.array([1, 1]), np.array([0, 1]))).value
    0.5
    """
    votes = votes.of(np.bincount(votes.pair)[votes.pair] > 1)
    total = len(votes.pair)
    if total == 0:
        return NONE
    n = np.bincount(votes.pair)[votes.pair]
    own = np.bincount(votes.pair, votes.chose_first)[votes.pair]
    own = np.where(votes.chose_first, own, n - own)  # votes of the pair for the same picture, this one included
    follows = _leads(own - 1, n - own)
    share = float(follows.mean())
    influence = (follows - _smoothed(follows.sum(), total)) / total
    variance = _variance(influence, votes, np.zeros(total, int))
    if n_levels(votes.participant) > 1:
        # what a vote adds to the sum over its pair, which has fewer votes without it
        without = np.where(n > 2, _sum_of_pair(own - 1, n - 1) - share * (n - 1), 0.0)
        adds = ((_sum_of_pair(own, n) - share * n - without) / total)[:, None]
        shared = one_way(adds, votes.participant) - one_way(adds, cells(votes.participant, votes.picture))
        variance += max(0.0, float(shared[0]))
    return _with_interval(share, variance, votes)


class ScoreDifference(NamedTuple):
    """A difference of two metrics' scores; NaN where unknown."""

    difference: Estimate
    p: float
    """Two-sided, against 0; NaN of one participant, or if nobody knows who voted."""
    n_apart: int
    """Number of pairs in which the metrics do not prefer the same picture."""


def score_difference(votes: Votes, agrees_a: np.ndarray, agrees_b: np.ndarray) -> ScoreDifference:
    """Return the score of a minus that of b over the same votes, with its 95% interval and p.

    Only pairs in which the two metrics prefer different pictures carry information. The interval is never narrower, and
    p never lower, than those of the votes on these pairs as independent.

    Args:
        agrees_a: (N,) 1, ½ or 0, as of `agreement`.
        agrees_b: of the second metric.
    """
    gain = agrees_a - agrees_b
    apart = gain != 0
    n_apart, total, value = len(np.unique(votes.pair[apart])), len(gain), float(gain.mean()) if len(gain) else np.nan
    unknown = ScoreDifference(Estimate(value, np.nan, np.nan), np.nan, n_apart)
    if not apart.any() or (df := _degrees_of_freedom(votes)) < 1:
        return unknown
    influence = (gain - gain.sum() / (total + 2)) / total
    error = float(np.sqrt(_variance(influence, votes, votes.participant)))
    reach = float(t_critical(df)) * error
    for_a, number = float(np.maximum(gain, 0).sum()), float(np.abs(gain).sum())
    scale = number / total
    if for_a in (0.0, number):  # all agree: as if each of these pairs had one vote
        for_a, number = n_apart * for_a / number, n_apart
    low, high = ((2 * float(end) - 1) * scale for end in wilson(for_a, number))
    interval = max(-1.0, min(value - reach, low)), min(1.0, max(value + reach, high))
    p = max(float(two_sided_p(value, error, df)), float(binomial_p(round(for_a), round(number))))
    p = p if n_levels(votes.participant) > 1 else np.nan
    return ScoreDifference(Estimate(value, *interval), p, n_apart)


def _smoothed(sum_: float, n: int) -> float:
    """Return the share with one vote of each kind added, so that equal votes still have an error (Agresti & Caffo)."""
    return float((sum_ + 1) / (n + 2))


def _leads(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.where(some == others, 0.5, (some > others).astype(float))


def _sum_of_pair(some: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the number of a pair's n votes that go with the majority of its others, `some` being for one picture."""
    others = n - some
    return some * _leads(some - 1, others) + others * _leads(others - 1, some)


def _variance(influence: np.ndarray, votes: Votes, participant: np.ndarray) -> float:
    """Return the variance of an estimate from each vote's influence (N,), over these participants and over pictures."""
    if votes.both is not None:
        return float(by_both_pictures(influence[:, None], participant, *votes.both)[0])
    return float(two_way(influence[:, None], participant, votes.picture)[0])


def _degrees_of_freedom(votes: Votes) -> int:
    """Return those of people and pictures; of pictures alone if there is one participant."""
    people = [votes.participant] if n_levels(votes.participant) > 1 else []
    return degrees_of_freedom(votes.picture, *(votes.both or ()), *people)


def _with_interval(share: float, variance: float, votes: Votes) -> Estimate:
    """Return a share with its interval by Student's t, not narrower than Wilson's of independent votes."""
    if (df := _degrees_of_freedom(votes)) < 1:
        return Estimate(share, np.nan, np.nan)
    reach = float(t_critical(df)) * float(np.sqrt(variance))
    n = df + 1 if share in (0.0, 1.0) else len(votes.pair)
    low, high = (float(end) for end in wilson(share * n, n))
    return Estimate(share, max(0.0, min(share - reach, low)), min(1.0, max(share + reach, high)))


def pictures_of_any_pair(pairs: pd.DataFrame, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (N,) the two pictures of each pair, numbered together; None where a picture's pairs are of one `unit`."""
    named = pairs[["stimulus", "stimulus_b"]]
    if named.isna().any(axis=None):
        return None
    code = pd.factorize(named.to_numpy().ravel())[0].reshape(-1, 2)
    units = (len(np.unique(cells(of, unit))) > n_levels(of) for of in code.T)
    return (code[:, 0], code[:, 1]) if any(units) else None


def by_both_pictures(
    influence: np.ndarray, participant: np.ndarray, picture: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """Return (K,) variances clustered by participant and by each picture of a pair, never below either.

    Args:
        influence: (N, K) what each pair adds to the estimates' errors.
        participant: (N,) int, 0.. .
        picture: (N,) int, the first picture, 0.. .
        other: (N,) int, the second one, in the same numbers.
    """

    def by_pictures(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        of_pairs = one_way(influence, cells(np.minimum(first, second), np.maximum(first, second)))
        return one_way(np.vstack([influence, influence]), np.r_[first, second]) - of_pairs

    of_pictures = by_pictures(picture, other)
    if n_levels(participant) < 2:
        return of_pictures
    of_participants = one_way(influence, participant)
    of_cells = by_pictures(*np.split(cells(np.r_[participant, participant], np.r_[picture, other]), 2))
    return np.max([of_participants + of_pictures - of_cells, of_participants, of_pictures], axis=0)
