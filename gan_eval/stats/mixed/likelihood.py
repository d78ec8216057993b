"""The crossed mixed model of yes/no answers by Laplace's approximation, in numpy and scipy.

For trial i with participant p and stimulus s

    link(P(y_i = 1)) = x_i'β + b_p0 + b_p1 v_i + σ a_s,    b_p = Λ u_p,    u_p, a_s ~ N(0, I) independent,

where Λ is lower triangular and the slope over the covariate v may be absent, the likelihood is an integral over all
u and a. It is approximated at the integrand's mode û (penalised iteratively reweighted least squares) by

    log L(Λ, σ, β) = Σ log P(y_i | û) - |û|²/2 - log|H|/2,    H = I + M'WM,

M's rows being (v_i'Λ e_p, σ e_s) and W the expected information of the trials. This is the criterion of lme4's
`glmer` with nAGQ = 1 (Bates, Mächler, Bolker & Walker 2015, Journal of Statistical Software 67(1)), given here with
its exact gradient over (Λ11[, Λ21, Λ22], σ, β).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import dgemv
from scipy.special import log_ndtr

from gan_eval.stats.mixed.information import Factor, Layout, Scales
from gan_eval.stats.mixed.limits import FACTORS


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


def logit_terms(eta: np.ndarray, yes: np.ndarray) -> Terms:
    """Terms of the logistic link at η (N,) for answers `yes` (N,), 1.0 or 0.0. Observed and expected agree."""
    small = np.exp(-np.abs(eta))
    total = 1 + small
    mean = np.where(eta > 0, 1.0, small) / total
    weight = small / (total * total)
    log_likelihood = yes * eta - np.maximum(eta, 0) - np.log1p(small)
    return Terms(log_likelihood, yes - mean, weight, weight, weight * (1 - 2 * mean))


def probit_terms(eta: np.ndarray, yes: np.ndarray) -> Terms:
    """Terms of the probit link at η (N,) for answers `yes` (N,), 1.0 or 0.0. Nothing under- or overflows."""
    log_density = -(eta**2) / 2 - np.log(2 * np.pi) / 2
    log_yes, log_no = log_ndtr(eta), log_ndtr(-eta)
    above, below = np.exp(log_density - log_yes), np.exp(log_density - log_no)  # φ / Φ(η) and φ / Φ(-η)
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


_NEGLIGIBLE = 1e-13
"""Expected gain of a Newton step on the random effects after which no other is needed."""


@dataclass(frozen=True)
class Crossed:
    """Answers with two crossed grouping factors, ready to be fitted."""

    yes: np.ndarray
    """(N,) 1.0 or 0.0."""
    X: np.ndarray
    """(N, K) fixed effects, Fortran order."""
    layout: Layout
    link: str
    factors: tuple[str, str] = FACTORS
    """What the levels of the first and of the second factor are, for messages."""

    @staticmethod
    def of(
        y: np.ndarray,
        X: np.ndarray,
        first: np.ndarray,
        second: np.ndarray,
        *,
        link: str = "logit",
        slope: np.ndarray | None = None,
        factors: tuple[str, str] = FACTORS,
    ) -> "Crossed":
        """The data, with trials of one cell next to each other."""
        order = np.argsort(second.astype(np.int64) * (int(first.max()) + 1) + first, kind="stable")
        first, second = first[order].astype(np.int64), second[order].astype(np.int64)
        ordered = None if slope is None else np.asarray(slope, float)[order]
        layout = Layout.of(first, second, ordered)
        return Crossed(np.asarray(y, float)[order], np.asfortranarray(X[order], float), layout, link, factors)

    @property
    def n_scales(self) -> int:
        """Parameters of the random effects: 2, or 4 with a slope."""
        return 2 if self.layout.slope is None else 4

    def scales(self, parameters: np.ndarray) -> Scales:
        """The first parameters as Λ and σ."""
        if self.layout.slope is None:
            return Scales(float(parameters[0]), 0.0, 0.0, float(parameters[1]))
        return Scales(*map(float, parameters[:4]))

    def fixed(self, beta: np.ndarray) -> np.ndarray:
        """(N,) Xβ."""
        if self.X.shape[1] == 0:
            return np.zeros(len(self.yes))
        return np.asarray(dgemv(1.0, self.X, beta))

    def random(self, scales: Scales, u: np.ndarray) -> np.ndarray:
        """(N,) Mu, the random part of the linear predictor."""
        layout = self.layout
        first, second = layout.split(u)
        eta: np.ndarray = (scales.sd * second)[layout.second] + (scales.t1 * first[0])[layout.first]
        if layout.slope is not None:
            eta += (scales.t2 * first[0] + scales.t3 * first[1])[layout.first] * layout.slope
        return eta

    def level_sums(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (N,) summed over levels: (width, n_first), the second row times the slope, and (n_second,)."""
        layout = self.layout
        rows = [np.bincount(layout.first, values, layout.n_first)]
        if layout.slope is not None:
            rows.append(np.bincount(layout.first, values * layout.slope, layout.n_first))
        return np.array(rows), np.bincount(layout.second, values, layout.n_second)

    def onto_effects(self, scales: Scales, values: np.ndarray) -> np.ndarray:
        """M'v."""
        first, second = self.level_sums(values)
        if len(first) == 1:
            return np.concatenate([scales.t1 * first[0], scales.sd * second])
        return np.concatenate([scales.t1 * first[0] + scales.t2 * first[1], scales.t3 * first[1], scales.sd * second])

    def terms(self, eta: np.ndarray) -> Terms:
        """The link's terms at η."""
        return LINKS[self.link](eta, self.yes)


class Laplace:
    """The approximate log-likelihood of `Crossed` data and its gradient; remembers the last mode to start from."""

    def __init__(self, data: Crossed) -> None:
        self.data = data
        self.mode = np.zeros(data.layout.size)
        self.factor: Factor | None = None
        self.terms: Terms | None = None

    def value_and_gradient(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Log-likelihood and its gradient at (Λ11[, Λ21, Λ22], σ, β).

        The gradient is the total derivative: the mode moves with the parameters, and one adjoint solve accounts for it.

        Raises:
            FloatingPointError: the mode was not found.
            np.linalg.LinAlgError: the effects' information is not positive definite.
        """
        data, layout, scales = self.data, self.data.layout, self.data.scales(parameters)
        u, terms = self._find_mode(scales, parameters[data.n_scales :])
        curvature = self.factor = Factor(data.layout, scales, terms.observed)
        information = curvature if data.link == "logit" else Factor(data.layout, scales, terms.weight)
        self.mode, self.terms = u, terms
        value = terms.log_likelihood.sum() - (u * u).sum() / 2 - information.log_determinant() / 2
        leverage, determinant = _leverage(layout, scales, information)
        pull = terms.weight_slope * leverage / 2
        adjoint = curvature.solve(data.onto_effects(scales, pull))
        residual = terms.score - pull + terms.observed * data.random(scales, adjoint)
        first, second = layout.split(u)
        back_first, back_second = layout.split(adjoint)
        sums_first, sums_second = data.level_sums(residual)
        score_first, score_second = data.level_sums(terms.score)
        pairs = [(0, 0)] if layout.slope is None else [(0, 0), (0, 1), (1, 1)]
        random = [(first[a] * sums_first[b] - back_first[a] * score_first[b]).sum() for a, b in pairs]
        random.append((second * sums_second - back_second * score_second).sum())
        return float(value), np.concatenate([np.array(random) - determinant, self._from_right(residual)])

    def fixed_information(self) -> np.ndarray:
        """(K, K) information of β at the last parameters, Λ, σ and the weights being held."""
        if self.factor is None or self.terms is None:
            raise RuntimeError("value_and_gradient comes first")
        data, scales, weight = self.data, self.factor.scales, self.terms.observed
        columns = []
        for column in data.X.T:
            moved = self.factor.solve(data.onto_effects(scales, weight * column))
            columns.append(self._from_right(weight * (column - data.random(scales, moved))))
        return np.array(columns).reshape(len(columns), len(columns))

    def _find_mode(self, scales: Scales, beta: np.ndarray) -> tuple[np.ndarray, Terms]:
        """Maximise log P(y | u) - |u|²/2, which is concave: Newton steps that keep a factor while it serves."""
        data, u, factor = self.data, self.mode, self.factor
        fixed = data.fixed(beta)
        terms = data.terms(fixed + data.random(scales, u))
        value = terms.log_likelihood.sum() - (u * u).sum() / 2
        gain = np.inf
        for _ in range(200):
            uphill = data.onto_effects(scales, terms.score) - u
            step = None if factor is None else factor.solve(uphill)
            if step is None or (uphill * step).sum() > 0.03 * gain:
                factor = Factor(data.layout, scales, terms.observed)
                step = factor.solve(uphill)
            last, gain = gain, float((uphill * step).sum())
            for halving in range(40):  # the first halving of the step that does not lose
                trial = u + step * 0.5**halving
                terms = data.terms(fixed + data.random(scales, trial))
                reached = terms.log_likelihood.sum() - (trial * trial).sum() / 2
                if reached >= value - 1e-10 * max(1.0, abs(value)) or gain * 0.5**halving < _NEGLIGIBLE:
                    break
            else:
                raise FloatingPointError("the mode of the random effects was not found")
            u, value = trial, reached
            shrinks = min(1.0, gain / last) if np.isfinite(last) else 1.0
            if gain * shrinks < _NEGLIGIBLE:  # what the next step would gain
                return u, terms
        raise FloatingPointError("the mode of the random effects was not found")

    def _from_right(self, values: np.ndarray) -> np.ndarray:
        """(K,) X'v."""
        if self.data.X.shape[1] == 0:
            return np.zeros(0)
        return np.asarray(dgemv(1.0, self.data.X, values, trans=1))


def _leverage(layout: Layout, scales: Scales, factor: Factor) -> tuple[np.ndarray, np.ndarray]:
    """m_i'H⁻¹m_i of each trial (N,), and Σ w_i m_i'H⁻¹ dm_i over (Λ11[, Λ21, Λ22], σ)."""
    t1, t2, t3, sd = scales
    inverse, sums, cells = factor.inverse_blocks(), factor.sums, layout.cells
    tail = sd * inverse.second
    if layout.slope is None:
        lead = t1 * inverse.first[0, 0]
        crossed = inverse.between[0]
        leverage = (t1 * lead)[layout.first] + (sd * tail)[layout.second]
        leverage += cells.at_trials((2 * t1 * sd) * crossed)
        between = (crossed * sums[0]).sum()
        determinant = [(lead * factor.first_sums[0]).sum() + sd * between]
        return leverage, np.array([*determinant, (tail * factor.second_sums).sum() + t1 * between])
    (h11, h12), (_, h22) = inverse.first
    s0, s1, s2 = factor.first_sums
    c1, c2 = inverse.between
    d1 = (h11 * (t1 * s0 + t2 * s1) + h12 * t3 * s1).sum() + sd * (c1 * sums[0]).sum()
    d2 = (h11 * (t1 * s1 + t2 * s2) + h12 * t3 * s2).sum() + sd * (c1 * sums[1]).sum()
    d3 = (h12 * (t1 * s1 + t2 * s2) + h22 * t3 * s2).sum() + sd * (c2 * sums[1]).sum()
    own_slope = t2 * c1 + t3 * c2
    last = (tail * factor.second_sums).sum() + (t1 * c1 * sums[0]).sum() + (own_slope * sums[1]).sum()
    level, constant = layout.first, t1 * t1 * h11
    leverage = constant[level] + (sd * tail)[layout.second] + cells.at_trials((2 * sd * t1) * c1)
    inner = (2 * t1 * (t2 * h11 + t3 * h12))[level] + cells.at_trials((2 * sd) * own_slope)
    outer = (t2 * t2 * h11 + 2 * t2 * t3 * h12 + t3 * t3 * h22)[level]
    leverage += layout.slope * (inner + layout.slope * outer)
    return leverage, np.array([d1, d2, d3, last])
