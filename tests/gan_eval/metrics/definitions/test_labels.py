"""Input labels of a generator: known counts and known predicted shares of synthetic label pictures."""

import io
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gan_eval.metrics.definitions.labels import (
    HATS,
    PENALTIES,
    WIDTHS,
    cells_of,
    label_detail,
    label_map,
    predicted_shares,
)
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.pictures.decode import Picture

PALETTE = np.array([[0, 0, 170], [0, 85, 255], [255, 85, 0], [255, 255, 0], [170, 0, 0]], np.uint8)
Labels = NDArray[np.integer]


def quarters(side: int = 64) -> Labels:
    return np.array([[0, 1], [2, 3]]).repeat(side // 2, axis=0).repeat(side // 2, axis=1)


def patches(seed: int, *, cells: int = 8, size: int = 8) -> Labels:
    """Labels of PALETTE, one for each square."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, len(PALETTE), (cells, cells)).repeat(size, axis=0).repeat(size, axis=1)


def as_jpeg(picture: Picture) -> Picture:
    stored = io.BytesIO()
    Image.fromarray(picture).save(stored, "JPEG", quality=90)
    return np.asarray(Image.open(stored))


def test_four_squares_are_counted_by_hand():
    assert label_detail(PALETTE[quarters()]) == pytest.approx((128 * math.log2(3) + 4 * (12 + 2)) / 4096)
    specks = quarters()
    for row, column in np.ndindex(4, 3):  # a label of 48 pixels, and no region: its patches are below 16 pixels
        specks[3 + 6 * row : 5 + 6 * row, 3 + 6 * column : 5 + 6 * column] = 4
    shares = np.bincount(specks.ravel()) / 4096
    entropy = -(shares * np.log2(shares)).sum()
    bits = (128 + 12 * 8) * math.log2(3) + 4 * (12 + entropy)
    assert label_detail(PALETTE[specks]) == pytest.approx(bits / 4096)
    with pytest.raises(Unmeasurable, match="3x8 pixels"):
        label_detail(PALETTE[quarters()[:8, :3]])


def test_labels_survive_the_coding_of_a_lossy_file():
    labels = patches(0, cells=8, size=16)
    found = label_map(as_jpeg(PALETTE[labels])).reshape(8, 16, 8, 16)
    assert len(np.unique(found)) >= len(PALETTE)
    for label in range(len(PALETTE)):
        middles = found[:, 3:-3, :, 3:-3][labels.reshape(8, 16, 8, 16)[:, 3:-3, :, 3:-3] == label]
        assert np.unique(middles).size == 1
    wanted = (256 * math.log2(3) + 4 * (14 + 2)) / 128**2
    assert label_detail(as_jpeg(PALETTE[quarters(128)])) == pytest.approx(wanted, rel=0.25)


def test_cells_are_exact_means_of_any_size():
    rng = np.random.default_rng(0)
    label, photograph = (rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((40, 52, 3), (96, 64, 3)))
    cells = cells_of(label, photograph)
    fine = label.astype(float).repeat(32, axis=0).repeat(32, axis=1)  # 40x32 rows: 40 for each cell
    assert np.allclose(cells.label, fine.reshape(32, 40, 32, 52, 3).mean(axis=(1, 3)) / 255, atol=1e-12)
    assert np.allclose(cells.colours, photograph.reshape(32, 3, 32, 2, 3).mean(axis=(1, 3)) / 255, atol=1e-12)
    luma = np.array([[(299 * r + 587 * g + 114 * b + 500) // 1000 for r, g, b in row] for row in photograph.tolist()])
    gradient = np.zeros(luma.shape)
    for y, x in np.ndindex(*luma.shape):
        right = luma[y, x + 1] - luma[y, x] if x < 63 else 0
        down = luma[y + 1, x] - luma[y, x] if y < 95 else 0
        gradient[y, x] = math.hypot(right, down)
    assert np.allclose(cells.edges[..., 0], gradient.reshape(32, 3, 32, 2).mean(axis=(1, 3)), atol=1e-9)
    with pytest.raises(Unmeasurable, match="31x40 pixels"):
        cells_of(label[:, :31], photograph)


def plain_shares(inputs: list[Picture], photographs: list[Picture]) -> tuple[NDArray[np.float64], list[float]]:
    """The definition in loops: each item left out of everything, the system of equations solved anew."""
    xs, ys = [], []
    for label, photograph in zip(inputs, photographs, strict=True):  # 32x32 pixels: a pixel is a cell
        hats = np.zeros((32, 32, HATS**3))
        for y, x in np.ndindex(32, 32):
            near = [
                [max(0.0, 1 - abs(value / 255 * (HATS - 1) - place)) for place in range(HATS)] for value in label[y, x]
            ]
            hats[y, x] = [r * g * b for r in near[0] for g in near[1] for b in near[2]]
        around = np.zeros((32, 32, len(WIDTHS), HATS**3))
        for y, x in np.ndindex(32, 32):
            for at, width in enumerate(WIDTHS):
                r = width // 2
                around[y, x, at] = hats[max(0, y - r) : y + r + 1, max(0, x - r) : x + r + 1].mean(axis=(0, 1))
        xs.append(around)
        ys.append(photograph.reshape(1024, 3) / 255)
    used = np.max([x[:, :, 0].max(axis=(0, 1)) for x in xs], axis=0) >= 0.01
    xs = [x[..., used].reshape(1024, -1) for x in xs]
    n = len(xs)
    every = np.mean(xs, axis=0)
    unit = sum(np.square(x - every).sum() for x in xs) / xs[0].shape[1]
    errors, differing = np.zeros((n, len(PENALTIES))), np.zeros(n)
    for out in range(n):
        x_mean, y_mean = (np.mean([v for i, v in enumerate(values) if i != out], axis=0) for values in (xs, ys))
        x = np.vstack([v - x_mean for i, v in enumerate(xs) if i != out])
        y = np.vstack([v - y_mean for i, v in enumerate(ys) if i != out])
        differing[out] = np.square(ys[out] - y_mean).sum()
        for at, penalty in enumerate(PENALTIES):
            weights = np.linalg.solve(x.T @ x + penalty * unit * np.eye(x.shape[1]), x.T @ y)
            errors[out, at] = np.square(ys[out] - y_mean - (xs[out] - x_mean) @ weights).sum()
    shares, scaled = [], errors * ((n - 1) / n) ** 2
    for out in range(n):
        best = np.argmin([sum(scaled[i, at] for i in range(n) if i != out) for at in range(len(PENALTIES))])
        shares.append(1 - errors[out, best] / differing[out])
    return np.array(shares), list(differing)


def items(n: int, *, side: int = 32, size: int = 4) -> list[Picture]:
    return [PALETTE[patches(seed, cells=side // size, size=size)] for seed in range(n)]


def recoloured(inputs: list[Picture]) -> list[Picture]:
    """Photographs that are a function of the label alone, and not a linear one of its colour."""
    colours = np.random.default_rng(9).integers(0, 256, (len(PALETTE), 3), dtype=np.uint8)
    return [colours[(label[:, :, None] == PALETTE).all(axis=3).argmax(axis=2)] for label in inputs]


def noise(n: int, *, seed: int = 5, side: int = 32) -> list[Picture]:
    return list(np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8))


def label_information(inputs: list[Picture], photographs: list[Picture], target: str = "colours") -> Labels:
    return predicted_shares(list(map(cells_of, inputs, photographs)), target)


@pytest.mark.slow
def test_shares_are_those_of_the_definition_in_loops():
    inputs = items(10)
    mixed = [(3 * a.astype(int) + b) // 4 for a, b in zip(recoloured(inputs), noise(10), strict=True)]
    photographs = [picture.astype(np.uint8) for picture in mixed]
    plain, _ = plain_shares(inputs, photographs)
    found = label_information(inputs, photographs)
    assert np.allclose(found, plain, atol=1e-8)
    assert 0.4 < found.mean() < 0.95


def test_of_photographs_that_are_all_alike_nothing_is_left_to_predict():
    assert np.isnan(label_information(items(12), noise(1) * 12)).all()


def test_edges_are_told_apart_from_colours():
    lines = []
    for seed in range(12):
        drawn = np.full((64, 64, 3), 255, np.uint8)
        for at in np.random.default_rng(seed).integers(2, 62, 3):
            drawn[at], drawn[:, at] = 0, 0
        lines.append(drawn)
    rng = np.random.default_rng(3)
    photographs = []
    for drawn in lines:  # lines are edges, but the colour of what they part is anyone's guess
        levels = rng.integers(0, 200, 3)
        photographs.append(np.where(drawn == 0, np.minimum(levels + 55, 255), levels).astype(np.uint8))
    assert label_information(lines, photographs, "edges").mean() > 0.6
    assert label_information(lines, photographs).mean() < 0.3


def test_few_items_have_no_value():
    with pytest.raises(Unmeasurable, match=r"9 items.*needs 10"):
        label_information(items(9), noise(9))
