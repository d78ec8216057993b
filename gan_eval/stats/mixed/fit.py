"""Maximum likelihood for the crossed mixed model: checks of the data, a start, estimates, standard errors and tests."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.linalg import qr
from scipy.optimize import linprog
from scipy.special import chdtrc

from gan_eval.stats.mixed.likelihood import LINKS, Crossed
from gan_eval.stats.mixed.limits import FACTORS, NoFitError, plural
from gan_eval.stats.mixed.search import Maximum, maximise


class Scaled(NamedTuple):
    """Orthogonal fixed effects: X = `X_scaled` times the inverse of `back`, so β = back β_scaled."""

    X: np.ndarray
    back: np.ndarray


def require_estimable(
    y: np.ndarray,
    X: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    slope: np.ndarray | None,
    factors: tuple[str, str],
) -> None:
    """Refuse what no model can estimate.

    Raises:
        NoFitError: no answers, one group, nothing repeated, all answers the same, or covariates without information.
    """
    if len(y) == 0:
        raise NoFitError("no answered trials")
    if not np.isfinite(X).all() or (slope is not None and not np.isfinite(slope).all()):
        raise NoFitError("a covariate is missing or infinite in some trials")
    for level, name in zip((first, second), factors, strict=True):
        counts = np.bincount(level)
        if (counts > 0).sum() < 2:
            raise NoFitError(f"one {name}: the crossed model needs at least two")
        if counts.max() < 2:
            raise NoFitError(f"no {name} has more than one answer: its spread cannot be told from chance")
    if slope is not None:
        levels = plural(factors[0])
        if np.ptp(slope) == 0:
            raise NoFitError("slope: the covariate is the same in all trials")
        counts = np.maximum(np.bincount(first), 1)
        within = np.bincount(first, slope**2) - np.bincount(first, slope) ** 2 / counts
        if (within > 1e-9 * np.var(slope)).sum() < 2:
            raise NoFitError(f"slope: fewer than two {levels} have answers at more than one value of the covariate")
        if len(slope) <= 2 * len(counts):
            raise NoFitError(f"slope: no more answers than intercepts and slopes of {levels}")
    if np.all(y) or not np.any(y):
        raise NoFitError("separated: all answers are the same, so their log-odds are infinite")
    if len(y) <= X.shape[1] + 2:
        raise NoFitError(f"too few answers ({len(y)}) for {X.shape[1]} fixed effects and the spreads")


def scaled(X: np.ndarray, names: Sequence[str] = ()) -> Scaled:
    """Orthogonal columns of mean square 1, so that covariates of any unit and offset are searched alike.

    Args:
        X: (N, K).
        names: of the K columns, for messages; their numbers otherwise.

    Raises:
        NoFitError: a column is 0 or a combination of others.
    """
    count = X.shape[1]
    labels = list(names) or [f"covariate {number}" for number in range(1, count + 1)]
    if count == 0:
        return Scaled(np.asarray(X, float), np.zeros((0, 0)))
    lengths = np.sqrt(np.einsum("nk,nk->k", X, X))
    if (lengths == 0).any():
        raise NoFitError(f"only one kind: {labels[int(np.argmin(lengths))]} is 0 in all trials")
    q, r = qr(X / lengths, mode="economic")
    dependent = np.flatnonzero(np.abs(np.diag(r)) < 1e-7)
    if len(dependent):  # the columns before the first of these make it up
        column = int(dependent[0])
        if np.ptp(X[:, column]) == 0:
            raise NoFitError(f"only one kind: {labels[column]} is the same in all trials, nothing to compare")
        weights = np.linalg.lstsq(r[:, :column], r[:, column], rcond=None)[0]
        others = ", ".join(labels[int(place)] for place in np.flatnonzero(np.abs(weights) > 1e-6))
        raise NoFitError(f"{labels[column]} says the same as {others}: nothing tells them apart")
    root = np.sqrt(len(X))
    back = np.linalg.inv(r) * root / lengths[:, None]
    return Scaled(q * root, back)


def plain_fit(y: np.ndarray, X: np.ndarray, link: str) -> np.ndarray:
    """(K,) the ordinary model without random effects, by Fisher scoring.

    Where a linear predictor is large, separation is looked for by linear programming (Konis 2007): some direction of β
    raises no answer's probability the wrong way.

    Raises:
        NoFitError: the covariates alone foretell answers without error.
    """
    yes, beta = np.asarray(y, float), np.zeros(X.shape[1])
    if X.shape[1] == 0:
        return beta
    eta = np.zeros(len(yes))
    for _ in range(30):
        terms = LINKS[link](eta, yes)
        weighted = X * terms.weight[:, None]
        slope = X.T @ terms.score
        step = np.linalg.lstsq(weighted.T @ X, slope, rcond=None)[0]
        beta = beta + np.clip(step, -3, 3)
        eta = X @ beta
        if slope @ step < 1e-8:
            break
    if np.abs(eta).max() > (12 if link == "logit" else 5):
        rows = np.unique(np.round(X * (2 * yes - 1)[:, None], 9), axis=0)
        program = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs")
        if program.status == 0 and program.fun is not None and program.fun < -1e-6:
            raise NoFitError("separated: the covariates alone foretell some answers, so an estimate is infinite")
    return beta


def moments(score: np.ndarray, weight: np.ndarray, level: np.ndarray, covariate: np.ndarray | None = None) -> float:
    """SD of an effect of the levels, from the scores (N,) of the model without it: E s² = i + σ² i² for each level."""
    if covariate is not None:
        score, weight = score * covariate, weight * covariate**2
    sums, information = np.bincount(level, score), np.bincount(level, weight)
    variance = ((sums**2).sum() - information.sum()) / max((information**2).sum(), 1e-12)
    return float(np.clip(np.sqrt(max(variance, 0.0)), 0.15, 2.0))


class Start(NamedTuple):
    """Values to start a fit from; a `CrossedFit` serves as well."""

    beta: np.ndarray
    sd_first: float
    sd_second: float
    sd_slope: float | None = None
    slope_correlation: float | None = None


@dataclass(frozen=True)
class CrossedFit:
    """Estimates of one crossed mixed model."""

    beta: np.ndarray
    """(K,) fixed effects on the link's scale."""
    std_error: np.ndarray
    """(K,) from the Hessian over all parameters."""
    covariance: np.ndarray
    """(K + 2, K + 2) of the estimates of β, σ_first, σ_second, from the same Hessian; 0 where an SD is held at 0.
    With a slope its SD and correlation are allowed for (the Hessian is over them too) but not listed."""
    sd_first: float
    """SD of the first factor's intercepts (participants); with a slope, where the slope's covariate is 0."""
    sd_second: float
    """SD of the second factor's intercepts (stimuli)."""
    log_likelihood: float
    """Laplace approximation."""
    singular: bool
    """An SD is estimated at 0, or the slope's correlation at -1 or 1."""
    sd_slope: float | None = None
    """SD of the first factor's slopes; None without them."""
    slope_correlation: float | None = None
    """Correlation of the first factor's intercepts and slopes, -1..1; None without them or where an SD is 0."""
    factors: tuple[str, str] = FACTORS
    """What the levels of the first and of the second factor are."""

    @property
    def at_boundary(self) -> list[str]:
        """Each estimate that lies at an end of its range, as a message; none unless `singular`."""
        if not self.singular:
            return []
        first, second = map(plural, self.factors)
        deviations = (
            (self.sd_first, f"between {first}"),
            (self.sd_second, f"between {second}"),
            (self.sd_slope, f"of the slopes of {first}"),
        )
        messages = [f"the SD {of} is estimated at 0" for sd, of in deviations if sd == 0]
        if self.slope_correlation is not None and abs(self.slope_correlation) > 1 - 1e-9:
            end = f"{self.slope_correlation:.0f}"
            messages.append(f"the correlation of intercepts and slopes of {first} is estimated at {end}")
        return messages


def fit_crossed(
    y: np.ndarray,
    X: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    link: str = "logit",
    slope: np.ndarray | None = None,
    start: CrossedFit | Start | None = None,
    names: Sequence[str] = (),
    factors: tuple[str, str] = FACTORS,
) -> CrossedFit:
    """Fit link(P(y = 1)) = Xβ + first's intercept [+ first's slope × covariate] + second's intercept.

    Without a slope it is lme4's `glmer(y ~ X + (1 | first) + (1 | second))` with nAGQ = 1, with one
    `(1 + slope | first)`. The covariate's mean effect belongs into X as well.

    Args:
        y: (N,) bool, the answers.
        X: (N, K) fixed effects, the first column usually ones; K may be 0.
        first: (N,) int, level of the first factor, 0.. without gaps.
        second: (N,) int, level of the second factor.
        link: `logit` or `probit`.
        slope: (N,) the covariate whose effect varies over levels of `first`.
        start: where the search starts: a fit or guess of the same model. It changes the time, not the result.
        names: of the K columns of X, for messages; their numbers otherwise.
        factors: what the levels of `first` and of `second` are, for messages.

    Raises:
        NoFitError: too few groups, separation, covariates that cannot be told apart, or no convergence.
    """
    require_estimable(y, X, first, second, slope, factors)
    basis = scaled(X, names)
    plain = plain_fit(y, basis.X, link)
    centre, unit = (0.0, 1.0) if slope is None else (float(np.mean(slope)), float(np.std(slope)))
    standard = None if slope is None else (np.asarray(slope, float) - centre) / unit
    if start is None:  # scales from the scores of the model without them, β moved from 0 as the scales demand
        terms = LINKS[link](basis.X @ plain, np.asarray(y, float))
        sd_first, sd_second = (moments(terms.score, terms.weight, level) for level in (first, second))
        scales = [sd_first, sd_second]
        if slope is not None:
            scales = [sd_first, 0.0, moments(terms.score, terms.weight, first, standard), sd_second]
        shrinkage = 0.346 if link == "logit" else 1.0
        begin = np.concatenate([scales, plain * np.sqrt(1 + shrinkage * (sd_first**2 + sd_second**2))])
    else:
        begin = _to_internal(start, basis, centre, unit, with_slope=slope is not None)
    data = Crossed.of(y, basis.X, first, second, link=link, slope=standard, factors=factors)
    fit = _from_internal(maximise(data, begin), basis.back, centre, unit, with_slope=slope is not None)
    return replace(fit, factors=factors)


def fit_without(
    full: CrossedFit,
    columns: list[int],
    y: np.ndarray,
    X: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    link: str = "logit",
    slope: np.ndarray | None = None,
    names: Sequence[str] = (),
) -> CrossedFit:
    """The model without some columns of X, started at the full model's fit: the reduced one of `likelihood_ratio`.

    Raises:
        NoFitError: as `fit_crossed`.
    """
    reduced, factors = np.delete(X, columns, axis=1), full.factors
    start = replace(full, beta=np.delete(full.beta, columns))
    names = [name for position, name in enumerate(names) if position not in columns]
    return fit_crossed(y, reduced, first, second, link=link, slope=slope, start=start, names=names, factors=factors)


def likelihood_ratio(full: CrossedFit, reduced: CrossedFit, df: int) -> tuple[float, float]:
    """χ² = 2 (log L_full - log L_reduced) and its p with `df` degrees of freedom.

    For fixed effects. Where the reduced model has fewer variances, p is too large (a variance cannot be negative).

    Raises:
        ValueError: df is below 1.
        NoFitError: the reduced model is the likelier one, so the full one was not found.
    """
    if df < 1:
        raise ValueError(f"degrees of freedom: {df}; at least 1")
    chi2 = 2 * (full.log_likelihood - reduced.log_likelihood)
    if chi2 < -1e-5 * max(1.0, abs(full.log_likelihood) * 1e-4):
        raise NoFitError("did not converge: the model without the term is likelier than the one with it")
    chi2 = max(chi2, 0.0)
    return chi2, float(chdtrc(df, chi2))


def _to_internal(
    start: CrossedFit | Start, basis: Scaled, centre: float, unit: float, *, with_slope: bool
) -> np.ndarray:
    """A start in the search's parameters; scales at 0 leave it, for there the gradient is 0."""
    beta = np.linalg.solve(basis.back, np.asarray(start.beta, float))
    scales = [max(start.sd_first, 0.05), max(start.sd_second, 0.05)]
    if with_slope:
        sd_slope = max(start.sd_slope or 0.0, 0.05 / unit)
        corner = np.clip(start.slope_correlation or 0.0, -0.98, 0.98) * scales[0] * sd_slope
        turn = np.array([[1.0, centre], [0.0, unit]])
        root = np.linalg.cholesky(turn @ np.array([[scales[0] ** 2, corner], [corner, sd_slope**2]]) @ turn.T)
        scales = [root[0, 0], root[1, 0], root[1, 1], scales[1]]
    return np.concatenate([scales, beta])


def _from_internal(maximum: Maximum, back: np.ndarray, centre: float, unit: float, *, with_slope: bool) -> CrossedFit:
    """The maximum in the caller's units."""
    n_scales = 4 if with_slope else 2
    count, at = len(maximum.at) - n_scales, maximum.at
    covariance = np.zeros((len(at), len(at)))
    covariance[np.ix_(maximum.free, maximum.free)] = np.linalg.inv(-maximum.hessian)
    turn = np.zeros((count + 2, len(at)))
    turn[:count, n_scales:] = back
    turn[count + 1, n_scales - 1] = np.sign(at[n_scales - 1])
    sd_slope = correlation = None
    if with_slope:
        t1, t2, t3 = at[:3]
        own, other = np.array([t1 - centre / unit * t2, -centre / unit * t3]), np.array([t2, t3]) / unit
        sd_first, sd_slope = float(np.hypot(*own)), float(np.hypot(*other))
        if sd_first > 0:
            turn[count, :3] = own @ np.array([[1, -centre / unit, 0], [0, 0, -centre / unit]]) / sd_first
            correlation = float(np.clip(own @ other / (sd_first * sd_slope), -1, 1)) if sd_slope > 0 else None
    else:
        sd_first = float(abs(at[0]))
        turn[count, 0] = np.sign(at[0])
    covariance = turn @ covariance @ turn.T
    return CrossedFit(
        beta=back @ at[n_scales:],
        std_error=np.sqrt(np.diag(covariance)[:count]),
        covariance=covariance,
        sd_first=sd_first,
        sd_second=float(abs(at[n_scales - 1])),
        log_likelihood=maximum.value,
        singular=not bool(maximum.free.all()),
        sd_slope=sd_slope,
        slope_correlation=correlation,
    )
