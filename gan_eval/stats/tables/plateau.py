"""The step after which a metric no longer improves, with its uncertainty.

The curve is fitted by least squares as a broken line: it improves in proportion to the steps, or to their logarithm, up
to a change point, and is flat from there on (Hinkley 1971, Journal of the American Statistical Association 66,
736-743). Uncertainty comes from a bootstrap of the residuals as an autoregressive series of order 1:

- `never_improved`: a constant could have given an equally good broken line (5% test);
- `still_improving`: a straight line could have (5% test), or the change point's 95% interval reaches the last step;
- `plateau`: neither.

The measurements after a change point are tested again as a curve of their own (1% test), until they no longer improve,
because curves often fall fast at first and slowly afterwards.

Over 150 simulated series of each kind (noise of 5% of the rise), 92 to 95% of the intervals of 20 or 50 measurements
held the true step, and 87 to 95% where successive errors correlate by 0.5. Curves that improve to the end were called
a plateau in 1 to 3% (correlated errors: 3 to 9%); constants were said to improve in 5 to 7% (8 to 14%).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.tables import PLATEAUS, VALIDATION
from gan_eval.tables.frames import Row, conform, frame_of

Verdict = Literal["plateau", "still_improving", "never_improved", "too_few"]
MIN_MEASUREMENTS = 8
REPLICATES = 1000
ALPHA = 0.05
ALPHA_AGAIN = 0.01
"""Level of the repeated test of the measurements after a change point."""
_BREAKS = 200
"""Number of change points on each scale, evenly spread over the measurements from the second to the last."""
_PARAMETERS = 4
"""Start, slope, change point, and the scale."""
_MAX_CORRELATION = 0.9
_ROUNDING = 1e-10
"""Sums of squares below this are rounding errors; values have the range 1."""


@dataclass(frozen=True)
class Plateau:
    """Result for a curve."""

    verdict: Verdict
    n: int
    """Number of measurements used."""
    step: float | None = None
    """Change point; None unless the verdict is plateau."""
    low: float | None = None
    """Lower end of its 95% interval; a curve that still improves does so at least up to here."""
    high: float | None = None
    level: float | None = None
    """Fitted value of the metric on the plateau, or at the last step."""
    scale: str | None = None
    """linear or log."""
    note: str | None = None


def find_plateau(
    steps: np.ndarray, values: np.ndarray, *, higher_is_better: bool, seed: int = 0, replicates: int = REPLICATES
) -> Plateau:
    """Find the step after which the values no longer improve.

    Args:
        steps: (N,) ascending, different, 0 and above.
        values: (N,) of the metric; those that are not finite are left out.

    >>> steps = np.arange(0, 40_000, 1000)
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 40)
    >>> result = find_plateau(steps, np.minimum(steps, 15_000) / 5000 + noise, higher_is_better=True)
    >>> result.verdict, result.scale, 14_000 < result.step < 16_000
    ('plateau', 'linear', True)
    """
    finite = np.isfinite(values)
    t, y = np.asarray(steps, float)[finite], np.asarray(values, float)[finite]
    if len(t) < MIN_MEASUREMENTS:
        return Plateau("too_few", len(t), note=f"{len(t)} measurements; a plateau needs {MIN_MEASUREMENTS}")
    if np.ptp(y) == 0:
        return Plateau("never_improved", len(t), level=float(y[0]), note="every value is the same")
    middle, scale = float(y.mean()), float(np.ptp(y)) * (1 if higher_is_better else -1)
    y, rng = (y - middle) / scale, np.random.default_rng(seed)
    result = _verdict(t, y, rng, replicates)
    if result.step is not None and result.step <= t[1]:
        result = replace(result, note="at or before the second measurement: measure more often early on")
    while result.step is not None and (t > result.step).sum() >= MIN_MEASUREMENTS:
        first, rest = result.step, t > result.step
        later = _verdict(t[rest], y[rest], rng, replicates, alpha=ALPHA_AGAIN)
        if later.verdict == "never_improved":
            break
        result = replace(later, n=len(t), note=f"improves fastest up to step {first:.0f}, then more slowly")
    return replace(result, level=None if result.level is None else middle + scale * result.level)


def all_plateaus(
    validations: Mapping[str, pd.DataFrame],
    *,
    datasets: Mapping[str, str],
    higher_is_better: Mapping[str, bool],
    seed: int = 0,
) -> pd.DataFrame:
    """Return the table `plateaus`: a row for each model, metric and mode.

    Args:
        higher_is_better: by metric; others in the table (such as diversity) get no row.
    """
    results: list[Row] = []
    for model, validation in validations.items():
        rows = conform(validation, VALIDATION, where="validation")
        rows = rows[rows["metric"].isin(list(higher_is_better))]
        for (metric, mode), curve in rows.groupby(["metric", "mode"], sort=True):
            curve = curve.sort_values("step")
            steps, values = (curve[name].to_numpy(float) for name in ("step", "value"))
            plateau = find_plateau(steps, values, higher_is_better=higher_is_better[str(metric)], seed=seed)
            ends = {"plateau_step": plateau.step, "ci_low": plateau.low, "ci_high": plateau.high}
            results.append(
                {
                    "model": model,
                    "dataset": datasets.get(model),
                    "metric": metric,
                    "mode": mode,
                    **{name: None if value is None else round(value) for name, value in ends.items()},
                    **{name: getattr(plateau, name) for name in ("level", "scale", "verdict", "n", "note")},
                    "fraction": curve["fraction"].iloc[0],
                }
            )
    return frame_of(results, PLATEAUS)


def _verdict(
    t: np.ndarray, y: np.ndarray, rng: np.random.Generator, replicates: int, *, alpha: float = ALPHA
) -> Plateau:
    """Return the verdict of one broken line on values (N,) with range 1 that improve upwards."""
    lines, n = _BrokenLines.over(t), len(t)
    fit, straight = lines.fit(y[None]), lines.fit(y[None], line=True)
    noise = _Noise(y - fit.fitted[0], rng, (replicates, n))
    if noise.p_value(lines, y, null=np.full(n, y.mean()), line=False) > alpha:
        return Plateau("never_improved", n, level=float(y.mean()))
    breaks = lines.steps[lines.fit(fit.fitted + noise.sample()).best % _BREAKS]
    low, high = (float(end) for end in np.quantile(breaks, [ALPHA / 2, 1 - ALPHA / 2]))
    level = float(fit.fitted[0, -1])
    scale = "log" if fit.best[0] >= _BREAKS else "linear"
    if high >= t[-1] or noise.p_value(lines, y, null=straight.fitted[0], line=True) > ALPHA:
        return Plateau("still_improving", n, low=low, level=level, scale=scale)
    step = float(lines.steps[fit.best[0] % _BREAKS])
    return Plateau("plateau", n, step, min(low, step), max(high, step), level, scale)


class _Fit(NamedTuple):
    best: np.ndarray
    """(B,) number of the best change point; those on the scale of log(step) follow the linear ones."""
    explained: np.ndarray
    """(B,) sum of squares that it explains."""
    fitted: np.ndarray
    """(B, N)"""


@dataclass(frozen=True)
class _BrokenLines:
    """Rising broken lines over N measurements, for every change point on both scales."""

    steps: np.ndarray
    """(_BREAKS,) the change points; with the last one the line is straight."""
    shapes: np.ndarray
    """(2 _BREAKS, N) min(x, change point) with mean 0 and length 1."""

    @classmethod
    def over(cls, t: np.ndarray) -> "_BrokenLines":
        """Return the broken lines over the steps t (N,)."""
        positions = np.linspace(1, len(t) - 1, _BREAKS)
        steps = np.interp(positions, np.arange(len(t)), t)
        unit = t[t > 0].min()
        shapes = []
        for scaled in (lambda s: s, lambda s: np.log1p(s / unit)):
            shape = np.minimum(scaled(t)[None], scaled(steps)[:, None])
            shape = shape - shape.mean(axis=1, keepdims=True)
            shapes.append(shape / np.linalg.norm(shape, axis=1, keepdims=True))
        return cls(steps, np.concatenate(shapes))

    def fit(self, y: np.ndarray, *, line: bool = False) -> _Fit:
        """The best one for each of (B, N) series; with `line` the best straight line. None falls."""
        rise = np.maximum(y @ self.shapes.T, 0)
        if line:
            rise[:, np.arange(2 * _BREAKS) % _BREAKS != _BREAKS - 1] = 0
        best = rise.argmax(axis=1)
        height = np.take_along_axis(rise, best[:, None], axis=1)
        return _Fit(best, height[:, 0] ** 2, y.mean(axis=1, keepdims=True) + height * self.shapes[best])


class _Noise:
    """Resample the residuals of the broken line as an autoregressive series of order 1."""

    def __init__(self, residuals: np.ndarray, rng: np.random.Generator, shape: tuple[int, int]) -> None:
        n = len(residuals)
        lagged = float(residuals[1:] @ residuals[:-1] / (residuals @ residuals)) if residuals.any() else 0.0
        # Fitting takes correlation out of residuals: by about (parameters - 1 + 3 r) / n.
        self.correlation = float(np.clip(lagged + (_PARAMETERS - 1 + 3 * lagged) / n, 0, _MAX_CORRELATION))
        df = n - _PARAMETERS * (1 + self.correlation) / (1 - self.correlation)
        variance = float(residuals @ residuals) / max(df, n / 3)
        shocks = residuals[1:] - self.correlation * residuals[:-1]
        shocks = shocks - shocks.mean()
        deviation = shocks.std()
        self._shocks = shocks / deviation * np.sqrt(variance * (1 - self.correlation**2)) if deviation else shocks
        self._rng, self._shape = rng, shape

    def sample(self) -> np.ndarray:
        """(B, N) series."""
        series = self._rng.choice(self._shocks, self._shape)
        series[:, 0] /= np.sqrt(1 - self.correlation**2)
        for k in range(1, self._shape[1]):
            series[:, k] += self.correlation * series[:, k - 1]
        return series

    def p_value(self, lines: _BrokenLines, y: np.ndarray, *, null: np.ndarray, line: bool) -> float:
        """Return the share of series from `null` on which a broken line gains at least as much as on y."""
        replicates = null + self.sample()
        return float((_gain(lines, replicates, line=line) >= _gain(lines, y[None], line=line)[0]).mean())


def _gain(lines: _BrokenLines, y: np.ndarray, *, line: bool) -> np.ndarray:
    """Compute (B,) the sum of squares that the broken line explains beyond the line (or constant), over the rest."""
    broken = lines.fit(y).explained
    total = ((y - y.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    gained = broken - (lines.fit(y, line=True).explained if line else 0.0)
    return np.where(gained <= _ROUNDING, 0.0, gained / np.maximum(total - broken, _ROUNDING))
