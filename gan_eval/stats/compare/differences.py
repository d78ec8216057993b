"""The difference of two shares when answers hang together by participant and by stimulus.

Shares averaged over people and pictures, from the estimates of a mixed model.

A mixed model's coefficients speak of one typical participant and one typical picture. The share of yes answers that
many participants give to many pictures at the fixed effects η is an average over the random effects, whose sum is
normal with the standard deviation s:

    P(η, s) = ∫ F(η + s z) φ(z) dz,    F the inverse link.

For probit it is Φ(η / sqrt(1 + s²)); for logit it has no closed form (Zeger, Liang & Albert 1988, Biometrics 44,
1049-1060). Standard errors come by the delta method over the fixed effects and the standard deviations together.

One share held against one half when answers hang together by participant and by picture.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit, ndtr
from scipy.stats import fisher_exact

from gan_eval.stats.clustering import equivalence_p, freedom, t_critical, two_sided_p, two_way
from gan_eval.stats.shares import Z90, Z95, binomial_p, newcombe, wilson

_NODES = np.linspace(-9.0, 9.0, 301)
"""The trapezoidal rule converges geometrically for analytic integrands on the whole line: its error here is below
exp(-2π² / (0.06 s)), which no quadrature of as many Gaussian nodes reaches where s is large."""
_WEIGHTS = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()


class PopulationShares(NamedTuple):
    """Shares and their derivatives, each (R,)."""

    share: np.ndarray
    by_eta: np.ndarray
    """dP / dη"""
    by_spread: np.ndarray
    """dP / ds"""


class Contrast(NamedTuple):
    """A weighted sum of population-averaged shares."""

    estimate: float
    std_error: float


class WaldTest(NamedTuple):
    """What an estimate and its standard error say, with Student's t as the reference."""

    ci_low: float
    ci_high: float
    ci90_low: float
    ci90_high: float
    p: float
    """Two-sided, against 0."""


def population_shares(eta: np.ndarray, spread: np.ndarray, *, link: str = "logit") -> PopulationShares:
    """P(η, s) for each pair of η and s, exact to about 1e-9 up to s = 15.

    Args:
        eta: (R,) fixed part of the linear predictor.
        spread: (R,) standard deviation of the random part, 0 or more.
        link: `logit` or `probit`.

    >>> found = population_shares(np.array([0.0, 1.0]), np.array([2.0, 0.0]))
    >>> found.share.round(6).tolist()
    [0.5, 0.731059]
    """
    eta, spread = np.broadcast_arrays(np.asarray(eta, float), np.asarray(spread, float))
    if link == "probit":
        scale = np.sqrt(1 + spread**2)
        density = np.exp(-((eta / scale) ** 2) / 2) / np.sqrt(2 * np.pi)
        return PopulationShares(ndtr(eta / scale), density / scale, -density * eta * spread / scale**3)
    share = expit(eta[:, None] + spread[:, None] * _NODES)
    slope = share * (1 - share)
    return PopulationShares(
        (share * _WEIGHTS).sum(axis=1), (slope * _WEIGHTS).sum(axis=1), (slope * _NODES * _WEIGHTS).sum(axis=1)
    )


def contrast_of_shares(
    weights: np.ndarray,
    rows: np.ndarray,
    beta: np.ndarray,
    covariance: np.ndarray,
    variances: np.ndarray,
    variances_by_random: np.ndarray,
    *,
    link: str = "logit",
) -> Contrast:
    """Σ w_r P(x_r'β, s_r), with its standard error by the delta method.

    Args:
        weights: (R,) weight of each share.
        rows: (R, K) fixed effects of each share.
        beta: (K,) their estimates.
        covariance: (K + Q, K + Q) of β and of the Q parameters of the random effects.
        variances: (R,) s_r².
        variances_by_random: (R, Q) their derivatives by the parameters of the random effects.
        link: `logit` or `probit`.
    """
    spread = np.sqrt(np.maximum(variances, 0.0))
    found = population_shares((rows * beta).sum(axis=1), spread, link=link)
    # dP/d(s²) = (dP/ds) / 2s stays finite, but the derivative of s² by a standard deviation held at 0 is 0 anyway
    by_variance = np.divide(found.by_spread, 2 * spread, out=np.zeros_like(spread), where=spread > 0)
    gradient = np.concatenate(
        [
            (weights * found.by_eta)[:, None].T.dot(rows)[0],
            (weights * by_variance)[:, None].T.dot(variances_by_random)[0],
        ]
    )
    variance = float(gradient.dot(covariance).dot(gradient))
    return Contrast(float(weights.dot(found.share)), float(np.sqrt(max(variance, 0.0))))


def wald(estimate: float, std_error: float, df: float) -> WaldTest:
    """Intervals and test of an estimate, Student's t with `df` degrees of freedom as the reference.

    >>> found = wald(0.1, 0.05, 1e9)
    >>> round(found.ci_low, 4), round(found.ci90_high, 4), round(found.p, 4)
    (0.002, 0.1822, 0.0455)
    """
    wide, narrow = (float(t_critical(df, coverage=coverage)) * std_error for coverage in (0.95, 0.9))
    return WaldTest(
        max(-1.0, estimate - wide),
        min(1.0, estimate + wide),
        max(-1.0, estimate - narrow),
        min(1.0, estimate + narrow),
        float(two_sided_p(estimate, std_error, df)),
    )


class Difference(NamedTuple):
    """Share of a minus share of b."""

    difference: float
    ci_low: float
    ci_high: float
    p: float
    """Two-sided; NaN where there can be none."""
    note: str
    ci90_low: float = np.nan
    ci90_high: float = np.nan
    p_equivalent: float = np.nan
    """The larger p of two one-sided tests against the margin; NaN without a margin."""
    basis: str | None = None
    """`two_way_cluster` or `independent`; None without an interval."""


def difference_of_shares(
    success: np.ndarray,
    in_a: np.ndarray,
    participant: np.ndarray,
    stimulus: np.ndarray,
    *,
    weight: np.ndarray | None = None,
    margin: float | None = None,
) -> Difference:
    """Share of `success` among the trials of a minus the share among those of b.

    The variance adds what participants and what stimuli have in common (two-way clustering: Cameron, Gelbach &
    Miller 2011, Journal of Business & Economic Statistics 29, 238-249); the largest of the two-way and the two
    one-way variances is taken, since the two-way sum can be too small or negative. Residuals are taken from the share
    with one success and one failure added (Agresti & Caffo 2000, The American Statistician 54, 280-288), so that a
    group whose answers agree is not taken for certain. The reference is Student's t with one degree of freedom fewer
    than the smallest number of participants or stimuli behind either group.

    Clustering can only take information away, so the interval is never narrower than Newcombe's and p never below
    Fisher's, both of which take the answers as independent. With weights both take as many answers as would give the
    same precision unweighted (Kish's effective number).

    Args:
        success: (N,) bool.
        in_a: (N,) bool, true for a's trials, false for b's; both must occur.
        participant: (N,) int, 0.. .
        stimulus: (N,) int, 0.. .
        weight: (N,) above 0, what a trial counts; default: all alike.
        margin: of equivalence, above 0.
    """
    weight = np.ones(len(success)) if weight is None else weight
    (k_a, n_a), (k_b, n_b) = (_counts(success[group], weight[group]) for group in (in_a, ~in_a))
    difference = k_a / n_a - k_b / n_b
    alone = len(np.unique(participant)) == 1
    factors = (stimulus,) if alone else (participant, stimulus)
    if freedom(*factors, side=in_a) < 1:
        return Difference(difference, np.nan, np.nan, np.nan, "too few participants or stimuli for an interval")
    one = "one participant: says nothing of people in general" if alone else ""
    if all(success[group].all() or not success[group].any() for group in (in_a, ~in_a)):
        agree = "all answers of each group agree: interval and p as if each stimulus had been judged once"
        units_a, units_b = _units(in_a, participant, stimulus)
        note = "; ".join(filter(None, [agree, one]))
        return _independent(units_a * (k_a > 0), units_a, units_b * (k_b > 0), units_b, margin)._replace(
            difference=difference, note=note
        )
    least = _independent(k_a, n_a, k_b, n_b, margin)
    share = np.where(in_a, (k_a + 1) / (n_a + 2), (k_b + 1) / (n_b + 2))
    total_a, total_b = weight[in_a].sum(), weight[~in_a].sum()
    influence = (success - share) * weight * np.where(in_a, 1 / total_a, -1 / total_b)
    error = float(np.sqrt(two_way(influence[:, None], participant, stimulus, side=in_a)[0]))
    df = freedom(*factors, side=in_a)
    found = wald(difference, error, df)
    return Difference(
        difference,
        min(least.ci_low, found.ci_low),
        max(least.ci_high, found.ci_high),
        max(least.p, found.p),
        one,
        min(least.ci90_low, found.ci90_low),
        max(least.ci90_high, found.ci90_high),
        np.nan if margin is None else max(least.p_equivalent, float(equivalence_p(difference, error, df, margin))),
        "independent" if alone else "two_way_cluster",
    )


def _counts(success: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Successes and trials of a group, unweighted ones of the same share and precision (Kish 1965, Survey Sampling)."""
    effective = float(weight.sum() ** 2 / (weight @ weight))
    return float(weight @ success / weight.sum()) * effective, effective


def _sizes(cluster: np.ndarray, in_a: np.ndarray) -> tuple[int, int]:
    """How many clusters stand behind a and behind b."""
    return len(np.unique(cluster[in_a])), len(np.unique(cluster[~in_a]))


def _units(in_a: np.ndarray, participant: np.ndarray, stimulus: np.ndarray) -> tuple[int, int]:
    """What counts once where all answers agree: the stimuli; the participants, if fewer, where not all judged both."""
    (stimuli_a, stimuli_b), (people_a, people_b) = _sizes(stimulus, in_a), _sizes(participant, in_a)
    if people_a == people_b == len(np.unique(participant)):
        return stimuli_a, stimuli_b
    return min(stimuli_a, people_a), min(stimuli_b, people_b)


def _independent(k_a: float, n_a: float, k_b: float, n_b: float, margin: float | None) -> Difference:
    """Newcombe's interval and Fisher's exact p."""

    def ends(z: float) -> tuple[float, float]:
        low, high = newcombe(k_a, n_a, k_b, n_b, z=z)
        return max(-1.0, low), min(1.0, high)

    p = float(fisher_exact(np.rint([[k_a, n_a - k_a], [k_b, n_b - k_b]]).astype(int)).pvalue)
    p_equivalent = np.nan if margin is None else where_it_touches(ends, margin)
    return Difference(k_a / n_a - k_b / n_b, *ends(Z95), p, "", *ends(Z90), p_equivalent, "independent")


def where_it_touches(ends: Callable[[float], tuple[float, float]], margin: float) -> float:
    """The one-sided p at which an interval, `ends` at the quantile z, just stays within the margin; 1/2 or more where
    the estimate itself lies outside, said as 1."""
    low, high = ends(1e-9)
    if low <= -margin or high >= margin:
        return 1.0
    inside, outside = 1e-9, 40.0
    for _ in range(60):
        z = (inside + outside) / 2
        low, high = ends(z)
        inside, outside = (z, outside) if -margin < low and high < margin else (inside, z)
    return float(ndtr(-inside))


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
        return _independent_share(units * (k > 0), units, margin)._replace(difference=difference, note=note)
    least = _independent_share(k, n, margin)
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
        np.nan
        if margin is None
        else max(least.p_equivalent, float(equivalence_p(difference, error, units - 1, margin))),
        "independent" if alone else "two_way_cluster",
    )


def _independent_share(k: int, n: int, margin: float | None) -> Difference:
    """Wilson's interval and the exact binomial p."""

    def ends(z: float) -> tuple[float, float]:
        low, high = wilson(k, n, z=z)
        return float(low) - HALF, float(high) - HALF

    p_equivalent = np.nan if margin is None else where_it_touches(ends, margin)
    p = float(binomial_p(k, n))
    return Difference(k / n - HALF, *ends(Z95), p, "", *ends(Z90), p_equivalent, "independent")
