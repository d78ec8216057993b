"""Metric values by data set, metric and model, one number and its interval for each, and metrics' facts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gan_eval.base import inference
from gan_eval.metrics.catalogue import FID_WARNING, METRICS, MIN_FID_PICTURES, metric_named
from gan_eval.metrics.definitions.features import TEMPLATES
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.report.parts.words import NOTHING, from_to, interval, missing, number
from gan_eval.tables import HOLE_METRICS, IMAGE_METRICS, METRIC_COMPARISONS, RUNS, SET_METRICS
from gan_eval.tables.columns import rows_of
from gan_eval.tables.frames import Row, frame_of
from gan_eval.tables.names import RAW_ENDING

REAL = "real"
"""Name of the real pictures in place of a model; no model may have it."""


@dataclass(frozen=True)
class Summary:
    """One metric of one model's pictures of one data set."""

    value: float = math.nan
    """The mean over the items of their pictures' finite values, or the value of the set; NaN where there is none."""
    low: float = math.nan
    """Ends of the 95% interval; NaN where there is none."""
    high: float = math.nan
    n: int = 0
    """Number of generated pictures with a value, infinite ones included."""
    n_items: int | None = None
    """Number of items of the mean if an item has several pictures; else None."""
    n_real: int | None = None
    """Number of real pictures of the value of a set."""
    infinite: int = 0
    """Number of pictures with an infinite value, which the mean excludes."""
    missing: int = 0
    """Number of pictures without a value."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Number of missing values by reason."""
    note: str = ""
    """The table's note on the value of a set."""

    @property
    def is_known(self) -> bool:
        """True if there is a value."""
        return not math.isnan(self.value)


def is_raw(model: str, models: Sequence[str]) -> bool:
    """Return whether a model's name is that of the raw pictures of another one.

    >>> is_raw("a-raw", ["a", "a-raw"]), is_raw("b-raw", ["a", "b-raw"])
    (True, False)
    """
    return model.endswith(RAW_ENDING) and model.removesuffix(RAW_ENDING) in models


class Measured:
    """The tables of `gan-eval metrics`, looked up by data set, metric and model."""

    def __init__(self, frames: Mapping[str, pd.DataFrame], stimuli: Sequence[Stimulus] = ()) -> None:
        """Absent frames count as empty ones.

        Args:
            frames: by table name: image_metrics, set_metrics, metric_comparisons, hole_metrics, runs.
            stimuli: the pictures themselves, for holes and spectra.
        """
        self.images, self.sets, comparisons, self.of_holes, self.runs = (
            frames[table.name].reset_index(drop=True) if table.name in frames else frame_of([], table)
            for table in (IMAGE_METRICS, SET_METRICS, METRIC_COMPARISONS, HOLE_METRICS, RUNS)
        )
        self.images["dataset"] = self.images["dataset"].fillna(NOTHING)
        self._stimuli = {stimulus.stimulus: stimulus for stimulus in stimuli}
        images, sets, compared = (
            {str(name): [*cells] for name, cells in frame.items()} for frame in (self.images, self.sets, comparisons)
        )
        self._of_images, self._of_sets = images, sets
        names = [_name_of(*cells) for cells in zip(images["kind"], images["model"], strict=True)]
        self._pictures = _row_numbers(images["dataset"], images["metric"], names)
        self._set_rows = _row_numbers(sets["dataset"], sets["metric"], sets["model"])
        both = (zip(table["dataset"], table["model"], strict=True) for table in (images, sets))
        self._models = _models_by_dataset(chain.from_iterable(both))
        self.datasets = list(self._models)
        """The data sets in the order of the tables."""
        models = {dataset: {*self.models(dataset)} for dataset in self.datasets}
        self.comparisons: list[Row] = [
            row for row in rows_of(compared) if {row["a"], row["b"]} <= models.get(row["dataset"], set())
        ]
        """The rows of `metric_comparisons` between models that are compared."""
        self._summaries: dict[tuple[str, str, str], Summary] = {}

    def models(self, dataset: str) -> list[str]:
        """Return the models that are compared on a data set, in the order of the tables.

        Raw outputs of generators, before the known pixels were put back, are not among them.
        """
        models = self.models_and_raw(dataset)
        return [model for model in models if not is_raw(model, models)]

    def models_and_raw(self, dataset: str) -> list[str]:
        """Return the compared models and the raw sets of those that have one."""
        return self._models.get(dataset, [])

    def picture_metrics(self, dataset: str) -> list[str]:
        """Return the metrics with a row for single generated pictures of a data set."""
        return in_order(metric for of, metric, model in self._pictures if of == dataset and model != REAL)

    def set_metrics(self, dataset: str) -> list[str]:
        """Return the metrics with a row for sets of pictures of a data set."""
        return in_order(metric for of, metric, _ in self._set_rows if of == dataset)

    def metrics(self, dataset: str) -> list[str]:
        """Return all metrics of a data set, in the catalogue's order."""
        return in_order([*self.picture_metrics(dataset), *self.set_metrics(dataset)])

    def values(self, dataset: str, metric: str, model: str) -> np.ndarray:
        """Return the pictures' values, infinite ones among them; (N,)."""
        values = self._column("value", dataset, metric, model)
        return np.array([value for value in values if not missing(value)], float)

    def _column(self, name: str, dataset: str, metric: str, model: str) -> list[Any]:
        """Return the cells of a column of `image_metrics`; `model` may be REAL."""
        cells = self._of_images[name]
        return [cells[row] for row in self._pictures.get((dataset, metric, model), ())]

    def set_rows(self, dataset: str) -> list[Row]:
        """Return the rows of `set_metrics` of a data set."""
        return [row for row in rows_of(self._of_sets) if row["dataset"] == dataset]

    def summary(self, dataset: str, metric: str, model: str) -> Summary:
        """Return the value with its interval; an empty summary if there is none."""
        key = (dataset, metric, model)
        if key not in self._summaries:
            if key in self._set_rows:
                index = self._set_rows[key][0]
                row = {name: cells[index] for name, cells in self._of_sets.items()}
                self._summaries[key] = _set_summary(row)
            else:
                columns = ("value", "item", "stimulus", "reason")
                self._summaries[key] = picture_summary(*(self._column(name, *key) for name in columns))
        return self._summaries[key]

    def every_summary(self) -> dict[tuple[str, str, str], Summary]:
        """Return the summaries of all compared models, by data set, metric and model."""
        return {
            (dataset, metric, model): self.summary(dataset, metric, model)
            for dataset in self.datasets
            for metric in self.metrics(dataset)
            for model in self.models(dataset)
        }

    @property
    def holes(self) -> pd.DataFrame:
        """Return by stimulus the holes of the pictures: mask_kind and mask_area (0..1)."""
        filled = [stimulus for stimulus in self._stimuli.values() if stimulus.is_fake]
        holes = [(stimulus.mask_kind, stimulus.mask_area) for stimulus in filled]
        frame = pd.DataFrame(holes, [stimulus.stimulus for stimulus in filled], ["mask_kind", "mask_area"])
        return frame.dropna(how="all")

    def files(self, dataset: str, model: str) -> list[Path]:
        """Return the files of a model's pictures of a data set; `model` may be REAL."""
        return [
            stimulus.file
            for stimulus in self._stimuli.values()
            if stimulus.dataset == dataset and (stimulus.model if stimulus.is_fake else REAL) == model
        ]

    def rows(self, dataset: str, metric: str, model: str) -> pd.DataFrame:
        """Return the rows of `image_metrics`; `model` may be REAL."""
        return self.images.iloc[self._pictures.get((dataset, metric, model), [])]


def _name_of(kind: Any, model: Any) -> Any:
    """Return the model of a row of `image_metrics`; `REAL` of real pictures."""
    return REAL if not missing(kind) and kind == "real" else model


def _models_by_dataset(pairs: Iterable[tuple[Any, Any]]) -> dict[str, list[str]]:
    """Return the models of each data set, in the order of these pairs of a data set and a model."""
    by_dataset: dict[str, list[str]] = {}
    for dataset, model in dict.fromkeys(pairs):
        models = by_dataset.setdefault(str(dataset), [])
        if not missing(model) and str(model) not in models:
            models.append(str(model))
    return by_dataset


def _set_summary(row: Row) -> Summary:
    """Return the value of a row of `set_metrics` with its interval."""
    value, low, high = (math.nan if missing(row[name]) else float(row[name]) for name in ("value", "ci_low", "ci_high"))
    reason = "no reason given" if missing(row["reason"]) else str(row["reason"])
    return Summary(
        value=value,
        low=low,
        high=high,
        n=int(row["n_fake"]),
        n_real=None if missing(row["n_real"]) else int(row["n_real"]),
        reasons={reason: 1} if math.isnan(value) else {},
        note="" if missing(row["note"]) else str(row["note"]),
    )


def items_of(rows: pd.DataFrame) -> pd.Series:
    """Return the items of rows of `image_metrics`; a picture without one is its own item."""
    return rows["item"].fillna(rows["stimulus"])


def picture_summary(
    values: Iterable[Any], items: Iterable[Any], stimuli: Iterable[Any], reasons: Iterable[Any]
) -> Summary:
    """Return the mean of one metric over pictures, with its interval by Student's t over the items.

    Several pictures of an item count by their mean, as in the differences between models.
    """
    finite: dict[Any, list[float]] = {}
    infinite, why = 0, dict[str, int]()
    for value, item, stimulus, reason in zip(values, items, stimuli, reasons, strict=True):
        if missing(value):
            text = "no reason given" if missing(reason) else str(reason)
            why[text] = why.get(text, 0) + 1
        elif math.isinf(value):
            infinite += 1
        else:
            finite.setdefault(stimulus if missing(item) else item, []).append(float(value))
    count = sum(map(len, finite.values()))
    mean, low, high = inference.mean_interval([math.fsum(values) / len(values) for values in finite.values()])
    return Summary(
        value=mean,
        low=low,
        high=high,
        n=count + infinite,
        n_items=len(finite) if len(finite) < count else None,
        infinite=infinite,
        missing=sum(why.values()),
        reasons=why,
    )


def with_interval(summary: Summary, *, digits: int = 2) -> str:
    """Return a summary's value with its 95% interval in brackets, if it has one.

    >>> with_interval(Summary(17.345, 16.9, 17.8, n=9))
    '17.34 [16.90, 17.80]'
    """
    value = number(summary.value, digits=digits)
    has_interval = summary.is_known and not missing(summary.low)
    return f"{value} {interval(summary.low, summary.high, digits=digits)}" if has_interval else value


def _row_numbers(datasets: list[Any], metrics: list[Any], models: list[Any]) -> dict[tuple[str, str, str], list[int]]:
    """Return the numbers of the rows of each (data set, metric, model)."""
    numbers: dict[tuple[str, str, str], list[int]] = {}
    for row, key in enumerate(zip(datasets, metrics, models, strict=True)):
        if not any(map(missing, key)):
            numbers.setdefault(tuple(map(str, key)), []).append(row)  # type: ignore[arg-type]
    return numbers


NO_VERDICT = ("sharpness",)
"""Metrics with a direction that do not rank models: noise also raises sharpness."""


def higher_is_better(name: str) -> bool | None:
    """Return whether higher is better; None where that is not known."""
    facts = metric_named(name)
    return None if facts is None else facts.higher_is_better


def direction(name: str, correlation: float) -> int:
    """Return the sign that makes a metric's correlation with people positive if it has the predicted direction.

    For a metric without a direction this is the sign of the correlation.

    >>> direction("psnr", -0.5), direction("fid", -0.5), direction("unheard_of", -0.5)
    (1, -1, -1)
    """
    better = higher_is_better(name)
    return -1 if better is False or (better is None and correlation < 0) else 1


def is_of_quality(name: str) -> bool:
    """Return whether a metric measures generated pictures, and not the generator's input.

    >>> is_of_quality("psnr"), is_of_quality("label_detail"), is_of_quality("unheard_of")
    (True, False, True)
    """
    facts = metric_named(name)
    return facts is None or facts.kind != "input"


def title_of(name: str) -> str:
    """Return the metric's name as papers write it; unknown metrics keep their own name.

    >>> title_of("fid"), title_of("unheard_of")
    ('FID', 'unheard_of')
    """
    facts = metric_named(name)
    return (facts.title if facts else "") or name


def with_arrow(name: str) -> str:
    """Return the title with the direction of better values.

    >>> with_arrow("psnr"), with_arrow("fid"), with_arrow("unheard_of")
    ('PSNR ↑', 'FID ↓', 'unheard_of')
    """
    better = higher_is_better(name)
    return title_of(name) if better is None else f"{title_of(name)} {'↑' if better else '↓'}"


def unit_of(name: str) -> str:
    """Return the unit, or an empty text."""
    facts = metric_named(name)
    return "" if facts is None else facts.unit


def in_order(names: Iterable[str]) -> list[str]:
    """Return each name once: in the catalogue's order, those of features after it, then the others in their order.

    >>> in_order(["mine", "kid@dino", "fid@dino", "fid", "psnr", "fid"])
    ['psnr', 'fid', 'fid@dino', 'kid@dino', 'mine']
    """
    order = {name: index for index, name in enumerate([*METRICS, *(template.name for template in TEMPLATES.values())])}
    return sorted(
        dict.fromkeys(names), key=lambda name: order.get(name, order.get(f"{name.partition('@')[0]}@NAME", len(order)))
    )


def decimals_of(summaries: Iterable[Summary]) -> int:
    """Return the decimal places for a column of summaries."""
    measured = [summary for summary in summaries if summary.is_known]
    return decimals([summary.value for summary in measured], [(summary.high - summary.low) / 2 for summary in measured])


def decimals(values: Sequence[float], half_widths: Sequence[float] = ()) -> int:
    """Return decimal places for a column of values: two digits of the typical half interval, else three of the values.

    >>> decimals([17.345, 18.1], [0.33, 0.41]), decimals([187.2], [12.0]), decimals([0.2131]), decimals([])
    (2, 1, 4, 2)
    """
    half_widths = sorted(width for width in half_widths if math.isfinite(width) and width > 0)
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if half_widths:
        digits = 1 - math.floor(math.log10(half_widths[len(half_widths) // 2]))
    elif largest > 0:
        digits = 3 - math.floor(math.log10(largest)) - (largest >= 1)
    else:
        digits = 2
    return min(max(digits, 1 if largest < 1000 else 0), 6)


def fid_warnings(rows: Iterable[Mapping[Any, Any]]) -> list[str]:
    """Return the warning about the FIDs from few pictures in rows of `set_metrics`, with their numbers of pictures."""
    of_fid = [row for row in rows if str(row["metric"]).startswith("fid") and not missing(row["value"])]
    counts = [[row[name] for name in ("n_real", "n_fake") if not missing(row[name])] for row in of_fid]
    few = [min(numbers) for numbers in counts if numbers and min(numbers) < MIN_FID_PICTURES]
    return [f"{FID_WARNING} (here {from_to(few)})."] if few else []
