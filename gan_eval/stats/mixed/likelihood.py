"""The crossed mixed model of yes/no and of ordered answers by Laplace's approximation, in numpy and scipy.

For trial i with participant p and stimulus s, and Λ lower triangular, one for each of the two factors,

    η_i = x_i'β + b_p0 + b_p1 v_i + a_s0 + a_s1 w_i,    b_p = Λ₁u_p,    a_s = Λ₂u_s,    u ~ N(0, I),

where either slope (over the covariates v, w) may be absent: then Λ is one standard deviation. A factor may have several
slopes instead, without correlations: then Λ is diagonal, and the columns of one slope share a standard deviation.
Yes/no answers have link(P(y_i = 1)) = η_i; grades 0..J-1 have link(P(y_i <= j)) = θ_j - η_i with J-1 ascending
thresholds (McCullagh 1980, JRSS B 42, 109-142). The likelihood is an integral over all u. It is approximated at the
integrand's mode û (penalised iteratively reweighted least squares) by

    log L(Λ₁, Λ₂, θ, β) = Σ log P(y_i | û) - |û|²/2 - log|H|/2,    H = I + M'WM,

where M has the rows (z_i'Λ₁ e_p, z_i'Λ₂ e_s) and W is the information of the trials. For yes/no answers it is the
expected one, as in lme4's `glmer` with nAGQ = 1 (Bates, Mächler, Bolker & Walker 2015, Journal of Statistical Software
67(1)). For psychometric functions and grades it is the observed one, as in `clmm` of R's ordinal (Christensen 2019).
The gradient over (Λ₁, Λ₂, θ, β) is exact; the parameters of a Λ are its one number, or Λ11, Λ21, Λ22, or
the standard deviations of a diagonal one.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_ndtr, ndtr

from gan_eval.stats.mixed.information import CellLayout, Entries, Factor, Side

FACTORS = ("participant", "stimulus")
"""Default names of the first and of the second factor."""


class NoFitError(Exception):
    """The data allow no estimate; the message becomes the note in the table."""


class NotConvergedError(NoFitError):
    """The search found no maximum; another start, or another lapse rate, may find one."""


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


class Steps(NamedTuple):
    """The terms that steps to the mode need, a part of `Terms`."""

    log_likelihood: np.ndarray
    score: np.ndarray
    observed: np.ndarray
    expected: np.ndarray | None = None


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


def probit_steps(eta: np.ndarray, yes: np.ndarray) -> Steps:
    """Return the terms of the probit link that steps to the mode need; arguments as for `probit_terms`."""
    sign = 2 * yes - 1
    towards = sign * eta
    log_likelihood, ratio = _normal_tail(towards)
    return Steps(log_likelihood, sign * ratio, ratio * (ratio + towards))


def probit_terms(eta: np.ndarray, yes: np.ndarray) -> Terms:
    """Return the terms of the probit link at η (N,) for answers `yes` (N,), 1.0 or 0.0, without under- or overflow."""
    (log_yes, above), (log_no, below) = _normal_tail(eta), _normal_tail(-eta)
    score = np.where(yes > 0, above, -below)
    weight = above * below
    return Terms(
        np.where(yes > 0, log_yes, log_no), score, score * (score + eta), weight, weight * (below - above - 2 * eta)
    )


def _normal_tail(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return log Φ(x) and φ(x) / Φ(x)."""
    if len(x) and x.min() < -30:  # Φ would underflow; it is exact to its last digits above
        log_share = log_ndtr(x)
        return log_share, np.exp(-(x**2) / 2 - np.log(2 * np.pi) / 2 - log_share)
    share = ndtr(x)
    return np.log(share), np.exp(-(x**2) / 2) / (np.sqrt(2 * np.pi) * share)


LINKS = {"logit": logit_terms, "probit": probit_terms}
STEPS: "dict[str, Callable[..., Steps | Terms]]" = {"logit": logit_terms, "probit": probit_steps}
"""Functions for the steps to the mode, cheaper ones where there are."""


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
    above, below, probability = _between_thresholds(eta, grade, thresholds, link)
    (a0, a1, a2), (b0, b1, b2) = (
        tuple(density / probability for density in CUMULATIVE[link][1](bound)) for bound in (above, below)
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


def cumulative_steps(eta: np.ndarray, grade: np.ndarray, thresholds: np.ndarray, *, link: str) -> Steps:
    """Return the terms of grades that steps to the mode need; arguments as for `cumulative_terms`."""
    above, below, probability = _between_thresholds(eta, grade, thresholds, link)
    (a0, a1, _), (b0, b1, _) = (CUMULATIVE[link][1](bound) for bound in (above, below))
    d1 = (a0 - b0) / probability
    return Steps(np.log(probability), -d1, d1**2 - (a1 - b1) / probability)


def _between_thresholds(
    eta: np.ndarray, grade: np.ndarray, thresholds: np.ndarray, link: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the thresholds above and below each grade, minus η, and the probability between them, each (N,)."""
    if (np.diff(thresholds) <= 0).any():
        raise FloatingPointError("the thresholds do not ascend")
    distribution, _ = CUMULATIVE[link]
    bounds = np.concatenate([[-np.inf], thresholds, [np.inf]])
    above, below = bounds[grade + 1] - eta, bounds[grade] - eta  # a grade is between two thresholds
    flip = np.where(above + below > 0, -1.0, 1.0)  # subtract small numbers, not numbers near 1
    probability = np.abs(distribution(flip * above) - distribution(flip * below))
    return above, below, np.maximum(probability, 1e-300)


_MIN_GAIN = 1e-13
"""The search for the mode ends when a Newton step is expected to raise the log-likelihood by less than this."""
Slope = np.ndarray | Sequence[np.ndarray] | None
"""Covariates whose effects vary over the levels of a factor: (N,), a slope with its correlation with the intercept; or
a sequence of (N,) and (N, L), independent slopes, whose L columns share one SD; None: no slopes."""
Slopes = tuple[Slope, Slope]
"""Slopes of the first factor, and of the second."""


class Unit(NamedTuple):
    """Centre and size of a slope's covariate, for standardising it; (0, 1) of a slope of several columns."""

    centre: float
    size: float


class RandomPart(NamedTuple):
    """The random effects of one factor: an intercept and slopes."""

    units: tuple[Unit, ...]
    """One for each slope."""
    entries: Entries
    """Places of the parameters in Λ."""

    @property
    def correlated(self) -> bool:
        """One slope that may be correlated with the intercept."""
        return len(self.entries) == 3 and self.entries[1] == ((1, 0),)

    @staticmethod
    def of(slope: Slope) -> "RandomPart":
        """Return the structure of a factor's effects."""
        if isinstance(slope, np.ndarray):
            return RandomPart((_unit(slope),), (((0, 0),), ((1, 0),), ((1, 1),)))
        units: list[Unit] = []
        entries: list[tuple[tuple[int, int], ...]] = [((0, 0),)]
        width = 1
        for covariate in slope or ():
            units.append(_unit(covariate))
            count = 1 if covariate.ndim == 1 else covariate.shape[1]
            entries.append(tuple((index, index) for index in range(width, width + count)))
            width += count
        return RandomPart(tuple(units), tuple(entries))

    def columns(self, slope: Slope) -> tuple[np.ndarray, ...]:
        """Return the standardised columns (N,) of the slopes."""
        each = [slope] if isinstance(slope, np.ndarray) else (slope or ())
        return tuple(
            (np.asarray(column, float) - unit.centre) / unit.size
            for unit, covariate in zip(self.units, each, strict=True)
            for column in (covariate[:, None] if covariate.ndim == 1 else covariate).T
        )


def _unit(covariate: np.ndarray) -> Unit:
    if covariate.ndim > 1:
        return Unit(0.0, 1.0)
    return Unit(float(np.mean(covariate)), float(np.std(covariate)))


class Crossed(NamedTuple):
    """Answers with two crossed grouping factors, prepared for a fit."""

    answer: np.ndarray
    """(N,) 1.0 or 0.0; grades: int, 0..J-1."""
    X: np.ndarray
    """(N, K) fixed effects, Fortran order; without a constant for grades."""
    layout: CellLayout
    link: str
    n_thresholds: int
    """J-1 for J grades, each of which occurs; else 0."""
    factors: tuple[str, str]
    """Names of the first and of the second factor, for messages."""
    parts: tuple[RandomPart, RandomPart]
    """Structure of each factor's effects."""
    terms: Callable[..., Terms]
    """Function of η, the answers and, for grades, the thresholds that returns the link's terms."""
    steps: Callable[..., Steps | Terms]
    """Function like `terms` for the steps to the mode."""
    scale_ranges: tuple[range, range]
    """Positions of each factor's Λ among the parameters."""
    n_scales: int
    """Number of parameters of the random effects."""
    n_leading: int
    """Number of parameters before β: those of the random effects and the thresholds."""

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
        parts = RandomPart.of(slopes[0]), RandomPart.of(slopes[1])
        sides = [
            Side(level[order].astype(np.int64), tuple(column[order] for column in part.columns(slope)), n, part.entries)
            for level, slope, n, part in zip((first, second), slopes, counts, parts, strict=True)
        ]
        n_thresholds = int(np.max(y)) if link in CUMULATIVE else 0
        terms: Callable[..., Terms]
        steps: Callable[..., Steps | Terms]
        if guessing is None:
            terms = partial(cumulative_terms, link=link) if n_thresholds else LINKS[link]
            steps = partial(cumulative_steps, link=link) if n_thresholds else STEPS[link]
        else:
            terms = partial(guessing_terms, guess=guessing[0][order], lapse=guessing[1][order], link=link)
            steps = terms
        ends = (len(parts[0].entries), len(parts[1].entries))
        return Crossed(
            np.asarray(y, np.int64 if n_thresholds else float)[order],
            np.asfortranarray(X[order], float),
            CellLayout.of(*sides),
            link,
            n_thresholds,
            factors,
            parts,
            terms,
            steps,
            (range(ends[0]), range(ends[0], sum(ends))),
            sum(ends),
            sum(ends) + n_thresholds,
        )

    def scales(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the factors' Λ."""
        first, second = (np.zeros((len(columns), len(columns))) for columns in self.layout.columns)
        for root, span, part in zip((first, second), self.scale_ranges, self.parts, strict=True):
            for index, entries in zip(span, part.entries, strict=True):
                for entry in entries:
                    root[entry] = parameters[index]
        return first, second

    def through(self, factor: Factor, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return H⁻¹M'v, and MH⁻¹M'v (N,)."""
        u = factor.solve(self.layout.onto(factor.scales, self.layout.sums(values)))
        return u, self.layout.at_trials(factor.scales, u)

    def by_thresholds(self, above: np.ndarray, below: np.ndarray) -> np.ndarray:
        """Return sums (J-1,) over the trials of values for the threshold above and for the one below their grades."""
        count = self.n_thresholds + 2
        sums = np.bincount(self.answer + 1, above, count) + np.bincount(self.answer, below, count)
        return np.asarray(sums[1:-1])


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
        value = terms.log_likelihood.sum() - (u * u).sum() / 2 - information.log_determinant / 2
        leverage, determinant = information.leverage()
        pull = terms.weight_slope * leverage / 2
        adjoint, moved = data.through(curvature, pull)
        residual = terms.score - pull + terms.observed * moved
        sums = [layout.sums(values) for values in (residual, terms.score)]
        random = []
        for root, own, side in zip(scales, layout.slices, layout.sides, strict=True):
            effect, back, by_residual, by_score = (part[own].reshape(len(root), -1) for part in (u, adjoint, *sums))
            random += [
                sum((effect[b] * by_residual[a] - back[b] * by_score[a]).sum() for a, b in entries)
                for entries in side.entries
            ]
        by_threshold = np.zeros(0)
        if terms.by_threshold is not None:
            by_threshold = data.by_thresholds(
                *(by.log_likelihood - by.weight * leverage / 2 - by.score * moved for by in terms.by_threshold)
            )
        by_fixed = np.einsum("nk,n->k", data.X, residual)
        return float(value), np.concatenate([np.array(random) - determinant, by_threshold, by_fixed])

    def fixed_information(self) -> np.ndarray:
        """Return the information (J-1+K, J-1+K) of θ and β at the last parameters, for fixed Λ and W."""
        assert self.factor is not None, "value_and_gradient comes first"
        data, factor, terms = self.data, self.factor, self.terms
        count = data.n_thresholds
        # minus the derivative of the scores by each parameter
        moves = [terms.observed * column for column in data.X.T]
        of_thresholds = np.zeros((count, count))
        if terms.by_threshold is not None:
            above, below = terms.by_threshold
            masks = [(data.answer == index, data.answer == index + 1) for index in range(count)]
            moves = [-(above.score * upper + below.score * lower) for upper, lower in masks] + moves
            of_thresholds += np.diag(data.by_thresholds(above.information, below.information))
            between = np.bincount(data.answer, above.shared, count + 1)[1:-1]
            of_thresholds[np.arange(count - 1), np.arange(1, count)] = of_thresholds[
                np.arange(1, count), np.arange(count - 1)
            ] = between
        rows = []
        for move in moves:
            _, solved = data.through(factor, move)
            rows.append([-(other * solved).sum() for other in moves])
        result = np.array(rows).reshape(len(moves), len(moves))
        result[:count, :count] += of_thresholds
        for index, move in enumerate(moves):
            direct = np.einsum("nk,n->k", data.X, move)
            result[index, count:] += direct
            if index < count:
                result[count:, index] += direct
        return result

    def _find_mode(
        self, scales: tuple[np.ndarray, np.ndarray], thresholds: np.ndarray, beta: np.ndarray
    ) -> tuple[np.ndarray, Terms]:
        """Maximise log P(y | u) - |u|²/2 by Newton steps, which keep a factor of H while it gains enough."""
        data, u, factor = self.data, self.mode, self.factor
        cuts = (thresholds,) if data.n_thresholds else ()
        fixed = np.einsum("nk,k->n", data.X, beta)
        value, uphill, terms, eta = self._at(u, scales, fixed, cuts)
        gain = np.inf
        for _ in range(200):
            step = None if factor is None else factor.solve(uphill)
            if step is None or (uphill * step).sum() > 0.01 * gain:
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
                reached, uphill, terms, eta = self._at(trial, scales, fixed, cuts)
                if reached >= value - 1e-10 * max(1.0, abs(value)) or gain * 0.5**halving < _MIN_GAIN:
                    break
            else:
                raise FloatingPointError("the mode of the random effects was not found")
            u, value = trial, reached
            shrinks = min(1.0, gain / last) if np.isfinite(last) else 1.0
            if gain * shrinks < _MIN_GAIN:  # expected gain of the next step
                return u, terms if isinstance(terms, Terms) else data.terms(eta, data.answer, *cuts)
        raise FloatingPointError("the mode of the random effects was not found")

    def _at(
        self,
        u: np.ndarray,
        scales: tuple[np.ndarray, np.ndarray],
        fixed: np.ndarray,
        thresholds: tuple[np.ndarray, ...],
    ) -> tuple[float, np.ndarray, Steps | Terms, np.ndarray]:
        """Return log P(y | u) - |u|²/2, its gradient by u, the terms of steps to the mode, and η."""
        data, layout = self.data, self.data.layout
        eta = fixed + layout.at_trials(scales, u)
        terms = data.steps(eta, data.answer, *thresholds)
        uphill = layout.onto(scales, layout.sums(terms.score)) - u
        return terms.log_likelihood.sum() - (u * u).sum() / 2, uphill, terms, eta
