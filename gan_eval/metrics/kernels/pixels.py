"""Kernels over whole numbers: differences, luma, Laplacian."""

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.kernels.compiling import compiled


@compiled
def difference_sums(x: NDArray[np.uint8], y: NDArray[np.uint8]) -> tuple[np.int64, np.int64]:
    """Sums of squared and of absolute differences of two flat arrays."""
    squares = absolutes = np.int64(0)
    for i in range(x.size):
        difference = np.int64(x[i]) - np.int64(y[i])
        squares += difference * difference
        absolutes += abs(difference)
    return squares, absolutes


@compiled
def difference_sums_where(
    x: NDArray[np.uint8], y: NDArray[np.uint8], where: NDArray[np.bool_]
) -> tuple[np.int64, np.int64]:
    """Sums of squared and of absolute differences of those rows of two (N, 3) that `where`, (N,), has True for."""
    squares = absolutes = np.int64(0)
    for i in range(where.size):
        if where[i]:
            for c in range(3):
                difference = np.int64(x[i, c]) - np.int64(y[i, c])
                squares += difference * difference
                absolutes += abs(difference)
    return squares, absolutes


@compiled
def luma(picture: NDArray[np.uint8], result: NDArray[np.uint8]) -> None:
    """floor((299 R + 587 G + 114 B + 500) / 1000) of interleaved (3 N) into (N,).

    In float32, which holds the thousandths exactly. Half of one more keeps the quotient 5e-4 away from a whole number,
    twenty times what the product with 0.001 can be wrong.
    """
    for i in range(result.size):
        red, green, blue = np.float32(picture[3 * i]), np.float32(picture[3 * i + 1]), np.float32(picture[3 * i + 2])
        thousandths = np.float32(299) * red + np.float32(587) * green + np.float32(114) * blue + np.float32(500)
        result[i] = np.uint8(np.int32((thousandths + np.float32(0.5)) * np.float32(0.001)))


@compiled
def laplacian_sums(plane: NDArray[np.uint8]) -> tuple[np.int64, np.int64]:
    """Sums of the 4-neighbour Laplacian and of its square over the interior of (H, W)."""
    total = squares = np.int64(0)
    height, width = plane.shape
    for i in range(1, height - 1):
        for j in range(1, width - 1):
            beside = np.int64(plane[i, j - 1]) + np.int64(plane[i, j + 1])
            bend = np.int64(plane[i - 1, j]) + np.int64(plane[i + 1, j]) + beside - 4 * np.int64(plane[i, j])
            total += bend
            squares += bend * bend
    return total, squares
