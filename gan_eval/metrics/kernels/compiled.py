"""Compiled functions on whole pictures for the metrics, one thread for each call.

numba is imported at the first call. A kernel is compiled or loaded from disk at its first use.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_NO_MASK = np.empty((0, 0), np.bool_)
_NO_MAP = np.empty((0, 0), np.float32)


def difference_sums(
    fake: NDArray[np.uint8], real: NDArray[np.uint8], where: NDArray[np.bool_] | None = None
) -> tuple[int, int]:
    """Return the exact sums of squared and of absolute differences of two (H, W, 3) uint8.

    With `where`, (H, W) bool, only these pixels count. Other numbers of channels and 16 bits work, too.
    """
    from gan_eval.metrics.kernels import loops

    if fake.dtype != np.uint8 or fake.shape[2] != 3:
        difference = fake.astype(np.int64) - real
        difference = difference if where is None else difference[where]
        return int((difference * difference).sum()), int(np.abs(difference).sum())
    x, y = (_contiguous(picture if where is None else picture[where]).ravel() for picture in (fake, real))
    squares, absolutes = loops.difference_sums(x, y)
    return int(squares), int(absolutes)


def luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma (H, W) uint8: floor((299 R + 587 G + 114 B + 500) / 1000)."""
    from gan_eval.metrics.kernels import loops

    result = np.empty(picture.shape[:2], np.uint8)
    loops.luma(_contiguous(picture).ravel(), result.ravel())
    return result


def similarity(
    x: NDArray[Any], y: NDArray[Any], *, luminance: bool, where: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return (C,) each channel's mean of the SSIM map of two (H, W, C), or of its contrast-structure factor.

    With `where`, (H - 10, W - 10) bool, the mean is over these places, and only the rectangle around them is computed.
    """
    from gan_eval.metrics.kernels import loops

    if where is None:
        places, count = _NO_MASK, (x.shape[0] - 10) * (x.shape[1] - 10)
    else:
        rows, columns = _extent(where.max(axis=1)), _extent(where.max(axis=0))
        places, count = _contiguous(where[rows, columns]), np.count_nonzero(where)
        x, y = (picture[rows.start : rows.stop + 10, columns.start : columns.stop + 10] for picture in (x, y))
    totals = np.zeros(x.shape[2])
    loops.similarity_sums(_rows(x), _rows(y), x.shape[2], luminance, places, _NO_MAP, totals)
    return totals / count


def similarity_map(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float32]:
    """Return the SSIM map (H - 10, W - 10, C) float32, whose mean is `similarity`."""
    from gan_eval.metrics.kernels import loops

    height, width, channels = x.shape
    result = np.empty((height - 10, (width - 10) * channels), np.float32)
    loops.similarity_sums(_rows(x), _rows(y), channels, True, _NO_MASK, result, np.zeros(channels))
    return result.reshape(height - 10, width - 10, channels)


def pool(x: NDArray[Any]) -> NDArray[np.float32]:
    """Return (ceil(H/2), ceil(W/2), C) float32 means of 2x2; of an odd side, the first row or column is repeated."""
    height, width, _ = x.shape
    x = x.astype(np.float32)
    if height % 2 or width % 2:
        x = np.pad(x, ((1, 0), (1, 0), (0, 0)), mode="edge")[: (height + 1) // 2 * 2, : (width + 1) // 2 * 2]
    rows = x[::2] + x[1::2]
    return np.float32(0.25) * (rows[:, ::2] + rows[:, 1::2])


def sample_moments(plane: NDArray[Any], *, block: tuple[int, int], zero_border: bool) -> NDArray[np.float64]:
    """Return (5, 5, blocks): moments of the normalised luma and of its products with neighbours, by whole block.

    For local means, the picture is extended by its edge pixels or, with `zero_border`, by 0.
    """
    from gan_eval.metrics.kernels import loops

    blocks = (plane.shape[0] // block[0]) * (plane.shape[1] // block[1])
    result = np.empty((5, 5, blocks))
    loops.sample_moments(_contiguous(plane.astype(np.float64, copy=False)), *block, zero_border, result)
    return result


def halve(plane: NDArray[Any]) -> NDArray[np.float64]:
    """Return (ceil(H/2), ceil(W/2)) float64, as MATLAB's `imresize(plane, 0.5)`."""
    from gan_eval.metrics.kernels import loops

    result = np.empty((-(-plane.shape[0] // 2), -(-plane.shape[1] // 2)))
    loops.halve(_contiguous(plane), result)
    return result


def warm_up() -> None:
    """Compile every kernel, or load it from disk, with tiny pictures; `run` calls this at the end of set-up."""
    picture = np.zeros((22, 22, 3), np.uint8)
    difference_sums(picture, picture)
    similarity(picture, picture, luminance=True, where=np.ones((12, 12), np.bool_))
    for plane in (picture, pool(picture)):
        similarity(plane, plane, luminance=True)
    sample_moments(halve(luma(picture)), block=(8, 8), zero_border=False)


def _extent(line: NDArray[np.bool_]) -> slice:
    """Return the slice from the first to the last True; at least one is needed."""
    places = np.flatnonzero(line)
    return slice(int(places[0]), int(places[-1]) + 1)


def _contiguous(x: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous, writable array, copied only if needed; numba would compile again for other arrays."""
    whole = np.ascontiguousarray(x)
    return whole if whole.flags.writeable else whole.copy()


def _rows(x: NDArray[Any]) -> NDArray[Any]:
    return _contiguous(x).reshape(x.shape[0], -1)
