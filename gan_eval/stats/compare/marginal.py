"""Shares averaged over people and pictures, from the estimates of a mixed model.

A mixed model's coefficients speak of one typical participant and one typical picture. The share of yes answers that
many participants give to many pictures at the fixed effects η is an average over the random effects, whose sum is
normal with the standard deviation s:

    P(η, s) = ∫ F(η + s z) φ(z) dz,    F the inverse link.

For probit it is Φ(η / sqrt(1 + s²)); for logit it has no closed form (Zeger, Liang & Albert 1988, Biometrics 44,
1049-1060). Standard errors come by the delta method over the fixed effects and the standard deviations together.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr, stdtr, stdtrit

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


def wald(estimate: float, std_error: float, freedom: float) -> WaldTest:
    """Intervals and test of an estimate, Student's t with `freedom` degrees of freedom as the reference.

    >>> found = wald(0.1, 0.05, 1e9)
    >>> round(found.ci_low, 4), round(found.ci90_high, 4), round(found.p, 4)
    (0.002, 0.1822, 0.0455)
    """
    wide, narrow = (float(stdtrit(freedom, level)) * std_error for level in (0.975, 0.95))
    return WaldTest(
        max(-1.0, estimate - wide),
        min(1.0, estimate + wide),
        max(-1.0, estimate - narrow),
        min(1.0, estimate + narrow),
        float(difference_ps(estimate, std_error, freedom)),
    )


def equivalence_p(estimate: float, std_error: float, freedom: float, margin: float) -> float:
    """The larger p of the two one-sided tests of -margin < difference < margin (Schuirmann 1987, Journal of
    Pharmacokinetics and Biopharmaceutics 15, 657-680)."""
    return float(equivalence_ps(estimate, std_error, freedom, margin))


def difference_ps(estimate: ArrayLike, std_error: ArrayLike, freedom: float) -> np.ndarray:
    """Two-sided p of each estimate against 0, Student's t as the reference; NaN where the error is not above 0."""
    estimate, error = np.asarray(estimate, float), np.asarray(std_error, float)
    t = np.abs(estimate) / np.where(error > 0, error, np.nan)
    return np.asarray(2 * stdtr(freedom, -t))


def equivalence_ps(estimate: ArrayLike, std_error: ArrayLike, freedom: float, margin: float) -> np.ndarray:
    """`equivalence_p` of each estimate."""
    estimate, error = np.asarray(estimate, float), np.asarray(std_error, float)
    return np.asarray(stdtr(freedom, (np.abs(estimate) - margin) / np.where(error > 0, error, np.nan)))
