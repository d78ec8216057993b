"""Colours of maps, and heat maps: where in a picture people, or a metric, see a difference."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Map = NDArray[np.floating]
Pixels = NDArray[np.uint8]


def scale() -> Pixels:
    """Return the (256, 3) colours of the maps, from good (dark) to bad (bright)."""
    from matplotlib import colormaps

    return (colormaps["magma"](np.arange(256))[:, :3] * 255).round().astype(np.uint8)


def coloured(badness: Map) -> Pixels:
    """Return the (H, W, 3) colours of (H, W) values from 0 (good) to 1 (bad)."""
    return scale()[np.rint(np.clip(badness, 0, 1) * 255).astype(np.uint8)]


def stretched(values: Map) -> Map:
    """Return a map from 0 to 1, its 2nd to its 98th percentile; pixels without a value are 0."""
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, (2, 98)) if len(finite) else (0, 1)
    return np.clip(np.nan_to_num((values - low) / (high - low if high > low else 1)), 0, 1)


def heated(picture: Pixels, marks: pd.DataFrame, sigma: float) -> Pixels:
    """Return a picture in grey with the colours of the density of its `marks`, in which each person has weight one."""
    from scipy.ndimage import gaussian_filter

    weights, size = np.zeros(picture.shape[:2]), np.array(picture.shape[:2])
    rows, columns = np.minimum((marks[["y", "x"]].to_numpy(float) * size).astype(int), size - 1).T
    np.add.at(weights, (rows, columns), 1 / marks["participant"].map(marks["participant"].value_counts()))
    density = gaussian_filter(weights, sigma * size[1], mode="constant")
    density /= max(density.max(), 1e-12)
    grey, cover = picture.mean(axis=2, keepdims=True), 0.75 * np.sqrt(density)[..., None]
    return (grey * (1 - cover) * 0.8 + coloured(0.25 + 0.75 * density) * cover).astype(np.uint8)
