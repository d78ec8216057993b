"""Values that need all pictures: set metrics of each model and data set, and metrics that compare items.

What 50,000 + 50,000 pictures of 2048 features need beyond the features themselves (0.4 GB a set, which may be mapped
from a file): `fid` 0.6 GB, `kid` 0.1 GB, precision, recall, density and coverage 0.2 GB together. Only radii and the
like grow with the number: 0.4 kB a picture.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gan_eval import __version__
from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file
from gan_eval.metrics.catalogue import FID_WARNING, METRICS, MIN_FID_PICTURES
from gan_eval.metrics.definitions.jackknife import (
    Comparison,
    Estimate,
    PictureSet,
    deal,
    groups_of,
)
from gan_eval.metrics.definitions.labels import NO_DIFFERENCE, LabelCells, cells_of
from gan_eval.metrics.definitions.record import ExtractorName, Metric, OnProgress
from gan_eval.metrics.definitions.segmentation import label_colour_spreads
from gan_eval.metrics.kernels.pictures import NO_INPUT, Unmeasurable
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.run.differences import Outcome, compare_outcomes
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.measures import FeatureTable, Tools, versions
from gan_eval.stimuli.pictures import read_rgb
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import any_seen

if TYPE_CHECKING:
    from gan_eval.metrics.run.pictures import PictureResults

SetRows = tuple[list[Row], list[Row]]
"""Rows of the tables `set_metrics` and `metric_comparisons`, without the column `run`."""
_LIBRARIES = ("numpy", "scipy", "torch")


def set_rows(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    results: "PictureResults",
    tools: Tools,
    cache: Cache,
    *,
    values_only: bool = False,
    on_progress: OnProgress | None = None,
) -> SetRows:
    """Return the rows of `compare_sets`, from the cache if an earlier run compared equal features."""
    required = [metric for metric in metrics if metric.kind == "set"]
    if not required:
        return [], []
    network = tools.network
    owners = [
        (s.stimulus, s.item, s.kind, s.model, s.dataset, s.fraction, s.seen, results.unreadable.get(number))
        for number, s in enumerate(stimuli)
    ]
    features = [(kind.name, kind.definition, results.stores[kind.name].content_hash()) for kind in network.kinds]
    digests = sorted((number, digest.hex()) for number, digest in results.hashes.items())
    definitions = [(metric.name, metric.definition) for metric in required]
    facts = [definitions, network.unavailable, network.caveats, f"gan_eval {__version__}", versions(_LIBRARIES)]
    parts = ["set metrics", owners, digests, features, facts]
    cached = None if values_only else cache.result(parts)
    if cached is not None:
        return cached[0], cached[1]
    names = [stimulus.stimulus for stimulus in stimuli]
    given = Given(
        features={kind.name: results.stores[kind.name].table(names) for kind in network.kinds},
        unreadable={names[number]: reason for number, reason in results.unreadable.items()},
        unavailable=network.unavailable,
        caveats=network.caveats,
        hashes={names[number]: digest.hex() for number, digest in results.hashes.items()},
        values_only=values_only,
    )
    rows = compare_sets(stimuli, required, given, on_progress=on_progress)
    if not values_only:
        cache.keep_result(parts, rows)
    return rows


@dataclass(frozen=True)
class Given:
    """The results of the pass over the pictures."""

    features: Mapping[ExtractorName, FeatureTable]
    """Features by extractor."""
    unreadable: Mapping[str, str]
    """The reason for each stimulus that could not be read."""
    unavailable: Mapping[str, str]
    """The reason for each metric that cannot be computed at all."""
    caveats: Mapping[str, str]
    """Caveats on every value of an extractor."""
    hashes: Mapping[str, str]
    """SHA-256 of each stimulus's content, where known: copies are counted."""
    values_only: bool = False
    """Without intervals, which take many times as long as the values."""


def compare_sets(
    stimuli: Sequence[Stimulus], metrics: Sequence[Metric], given: Given, *, on_progress: OnProgress | None = None
) -> SetRows:
    """Return a row for each (model, data set) and set metric, and one for each two models of a data set."""
    models: dict[str, list[str]] = {}
    for dataset, model in dict.fromkeys((s.dataset, s.model or "") for s in stimuli if s.is_fake):
        models.setdefault(dataset, []).append(model)
    by_extractor: dict[ExtractorName, list[Metric]] = {}
    for metric in metrics:
        if metric.extractor:
            by_extractor.setdefault(metric.extractor, []).append(metric)
    total = sum(map(len, models.values())) * len(metrics)
    rows, comparisons = list[Row](), list[Row]()
    for dataset, names in models.items():
        members: dict[str, list[Stimulus]] = {name: [] for name in ("", *names)}  # "": the real ones
        for stimulus in stimuli:
            if stimulus.dataset == dataset:
                members[(stimulus.model or "") if stimulus.is_fake else ""].append(stimulus)
        sources = {extractor: Source(extractor, members, given) for extractor in by_extractor}
        outcomes: dict[str, dict[str, Outcome]] = {}
        for model in names:
            for extractor, of_extractor in by_extractor.items():
                for name, result in sources[extractor].measure(of_extractor, model).items():
                    row, outcome = sources[extractor].row(METRICS[name], model, result)
                    rows.append({"model": model, "dataset": dataset, "metric": name, **row})
                    outcomes.setdefault(name, {})[model] = outcome
            if on_progress:
                on_progress(len(rows), total, "sets")
        for name, of_models in outcomes.items():
            comparisons.extend(compare_outcomes(dataset, METRICS[name], of_models))
    return rows, comparisons


class Source:
    """The sets of one data set under one extractor; the real pictures' set is named ""."""

    def __init__(self, extractor: ExtractorName, stimuli: Mapping[str, Sequence[Stimulus]], given: Given) -> None:
        """"""
        self.extractor = extractor
        self._stimuli = stimuli
        self._given = given
        self._table = given.features.get(extractor)
        self._measurable = {
            name: [s for s in members if self._reason(s.stimulus) is None] for name, members in stimuli.items()
        }
        self._items = {name: frozenset(s.item for s in members) for name, members in self._measurable.items()}

    def measure(self, metrics: Sequence[Metric], model: str) -> dict[str, Estimate | str]:
        """Return each metric's value for a model, or the reason for none."""
        unavailable = self._given.unavailable
        available = [metric.name for metric in metrics if metric.name not in unavailable]
        results = self._references.measure(available, self._pictures(model)) if available else {}
        why_empty = next(
            (
                self._reason(self._stimuli[name][0].stimulus)
                for name in ("", model)
                if self._stimuli[name] and not self._measurable[name]
            ),
            None,
        )
        found: dict[str, Estimate | str] = {}
        for metric in metrics:
            result = results.get(metric.name)
            if isinstance(result, Estimate):
                found[metric.name] = result
            else:
                found[metric.name] = unavailable[metric.name] if result is None else why_empty or str(result)
        return found

    def row(self, metric: Metric, model: str, result: Estimate | str) -> tuple[Row, Outcome]:
        """Return the columns of a metric's row for a model, and what other models are compared with."""
        fraction = min((s.fraction for s in self._stimuli[model] if s.fraction is not None), default=None)
        n_real, n_fake = len(self._measurable[""]), len(self._measurable[model])
        row: Row = {
            "n_real": n_real,
            "n_fake": n_fake,
            "seen": any_seen(stimulus.seen for stimulus in self._stimuli[model]),
            "fraction": fraction,
        }
        notes: list[str | None] = []
        if isinstance(result, Estimate):
            interval = result.interval(low=metric.low, high=metric.high)
            row |= {"value": result.value, "reason": None}
            row |= {"ci_low": interval.low, "ci_high": interval.high} if interval else {}
            notes.append(self._given.caveats.get(self.extractor))
            if metric.name == "fid" and min(n_real, n_fake) < MIN_FID_PICTURES:
                notes.append(FID_WARNING)
            if metric.name == "kid" and not self._items[""].isdisjoint(self._items[model]):
                notes.append(
                    "real and generated pictures share items: KID is too low by an amount that falls with 1/N; "
                    "compare models on the same items, not its sign"
                )
            if not self._given.values_only:
                notes.append(self._references.note(metric.name, self._pictures(model)))
                if result.left_out is None:
                    notes.append(f"no interval: {result.why_no_interval}")
        else:
            row["reason"] = result
        row["note"] = "; ".join(filter(None, [*notes, *self.notes(model)])) or None
        return row, Outcome(result, self._items[model], n_fake, fraction)

    def notes(self, model: str) -> list[str]:
        """Describe the pictures of the real set and of a model's that are excluded, and those that are copies."""
        excluded = [
            reason
            for name in ("", model)
            for stimulus in self._stimuli[name]
            if (reason := self._reason(stimulus.stimulus)) is not None
        ]
        real, fake = (
            [digest for s in self._measurable[name] if (digest := self._given.hashes.get(s.stimulus))]
            for name in ("", model)
        )
        different = set(real)
        inside = len(real) - len(different) + len(fake) - len(set(fake))
        across = sum(digest in different for digest in fake)
        notes = [f"{len(excluded)} left out, the first: {excluded[0]}"] if excluded else []
        notes += [f"{_copies(inside)} of others in the same set"] if inside else []
        notes += [f"{_copies(across, 'generated ')} of real ones"] if across else []
        return notes

    @cached_property
    def _references(self) -> "References":
        return References(self._pictures(""))

    def _pictures(self, name: str) -> PictureSet:
        """A set, with its features."""
        members = self._measurable[name]
        items = tuple(s.item for s in members)
        features = self._given.features[self.extractor].take([s.stimulus for s in members])
        groups = None if self._given.values_only else groups_of(items, deal(self._items[""], items))
        return PictureSet(features, items, groups)

    def _reason(self, stimulus: str) -> str | None:
        """Why a picture does not go in."""
        if stimulus in self._given.unreadable:
            return self._given.unreadable[stimulus]
        if self._table is None or stimulus in self._table.place:
            return None
        return self._table.reasons.get(stimulus, f"{stimulus}: no features")


def _copies(count: int, which: str = "") -> str:
    """
    >>> _copies(3)
    '3 pictures are copies'
    """
    return f"1 {which}picture is a copy" if count == 1 else f"{count} {which}pictures are copies"


class References:
    """The real pictures of one data set under one extractor; computes once what depends on them alone."""

    def __init__(self, real: PictureSet) -> None:
        self._real = real
        self._comparisons: dict[Callable, Comparison] = {}

    def measure(self, names: Sequence[str], fake: PictureSet) -> dict[str, Estimate | Unmeasurable]:
        """Return the set metrics of one model's pictures by name, each with its value or the reason for none."""
        batches: dict[object, list[Metric]] = {}
        for name in names:  # metrics with one comparison share its pass
            batches.setdefault(METRICS[name].compare or name, []).append(METRICS[name])
        results: dict[str, Estimate | Unmeasurable] = {}
        for metrics in batches.values():
            try:
                results |= self._estimates(metrics, fake)
            except Unmeasurable:
                for metric in metrics:  # one may need more pictures than another
                    try:
                        results |= self._estimates([metric], fake)
                    except Unmeasurable as reason:
                        results[metric.name] = reason
        return {name: results[name] for name in names}

    def note(self, name: str, fake: PictureSet) -> str | None:
        """Return the ratio of each label's spreads, or a segmenter's score of the real pictures themselves."""
        metric, features = METRICS[name], self._real.features
        if metric.extractor == "label_colours":
            ratios = label_colour_spreads(features, fake.features)
            listed = ", ".join(f"{label} {ratio:.2f}" for label, ratio in ratios.items())
            return f"generated / real spread by label: {listed}"
        if metric.extractor != "segmenter" or metric.function is None:
            return None
        try:
            return f"the real pictures themselves: {metric.function(features, features):.4g}"
        except Unmeasurable:
            return None

    def _estimates(self, metrics: Sequence[Metric], fake: PictureSet) -> dict[str, Estimate]:
        real = self._real
        if min(len(real.features), len(fake.features)) == 0:
            counts = f"{len(real.features)} real and {len(fake.features)} generated pictures"
            raise Unmeasurable(f"{counts}; {metrics[0].name} compares sets")
        compare = metrics[0].compare
        assert compare is not None
        with np.errstate(invalid="ignore", over="ignore"):  # features that are not finite are refused by name
            if compare not in self._comparisons:
                self._comparisons[compare] = compare(real)
            functions = {metric.function.__name__: metric for metric in metrics if metric.function is not None}
            estimates = self._comparisons[compare](fake, list(functions))
        return {functions[name].name: estimate for name, estimate in estimates.items()}


ItemKey = tuple[str, str]
"""SHA-256 of an item's input and of its photograph."""


def measure_items(
    stimuli: Sequence[Stimulus], tools: Tools, results: "PictureResults", cache: Cache, *, threads: int = 1
) -> None:
    """Put the values of metrics that compare the items of a data set, or the reasons for none, into the results.

    The items are those of one model's pictures, of which only the identifiers are used. Models with the same inputs get
    the same values, which are computed once.
    """
    columns = [(column, measure) for column, measure in enumerate(tools.measures) if measure.metric.of_items]
    groups: dict[tuple[str, str | None], dict[int, ItemKey]] = {}
    for number, stimulus in enumerate(stimuli if columns else ()):
        if stimulus.has_pair_metrics:
            key = _item_key(stimulus)
            if isinstance(key, str):
                results.reasons |= {(number, column): key for column, _ in columns}
            else:
                groups.setdefault((stimulus.dataset, stimulus.model), {})[number] = key
    computed: dict[tuple[int, tuple[ItemKey, ...]], list[float | str]] = {}
    for members in groups.values():
        items = {key: stimuli[number] for number, key in sorted(members.items(), key=lambda member: member[1])}
        for column, measure in columns:
            values = computed.get((column, tuple(items)))
            if values is None:
                parts = ["items", measure.definition, list(items)]
                values = cache.result(parts) if measure.definition else None
                if values is not None:
                    results.cached += len(values)
                else:
                    values = _item_values(measure.metric, list(items.values()), threads)
                    if measure.definition:
                        cache.keep_result(parts, values)
                computed[column, tuple(items)] = values
            by_item = dict(zip(items, values, strict=True))
            for number, key in members.items():
                value = by_item[key]
                if isinstance(value, str):
                    results.reasons[number, column] = value
                else:
                    results.numbers[number, column] = value


def _item_key(stimulus: Stimulus) -> ItemKey | str:
    """The hashes of an item's input and photograph, or why there is none."""
    if stimulus.reference is None:
        return stimulus.no_reference
    if stimulus.input is None:
        return NO_INPUT
    try:
        return sha256_file(stimulus.input), sha256_file(stimulus.reference)
    except UserError as error:
        return str(error)


def _item_values(metric: Metric, items: Sequence[Stimulus], threads: int) -> list[float | str]:
    """Each item's value, or the reason for none."""

    def read(item: Stimulus) -> LabelCells | str:
        assert item.input is not None
        assert item.reference is not None
        try:
            return cells_of(read_rgb(item.input), read_rgb(item.reference))
        except (UserError, Unmeasurable) as reason:
            return str(reason)

    with ThreadPoolExecutor(threads, thread_name_prefix="items") as pool:
        cells = list(pool.map(read, items))
    assert metric.of_items is not None
    try:
        found = iter(metric.of_items([cell for cell in cells if not isinstance(cell, str)]))
    except Unmeasurable as reason:
        return [cell if isinstance(cell, str) else str(reason) for cell in cells]
    values = [cell if isinstance(cell, str) else float(next(found)) for cell in cells]
    return [NO_DIFFERENCE if value != value else value for value in values]
