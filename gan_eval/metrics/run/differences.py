"""Differences between models: every two models of a data set, metric by metric, on the same items.

Some items are hard for every model. This cancels in the difference of two models, so the interval of a difference may
exclude 0 although the intervals of the two models overlap.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from gan_eval.base.inference import mean_interval
from gan_eval.metrics.catalogue import METRICS, Metric
from gan_eval.metrics.definitions.jackknife import Interval, JackknifeEstimate
from gan_eval.metrics.kernels.pictures import Missing
from gan_eval.tables.frames import Row

MIN_ITEMS = 3
"""Minimum number of shared items for a difference of picture metrics."""
MAX_SIZE_RATIO = 1.1
"""Largest ratio of the sizes of two sets, for metrics whose values depend on the number of pictures."""


@dataclass(frozen=True)
class Outcome:
    """Result of a set metric for one model."""

    result: JackknifeEstimate | Missing
    """The value, or the reason why there is none."""
    items: frozenset[str]
    """Items of the model's pictures."""
    pictures: int
    """Number of pictures behind the value."""
    fraction: float | None = None
    """Proportion of the planned training steps that the model was trained for."""


def compare_outcomes(dataset: str, metric: Metric, outcomes: Mapping[str, Outcome]) -> list[Row]:
    """Return the rows of the table `metric_comparisons`, without `run`, for a set metric and all pairs of models.

    The interval is the jackknife's, with the same groups of items left out for both models. If the metric depends on
    the number of pictures and one set is more than 10 % larger, no difference is computed.
    """
    return [
        {
            "dataset": dataset,
            "metric": metric.name,
            "a": a,
            "b": b,
            "fraction": _smaller(first.fraction, second.fraction),
            **_of_outcomes(metric, a, b, first, second),
        }
        for (a, first), (b, second) in combinations(outcomes.items(), 2)
    ]


def _of_outcomes(metric: Metric, a: str, b: str, first: Outcome, second: Outcome) -> Row:
    """Return the columns of the difference of two models, or the reason why there is none."""
    if not isinstance(first.result, JackknifeEstimate) or not isinstance(second.result, JackknifeEstimate):
        results = {a: first.result, b: second.result}
        reasons = [f"{model}: {result.reason}" for model, result in results.items() if isinstance(result, Missing)]
        return {"n": 0, "reason": "; ".join(reasons)}
    shared = len(first.items if first.items == second.items else first.items & second.items)
    counts = sorted((first.pictures, second.pictures))
    if metric.depends_on_count and counts[1] > counts[0] * MAX_SIZE_RATIO:
        why = "the metric depends on their number; measure the same items"
        return {"n": shared, "reason": f"{a} has {first.pictures} pictures, {b} {second.pictures}: {why}"}
    difference = first.result.minus(second.result)
    interval, notes = difference.interval(), []
    if shared < max(len(first.items), len(second.items)):
        items = f"{a} has {len(first.items)} items, {b} {len(second.items)}"
        notes.append(f"{items}; both values are of all their items")
    if interval is None:
        notes.append(f"no interval: {difference.why_no_interval}")
    elif first.result.share_of and interval.low == interval.high:
        interval = None
        notes.append("no interval: none or all of the pictures count")
    columns = _difference(difference.value, interval, metric, a, b)
    return {"n": shared, **columns, "note": "; ".join(notes) or None}


def compare_pictures(image_rows: Iterable[Mapping[Any, Any]], own: Sequence[Metric] = ()) -> list[Row]:
    """Return the rows of the table `metric_comparisons`, without `run`, for picture metrics and all pairs of models.

    The difference is the mean over the items for which both models have a value; its 95% interval is Student's t of
    the paired differences. Several pictures of one item count as one, by their mean. Infinite values (the PSNR of equal
    pictures) are left out; the note gives their number.

    Args:
        own: metrics that are functions of the user; no model is the better one by these.
    """
    known = METRICS | {metric.name: metric for metric in own}
    compared = {name for name, metric in known.items() if metric.kind in ("pair", "single")}
    values: dict[tuple[str, str], dict[str, dict[str, list[float]]]] = {}
    fractions: dict[tuple[str, str], float | None] = {}
    for row in image_rows:
        if row["kind"] != "fake" or row["metric"] not in compared:
            continue
        model, dataset, value = row["model"], row["dataset"], row["value"]
        of_model = values.setdefault((dataset, row["metric"]), {}).setdefault(model, {})
        fractions[dataset, model] = _smaller(fractions.get((dataset, model)), row.get("fraction"))
        if value is not None and not math.isnan(value):
            of_model.setdefault(row["item"], []).append(float(value))
    return [
        {
            "dataset": dataset,
            "metric": name,
            "a": a,
            "b": b,
            "fraction": _smaller(fractions[dataset, a], fractions[dataset, b]),
            **row,
        }
        for (dataset, name), models in values.items()
        for a, b, row in _paired_differences(models, known[name])
    ]


def _paired_differences(
    models: Mapping[str, Mapping[str, Sequence[float]]], metric: Metric
) -> Iterator[tuple[str, str, Row]]:
    """Yield each pair of models with the columns of their difference."""
    measured = dict.fromkeys(item for items in models.values() for item in items)
    means = {model: {item: _finite_mean(values) for item, values in items.items()} for model, items in models.items()}
    for a, b in combinations(models, 2):
        shared = [item for item in measured if item in means[a] and item in means[b]]
        of_a, of_b = (np.array([means[model][item] for item in shared]) for model in (a, b))
        with np.errstate(invalid="ignore", over="ignore"):  # infinite minus infinite is NaN and is left out too
            differences = of_a - of_b
        finite, notes = differences[np.isfinite(differences)], []
        if left_out := len(shared) - len(finite):
            notes.append(f"{_items(left_out)} left out: a value is infinite")
        if count := sum(max(len(models[a][item]), len(models[b][item])) > 1 for item in shared):
            notes.append(f"{_items(count)} with several pictures of a model: their mean counts")
        yield a, b, {"n": len(finite), **_mean_difference(finite, metric, a, b), "note": "; ".join(notes) or None}


def _mean_difference(differences: np.ndarray, metric: Metric, a: str, b: str) -> Row:
    """Return the columns of the mean of the items' differences, or the reason why there is none."""
    if len(differences) < MIN_ITEMS:
        return {"reason": f"{len(differences)} items have a finite value for both; a difference needs {MIN_ITEMS}"}
    mean, *ends = mean_interval(differences)
    return _difference(mean, Interval(*ends), metric, a, b)


def _finite_mean(values: Sequence[float]) -> float:
    """Return the mean of an item's finite values; infinity if there is none."""
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if len(finite) > 1 else finite[0] if finite else math.inf


def _items(count: int) -> str:
    return f"{count} item{'s' if count > 1 else ''}"


def _difference(difference: float, interval: Interval | None, metric: Metric, a: str, b: str) -> Row:
    """Return the difference, its interval, and the better model if the interval excludes 0."""
    columns: Row = {"difference": difference, "reason": None}
    if interval is None:
        return columns
    greater = a if interval.low > 0 else b if interval.high < 0 else None
    if metric.own:
        greater = None
    lesser = b if greater == a else a
    better = None if greater is None else greater if metric.higher_is_better else lesser
    return columns | {"ci_low": interval.low, "ci_high": interval.high, "better": better}


def _smaller(a: float | None, b: float | None) -> float | None:
    return min((value for value in (a, b) if value is not None and not math.isnan(value)), default=None)
