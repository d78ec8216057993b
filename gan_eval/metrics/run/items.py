"""Metrics that compare the items of a data set with each other: what inputs tell of the photographs.

The items are those of one model's pictures, of which nothing but the identifiers is used; models that were given the
same inputs get the same values, which are computed once. Only the process that has the tables computes them, after the
pass over the pictures: there is one regression for a data set, and its pictures are reduced to a small grid at once.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file, sha256_json
from gan_eval.metrics.catalogue import Metric
from gan_eval.metrics.definitions.labels import NO_DIFFERENCE, LabelCells, cells_of
from gan_eval.metrics.kernels.pictures import NO_INPUT, Unmeasurable
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.tools import Measure
from gan_eval.stimuli.pictures import read_rgb

if TYPE_CHECKING:
    from gan_eval.metrics.run.pictures import PictureResults

ItemKey = tuple[str, str]
"""SHA-256 of an item's input and of its photograph."""
ItemCells = dict[ItemKey, LabelCells | str]
"""Items on their grid, or why one cannot be."""


def measure_items(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    measures: Sequence[Measure],
    results: "PictureResults",
    cache: Cache,
    *,
    threads: int = 1,
) -> None:
    """Put the values of metrics that compare items, or the reasons for none, into the results of the pass.

    Args:
        stimuli: all pictures.
        metrics: those of the run; others are passed over.
        measures: the same as the results' columns.
        results: of the pass over the pictures.
        cache: values of earlier runs.
        threads: how many read pictures.
    """
    columns = [(column, measure) for column, measure in enumerate(measures) if measure.of_items]
    if not columns:
        return
    facts = {metric.name: metric for metric in metrics}
    groups: dict[tuple[str, str | None], dict[int, ItemKey]] = {}
    for number, stimulus in enumerate(stimuli):
        if stimulus.has_pair_metrics:
            key = _key(stimulus)
            if isinstance(key, str):
                results.reasons |= {(number, column): key for column, _ in columns}
            else:
                groups.setdefault((stimulus.dataset, stimulus.model), {})[number] = key
    cells: ItemCells = {}
    computed: dict[tuple[int, tuple[ItemKey, ...]], Mapping[ItemKey, float | str]] = {}
    for members in groups.values():
        items = {key: stimuli[number] for number, key in sorted(members.items(), key=lambda member: member[1])}
        for column, measure in columns:
            values = computed.get((column, tuple(items)))
            if values is None:
                name = bytes.fromhex(sha256_json(["items", measure.definition, list(items)]))
                text = cache.result(name) if measure.definition else None
                if text is not None:
                    values = dict(zip(items, json.loads(text), strict=True))
                    results.cached += len(values)
                else:
                    _read(items, cells, threads)
                    values = _values(facts[measure.name], {key: cells[key] for key in items})
                    if measure.definition:
                        cache.keep_result(name, json.dumps(list(values.values())))
                computed[column, tuple(items)] = values
            for number, key in members.items():
                match values[key]:
                    case str() as reason:
                        results.reasons[number, column] = reason
                    case value:
                        results.numbers[number, column] = value


def _key(stimulus: Stimulus) -> ItemKey | str:
    """The hashes of an item's input and photograph, or why there is none."""
    if stimulus.reference is None:
        return stimulus.no_reference
    if stimulus.input is None:
        return NO_INPUT
    try:
        return sha256_file(stimulus.input), sha256_file(stimulus.reference)
    except UserError as error:
        return str(error)


def _read(items: Mapping[ItemKey, Stimulus], cells: ItemCells, threads: int) -> None:
    """Put those items that are not among the cells there."""

    def read(stimulus: Stimulus) -> LabelCells | str:
        try:
            assert stimulus.input is not None
            assert stimulus.reference is not None
            return cells_of(read_rgb(stimulus.input), read_rgb(stimulus.reference))
        except (UserError, Unmeasurable) as reason:
            return str(reason)

    missing = [key for key in items if key not in cells]
    with ThreadPoolExecutor(threads, thread_name_prefix="items") as pool:
        cells |= zip(missing, pool.map(read, [items[key] for key in missing]), strict=True)


def _values(metric: Metric, cells: Mapping[ItemKey, LabelCells | str]) -> dict[ItemKey, float | str]:
    """Each item's value, or the reason for none, in the order of the items."""
    values: dict[ItemKey, float | str] = {key: part if isinstance(part, str) else "" for key, part in cells.items()}
    usable = {key: part for key, part in cells.items() if not isinstance(part, str)}
    assert metric.of_items is not None
    try:
        numbers: Sequence[float | str] = [
            float(value) if value == value else NO_DIFFERENCE for value in metric.of_items(list(usable.values()))
        ]
    except Unmeasurable as reason:
        numbers = [str(reason)] * len(usable)
    return values | dict(zip(usable, numbers, strict=True))
