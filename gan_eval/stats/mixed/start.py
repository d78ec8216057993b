"""What the crossed model needs before its search: checks of the data, scaled covariates, and values to start from."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import qr
from scipy.optimize import linprog

from gan_eval.stats.mixed.climb import NoFitError
from gan_eval.stats.mixed.limits import plural
from gan_eval.stats.mixed.links import LINKS


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
        _require_slope(first, slope, plural(factors[0]))
    if np.all(y) or not np.any(y):
        raise NoFitError("separated: all answers are the same, so their log-odds are infinite")
    if len(y) <= X.shape[1] + 2:
        raise NoFitError(f"too few answers ({len(y)}) for {X.shape[1]} fixed effects and the spreads")


def _require_slope(first: np.ndarray, slope: np.ndarray, levels: str) -> None:
    if np.ptp(slope) == 0:
        raise NoFitError("slope: the covariate is the same in all trials")
    counts = np.maximum(np.bincount(first), 1)
    within = np.bincount(first, slope**2) - np.bincount(first, slope) ** 2 / counts
    varied = (within > 1e-9 * np.var(slope)).sum()
    if varied < 2:
        raise NoFitError(f"slope: fewer than two {levels} have answers at more than one value of the covariate")
    if len(slope) <= 2 * (counts > 0).sum():
        raise NoFitError(f"slope: no more answers than intercepts and slopes of {levels}")


def scaled(X: np.ndarray, names: Sequence[str] = ()) -> Scaled:
    """Orthogonal columns of mean square 1, so that covariates of any unit and offset are searched alike.

    Args:
        X: (N, K).
        names: of the K columns, for messages; their numbers otherwise.

    Raises:
        NoFitError: a column is 0 or a combination of others.
    """
    count = X.shape[1]
    called = list(names) or [f"covariate {number}" for number in range(1, count + 1)]
    if count == 0:
        return Scaled(np.asarray(X, float), np.zeros((0, 0)))
    lengths = np.sqrt(np.einsum("nk,nk->k", X, X))
    if (lengths == 0).any():
        raise NoFitError(f"only one kind: {called[int(np.argmin(lengths))]} is 0 in all trials")
    q, r = qr(X / lengths, mode="economic")
    lost = np.flatnonzero(np.abs(np.diag(r)) < 1e-7)
    if len(lost):
        raise NoFitError(_combination(X, r, int(lost[0]), called))
    root = np.sqrt(len(X))
    back = np.linalg.inv(r) * root / lengths[:, None]
    return Scaled(q * root, back)


def _combination(X: np.ndarray, r: np.ndarray, lost: int, called: list[str]) -> str:
    """The word for column `lost`, which the columns before it make up."""
    if np.ptp(X[:, lost]) == 0:
        return f"only one kind: {called[lost]} is the same in all trials, nothing to compare"
    weights = np.linalg.lstsq(r[:, :lost], r[:, lost], rcond=None)[0]
    named = ", ".join(called[int(place)] for place in np.flatnonzero(np.abs(weights) > 1e-6))
    return f"{called[lost]} says the same as {named}: nothing tells them apart"


def plain_fit(y: np.ndarray, X: np.ndarray, link: str) -> np.ndarray:
    """(K,) the ordinary model without random effects, by Fisher scoring.

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
    if np.abs(eta).max() > (12 if link == "logit" else 5) and _separated(yes, X):
        raise NoFitError("separated: the covariates alone foretell some answers, so an estimate is infinite")
    return beta


def _separated(yes: np.ndarray, X: np.ndarray) -> bool:
    """Whether some direction of β raises no answer's probability the wrong way (Konis 2007, by linear programming)."""
    rows = np.unique(np.round(X * (2 * yes - 1)[:, None], 9), axis=0)
    found = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(len(rows)), bounds=(-1, 1), method="highs")
    return bool(found.status == 0 and found.fun is not None and found.fun < -1e-6)


def moments(score: np.ndarray, weight: np.ndarray, level: np.ndarray, covariate: np.ndarray | None = None) -> float:
    """SD of an effect of the levels, from the scores (N,) of the model without it: E s² = i + σ² i² for each level."""
    if covariate is not None:
        score, weight = score * covariate, weight * covariate**2
    sums, information = np.bincount(level, score), np.bincount(level, weight)
    variance = ((sums**2).sum() - information.sum()) / max((information**2).sum(), 1e-12)
    return float(np.clip(np.sqrt(max(variance, 0.0)), 0.15, 2.0))
