"""Set metrics of the filled holes of one kind, and of one band of areas: rows of the table `hole_metrics`.

Papers on inpainting give FID, P-IDS and U-IDS by the mask. The real pictures are those of the same items. Values only:
sets of one kind are small, and an interval would take ten times as long.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gan_eval.metrics.definitions.jackknife import Estimate, PictureSet
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.definitions.separability import few_pictures_note
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.stimuli.holes import area_band
from gan_eval.tables.frames import Row

if TYPE_CHECKING:
    from gan_eval.metrics.run.measures import FeatureStore, Tools
    from gan_eval.metrics.run.pictures import PictureResults

BY_HOLE = ("fid", "kid", "cmmd", "p_ids", "u_ids")
"""The metrics that are computed by hole, of any features."""


def hole_rows(
    stimuli: Sequence[Stimulus], metrics: Sequence[Metric], results: "PictureResults", tools: "Tools"
) -> list[Row]:
    """Return a row for each model, data set, sort of hole and set metric; none where all holes are of one sort."""
    chosen = [metric for metric in metrics if metric.name.partition("@")[0] in BY_HOLE]
    groups: dict[tuple[str, str, str], dict[str, list[int]]] = {}
    reals: dict[tuple[str, str], int] = {}
    for number, stimulus in enumerate(stimuli if chosen else ()):
        if not stimulus.is_fake:
            reals[stimulus.dataset, stimulus.item] = number
            continue
        area = stimulus.mask_area
        sorts = {"kind": stimulus.mask_kind, "area": None if area is None or area != area else area_band(area)}
        for by, sort in sorts.items():
            if sort is not None:
                owner = (stimulus.model or "", stimulus.dataset, by)
                groups.setdefault(owner, {}).setdefault(sort, []).append(number)
    rows: list[Row] = []
    for (model, dataset, by), sorts_of in groups.items():
        for sort, fakes in sorted(sorts_of.items()) if len(sorts_of) > 1 else ():
            items = dict.fromkeys(stimuli[number].item for number in fakes)
            partners = [reals[dataset, item] for item in items if (dataset, item) in reals]
            for metric in chosen:
                row: Row = {"model": model, "dataset": dataset, "metric": metric.name, "by": by, "hole": sort}
                reason = tools.unavailable.get(metric.name)
                if reason is not None:
                    rows.append(row | {"n_real": 0, "n_fake": 0, "reason": reason})
                    continue
                assert metric.extractor is not None
                store = results.stores[metric.extractor]
                real, fake = (
                    [number for number in numbers if store.filled[number] and number not in results.unreadable]
                    for numbers in (partners, fakes)
                )
                missing = [number for number in (*partners, *fakes) if not store.filled[number]]
                row |= {"n_real": len(real), "n_fake": len(fake), "fraction": stimuli[fakes[0]].fraction}
                if store.is_given and missing:
                    row["reason"] = f"{len(missing)} pictures without features: {store.reasons.get(missing[0])}"
                else:
                    row |= _value(metric, store, stimuli, real, fake)
                rows.append(row)
    return rows


def _value(
    metric: Metric, store: "FeatureStore", stimuli: Sequence[Stimulus], real: Sequence[int], fake: Sequence[int]
) -> Row:
    """The value of a metric of these pictures, or the reason for none, with a note on a 0 of few pictures."""
    assert metric.function is not None
    first, second = (
        PictureSet(store.values[numbers], tuple(stimuli[number].item for number in numbers), None)
        for numbers in (list(real), list(fake))
    )
    try:
        if not (real and fake):
            raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; {metric.name} compares sets")
        with np.errstate(invalid="ignore", over="ignore"):
            if metric.compare is None:
                value = float(metric.function(first.features, second.features))
            else:
                name = metric.function.__name__
                result = metric.compare(first)(second, [name])[name]
                if not isinstance(result, Estimate):
                    raise result
                value = result.value
    except Unmeasurable as reason:
        return {"reason": str(reason)}
    return {"value": value, "note": few_pictures_note(metric.name, value, len(real) + len(fake), store.values.shape[1])}
