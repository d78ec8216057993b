"""The maximum of the crossed model's likelihood: a quasi-Newton search, variances at zero, and the Hessian there.

The likelihood is even in Λ11 (with Λ21) and in Λ22 of either factor, so that no bounds are needed. A parameter that
ends near 0 is tried at exactly 0, where its gradient vanishes for any data. It stays there if the likelihood is not
lower and does not rise from there. If intercepts and slopes have a correlation of -1 or 1, Λ has rank one: Λ22 is then
0, and Λ11 and Λ21 are ordinary parameters.
"""

from typing import NamedTuple

import numpy as np

from gan_eval.stats.mixed.likelihood import Crossed, Laplace, NoFitError, NotConvergedError, plural

_MAX_ESTIMATE = 15.0
"""Largest scale of a search; beyond it no estimate is finite."""
_NEAR_ZERO = 0.12
"""Size below which a scale is tried at exactly 0."""


class Point(NamedTuple):
    """Parameters (Λ₁, Λ₂, θ, β), a mask of the free ones (the others are held at 0), and the likelihood there."""

    at: np.ndarray
    free: np.ndarray
    value: float
    gradient: np.ndarray


def evaluate(laplace: Laplace, at: np.ndarray, free: np.ndarray) -> Point:
    """Return the likelihood and its gradient at a point; NoFitError if they cannot be computed there."""
    try:
        value, gradient = laplace.value_and_gradient(at)
    except (FloatingPointError, np.linalg.LinAlgError) as error:
        raise NotConvergedError("did not converge") from error
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise NotConvergedError("did not converge: the likelihood is not finite")
    return Point(at, free, value, gradient)


def first_metric(laplace: Laplace, point: Point) -> np.ndarray:
    """Return an approximate inverse Hessian: the inverse information of θ and β for fixed scales, and of log variances.

    A level with information i on its effect of variance t² adds (t² i / (1 + t² i))²/2 to the information on log t².
    """
    data, factor = laplace.data, laplace.factor
    assert factor is not None, "the likelihood is evaluated first"
    metric = np.zeros((len(point.at), len(point.at)))
    for span, part, sums in zip(data.scale_ranges, data.parts, factor.sums, strict=True):
        for index, entries in zip(span, part.entries, strict=True):
            row, column = entries[0]
            if row != column:
                continue
            corner = index - 1 if part.correlated and row > 0 else None
            variance = max(point.at[index] ** 2 + (0.0 if corner is None else point.at[corner] ** 2), 0.01)
            information = np.array([sums[entry] for entry in entries])
            reliability = variance * information / (1 + variance * information)
            metric[index, index] = variance / (2 * (reliability**2).sum() + 1e-3)
            if corner is not None:
                metric[corner, corner] = 2 * metric[index, index]
    if len(point.at) > data.n_scales:
        metric[data.n_scales :, data.n_scales :] = np.linalg.inv(laplace.fixed_information())
    return metric


def climb(laplace: Laplace, point: Point, metric: np.ndarray) -> Point:
    """Maximise over the free parameters by BFGS from an inverse Hessian, to within about 1e-3 standard errors.

    Raises:
        NoFitError: no convergence, or a scale diverges.
    """
    free = point.free
    metric = metric[np.ix_(free, free)]
    for _ in range(150):
        slope = point.gradient[free]
        step = metric @ slope
        if slope @ step < 1e-6:
            return point
        boundless = [
            f"between {plural(factor)}"
            for span, factor in zip(laplace.data.scale_ranges, laplace.data.factors, strict=True)
            if (np.abs(point.at[span.start : span.stop]) > _MAX_ESTIMATE).any()
        ]
        if boundless:
            raise NoFitError(f"separation: the variance {' and '.join(boundless)} diverged")
        reached, scale = line_search(laplace, point, step)
        if reached is None:
            return point
        moved, change = scale * step, slope - reached.gradient[free]
        curvature = moved @ change
        if curvature >= 1e-8 * np.sqrt((moved @ moved) * (change @ change)):  # else the likelihood curves upwards
            left = np.eye(len(moved)) - np.outer(moved, change) / curvature
            metric = left @ metric @ left.T + np.outer(moved, moved) / curvature
        point = reached
    raise NotConvergedError("did not converge")


def line_search(laplace: Laplace, point: Point, step: np.ndarray) -> tuple[Point | None, float]:
    """Shorten a step until the likelihood rises.

    Returns:
        The point reached (None after 12 tries) and the factor of the step.
    """
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


def maximise(data: Crossed, start: np.ndarray) -> tuple[Point, np.ndarray]:
    """Return the maximum of the Laplace likelihood near `start`, and the Hessian (F, F) over its F free parameters.

    Raises:
        NoFitError: no convergence, or an estimate diverges.
    """
    laplace = Laplace(data)
    point = evaluate(laplace, start, np.ones(len(start), bool))
    point = climb(laplace, point, first_metric(laplace, point))
    for span, part in zip(data.scale_ranges, data.parts, strict=True):
        if not part.correlated:
            for index in span:
                point = _try_zero(laplace, point, [index], index)
            continue
        intercept, corner, slope = span
        point = _try_zero(laplace, point, [corner, slope], slope)  # a slope's correlation has no meaning without its SD
        root = point.at[span.start : span.stop]
        near_line = abs(root[0] * root[2]) < _NEAR_ZERO * np.sqrt((root**2).sum())  # the correlation is near -1 or 1
        if point.free[slope] and near_line:
            try:
                line = _on_line(laplace, point, span)
            except NoFitError:
                line = point
            if line is not point and line.value >= point.value - 1e-6 and not _rises(laplace, line, slope):
                point = line
        if not point.free[slope]:
            point = _try_zero(laplace, point, [intercept, corner], intercept)
    try:
        return _polish(laplace, point)
    except NoFitError:
        for span, part in zip(data.scale_ranges, data.parts, strict=True):
            if part.correlated and point.free[span[2]]:
                line = _on_line(laplace, point, span)
                if line.value >= point.value - 1e-3 and not _rises(laplace, line, span[2]):
                    return _polish(laplace, line)
        raise


def _try_zero(laplace: Laplace, point: Point, held: list[int], scale: int) -> Point:
    """Return the maximum with `held` at 0 if they are small and the likelihood is not lower; else the point."""
    small = np.abs(point.at[held]).max() < _NEAR_ZERO
    if not small or not point.free[held].any():
        return point
    free, at = point.free.copy(), point.at.copy()
    free[held], at[held] = False, 0.0
    zero = evaluate(laplace, at, free)
    metric = first_metric(laplace, zero)
    if zero.value + zero.gradient[free] @ metric[np.ix_(free, free)] @ zero.gradient[free] < point.value - 1e-3:
        return point
    zero = climb(laplace, zero, metric)
    if zero.value < point.value - 1e-6 or _rises(laplace, zero, scale):
        return point
    return zero


def _on_line(laplace: Laplace, point: Point, span: range) -> Point:
    """Return the maximum with Λ22 = 0 of the factor at `span`, from the nearest Λ of rank one."""
    axes, sizes, _ = np.linalg.svd(laplace.data.scales(point.at)[span.start > 0])
    free, at = point.free.copy(), point.at.copy()
    free[span[2]] = False
    at[span.start : span.stop] = [*(axes[:, 0] * sizes[0]), 0.0]
    line = evaluate(laplace, at, free)
    return climb(laplace, line, first_metric(laplace, line))


def _rises(laplace: Laplace, zero: Point, scale: int) -> bool:
    """Return whether the likelihood grows when a scale leaves 0, which is then a saddle point."""
    at = zero.at.copy()
    at[scale] = 0.03
    return bool(evaluate(laplace, at, zero.free).value > zero.value + 1e-6)


def _polish(laplace: Laplace, point: Point) -> tuple[Point, np.ndarray]:
    """Maximise by Newton steps, with the Hessian from differences of the gradient, until a step gains nothing."""
    free = point.free
    for _ in range(10):
        rows = []
        for position in np.flatnonzero(free):
            width = 1e-4 * max(1.0, abs(point.at[position]))
            ahead = point.at.copy()
            ahead[position] += width
            rows.append((evaluate(laplace, ahead, free).gradient - point.gradient)[free] / width)
        differences = np.array(rows).reshape(len(rows), len(rows))
        hessian = (differences + differences.T) / 2
        step, concave = _uphill(hessian, point.gradient[free])
        if concave and point.gradient[free] @ step < 1e-4:
            for _ in range(6):  # the last small steps, with the same Hessian
                step, _ = _uphill(hessian, point.gradient[free])
                if point.gradient[free] @ step < 1e-10:
                    return point, hessian
                at = point.at.copy()
                at[free] += step
                point = evaluate(laplace, at, free)
            continue
        reached, _ = line_search(laplace, point, step)
        if reached is None:
            break
        point = reached
    raise NotConvergedError("did not converge: the likelihood has no clear maximum")


def _uphill(hessian: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return Newton's step, and True if the likelihood is concave; else the step goes uphill along each eigenvector."""
    curvature, axes = np.linalg.eigh(-hessian)
    concave = bool((curvature > 1e-8).all())
    along = axes.T @ gradient
    lifted = np.abs(curvature) if concave else np.maximum(np.abs(curvature), 0.1)
    step: np.ndarray = axes @ (along / lifted)
    return step, concave
