"""The set metrics, computed once for the same features: each metric's rows are kept by the hash of all that goes in."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gan_eval.files import sha256_json
from gan_eval.metrics.callables import OnProgress
from gan_eval.metrics.catalogue import METRICS
from gan_eval.metrics.facts import BESIDE_FID, Metric
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.pictures import PictureResults
from gan_eval.metrics.run.provenance import versions
from gan_eval.metrics.run.set_rows import SetRows
from gan_eval.metrics.run.tools import Tools
from gan_eval.tabular import Row

_Key = TypeVar("_Key")
_LIBRARIES = ("numpy", "scipy", "torch")
_SHARED = "gan_eval.metrics.run.sets:compare_sets"
"""The code that all set metrics have in common."""
_DEFINITIONS = "gan_eval.metrics.definitions"
_OWN: dict[str, tuple[str, ...]] = {
    "fid": (f"{_DEFINITIONS}.frechet_reference:FrechetReference",),
    "fid_infinity": (f"{_DEFINITIONS}.fid_infinity:infinity_estimate",),
    "kid": (f"{_DEFINITIONS}.kid:KernelReference",),
    **{
        name: (f"{_DEFINITIONS}.segmentation:{name}", f"{_DEFINITIONS}.jackknife:leave_groups_out")
        for name in ("pixel_accuracy", "class_accuracy", "class_iou")
    },
}
_OF_NEIGHBOURS = (f"{_DEFINITIONS}.neighbours:NeighbourReference", f"{_DEFINITIONS}.neighbours:K")


def set_code_roots(name: str) -> tuple[str, ...]:
    """Where the code of a set metric of gan_eval begins, each as `module:name`."""
    return (_SHARED, *_OWN.get(name, _OF_NEIGHBOURS))


def compare_sets_once(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    results: PictureResults,
    tools: Tools,
    cache: Cache,
    *,
    on_progress: OnProgress | None = None,
) -> SetRows:
    """As `gan_eval.metrics.run.sets.compare_sets`; metrics that were computed before for the same are not again."""
    wanted = [metric for metric in metrics if metric.kind == "set" and not metric.distribution]
    if not wanted:
        return SetRows()
    keys = _keys(stimuli, wanted, results, tools) if cache.is_used else {}
    kept = {name: SetRows(**json.loads(text)) for name, key in keys.items() if (text := cache.result(key)) is not None}
    left = [metric for metric in wanted if metric.name not in kept]
    if left:
        computed = _compute(stimuli, left, results, tools, on_progress)
        for metric in left:
            names = {metric.name, *_companions(metric, wanted)}
            kept[metric.name] = SetRows(_of(names, computed.rows), _of(names, computed.comparisons))
            if metric.name in keys:
                cache.keep_result(keys[metric.name], json.dumps(vars(kept[metric.name])))
    return _Order.of(stimuli, wanted).put(kept.values())


def _compute(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    results: PictureResults,
    tools: Tools,
    on_progress: OnProgress | None,
) -> SetRows:
    from gan_eval.metrics.run.sets import compare_sets

    names = [stimulus.stimulus for stimulus in stimuli]
    return compare_sets(
        stimuli,
        metrics,
        features={kind.name: results.stores[kind.name].table(names) for kind in tools.network.kinds},
        unreadable={names[number]: reason for number, reason in results.unreadable.items()},
        unavailable=tools.network.unavailable,
        caveats=tools.network.caveats,
        hashes={names[number]: digest.hex() for number, digest in results.hashes.items()},
        on_progress=on_progress,
    )


def _companions(metric: Metric, wanted: Sequence[Metric]) -> list[str]:
    """What may be computed beside a metric because of it, unless it is asked for itself."""
    asked = {one.name for one in wanted}
    return [name for name in BESIDE_FID if name not in asked] if metric.name == "fid" else []


def _of(names: set[str], rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["metric"] in names]


def _keys(
    stimuli: Sequence[Stimulus], wanted: Sequence[Metric], results: PictureResults, tools: Tools
) -> dict[str, bytes]:
    """By metric, SHA-256 over the features, whose they are, and how they are compared."""
    whose = [
        (one.stimulus, one.item, one.kind, one.model, one.dataset, one.fraction, results.unreadable.get(number))
        for number, one in enumerate(stimuli)
    ]
    digests = sorted((number, digest.hex()) for number, digest in results.hashes.items())
    pictures = sha256_json([whose, digests, versions(_LIBRARIES)])
    features = {
        kind.name: (kind.definition, results.stores[kind.name].content_hash())
        for kind in tools.network.kinds
        if any(metric.extractor == kind.name for metric in wanted)
    }
    keys = {}
    for metric in wanted:
        together = [metric, *(METRICS[name] for name in _companions(metric, wanted))]
        how = [
            (one.name, one.definition, str(one.low), str(one.high), one.higher_is_better,
             tools.network.unavailable.get(one.name), tools.code.of(*set_code_roots(one.name)))
            for one in together
        ]  # fmt: skip
        extractor = metric.extractor
        told = (features.get(extractor), tools.network.caveats.get(extractor)) if extractor else None
        keys[metric.name] = bytes.fromhex(sha256_json(["set metric", pictures, told, how]))
    return keys


@dataclass(frozen=True)
class _Order:
    """How the rows follow each other: model by model, the metrics as asked for, those of one extractor together."""

    datasets: Mapping[str, int]
    models: Mapping[tuple[str, str], int]
    metrics: Mapping[str, int]

    @staticmethod
    def of(stimuli: Sequence[Stimulus], wanted: Sequence[Metric]) -> "_Order":
        models = dict.fromkeys((one.dataset, one.model or "") for one in stimuli if one.is_fake)
        by_extractor: dict[str | None, list[str]] = {}
        for metric in wanted:
            by_extractor.setdefault(metric.extractor, []).append(metric.name)
        for metric in wanted:
            by_extractor[metric.extractor] += _companions(metric, wanted)
        return _Order(
            _numbered(dataset for dataset, _ in models),
            _numbered(models),
            _numbered(name for names in by_extractor.values() for name in names),
        )

    def put(self, parts: Iterable[SetRows]) -> SetRows:
        """All rows in this order."""
        every = list(parts)
        rows = [row for part in every for row in part.rows]
        comparisons = [row for part in every for row in part.comparisons]
        return SetRows(sorted(rows, key=self._of_value), sorted(comparisons, key=self._of_comparison))

    def _of_value(self, row: Row) -> tuple[int, ...]:
        return (
            self.datasets[row["dataset"]],
            self.models[row["dataset"], row["model"]],
            self.metrics[row["metric"]],
        )

    def _of_comparison(self, row: Row) -> tuple[int, ...]:
        pair = (self.models[row["dataset"], row[side]] for side in ("a", "b"))
        return self.datasets[row["dataset"]], self.metrics[row["metric"]], *pair


def _numbered(keys: Iterable[_Key]) -> dict[_Key, int]:
    return {key: number for number, key in enumerate(dict.fromkeys(keys))}
