"""Linear mixed models with two crossed random intercepts by restricted maximum likelihood (REML).

The model of one trial is y = Xβ + b_first + b_second + ε with independent normal intercepts of variances σ²τ₁ and σ²τ₂
and a residual of variance σ²: that of lme4's `lmer` (Bates, Mächler, Bolker & Walker 2015, Journal of Statistical
Software 67(1)). β and σ are profiled out (Harville 1977, Journal of the American Statistical Association 72,
320-338), so that only the two ratios τ are searched, with the exact gradient. All that the criterion needs of the
trials are sums over the levels and the table of counts of level by level: an evaluation does not depend on the number
of trials. The factor with more levels has a diagonal block and is eliminated by a Schur complement; only a matrix of
the size of the smaller factor is inverted. No ratio is divided by, so that 0 is as exact as any other value.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotri
from scipy.optimize import minimize
from scipy.sparse import coo_array, csc_array

from gan_eval.stats.mixed.limits import FACTORS, NoFitError, plural

_ZERO = 1e-4
"""In residual SDs: an SD below this is estimated at 0."""
_BLOCK = 4_000_000
"""Cells of the table of counts that are held densely at a time."""
_LARGEST = 18.0
"""Of the search variable log(1 + n τ): beyond it the residual is nothing."""


@dataclass(frozen=True)
class LinearFit:
    """Estimates of one crossed linear mixed model."""

    beta: np.ndarray
    """(K,) fixed effects."""
    std_error: np.ndarray
    """(K,) given the variances, as lme4 has them."""
    sd_first: float
    """SD of the first factor's intercepts."""
    sd_second: float
    """SD of the second factor's intercepts."""
    sd_residual: float
    log_likelihood: float
    """Restricted."""
    singular: bool
    """An SD is estimated at 0."""

    @property
    def without_spread(self) -> list[str]:
        """The factors whose SD is estimated at 0; none unless `singular`."""
        deviations = zip((self.sd_first, self.sd_second), FACTORS, strict=True)
        return [plural(factor) for sd, factor in deviations if sd < _ZERO * self.sd_residual]


@dataclass(frozen=True)
class _Sums:
    """What the criterion needs of the trials; `small` is the factor with fewer levels."""

    n: int
    products: np.ndarray
    """(K + 1, K + 1) cross products of [X y]."""
    small: np.ndarray
    """(q_small, K + 1) sums of [X y] over each level."""
    large: np.ndarray
    """(q_large, K + 1)"""
    n_small: np.ndarray
    """(q_small,) trials of each level."""
    n_large: np.ndarray
    """(q_large,)"""
    counts: csc_array
    """(q_small, q_large) trials of each pair of levels."""

    @classmethod
    def of(cls, y: np.ndarray, X: np.ndarray, small: np.ndarray, large: np.ndarray) -> Self:
        """The sums for levels `small` and `large`, (N,) each."""
        both = np.column_stack([X, y])
        q_small, q_large = int(small.max()) + 1, int(large.max()) + 1
        of_small, of_large = (
            np.stack([np.bincount(level, column, size) for column in both.T], axis=1)
            for level, size in ((small, q_small), (large, q_large))
        )
        return cls(
            n=len(y),
            products=both.T @ both,
            small=of_small,
            large=of_large,
            n_small=np.bincount(small, minlength=q_small).astype(float),
            n_large=np.bincount(large, minlength=q_large).astype(float),
            counts=coo_array((np.ones(len(y)), (small, large)), shape=(q_small, q_large)).tocsc(),
        )

    @property
    def scale(self) -> np.ndarray:
        """(2,) mean number of trials of a level: the search variables are log(1 + scale τ)."""
        return np.array([self.n / len(self.n_small), self.n / len(self.n_large)])

    def gram(self, *weights: np.ndarray) -> list[np.ndarray]:
        """C diag(w) C' (q_small, q_small) of the counts C, for each w (q_large,), not negative."""
        size = len(self.n_small)
        products = [np.zeros((size, size), order="F") for _ in weights]
        step = max(1, _BLOCK // size)
        for start in range(0, len(self.n_large), step):
            chosen = slice(start, start + step)
            block = self.counts[:, chosen].toarray(order="F")
            for place, weight in enumerate(weights):
                products[place] = dsyrk(
                    1.0, block * np.sqrt(weight[chosen]), beta=1.0, c=products[place], lower=1, overwrite_c=1
                )
        return [_symmetric(product) for product in products]


def _symmetric(lower: np.ndarray) -> np.ndarray:
    """The symmetric matrix whose lower triangle is given."""
    part = np.tril(lower)
    return part + np.tril(part, -1).T


@dataclass(frozen=True)
class _Point:
    """The criterion at one pair of ratios."""

    deviance: float
    """-2 log restricted likelihood."""
    gradient: np.ndarray
    """(2,) over the ratios (small, large)."""
    beta: np.ndarray
    covariance: np.ndarray
    """(K, K) of β."""
    sigma: float


def fit_linear(y: np.ndarray, X: np.ndarray, first: np.ndarray, second: np.ndarray) -> LinearFit:
    """Fit y = Xβ + first's intercept + second's intercept + residual by REML.

    Args:
        y: (N,) the outcome, finite.
        X: (N, K) fixed effects, of full column rank.
        first: (N,) int, level of the first factor, 0.. without gaps.
        second: (N,) int, level of the second factor.

    Raises:
        NoFitError: too few trials or levels, fixed effects that cannot be told apart, an outcome without spread,
            or no convergence.

    >>> y = np.array([1.0, 2.0, 4.0, 3.0, 5.0, 7.0, 2.0, 2.5, 6.0])
    >>> fit = fit_linear(y, np.ones((9, 1)), np.arange(9) // 3, np.arange(9) % 3)
    >>> round(float(fit.beta[0]), 4), round(fit.sd_second, 4), fit.singular
    (3.6111, 1.8484, False)
    """
    if len(y) == 0:
        raise NoFitError("no trials with an answer and a reaction time")
    levels = tuple(zip((first, second), FACTORS, strict=True))
    for level, name in levels:
        if int(level.max()) == 0:
            raise NoFitError(f"one {name}: the crossed model needs at least two")
    for level, name in levels:
        if int(level.max()) + 1 == len(y):
            raise NoFitError(f"no {name} has more than one trial: its spread cannot be told from chance")
    if len(y) <= X.shape[1] + 1:
        raise NoFitError("too few trials")
    if np.linalg.matrix_rank(X.T @ X, hermitian=True) < X.shape[1]:
        raise NoFitError("the fixed effects cannot be told apart")
    ordinary = np.linalg.lstsq(X, y, rcond=None)[0]
    rest = y - X @ ordinary
    scale = float(np.sqrt(rest @ rest / len(y)))
    if scale <= 1e-12 * max(1.0, float(np.abs(y).max())):
        raise NoFitError("no spread: the fixed effects explain every time exactly")
    swapped = int(second.max()) < int(first.max())
    sums = _Sums.of(rest / scale, X, *((second, first) if swapped else (first, second)))
    ratios = _search(sums)
    point = _evaluate(sums, ratios)
    sigma = point.sigma * scale
    sd_small, sd_large = np.sqrt(ratios) * sigma
    return LinearFit(
        beta=ordinary + point.beta * scale,
        std_error=np.sqrt(np.diag(point.covariance)) * scale,
        sd_first=float(sd_large if swapped else sd_small),
        sd_second=float(sd_small if swapped else sd_large),
        sd_residual=sigma,
        log_likelihood=float(-point.deviance / 2 - (len(y) - X.shape[1]) * np.log(scale)),
        singular=bool((np.sqrt(ratios) < _ZERO).any()),
    )


def _evaluate(sums: _Sums, ratios: np.ndarray) -> _Point:
    """The profiled criterion and its gradient at the ratios τ (2,) = (small, large), both ≥ 0.

    With V = I + τ_s Z_s Z_s' + τ_l Z_l Z_l' and P = V⁻¹ - V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹ the criterion is
    log|V| + log|X'V⁻¹X| + (N - K)(1 + log(2π y'Py / (N - K))), its derivative tr(Z'PZ) - (N - K) |Z'Py|² / y'Py.
    """
    small, large = ratios
    k = sums.products.shape[0] - 1
    shrunk = 1 / (1 + large * sums.n_large)  # the large factor alone: V_l⁻¹ = I - Z_l diag(τ_l shrunk) Z_l'
    once, twice = sums.gram(large * shrunk, shrunk**2)
    reduced = np.diag(sums.n_small) - once  # Z_s' V_l⁻¹ Z_s
    factor = cho_factor(np.eye(len(reduced)) + small * reduced, lower=True, check_finite=False)
    inverse = _symmetric(dpotri(factor[0], lower=1)[0])
    weighted = sums.large * shrunk[:, None]
    left = sums.small - sums.counts @ (large * weighted)
    at_small = inverse @ left  # Z_s' V⁻¹ [X y]
    at_large = weighted - small * shrunk[:, None] * (sums.counts.T @ at_small)  # Z_l' V⁻¹ [X y]
    products = sums.products - large * sums.large.T @ weighted - small * left.T @ at_small
    fixed = cho_factor(products[:k, :k], lower=True)
    beta = cho_solve(fixed, products[:k, k])
    freedom = sums.n - k
    remaining = float(products[k, k] - products[:k, k] @ beta)
    unscaled = cho_solve(fixed, np.eye(k))
    traces = ((inverse * reduced).sum(), (sums.n_large * shrunk).sum() - small * (inverse * twice).sum())
    gradient = np.zeros(2)
    for which, (at, trace) in enumerate(zip((at_small, at_large), traces, strict=True)):
        of_fixed, of_rest = at[:, :k], at[:, k] - at[:, :k] @ beta
        gradient[which] = trace - (unscaled * (of_fixed.T @ of_fixed)).sum() - freedom * (of_rest @ of_rest) / remaining
    log_determinants = 2 * np.log(np.diag(factor[0])).sum() - np.log(shrunk).sum() + 2 * np.log(np.diag(fixed[0])).sum()
    sigma2 = remaining / freedom
    return _Point(
        deviance=float(log_determinants + freedom * (1 + np.log(2 * np.pi * sigma2))),
        gradient=gradient,
        beta=beta,
        covariance=sigma2 * unscaled,
        sigma=float(np.sqrt(sigma2)),
    )


def _search(sums: _Sums) -> np.ndarray:
    """The ratios (small, large) of the smallest criterion.

    Raises:
        NoFitError: the search does not end in one.
    """

    def loss(place: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            point = _evaluate(sums, np.expm1(place) / sums.scale)
        except np.linalg.LinAlgError as error:
            raise NoFitError("did not converge: the likelihood cannot be computed") from error
        if not np.isfinite(point.deviance):
            raise NoFitError("did not converge: the likelihood is not finite")
        return point.deviance, point.gradient * np.exp(place) / sums.scale

    minimum = minimize(
        loss,
        np.log1p(0.2 * sums.scale),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, _LARGEST)] * 2,
        options={"maxiter": 200, "ftol": 1e-15, "gtol": 1e-7},
    )
    place = np.where(minimum.x < 1e-9, 0.0, minimum.x)
    _, slope = loss(place)
    uphill = np.where(place == 0, np.minimum(slope, 0), slope)
    if (np.abs(uphill) > 1e-3).any() or (place > _LARGEST - 1).any():
        raise NoFitError("did not converge")
    return np.asarray(np.expm1(place) / sums.scale)
