"""The metric tables by data set, metric and model, with one number and its interval for each.

A metric's facts for the page. One that no registry knows has a name, values, and nothing else.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from gan_eval.errors import UserError
from gan_eval.metrics.catalogue import ENOUGH_FOR_FID, FID_OF_FEW, METRICS, Metric
from gan_eval.metrics.definitions.jackknife import t_95
from gan_eval.metrics.registry import select
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.missing import FiniteMean, finite_mean
from gan_eval.report.parts.words import NOTHING, missing, number, whole
from gan_eval.stimuli.sets import RAW_ENDING
from gan_eval.tables import BESIDE, IMAGE_METRICS, METRIC_COMPARISONS, RUNS, SET_METRICS
from gan_eval.tables.schema import Table
from gan_eval.tabular import frame_of

REAL = "real"
"""Stands for the real pictures where a model's name is asked for; no model may be called so."""


@dataclass(frozen=True)
class Summary:
    """What one metric says of one model's pictures of one data set."""

    value: float = math.nan
    """The mean over the pictures whose value is finite, or the value of the set; NaN where there is none."""
    low: float = math.nan
    """Ends of the 95 % interval; NaN where there is none."""
    high: float = math.nan
    n: int = 0
    """Generated pictures that have a value, infinite ones among them."""
    n_real: int | None = None
    """Real pictures behind the value of a set."""
    infinite: int = 0
    """Pictures with an infinite value: in no mean."""
    missing: int = 0
    """Pictures without a value."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why values are missing, and how many."""
    note: str = ""
    """What the table notes of the value of a set."""

    @property
    def is_known(self) -> bool:
        """There is a number to show."""
        return not math.isnan(self.value)

    @property
    def half(self) -> float:
        """Half of the interval's width; NaN where there is none."""
        return (self.high - self.low) / 2

    @property
    def smaller(self) -> int:
        """Pictures of the smaller of the sets behind the value."""
        return self.n if self.n_real is None else min(self.n, self.n_real)

    @property
    def few_for_fid(self) -> bool:
        """There is a value, and as an FID it would be of too few pictures."""
        return self.is_known and self.smaller < ENOUGH_FOR_FID


def is_raw(model: str, models: Sequence[str]) -> bool:
    """Whether a model's name is that of the raw pictures of another one.

    >>> is_raw("a-raw", ["a", "a-raw"]), is_raw("b-raw", ["a", "b-raw"])
    (True, False)
    """
    return model.endswith(RAW_ENDING) and model.removesuffix(RAW_ENDING) in models


class Measured:
    """The frames of `gan-eval metrics`, looked up by data set, metric and model."""

    def __init__(self, frames: Mapping[str, pd.DataFrame], stimuli: Sequence[Stimulus] = ()) -> None:
        """Absent frames count as empty ones.

        Args:
            frames: by table name: image_metrics, set_metrics, metric_comparisons, runs, beside.
            stimuli: the pictures themselves, for thumbnails.
        """
        self.images, self.sets, self.comparisons, self.runs, self.beside = (
            _frame(frames, table) for table in (IMAGE_METRICS, SET_METRICS, METRIC_COMPARISONS, RUNS, BESIDE)
        )
        self.stimuli = {stimulus.stimulus: stimulus for stimulus in stimuli}
        reals = [stimulus for stimulus in stimuli if not stimulus.is_fake]
        of_item = Counter(item for item, _ in {(stimulus.item, stimulus.stimulus) for stimulus in reals})
        self._reals = {stimulus.item: stimulus.file for stimulus in reals if of_item[stimulus.item] == 1}
        self.images["dataset"] = self.images["dataset"].fillna(NOTHING)
        named = self.images.assign(model=self.images["model"].where(self.images["kind"] != "real", REAL))
        self._pictures = _places(named)
        self._set_rows = _places(self.sets)
        self._models = _models(self.images, self.sets)
        self.comparisons = self._among_models(self.comparisons)
        self.datasets = list(self._models)
        """The data sets, as they come in the tables."""
        self._summaries: dict[tuple[str, str, str], Summary] = {}

    def _among_models(self, comparisons: pd.DataFrame) -> pd.DataFrame:
        known = {(dataset, model) for dataset in self._models for model in self.models(dataset)}
        of = zip(comparisons["dataset"], comparisons["a"], comparisons["b"], strict=True)
        kept = [(dataset, a) in known and (dataset, b) in known for dataset, a, b in of]
        return comparisons[pd.Series(kept, index=comparisons.index, dtype=bool)]

    def models(self, dataset: str) -> list[str]:
        """The models that are compared on a data set, as they come in the tables.

        What generators gave before the known pixels were put back is not among them: in the hole it is their
        composites, and around it nobody asks for it.
        """
        every = self.measured(dataset)
        return [model for model in every if not is_raw(model, every)]

    def measured(self, dataset: str) -> list[str]:
        """The same, and the raw sets of those that have one."""
        return self._models.get(dataset, [])

    def picture_metrics(self, dataset: str) -> list[str]:
        """The metrics with a row for single generated pictures of a data set."""
        return in_order(metric for of, metric, model in self._pictures if of == dataset and model != REAL)

    def set_metrics(self, dataset: str) -> list[str]:
        """The metrics with a row for sets of pictures of a data set."""
        return in_order(metric for of, metric, _ in self._set_rows if of == dataset)

    def metrics(self, dataset: str) -> list[str]:
        """All of them, in the catalogue's order."""
        return in_order([*self.picture_metrics(dataset), *self.set_metrics(dataset)])

    def rows(self, dataset: str, metric: str, model: str) -> pd.DataFrame:
        """The rows of `image_metrics`; `model` may be REAL."""
        return self.images.iloc[self._pictures.get((dataset, metric, model), [])]

    def values(self, dataset: str, metric: str, model: str) -> np.ndarray:
        """The pictures' values that are there, infinite ones among them; (N,)."""
        return self.rows(dataset, metric, model)["value"].dropna().to_numpy(float)

    def summary(self, dataset: str, metric: str, model: str) -> Summary:
        """One number with its interval; an unknown cell is an empty summary."""
        key = (dataset, metric, model)
        if key not in self._summaries:
            if key in self._set_rows:
                self._summaries[key] = _of_set(self.sets.iloc[self._set_rows[key][0]])
            else:
                self._summaries[key] = of_pictures(self.rows(*key))
        return self._summaries[key]

    def files(self, stimulus: str) -> tuple[Path | None, Path | None]:
        """The file of a generated picture and that of its real one: the same for all models where its item has one."""
        known = self.stimuli.get(stimulus)
        return (None, None) if known is None else (known.file, self._reals.get(known.item, known.reference))

    def ranks(self, dataset: str) -> pd.DataFrame:
        """Values of the pictures of the models that are compared: a row for each stimulus, a column for each picture
        metric."""
        fakes = self.images[(self.images["dataset"] == dataset) & self.images["model"].isin(self.models(dataset))]
        table = fakes.pivot(index="stimulus", columns="metric", values="value")
        return table.reindex(columns=self.picture_metrics(dataset))


def mean_interval(one: Summary, *, digits: int = 2) -> str:
    """A summary's value with its 95 % interval in brackets, where it has one.

    >>> mean_interval(Summary(17.345, 16.9, 17.8, n=9))
    '17.34 (16.90–17.80)'
    """
    if not one.is_known or missing(one.low):
        return number(one.value, digits=digits)
    return f"{number(one.value, digits=digits)} ({number(one.low, digits=digits)}–{number(one.high, digits=digits)})"


def of_pictures(rows: pd.DataFrame) -> Summary:
    """The mean over rows of `image_metrics` of one metric."""
    values = rows["value"].to_numpy(float)
    known = values[~np.isnan(values)]
    found = finite_mean(known)
    reasons = rows.loc[rows["value"].isna(), "reason"].fillna("no reason given").value_counts(sort=False)
    low, high = _ends(found)
    return Summary(
        value=found.mean if found.mean is not None else math.nan,
        low=low,
        high=high,
        n=len(known),
        infinite=found.left_out,
        missing=len(values) - len(known),
        reasons={str(reason): int(count) for reason, count in reasons.items()},
    )


def _ends(found: FiniteMean) -> tuple[float, float]:
    """Student's t for the mean; NaN for fewer than two values.

    >>> [round(end, 3) for end in _ends(finite_mean([1.0, 2.0, 3.0]))]
    [-0.484, 4.484]
    """
    if found.mean is None or found.sd is None:
        return math.nan, math.nan
    half = t_95(found.n - 1) * found.sd / math.sqrt(found.n)
    return found.mean - half, found.mean + half


def _of_set(row: pd.Series) -> Summary:
    value = float(row["value"]) if pd.notna(row["value"]) else math.nan
    reason = str(row["reason"]) if pd.notna(row["reason"]) else "no reason given"
    ends = [float(row[name]) if pd.notna(row[name]) else math.nan for name in ("ci_low", "ci_high")]
    return Summary(
        value=value,
        low=ends[0],
        high=ends[1],
        n=int(row["n_fake"]),
        n_real=int(row["n_real"]),
        reasons={} if pd.notna(row["value"]) else {reason: 1},
        note="" if missing(row["note"]) else str(row["note"]),
    )


def _places(frame: pd.DataFrame) -> dict[tuple[str, str, str], np.ndarray]:
    """The numbers of the rows of each (data set, metric, model)."""
    grouped = frame.groupby(["dataset", "metric", "model"], sort=False)
    return {tuple(map(str, key)): rows for key, rows in grouped.indices.items()}  # type: ignore[misc, call-overload]


def _frame(frames: Mapping[str, pd.DataFrame], table: Table) -> pd.DataFrame:
    frame = frames.get(table.name)
    return frame_of([], table) if frame is None else frame.reset_index(drop=True)


def _models(images: pd.DataFrame, sets: pd.DataFrame) -> dict[str, list[str]]:
    """The models of each data set, both as they come in the tables."""
    found: dict[str, list[str]] = {}
    for frame in (images, sets):
        for dataset, model in frame[["dataset", "model"]].drop_duplicates().astype(object).to_numpy():
            models = found.setdefault(str(dataset), [])
            if not missing(model) and str(model) not in models:
                models.append(str(model))
    return found


NO_VERDICT = ("sharpness",)
"""Metrics that describe pictures and do not say which are better, although they have a direction: noise raises
sharpness as well."""


@lru_cache
def facts_of(name: str) -> Metric | None:
    """What the registry knows; None of a metric of somebody else's whose package is not installed here."""
    try:
        return select([name])[0]
    except UserError:
        return None


def higher_is_better(name: str) -> bool | None:
    """Which way is better; None where nobody said."""
    facts = facts_of(name)
    return None if facts is None else facts.higher_is_better


def arrow(name: str) -> str:
    """The direction of better values.

    >>> arrow("psnr"), arrow("fid"), arrow("unheard_of")
    ('↑', '↓', '')
    """
    better = higher_is_better(name)
    return "" if better is None else "↑" if better else "↓"


def unit_of(name: str) -> str:
    """The unit; empty where there is none."""
    facts = facts_of(name)
    return "" if facts is None else facts.unit


def in_order(names: Iterable[str]) -> list[str]:
    """Each name once: in the catalogue's order, others after them as they come.

    >>> in_order(["mine", "fid", "psnr", "fid"])
    ['psnr', 'fid', 'mine']
    """
    order = {name: place for place, name in enumerate(METRICS)}
    return sorted(dict.fromkeys(names), key=lambda name: order.get(name, len(order)))


def decimals(values: Sequence[float], halves: Sequence[float] = ()) -> int:
    """Decimal places for a column of values: two digits of the typical half interval, else three of the values.

    >>> decimals([17.345, 18.1], [0.33, 0.41]), decimals([187.2], [12.0]), decimals([0.2131]), decimals([])
    (2, 1, 4, 2)
    """
    halves = sorted(half for half in halves if math.isfinite(half) and half > 0)
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if halves:
        places = 1 - math.floor(math.log10(halves[len(halves) // 2]))
    elif largest > 0:
        places = 3 - math.floor(math.log10(largest)) - (largest >= 1)
    else:
        places = 2
    return min(max(places, 1 if largest < 1000 else 0), 6)


def fid_warning(smallest: int, largest: int | None = None) -> str:
    """What a reader must know of an FID from few pictures."""
    here = whole(smallest) if largest in (None, smallest) else f"{whole(smallest)} to {whole(largest)}"
    return f"{FID_OF_FEW} (here {here})."
