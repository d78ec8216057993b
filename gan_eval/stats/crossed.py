"""Maximum likelihood for the crossed mixed model: the search, its standard errors, and when to give no number."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtri

from gan_eval.stats.laplace import Crossed, Laplace

_SD_AT_ZERO = 0.1
"""An estimated SD below this is tried at exactly 0."""


class NoFitError(Exception):
    """The data allow no estimate; the message is the word for the reader."""


@dataclass(frozen=True)
class CrossedFit:
    """Estimates of one crossed mixed model."""

    beta: np.ndarray
    """(K,) fixed effects on the link's scale."""
    std_error: np.ndarray
    """(K,) from the Hessian over all parameters."""
    sd_first: float
    """SD of the first factor's intercepts (participants)."""
    sd_second: float
    """SD of the second factor's intercepts (stimuli)."""
    log_likelihood: float
    """Laplace approximation."""
    singular: bool
    """An SD is estimated at 0."""


def fit_crossed(
    y: np.ndarray, X: np.ndarray, first: np.ndarray, second: np.ndarray, *, link: str = "logit"
) -> CrossedFit:
    """Fit link(P(y = 1)) = Xβ + first's intercept + second's intercept.

    Args:
        y: (N,) bool, the answers.
        X: (N, K) fixed effects, the first column usually ones.
        first: (N,) int, level of the first factor, 0.. without gaps.
        second: (N,) int, level of the second factor.
        link: `logit` or `probit`.

    Raises:
        NoFitError: too few groups, separation, or no convergence.
    """
    _require_estimable(y, X, first, second)
    data, swapped = Crossed.of(y, X, first, second, link=link)
    start = np.concatenate([[0.5, 0.5], _start_beta(y, X, link)])
    free = np.ones(len(start), bool)
    best, value = _search(data, start, free)
    singular = False
    for which in np.argsort(best[:2]):
        if best[which] < _SD_AT_ZERO:
            at_zero = np.where(np.arange(len(best)) == which, 0.0, best)
            narrowed = free & (np.arange(len(best)) != which)
            restarted, reached = _search(data, at_zero, narrowed)
            if reached >= value - 1e-6:
                best, value, free, singular = restarted, reached, narrowed, True
    best, value, hessian = _polish(data, best, free)
    sd_small, sd_large = np.abs(best[:2])
    return CrossedFit(
        beta=best[2:],
        std_error=_standard_errors(hessian, free)[2:],
        sd_first=float(sd_large if swapped else sd_small),
        sd_second=float(sd_small if swapped else sd_large),
        log_likelihood=value,
        singular=singular,
    )


def _require_estimable(y: np.ndarray, X: np.ndarray, first: np.ndarray, second: np.ndarray) -> None:
    if len(y) == 0:
        raise NoFitError("no answered trials")
    for level, name in ((first, "participant"), (second, "stimulus")):
        if len(np.unique(level)) < 2:
            raise NoFitError(f"one {name}: the crossed model needs at least two")
    for level, name in ((first, "participant"), (second, "stimulus")):
        if len(np.unique(level)) == len(y):
            raise NoFitError(f"no {name} has more than one answer: its spread cannot be told from chance")
    patterns, inverse = np.unique(X, axis=0, return_inverse=True)
    if len(patterns) < X.shape[1]:
        raise NoFitError("only one kind of picture: nothing to compare")
    yes = np.bincount(inverse.ravel(), y, len(patterns))
    if ((yes == 0) | (yes == np.bincount(inverse.ravel(), minlength=len(patterns)))).any():
        raise NoFitError("separated: all answers of a group agree, so its log-odds are infinite")


def _start_beta(y: np.ndarray, X: np.ndarray, link: str) -> np.ndarray:
    """Least squares of the empirical link at each pattern of X: near enough to start from."""
    patterns, inverse = np.unique(X, axis=0, return_inverse=True)
    counts = np.bincount(inverse.ravel(), minlength=len(patterns))
    share = (np.bincount(inverse.ravel(), y, len(patterns)) + 0.5) / (counts + 1)
    linked = np.log(share / (1 - share)) if link == "logit" else ndtri(share)
    return np.linalg.lstsq(patterns, linked, rcond=None)[0]


def _search(data: Crossed, start: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float]:
    """L-BFGS-B over the free parameters; SDs stay at or above 0."""
    laplace, best = Laplace(data), start.copy()

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        best[free] = parameters
        value, gradient = _evaluate(laplace, best)
        return -value, -gradient[free]

    bounds = [(0.0, 20.0), (0.0, 20.0), *[(-30.0, 30.0)] * data.X.shape[1]]
    found = minimize(
        loss,
        start[free],
        jac=True,
        method="L-BFGS-B",
        bounds=[bound for bound, use in zip(bounds, free, strict=True) if use],
        options={"maxiter": 200, "ftol": 1e-11, "gtol": 1e-5},
    )
    best[free] = found.x
    if (np.abs(best[2:]) > 20).any() or (best[:2] > 15).any():
        raise NoFitError("separated: an estimate runs off to infinity")
    return best, -float(found.fun)


def _polish(data: Crossed, start: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Newton steps with the Hessian from differences of the gradient, until nothing more is to be gained.

    Returns:
        parameters, log-likelihood, and the Hessian (F, F) over the F free parameters.
    """
    laplace, best = Laplace(data), start.copy()
    for _ in range(8):
        value, gradient = _evaluate(laplace, best)
        hessian = _hessian(laplace, best, free)
        step = _newton_step(hessian, gradient[free])
        if gradient[free] @ step < 1e-9:
            return best, value, hessian
        best[free] += np.clip(step, -1, 1)
    raise NoFitError("did not converge")


def _newton_step(hessian: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    try:
        np.linalg.cholesky(-hessian)
    except np.linalg.LinAlgError as error:
        raise NoFitError("did not converge: the likelihood has no clear maximum") from error
    return np.linalg.solve(-hessian, gradient)


def _hessian(laplace: Laplace, at: np.ndarray, free: np.ndarray) -> np.ndarray:
    """(F, F) second derivatives over the free parameters: central differences of the exact gradient."""
    rows = []
    for position in np.flatnonzero(free):
        width = 1e-4 * max(1.0, abs(at[position]))
        ahead, behind = at.copy(), at.copy()
        ahead[position] += width
        behind[position] -= width
        rows.append((_evaluate(laplace, ahead)[1] - _evaluate(laplace, behind)[1])[free] / (2 * width))
    found = np.array(rows)
    return (found + found.T) / 2


def _evaluate(laplace: Laplace, parameters: np.ndarray) -> tuple[float, np.ndarray]:
    try:
        value, gradient = laplace.value_and_gradient(parameters)
    except (FloatingPointError, np.linalg.LinAlgError) as error:
        raise NoFitError("did not converge") from error
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise NoFitError("did not converge: the likelihood is not finite")
    return value, gradient


def _standard_errors(hessian: np.ndarray, free: np.ndarray) -> np.ndarray:
    """(2 + K,) square roots of the diagonal of the inverse of -Hessian; NaN where a parameter was held."""
    errors = np.full(len(free), np.nan)
    errors[free] = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    return errors
