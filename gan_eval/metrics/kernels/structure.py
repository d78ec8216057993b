"""Kernels for SSIM and MS-SSIM.

A picture's rows are taken as (W·C) with interleaved channels, in tiles of `_COLUMNS` of the map's columns. Each row of
a tile is filtered along the row and kept in a rolling buffer; each row of the map is then filtered down the buffer. No
plane of the picture's size is made, and what is at work stays in the processor's nearest cache.

Float32 is enough because every window is centred on its own middle: with c the value there, the window's variance is
Σw(v - c)² - (Σw(v - c))², and as the middle carries 0.27 of the weight, that is at least 0.27 of the first term.
(E[v²] - E[v]², as usual, loses five digits where a picture is bright and flat.) First along a row, which gives means
and variances of pieces of the row; then down, where the variance of the means is added to the mean of the variances.
"""

import math

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.kernels.compiling import compiled

Row = NDArray[np.float32]

_REACH = 5
"""Pixels from a window's middle to its edge."""
_GAUSS = [math.exp(-(k**2) / (2 * 1.5**2)) for k in range(_REACH + 1)]
_WEIGHTS = tuple(np.float32(g / (2 * sum(_GAUSS) - _GAUSS[0])) for g in _GAUSS)
"""Of a tap k places from the middle."""
_C1 = np.float32(2 * (0.01 * 255) ** 2)
_C2 = np.float32(2 * (0.03 * 255) ** 2)
_MIDDLE = np.float32(255)

_COLUMNS = 128
_FRESH = 32
"""Rows filtered between two moves of the buffer's last ten to its top."""
_PLANE = (_FRESH + 2 * _REACH) * _COLUMNS
# Unsigned places spare the test for negative ones, which would keep the loops from being vectorised.
_MEAN_S, _VARIANCE_S, _MEAN_D, _VARIANCE_D = (np.uint64(k * _PLANE) for k in range(4))
_ROW = np.uint64(_COLUMNS)


@compiled
def _sum_and_difference(x: NDArray[np.generic], y: NDArray[np.generic], s: Row, d: Row) -> None:
    """x + y - 255 and x - y: their means and variances hold those of x and y and their covariance."""
    for j in range(x.size):
        first, second = np.float32(x[j]), np.float32(y[j])
        s[j] = first + second - _MIDDLE
        d[j] = first - second


@compiled
def _filter_along(row: Row, step: int, mean: Row, variance: Row) -> None:
    """Mean and variance of the 11 values, `step` apart, about each place of a row."""
    for j in range(mean.size):
        middle = j + _REACH * step
        centre = row[np.uint64(middle)]
        m = v = np.float32(0)
        for k in range(1, _REACH + 1):
            before = row[np.uint64(middle - k * step)] - centre
            after = row[np.uint64(middle + k * step)] - centre
            m += _WEIGHTS[k] * (before + after)
            v += _WEIGHTS[k] * (before * before + after * after)
        mean[j] = centre + m
        variance[j] = v - m * m


@compiled
def _filter_down(maps: Row, start: int, luminance: bool, values: Row) -> None:
    """A row of the SSIM map, from the buffer's eleven rows about the one that begins at `start`.

    Of means and variances of s and d: 2 μx μy = (μs² - μd²)/2, μx² + μy² = (μs² + μd²)/2, 2 σxy = (vs - vd)/2 and
    σx² + σy² = (vs + vd)/2. The factors 1/2 are moved into C1 and C2.
    """
    for j in range(values.size):
        middle = np.uint64(start + j)
        centre_s, centre_d = maps[middle + _MEAN_S], maps[middle + _MEAN_D]
        m_s = m_d = np.float32(0)
        v_s = _WEIGHTS[0] * maps[middle + _VARIANCE_S]
        v_d = _WEIGHTS[0] * maps[middle + _VARIANCE_D]
        for k in range(1, _REACH + 1):
            above, below = middle - np.uint64(k) * _ROW, middle + np.uint64(k) * _ROW
            p, q = maps[above + _MEAN_S] - centre_s, maps[below + _MEAN_S] - centre_s
            m_s += _WEIGHTS[k] * (p + q)
            v_s += _WEIGHTS[k] * (p * p + q * q + (maps[above + _VARIANCE_S] + maps[below + _VARIANCE_S]))
            p, q = maps[above + _MEAN_D] - centre_d, maps[below + _MEAN_D] - centre_d
            m_d += _WEIGHTS[k] * (p + q)
            v_d += _WEIGHTS[k] * (p * p + q * q + (maps[above + _VARIANCE_D] + maps[below + _VARIANCE_D]))
        v_s -= m_s * m_s
        v_d -= m_d * m_d
        numerator, denominator = v_s - v_d + _C2, v_s + v_d + _C2
        if luminance:
            m_s += centre_s + _MIDDLE
            m_d += centre_d
            numerator *= m_s * m_s - m_d * m_d + _C1
            denominator *= m_s * m_s + m_d * m_d + _C1
        values[j] = numerator / denominator


@compiled
def _move_up(maps: Row) -> None:
    """The buffer's last ten rows to its top."""
    for plane in range(4):
        for place in range(plane * _PLANE, plane * _PLANE + 2 * _REACH * _COLUMNS):
            maps[place] = maps[place + _FRESH * _COLUMNS]


@compiled
def similarity_sums(
    x: NDArray[np.generic],
    y: NDArray[np.generic],
    channels: int,
    luminance: bool,
    where: NDArray[np.bool_],
    totals: NDArray[np.float64],
) -> None:
    """Adds each channel's sum of the SSIM map to `totals`, (C,); without `luminance`, of contrast-structure alone.

    x, y: (H, W·C), uint8 or float32 in 0..255, both sides 11 and above.
    where: the places of the map that count, (H - 10, W - 10); all of them where it is of size 0.
    """
    height, length = x.shape
    reach = _REACH * channels
    s = np.empty(_COLUMNS + 2 * reach, np.float32)
    d = np.empty(_COLUMNS + 2 * reach, np.float32)
    maps = np.empty(4 * _PLANE, np.float32)
    values = np.empty(_COLUMNS, np.float32)
    sums = np.empty(_COLUMNS, np.float64)
    for left in range(0, length - 2 * reach, _COLUMNS):
        width = min(_COLUMNS, length - 2 * reach - left)
        sums[:] = 0
        filled = 0
        for row in range(height):
            if filled == _FRESH + 2 * _REACH:
                _move_up(maps)
                filled = 2 * _REACH
            _sum_and_difference(x[row, left : left + width + 2 * reach], y[row, left : left + width + 2 * reach], s, d)
            first = filled * _COLUMNS
            _filter_along(s, channels, maps[first : first + width], maps[_PLANE + first : _PLANE + first + width])
            first += 2 * _PLANE
            _filter_along(d, channels, maps[first : first + width], maps[_PLANE + first : _PLANE + first + width])
            filled += 1
            if row >= 2 * _REACH:
                _filter_down(maps, (filled - 1 - _REACH) * _COLUMNS, luminance, values[:width])
                if where.size == 0:
                    for j in range(width):
                        sums[j] += np.float64(values[j])
                else:
                    for j in range(width):
                        if where[row - 2 * _REACH, (left + j) // channels]:
                            sums[j] += np.float64(values[j])
        for j in range(width):
            totals[(left + j) % channels] += sums[j]


@compiled
def pool(x: NDArray[np.generic], channels: int, odd: int, result: NDArray[np.float32]) -> None:
    """Means of 2x2 pixels of (H, W·C) into (H', W'·C); with `odd` 1, the first row and column stand twice."""
    above = np.empty(x.shape[1], np.float32)
    for i in range(result.shape[0]):
        first, second = x[max(2 * i - odd, 0)], x[2 * i + 1 - odd]
        for j in range(x.shape[1]):
            above[j] = np.float32(first[j]) + np.float32(second[j])
        for j in range(result.shape[1] // channels):
            left, right = max(2 * j - odd, 0) * channels, (2 * j + 1 - odd) * channels
            for c in range(channels):
                result[i, j * channels + c] = np.float32(0.25) * (above[left + c] + above[right + c])
