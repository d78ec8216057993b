"""Kernels for NIQE and BRISQUE, in float64: luma normalised by its surroundings, its moments, half of the size.

Blocks are done one after the other, each in slabs of eight rows that stay in the processor's nearest caches: the luma
with the window's margin, its normalised values with one column more on either side (going round), and the sums over
each column. Nothing of the picture's size is made.
"""

import math

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.kernels.compiling import compiled

Values = NDArray[np.float64]

_REACH = 3
"""Pixels from a window's middle to its edge."""
_GAUSS = [math.exp(-(k**2) / (2 * (7 / 6) ** 2)) for k in range(_REACH + 1)]
_WEIGHTS = tuple(g / (2 * sum(_GAUSS) - _GAUSS[0]) for g in _GAUSS)
"""Of a tap k places from the middle."""
_ZERO = 1e-6
"""A difference from the local mean below it is exactly 0: see `gan_eval.metrics.definitions.natural_scenes`."""
_SLAB = 8
# Unsigned places (np.uint64 below) spare the test for negative ones, which would keep a loop from being vectorised.
_NEAR = [1.5 * x**3 - 2.5 * x**2 + 1 for x in (0.75, 0.25)]
_FAR = [-0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 for x in (1.75, 1.25)]
_CUBIC = [*_FAR, *_NEAR, *_NEAR[::-1], *_FAR[::-1]]
_TAPS = tuple(tap / sum(_CUBIC) for tap in _CUBIC)
"""Keys' cubic convolution kernel with a = -0.5, widened to twice its size."""


@compiled
def _load_row(plane: Values, row: int, left: int, zero: bool, result: Values, start: int, width: int) -> None:
    """`width` values of a row of (H, W), from column `left` on, to `start`; beyond the plane its edge, or 0."""
    rows, columns = plane.shape
    line = plane[min(max(row, 0), rows - 1)]
    begin, end = max(-left, 0), min(columns - left, width)
    for j in range(begin, end):
        result[np.uint64(start + j)] = line[np.uint64(left + j)]
    for j in range(begin):
        result[start + j] = line[0]
    for j in range(end, width):
        result[start + j] = line[columns - 1]
    if zero:
        outside = row < 0 or row >= rows
        for j in range(width):
            if outside or j < begin or j >= end:
                result[start + j] = 0.0


@compiled
def _normalise_row(rows: Values, stride: int, means: Values, squares: Values, result: Values) -> None:
    """The normalised values of the fourth of seven rows, `stride` apart; `result` is 6 shorter than the rows."""
    width = means.size
    centre = rows[_REACH * stride : _REACH * stride + width]
    for j in range(width):
        y = rows[np.uint64(_REACH * stride + j)]
        mean, square = _WEIGHTS[0] * y, _WEIGHTS[0] * (y * y)
        for k in range(1, _REACH + 1):
            above, below = rows[np.uint64((_REACH - k) * stride + j)], rows[np.uint64((_REACH + k) * stride + j)]
            mean += _WEIGHTS[k] * (above + below)
            square += _WEIGHTS[k] * (above * above + below * below)
        means[j], squares[j] = mean, square
    for j in range(result.size):
        middle = j + _REACH
        mean, square = _WEIGHTS[0] * means[np.uint64(middle)], _WEIGHTS[0] * squares[np.uint64(middle)]
        for k in range(1, _REACH + 1):
            before, after = np.uint64(middle - k), np.uint64(middle + k)
            mean += _WEIGHTS[k] * (means[before] + means[after])
            square += _WEIGHTS[k] * (squares[before] + squares[after])
        difference = centre[np.uint64(middle)] - mean
        deviation = math.sqrt(abs(square - mean * mean))
        result[j] = 0.0 if abs(difference) < _ZERO else difference / (deviation + 1.0)


@compiled
def _add_moments(slab: Values, others: Values, stride: int, shift: int, sums: Values) -> None:
    """Adds to `sums`, (5, width), over the slab's rows, for each column: |v|, v² left, right, counts left, right.

    v is a value of the slab's rows 1 to 8 times that of `others` `shift` places away.
    """
    for j in range(sums.shape[1]):
        absolute = left = right = count_left = count_right = 0.0
        for row in range(1, _SLAB + 1):
            place = row * stride + 1 + j
            v = slab[np.uint64(place)] * others[np.uint64(place + shift)]
            absolute += abs(v)
            negative, positive = min(v, 0.0), max(v, 0.0)
            left += negative * negative
            right += positive * positive
            count_left += 1.0 if v < 0.0 else 0.0
            count_right += 1.0 if v > 0.0 else 0.0
        sums[0, j] += absolute
        sums[1, j] += left
        sums[2, j] += right
        sums[3, j] += count_left
        sums[4, j] += count_right


@compiled
def _fill_slab(
    plane: Values, zero: bool, top: int, left: int, first: int, end: int, rows: Values, slab: Values
) -> None:
    """Normalised values of a block's rows, from (top, left) on, into the slab's rows from `first` to before `end`.

    rows: room for the luma of eight rows with the window's margin.
    """
    wide = rows.size // (_SLAB + 2 * _REACH)
    width = wide - 2 * _REACH
    means, squares = np.empty(wide), np.empty(wide)
    for row in range(end - first + 2 * _REACH):
        _load_row(plane, top - _REACH + row, left - _REACH, zero, rows, row * wide, wide)
    for row in range(end - first):
        line = slab[(first + row) * (width + 2) : (first + row + 1) * (width + 2)]
        _normalise_row(rows[row * wide :], wide, means, squares, line[1:-1])
        line[0], line[width + 1] = line[width], line[1]


@compiled
def sample_moments(plane: Values, block_height: int, block_width: int, zero: bool, result: Values) -> None:
    """Moments of the normalised values and of their products with neighbours, for each block of (H, W).

    result: (5 moments, 5 samples, blocks); see `gan_eval.metrics.kernels.backends.Backend.sample_moments`.
    """
    across = plane.shape[1] // block_width
    stride = block_width + 2
    rows = np.empty((_SLAB + 2 * _REACH) * (block_width + 2 * _REACH))
    slab = np.empty((_SLAB + 1) * stride)
    ones = np.ones(slab.size)
    sums = np.empty((5, 5, block_width))
    shifts = (0, -1, -stride, -stride - 1, -stride + 1)
    for block in range(result.shape[2]):
        top, left = block // across * block_height, block % across * block_width
        sums.fill(0.0)
        for start in range(-_SLAB, block_height, _SLAB):
            # Above a block's first row lies, going round, its last: it comes alone, as the end of a slab before.
            first, row = (_SLAB, block_height - 1) if start < 0 else (1, start)
            for j in range(stride):
                slab[j] = slab[_SLAB * stride + j]
            for j in range(stride, slab.size):
                slab[j] = 0.0  # where the last slab is not full, its other rows count for nothing
            end = min(first + block_height - row, _SLAB + 1)
            _fill_slab(plane, zero, top + row, left, first, end, rows, slab)
            if start < 0:
                continue
            for sample in range(5):
                _add_moments(slab, ones if sample == 0 else slab, stride, shifts[sample], sums[sample])
        for sample in range(5):
            for moment in range(5):
                result[moment, sample, block] = sums[sample, moment].sum()


@compiled
def halve(plane: NDArray[np.generic], result: Values) -> None:
    """MATLAB's imresize(plane, 0.5) of (H, W) into (ceil(H/2), ceil(W/2)); both sides at least 4."""
    height, width = plane.shape
    columns = np.empty(2 * result.shape[1] + 6)
    inside = columns[3 : 3 + width]
    for i in range(result.shape[0]):
        for j in range(width):
            inside[j] = 0.0
        for tap in range(8):
            row = 2 * i - 3 + tap
            line = plane[-1 - row if row < 0 else 2 * height - 1 - row if row >= height else row]
            for j in range(width):
                inside[j] += _TAPS[tap] * line[j]
        for k in range(3):
            columns[k] = inside[2 - k]
        for k in range(3 + width, columns.size):
            columns[k] = inside[2 * width + 2 - k]
        for j in range(result.shape[1]):
            total = 0.0
            for tap in range(8):
                total += _TAPS[tap] * columns[np.uint64(2 * j + tap)]
            result[i, j] = total
