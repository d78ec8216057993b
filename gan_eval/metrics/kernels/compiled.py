"""Compiled functions on whole pictures for the metrics, one thread for each call.

The kernels are in `loops.py`, which is imported at the first call: numba takes longer to import than a hundred pictures
to measure. It compiles each kernel once on a machine and keeps it on disk.
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
    x, y = (np.ascontiguousarray(picture if where is None else picture[where]).ravel() for picture in (fake, real))
    squares, absolutes = loops.difference_sums(x, y)
    return int(squares), int(absolutes)


def luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma (H, W) uint8: floor((299 R + 587 G + 114 B + 500) / 1000)."""
    from gan_eval.metrics.kernels import loops

    return loops.luma(np.ascontiguousarray(picture).ravel()).reshape(picture.shape[:2])


def similarity(
    x: NDArray[Any], y: NDArray[Any], *, luminance: bool, where: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return (C,) each channel's mean of the SSIM map of two (H, W, C), or of its contrast-structure factor.

    With `where`, (H - 10, W - 10) bool, the mean is over these places, and only the rectangle around them is computed.
    """
    if where is None:
        mask, count = _NO_MASK, (x.shape[0] - 10) * (x.shape[1] - 10)
    else:
        rows, columns = _extent(where.max(axis=1)), _extent(where.max(axis=0))
        mask, count = np.ascontiguousarray(where[rows, columns]), np.count_nonzero(where)
        x, y = (picture[rows.start : rows.stop + 10, columns.start : columns.stop + 10] for picture in (x, y))
    return _similarity_sums(x, y, luminance, mask, _NO_MAP) / count


def similarity_map(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float32]:
    """Return the SSIM map (H - 10, W - 10, C) float32, whose mean is `similarity`."""
    height, width, channels = x.shape
    result = np.empty((height - 10, (width - 10) * channels), np.float32)
    _similarity_sums(x, y, True, _NO_MASK, result)
    return result.reshape(height - 10, width - 10, channels)


def _similarity_sums(
    x: NDArray[Any], y: NDArray[Any], luminance: bool, where: NDArray[np.bool_], whole: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return (C,) each channel's sum of the SSIM map; `where` and `whole` as in the kernel `similarity_sums`."""
    from gan_eval.metrics.kernels import loops

    kind = np.uint8 if x.dtype == y.dtype == np.uint8 else np.float32
    x_rows, y_rows = (
        np.ascontiguousarray(picture.astype(kind, copy=False)).reshape(len(picture), -1) for picture in (x, y)
    )
    return loops.similarity_sums(x_rows, y_rows, x.shape[2], luminance, where, whole)


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

    return loops.sample_moments(np.ascontiguousarray(plane.astype(np.float64, copy=False)), *block, zero_border)


def halve(plane: NDArray[Any]) -> NDArray[np.float64]:
    """Return (ceil(H/2), ceil(W/2)) float64, as MATLAB's `imresize(plane, 0.5)`."""
    from gan_eval.metrics.kernels import loops

    return loops.halve(np.ascontiguousarray(plane.astype(np.float64, copy=False)))


def warm_up() -> None:
    """Compile the kernels, or load them from disk; `run` calls this at the end of set-up."""
    picture = np.zeros((11, 11, 3), np.uint8)
    difference_sums(picture, picture)
    for pictures in (picture, picture.astype(np.float32)):
        similarity(pictures, pictures, luminance=True)
    sample_moments(halve(luma(picture)), block=(4, 4), zero_border=True)


def _extent(line: NDArray[np.bool_]) -> slice:
    """Return the slice from the first to the last True; at least one is needed."""
    filled = np.flatnonzero(line)
    return slice(int(filled[0]), int(filled[-1]) + 1)
