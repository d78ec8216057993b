"""Set metrics: each model's generated pictures beside the real pictures of the same data set."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_eval.metrics.frechet import frechet_distance
from gan_eval.metrics.inputs import Stimulus
from gan_eval.metrics.jackknife import GROUPS, interval
from gan_eval.metrics.kid import kernel_distance
from gan_eval.metrics.picture_pass import OnProgress, PicturePass
from gan_eval.metrics.registry import Metric
from gan_eval.metrics.unmeasurable import Unmeasurable
from gan_eval.tabular import Row

FEW = 2000
"""Below this many pictures FID's bias is not small beside differences between models."""

SET_METRICS: dict[str, Callable[[NDArray, NDArray], float]] = {
    "fid": lambda real, fake: frechet_distance(real, fake).value,
    "kid": kernel_distance,
}


def compare_sets(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    pictures: PicturePass,
    *,
    unavailable: Mapping[str, str],
    caveat: str | None = None,
    on_progress: OnProgress | None = None,
) -> list[Row]:
    """One row of the table `set_metrics` for each (model, data set) and set metric.

    Args:
        stimuli: all pictures.
        metrics: those wanted; pair and single metrics among them are passed over.
        pictures: what the pass over the pictures gave.
        unavailable: the reason for each metric that cannot be computed at all.
        caveat: what a reader must know about every value.
        on_progress: told the values done.
    """
    wanted = [metric for metric in metrics if metric.kind == "set"]
    groups = dict.fromkeys((s.model or "", s.dataset) for s in stimuli if s.is_fake)
    rows: list[Row] = []
    for model, dataset in groups:
        real = [s for s in stimuli if s.dataset == dataset and not s.is_fake]
        fake = [s for s in stimuli if s.dataset == dataset and s.model == model]
        for metric in wanted:
            row = _row(metric, real, fake, pictures, unavailable.get(metric.name), caveat)
            rows.append({"model": model, "dataset": dataset, "metric": metric.name, **row})
            if on_progress:
                on_progress(len(rows), len(groups) * len(wanted), "sets")
    return rows


def _row(
    metric: Metric,
    real: Sequence[Stimulus],
    fake: Sequence[Stimulus],
    pictures: PicturePass,
    unavailable: str | None,
    caveat: str | None,
) -> Row:
    readable_real = [s for s in real if s.stimulus not in pictures.unreadable]
    readable_fake = [s for s in fake if s.stimulus not in pictures.unreadable]
    row: Row = {
        "n_real": len(readable_real),
        "n_fake": len(readable_fake),
        "reason": unavailable,
        "fraction": min((s.fraction for s in fake if s.fraction is not None), default=None),
    }
    left_out = [pictures.unreadable[s.stimulus] for s in (*real, *fake) if s.stimulus in pictures.unreadable]
    notes = [f"{len(left_out)} left out, the first: {left_out[0]}"] if left_out else []
    if unavailable is None:
        try:
            row |= _measure(metric, readable_real, readable_fake, pictures)
        except Unmeasurable as reason:
            row["reason"] = str(reason)
        else:
            notes = [*([caveat] if caveat else []), *_caveats(metric, row), *notes]
    return {**row, "note": "; ".join(notes) or None}


def _measure(
    metric: Metric, real: Sequence[Stimulus], fake: Sequence[Stimulus], pictures: PicturePass
) -> dict[str, Any]:
    """Value and 95 % interval.

    Raises:
        Unmeasurable: a set is too small.
    """
    distance = SET_METRICS[metric.name]
    if min(len(real), len(fake)) < 2:
        raise Unmeasurable(f"{len(real)} real and {len(fake)} generated pictures; {metric.name} needs two of each")
    real_features = np.stack([pictures.features[s.stimulus] for s in real])
    fake_features = np.stack([pictures.features[s.stimulus] for s in fake])
    value = distance(real_features, fake_features)
    found = interval(
        distance,
        real_features,
        fake_features,
        real_items=[s.item for s in real],
        fake_items=[s.item for s in fake],
        value=value,
    )
    if found is None:
        return {"value": value}
    return {"value": value, "ci_low": max(found.low, metric.low), "ci_high": found.high}


def _caveats(metric: Metric, row: Mapping[str, Any]) -> list[str]:
    notes = []
    if metric.name == "fid" and min(row["n_real"], row["n_fake"]) < FEW:
        notes.append(f"fewer than {FEW} pictures: FID is biased upwards; compare only values of equal N, or KID")
    if "ci_low" in row:
        notes.append(f"interval: jackknife over {GROUPS} groups of items, for the spread at this N")
    else:
        notes.append(f"no interval: fewer than {GROUPS} items")
    return notes
