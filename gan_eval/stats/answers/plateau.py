"""The step after which a metric no longer improves, with its uncertainty.

The curve is taken as a broken line: it improves in proportion to the steps, or to their logarithm, up to a change
point, and is flat from there on. Least squares over all change points (a broken stick; Hinkley 1971, Journal of the
American Statistical Association 66, 736-743) gives the step; the scale is that with the smaller sum of squares, both
having equally many parameters. Everything uncertain comes from a bootstrap of the residuals as an autoregressive
series of order 1, since successive measurements of one run hang together:

- `never_improved`: a constant could have given so good a broken line (5 % test);
- `still_improving`: a straight line could have (5 % test), or the change point's 95 % interval reaches the last step;
- `plateau`: neither.

A curve often falls fast at first and slowly afterwards, and one broken line then ends with the fast part. So what comes
after a change point is asked the same again, as a curve of its own (1 % test), until it no longer improves.

How honest that is, over 150 simulated series of each kind (broken lines on either scale; noise of 5 % of the rise):
of 20 or 50 measurements 92 to 95 % of the intervals held the true step, 87 to 95 % where successive errors correlate
by 0.5; of 10 measurements 88 to 91 % and 82 %. Curves that improve to the end were called a plateau in 1 to 3 % (with
correlated errors 3 to 9 %), constants were said to improve in 5 to 7 % (8 to 14 %).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from gan_eval.tables import PLATEAUS, VALIDATION
from gan_eval.tables.frames import conform, frame_of

Verdict = Literal["plateau", "still_improving", "never_improved", "too_few"]
FEWEST = 8
"""Measurements below which nothing is said."""
REPLICATES = 1000
ALPHA = 0.05
ALPHA_AGAIN = 0.01
"""Of the question whether what comes after a change point improves: stricter, because it is asked again and again."""
_BREAKS = 200
"""Change points tried on each scale, evenly spread over the measurements from the second to the last."""
_PARAMETERS = 4
"""Start, slope, change point, and the scale."""
_MOST_CORRELATION = 0.9
_ROUNDING = 1e-10
"""Sums of squares below this, of values with range 1, are rounding."""


@dataclass(frozen=True)
class Plateau:
    """What a curve says."""

    verdict: Verdict
    n: int
    """Measurements used."""
    step: float | None = None
    """The change point; None unless the verdict is plateau."""
    low: float | None = None
    """Lower end of its 95 % interval; where the curve still improves, it improves at least up to here."""
    high: float | None = None
    level: float | None = None
    """The metric's fitted value on the plateau, or at the last step."""
    scale: str | None = None
    """linear or log: in what the improvement is linear."""
    note: str | None = None


def find_plateau(
    steps: np.ndarray, values: np.ndarray, *, higher_is_better: bool, seed: int = 0, replicates: int = REPLICATES
) -> Plateau:
    """The step after which the values no longer improve.

    Args:
        steps: (N,) ascending, different, 0 and above.
        values: (N,) of the metric; those that are not finite are left out.
        higher_is_better: which way is improvement.
        seed: of the bootstrap.
        replicates: of the bootstrap.

    >>> steps = np.arange(0, 40_000, 1000)
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 40)
    >>> result = find_plateau(steps, np.minimum(steps, 15_000) / 5000 + noise, higher_is_better=True)
    >>> result.verdict, result.scale, 14_000 < result.step < 16_000
    ('plateau', 'linear', True)
    """
    known = np.isfinite(values)
    t, y = np.asarray(steps, float)[known], np.asarray(values, float)[known]
    if len(t) < FEWEST:
        return Plateau("too_few", len(t), note=f"{len(t)} measurements; a plateau needs {FEWEST}")
    if np.ptp(y) == 0:
        return Plateau("never_improved", len(t), level=float(y[0]), note="every value is the same")
    middle, scale = float(y.mean()), float(np.ptp(y)) * (1 if higher_is_better else -1)
    y, rng = (y - middle) / scale, np.random.default_rng(seed)
    result = _verdict(t, y, rng, replicates)
    if result.step is not None and result.step <= t[1]:
        result = replace(result, note="at or before the second measurement: measure more often early on")
    while result.step is not None and (t > result.step).sum() >= FEWEST:
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
    """The table `plateaus` of several models.

    Args:
        validations: the table `validation` of each model.
        datasets: what each was trained on, where that is known.
        higher_is_better, seed: see `plateaus`.
    """
    tables = [
        plateaus(rows, model=model, dataset=datasets.get(model), higher_is_better=higher_is_better, seed=seed)
        for model, rows in validations.items()
    ]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else frame_of([], PLATEAUS)


def plateaus(
    validation: pd.DataFrame, *, model: str, dataset: str | None, higher_is_better: Mapping[str, bool], seed: int = 0
) -> pd.DataFrame:
    """The table `plateaus` of a model: a row for each metric and mode of its table `validation`.

    Args:
        validation: the table `validation`.
        model: the generator's name.
        dataset: what it was trained on.
        higher_is_better: by metric; others in the table (such as diversity) have no better and get no row.
        seed: of the bootstrap.
    """
    rows = conform(validation, VALIDATION, where="validation")
    results = []
    for (metric, mode), curve in rows[rows["metric"].isin(list(higher_is_better))].groupby(
        ["metric", "mode"], sort=True
    ):
        curve = curve.sort_values("step")
        result = find_plateau(
            curve["step"].to_numpy(float),
            curve["value"].to_numpy(float),
            higher_is_better=higher_is_better[str(metric)],
            seed=seed,
        )
        named = {"model": model, "dataset": dataset, "metric": metric, "mode": mode}
        ends = {"plateau_step": result.step, "ci_low": result.low, "ci_high": result.high}
        results.append(
            {
                **named,
                **{name: None if value is None else round(value) for name, value in ends.items()},
                **{name: getattr(result, name) for name in ("level", "scale", "verdict", "n", "note")},
                "fraction": curve["fraction"].iloc[0],
            }
        )
    return frame_of(results, PLATEAUS)


def _verdict(
    t: np.ndarray, y: np.ndarray, rng: np.random.Generator, replicates: int, *, alpha: float = ALPHA
) -> Plateau:
    """What one broken line says of values (N,) within a range of 1 that improve upwards; `level` is one of them.

    Args:
        alpha: level of the test whether the values improve at all.
    """
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
        """Those over the steps t (N,)."""
        places = np.linspace(1, len(t) - 1, _BREAKS)
        steps = np.interp(places, np.arange(len(t)), t)
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
    """Residuals of the broken line as an autoregressive series of order 1, sampled anew."""

    def __init__(self, residuals: np.ndarray, rng: np.random.Generator, shape: tuple[int, int]) -> None:
        n = len(residuals)
        lagged = float(residuals[1:] @ residuals[:-1] / (residuals @ residuals)) if residuals.any() else 0.0
        # Fitting takes correlation out of residuals: by about (parameters - 1 + 3 r) / n.
        self.correlation = float(np.clip(lagged + (_PARAMETERS - 1 + 3 * lagged) / n, 0, _MOST_CORRELATION))
        freedom = n - _PARAMETERS * (1 + self.correlation) / (1 - self.correlation)
        variance = float(residuals @ residuals) / max(freedom, n / 3)
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
        """Share of series from `null` on which a broken line does as much better than a line (or constant) as on y."""
        replicates = null + self.sample()
        return float((_gain(lines, replicates, line=line) >= _gain(lines, y[None], line=line)[0]).mean())


def _gain(lines: _BrokenLines, y: np.ndarray, *, line: bool) -> np.ndarray:
    """(B,) what the best broken line explains beyond the best line (or constant), over what it leaves."""
    broken = lines.fit(y).explained
    total = ((y - y.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    gained = broken - (lines.fit(y, line=True).explained if line else 0.0)
    return np.where(gained <= _ROUNDING, 0.0, gained / np.maximum(total - broken, _ROUNDING))
