"""One share held against one half when answers hang together by participant and by picture."""

import numpy as np

from gan_eval.stats.clustering import two_way
from gan_eval.stats.compare.differences import Difference, where_it_touches
from gan_eval.stats.compare.marginal import equivalence_p, wald
from gan_eval.stats.shares import Z90, Z95, binomial_p, wilson

HALF = 0.5
"""What guessing gives in a choice between two pictures."""


def share_less_half(
    success: np.ndarray, participant: np.ndarray, picture: np.ndarray, *, margin: float | None = None
) -> Difference:
    """The share of `success` minus one half.

    As `gan_eval.stats.compare.differences.difference_of_shares`: two-way clustered variance of residuals from the share
    with one success and one failure added, Student's t with one degree of freedom fewer than the fewer of participants
    and pictures, never more certain than Wilson's interval and the exact binomial test, which take the answers as
    independent. Where all answers agree these two are taken as if each picture (or participant, if fewer) had been
    judged once.

    Args:
        success: (N,) bool, N of 1 or more.
        participant: (N,) int, 0.. .
        picture: (N,) int, 0.. .
        margin: of equivalence, above 0.

    >>> found = share_less_half(np.arange(40) % 4 > 0, np.repeat(np.arange(4), 10), np.tile(np.arange(10), 4))
    >>> found.difference, found.basis
    (0.25, 'two_way_cluster')
    """
    k, n = int(success.sum()), len(success)
    difference = k / n - HALF
    people, pictures = len(np.unique(participant)), len(np.unique(picture))
    if pictures < 2:
        return Difference(difference, np.nan, np.nan, np.nan, "too few participants or stimuli for an interval")
    alone = people == 1
    one = "one participant: says nothing of people in general" if alone else ""
    units = pictures if alone else min(people, pictures)
    if k in (0, n):
        agree = "all answers agree: interval and p as if each picture or participant had answered once"
        note = "; ".join(filter(None, [agree, one]))
        return _independent(units * (k > 0), units, margin)._replace(difference=difference, note=note)
    least = _independent(k, n, margin)
    influence = (success - (k + 1) / (n + 2)) / n
    error = float(np.sqrt(two_way(influence[:, None], participant, picture)[0]))
    found = wald(difference, error, units - 1)
    return Difference(
        difference,
        max(-HALF, min(least.ci_low, found.ci_low)),
        min(HALF, max(least.ci_high, found.ci_high)),
        max(least.p, found.p),
        one,
        max(-HALF, min(least.ci90_low, found.ci90_low)),
        min(HALF, max(least.ci90_high, found.ci90_high)),
        np.nan if margin is None else max(least.p_equivalent, equivalence_p(difference, error, units - 1, margin)),
        "independent" if alone else "two_way_cluster",
    )


def _independent(k: int, n: int, margin: float | None) -> Difference:
    """Wilson's interval and the exact binomial p."""

    def ends(z: float) -> tuple[float, float]:
        low, high = wilson(k, n, z=z)
        return float(low) - HALF, float(high) - HALF

    p_equivalent = np.nan if margin is None else where_it_touches(ends, margin)
    p = float(binomial_p(k, n))
    return Difference(k / n - HALF, *ends(Z95), p, "", *ends(Z90), p_equivalent, "independent")
