"""The metric tables by data set, metric and model, with one number and its interval for each, and metrics' facts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gan_eval.metrics.catalogue import FID_WARNING, METRICS, MIN_FID_PICTURES, metric_named
from gan_eval.metrics.definitions.features import TEMPLATES
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.report.parts.words import NOTHING, from_to, missing, number
from gan_eval.stats import shares
from gan_eval.tables import HOLE_METRICS, IMAGE_METRICS, METRIC_COMPARISONS, RUNS, SET_METRICS
from gan_eval.tables.frames import frame_of
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
    """The frames of `gan-eval metrics`, looked up by data set, metric and model."""

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
        self._stimuli = {stimulus.stimulus: stimulus for stimulus in stimuli}
        self.images["dataset"] = self.images["dataset"].fillna(NOTHING)
        named = self.images.assign(model=self.images["model"].where(self.images["kind"] != "real", REAL))
        self._pictures = _row_numbers(named)
        self._set_rows = _row_numbers(self.sets)
        self._models: dict[str, list[str]] = {}
        for frame in (self.images, self.sets):
            for dataset, model in frame[["dataset", "model"]].drop_duplicates().astype(object).to_numpy():
                models = self._models.setdefault(str(dataset), [])
                if not missing(model) and str(model) not in models:
                    models.append(str(model))
        self.datasets = list(self._models)
        """The data sets in the order of the tables."""
        compared = {(dataset, model) for dataset in self.datasets for model in self.models(dataset)}
        pairs = zip(comparisons["dataset"], comparisons["a"], comparisons["b"], strict=True)
        included = [(dataset, a) in compared and (dataset, b) in compared for dataset, a, b in pairs]
        self.comparisons = comparisons[pd.Series(included, index=comparisons.index, dtype=bool)]
        """The rows of `metric_comparisons` between models that are compared."""
        self._summaries: dict[tuple[str, str, str], Summary] = {}

    @property
    def holes(self) -> pd.DataFrame:
        """Return by stimulus the holes of the pictures: mask_kind and mask_area (0..1)."""
        filled = [stimulus for stimulus in self._stimuli.values() if stimulus.is_fake]
        holes = [(stimulus.mask_kind, stimulus.mask_area) for stimulus in filled]
        frame = pd.DataFrame(holes, [stimulus.stimulus for stimulus in filled], ["mask_kind", "mask_area"])
        return frame.dropna(how="all")

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

    def values(self, dataset: str, metric: str, model: str) -> np.ndarray:
        """Return the pictures' values, infinite ones among them; (N,)."""
        return self.rows(dataset, metric, model)["value"].dropna().to_numpy(float)

    def summary(self, dataset: str, metric: str, model: str) -> Summary:
        """Return the value with its interval; an empty summary if there is none."""
        key = (dataset, metric, model)
        if key not in self._summaries:
            if key in self._set_rows:
                row = self.sets.iloc[self._set_rows[key][0]]
                value, low, high = row[["value", "ci_low", "ci_high"]].astype(float)
                reason = str(row["reason"]) if pd.notna(row["reason"]) else "no reason given"
                self._summaries[key] = Summary(
                    value=value,
                    low=low,
                    high=high,
                    n=int(row["n_fake"]),
                    n_real=int(row["n_real"]),
                    reasons={} if pd.notna(row["value"]) else {reason: 1},
                    note="" if missing(row["note"]) else str(row["note"]),
                )
            else:
                self._summaries[key] = picture_summary(self.rows(*key))
        return self._summaries[key]


def picture_summary(rows: pd.DataFrame) -> Summary:
    """Return the mean over rows of `image_metrics` of one metric, with its interval by Student's t over the items.

    Several pictures of an item count by their mean, as in the differences between models.
    """
    values = rows["value"].to_numpy(float)
    known = values[~np.isnan(values)]
    finite = rows[np.isfinite(values)]
    items = items_of(finite)
    has_several = not items.is_unique
    means = finite["value"].groupby(items, sort=False).mean() if has_several else finite["value"]
    value, low, high = shares.mean_interval(means)
    reasons = rows.loc[rows["value"].isna(), "reason"].fillna("no reason given").value_counts(sort=False)
    return Summary(
        value=value,
        low=low,
        high=high,
        n=len(known),
        n_items=len(means) if has_several else None,
        infinite=len(known) - len(finite),
        missing=len(values) - len(known),
        reasons={str(reason): int(count) for reason, count in reasons.items()},
    )


def items_of(rows: pd.DataFrame) -> pd.Series:
    """Return the items of rows of `image_metrics`; a picture without one is its own item."""
    return rows["item"].fillna(rows["stimulus"])


def mean_interval(summary: Summary, *, digits: int = 2) -> str:
    """Return a summary's value with its 95% interval in brackets, if it has one.

    >>> mean_interval(Summary(17.345, 16.9, 17.8, n=9))
    '17.34 (16.90–17.80)'
    """
    value, low, high = (number(end, digits=digits) for end in (summary.value, summary.low, summary.high))
    return value if not summary.is_known or missing(summary.low) else f"{value} ({low}–{high})"


def _row_numbers(frame: pd.DataFrame) -> dict[tuple[str, str, str], np.ndarray]:
    """Return the numbers of the rows of each (data set, metric, model)."""
    grouped = frame.groupby(["dataset", "metric", "model"], sort=False)
    return {tuple(map(str, key)): rows for key, rows in grouped.indices.items()}  # type: ignore[misc, call-overload]


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
    order = {name: place for place, name in enumerate([*METRICS, *(template.name for template in TEMPLATES.values())])}
    return sorted(
        dict.fromkeys(names), key=lambda name: order.get(name, order.get(f"{name.partition('@')[0]}@NAME", len(order)))
    )


def decimals_of(summaries: Iterable[Summary]) -> int:
    """Return the decimal places for a column of summaries."""
    known = [summary for summary in summaries if summary.is_known]
    return decimals([summary.value for summary in known], [(summary.high - summary.low) / 2 for summary in known])


def decimals(values: Sequence[float], half_widths: Sequence[float] = ()) -> int:
    """Return decimal places for a column of values: two digits of the typical half interval, else three of the values.

    >>> decimals([17.345, 18.1], [0.33, 0.41]), decimals([187.2], [12.0]), decimals([0.2131]), decimals([])
    (2, 1, 4, 2)
    """
    half_widths = sorted(width for width in half_widths if math.isfinite(width) and width > 0)
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if half_widths:
        places = 1 - math.floor(math.log10(half_widths[len(half_widths) // 2]))
    elif largest > 0:
        places = 3 - math.floor(math.log10(largest)) - (largest >= 1)
    else:
        places = 2
    return min(max(places, 1 if largest < 1000 else 0), 6)


def fid_warnings(sets: pd.DataFrame) -> list[str]:
    """Return the warning about the FIDs from few pictures in rows of `set_metrics`, with their numbers of pictures."""
    of_fid = sets[sets["metric"].astype("str").str.startswith("fid") & sets["value"].notna()]
    counts = of_fid[["n_real", "n_fake"]].min(axis=1)
    few = counts[counts < MIN_FID_PICTURES]
    return [f"{FID_WARNING} (here {from_to(few)})."] if len(few) else []
