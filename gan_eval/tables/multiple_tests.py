"""Correct the p values of several tests."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return Holm's step-down adjusted p values (Scandinavian Journal of Statistics 6, 1979, 65-70); missing ones stay
    missing and do not count.

    Args:
        p: (..., m) families of m tests along the last axis; NaN is missing.

    >>> holm([[0.01, 0.04, 0.03], [0.5, np.nan, 0.01]]).round(2).tolist()
    [[0.03, 0.06, 0.06], [0.5, nan, 0.02]]
    """
    p = np.asarray(p, np.float64)
    order = np.argsort(p, axis=-1, kind="stable")  # missing ones come last
    known = np.take_along_axis(p, order, axis=-1)
    left = (~np.isnan(p)).sum(axis=-1, keepdims=True) - np.arange(p.shape[-1])
    raised = np.where(np.isnan(known), np.nan, np.minimum(1.0, np.maximum.accumulate(known * left, axis=-1)))
    adjusted = np.empty(p.shape)
    np.put_along_axis(adjusted, order, raised, axis=-1)
    return adjusted
