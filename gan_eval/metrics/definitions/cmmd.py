"""CMMD: the squared maximum mean discrepancy of two sets of unit features under a Gaussian kernel."""

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.definitions.frechet import Features
from gan_eval.metrics.kernels.pictures import Unmeasurable

SIGMA = 10.0
"""Width of the kernel exp(-|x - y|² / (2 σ²)): the published program's constant."""
SCALE = 1000.0
"""Factor of the published program, which makes values easy to read."""
BLOCK = 1024
"""Rows and columns of the kernel matrix that are held at a time."""


def cmmd(real: Features, fake: Features) -> float:
    """CMMD (Jayasumana et al. 2024): 1000 times the biased estimate, diagonals included, in float64.

    Every vector is divided by its length, as the published program does with CLIP's.

    Raises:
        Unmeasurable: a set is empty, a vector is 0, or a feature is not finite.

    >>> x, y = np.array([[2.0, 0.0]]), np.array([[0.0, 3.0]])
    >>> round(cmmd(x, y), 6)  # 1000 (1 + 1 - 2 exp(-2 / 200))
    19.900333
    """
    if min(len(real), len(fake)) < 1:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; CMMD needs one of each")
    x, y = _unit(real), _unit(fake)
    return SCALE * (_mean(x, x) + _mean(y, y) - 2 * _mean(x, y))


def _unit(features: Features) -> NDArray[np.float64]:
    vectors = np.array(features, dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all():
        raise Unmeasurable("a feature is not finite")
    if not lengths.all():
        raise Unmeasurable("all features of a picture are 0; CMMD needs their direction")
    vectors /= lengths
    return vectors


def _mean(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The kernel's mean over all pairs of two sets of unit vectors, for which |x - y|² = 2 - 2 x·y."""
    total = 0.0
    for i in range(0, len(x), BLOCK):
        for j in range(0, len(y), BLOCK):
            products = x[i : i + BLOCK] @ y[j : j + BLOCK].T
            products -= 1
            products /= SIGMA**2
            total += float(np.exp(products, out=products).sum())
    return total / (len(x) * len(y))
