"""The loops over pixels that numba compiles: differences and luma, SSIM, NIQE's and BRISQUE's moments.

SSIM takes rows as (W·C) with interleaved channels, in tiles of `COLUMNS` of the map's columns, whose filtered rows are
kept in a rolling buffer. Float32 is enough because every window is centred on its own middle. NIQE and BRISQUE, in
float64, go block by block in slabs of eight rows. No plane of the picture's size is made: what is at work stays in the
processor's nearest caches.
"""

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

COLUMNS = 128
"""Number of columns of an SSIM map that are computed together."""
FRESH = 32
"""Number of filtered rows for which there is room, besides the ten around the next window."""
SSIM_REACH = 5
"""Number of pixels from the middle of SSIM's window to its edge."""
SLAB = 8
"""Number of rows of a block that are normalised together."""
REACH = 3
"""Number of pixels from the middle of NIQE's window to its edge."""

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile a function at its first call; the code is kept on disk, next to the source or in the user's cache.

    It runs without the interpreter's lock. Multiplication and addition may be fused; sums are never reordered.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
    try:
        kernel: Kernel = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither folder can be written
        kernel = numba.njit(**options)(function)
    return kernel


@compiled
def difference_sums(x: NDArray[np.uint8], y: NDArray[np.uint8]) -> tuple[np.int64, np.int64]:
    """Return the sums of squared and of absolute differences of two flat arrays."""
    squares = absolutes = np.int64(0)
    for i in range(x.size):
        difference = np.int64(x[i]) - np.int64(y[i])
        squares += difference * difference
        absolutes += abs(difference)
    return squares, absolutes


@compiled
def luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return floor((299 R + 587 G + 114 B + 500) / 1000) of interleaved (3 N) as (N,).

    float32 holds the thousandths exactly. Adding 0.5 keeps the quotient 5e-4 away from a whole number, twenty times
    the largest error of the product with 0.001.
    """
    result = np.empty(picture.size // 3, np.uint8)
    for i in range(result.size):
        red, green, blue = np.float32(picture[3 * i]), np.float32(picture[3 * i + 1]), np.float32(picture[3 * i + 2])
        thousandths = np.float32(299) * red + np.float32(587) * green + np.float32(114) * blue + np.float32(500)
        result[i] = np.uint8(np.int32((thousandths + np.float32(0.5)) * np.float32(0.001)))
    return result


Row = NDArray[np.float32]

_WINDOW_GAUSS = [math.exp(-(distance**2) / (2 * 1.5**2)) for distance in range(SSIM_REACH + 1)]
_WINDOW_WEIGHTS = tuple(np.float32(weight / (2 * sum(_WINDOW_GAUSS) - _WINDOW_GAUSS[0])) for weight in _WINDOW_GAUSS)
"""Weight of the pixel k places from the middle."""
_C1 = np.float32(2 * (0.01 * 255) ** 2)
_C2 = np.float32(2 * (0.03 * 255) ** 2)
_MIDDLE = np.float32(255)

_PLANE = (FRESH + 2 * SSIM_REACH) * COLUMNS
# Unsigned indices avoid the test for negative ones, which would prevent vectorisation.
_MEAN_S, _VARIANCE_S, _MEAN_D, _VARIANCE_D = (np.uint64(k * _PLANE) for k in range(4))
_ROW = np.uint64(COLUMNS)


@compiled
def _sum_and_difference(x: NDArray[np.generic], y: NDArray[np.generic], s: Row, d: Row) -> None:
    """Write x + y - 255 and x - y, whose means and variances give those of x and y and their covariance."""
    for j in range(x.size):
        first, second = np.float32(x[j]), np.float32(y[j])
        s[j] = first + second - _MIDDLE
        d[j] = first - second


@compiled
def _filter_along(row: Row, step: int, mean: Row, variance: Row) -> None:
    """Compute mean and variance of the 11 values, `step` apart, around each place of a row."""
    for j in range(mean.size):
        middle = j + SSIM_REACH * step
        centre = row[np.uint64(middle)]
        m = v = np.float32(0)
        for k in range(1, SSIM_REACH + 1):
            before = row[np.uint64(middle - k * step)] - centre
            after = row[np.uint64(middle + k * step)] - centre
            m += _WINDOW_WEIGHTS[k] * (before + after)
            v += _WINDOW_WEIGHTS[k] * (before * before + after * after)
        mean[j] = centre + m
        variance[j] = v - m * m


@compiled
def _filter_down(maps: Row, start: int, luminance: int, values: Row) -> None:
    """Compute a row of the SSIM map from the buffer's eleven rows around the one that begins at `start`.

    Of means and variances of s and d: 2 μx μy = (μs² - μd²)/2, μx² + μy² = (μs² + μd²)/2, 2 σxy = (vs - vd)/2 and
    σx² + σy² = (vs + vd)/2. The factors 1/2 are moved into C1 and C2.
    """
    for j in range(values.size):
        middle = np.uint64(start + j)
        centre_s, centre_d = maps[middle + _MEAN_S], maps[middle + _MEAN_D]
        m_s = m_d = np.float32(0)
        v_s = _WINDOW_WEIGHTS[0] * maps[middle + _VARIANCE_S]
        v_d = _WINDOW_WEIGHTS[0] * maps[middle + _VARIANCE_D]
        for k in range(1, SSIM_REACH + 1):
            above, below = middle - np.uint64(k) * _ROW, middle + np.uint64(k) * _ROW
            p, q = maps[above + _MEAN_S] - centre_s, maps[below + _MEAN_S] - centre_s
            m_s += _WINDOW_WEIGHTS[k] * (p + q)
            v_s += _WINDOW_WEIGHTS[k] * (p * p + q * q + (maps[above + _VARIANCE_S] + maps[below + _VARIANCE_S]))
            p, q = maps[above + _MEAN_D] - centre_d, maps[below + _MEAN_D] - centre_d
            m_d += _WINDOW_WEIGHTS[k] * (p + q)
            v_d += _WINDOW_WEIGHTS[k] * (p * p + q * q + (maps[above + _VARIANCE_D] + maps[below + _VARIANCE_D]))
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
    """Move the buffer's last ten rows to its top."""
    for plane in range(4):
        for cell in range(plane * _PLANE, plane * _PLANE + 2 * SSIM_REACH * COLUMNS):
            maps[cell] = maps[cell + FRESH * COLUMNS]


@compiled
def similarity_sums(
    x: NDArray[np.generic],
    y: NDArray[np.generic],
    channels: int,
    luminance: int,
    where: NDArray[np.bool_],
    whole: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return (C,) each channel's sum of the SSIM map; without `luminance`, of contrast-structure alone.

    x, y: (H, W·C), uint8 or float32 in 0..255, both sides 11 and above.
    where: the places of the map that count, (H - 10, W - 10); all of them where it is of size 0.
    whole: room for the map itself, (H - 10, (W - 10)·C); where it is of size 0, the map is not kept.
    """
    height, length = x.shape
    reach = SSIM_REACH * channels
    wide = COLUMNS + 2 * reach
    maps, values = np.empty(4 * _PLANE, np.float32), np.empty(COLUMNS, np.float32)
    s, d = np.empty(wide, np.float32), np.empty(wide, np.float32)
    totals, sums = np.zeros(channels), np.empty(COLUMNS)
    for left in range(0, length - 2 * reach, COLUMNS):
        width = min(COLUMNS, length - 2 * reach - left)
        sums[:] = 0
        filled = 0
        for row in range(height):
            if filled == FRESH + 2 * SSIM_REACH:
                _move_up(maps)
                filled = 2 * SSIM_REACH
            _sum_and_difference(x[row, left : left + width + 2 * reach], y[row, left : left + width + 2 * reach], s, d)
            first = filled * COLUMNS
            _filter_along(s, channels, maps[first : first + width], maps[_PLANE + first : _PLANE + first + width])
            first += 2 * _PLANE
            _filter_along(d, channels, maps[first : first + width], maps[_PLANE + first : _PLANE + first + width])
            filled += 1
            if row >= 2 * SSIM_REACH:
                _filter_down(maps, (filled - 1 - SSIM_REACH) * COLUMNS, luminance, values[:width])
                if whole.size > 0:
                    for j in range(width):
                        whole[row - 2 * SSIM_REACH, left + j] = values[j]
                if where.size == 0:
                    for j in range(width):
                        sums[j] += np.float64(values[j])
                else:
                    for j in range(width):
                        if where[row - 2 * SSIM_REACH, (left + j) // channels]:
                            sums[j] += np.float64(values[j])
        for j in range(width):
            totals[(left + j) % channels] += sums[j]
    return totals


Values = NDArray[np.float64]

_GAUSS = [math.exp(-(step**2) / (2 * (7 / 6) ** 2)) for step in range(REACH + 1)]
_WEIGHTS = tuple(part / (2 * sum(_GAUSS) - _GAUSS[0]) for part in _GAUSS)
"""Weight of a tap k places from the middle."""
_ZERO = 1e-6
"""A difference from the local mean below it is exactly 0: see `gan_eval.metrics.definitions.no_reference`."""
# Unsigned indices (np.uint64 below) avoid the test for negative ones, which would prevent vectorisation.
_NEAR = [1.5 * u**3 - 2.5 * u**2 + 1 for u in (0.75, 0.25)]
_FAR = [-0.5 * u**3 + 2.5 * u**2 - 4 * u + 2 for u in (1.75, 1.25)]
_CUBIC = [*_FAR, *_NEAR, *_NEAR[::-1], *_FAR[::-1]]
_TAPS = tuple(value / sum(_CUBIC) for value in _CUBIC)
"""Keys' cubic convolution kernel with a = -0.5, widened to twice its size."""


@compiled
def _load_row(plane: Values, row: int, left: int, zero: int, result: Values, start: int, width: int) -> None:
    """Copy `width` values of a row of (H, W), from column `left` on, to `start`; beyond the plane its edge, or 0."""
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
    """Normalise the fourth of seven rows, `stride` apart; `result` is 6 shorter than the rows."""
    width = means.size
    centre = rows[REACH * stride : REACH * stride + width]
    for j in range(width):
        y = rows[np.uint64(REACH * stride + j)]
        mean, square = _WEIGHTS[0] * y, _WEIGHTS[0] * (y * y)
        for k in range(1, REACH + 1):
            above, below = rows[np.uint64((REACH - k) * stride + j)], rows[np.uint64((REACH + k) * stride + j)]
            mean += _WEIGHTS[k] * (above + below)
            square += _WEIGHTS[k] * (above * above + below * below)
        means[j], squares[j] = mean, square
    for j in range(result.size):
        middle = j + REACH
        mean, square = _WEIGHTS[0] * means[np.uint64(middle)], _WEIGHTS[0] * squares[np.uint64(middle)]
        for k in range(1, REACH + 1):
            before, after = np.uint64(middle - k), np.uint64(middle + k)
            mean += _WEIGHTS[k] * (means[before] + means[after])
            square += _WEIGHTS[k] * (squares[before] + squares[after])
        difference = centre[np.uint64(middle)] - mean
        deviation = math.sqrt(abs(square - mean * mean))
        result[j] = 0.0 if abs(difference) < _ZERO else difference / (deviation + 1.0)


@compiled
def _add_moments(slab: Values, others: Values, stride: int, shift: int, sums: Values) -> None:
    """Add to `sums`, (5, width), over the slab's rows, for each column: |v|, v² left, right, counts left, right.

    v is a value of the slab's rows 1 to 8 times that of `others` `shift` places away.
    """
    for j in range(sums.shape[1]):
        absolute = left = right = count_left = count_right = 0.0
        for row in range(1, SLAB + 1):
            cell = row * stride + 1 + j
            v = slab[np.uint64(cell)] * others[np.uint64(cell + shift)]
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
    plane: Values, zero: int, top: int, left: int, first: int, end: int, rows: Values, slab: Values, line_room: Values
) -> None:
    """Write normalised rows of a block, from (top, left) on, into the slab's rows from `first` to before `end`.

    rows: room for the luma of eight rows with the window's margin.
    line_room: room for two of these rows.
    """
    wide = rows.size // (SLAB + 2 * REACH)
    width = wide - 2 * REACH
    means, squares = line_room[:wide], line_room[wide : 2 * wide]
    for row in range(end - first + 2 * REACH):
        _load_row(plane, top - REACH + row, left - REACH, zero, rows, row * wide, wide)
    for row in range(end - first):
        line = slab[(first + row) * (width + 2) : (first + row + 1) * (width + 2)]
        _normalise_row(rows[row * wide :], wide, means, squares, line[1:-1])
        line[0], line[width + 1] = line[width], line[1]


@compiled
def sample_moments(plane: NDArray[np.float64], block_height: int, block_width: int, zero: int) -> NDArray[np.float64]:
    """Return moments of the normalised values and of their products with neighbours, for each block of (H, W).

    They are (5 moments, 5 samples, blocks); see `gan_eval.metrics.kernels.compiled.sample_moments`.
    """
    across = plane.shape[1] // block_width
    stride, wide = block_width + 2, block_width + 2 * REACH
    rows, line_room = np.empty((SLAB + 2 * REACH) * wide), np.empty(2 * wide)
    slab, ones = np.empty((SLAB + 1) * stride), np.ones((SLAB + 1) * stride)
    sums = np.empty((5, 5, block_width))
    result = np.empty((5, 5, (plane.shape[0] // block_height) * across))
    shifts = (0, -1, -stride, -stride - 1, -stride + 1)
    for block in range(result.shape[2]):
        top, left = block // across * block_height, block % across * block_width
        sums.fill(0.0)
        for start in range(-SLAB, block_height, SLAB):
            # The neighbour above a block's first row is its last row (circular): load it alone, in a slab before.
            first, row = (SLAB, block_height - 1) if start < 0 else (1, start)
            for j in range(stride):
                slab[j] = slab[SLAB * stride + j]
            for j in range(stride, slab.size):
                slab[j] = 0.0  # if the last slab is not full, its other rows are ignored
            end = min(first + block_height - row, SLAB + 1)
            _fill_slab(plane, zero, top + row, left, first, end, rows, slab, line_room)
            if start < 0:
                continue
            for sample in range(5):
                _add_moments(slab, ones if sample == 0 else slab, stride, shifts[sample], sums[sample])
        for sample in range(5):
            for moment in range(5):
                result[moment, sample, block] = sums[sample, moment].sum()
    return result


@compiled
def halve(plane: Values) -> NDArray[np.float64]:
    """Return MATLAB's imresize(plane, 0.5) of (H, W) as (ceil(H/2), ceil(W/2)); both sides at least 4."""
    height, width = plane.shape
    result = np.empty(((height + 1) // 2, (width + 1) // 2))
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
    return result
