"""Kernel Inception distance: the unbiased squared maximum mean discrepancy over all pairs of pictures."""

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.frechet import Features
from gan_eval.metrics.unmeasurable import Unmeasurable

BLOCK = 2048
"""Rows of the kernel matrix that are held at a time."""


def kernel_distance(real: Features, fake: Features) -> float:
    """KID (Binkowski et al. 2018): cubic kernel (xᵀy/d + 1)³, diagonals left out, float64, no subsets, no seed.

    Args:
        real: (N, d) features of the real pictures.
        fake: (M, d) features of the generated ones.

    Returns:
        The unbiased estimate; it may be below 0.

    Raises:
        Unmeasurable: a set has fewer than two members.

    >>> x = np.array([[0.0], [1.0]])
    >>> kernel_distance(x, x)  # (1 + 1)/2 + (1 + 1)/2 - 2 (1 + 1 + 1 + 8)/4
    -3.5
    """
    if min(len(real), len(fake)) < 2:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; KID needs two of each")
    x, y = np.asarray(real, dtype=np.float64), np.asarray(fake, dtype=np.float64)
    n, m = len(x), len(y)
    within = _off_diagonal_sum(x) / (n * (n - 1)) + _off_diagonal_sum(y) / (m * (m - 1))
    return float(within - 2 * _kernel_sum(x, y) / (n * m))


def _off_diagonal_sum(x: NDArray[np.float64]) -> float:
    diagonal = (np.einsum("ij,ij->i", x, x) / x.shape[1] + 1) ** 3
    return _kernel_sum(x, x) - float(diagonal.sum())


def _kernel_sum(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return sum(
        float(_kernel(x[i : i + BLOCK], y[j : j + BLOCK]).sum())
        for i in range(0, len(x), BLOCK)
        for j in range(0, len(y), BLOCK)
    )


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    product = x @ y.T
    product /= x.shape[1]
    product += 1
    return product * product * product
