"""Set metrics: each model's generated pictures beside the real pictures of the same data set, computed or cached.

What 50,000 + 50,000 pictures of 2048 features need beyond the features themselves (0.4 GB a set, which may be mapped
from a file; those of a model are copied where they do not stand in a row): `fid` 0.6 GB, `kid` 0.1 GB, precision,
recall, density and coverage 0.2 GB together. Of that only radii and the like grow with the number: 0.4 kB a picture.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gan_eval import __version__
from gan_eval.files.digests import sha256_json
from gan_eval.metrics.catalogue import (
    FID_WARNING,
    METRICS,
    MIN_FID_PICTURES,
    ExtractorName,
    Metric,
    OnProgress,
)
from gan_eval.metrics.definitions.jackknife import (
    GROUPS,
    Comparison,
    Estimate,
    PictureSet,
    deal,
    groups_of,
    leave_groups_out,
)
from gan_eval.metrics.definitions.segmentation import label_colour_spreads
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.run.differences import Outcome, compare_outcomes
from gan_eval.metrics.run.features import FeatureTable
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.tools import Tools, versions
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import any_seen

if TYPE_CHECKING:
    from gan_eval.metrics.run.pictures import PictureResults


@dataclass(frozen=True)
class SetRows:
    """Rows without the column `run`."""

    rows: list[Row] = field(default_factory=list)
    """Of the table `set_metrics`."""
    comparisons: list[Row] = field(default_factory=list)
    """Of the table `metric_comparisons`."""


_LIBRARIES = ("numpy", "scipy", "torch")


def cached_set_rows(
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
        return SetRows()
    network = tools.network
    owners = [
        (s.stimulus, s.item, s.kind, s.model, s.dataset, s.fraction, s.seen, results.unreadable.get(number))
        for number, s in enumerate(stimuli)
    ]
    features = [(kind.name, kind.definition, results.stores[kind.name].content_hash()) for kind in network.kinds]
    digests = sorted((number, digest.hex()) for number, digest in results.hashes.items())
    definitions = [(metric.name, metric.definition) for metric in required]
    facts = [definitions, network.unavailable, network.caveats, f"gan_eval {__version__}", versions(_LIBRARIES)]
    key = bytes.fromhex(sha256_json(["set metrics", owners, digests, features, facts]))
    text = None if values_only else cache.result(key)
    if text is not None:
        return SetRows(**json.loads(text))
    names = [stimulus.stimulus for stimulus in stimuli]
    rows = compare_sets(
        stimuli,
        required,
        features={kind.name: results.stores[kind.name].table(names) for kind in network.kinds},
        unreadable={names[number]: reason for number, reason in results.unreadable.items()},
        unavailable=network.unavailable,
        caveats=network.caveats,
        hashes={names[number]: digest.hex() for number, digest in results.hashes.items()},
        values_only=values_only,
        on_progress=on_progress,
    )
    if not values_only:
        cache.keep_result(key, json.dumps(vars(rows)))
    return rows


def compare_sets(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    *,
    features: Mapping[ExtractorName, FeatureTable],
    unreadable: Mapping[str, str],
    unavailable: Mapping[str, str],
    caveats: Mapping[ExtractorName, str],
    hashes: Mapping[str, str] | None = None,
    values_only: bool = False,
    on_progress: OnProgress | None = None,
) -> SetRows:
    """One row for each (model, data set) and set metric, and one for each two models of a data set and set metric.

    Args:
        stimuli: all pictures.
        metrics: those required; pair and single metrics are ignored.
        features: by extractor.
        unreadable: the reason for each stimulus that could not be read.
        unavailable: the reason for each metric that cannot be computed at all.
        caveats: by extractor, what a reader must know about every value.
        hashes: SHA-256 of each stimulus's content, where known: pictures that are copies of others are counted.
        values_only: without intervals, which take many times as long as the values.
        on_progress: called with the values done.
    """
    required = [metric for metric in metrics if metric.kind == "set"]
    models: dict[str, list[str]] = {}
    for dataset, model in dict.fromkeys((s.dataset, s.model or "") for s in stimuli if s.is_fake):
        models.setdefault(dataset, []).append(model)
    total = sum(map(len, models.values())) * len(required)
    rows = SetRows()
    for dataset, names in models.items():
        members: dict[str, list[Stimulus]] = {name: [] for name in ("", *names)}  # "": the real ones
        for stimulus in stimuli:
            if stimulus.dataset == dataset:
                members[(stimulus.model or "") if stimulus.is_fake else ""].append(stimulus)
        work = _DataSet(dataset, members, Given(features, unreadable, unavailable, caveats, hashes or {}, values_only))
        for model in names:
            work.measure(model, required)
            if on_progress:
                on_progress(len(rows.rows) + len(work.rows), total, "sets")
        rows.rows.extend(work.rows)
        for name, outcomes in work.outcomes.items():
            rows.comparisons.extend(compare_outcomes(dataset, METRICS[name], outcomes))
    return rows


@dataclass(frozen=True)
class Given:
    """The results of the pass over the pictures; see `compare_sets`."""

    features: Mapping[ExtractorName, FeatureTable]
    unreadable: Mapping[str, str]
    unavailable: Mapping[str, str]
    caveats: Mapping[ExtractorName, str]
    hashes: Mapping[str, str]
    values_only: bool = False


class Source:
    """The sets of one data set under one extractor; the real pictures' set is named "".

    Args:
        extractor: its name.
        stimuli: by set, its pictures.
        given: the results of the pass over the pictures.
    """

    def __init__(self, extractor: ExtractorName, stimuli: Mapping[str, Sequence[Stimulus]], given: Given) -> None:
        self.extractor = extractor
        self._stimuli = stimuli
        self._given = given
        self._table = given.features.get(extractor)
        self._measurable = {
            name: [s for s in members if self._reason(s.stimulus) is None] for name, members in stimuli.items()
        }
        self._items = {name: frozenset(s.item for s in members) for name, members in self._measurable.items()}
        self._notes: dict[str, list[str]] = {}

    def count(self, name: str) -> int:
        """Pictures of a set that go in."""
        return len(self._measurable[name])

    def items(self, name: str) -> frozenset[str]:
        """The items of a set that go in."""
        return self._items[name]

    def pictures(self, name: str) -> PictureSet:
        """A set, with its features.

        Raises:
            KeyError: the extractor gave no features at all.
        """
        members = self._measurable[name]
        items = tuple(s.item for s in members)
        features = self._given.features[self.extractor].take([s.stimulus for s in members])
        groups = None if self._given.values_only else groups_of(items, deal(self._items[""], items))
        return PictureSet(features, items, groups)

    @cached_property
    def references(self) -> "References":
        """The real pictures, ready to be compared with."""
        return References(self.pictures(""))

    def notes(self, model: str) -> list[str]:
        """On the pictures of the real set and of a model's that are excluded, and on those that are copies."""
        if model not in self._notes:
            reasons = [self._reason(s.stimulus) for name in ("", model) for s in self._stimuli[name]]
            excluded = [reason for reason in reasons if reason is not None]
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
            self._notes[model] = notes
        return self._notes[model]

    def why_empty(self, model: str) -> str | None:
        """The first reason why all pictures of the real set or of a model's are excluded; None where some are not."""
        for name in ("", model):
            if self._stimuli[name] and not self._measurable[name]:
                return self._reason(self._stimuli[name][0].stimulus)
        return None

    def share_items(self, model: str) -> bool:
        """Whether a real and a generated picture that go in are of one item."""
        return not self.items("").isdisjoint(self.items(model))

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


class _DataSet:
    """One data set: its real pictures and each model's."""

    def __init__(self, dataset: str, stimuli: Mapping[str, Sequence[Stimulus]], given: Given) -> None:
        self._dataset = dataset
        self._stimuli = stimuli
        self._given = given
        self._sources: dict[ExtractorName, Source] = {}
        self.rows: list[Row] = []
        """Of the table `set_metrics`, without `run`."""
        self.outcomes: dict[str, dict[str, Outcome]] = {}
        """By metric and model."""

    def measure(self, model: str, required: Sequence[Metric]) -> None:
        """Add the rows and outcomes of one model."""
        by_extractor: dict[ExtractorName, list[Metric]] = {}
        for metric in required:
            if metric.extractor:
                by_extractor.setdefault(metric.extractor, []).append(metric)
        for extractor, members in by_extractor.items():
            source = self._source(extractor)
            available = [metric.name for metric in members if metric.name not in self._given.unavailable]
            results = source.references.measure(available, source.pictures(model)) if available else {}
            for metric in members:
                result = results.get(metric.name) or self._given.unavailable[metric.name]
                reason = source.why_empty(model) if metric.name in results else None
                self._add(metric, model, source, result if isinstance(result, Estimate) else reason or str(result))

    def _source(self, extractor: ExtractorName) -> Source:
        if extractor not in self._sources:
            self._sources[extractor] = Source(extractor, self._stimuli, self._given)
        return self._sources[extractor]

    def _add(self, metric: Metric, model: str, source: Source, result: Estimate | str) -> None:
        """Add the row and the outcome of one metric: its value, or the reason for none."""
        fraction = min((s.fraction for s in self._stimuli[model] if s.fraction is not None), default=None)
        n_real, n_fake = source.count(""), source.count(model)
        row: Row = {
            "model": model,
            "dataset": self._dataset,
            "metric": metric.name,
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
            notes.append(self._given.caveats.get(source.extractor))
            if metric.name == "fid" and min(n_real, n_fake) < MIN_FID_PICTURES:
                notes.append(FID_WARNING)
            if metric.name == "kid" and source.share_items(model):
                notes.append(
                    "real and generated pictures share items: KID is too low by an amount that falls with 1/N; "
                    "compare models on the same items, not its sign"
                )
            if not self._given.values_only:
                notes.append(source.references.note(metric.name, source.pictures(model)))
            if result.left_out is None and not self._given.values_only:
                notes.append(f"no interval: too few items for {GROUPS} groups")
        else:
            row["reason"] = result
        self.rows.append({**row, "note": "; ".join(filter(None, [*notes, *source.notes(model)])) or None})
        self.outcomes.setdefault(metric.name, {})[model] = Outcome(result, source.items(model), n_fake, fraction)


class References:
    """The real pictures of one data set under one extractor; what depends on them only is computed once for all models.

    Args:
        real: the real pictures.
    """

    def __init__(self, real: PictureSet) -> None:
        self._real = real
        self._comparisons: dict[Callable, Comparison] = {}

    def measure(self, names: Sequence[str], fake: PictureSet) -> dict[str, Estimate | Unmeasurable]:
        """The set metrics of one model's pictures by name, each with its value or the reason why there is none.

        Args:
            names: of set metrics.
            fake: the generated pictures.
        """
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
        return results

    def note(self, name: str, fake: PictureSet) -> str | None:
        """The ratio of each label's spreads, or a segmenter's score of the real pictures themselves."""
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
        with np.errstate(invalid="ignore", over="ignore"):  # features that are not finite are refused by name
            if compare is None:
                return {
                    metric.name: leave_groups_out(
                        metric.function, real.features, fake.features, real.groups, fake.groups
                    )
                    for metric in metrics
                    if metric.function is not None
                }
            if compare not in self._comparisons:
                self._comparisons[compare] = compare(real)
            functions = {metric.function.__name__: metric for metric in metrics if metric.function is not None}
            estimates = self._comparisons[compare](fake, list(functions))
        return {functions[name].name: estimate for name, estimate in estimates.items()}
