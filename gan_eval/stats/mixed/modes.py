"""Conditional modes of the random effects: what a crossed mixed model says of each participant and of each stimulus.

At the estimates, the random effects given the answers have the mode b = Λu and, by Laplace's approximation, the
covariance ΛH⁻¹Λ' (`mixed.likelihood`). An effect is smaller than the deviation that was observed, the more so the fewer
answers it rests on (shrinkage; Robinson 1991, Statistical Science 6, 15-51). Fixed effects and spreads are taken as
known. Both are those of lme4's `ranef(condVar = TRUE)`.
"""

from typing import NamedTuple

import numpy as np

from gan_eval.stats.mixed.fit import CrossedFit
from gan_eval.stats.mixed.information import Factor
from gan_eval.stats.mixed.likelihood import Crossed, Laplace


class Modes(NamedTuple):
    """Random effects of the levels of one factor on the link's scale: intercepts, then slopes where there are any."""

    mode: np.ndarray
    """(width, levels)"""
    covariance: np.ndarray
    """(width, width, levels)"""

    def at(self, slope: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Return the effect of each level where the slopes' covariate has this value, and its SD, (levels,) each."""
        weight = np.array([1.0, slope])[: len(self.mode)]
        variance = np.einsum("a,abn,b->n", weight, self.covariance, weight)
        return weight @ self.mode, np.sqrt(np.maximum(variance, 0.0))


def conditional_modes(
    fit: CrossedFit,
    y: np.ndarray,
    X: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    link: str = "logit",
    slope: np.ndarray | None = None,
) -> tuple[Modes, Modes]:
    """Return the effects of the levels of `first` and of `second`; nothing is fitted again.

    Args:
        fit: the estimates; the other arguments are those that they were fitted to by `fit_crossed`.
        y: (N,) bool, the answers.
        X: (N, K) fixed effects.
        first: (N,) int, level of the first factor, 0.. without gaps.
        second: (N,) int, level of the second factor.
        link: `logit` or `probit`.
        slope: (N,) the covariate whose effect varies over levels of `first`.
    """
    unit = fit.units[0]
    standard = None if slope is None else (np.asarray(slope, float) - unit.centre) / unit.size
    data = Crossed.of(y, X, first, second, link=link, slopes=(standard, None))
    laplace = Laplace(data)
    laplace.value_and_gradient(np.concatenate([fit.scales, fit.beta]))
    assert laplace.terms is not None
    scales = data.scales(fit.scales)
    own = Factor(data.layout, scales, laplace.terms.weight).inverse_blocks().own
    turn = np.array([[1.0, -unit.centre / unit.size], [0.0, 1 / unit.size]])  # to the covariate as it was given
    found = []
    for root, spherical, inverse in zip(scales, data.layout.split(laplace.mode), own, strict=True):
        turned = turn[: len(root), : len(root)] @ root
        found.append(Modes(turned @ spherical, np.einsum("ap,pqn,bq->abn", turned, inverse, turned)))
    return found[0], found[1]
