"""The links of yes/no models: log-likelihood of each answer and its derivatives over the linear predictor."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_ndtr, logit, ndtri


class Terms(NamedTuple):
    """What a link gives for each trial, each (N,)."""

    log_likelihood: np.ndarray
    score: np.ndarray
    """d log-likelihood / dη"""
    observed: np.ndarray
    """-d² log-likelihood / dη²"""
    weight: np.ndarray
    """Expected information, W."""
    weight_slope: np.ndarray
    """dW / dη"""


class Slopes(NamedTuple):
    """Derivatives over η of the log-likelihoods of both answers, each of the shape of η."""

    yes: np.ndarray
    """d log P(yes) / dη"""
    no: np.ndarray
    """d log P(no) / dη"""
    curve_yes: np.ndarray
    """-d² log P(yes) / dη²"""
    curve_no: np.ndarray
    """-d² log P(no) / dη²"""


def logit_terms(eta: np.ndarray, yes: np.ndarray) -> Terms:
    """Terms of the logistic link at η (N,) for answers `yes` (N,), 1.0 or 0.0. Observed and expected agree."""
    small = np.exp(-np.abs(eta))
    total = 1 + small
    mean = np.where(eta > 0, 1.0, small) / total
    weight = small / (total * total)
    log_likelihood = yes * eta - np.maximum(eta, 0) - np.log1p(small)
    return Terms(log_likelihood, yes - mean, weight, weight, weight * (1 - 2 * mean))


def probit_terms(eta: np.ndarray, yes: np.ndarray) -> Terms:
    """Terms of the probit link at η (N,) for answers `yes` (N,), 1.0 or 0.0."""
    log_yes, log_no, above, below = _normal(eta)
    score = np.where(yes > 0, above, -below)
    weight = above * below
    return Terms(
        np.where(yes > 0, log_yes, log_no),
        score,
        score * (score + eta),
        weight,
        weight * (below - above - 2 * eta),
    )


LINKS = {"logit": logit_terms, "probit": probit_terms}


def slopes(eta: np.ndarray, link: str) -> Slopes:
    """Derivatives for `yes` and for `no` at η of any shape."""
    if link == "logit":
        mean = expit(eta)
        curve = mean * (1 - mean)
        return Slopes(1 - mean, -mean, curve, curve)
    _, _, above, below = _normal(eta)
    return Slopes(above, -below, above * (above + eta), below * (below - eta))


def linked(share: np.ndarray, link: str) -> np.ndarray:
    """The linear predictor η of shares between 0 and 1."""
    return np.asarray(logit(share) if link == "logit" else ndtri(share))


def _normal(eta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """log Φ(η), log Φ(-η), φ(η) / Φ(η) and φ(η) / Φ(-η), none of which may under- or overflow."""
    log_density = -(eta**2) / 2 - np.log(2 * np.pi) / 2
    log_yes, log_no = log_ndtr(eta), log_ndtr(-eta)
    return log_yes, log_no, np.exp(log_density - log_yes), np.exp(log_density - log_no)
