"""Differences between models: every two models of a data set, metric by metric, on the same items.

What two models' pictures of an item share (a hard item, a real picture) cancels in the difference, which is why two
overlapping intervals may still be told apart here.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.catalogue import METRICS, Metric
from gan_eval.metrics.definitions.jackknife import GROUPS, Estimate, Interval, t_95
from gan_eval.metrics.run.missing import finite_mean
from gan_eval.tabular import Row

FEWEST = 3
"""Shared items that a difference of picture metrics needs."""


@dataclass(frozen=True)
class Outcome:
    """What a set metric gave for one model."""

    result: Estimate | str
    """The value, or the reason why there is none."""
    items: frozenset[str]
    """The items of the model's pictures."""
    fraction: float | None = None
    """Share of the planned training steps that the model was given."""


def compare_outcomes(dataset: str, metric: Metric, outcomes: Mapping[str, Outcome]) -> list[Row]:
    """Rows of the table `metric_comparisons`, without `run`, for a set metric: each two models of a data set.

    The interval is the jackknife's, with the same groups of items left out for both models.

    Args:
        dataset: its name.
        metric: the set metric.
        outcomes: by model.
    """
    return [
        {
            "dataset": dataset,
            "metric": metric.name,
            "a": a,
            "b": b,
            "fraction": _least(outcomes[a].fraction, outcomes[b].fraction),
            **_difference(metric, {a: outcomes[a], b: outcomes[b]}),
        }
        for a, b in combinations(outcomes, 2)
    ]


def _difference(metric: Metric, pair: Mapping[str, Outcome]) -> Row:
    (a, first), (b, second) = pair.items()
    shared = len(first.items if first.items == second.items else first.items & second.items)
    lacking = {model: outcome.result for model, outcome in pair.items() if not isinstance(outcome.result, Estimate)}
    if lacking:
        return {"n": 0, "reason": "; ".join(f"{model}: {reason}" for model, reason in lacking.items())}
    assert isinstance(first.result, Estimate)
    assert isinstance(second.result, Estimate)
    difference = first.result.minus(second.result)
    interval = difference.interval()
    notes = []
    if shared < max(len(first.items), len(second.items)):
        notes.append(f"{a} has {len(first.items)} items, {b} {len(second.items)}; both values are of all their items")
    if interval is None:
        notes.append(f"no interval: too few items for {GROUPS} groups")
    elif first.result.share_of and interval.low == interval.high:
        interval = None
        notes.append("no interval: none or all of the pictures count, whatever is left out")
    return {"n": shared, **_told(difference.value, interval, metric, a, b), "note": "; ".join(notes) or None}


def compare_pictures(image_rows: Iterable[Mapping[str, Any]], *, metrics: Mapping[str, Metric] = METRICS) -> list[Row]:
    """Rows of the table `metric_comparisons`, without `run`, for pair and single metrics: each two models.

    The difference is the mean over the items that both models have a value for; its 95 % interval is Student's t of
    the paired differences. A model's several pictures of an item count as one, by their mean. Infinite values (psnr of
    equal pictures) are in no mean and no difference, and are counted in the note.

    Args:
        image_rows: rows of the table `image_metrics`; those of real pictures are passed over.
        metrics: the facts of the metrics by name; rows of others are passed over.
    """
    values: dict[tuple[str, str], dict[str, dict[str, list[float]]]] = {}
    fractions: dict[tuple[str, str], float | None] = {}
    for row in image_rows:
        if row["kind"] != "fake" or row["metric"] not in metrics:
            continue
        model, dataset, value = row["model"], row["dataset"], row["value"]
        of_model = values.setdefault((dataset, row["metric"]), {}).setdefault(model, {})
        fractions[dataset, model] = _least(fractions.get((dataset, model)), row.get("fraction"))
        if value is not None and not math.isnan(value):
            of_model.setdefault(row["item"], []).append(float(value))
    return [
        {
            "dataset": dataset,
            "metric": name,
            "a": a,
            "b": b,
            "fraction": _least(fractions[dataset, a], fractions[dataset, b]),
            **row,
        }
        for (dataset, name), models in values.items()
        for a, b, row in _paired(models, metrics[name])
    ]


def _paired(models: Mapping[str, Mapping[str, Sequence[float]]], metric: Metric) -> Iterable[tuple[str, str, Row]]:
    """Every two models with their row."""
    place = {item: n for n, item in enumerate(dict.fromkeys(item for values in models.values() for item in values))}
    means = np.full((len(models), len(place)), np.nan)
    left_out, several = np.zeros(means.shape, int), np.zeros(means.shape, bool)
    for row, items in enumerate(models.values()):
        columns = [place[item] for item in items]
        found = [_of_item(values) for values in items.values()]
        means[row, columns] = [mean for mean, _ in found]
        left_out[row, columns] = [count for _, count in found]
        several[row, columns] = [len(values) > 1 for values in items.values()]
    names = list(models)
    for i, j in combinations(range(len(names)), 2):
        pair = [i, j]
        both = ~np.isnan(means[pair]).any(axis=0)
        notes = _on_items(several[pair][:, both], left_out[pair][:, both])
        yield names[i], names[j], _paired_row(means[i, both], means[j, both], metric, names[i], names[j], notes)


def _of_item(values: Sequence[float]) -> tuple[float, int]:
    """The mean of an item's finite values, infinite where there are none; and how many are not in the mean."""
    if len(values) == 1:
        return values[0], 0
    found = finite_mean(values)
    return (math.inf, 0) if found.mean is None else (found.mean, found.left_out)


def _on_items(several: NDArray[np.bool_], left_out: NDArray[np.int_]) -> list[str]:
    """Of the items that both models have: how often one has several pictures, and what is not in their means."""
    notes = []
    if count := int(several.any(axis=0).sum()):
        notes.append(f"{_items(count)} with several pictures of a model: their mean counts")
    if count := int(left_out.sum()):
        notes.append(f"{count} infinite value{'s' if count > 1 else ''} left out of the means of items")
    return notes


def _items(count: int) -> str:
    return f"{count} item{'s' if count > 1 else ''}"


def _paired_row(
    a: NDArray[np.float64], b: NDArray[np.float64], metric: Metric, name_a: str, name_b: str, notes: Sequence[str]
) -> Row:
    with np.errstate(invalid="ignore", over="ignore"):  # infinite less infinite is no number: left out too
        found = finite_mean(a - b)
    n, infinite = found.n, found.left_out
    told = [f"{_items(infinite)} left out: a value is infinite"] if infinite else []
    note = "; ".join([*told, *notes]) or None
    if found.mean is None or found.sd is None or n < FEWEST:
        reason = f"{n} items have a finite value for both; a difference needs {FEWEST}"
        return {"n": n, "reason": reason, "note": note}
    half = t_95(n - 1) * found.sd / math.sqrt(n)
    interval = Interval(found.mean - half, found.mean + half)
    return {"n": n, **_told(found.mean, interval, metric, name_a, name_b), "note": note}


def _told(difference: float, interval: Interval | None, metric: Metric, a: str, b: str) -> Row:
    """The difference with its interval, and the model that is better where the interval does not hold 0."""
    row: Row = {"difference": difference, "reason": None}
    if interval is None:
        return row
    greater = a if interval.low > 0 else b if interval.high < 0 else None
    lesser = b if greater == a else a
    better = None if greater is None else greater if metric.higher_is_better else lesser
    return row | {"ci_low": interval.low, "ci_high": interval.high, "better": better}


def _least(a: float | None, b: float | None) -> float | None:
    return min((value for value in (a, b) if value is not None and not math.isnan(value)), default=None)
