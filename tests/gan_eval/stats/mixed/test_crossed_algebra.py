"""The crossed model's algebra and gradient against dense matrices and differences."""

import numpy as np
import pytest

from gan_eval.stats.mixed.information import Factor
from gan_eval.stats.mixed.likelihood import Crossed, Laplace, _leverage

SHAPES = {"second eliminated": (6, 20, 0.8, True), "first eliminated": (20, 6, 0.8, False)}
"""Participants, pictures, share of the pairs that occur, and whether the first factor is retained."""
SLOPES = [(False, False), (True, False), (False, True), (True, True)]
"""Slopes of the first and of the second factor."""
LINKS = ("logit", "probit", "cumulative_logit", "cumulative_probit")


def crossed(shape, link, with_slopes, seed=0):
    people, pictures, share, _ = SHAPES[shape]
    rng = np.random.default_rng(seed)
    first, second = (grid.ravel() for grid in np.meshgrid(range(people), range(pictures)))
    kept = rng.random(len(first)) < share
    first, second = (np.unique(level[kept], return_inverse=True)[1] for level in (first, second))
    again = rng.integers(len(first), size=5)  # some cells hold several answers
    first, second = np.append(first, first[again]), np.append(second, second[again])
    X = np.stack([np.ones(len(first)), rng.normal(size=len(first))], axis=1)
    slopes = tuple(rng.normal(size=len(first)) if with_slope else None for with_slope in with_slopes)
    y = rng.integers(0, 4, len(first)) if link.startswith("cumulative") else rng.random(len(first)) < 0.6
    return Crossed.of(y, X[:, 1:] if link.startswith("cumulative") else X, first, second, link=link, slopes=slopes)


def parameters(with_slopes, link="logit"):
    scales = [[0.4, 0.3, 0.6] if with_slopes[0] else [0.4], [0.7, -0.2, 0.5] if with_slopes[1] else [0.7]]
    rest = [-1.0, 0.1, 0.9, 0.3] if link.startswith("cumulative") else [0.3, -0.2]
    return np.array([*scales[0], *scales[1], *rest])


@pytest.mark.parametrize("with_slopes", SLOPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_factor_equals_dense_matrices(shape, with_slopes):
    data = crossed(shape, "logit", with_slopes)
    layout, scales = data.layout, data.scales(parameters(with_slopes))
    assert layout.first_retained is SHAPES[shape][3]
    n = len(data.answer)
    columns = []
    for side, root in zip(layout.sides, scales, strict=True):
        levels = np.eye(side.n)[side.level]
        z = [np.ones(n)] if side.slope is None else [np.ones(n), side.slope]
        columns += [(np.stack(z, axis=1) @ root[:, effect])[:, None] * levels for effect in range(side.width)]
    M = np.hstack(columns)
    rng = np.random.default_rng(1)
    weight, right = rng.uniform(0.05, 0.25, n), rng.normal(size=layout.size)
    H = np.eye(layout.size) + M.T @ (weight[:, None] * M)
    factor = Factor(layout, scales, weight)
    assert factor.log_determinant() == pytest.approx(np.linalg.slogdet(H)[1])
    assert factor.solve(right) == pytest.approx(np.linalg.solve(H, right))
    assert _leverage(layout, factor)[0] == pytest.approx(np.einsum("ij,jk,ik->i", M, np.linalg.inv(H), M))
    assert data.onto_effects(scales, weight) == pytest.approx(M.T @ weight)
    assert data.random(scales, right) == pytest.approx(M @ right)


@pytest.mark.parametrize("with_slopes", SLOPES)
@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_equals_differences(shape, link, with_slopes):
    data, at = crossed(shape, link, with_slopes), parameters(with_slopes, link)
    _, gradient = Laplace(data).value_and_gradient(at)
    differences = [
        (Laplace(data).value_and_gradient(at + step)[0] - Laplace(data).value_and_gradient(at - step)[0]) / 2e-5
        for step in 1e-5 * np.eye(len(at))
    ]
    assert gradient == pytest.approx(differences, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("link", LINKS)
def test_information_of_the_fixed_effects_equals_differences(link):
    """Check random effects without spread: the Hessian is that of the ordinary model, expected or observed."""
    data, at = crossed("second eliminated", link, (True, True)), parameters((True, True), link)
    at[: data.n_scales] = 0.0
    laplace = Laplace(data)
    laplace.value_and_gradient(at)
    information = laplace.fixed_information()
    rows = [
        (laplace.value_and_gradient(at + step)[1] - laplace.value_and_gradient(at - step)[1])[data.n_scales :] / -2e-5
        for step in 1e-5 * np.eye(len(at))[data.n_scales :]
    ]
    assert information == pytest.approx(np.array(rows), rel=1e-5, abs=1e-5)


def test_large_matrices_are_inverted_alike(monkeypatch):
    data = crossed("second eliminated", "logit", (True, True))
    at = parameters((True, True))
    few = Laplace(data).value_and_gradient(at)
    monkeypatch.setattr("gan_eval.stats.mixed.information._SMALL", 0)
    many = Laplace(data).value_and_gradient(at)
    assert many[0] == pytest.approx(few[0])
    assert many[1] == pytest.approx(few[1])
