"""Conditional modes of the random effects: what a crossed mixed model says of each participant and of each stimulus.

At the estimates, the random effects given the answers have the mode b = Λu and, by Laplace's approximation, the
covariance ΛH⁻¹Λ' (`mixed.likelihood`). An effect is smaller than the deviation that was observed, the more so the fewer
answers it rests on (shrinkage; Robinson 1991, Statistical Science 6, 15-32). Both are those of lme4's
`ranef(condVar = TRUE)`, which takes fixed effects as known. A prediction x'β + z'b does not: with other fixed effects
the modes are others, db/dβ = -ΛH⁻¹M'WX, so its variance is z'ΛH⁻¹Λ'z + r'Vr with r = x + (db/dβ)'z and V the covariance
of β. Spreads are taken as known.
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
    """(width, width, levels), the fixed effects taken as known."""
    by_fixed: np.ndarray
    """(width, levels, K) their derivatives by the fixed effects."""

    def at(self, slope: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Return the effect of each level where the slopes' covariate has this value, and its SD, (levels,) each."""
        weight = np.array([1.0, slope])[: len(self.mode)]
        return weight @ self.mode, np.sqrt(self.variance(weight))

    def variance(
        self, weight: np.ndarray, row: np.ndarray | None = None, fixed: np.ndarray | None = None
    ) -> np.ndarray:
        """Return (levels,) the variance of a sum of effects, and of fixed effects where these are given.

        Args:
            weight: (width,) or (width, levels) of the effects.
            row: (K,) or (levels, K) of the fixed effects.
            fixed: (K, K) their covariance.
        """
        weight = np.broadcast_to(weight.reshape(len(self.mode), -1), self.mode.shape)
        variance = np.einsum("an,abn,bn->n", weight, self.covariance, weight)
        if row is not None and fixed is not None:
            moved = row + np.einsum("an,ank->nk", weight, self.by_fixed)
            variance = variance + np.einsum("nk,kl,nl->n", moved, fixed, moved)
        return np.maximum(variance, 0.0)


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
        slope: (N,) the covariate whose effect varies over levels of `first`.
    """
    unit = fit.units[0]
    standard = None if slope is None else (np.asarray(slope, float) - unit.centre) / unit.size
    data = Crossed.of(y, X, first, second, link=link, slopes=(standard, None))
    laplace = Laplace(data)
    laplace.value_and_gradient(np.concatenate([fit.scales, fit.beta]))
    assert laplace.terms is not None
    assert laplace.factor is not None
    scales, weight, factor = data.scales(fit.scales), laplace.terms.weight, laplace.factor
    if weight is not laplace.terms.observed:
        factor = Factor(data.layout, scales, weight)
    pulled = np.array([factor.solve(data.onto_effects(scales, weight * column)) for column in data.X.T])
    turn = np.array([[1.0, -unit.centre / unit.size], [0.0, 1 / unit.size]])  # to the covariate as it was given
    found = []
    of_columns = zip(*(data.layout.split(column) for column in pulled), strict=True)
    levels = zip(scales, data.layout.split(laplace.mode), factor.inverse_blocks().own, of_columns, strict=True)
    for root, spherical, inverse, by_column in levels:
        turned = turn[: len(root), : len(root)] @ root
        covariance = np.einsum("ap,pqn,bq->abn", turned, inverse, turned)
        found.append(Modes(turned @ spherical, covariance, -np.einsum("ap,kpn->ank", turned, np.array(by_column))))
    return found[0], found[1]
