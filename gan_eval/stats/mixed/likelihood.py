"""The crossed mixed model of yes/no and of ordered answers by Laplace's approximation, in numpy and scipy.

For trial i with participant p and stimulus s, and Λ lower triangular, one for each of the two factors,

    η_i = x_i'β + b_p0 + b_p1 v_i + a_s0 + a_s1 w_i,    b_p = Λ₁u_p,    a_s = Λ₂u_s,    u ~ N(0, I),

where either slope (over the covariates v, w) may be absent: then Λ is one standard deviation. Yes/no answers have
link(P(y_i = 1)) = η_i; grades 0..J-1 have link(P(y_i <= j)) = θ_j - η_i with J-1 ascending thresholds (McCullagh 1980,
JRSS B 42, 109-142). The likelihood is an integral over all u. It is approximated at the integrand's mode û (penalised
iteratively reweighted least squares) by

    log L(Λ₁, Λ₂, θ, β) = Σ log P(y_i | û) - |û|²/2 - log|H|/2,    H = I + M'WM,

where M has the rows (z_i'Λ₁ e_p, z_i'Λ₂ e_s) and W is the information of the trials. For yes/no answers it is the
expected one, as in lme4's `glmer` with nAGQ = 1 (Bates, Mächler, Bolker & Walker 2015, Journal of Statistical Software
67(1)). For psychometric functions and grades it is the observed one, as in `clmm` of R's ordinal (Christensen 2019).
The gradient over (Λ₁, Λ₂, θ, β) is exact; the parameters of a Λ are its one number, or Λ11, Λ21, Λ22.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import dgemv
from scipy.special import expit, log_ndtr, ndtr

from gan_eval.stats.mixed.information import Factor, Layout, Side, effects, scaled

FACTORS = ("participant", "stimulus")
"""Default names of the first and of the second factor."""


class NoFitError(Exception):
    """The data allow no estimate; the message becomes the note in the table."""


def plural(factor: str) -> str:
    """Return the plural of a factor's name.

    >>> plural("stimulus"), plural("item")
    ('stimuli', 'items')
    """
    return "stimuli" if factor == "stimulus" else f"{factor}s"


class Terms(NamedTuple):
    """Terms of a link for each trial, each (N,)."""

    log_likelihood: np.ndarray
    score: np.ndarray
    """d log-likelihood / dη"""
    observed: np.ndarray
    """-d² log-likelihood / dη²"""
    weight: np.ndarray
    """W: the expected information of yes/no answers, or the observed one of grades and of psychometric functions."""
    weight_slope: np.ndarray
    """dW / dη"""
    by_threshold: "tuple[ByThreshold, ByThreshold] | None" = None
    """For grades: derivatives by the threshold above the grade and by the one below it."""
    expected: np.ndarray | None = None
    """The expected information, for steps to the mode if the observed one may be negative."""


class ByThreshold(NamedTuple):
    """Derivatives by one threshold of each trial, each (N,); 0 if a trial has no such threshold."""

    log_likelihood: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    information: np.ndarray
    """-d² log-likelihood / dθ²"""
    shared: np.ndarray
    """-d² log-likelihood / dθ dθ' for the two thresholds of a trial."""


def logit_terms(eta: np.ndarray, yes: np.ndarray) -> Terms:
    """Return the terms of the logistic link at η (N,) for answers `yes` (N,), 1.0 or 0.0."""
    small = np.exp(-np.abs(eta))
    total = 1 + small
    mean = np.where(eta > 0, 1.0, small) / total
    weight = small / (total * total)
    log_likelihood = yes * eta - np.maximum(eta, 0) - np.log1p(small)
    return Terms(log_likelihood, yes - mean, weight, weight, weight * (1 - 2 * mean))


def probit_terms(eta: np.ndarray, yes: np.ndarray) -> Terms:
    """Return the terms of the probit link at η (N,) for answers `yes` (N,), 1.0 or 0.0, without under- or overflow."""
    log_density = -(eta**2) / 2 - np.log(2 * np.pi) / 2
    log_yes, log_no = log_ndtr(eta), log_ndtr(-eta)
    above, below = np.exp(log_density - log_yes), np.exp(log_density - log_no)  # φ / Φ(η) and φ / Φ(-η)
    score = np.where(yes > 0, above, -below)
    weight = above * below
    return Terms(
        np.where(yes > 0, log_yes, log_no), score, score * (score + eta), weight, weight * (below - above - 2 * eta)
    )


LINKS = {"logit": logit_terms, "probit": probit_terms}


def guessing_terms(eta: np.ndarray, yes: np.ndarray, guess: np.ndarray, lapse: np.ndarray, *, link: str) -> Terms:
    """Return the terms of a psychometric function, whose observed information may be negative.

    It is P(correct) = γ + (1 - γ - λ) F(η) (Wichmann & Hill 2001, Perception & Psychophysics 63, 1293-1313).

    Args:
        eta: (N,).
        yes: (N,) correct answers: 1.0 or 0.0.
        guess: (N,) γ, the share of correct answers if nothing is seen, 0 or more and below 1 - λ.
        lapse: (N,) λ, the share of wrong answers if everything is seen.
    """
    distribution, densities = CUMULATIVE[f"cumulative_{link}"]
    room = 1 - guess - lapse
    share = np.clip(guess + room * distribution(eta), 1e-12, 1 - 1e-12)
    by_answer = np.where(yes > 0, 1 / share, -1 / (1 - share)) * room
    d1, d2, d3 = (by_answer * density for density in densities(eta))
    information = d1**2 - d2
    return Terms(
        np.log(np.where(yes > 0, share, 1 - share)),
        d1,
        information,
        information,
        3 * d1 * d2 - 2 * d1**3 - d3,
        expected=-d1 * np.where(yes > 0, -1 / (1 - share), 1 / share) * room * densities(eta)[0],
    )


def _logistic_densities(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the density of the logistic distribution at x, and its first two derivatives; all are 0 at ±∞."""
    mean = expit(x)
    density = mean * expit(-x)
    skew = 1 - 2 * mean
    return density, density * skew, density * (skew**2 - 2 * density)


def _normal_densities(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the density of the normal distribution at x, and its first two derivatives; all are 0 at ±∞."""
    finite = np.where(np.isfinite(x), x, 0.0)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return density, -finite * density, (finite**2 - 1) * density


CUMULATIVE = {"cumulative_logit": (expit, _logistic_densities), "cumulative_probit": (ndtr, _normal_densities)}
"""Distribution functions with their densities."""


def cumulative_terms(eta: np.ndarray, grade: np.ndarray, thresholds: np.ndarray, *, link: str) -> Terms:
    """Return the terms of grades 0..J-1 (N,) at η (N,) with J-1 thresholds: P(grade <= j) = F(θ_j - η).

    Raises:
        FloatingPointError: the thresholds do not ascend, so a grade has no probability.
    """
    if (np.diff(thresholds) <= 0).any():
        raise FloatingPointError("the thresholds do not ascend")
    distribution, densities = CUMULATIVE[link]
    bounds = np.concatenate([[-np.inf], thresholds, [np.inf]])
    above, below = bounds[grade + 1] - eta, bounds[grade] - eta  # a grade is between two thresholds
    flip = np.where(above + below > 0, -1.0, 1.0)  # subtract small numbers, not numbers near 1
    probability = np.abs(distribution(flip * above) - distribution(flip * below))
    probability = np.maximum(probability, 1e-300)
    (a0, a1, a2), (b0, b1, b2) = (
        tuple(density / probability for density in densities(bound)) for bound in (above, below)
    )
    d1, d2, d3 = a0 - b0, a1 - b1, a2 - b2
    information = d1**2 - d2
    shared = -a0 * b0
    return Terms(
        np.log(probability),
        -d1,
        information,
        information,
        2 * d1**3 - 3 * d1 * d2 + d3,
        (
            ByThreshold(a0, d1 * a0 - a1, 2 * d1 * (a1 - d1 * a0) - a2 + d2 * a0, a0**2 - a1, shared),
            ByThreshold(-b0, b1 - d1 * b0, 2 * d1 * (d1 * b0 - b1) + b2 - d2 * b0, b0**2 + b1, shared),
        ),
    )


_MIN_GAIN = 1e-13
"""The search for the mode ends when a Newton step is expected to raise the log-likelihood by less than this."""
Slopes = tuple[np.ndarray | None, np.ndarray | None]
"""(N,) covariate whose effect varies over the levels of the first factor, and of the second; None: no slopes."""


class Unit(NamedTuple):
    """Centre and size of a slope's covariate, for standardising it."""

    centre: float
    size: float
    is_slope: bool

    @staticmethod
    def of(covariate: np.ndarray | None) -> "Unit":
        return Unit(0.0, 1.0, False) if covariate is None else Unit(np.mean(covariate), np.std(covariate), True)

    def standardised(self, covariate: np.ndarray) -> np.ndarray:
        return (np.asarray(covariate, float) - self.centre) / self.size


@dataclass(frozen=True)
class Crossed:
    """Answers with two crossed grouping factors, prepared for a fit."""

    answer: np.ndarray
    """(N,) 1.0 or 0.0; grades: int, 0..J-1."""
    X: np.ndarray
    """(N, K) fixed effects, Fortran order; without a constant for grades."""
    layout: Layout
    link: str
    n_thresholds: int
    """J-1 for J grades, each of which occurs; else 0."""
    factors: tuple[str, str] = FACTORS
    """Names of the first and of the second factor, for messages."""
    units: tuple[Unit, Unit] = (Unit.of(None), Unit.of(None))
    """Standardisation of each factor's slope covariate."""
    guessing: tuple[np.ndarray, np.ndarray] | None = None
    """(N,) γ and (N,) λ of a psychometric function; None: yes/no answers without one."""

    @staticmethod
    def of(
        y: np.ndarray,
        X: np.ndarray,
        first: np.ndarray,
        second: np.ndarray,
        *,
        link: str = "logit",
        slopes: Slopes = (None, None),
        factors: tuple[str, str] = FACTORS,
        guessing: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> "Crossed":
        """Return the data sorted by cell, with standardised covariates of the slopes."""
        order = np.argsort(second.astype(np.int64) * (int(first.max()) + 1) + first, kind="stable")
        counts = int(first.max()) + 1, int(second.max()) + 1
        units = Unit.of(slopes[0]), Unit.of(slopes[1])
        sides = [
            Side(level[order].astype(np.int64), None if slope is None else unit.standardised(slope)[order], n)
            for level, slope, unit, n in zip((first, second), slopes, units, counts, strict=True)
        ]
        is_graded = link in CUMULATIVE
        return Crossed(
            np.asarray(y, np.int64 if is_graded else float)[order],
            np.asfortranarray(X[order], float),
            Layout.of(*sides),
            link,
            int(np.max(y)) if is_graded else 0,
            factors,
            units,
            None if guessing is None else (guessing[0][order], guessing[1][order]),
        )

    @cached_property
    def scale_places(self) -> list[range]:
        """Positions of each factor's Λ among the parameters: one, or three with a slope."""
        first, second = (1 if side.slope is None else 3 for side in self.layout.sides)
        return [range(first), range(first, first + second)]

    @cached_property
    def n_scales(self) -> int:
        """Number of parameters of the random effects: 2, 4 or 6."""
        return self.scale_places[1].stop

    @cached_property
    def n_leading(self) -> int:
        """Number of parameters before β: those of the random effects and the thresholds."""
        return self.n_scales + self.n_thresholds

    def scales(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the factors' Λ from the first parameters."""
        first, second = (lower_triangle(parameters[place.start : place.stop]) for place in self.scale_places)
        return first, second

    def fixed(self, beta: np.ndarray) -> np.ndarray:
        """Return Xβ (N,)."""
        if self.X.shape[1] == 0:
            return np.zeros(len(self.answer))
        return np.asarray(dgemv(1.0, self.X, beta))

    def random(self, scales: tuple[np.ndarray, np.ndarray], u: np.ndarray) -> np.ndarray:
        """Return Mu (N,), the random part of the linear predictor."""
        eta = np.zeros(len(self.answer))
        for side, root, spherical in zip(self.layout.sides, scales, self.layout.split(u), strict=True):
            of_levels = effects(root, spherical)
            eta += of_levels[0][side.level]
            if side.slope is not None:
                eta += of_levels[1][side.level] * side.slope
        return eta

    def level_sums(self, values: np.ndarray) -> list[np.ndarray]:
        """Return Z'v: sums of values (N,) over each factor's levels, (width, levels); row 2 is times the slope."""
        return [
            np.array([np.bincount(side.level, part, side.n) for part in side.weighted(values)])
            for side in self.layout.sides
        ]

    def onto_effects(self, scales: tuple[np.ndarray, np.ndarray], values: np.ndarray) -> np.ndarray:
        """Return M'v."""
        sums = zip(scales, self.level_sums(values), strict=True)
        return np.concatenate([scaled(root, values).ravel() for root, values in sums])

    def terms(self, eta: np.ndarray, thresholds: np.ndarray) -> Terms:
        """Return the link's terms at η."""
        if self.n_thresholds:
            return cumulative_terms(eta, self.answer, thresholds, link=self.link)
        if self.guessing is not None:
            return guessing_terms(eta, self.answer, *self.guessing, link=self.link)
        return LINKS[self.link](eta, self.answer)

    def by_thresholds(self, above: np.ndarray, below: np.ndarray) -> np.ndarray:
        """Return sums (J-1,) over the trials of values for the threshold above and for the one below their grades."""
        count = self.n_thresholds + 2
        sums = np.bincount(self.answer + 1, above, count) + np.bincount(self.answer, below, count)
        return np.asarray(sums[1:-1])


def lower_triangle(numbers: np.ndarray) -> np.ndarray:
    """Return Λ from its one number, or from Λ11, Λ21, Λ22.

    >>> lower_triangle(np.array([1.0, 2.0, 3.0])).tolist()
    [[1.0, 0.0], [2.0, 3.0]]
    """
    if len(numbers) == 1:
        return np.asarray(numbers, float).reshape(1, 1)
    return np.array([[numbers[0], 0.0], [numbers[1], numbers[2]]])


class Laplace:
    """The approximate log-likelihood of `Crossed` data and its gradient; each search starts from the last mode."""

    def __init__(self, data: Crossed) -> None:
        self.data = data
        self.mode = np.zeros(data.layout.size)
        self.factor: Factor | None = None
        self.terms: Terms

    def value_and_gradient(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the log-likelihood and its gradient at (Λ₁, Λ₂, θ, β).

        The gradient is the total derivative: one adjoint solve accounts for the mode, which moves with the parameters.

        Raises:
            FloatingPointError: the mode was not found, or the thresholds do not ascend.
            np.linalg.LinAlgError: the effects' information is not positive definite.
        """
        data, layout, scales = self.data, self.data.layout, self.data.scales(parameters)
        thresholds = parameters[data.n_scales : data.n_leading]
        u, terms = self._find_mode(scales, thresholds, parameters[data.n_leading :])
        curvature = self.factor = Factor(layout, scales, terms.observed)
        information = curvature if terms.weight is terms.observed else Factor(layout, scales, terms.weight)
        self.mode, self.terms = u, terms
        value = terms.log_likelihood.sum() - (u * u).sum() / 2 - information.log_determinant() / 2
        leverage, determinant = _leverage(layout, information)
        pull = terms.weight_slope * leverage / 2
        adjoint = curvature.solve(data.onto_effects(scales, pull))
        moved = data.random(scales, adjoint)
        residual = terms.score - pull + terms.observed * moved
        sides = zip(
            layout.split(u), layout.split(adjoint), data.level_sums(residual), data.level_sums(terms.score), strict=True
        )
        random = [
            (own[b] * sums[a] - back[b] * score[a]).sum()
            for own, back, sums, score in sides
            for a in range(len(own))
            for b in range(a + 1)
        ]
        by_threshold = np.zeros(0)
        if terms.by_threshold is not None:
            by_threshold = data.by_thresholds(
                *(by.log_likelihood - by.weight * leverage / 2 - by.score * moved for by in terms.by_threshold)
            )
        return float(value), np.concatenate([np.array(random) - determinant, by_threshold, self._onto_fixed(residual)])

    def fixed_information(self) -> np.ndarray:
        """Return the information (J-1+K, J-1+K) of θ and β at the last parameters, for fixed Λ and W."""
        assert self.factor is not None, "value_and_gradient comes first"
        data, factor, terms = self.data, self.factor, self.terms
        count = data.n_thresholds
        # minus the derivative of the scores by each parameter
        moves = [terms.observed * column for column in data.X.T]
        own = np.zeros((count, count))
        if terms.by_threshold is not None:
            above, below = terms.by_threshold
            masks = [(data.answer == place, data.answer == place + 1) for place in range(count)]
            moves = [-(above.score * upper + below.score * lower) for upper, lower in masks] + moves
            own += np.diag(data.by_thresholds(above.information, below.information))
            between = np.bincount(data.answer, above.shared, count + 1)[1:-1]
            own[np.arange(count - 1), np.arange(1, count)] = own[np.arange(1, count), np.arange(count - 1)] = between
        rows = []
        for move in moves:
            solved = data.random(factor.scales, factor.solve(data.onto_effects(factor.scales, move)))
            rows.append([-(other * solved).sum() for other in moves])
        result = np.array(rows).reshape(len(moves), len(moves))
        result[:count, :count] += own
        for place, move in enumerate(moves):
            direct = self._onto_fixed(move)
            result[place, count:] += direct
            if place < count:
                result[count:, place] += direct
        return result

    def _find_mode(
        self, scales: tuple[np.ndarray, np.ndarray], thresholds: np.ndarray, beta: np.ndarray
    ) -> tuple[np.ndarray, Terms]:
        """Maximise log P(y | u) - |u|²/2 by Newton steps, which keep a factor of H while it gains enough."""
        data, u, factor = self.data, self.mode, self.factor
        fixed = data.fixed(beta)
        terms = data.terms(fixed + data.random(scales, u), thresholds)
        value = terms.log_likelihood.sum() - (u * u).sum() / 2
        gain = np.inf
        for _ in range(200):
            uphill = data.onto_effects(scales, terms.score) - u
            step = None if factor is None else factor.solve(uphill)
            if step is None or (uphill * step).sum() > 0.03 * gain:
                try:
                    factor = Factor(data.layout, scales, terms.observed)
                except np.linalg.LinAlgError:
                    if terms.expected is None:
                        raise
                    factor = Factor(data.layout, scales, terms.expected)
                step = factor.solve(uphill)
            last, gain = gain, float((uphill * step).sum())
            for halving in range(40):  # halve the step until the value does not fall
                trial = u + step * 0.5**halving
                terms = data.terms(fixed + data.random(scales, trial), thresholds)
                reached = terms.log_likelihood.sum() - (trial * trial).sum() / 2
                if reached >= value - 1e-10 * max(1.0, abs(value)) or gain * 0.5**halving < _MIN_GAIN:
                    break
            else:
                raise FloatingPointError("the mode of the random effects was not found")
            u, value = trial, reached
            shrinks = min(1.0, gain / last) if np.isfinite(last) else 1.0
            if gain * shrinks < _MIN_GAIN:  # expected gain of the next step
                return u, terms
        raise FloatingPointError("the mode of the random effects was not found")

    def _onto_fixed(self, values: np.ndarray) -> np.ndarray:
        """Return X'v (K,)."""
        if self.data.X.shape[1] == 0:
            return np.zeros(0)
        return np.asarray(dgemv(1.0, self.data.X, values, trans=1))


def _leverage(layout: Layout, factor: Factor) -> tuple[np.ndarray, np.ndarray]:
    """Return m_i'H⁻¹m_i of each trial (N,), and Σ w_i m_i'H⁻¹ dm_i for each parameter of (Λ₁, Λ₂)."""
    scales = factor.scales
    inverse, inverse_between = factor.inverse_blocks()
    leverage = np.zeros(len(layout.sides[0].level))
    determinant = []
    between = (factor.between, inverse_between)
    others = (between, [blocks.swapaxes(0, 1) for blocks in between])
    for place, (side, own, root) in enumerate(zip(layout.sides, inverse, scales, strict=True)):
        sums, cross = others[place]
        other = effects(scales[1 - place], np.moveaxis(cross, 1, 0))  # Λ of the other factor times H⁻¹ between: (o, q)
        lead = effects(root, own)  # Λ H⁻¹ of the level: (s, q)
        for p in range(side.width):
            for q in range(p + 1):
                of_level = sum((factor.own[place][p, s] * lead[s, q]).sum() for s in range(side.width))
                of_cell = sum((sums[p, o] * other[o, q]).sum() for o in range(len(other)))
                determinant.append(of_level + of_cell)
        quadratic = effects(root, lead.swapaxes(0, 1))  # Λ H⁻¹ Λ'
        leverage += quadratic[0, 0][side.level]
        if side.slope is not None:
            leverage += side.slope * (2 * quadratic[0, 1][side.level] + side.slope * quadratic[1, 1][side.level])
    first, second = layout.sides
    crossed = effects(scales[0], inverse_between)
    crossed = 2 * effects(scales[1], crossed.swapaxes(0, 1)).swapaxes(0, 1)
    for a, weighted in enumerate(first.weighted(np.ones(1))):
        for b, both in enumerate(second.weighted(weighted)):
            leverage += crossed[a, b].reshape(-1)[layout.cell] * both
    return leverage, np.array(determinant)
