"""Draws with replacement, and intervals from bootstrap replicates."""

import numpy as np

REPLICATES = 1000
"""Number of replicates by default, as in `[analysis]`."""
Z_95 = 1.959964
"""97.5% quantile of the standard normal distribution, for two-sided 95% intervals."""


def sampled_counts(rng: np.random.Generator, of: int, size: int) -> np.ndarray:
    """Draw (size, of): how often each of `of` is sampled in `of` draws with replacement."""
    cell = rng.integers(of, size=(size, of)) + np.arange(size)[:, None] * of
    return np.bincount(cell.ravel(), minlength=size * of).reshape(size, of).astype("float64")


def percentile_interval(replicates: np.ndarray) -> tuple[float, float]:
    """Return the 95% percentile interval of the finite replicates; NaN if fewer than nine in ten are finite."""
    known = replicates[np.isfinite(replicates)]
    if len(known) < 0.9 * len(replicates) or len(known) == 0:
        return np.nan, np.nan
    low, high = (float(end) for end in np.quantile(known, [0.025, 0.975]))
    return low, high


def bootstrap_interval(replicates: np.ndarray, estimate: float, *, n: int | None = None) -> tuple[float, float]:
    """Return the 95% interval from the standard deviation of the replicates; NaN where `percentile_interval` is NaN.

    Resampling people and items adds the answers' noise, which pulls correlations towards 0: percentiles are too low,
    and bias-corrected ones (BC, BCa) too narrow (docs/calibration.md). So only the replicates' spread is used.

    Args:
        replicates: (B,) statistics.
        n: the points of a correlation: spread on Fisher's scale, on which ±1 is taken as the middle between it and
            the next value that n ranks without ties can have.
    """
    known = replicates[np.isfinite(replicates)]
    if len(known) < 0.9 * len(replicates) or len(known) < 2:
        return np.nan, np.nan
    if n is None:
        half_width = Z_95 * float(known.std(ddof=1))
        return estimate - half_width, estimate + half_width
    most = 1 - 6 / (n * (n * n - 1))
    half_width = Z_95 * float(np.arctanh(np.clip(known, -most, most)).std(ddof=1))
    low, high = np.tanh(np.arctanh(np.clip(estimate, -most, most)) + np.array([-half_width, half_width]))
    return min(float(low), estimate), max(float(high), estimate)
