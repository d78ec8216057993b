"""The crossed mixed model of yes/no answers by Laplace's approximation, in numpy and scipy.

For trial i with participant p and stimulus s

    link(P(y_i = 1)) = x_i'β + σ_p a_p + σ_s b_s,    a_p, b_s ~ N(0, 1) independent,

the likelihood is an integral over all a and b. It is approximated at the integrand's mode û (penalised
iteratively reweighted least squares) by

    log L(σ, β) = Σ log P(y_i | û) - |û|²/2 - log|H|/2,    H = I + M'WM,

M's rows being (σ_p e_p, σ_s e_s) and W the expected information of the trials. This is the criterion of lme4's
`glmer` with nAGQ = 1 (Bates, Mächler, Bolker & Walker 2015, Journal of Statistical Software 67(1)); it is maximised
over the two standard deviations and β together, with its exact gradient. In H each factor's own block is diagonal,
so the larger factor is eliminated by a Schur complement and only the smaller one is factored: a pool of thousands
of stimuli costs little more than a short list.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, log_expit, log_ndtr

_BLOCK = 4_000_000
"""Cells of the crossed block held in memory at a time."""


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


def logit_terms(eta: np.ndarray, sign: np.ndarray) -> Terms:
    """Terms of the logistic link at η (N,) for answers `sign` (N,), +1 or -1. Observed and expected agree."""
    mean = expit(eta)
    weight = mean * (1 - mean)
    return Terms(log_expit(sign * eta), (sign + 1) / 2 - mean, weight, weight, weight * (1 - 2 * mean))


def probit_terms(eta: np.ndarray, sign: np.ndarray) -> Terms:
    """Terms of the probit link at η (N,) for answers `sign` (N,), +1 or -1."""
    log_density = -(eta**2) / 2 - np.log(2 * np.pi) / 2
    log_likelihood = log_ndtr(sign * eta)
    score = sign * np.exp(log_density - log_likelihood)
    above, below = np.exp(log_density - log_ndtr(eta)), np.exp(log_density - log_ndtr(-eta))
    weight = above * below
    return Terms(log_likelihood, score, score * (score + eta), weight, weight * (below - above - 2 * eta))


LINKS = {"logit": logit_terms, "probit": probit_terms}


@dataclass(frozen=True)
class Crossed:
    """Answers with two crossed grouping factors, ready to be fitted."""

    sign: np.ndarray
    """(N,) +1 for yes, -1 for no."""
    X: np.ndarray
    """(N, K) fixed effects."""
    small: np.ndarray
    """(N,) number of the level of the factor with fewer levels."""
    large: np.ndarray
    """(N,) the same of the other factor, ascending."""
    n_small: int
    n_large: int
    link: str

    @staticmethod
    def of(y: np.ndarray, X: np.ndarray, first: np.ndarray, second: np.ndarray, *, link: str) -> "tuple[Crossed, bool]":
        """The data sorted by the larger factor, and whether the smaller factor is `second`."""
        n_first, n_second = int(first.max()) + 1, int(second.max()) + 1
        swapped = n_second < n_first
        small, large = (second, first) if swapped else (first, second)
        order = np.argsort(large, kind="stable")
        sign = np.where(y, 1.0, -1.0)[order]
        sizes = (n_second, n_first) if swapped else (n_first, n_second)
        return Crossed(sign, X[order], small[order], large[order], *sizes, link), swapped

    def eta(self, beta: np.ndarray, sd: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(N,) linear predictor at the spherical effects u (n_small + n_large,)."""
        return self.X @ beta + sd[0] * u[self.small] + sd[1] * u[self.n_small + self.large]

    def terms(self, eta: np.ndarray) -> Terms:
        """The link's terms at η."""
        return LINKS[self.link](eta, self.sign)

    def spread(self, sd: np.ndarray, values: np.ndarray) -> np.ndarray:
        """M'v: the trials' values (N,) summed over each level and scaled."""
        return np.concatenate(
            [
                sd[0] * np.bincount(self.small, values, self.n_small),
                sd[1] * np.bincount(self.large, values, self.n_large),
            ]
        )

    def gather(self, sd: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Mu: (N,) the effects' share of η."""
        return sd[0] * u[self.small] + sd[1] * u[self.n_small + self.large]

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """Runs of levels of the larger factor that fit into memory, each with its trials."""
        step = max(1, _BLOCK // self.n_small)
        for start in range(0, self.n_large, step):
            stop = min(start + step, self.n_large)
            first, last = np.searchsorted(self.large, [start, stop])
            yield slice(start, stop), slice(int(first), int(last))


class Factor:
    """H = I + M'WM, factored by eliminating the larger factor's diagonal block."""

    def __init__(self, data: Crossed, sd: np.ndarray, weight: np.ndarray) -> None:
        self.data, self.sd, self.weight = data, sd, weight
        self.diagonal = 1 + sd[1] ** 2 * np.bincount(data.large, weight, data.n_large)
        rest = np.diag(1 + sd[0] ** 2 * np.bincount(data.small, weight, data.n_small))
        self.only_block: np.ndarray | None = None
        for levels, trials in data.blocks():
            cross = self._cross(levels, trials)
            rest -= (cross / self.diagonal[levels]) @ cross.T
            if levels == slice(0, data.n_large):
                self.only_block = cross
        self.rest = cho_factor(rest, lower=True, check_finite=False)

    def _cross(self, levels: slice, trials: slice) -> np.ndarray:
        """The columns `levels` of the block between the two factors, (n_small, levels)."""
        if self.only_block is not None:
            return self.only_block
        width = levels.stop - levels.start
        cell = self.data.small[trials] * width + self.data.large[trials] - levels.start
        sums = np.bincount(cell, self.weight[trials], self.data.n_small * width)
        return self.sd[0] * self.sd[1] * sums.reshape(self.data.n_small, width)

    def log_determinant(self) -> float:
        """log|H|."""
        return float(2 * np.log(np.diag(self.rest[0])).sum() + np.log(self.diagonal).sum())

    def solve(self, right: np.ndarray) -> np.ndarray:
        """H⁻¹ r for right-hand sides (n_small + n_large, R)."""
        data = self.data
        small, large = right[: data.n_small].copy(), right[data.n_small :] / self.diagonal[:, None]
        for levels, trials in data.blocks():
            small -= self._cross(levels, trials) @ large[levels]
        small = cho_solve(self.rest, small, check_finite=False)
        for levels, trials in data.blocks():
            large[levels] -= (self._cross(levels, trials).T @ small) / self.diagonal[levels, None]
        return np.concatenate([small, large])

    def inverse_at_trials(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """H⁻¹ at each trial's own levels, each (N,): (small, small), (large, large) and (small, large)."""
        data = self.data
        inverse = cho_solve(self.rest, np.eye(data.n_small), check_finite=False)
        corner, crossed = np.empty(data.n_large), np.empty(len(data.sign))
        for levels, trials in data.blocks():
            scaled = self._cross(levels, trials) / self.diagonal[levels]
            solved = inverse @ scaled
            corner[levels] = 1 / self.diagonal[levels] + np.einsum("ij,ij->j", scaled, solved)
            crossed[trials] = -solved[data.small[trials], data.large[trials] - levels.start]
        return np.diag(inverse)[data.small], corner[data.large], crossed


class Laplace:
    """The approximate log-likelihood of `Crossed` data and its gradient over (σ_small, σ_large, β)."""

    def __init__(self, data: Crossed) -> None:
        self.data = data
        self.mode = np.zeros(data.n_small + data.n_large)
        """The last mode found: where the next search starts."""

    def value_and_gradient(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-likelihood and its gradient (2 + K,) at (σ_small, σ_large, β).

        Raises:
            FloatingPointError: the mode was not found.
        """
        data, sd, beta = self.data, parameters[:2], parameters[2:]
        u, terms, curvature = self._find_mode(sd, beta)
        information = curvature if data.link == "logit" else Factor(data, sd, terms.weight)
        value = terms.log_likelihood.sum() - u @ u / 2 - information.log_determinant() / 2
        return float(value), self._gradient(sd, u, terms, curvature, information)

    def _find_mode(self, sd: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, Terms, Factor]:
        """Newton's method with step halving on log P(y | u) - |u|²/2, which is concave."""
        data, u = self.data, self.mode
        terms = data.terms(data.eta(beta, sd, u))
        value = terms.log_likelihood.sum() - u @ u / 2
        for _ in range(100):
            curvature = Factor(data, sd, terms.observed)
            uphill = data.spread(sd, terms.score) - u
            step = curvature.solve(uphill[:, None])[:, 0]
            gain = uphill @ step
            if gain < 1e-16 * max(1.0, len(data.sign)):
                self.mode = u
                return u, terms, curvature
            u, terms, value = self._climb(sd, beta, u, step, value, gain)
        raise FloatingPointError("the mode of the random effects was not found")

    def _climb(
        self, sd: np.ndarray, beta: np.ndarray, u: np.ndarray, step: np.ndarray, value: float, gain: float
    ) -> tuple[np.ndarray, Terms, float]:
        """The largest halving of the step that does not lose."""
        for halving in range(40):
            trial = u + step * 0.5**halving
            terms = self.data.terms(self.data.eta(beta, sd, trial))
            reached = terms.log_likelihood.sum() - trial @ trial / 2
            if reached >= value - 1e-10 * max(1.0, abs(value)) or gain * 0.5**halving < 1e-12:
                return trial, terms, reached
        raise FloatingPointError("the mode of the random effects was not found")

    def _gradient(
        self, sd: np.ndarray, u: np.ndarray, terms: Terms, curvature: Factor, information: Factor
    ) -> np.ndarray:
        """The total derivative; the mode moves with the parameters: dû = C⁻¹ (direct change of its equation)."""
        data = self.data
        own_small, own_large, crossed = information.inverse_at_trials()
        leverage = sd[0] ** 2 * own_small + sd[1] ** 2 * own_large + 2 * sd[0] * sd[1] * crossed
        effects = np.stack([u[data.small], u[data.n_small + data.large]], axis=1)  # dη/dσ at a fixed mode
        direct = np.hstack([effects, data.X])
        sums = np.zeros((len(u), direct.shape[1]))
        for column in range(direct.shape[1]):
            sums[:, column] = -data.spread(sd, terms.observed * direct[:, column])
        sums[: data.n_small, 0] += np.bincount(data.small, terms.score, data.n_small)
        sums[data.n_small :, 1] += np.bincount(data.large, terms.score, data.n_large)
        moved = curvature.solve(sums)
        total = direct + np.stack([data.gather(sd, column) for column in moved.T], axis=1)
        determinant = total.T @ (terms.weight_slope * leverage)
        determinant[0] += 2 * terms.weight @ (sd[0] * own_small + sd[1] * crossed)
        determinant[1] += 2 * terms.weight @ (sd[1] * own_large + sd[0] * crossed)
        return direct.T @ terms.score - determinant / 2
