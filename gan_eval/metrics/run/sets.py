"""Set metrics: each model's generated pictures beside the real pictures of the same data set.

What 50,000 + 50,000 pictures of 2048 features need beyond the features themselves (0.4 GB a set, which may be mapped
from a file; those of a model are copied where they do not stand in a row): `fid` 0.6 GB, `kid` 0.1 GB, precision,
recall, density and coverage 0.2 GB together. Of that only radii and the like grow with the number: 0.4 kB a picture.

Which pictures of a data set go into the set metrics, and what a reader must know about those that do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gan_eval.metrics.catalogue import (
    BESIDE_FID,
    ENOUGH_FOR_FID,
    FID_OF_FEW,
    METRICS,
    ExtractorName,
    Metric,
    OnProgress,
)
from gan_eval.metrics.definitions.jackknife import GROUPS, Estimate, deal, groups_of
from gan_eval.metrics.run.differences import Outcome, compare_outcomes
from gan_eval.metrics.run.evaluation import SetRows
from gan_eval.metrics.run.features import FeatureTable
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.set_references import PictureSet, References
from gan_eval.tabular import Row


@dataclass(frozen=True)
class Given:
    """What the passes before this one found; see `gan_eval.metrics.run.sets.compare_sets`."""

    features: Mapping[ExtractorName, FeatureTable]
    unreadable: Mapping[str, str]
    unavailable: Mapping[str, str]
    caveats: Mapping[ExtractorName, str]
    hashes: Mapping[str, str]


class Source:
    """The sets of one data set under one extractor; the real pictures' set is named "".

    Args:
        extractor: its name.
        stimuli: by set, its pictures.
        given: what the passes before this one found.
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
        holders: dict[str, list[str]] = {}
        for name, items in self._items.items():
            for item in items:
                holders.setdefault(item, []).append(name)
        self._groups = deal(holders)

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
        return PictureSet(features, items, groups_of(items, self._groups))

    @cached_property
    def references(self) -> References:
        """The real pictures, ready to be compared with."""
        return References(self.pictures(""))

    def notes(self, model: str) -> list[str]:
        """On the pictures of the real set and of a model's that are left out, and on those that are copies."""
        if model not in self._notes:
            self._notes[model] = [*self._on_left_out(model), *self._on_copies(model)]
        return self._notes[model]

    def why_empty(self, model: str) -> str | None:
        """The first reason why all pictures of the real set or of a model's are left out; None where some are not."""
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

    def _on_left_out(self, model: str) -> list[str]:
        reasons = [self._reason(s.stimulus) for name in ("", model) for s in self._stimuli[name]]
        left_out = [reason for reason in reasons if reason is not None]
        return [f"{len(left_out)} left out, the first: {left_out[0]}"] if left_out else []

    def _on_copies(self, model: str) -> list[str]:
        real, fake = (
            [digest for s in self._measurable[name] if (digest := self._given.hashes.get(s.stimulus))]
            for name in ("", model)
        )
        known = set(real)
        inside = len(real) - len(known) + len(fake) - len(set(fake))
        across = sum(digest in known for digest in fake)
        notes = [f"{_pictures(inside)} of others in the same set"] if inside else []
        return notes + ([f"{_pictures(across, 'generated ')} of real ones"] if across else [])


def _pictures(count: int, which: str = "") -> str:
    """
    >>> _pictures(3)
    '3 pictures are copies'
    """
    return f"1 {which}picture is a copy" if count == 1 else f"{count} {which}pictures are copies"


def compare_sets(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    *,
    features: Mapping[ExtractorName, FeatureTable],
    unreadable: Mapping[str, str],
    unavailable: Mapping[str, str],
    caveats: Mapping[ExtractorName, str],
    hashes: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
) -> SetRows:
    """One row for each (model, data set) and set metric, and one for each two models of a data set and set metric.

    Where `fid` is asked for and there are fewer than 2,000 pictures, `fid_infinity` and `kid` are computed too.

    Args:
        stimuli: all pictures.
        metrics: those wanted; pair and single metrics and users' own among them are passed over.
        features: by extractor.
        unreadable: the reason for each stimulus that could not be read.
        unavailable: the reason for each metric that cannot be computed at all.
        caveats: by extractor, what a reader must know about every value.
        hashes: SHA-256 of each stimulus's content, where known: pictures that are copies of others are counted.
        on_progress: told the values done.
    """
    wanted = [metric for metric in metrics if metric.kind == "set" and not metric.distribution]
    models: dict[str, list[str]] = {}
    for dataset, model in dict.fromkeys((s.dataset, s.model or "") for s in stimuli if s.is_fake):
        models.setdefault(dataset, []).append(model)
    total = sum(map(len, models.values())) * len(wanted)
    found = SetRows()
    for dataset, of_dataset in models.items():
        work = _DataSet(
            dataset,
            {name: _of(stimuli, dataset, name) for name in ("", *of_dataset)},
            Given(features, unreadable, unavailable, caveats, hashes or {}),
        )
        for model in of_dataset:
            work.measure(model, wanted)
            if on_progress:
                on_progress(min(len(found.rows) + len(work.rows), total), total, "sets")
        found.rows.extend(work.rows)
        found.comparisons.extend(work.comparisons())
    return found


def _of(stimuli: Sequence[Stimulus], dataset: str, model: str) -> list[Stimulus]:
    """The pictures of a model, or the real ones for the name ""."""
    return [s for s in stimuli if s.dataset == dataset and ((s.model or "") == model if s.is_fake else not model)]


class _DataSet:
    """One data set: its real pictures and each model's."""

    def __init__(self, dataset: str, stimuli: Mapping[str, Sequence[Stimulus]], given: Given) -> None:
        self._dataset = dataset
        self._stimuli = stimuli
        self._given = given
        self._sources: dict[ExtractorName, Source] = {}
        self._outcomes: dict[str, dict[str, Outcome]] = {}
        """By metric and model."""
        self.rows: list[Row] = []

    def measure(self, model: str, wanted: Sequence[Metric]) -> None:
        """Add the rows of one model."""
        by_extractor: dict[ExtractorName, list[Metric]] = {}
        for metric in self._with_companions(model, wanted):
            if metric.extractor:
                by_extractor.setdefault(metric.extractor, []).append(metric)
        for extractor, metrics in by_extractor.items():
            source = self._source(extractor)
            possible = [metric.name for metric in metrics if metric.name not in self._given.unavailable]
            found = source.references.measure(possible, source.pictures(model)) if possible else {}
            for metric in metrics:
                result = found.get(metric.name) or self._given.unavailable[metric.name]
                reason = source.why_empty(model) if metric.name in found else None
                self._add(metric, model, source, result if isinstance(result, Estimate) else reason or str(result))

    def comparisons(self) -> list[Row]:
        """Rows of every two models."""
        return [
            row
            for name, outcomes in self._outcomes.items()
            for row in compare_outcomes(self._dataset, METRICS[name], outcomes)
        ]

    def _with_companions(self, model: str, wanted: Sequence[Metric]) -> list[Metric]:
        names = [metric.name for metric in wanted]
        if "fid" in names and "fid" not in self._given.unavailable:
            source = self._source("inception")
            if min(source.count(""), source.count(model)) < ENOUGH_FOR_FID:
                return [*wanted, *(METRICS[name] for name in BESIDE_FID if name not in names)]
        return list(wanted)

    def _source(self, extractor: ExtractorName) -> Source:
        if extractor not in self._sources:
            self._sources[extractor] = Source(extractor, self._stimuli, self._given)
        return self._sources[extractor]

    def _add(self, metric: Metric, model: str, source: Source, result: Estimate | str) -> None:
        fraction = min((s.fraction for s in self._stimuli[model] if s.fraction is not None), default=None)
        row: Row = {
            "model": model,
            "dataset": self._dataset,
            "metric": metric.name,
            "n_real": source.count(""),
            "n_fake": source.count(model),
            "fraction": fraction,
        }
        notes: list[str | None] = [*source.notes(model)]
        if isinstance(result, Estimate):
            interval = result.interval(low=metric.low, high=metric.high)
            row |= {"value": result.value, "reason": None}
            row |= {"ci_low": interval.low, "ci_high": interval.high} if interval else {}
            caveat, ceiling = self._given.caveats.get(source.extractor), source.references.note(metric.name)
            warning = _warning(metric, row, share_items=source.share_items(model))
            notes = [caveat, warning, ceiling, _on_interval(result), *notes]
        else:
            row["reason"] = result
        self.rows.append({**row, "note": "; ".join(filter(None, notes)) or None})
        outcome = Outcome(result, source.items(model), fraction)
        self._outcomes.setdefault(metric.name, {})[model] = outcome


def _warning(metric: Metric, row: Row, *, share_items: bool) -> str | None:
    if metric.name == "fid" and min(row["n_real"], row["n_fake"]) < ENOUGH_FOR_FID:
        return FID_OF_FEW
    if metric.name == "kid" and share_items:
        return (
            "real and generated pictures share items: KID is too low by an amount that falls with 1/N; "
            "compare models on the same items, not its sign"
        )
    return None


def _on_interval(result: Estimate) -> str | None:
    return f"no interval: too few items for {GROUPS} groups" if result.left_out is None else None
