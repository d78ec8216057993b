"""The crossed model's sparse algebra and gradient against dense matrices and differences."""

import numpy as np
import pytest

from gan_eval.stats.mixed import information
from gan_eval.stats.mixed.information import DenseCells, Factor, SparseCells
from gan_eval.stats.mixed.likelihood import Crossed, Laplace, _leverage

SHAPES = {
    "dense, second eliminated": (6, 20, 0.8, DenseCells, True),
    "dense, first eliminated": (20, 6, 0.8, DenseCells, False),
    "sparse, second eliminated": (20, 120, 0.04, SparseCells, True),
    "sparse, first eliminated": (120, 20, 0.04, SparseCells, False),
}


def crossed(shape, link, with_slope, seed=0):
    people, pictures, share, _, _ = SHAPES[shape]
    rng = np.random.default_rng(seed)
    first, second = (grid.ravel() for grid in np.meshgrid(range(people), range(pictures)))
    kept = rng.random(len(first)) < share
    first, second = (np.unique(level[kept], return_inverse=True)[1] for level in (first, second))
    again = rng.integers(len(first), size=5)  # some cells hold several answers
    first, second = np.append(first, first[again]), np.append(second, second[again])
    X = np.stack([np.ones(len(first)), rng.normal(size=len(first))], axis=1)
    slope = rng.normal(size=len(first)) if with_slope else None
    return Crossed.of(rng.random(len(first)) < 0.6, X, first, second, link=link, slope=slope)


def parameters(with_slope):
    return np.array([0.4, 0.3, 0.6, 0.7, 0.3, -0.2] if with_slope else [0.4, 0.7, 0.3, -0.2])


@pytest.fixture(autouse=True)
def cheap_pairs(monkeypatch):
    """So that small designs are stored as big ones are."""
    monkeypatch.setattr(information, "_PAIR_COST", 0.5)


@pytest.mark.parametrize("with_slope", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_factor_equals_dense_matrices(shape, with_slope):
    data = crossed(shape, "logit", with_slope)
    layout, scales = data.layout, data.scales(parameters(with_slope))
    assert type(layout.cells) is SHAPES[shape][3]
    assert layout.first_retained is SHAPES[shape][4]
    trial = np.arange(len(data.yes))
    M = np.zeros((len(trial), layout.size))
    M[trial, layout.first] = scales.t1
    if with_slope:
        M[trial, layout.first] += scales.t2 * layout.slope
        M[trial, layout.n_first + layout.first] = scales.t3 * layout.slope
    M[trial, layout.width * layout.n_first + layout.second] = scales.sd
    rng = np.random.default_rng(1)
    weight, right = rng.uniform(0.05, 0.25, len(trial)), rng.normal(size=layout.size)
    H = np.eye(layout.size) + M.T @ (weight[:, None] * M)
    factor = Factor(layout, scales, weight)
    assert factor.log_determinant() == pytest.approx(np.linalg.slogdet(H)[1])
    assert factor.solve(right) == pytest.approx(np.linalg.solve(H, right))
    assert _leverage(layout, scales, factor)[0] == pytest.approx(np.einsum("ij,jk,ik->i", M, np.linalg.inv(H), M))
    assert data.onto_effects(scales, weight) == pytest.approx(M.T @ weight)
    assert data.random(scales, right) == pytest.approx(M @ right)


@pytest.mark.parametrize("with_slope", [False, True])
@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_equals_differences(shape, link, with_slope):
    data, at = crossed(shape, link, with_slope), parameters(with_slope)
    _, gradient = Laplace(data).value_and_gradient(at)
    differences = [
        (Laplace(data).value_and_gradient(at + step)[0] - Laplace(data).value_and_gradient(at - step)[0]) / 2e-5
        for step in 1e-5 * np.eye(len(at))
    ]
    assert gradient == pytest.approx(differences, rel=1e-6, abs=5e-6)


def test_large_matrices_are_inverted_alike(monkeypatch):
    data = crossed("dense, second eliminated", "logit", True)
    at = parameters(True)
    few = Laplace(data).value_and_gradient(at)
    monkeypatch.setattr("gan_eval.stats.mixed.information._SMALL", 0)
    many = Laplace(data).value_and_gradient(at)
    assert many[0] == pytest.approx(few[0])
    assert many[1] == pytest.approx(few[1])
