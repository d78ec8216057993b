"""Values that need all pictures: set metrics of each model and data set, and metrics that compare items.

A set of 50,000 pictures with 2048 features takes 0.4 GB, and as much again for the jackknife.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, product
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gan_eval import __version__
from gan_eval.base.digests import sha256_file
from gan_eval.base.errors import UserError
from gan_eval.base.progress import Progress
from gan_eval.metrics.catalogue import FID_WARNING, MIN_FID_PICTURES
from gan_eval.metrics.definitions.frechet import fid_to
from gan_eval.metrics.definitions.jackknife import (
    JackknifeEstimate,
    OnPart,
    PictureSet,
    SetComparison,
    deal,
    groups_of,
    leave_groups_out,
    parts_of,
    silent,
)
from gan_eval.metrics.definitions.labels import NO_DIFFERENCE, LabelCells, cells_of
from gan_eval.metrics.definitions.record import ExtractorName, Metric
from gan_eval.metrics.definitions.segmentation import label_colour_spreads
from gan_eval.metrics.definitions.separability import few_pictures_note
from gan_eval.metrics.definitions.spectrum import peak_frequency
from gan_eval.metrics.kernels.pictures import NO_INPUT, Missing, Unmeasurable
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.run.differences import Outcome, compare_outcomes
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.measure import Tools, installed
from gan_eval.pictures.decode import read_rgb
from gan_eval.pictures.holes import area_band
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import any_seen

if TYPE_CHECKING:
    from gan_eval.metrics.run.measure import PictureResults
    from gan_eval.pictures.clues import Facts

_LIBRARIES = ("numpy", "scipy", "torch", "scikit-learn")
BY_HOLE = ("fid", "kid", "cmmd", "p_ids", "u_ids")
"""Metrics that are also computed by hole, for any features."""


TechnicalNotes = Mapping[tuple[str, str], str]
"""Note on technical differences between real and generated pictures, by data set and model."""


class SetRows(NamedTuple):
    """The rows of the tables of sets, without the column `run`."""

    sets: Sequence[Row] = ()
    """Rows of `set_metrics`."""
    comparisons: Sequence[Row] = ()
    """Rows of `metric_comparisons`."""
    of_holes: Sequence[Row] = ()
    """Rows of `hole_metrics`."""
    notes: TechnicalNotes = MappingProxyType({})


def technical_notes(
    stimuli: Sequence[Stimulus], results: "PictureResults", cache: Cache, *, threads: int
) -> TechnicalNotes:
    """Return a note for each model whose pictures differ technically from the real ones."""
    from gan_eval.pictures.technical import technical_differences, technical_facts

    def differences(facts_of: "Callable[[str], list[Facts]]", model: str) -> list[str]:
        return technical_differences(facts_of(""), facts_of(model))

    notes: dict[tuple[str, str], str] = {}
    for dataset, members in _members(stimuli).items():
        readable = {name: [n for n in numbers if n in results.hashes] for name, numbers in members.items()}
        facts_of = functools.cache(
            lambda name, readable=readable: technical_facts([stimuli[n].file for n in readable[name]], threads=threads)
        )
        for model in filter(None, members):
            parts = ["technical differences", *([results.hashes[n] for n in readable[s]] for s in ("", model))]
            if texts := cache.result(parts, partial(differences, facts_of, model)):
                notes[dataset, model] = f"technical differences count: {'; '.join(texts)}"
    return notes


def _is_of_network(metric: Metric) -> bool:
    """Return True for a set metric of the features of a network, built in or the user's."""
    return (metric.extractor or "").startswith(("inception", "@"))


def _members(stimuli: Sequence[Stimulus]) -> dict[str, dict[str, list[int]]]:
    """Return the numbers of the stimuli by data set and model, those of real pictures under ""."""
    datasets: dict[str, dict[str, list[int]]] = {s.dataset: {"": []} for s in stimuli if s.is_fake}
    for number, stimulus in enumerate(stimuli):
        if stimulus.dataset in datasets:
            name = (stimulus.model or "") if stimulus.is_fake else ""
            datasets[stimulus.dataset].setdefault(name, []).append(number)
    return datasets


def set_rows(
    stimuli: Sequence[Stimulus],
    results: "PictureResults",
    tools: Tools,
    cache: Cache,
    *,
    threads: int,
    values_only: bool,
    on_progress: Progress | None,
) -> SetRows:
    """Return the rows of `compare_sets` and `hole_rows`, from the cache if an earlier run compared equal features.

    None without set metrics. With `values_only`, only the rows of `compare_sets`, without intervals and notes.
    """
    required = [metric for metric in tools.metrics if metric.kind == "set"]
    if values_only or not required:
        return SetRows(*compare_sets(stimuli, required, results, tools, values_only=True, on_progress=on_progress))
    has_networks = any(map(_is_of_network, required))
    notes = technical_notes(stimuli, results, cache, threads=threads) if has_networks else {}

    def compute() -> tuple[list[Row], list[Row], list[Row]]:
        compared_sets = compare_sets(stimuli, required, results, tools, notes=notes, on_progress=on_progress)
        return *compared_sets, hole_rows(stimuli, required, results, tools)

    return SetRows(*cache.result(_inputs(stimuli, required, results, tools, notes), compute), notes)


def _inputs(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    results: "PictureResults",
    tools: Tools,
    notes: TechnicalNotes,
) -> list[object]:
    """Return all that the rows of set metrics depend on, for JSON."""
    facts_of = attrgetter("stimulus", "item", "kind", "model", "dataset", "fraction", "seen", "mask_kind", "mask_area")
    owners = [(*facts_of(stimulus), results.unreadable.get(number)) for number, stimulus in enumerate(stimuli)]
    features = [(name, tools.definitions[name], results.stores[name].content_hash()) for name in tools.extractors]
    features += [(name, "given", results.stores[name].content_hash()) for name in tools.given]
    facts = [
        [(metric.name, metric.definition) for metric in metrics],
        tools.reference and tools.reference.sha256,
        sorted(notes.items()),
        {name: missing.reason for name, missing in tools.unavailable.items()},
        tools.caveats,
        [f"gan_eval {__version__}", *installed(_LIBRARIES)],
    ]
    return ["set metrics", owners, sorted(results.hashes.items()), features, facts]


def compare_sets(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    results: "PictureResults",
    tools: Tools,
    *,
    notes: TechnicalNotes = MappingProxyType({}),
    values_only: bool = False,
    on_progress: Progress | None = None,
) -> tuple[list[Row], list[Row]]:
    """Return the rows of `set_metrics` and `metric_comparisons`, without the column `run`.

    With `values_only`, intervals are left out; they take many times as long as the values.
    """
    datasets = _members(stimuli)
    by_extractor: dict[ExtractorName, list[Metric]] = {}
    for metric in metrics:
        by_extractor.setdefault(metric.extractor or "", []).append(metric)
    total = (sum(map(len, datasets.values())) - len(datasets)) * len(metrics)
    rows, comparisons = list[Row](), list[Row]()
    for dataset, members in datasets.items():
        sources = {
            name: SetSource(name, members, stimuli, results, tools, values_only=values_only) for name in by_extractor
        }
        outcomes: dict[str, dict[str, Outcome]] = {metric.name: {} for metric in metrics}
        for model, (extractor, batch) in product(filter(None, members), by_extractor.items()):
            source, note = sources[extractor], notes.get((dataset, model))
            found = source.measure(batch, model, partial(_show_part, on_progress, len(rows), total, len(batch), model))
            for metric in batch:
                row, outcomes[metric.name][model] = source.row(metric, model, found[metric.name], note)
                rows.append({"model": model, "dataset": dataset, "metric": metric.name, **row})
            if on_progress:
                on_progress(len(rows), total, "sets")
        for metric in chain.from_iterable(by_extractor.values()):
            comparisons += compare_outcomes(dataset, metric, outcomes[metric.name])
    return rows, comparisons


def _show_part(on_progress: Progress | None, done: int, total: int, count: int, model: str, share: float) -> None:
    """Show the share of a model's `count` next metrics that is done."""
    if on_progress:
        on_progress(done, total, "sets", f"{share:.0%} of the next {count}, {model}")


@dataclass
class SetSource:
    """The sets of one data set for one extractor; values of the real pictures alone are computed once."""

    extractor: ExtractorName
    members: Mapping[str, Sequence[int]]
    """The numbers of the stimuli of each model, and of the real pictures under ""."""
    stimuli: Sequence[Stimulus]
    results: "PictureResults"
    tools: Tools
    values_only: bool

    def __post_init__(self) -> None:
        self._measurable = {
            name: [number for number in numbers if self._reason(number) is None]
            for name, numbers in self.members.items()
        }
        self._items = {
            name: frozenset(self.stimuli[number].item for number in numbers)
            for name, numbers in self._measurable.items()
        }
        self._comparisons: dict[Callable[[PictureSet], SetComparison], SetComparison] = {}

    def measure(
        self, metrics: Sequence[Metric], model: str, on_part: OnPart = silent
    ) -> dict[str, JackknifeEstimate | Missing]:
        """Return each metric's value for a model, or the reason for a missing one."""
        unavailable = self.tools.unavailable
        if self.tools.reference:
            return {
                metric.name: unavailable.get(metric.name) or self._to_reference(metric, model) for metric in metrics
            }
        batches: dict[object, list[Metric]] = {}
        for metric in metrics:  # metrics of one comparison are computed together
            if metric.name not in unavailable:
                batches.setdefault(metric.compare or metric.name, []).append(metric)
        values: dict[str, JackknifeEstimate | Missing] = {}
        for index, batch in enumerate(batches.values()):
            values |= self._measure_together(batch, model, parts_of(on_part, [1] * len(batches), index))
        return {metric.name: values.get(metric.name) or unavailable[metric.name] for metric in metrics}

    def _measure_together(
        self, batch: Sequence[Metric], model: str, on_part: OnPart
    ) -> dict[str, JackknifeEstimate | Missing]:
        """Return the values of the metrics of one comparison, or the reason for missing ones."""
        names = {metric.function.__name__: metric.name for metric in batch if metric.function is not None}
        results: Mapping[str, JackknifeEstimate | Unmeasurable]
        try:
            results = self._compare(batch[0], model, list(names), on_part)
        except Unmeasurable as reason:
            results = dict.fromkeys(names, reason)
        return {
            names[name]: self._why(result, model) if isinstance(result, Unmeasurable) else result
            for name, result in results.items()
        }

    def _to_reference(self, metric: Metric, model: str) -> JackknifeEstimate | Missing:
        """Return FID to the statistics of real pictures; a reason for any other metric."""
        assert self.tools.reference
        if metric.name != "fid":
            return Missing("needs the real pictures; the reference has only their mean and covariance, for fid")
        try:
            value = fid_to(self.tools.reference.gaussian, self._pictures(model).features)
        except Unmeasurable as error:
            return self._why(error, model)
        return JackknifeEstimate(value, why_no_interval="the reference has no pictures")

    def _compare(
        self, metric: Metric, model: str, names: Sequence[str], on_part: OnPart
    ) -> Mapping[str, JackknifeEstimate | Unmeasurable]:
        """Return the estimates of a metric and of those with the same comparison, by the names of their functions."""
        store, numbers = self.results.stores[self.extractor], [*self.members[""], *self.members[model]]
        missing = [number for number in numbers if number not in self.results.unreadable and not store.filled[number]]
        if store.is_given and missing:  # a value of the other pictures is not what the user asked for
            raise Unmeasurable(
                f"{len(missing)} of {len(numbers)} pictures without features: {self._reason(missing[0])}"
            )
        real, fake = self._real, self._pictures(model)
        if min(len(real.features), len(fake.features)) == 0:
            counts = f"{len(real.features)} real and {len(fake.features)} generated pictures"
            raise Unmeasurable(f"{counts}; {metric.name} compares sets")
        with np.errstate(invalid="ignore", over="ignore"):  # features that are not finite are refused with their name
            if metric.compare is None:
                assert metric.function is not None
                return {names[0]: leave_groups_out(metric.function, real, fake, on_part=on_part)}
            if metric.compare not in self._comparisons:
                self._comparisons[metric.compare] = metric.compare(real)
            return self._comparisons[metric.compare](fake, names, on_part)

    def _why(self, error: Unmeasurable, model: str) -> Missing:
        """Return the reason of the first picture of a set in which none can be measured; otherwise the error's."""
        for name in ("", model):
            if self.members[name] and not self._measurable[name]:
                return Missing(self._reason(self.members[name][0]) or str(error))
        return Missing(str(error))

    def row(
        self, metric: Metric, model: str, result: JackknifeEstimate | Missing, technical: str | None = None
    ) -> tuple[Row, Outcome]:
        """Return the columns of a metric's row for a model, and its outcome for comparisons with other models."""
        stimuli = [self.stimuli[number] for number in self.members[model]]
        fraction = min((s.fraction for s in stimuli if s.fraction is not None), default=None)
        n_real, n_fake = len(self._measurable[""]), len(self._measurable[model])
        row: Row = {
            "n_real": None if self.tools.reference else n_real,
            "n_fake": n_fake,
            "seen": any_seen(stimulus.seen for stimulus in stimuli),
            "fraction": fraction,
        }
        notes: list[str | None] = []
        if isinstance(result, Missing):
            row["reason"] = result.reason
        else:
            says_nothing = self._few_pictures_note(metric, result, n_real + n_fake)
            interval = None if says_nothing else result.interval(low=metric.low, high=metric.high)
            row |= {"value": result.value, "reason": None}
            row |= {"ci_low": interval.low, "ci_high": interval.high} if interval else {}
            notes = [says_nothing, *self._caveats(metric, model), technical if _is_of_network(metric) else None]
            notes += self._details(metric, model, result)
        row["note"] = "; ".join(filter(None, [*notes, *self._notes(model)])) or None
        return row, Outcome(result, self._items[model], n_fake, fraction)

    def _caveats(self, metric: Metric, model: str) -> list[str | None]:
        """Return the caveats on a value."""
        reference, base = self.tools.reference, metric.name.partition("@")[0]
        few = min(len(self._measurable[name]) for name in ((model,) if reference else ("", model)))
        caveats = [self.tools.caveats.get(self.extractor), reference.note if reference else None]
        if base == "fid" and few < MIN_FID_PICTURES:
            caveats.append(FID_WARNING)
        if base == "kid_all_pairs" and not self._items[""].isdisjoint(self._items[model]):
            caveats.append("pairs of one item make it too low, by an amount that falls with 1/N; kid leaves them out")
        return caveats

    def _few_pictures_note(self, metric: Metric, result: JackknifeEstimate, pictures: int) -> str | None:
        width = self.results.stores[self.extractor].values.shape[1]
        return few_pictures_note(metric.name, result.value, pictures, width)

    def row_of_hole(self, metric: Metric, model: str) -> Row:
        """Return the columns of a metric's row for one group of holes."""
        (result,) = self.measure([metric], model).values()
        n_real, n_fake = len(self._measurable[""]), len(self._measurable[model])
        row: Row = {"n_real": n_real, "n_fake": n_fake, "fraction": self.stimuli[self.members[model][0]].fraction}
        if isinstance(result, Missing):
            return row | {"reason": result.reason}
        return row | {"value": result.value, "note": self._few_pictures_note(metric, result, n_real + n_fake)}

    def _details(self, metric: Metric, model: str, result: JackknifeEstimate) -> list[str | None]:
        """Return notes that take time: what is behind the value, and why it has no interval."""
        if self.values_only:
            return []
        no_interval = None if result.left_out is not None else f"no interval: {result.why_no_interval}"
        return [self._note(metric, model), no_interval]

    def _note(self, metric: Metric, model: str) -> str | None:
        """Return a note: the ratio of the spreads of each label, or a segmenter's score of the real pictures."""
        real = self._real.features
        if metric.extractor == "label_colours":
            ratios = label_colour_spreads(real, self._pictures(model).features)
            listed = ", ".join(f"{label} {ratio:.2f}" for label, ratio in ratios.items())
            return f"generated / real spread by label: {listed}"
        if metric.extractor == "spectrum":
            return f"the peak lies at {peak_frequency(real, self._pictures(model).features):.3f} cycles a pixel"
        if metric.extractor != "segmenter" or metric.function is None:
            return None
        try:
            return f"the real pictures themselves: {metric.function(real, real):.4g}"
        except Unmeasurable:
            return None

    def _notes(self, model: str) -> list[str]:
        """Return a note on excluded pictures and on copies, in the real set and in a model's."""
        numbers = [*self.members[""], *self.members[model]]
        excluded = [reason for reason in map(self._reason, numbers) if reason is not None]
        real, fake = (
            [self.results.hashes[number] for number in self._measurable[name] if number in self.results.hashes]
            for name in ("", model)
        )
        different = set(real)
        inside = len(real) - len(different) + len(fake) - len(set(fake))
        across = sum(digest in different for digest in fake)
        notes = [f"{len(excluded)} left out, the first: {excluded[0]}"] if excluded else []
        notes += [f"copies of other pictures in the same set: {inside}"] if inside else []
        notes += [f"copies of real pictures: {across}"] if across else []
        return notes

    @functools.cached_property
    def _real(self) -> PictureSet:
        return self._pictures("")

    def _pictures(self, name: str) -> PictureSet:
        """A set, with its features."""
        numbers = self._measurable[name]
        items = tuple(self.stimuli[number].item for number in numbers)
        values = self.results.stores[self.extractor].values
        is_run = bool(numbers) and len(numbers) == numbers[-1] - numbers[0] + 1  # in order, so a view, not a copy
        features = values[numbers[0] : numbers[-1] + 1] if is_run else values[numbers]
        groups = None if self.values_only else groups_of(items, deal(self._items[""], items))
        return PictureSet(features, items, groups)

    def _reason(self, number: int) -> str | None:
        """Reasons why pictures are excluded."""
        if number in self.results.unreadable:
            return self.results.unreadable[number]
        store = self.results.stores.get(self.extractor)
        if store is None or store.filled[number]:
            return None
        return store.reasons.get(number, "no features")


def hole_rows(
    stimuli: Sequence[Stimulus], metrics: Sequence[Metric], results: "PictureResults", tools: Tools
) -> list[Row]:
    """Return a row for each model, data set, group of holes and set metric; no row if all holes are in one group.

    A group is a kind of hole or a range of areas, as papers on inpainting report FID, P-IDS and U-IDS. The real
    pictures are those of the same items. There are no intervals: groups are small, and intervals take ten times as
    long.
    """
    chosen = [metric for metric in metrics if metric.name.partition("@")[0] in BY_HOLE]
    reals = {(s.dataset, s.item): number for number, s in enumerate(stimuli) if not s.is_fake}
    rows: list[Row] = []
    for (model, dataset, by), sorts_of in _by_hole(stimuli).items():
        for sort, fakes in sorted(sorts_of.items()) if len(sorts_of) > 1 else ():
            items = dict.fromkeys(stimuli[number].item for number in fakes)
            members = {"": [reals[dataset, item] for item in items if (dataset, item) in reals], model: fakes}
            for metric in chosen:
                assert metric.extractor is not None
                source = SetSource(metric.extractor, members, stimuli, results, tools, values_only=True)
                row: Row = {"model": model, "dataset": dataset, "metric": metric.name, "by": by, "hole": sort}
                rows.append(row | source.row_of_hole(metric, model))
    return rows


def _by_hole(stimuli: Sequence[Stimulus]) -> dict[tuple[str, str, str], dict[str, list[int]]]:
    """Return the numbers of generated pictures by (model, data set, kind or area), and by sort of hole."""
    groups: dict[tuple[str, str, str], dict[str, list[int]]] = {}
    for number, stimulus in enumerate(stimuli):
        area = stimulus.mask_area
        sorts = {"kind": stimulus.mask_kind, "area": None if area is None or area != area else area_band(area)}
        for by, sort in sorts.items() if stimulus.is_fake else ():
            if sort is not None:
                owner = (stimulus.model or "", stimulus.dataset, by)
                groups.setdefault(owner, {}).setdefault(sort, []).append(number)
    return groups


ItemKey = tuple[str, str]
"""SHA-256 of an item's input and of its photograph."""


def measure_items(stimuli: Sequence[Stimulus], tools: Tools, results: "PictureResults", *, threads: int = 1) -> None:
    """Store the values, or the reasons for missing ones, of metrics that compare the items of a data set.

    The items are those of one model's pictures. Models with the same inputs get the same values, which are computed
    once.
    """
    columns = {column: metric for column, (metric, _) in enumerate(tools.measures) if metric.of_items}
    in_pairs = [number for number, stimulus in enumerate(stimuli) if stimulus.has_pair_metrics]
    keys = {number: _item_key(stimuli[number]) for number in in_pairs} if columns else {}
    groups: dict[tuple[str, str | None], dict[int, ItemKey]] = {}
    for number, key in keys.items():
        if isinstance(key, Missing):
            results.reasons |= dict.fromkeys(product([number], columns), key.reason)
        else:
            groups.setdefault((stimuli[number].dataset, stimuli[number].model), {})[number] = key
    by_items: dict[tuple[ItemKey, ...], dict[int, ItemKey]] = {}
    for members in groups.values():
        by_items.setdefault(tuple(sorted(set(members.values()))), {}).update(members)
    for items, members in by_items.items():
        first = {key: stimuli[number] for number, key in reversed(members.items())}
        cells = _cells([first[key] for key in items], threads)
        for column, metric in columns.items():
            by_item = dict(zip(items, _item_values(metric, cells), strict=True))
            for number, key in members.items():
                results.put(number, column, by_item[key])


def _item_key(stimulus: Stimulus) -> ItemKey | Missing:
    """Return the hashes of an item's input and photograph, or the reason why one is missing."""
    if stimulus.reference is None:
        return Missing(stimulus.no_reference)
    if stimulus.input is None:
        return NO_INPUT
    try:
        return sha256_file(stimulus.input), sha256_file(stimulus.reference)
    except UserError as error:
        return Missing(str(error))


def _cells(items: Sequence[Stimulus], threads: int) -> list[LabelCells | Missing]:
    """Return each item on the grid of cells, or the reason why it cannot be read."""

    def read(item: Stimulus) -> LabelCells | Missing:
        assert item.input is not None
        assert item.reference is not None
        try:
            return cells_of(read_rgb(item.input), read_rgb(item.reference))
        except (UserError, Unmeasurable) as reason:
            return Missing(str(reason))

    with ThreadPoolExecutor(threads, thread_name_prefix="items") as pool:
        return list(pool.map(read, items))


def _item_values(metric: Metric, cells: Sequence[LabelCells | Missing]) -> list[float | Missing]:
    """Return each item's value, or the reason for a missing one."""
    assert metric.function is not None
    read, values = [cell for cell in cells if not isinstance(cell, Missing)], list[float | Missing]()
    try:
        values += [float(number) if number == number else Missing(NO_DIFFERENCE) for number in metric.function(read)]
    except Unmeasurable as error:
        values += [Missing(str(error))] * len(read)
    of_read = iter(values)
    return [cell if isinstance(cell, Missing) else next(of_read) for cell in cells]
