"""Numbers of one simulated study next to the truth, and averages over all people and pictures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from gan_eval.judgements.trials import AnyTrials, TypedTrials, fill_trials, typed
from gan_eval.settings.analysis import AnalysisSettings
from gan_eval.stats.tables.comparisons import compare

LEVEL = 0.05
_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


class Number(NamedTuple):
    """A number that the analysis prints, and the truth."""

    name: str
    truth: float
    """NaN: only the test is of interest."""
    value: float = np.nan
    """NaN: the analysis gives none."""
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    """Only where the truth is chance, or no difference."""
    p_equivalent: float = np.nan
    """Only where the truth is the margin."""


class Design(NamedTuple):
    """A kind of study."""

    name: str
    study: Callable[[np.random.Generator], list[Number]]
    """Simulate and analyse one study of new people and pictures."""


def share(eta: float | np.ndarray, *spreads: float) -> np.ndarray:
    """Return the mean of logistic(eta + x) over normal x, whose standard deviations are `spreads`, by quadrature.

    >>> share(0.0, 1.0).round(6).tolist()
    0.5
    """
    total = float(np.sqrt(np.square(spreads).sum()))
    return expit(np.asarray(eta)[..., None] + total * _POINTS) @ _WEIGHTS


def over_normal(function: Callable[[float], Any], spread: float) -> Any:
    """Return the mean of function(x) over normal x with the standard deviation `spread`."""
    if not spread:
        return function(0.0)
    return sum(weight * function(spread * point) for point, weight in zip(_POINTS, _WEIGHTS, strict=True))


def prepared(columns: Mapping[str, Any]) -> TypedTrials:
    """Return the trials of a study as the analysis reads them; `dataset` is filled."""
    return typed(fill_trials(pd.DataFrame({"dataset": "d", **columns}), agree=False))


def compared(trials: AnyTrials, question: str, *, margin: float | None = None) -> pd.DataFrame:
    """Return the rows of `comparisons` with this question."""
    table = compare(trials, plan=AnalysisSettings(margin=margin)).table
    return table[(table["question"] == question).to_numpy(bool)]


def difference(row: Mapping[Any, Any], name: str, truth: float, *, margin: float | None = None) -> Number:
    """Return the difference of a row of `comparisons`, with its test where the truth is 0 or the margin."""
    value, low, high = (float(row[column]) for column in ("difference", "ci_low", "ci_high"))
    return Number(
        name,
        truth,
        value,
        low,
        high,
        p=float(row["p"]) if truth == 0 else np.nan,
        p_equivalent=np.nan if margin is None else float(row["p_equivalent"]),
    )


def named(*parts: Sequence[object] | np.ndarray | str) -> list[str]:
    """Return the names of pictures or items, such as `m1/12`, from their parts (N,); a text is the same in all."""
    size = next(len(part) for part in parts if not isinstance(part, str))
    columns = [[part] * size if isinstance(part, str) else part for part in parts]
    return ["/".join(map(str, cells)) for cells in zip(*columns, strict=True)]


def numbers_of_items(reason: np.ndarray, least: int, most: int) -> np.ndarray:
    """Return (P,) numbers of items from least to most after which people stop, the more the larger their `reason`."""
    rank = np.argsort(np.argsort(reason))
    return np.rint(least + (most - least) * (rank + 0.5) / len(reason)).astype(int)
