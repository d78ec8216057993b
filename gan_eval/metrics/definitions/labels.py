"""Metrics of a generator's input: its simplicity, and how much of the photograph it predicts.

They do not use generated pictures, so they describe the task and are equal for all models with the same inputs. Aziz,
Syam and Rais observed that Pix2Pix does better with simple label pictures that keep much of the photograph's
information. This module measures both properties, for each item. The definitions are ours.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels import compiled
from gan_eval.metrics.kernels.pictures import Pixels, Unmeasurable, as_picture, require_side

Values = NDArray[np.float64]

STEPS = 32
"""Number of steps, of 8 levels each, in which each channel is counted."""
MIN_SHARE = 0.01
"""Minimum share of the picture's pixels for a colour to be a label."""
MIN_REGION = 16
"""Minimum number of pixels of a region; smaller patches are noise of the file's compression."""
_MIN_SIDE = 4


def label_map(picture: Pixels) -> NDArray[np.intp]:
    """Return the label of each pixel of a picture whose labels are colours that lossy compression has blurred.

    Colours are counted in steps of 8 levels. The cube of 3x3x3 steps with the most pixels becomes a label with their
    mean colour, and its pixels are removed from the counts. This is repeated while a cube has 1% of the pixels or
    more. Each pixel gets the label whose colour is nearest to its own (Euclidean, RGB); the first of equally near ones.

    Args:
        picture: (H, W, 3) uint8, 0..255.

    Returns:
        (H, W), from 0, the label of most pixels first.

    >>> halves = np.zeros((8, 8, 3), np.uint8)
    >>> halves[:, 5:] = 200
    >>> np.bincount(label_map(halves).ravel())
    array([40, 24])
    """
    from scipy import ndimage

    pixels = as_picture(picture)
    codes, place_of, counts_of = np.unique(
        pixels.reshape(-1, 3).astype(np.intp) @ (256**2, 256, 1), return_inverse=True, return_counts=True
    )
    values = np.stack(np.unravel_index(codes, (256,) * 3), axis=1)
    steps = tuple(values.T // (256 // STEPS))
    counts = np.zeros((STEPS,) * 3, np.int64)
    np.add.at(counts, steps, counts_of)
    nearest, labels, total = np.full(len(values), np.inf), np.zeros(len(values), np.intp), len(place_of)
    for label in range(total):
        cubes = counts
        for axis in range(3):
            cubes = ndimage.correlate1d(cubes, (1, 1, 1), axis, mode="constant")
        densest = np.unravel_index(np.argmax(cubes), counts.shape)
        if label and cubes[densest] < MIN_SHARE * total:
            break
        inside = np.logical_and.reduce([np.abs(step - at) <= 1 for step, at in zip(steps, densest, strict=True)])
        inside &= counts[steps] > 0
        distance = np.square(values - np.average(values[inside], axis=0, weights=counts_of[inside])).sum(axis=1)
        labels[distance < nearest] = label
        nearest = np.minimum(nearest, distance)
        counts[tuple(slice(max(at - 1, 0), at + 2) for at in densest)] = 0
    return labels[place_of].reshape(pixels.shape[:2])


def label_detail(picture: Pixels) -> float:
    """Return the bits per pixel that describe the label picture as regions, after Leclerc 1989; lower is simpler.

    The formula is (edges · log2 3 + regions · (log2 pixels + entropy)) / pixels. A border continues in one of three
    directions from pixel to pixel; each region has a start pixel and a label. Edges are pairs of neighbouring pixels,
    horizontal or vertical, with different labels. The entropy is that of the labels' shares.

    Raises:
        Unmeasurable: a side is below 4 pixels.

    >>> round(label_detail(np.zeros((16, 16, 3), np.uint8)), 4)  # one region: 8 bits for its position
    0.0312
    """
    from scipy import ndimage

    require_side(picture, _MIN_SIDE, "the detail of a label picture")
    labels = label_map(picture)
    counts = np.bincount(labels.ravel())
    shares = counts[counts > 0] / labels.size
    patches = (ndimage.label(labels == label)[0] for label in range(len(counts)))
    regions = sum(int((np.bincount(patch.ravel())[1:] >= MIN_REGION).sum()) for patch in patches)
    edges = int((labels[1:] != labels[:-1]).sum() + (labels[:, 1:] != labels[:, :-1]).sum())
    entropy = abs(float(-(shares * np.log2(shares)).sum()))
    bits = edges * math.log2(3) + regions * (math.log2(labels.size) + entropy)
    return bits / labels.size


CELLS = 32
"""Side of the grid, in cells, to which input and photograph are reduced."""
HATS = 4
"""Number of nodes of each colour channel, from 0 to 255, for the interpolation of a cell's colour. A hat is the weight
of one node of the 4x4x4: 1 at the node, 0 at the others, linear between."""
WIDTHS = (1, 3, 9, 27)
"""Widths of the square neighbourhoods, in cells."""
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Penalties of the ridge regression, as multiples of the mean sum of squares of a feature."""
MIN_ITEMS = 10
"""Minimum number of items for a regression."""
NO_DIFFERENCE = "the photograph is the mean of the other items' photographs: nothing is left to predict"
_USED = 0.01
"""Minimum share of a cell for a hat; a hat with less in every cell of all label pictures is dropped."""


class LabelCells(NamedTuple):
    """An item on the grid of 32x32 cells: means over each cell's pixels, those on a border by their parts."""

    label: Values
    """(32, 32, 3), colours of the input, 0..1."""
    colours: Values
    """(32, 32, 3), colours of the photograph, 0..1."""
    edges: Values
    """(32, 32, 1), the photograph's gradient: of its integer luma, to the right and the lower neighbour, in levels."""


def cells_of(label: Pixels, photograph: Pixels) -> LabelCells:
    """Return an item's input and photograph on the grid; they may differ in size.

    Raises:
        Unmeasurable: a side is below 32 pixels.
    """
    pictures = [as_picture(label), as_picture(photograph)]
    for picture in pictures:
        require_side(picture, CELLS, "label information")
    luma = compiled.luma(pictures[1]).astype(np.float64)
    right, down = np.diff(luma, axis=1, append=luma[:, -1:]), np.diff(luma, axis=0, append=luma[-1:])
    colours = [_means(picture) / 255 for picture in pictures]
    return LabelCells(colours[0], colours[1], _means(np.hypot(right, down)[..., None]))


def _means(picture: NDArray[np.generic]) -> Values:
    """Reduce (H, W, C) to (32, 32, C), the mean of each cell."""
    rows, columns = (_overlaps(side) for side in picture.shape[:2])
    return _separable(rows, columns, picture.astype(np.float64))


@cache
def _overlaps(side: int) -> Values:
    """Return (32, side): the weight of each pixel in the mean of each cell, along one axis."""
    ends = np.arange(CELLS + 1)[:, None] * side / CELLS
    pixel = np.arange(side)
    return np.clip(np.minimum(ends[1:], pixel + 1) - np.maximum(ends[:-1], pixel), 0, None) * CELLS / side


@cache
def _neighbourhood(width: int) -> Values:
    """Return (32, 32), the mean over a neighbourhood's cells on the grid, along one axis."""
    cells = np.arange(CELLS)
    inside = (np.abs(cells[:, None] - cells) <= width // 2).astype(np.float64)
    return inside / inside.sum(axis=1, keepdims=True)


def _separable(rows: Values, columns: Values, planes: Values) -> Values:
    """Multiply (H, W, C) by a matrix along each of its first two axes."""
    return np.tensordot(np.tensordot(rows, planes, 1), columns, (1, 1)).transpose(0, 2, 1)


def _hats(label: Values) -> Values:
    """Return (32, 32, 64): the weights of the 4x4x4 hats in each cell, by linear interpolation of the cell's colour."""
    near = np.clip(1 - np.abs(label[..., None] * (HATS - 1) - np.arange(HATS)), 0, None)
    red, green, blue = near[..., 0, :], near[..., 1, :], near[..., 2, :]
    hats = red[..., :, None, None] * green[..., None, :, None] * blue[..., None, None, :]
    return hats.reshape(*label.shape[:2], HATS**3)


def _features(hats: Values) -> Values:
    """Convert (32, 32, h) to (1024, 4 h): the mean of each hat over each neighbourhood of each cell."""
    means = [_separable(matrix, matrix, hats) for matrix in map(_neighbourhood, WIDTHS)]
    return np.concatenate(means, axis=-1).reshape(CELLS**2, -1)


def predicted_shares(items: Sequence[LabelCells], target: str) -> Values:
    """Return the share of each photograph that its input predicts, by a ridge regression on the other items.

    The regression predicts each cell's difference from the mean of the other items' photographs at that place, since
    that mean is known without the input. The features are differences from the other items' means, too. The item's own
    sums are subtracted from those of all items, so that it is excluded exactly. The penalty is the one of `PENALTIES`
    with the least squared error over the other items.

    Returns:
        (N,) 1 - squared error / squared differences, at most 1; NaN if the photograph is the mean of the others.

    Raises:
        Unmeasurable: fewer than 10 items.

    >>> noise = np.random.default_rng(0).integers(0, 256, (2, 10, 32, 32, 3), dtype=np.uint8)
    >>> bool((predicted_shares(list(map(cells_of, noise[0], 255 - noise[0])), "colours") > 0.99).all())
    True
    >>> bool((predicted_shares(list(map(cells_of, *noise)), "colours") < 0.05).all())
    True
    """
    n = len(items)
    if n < MIN_ITEMS:
        raise Unmeasurable(f"{n} items with input and photograph; a regression on the others needs {MIN_ITEMS}")
    every_mean, most = np.zeros((CELLS, CELLS, HATS**3)), np.zeros(HATS**3)
    for item in items:
        hats = _hats(item.label)
        every_mean += hats / n
        most = np.maximum(most, hats.max(axis=(0, 1)))
    used = most >= _USED
    mean = _features(every_mean[..., used])
    targets = np.stack([getattr(item, target).reshape(CELLS**2, -1) for item in items])
    targets -= targets.mean(axis=0)

    def differences() -> Iterator[tuple[Values, Values]]:
        for item, values in zip(items, targets, strict=True):
            yield _features(_hats(item.label)[..., used]) - mean, values

    squares = np.zeros((mean.shape[1],) * 2)
    products = np.zeros((mean.shape[1], targets.shape[2]))
    for x, y in differences():
        squares += x.T @ x
        products += x.T @ y
    unit = max(np.trace(squares) / len(squares), np.finfo(np.float64).tiny)
    others = n / (n - 1)  # differences from the mean of the other items
    errors, differing = np.zeros((n, len(PENALTIES))), np.square(targets).sum(axis=(1, 2))
    for number, (x, y) in enumerate(differences()):
        scales, axes = np.linalg.eigh(squares - others * x.T @ x)
        along, turned = x @ axes, axes.T @ (products - others * x.T @ y)
        for column, penalty in enumerate(PENALTIES):
            weights = turned / (np.clip(scales, 0, None) + penalty * unit)[:, None]
            errors[number, column] = np.square(y - along @ weights).sum()
    chosen = (errors.sum(axis=0) - errors).argmin(axis=1)
    least = np.finfo(np.float64).eps * np.maximum(differing.max(), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(differing > least, 1 - errors[np.arange(n), chosen] / differing, np.nan)


_DETAIL = "Leclerc 1989, of our label map: cubes of 24 levels with 1% of the pixels; regions of 16 pixels"
_INFORMATION = "ours: ridge regression on the other items, grid of 32x32 cells, colour hats 4x4x4, widths 1, 3, 9, 27"

_LABEL_INFORMATION = Metric(
    name="label_information",
    title="Label information",
    kind="input",
    measures="share of the photograph's colours that the generator's input predicts, beyond the mean photograph",
    low=-math.inf,
    high=1,
    higher_is_better=True,
    source=_INFORMATION,
    definition="label-information/colours/ridge/32/4/27",
    function=partial(predicted_shares, target="colours"),
    of_items=True,
    min_size=(CELLS, CELLS),
)
METRICS = (
    Metric(
        name="label_detail",
        title="Label detail",
        kind="input",
        measures="bits a pixel that it takes to write the generator's input down as regions of one label",
        unit="bits a pixel",
        source=_DETAIL,
        definition="label-detail/cubes24/1pc/regions16",
        function=label_detail,
        min_size=(_MIN_SIDE, _MIN_SIDE),
    ),
    _LABEL_INFORMATION,
    replace(
        _LABEL_INFORMATION,
        name="label_information_edges",
        title="Label information, edges",
        measures="as label_information, of the strength of the photograph's edges",
        definition="label-information/edges/ridge/32/4/27",
        function=partial(predicted_shares, target="edges"),
    ),
)
