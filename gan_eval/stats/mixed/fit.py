"""Maximum likelihood for the crossed mixed model: checks of the data, a start, estimates, standard errors and tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dgeqrf, dorgqr
from scipy.special import logit, ndtri

from gan_eval.stats.mixed.information import MAX_CELLS, Columns
from gan_eval.stats.mixed.likelihood import (
    FACTORS,
    LINKS,
    Crossed,
    Laplace,
    NoFitError,
    RandomPart,
    Slope,
    Slopes,
    plural,
)
from gan_eval.stats.mixed.search import Point, climb, evaluate, first_metric, maximise

MAX_FITTED_TRIALS = 200_000
"""Maximum number of trials for which crossed models are fitted; with more, each takes seconds."""


class Scaled(NamedTuple):
    """Orthogonal fixed effects: X = `X_scaled` times the inverse of `back`, so β = back β_scaled."""

    X: np.ndarray
    back: np.ndarray

    @staticmethod
    def of(X: np.ndarray, names: Sequence[str] = ()) -> "Scaled":
        """Return orthogonal columns of mean square 1, so that the unit and offset of a covariate do not matter."""
        count = X.shape[1]
        labels = list(names) or [f"covariate {number}" for number in range(1, count + 1)]
        if count == 0:
            return Scaled(np.asarray(X, float), np.zeros((0, 0)))
        lengths = np.sqrt(np.einsum("nk,nk->k", X, X))
        if (lengths == 0).any():
            raise NoFitError(f"{labels[int(np.argmin(lengths))]} is the same in all trials: nothing to compare")
        packed, tau, *_ = dgeqrf(X / lengths)
        q, r = dorgqr(packed, tau)[0], np.triu(packed[:count])
        dependent = np.flatnonzero(np.abs(np.diag(r)) < 1e-7)
        if len(dependent):  # the first of these is a combination of the columns before it
            column = int(dependent[0])
            if np.ptp(X[:, column]) == 0:
                raise NoFitError(f"{labels[column]} is the same in all trials: nothing to compare")
            weights = np.linalg.lstsq(r[:, :column], r[:, column], rcond=None)[0]
            others = ", ".join(labels[int(index)] for index in np.flatnonzero(np.abs(weights) > 1e-6))
            raise NoFitError(f"{labels[column]} says the same as {others}: nothing separates them")
        root = np.sqrt(len(X))
        return Scaled(q * root, np.linalg.inv(r) * root / lengths[:, None])


def _each(slope: Slope) -> Sequence[np.ndarray]:
    return [slope] if isinstance(slope, np.ndarray) else slope or ()


def _require_estimable(
    y: np.ndarray, X: np.ndarray, first: np.ndarray, second: np.ndarray, slopes: Slopes, factors: tuple[str, str]
) -> None:
    if len(y) == 0:
        raise NoFitError("no answered trials")
    covariates = [_each(slope) for slope in slopes]
    if not all(np.isfinite(values).all() for values in (X, *covariates[0], *covariates[1])):
        raise NoFitError("a covariate is missing or infinite in some trials")
    for level, name in zip((first, second), factors, strict=True):
        _require_levels(level, name)
    _require_slopes(first, covariates[0], plural(factors[0]), "")
    _require_slopes(second, covariates[1], plural(factors[1]), f" of {plural(factors[1])}" if covariates[0] else "")
    pairs = len(np.bincount(first)) * len(np.bincount(second))
    _require_size(pairs, covariates, f"pairs of a {factors[0]} and a {factors[1]}")
    if np.min(y) == np.max(y):
        raise NoFitError("separation: all answers are the same")
    if len(y) <= X.shape[1] + 2:
        raise NoFitError(f"too few answers ({len(y)}) for {X.shape[1]} fixed effects and the spreads")


def _require_size(pairs: int, covariates: Sequence[Sequence[np.ndarray]], names: str) -> None:
    """Refuse a model whose effects of both factors have too many pairs; `names` is for the message."""
    widths = [1 + sum(each.size // len(each) for each in of_factor) for of_factor in covariates]
    if pairs > MAX_CELLS:
        raise NoFitError(f"more than {MAX_CELLS:,} {names}")
    if pairs * widths[0] * widths[1] > 4 * MAX_CELLS:
        raise NoFitError(f"more than {4 * MAX_CELLS:,} {names} and of their slopes")


def _require_levels(level: np.ndarray, name: str) -> None:
    """Refuse a factor whose spread the answers do not determine."""
    counts = np.bincount(level)
    if (counts > 0).sum() < 2:
        raise NoFitError(f"one {name}: the crossed model needs at least two")
    if counts.max() < 2:
        raise NoFitError(f"no {name} has more than one answer: its spread cannot be separated from chance")


def _require_slopes(level: np.ndarray, slopes: Sequence[np.ndarray], levels: str, of_levels: str) -> None:
    """Refuse slopes of one factor that its answers do not determine; `levels` and `of_levels` are for the message."""
    counts = np.maximum(np.bincount(level), 1)
    effects = len(counts)
    for number, covariate in enumerate(slopes, start=1):
        ahead = ("slope" if len(slopes) == 1 else f"slope {number}") + of_levels
        columns = covariate[:, None] if covariate.ndim == 1 else covariate
        if (np.ptp(columns, axis=0) == 0).all():
            raise NoFitError(f"{ahead}: the covariate is the same in all trials")
        varies = np.zeros(len(counts), bool)
        for column in columns.T:
            within = np.bincount(level, column**2) - np.bincount(level, column) ** 2 / counts
            varies |= within > 1e-9 * np.var(column)
            effects += len(counts) if covariate.ndim == 1 else int((np.bincount(level, column**2) > 0).sum())
        if varies.sum() < 2:
            raise NoFitError(f"{ahead}: fewer than two {levels} have answers at more than one value of the covariate")
        if len(level) <= effects:
            raise NoFitError(f"{ahead}: no more answers than intercepts and slopes of {levels}")


def plain_fit(y: np.ndarray, X: np.ndarray, link: str) -> np.ndarray:
    """Return the estimates (K,) of the ordinary model without random effects, by Fisher scoring.

    If a linear predictor is large, linear programming searches for separation (Konis 2007): a direction of β that
    lowers no answer's probability.

    Raises:
        NoFitError: complete or quasi-complete separation.
    """
    yes, beta = np.asarray(y, float), np.zeros(X.shape[1])
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
        _refuse_separated(X * (2 * yes - 1)[:, None], step)  # the last steps go along the direction, if there is one
    return beta


def _refuse_separated(rows: np.ndarray, direction: np.ndarray | None = None) -> None:
    """Refuse rows (N, K) if some direction lowers none of them and raises some; `direction` (K,) is tried first."""
    infinite = "complete or quasi-complete separation: an estimate is infinite"
    if direction is not None:
        along = rows @ direction / max(np.abs(direction).max(), 1e-300)
        if along.min() > -1e-7 and along.max() > 1e-3:
            raise NoFitError(infinite)
    from scipy.optimize import linprog

    rows = np.unique(np.round(rows, 9), axis=0)
    program = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs")
    if program.status == 0 and program.fun is not None and program.fun < -1e-6:
        raise NoFitError(infinite)


def _plain_grades(data: Crossed) -> np.ndarray:
    """Return thresholds and fixed effects (J-1+K,) of the ordinary cumulative model without random effects."""
    counts = np.bincount(data.answer, minlength=data.n_thresholds + 1)
    if (counts == 0).any():
        raise NoFitError("a grade between others is never given: number the grades that are")
    below = np.cumsum(counts)[:-1] / counts.sum()
    quantiles = logit(below) if data.link == "cumulative_logit" else ndtri(below)
    at = np.concatenate([np.zeros(data.n_scales), quantiles, np.zeros(data.X.shape[1])])
    if data.X.shape[1] == 0:
        return quantiles
    laplace = Laplace(data)
    point = evaluate(laplace, at, np.arange(len(at)) >= data.n_scales)
    point = climb(laplace, point, first_metric(laplace, point))
    if np.abs(data.X @ point.at[data.n_leading :]).max() > 5:
        bounds = np.eye(data.n_thresholds + 2)[:, 1:-1]
        above, below = (np.hstack([bounds[data.answer + shift], -data.X]) for shift in (1, 0))
        inner = (data.answer < data.n_thresholds, data.answer > 0)
        _refuse_separated(np.vstack([above[inner[0]], -below[inner[1]]]))
    return point.at[data.n_scales :]


def _moments(score: np.ndarray, weight: np.ndarray, level: np.ndarray, columns: Sequence[float | np.ndarray]) -> float:
    """Return the SD σ of an effect of the levels, by E(score²) = i + σ² i² for each level's information i."""
    sums = np.concatenate([np.bincount(level, score * column) for column in columns])
    information = np.concatenate([np.bincount(level, weight * column**2) for column in columns])
    variance = ((sums**2).sum() - information.sum()) / max((information**2).sum(), 1e-12)
    return float(np.clip(np.sqrt(max(variance, 0.0)), 0.15, 2.0))


class Spread(NamedTuple):
    """Random effects of one factor."""

    sd: float
    """SD of the intercepts: with one slope at a covariate of 0, with independent slopes at the mean covariates."""
    sd_slope: float | None = None
    """SD of the slopes; None without them."""
    correlation: float | None = None
    """Correlation of intercepts and slopes, -1..1; None without slopes or where an SD is 0."""
    sd_slopes: tuple[float, ...] = ()
    """SD of each independent slope."""


class Start(NamedTuple):
    """Start values of a fit; a `CrossedFit` can be used as well."""

    beta: np.ndarray
    first: Spread
    second: Spread
    thresholds: np.ndarray = np.zeros(0)


@dataclass(frozen=True)
class CrossedFit:
    """Estimates of one crossed mixed model."""

    beta: np.ndarray
    """(K,) fixed effects on the link's scale."""
    std_error: np.ndarray
    """(K,) from the Hessian over all parameters."""
    covariance: np.ndarray
    """(K + S, K + S) covariance of the estimates of β and of the S `scales`, from the same Hessian; 0 for a scale at 0.
    With grades, the J-1 thresholds come first."""
    scales: np.ndarray
    """(S,) Cholesky factors of the covariance of the random effects of the first and then of the second factor: one
    number for an intercept only, three (11, 21, 22) for an intercept and a slope of the standardised covariate; with
    independent slopes their SDs, with a meaningless sign."""
    parts: tuple[RandomPart, RandomPart]
    """Structure of each factor's effects."""
    first: Spread
    """Effects of the first factor (participants)."""
    second: Spread
    """Effects of the second factor (stimuli)."""
    log_likelihood: float
    """Laplace approximation."""
    singular: bool
    """An SD is estimated at 0, or the slope's correlation at -1 or 1."""
    thresholds: np.ndarray
    """(J-1,) of grades, ascending, on the link's scale."""
    thresholds_error: np.ndarray
    """(J-1,) their standard errors."""
    factors: tuple[str, str]
    """Names of the first and of the second factor."""

    def random_variance(
        self, slope: Slope, scales: np.ndarray | None = None, *, slope_second: Slope = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the variance of the random part (R,) and its derivatives by `scales` (R, S).

        Args:
            slope: R values of the covariates of the first factor's slopes, as `fit_crossed` takes them; without
                slopes (R,) of any.
            scales: (S,) default: the estimates.
            slope_second: R values of the covariates of the second factor's slopes; default: `slope`.
        """
        left = list(self.scales if scales is None else scales)
        count = len(_each(slope)[0])
        variance, derivatives = np.zeros(count), []
        for part, given in zip(self.parts, (slope, slope if slope_second is None else slope_second), strict=True):
            own, left = left[: len(part.entries)], left[len(part.entries) :]
            columns = part.columns(given) if part.units else ()
            if part.correlated:
                (corner, side, rest), x = own, columns[0]
                shared, remainder = corner + side * x, rest * x
                variance += shared**2 + remainder**2
                derivatives += [2 * shared, 2 * shared * x, 2 * remainder * x]
                continue
            rows = [np.ones(count), *columns]
            for scale, entries in zip(own, part.entries, strict=True):
                square = sum((rows[row] ** 2 for row, _ in entries), np.zeros(count))
                variance += scale**2 * square
                derivatives.append(2 * scale * square)
        return variance, np.column_stack(derivatives)

    def turned(self, fixed: np.ndarray, random: np.ndarray) -> Start:
        """Return a start for the same model in other coordinates.

        Args:
            fixed: (K, K) the other fixed effects are `fixed` times these.
            random: (2, 2) the same for the correlated intercept and slope of the first factor.
        """
        sd, sd_slope, correlation, _ = self.first
        sds = np.array([sd, sd_slope or 0.0])
        off = (correlation or 0.0) * sds.prod()
        covariance = random @ (np.diag(sds**2) + off * (1 - np.eye(2))) @ random.T
        sd, sd_slope = np.sqrt(np.diag(covariance).clip(0)).tolist()
        return Start(fixed @ self.beta, Spread(sd, sd_slope, covariance[0, 1] / max(sd * sd_slope, 1e-12)), self.second)

    @property
    def at_boundary(self) -> list[str]:
        """A message for each estimate at an end of its range; none unless `singular`."""
        if not self.singular:
            return []
        messages = []
        for factor, (sd, sd_slope, correlation, sd_slopes) in zip(self.factors, (self.first, self.second), strict=True):
            levels = plural(factor)
            messages += [f"the SD between {levels} is estimated at 0"] * (sd == 0)
            messages += [f"the SD of the slopes of {levels} is estimated at 0"] * (sd_slope == 0)
            for number, one in enumerate(sd_slopes, start=1):
                which = f" {number}" if len(sd_slopes) > 1 else ""
                messages += [f"the SD of the slopes{which} of {levels} is estimated at 0"] * (one == 0)
            if correlation is not None and abs(correlation) > 1 - 1e-9:
                messages.append(
                    f"the correlation of intercepts and slopes of {levels} is estimated at {correlation:.0f}"
                )
        return messages


def fit_crossed(
    y: np.ndarray,
    X: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    link: str = "logit",
    slope: Slope = None,
    slope_second: Slope = None,
    start: CrossedFit | Start | None = None,
    names: Sequence[str] = (),
    factors: tuple[str, str] = FACTORS,
    guessing: tuple[np.ndarray, np.ndarray] | None = None,
) -> CrossedFit:
    """Fit link(P(y = 1)) = Xβ + first's intercept [+ first's slope × covariate] + second's intercept [+ slope].

    Without slopes this is lme4's `glmer(y ~ X + (1 | first) + (1 | second))` with nAGQ = 1; with them
    `(1 + slope | first)` and `(1 + slope_second | second)`. The covariate's mean effect must be in X too. Independent
    slopes are lme4's `(1 | first) + (0 + centred | first) + (1 | first:group)`: a covariate (N,), minus its mean, and
    the indicators (N, L) of the L levels of a group, which share one SD. Grades are fitted as by `clmm` of R's ordinal.

    Args:
        y: (N,) bool, the answers; with a cumulative link int, the grades 0..J-1, each of which occurs.
        X: (N, K) fixed effects, the first column usually ones. With a cumulative link, without a constant; K may be 0.
        first: (N,) int, level of the first factor, 0.. without gaps.
        second: (N,) int, level of the second factor.
        link: `logit` or `probit`; for grades `cumulative_logit` or `cumulative_probit`.
        slope: (N,) the covariate whose effect varies over levels of `first`, with a correlation; or a sequence of
            (N,) and (N, L): slopes without correlations, each with its SD, which all L columns share.
        slope_second: the same for levels of `second`.
        start: a fit or guess of the same model, where the search starts. It changes the time, not the result.
        names: names of the K columns of X, for messages; default: their numbers.
        factors: names of the first and of the second factor, for messages.
        guessing: (N,) γ and (N,) λ of a psychometric function, P(y = 1) = γ + (1 - γ - λ) F(η), F the inverse link. It
            needs `start`, and the caller checks for separation. None: P(y = 1) = F(η).

    Raises:
        NoFitError: too few groups, separation, confounded covariates, or no convergence.
    """
    slopes = (slope, slope_second)
    _require_estimable(y, X, first, second, slopes, factors)
    basis = Scaled.of(X, names)
    data = Crossed.of(y, basis.X, first, second, link=link, slopes=slopes, factors=factors, guessing=guessing)
    plain = np.zeros(0)
    if guessing is None:
        plain = _plain_grades(data) if data.n_thresholds else plain_fit(y, basis.X, link)
    if start is None:  # scales from the scores of the plain model; its β scaled up from marginal to conditional effects
        given = (plain[: data.n_thresholds],) if data.n_thresholds else ()
        beta = plain[data.n_thresholds :]
        eta = np.einsum("nk,k->n", data.X, beta)
        terms = data.terms(eta, data.answer, *given)
        spreads, scales = 0.0, []
        for side in data.layout.sides:
            columns: Columns = (1.0, *side.slopes)
            for entries in side.entries:
                row, column = entries[0]
                of = [columns[index] for index, _ in entries]
                scales.append(_moments(terms.score, terms.weight, side.level, of) if row == column else 0.0)
                spreads += scales[-1] ** 2 if row == 0 else 0.0
        shrinkage = 0.346 if link.endswith("logit") else 1.0
        begin = np.concatenate([scales, plain * np.sqrt(1 + shrinkage * spreads)])
    else:
        begin = _to_internal(start, basis, data.parts)
    return _from_internal(*maximise(data, begin), data, basis.back)


def too_many(trials: int) -> str:
    """Return the reason not to fit crossed models to a table; empty if there is none.

    >>> too_many(2_000), too_many(300_000)
    ('', 'more than 200,000 trials')
    """
    return f"more than {MAX_FITTED_TRIALS:,} trials" if trials > MAX_FITTED_TRIALS else ""


def _to_internal(start: CrossedFit | Start, basis: Scaled, parts: Sequence[RandomPart]) -> np.ndarray:
    """Return a start in the search's parameters; its scales are not 0, because the gradient vanishes there."""
    scales: list[float] = []
    for part, (sd, sd_slope, correlation, sd_slopes) in zip(parts, (start.first, start.second), strict=True):
        sd = max(sd, 0.05)
        if not part.correlated:
            of_slopes = zip(part.units, sd_slopes, strict=True)
            scales += [sd, *(max(one * unit.size, 0.05) for unit, one in of_slopes)]
            continue
        (unit,) = part.units
        sd_slope = max(sd_slope or 0.0, 0.05 / unit.size)
        corner = np.clip(correlation or 0.0, -0.98, 0.98) * sd * sd_slope
        turn = np.array([[1.0, unit.centre], [0.0, unit.size]])
        root = np.linalg.cholesky(turn @ np.array([[sd**2, corner], [corner, sd_slope**2]]) @ turn.T)
        scales += [root[0, 0], root[1, 0], root[1, 1]]
    beta = np.linalg.solve(basis.back, np.asarray(start.beta, float))
    return np.concatenate([scales, start.thresholds, beta])


def _from_internal(maximum: Point, hessian: np.ndarray, data: Crossed, back: np.ndarray) -> CrossedFit:
    """Return the maximum in the caller's units."""
    at, n_scales, leading = maximum.at, data.n_scales, data.n_leading
    thresholds, count = data.n_thresholds, len(at) - leading
    covariance = np.zeros((len(at), len(at)))
    covariance[np.ix_(maximum.free, maximum.free)] = np.linalg.inv(-hessian)
    turn = np.zeros((len(at), len(at)))  # thresholds and β first, then the scales
    turn[:thresholds, n_scales:leading] = np.eye(thresholds)
    turn[thresholds : thresholds + count, leading:] = back
    turn[thresholds + count :, :n_scales] = np.eye(n_scales)
    spreads: list[Spread] = []
    for span, part in zip(data.scale_ranges, data.parts, strict=True):
        if not part.correlated:
            sizes = np.array([1.0, *(unit.size for unit in part.units)])
            sd, *sd_slopes = (np.abs(at[span.start : span.stop]) / sizes).tolist()
            spreads.append(Spread(sd, sd_slopes=tuple(sd_slopes)))
            continue
        (unit,) = part.units
        (t1, t2, t3), shift = at[span.start : span.stop], unit.centre / unit.size
        at_zero, slope = np.array([t1 - shift * t2, -shift * t3]), np.array([t2, t3]) / unit.size
        sd, sd_slope = float(np.hypot(*at_zero)), float(np.hypot(*slope))
        defined = sd > 0 and sd_slope > 0
        spreads.append(
            Spread(sd, sd_slope, float(np.clip(at_zero @ slope / (sd * sd_slope), -1, 1)) if defined else None)
        )
    covariance = turn @ covariance @ turn.T
    errors = np.sqrt(np.diag(covariance))
    return CrossedFit(
        beta=back @ at[leading:],
        std_error=errors[thresholds : thresholds + count],
        covariance=covariance,
        scales=at[:n_scales].copy(),
        parts=data.parts,
        first=spreads[0],
        second=spreads[1],
        log_likelihood=maximum.value,
        singular=not bool(maximum.free.all()),
        thresholds=at[n_scales:leading],
        thresholds_error=errors[:thresholds],
        factors=data.factors,
    )
