"""Steps uphill in the crossed model's likelihood: a quasi-Newton search over the parameters that are free."""

from dataclasses import dataclass

import numpy as np

from gan_eval.stats.mixed.likelihood import Laplace
from gan_eval.stats.mixed.limits import plural

_LARGEST = 15.0
"""A scale beyond this has no finite estimate."""


class NoFitError(Exception):
    """The data allow no estimate; the message is the word for the reader."""


@dataclass(frozen=True)
class Point:
    """Parameters (Λ11[, Λ21, Λ22], σ, β), which of them are free, and the likelihood there."""

    at: np.ndarray
    free: np.ndarray
    value: float
    gradient: np.ndarray


def evaluate(laplace: Laplace, at: np.ndarray, free: np.ndarray) -> Point:
    """The likelihood and its gradient at a point.

    Raises:
        NoFitError: they cannot be found there.
    """
    try:
        value, gradient = laplace.value_and_gradient(at)
    except (FloatingPointError, np.linalg.LinAlgError) as error:
        raise NoFitError("did not converge") from error
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise NoFitError("did not converge: the likelihood is not finite")
    return Point(at, free, value, gradient)


def first_metric(laplace: Laplace, point: Point) -> np.ndarray:
    """An inverse Hessian to start from: the information of β given the spread, and that of log variances.

    A level with information i about its effect of variance t² counts (t² i / (1 + t² i))²/2 for log t².
    """
    data, layout = laplace.data, laplace.data.layout
    factor = laplace.factor
    if factor is None:
        raise RuntimeError("the likelihood is evaluated first")
    sums = [factor.first_sums[0], factor.second_sums]
    places = [0, 1]
    if layout.slope is not None:
        sums.insert(1, factor.first_sums[2])
        places = [0, 2, 3]
    metric = np.zeros((len(point.at), len(point.at)))
    for place, information in zip(places, sums, strict=True):
        slope = layout.slope is not None and place == 2
        variance = max(point.at[place] ** 2 + (point.at[1] ** 2 if slope else 0.0), 0.01)
        share = variance * information / (1 + variance * information)
        metric[place, place] = variance / (2 * (share**2).sum() + 1e-3)
    if layout.slope is not None:
        metric[1, 1] = 2 * metric[2, 2]
    n_spread = data.n_spread
    if len(point.at) > n_spread:
        metric[n_spread:, n_spread:] = np.linalg.inv(laplace.fixed_information())
    return metric


def climb(laplace: Laplace, point: Point, metric: np.ndarray) -> Point:
    """BFGS over the free parameters from an inverse Hessian, to within 1e-3 standard errors or so."""
    free = point.free
    metric = metric[np.ix_(free, free)]
    for _ in range(150):
        slope = point.gradient[free]
        step = metric @ slope
        if slope @ step < 1e-6:
            return point
        if np.abs(point.at[: laplace.data.n_spread]).max() > _LARGEST:
            raise NoFitError(f"separated: a spread {_boundless(laplace, point.at)} runs off to infinity")
        reached, scale = line_search(laplace, point, step)
        if reached is None:
            return point
        moved, change = scale * step, slope - reached.gradient[free]
        metric = _updated(metric, moved, change)
        point = reached
    raise NoFitError("did not converge")


def _boundless(laplace: Laplace, at: np.ndarray) -> str:
    """Between whose levels the spread is beyond all bounds."""
    last = laplace.data.n_spread - 1  # the second factor's, after all of the first one's
    beyond = np.abs(at[: last + 1]) > _LARGEST
    names = [
        plural(name)
        for name, is_so in zip(laplace.data.factors, (beyond[:last].any(), beyond[last]), strict=True)
        if is_so
    ]
    return " and ".join(f"between {name}" for name in names)


def line_search(laplace: Laplace, point: Point, step: np.ndarray) -> tuple[Point | None, float]:
    """The first of shrinking steps that gains; None if none does."""
    slope = point.gradient[point.free] @ step
    scale = min(1.0, 1.0 / np.abs(step).max())
    for _ in range(12):
        at = point.at.copy()
        at[point.free] += scale * step
        try:
            reached = evaluate(laplace, at, point.free)
        except NoFitError:
            laplace.mode, laplace.factor = np.zeros_like(laplace.mode), None
            scale *= 0.25
            continue
        if reached.value > point.value + 1e-4 * scale * slope:
            return reached, scale
        short = slope * scale - (reached.value - point.value)
        scale *= float(np.clip(slope * scale / (2 * short), 0.1, 0.6))
    return None, 0.0


def _updated(metric: np.ndarray, moved: np.ndarray, change: np.ndarray) -> np.ndarray:
    """BFGS's update of the inverse Hessian; none where the likelihood curves upwards."""
    curvature = moved @ change
    if curvature < 1e-8 * np.sqrt((moved @ moved) * (change @ change)):
        return metric
    left = np.eye(len(moved)) - np.outer(moved, change) / curvature
    updated: np.ndarray = left @ metric @ left.T + np.outer(moved, moved) / curvature
    return updated
