"""The tables of a run, and how it was computed."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gan_eval import __version__, tables
from gan_eval.files.digests import sha256_json
from gan_eval.metrics.catalogue import Metric
from gan_eval.metrics.definitions import jackknife
from gan_eval.metrics.run.measures import installed
from gan_eval.pictures.decode import SUFFIXES, has_16_bits
from gan_eval.tables.cells import is_missing
from gan_eval.tables.columns import Columns, checked, frame_of_columns
from gan_eval.tables.frames import Row

if TYPE_CHECKING:
    import pandas as pd

    from gan_eval.metrics.run.inputs import Settings, Stimulus
    from gan_eval.metrics.run.measures import Measure, Tools
    from gan_eval.metrics.run.pictures import PictureResults


@dataclass(frozen=True)
class Evaluation:
    """The metric tables, and the row of `runs` that their column `run` points to."""

    columns: Mapping[str, Columns]
    """The columns of each table, by its name."""

    @cached_property
    def image_metrics(self) -> "pd.DataFrame":
        return frame_of_columns(self.columns["image_metrics"], tables.IMAGE_METRICS)

    @cached_property
    def set_metrics(self) -> "pd.DataFrame":
        return frame_of_columns(self.columns["set_metrics"], tables.SET_METRICS)

    @cached_property
    def metric_comparisons(self) -> "pd.DataFrame":
        return frame_of_columns(self.columns["metric_comparisons"], tables.METRIC_COMPARISONS)

    @cached_property
    def hole_metrics(self) -> "pd.DataFrame":
        return frame_of_columns(self.columns["hole_metrics"], tables.HOLE_METRICS)

    @cached_property
    def runs(self) -> "pd.DataFrame":
        return frame_of_columns(self.columns["runs"], tables.RUNS)

    def written(self) -> list[str]:
        """Return the names of the tables that have a file: `hole_metrics` only if it has rows."""
        return [name for name in self.columns if name != "hole_metrics" or self.columns[name]["run"]]

    def by_name(self) -> "dict[str, pd.DataFrame]":
        """Return the frames of the tables that have a file, by their name."""
        return {name: getattr(self, name) for name in self.written()}


def image_columns(
    stimuli: "Sequence[Stimulus]", measures: "Sequence[Measure]", results: "PictureResults", run: str
) -> Columns:
    """Return the table `image_metrics`, in the order of the stimuli.

    Pair metrics and metrics of inputs have rows for the generated pictures, and for real pictures without a generated
    one.
    """
    in_pairs = np.array([stimulus.has_pair_metrics for stimulus in stimuli], bool)
    is_single = np.array([measure.metric.kind == "single" for measure in measures], bool)
    rows, columns = (part.tolist() for part in np.nonzero(in_pairs[:, None] | is_single[None, :]))
    names = ("stimulus", "item", "kind", "model", "dataset", "seen", "fraction")
    facts = {name: [getattr(stimulus, name) for stimulus in stimuli] for name in names}
    facts["sha256"] = [results.hashes[n].hex() if n in results.hashes else None for n in range(len(stimuli))]
    cells: Columns = {name: [values[row] for row in rows] for name, values in facts.items()}
    metrics = [measure.metric.name for measure in measures]
    cells["metric"] = [metrics[column] for column in columns]
    cells["value"] = results.numbers[rows, columns].tolist()
    cells["reason"] = [results.reasons.get(place) for place in zip(rows, columns, strict=True)]
    cells["run"] = [run] * len(rows)
    return checked({name: cells[name] for name in tables.IMAGE_METRICS.names}, tables.IMAGE_METRICS)


_FILE = re.compile(rf"^.*?(?:{'|'.join(map(re.escape, sorted(SUFFIXES)))}): ", re.IGNORECASE)
_SPECIFIC = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
"""Quoted names and numbers: the parts of a reason that differ between pictures."""


def missing_values(found: "Mapping[str, Mapping[str, Any] | pd.DataFrame]", *, most: int = 20) -> list[str]:
    """Return a message for each kind of reason for missing values, the most frequent kind first.

    Reasons that differ only in file names, quoted names or numbers are of one kind.

    Args:
        found: columns of the tables `image_metrics` and `set_metrics`, by their name.
        most: maximum number of messages.
    """
    sets, images = found["set_metrics"], found["image_metrics"]
    lines = []
    for things, table, owners in (
        ("sets", sets, [f"{model} on {on}" for model, on in zip(sets["model"], sets["dataset"], strict=True)]),
        ("pictures", images, images["stimulus"]),
    ):
        kinds: dict[str, list[tuple[str, str, str]]] = {}
        for owner, metric, value, reason in zip(owners, table["metric"], table["value"], table["reason"], strict=True):
            if is_missing(value):
                kind = _SPECIFIC.sub("", _FILE.sub("", str(reason)))
                kinds.setdefault(kind, []).append((owner, metric, reason))
        gaps = [(len({owner for owner, _, _ in gap}), gap) for gap in kinds.values()]
        for count, gap in sorted(gaps, key=lambda gap: -gap[0]):
            metrics = ", ".join(dict.fromkeys(metric for _, metric, _ in gap))
            first, _, reason = gap[0]
            if count > 1:
                lines.append(f"{count} {things}: no {metrics}; the first, {first}: {reason}")
            else:
                lines.append(f"{first}: no {metrics}: {reason}")
    rest = len(lines) - most
    return [*lines[:most], f"... and {rest} more"] if rest > 0 else lines


class FiniteMean(NamedTuple):
    """Mean and standard deviation of the finite values."""

    mean: float | None
    """None if no value is finite."""
    sd: float | None
    """Standard deviation with n - 1; None for fewer than two."""
    n: int
    """Number of finite values."""
    left_out: int
    """Number of values that are infinite or NaN, which are left out."""


def finite_mean(values: ArrayLike) -> FiniteMean:
    """Return the mean and standard deviation of the finite values.

    >>> finite_mean([20.0, 22.0, float("inf")])
    FiniteMean(mean=21.0, sd=1.4142135623730951, n=2, left_out=1)
    """
    given = np.asarray(values, dtype=np.float64)
    finite = given[np.isfinite(given)]
    return FiniteMean(
        mean=float(finite.mean()) if len(finite) else None,
        sd=float(finite.std(ddof=1)) if len(finite) > 1 else None,
        n=len(finite),
        left_out=len(given) - len(finite),
    )


def _sources(stimuli: "Sequence[Stimulus]", metrics: Sequence[Metric]) -> dict[str, str]:
    """Return the metrics' sources, with what differs for 16 bits if a pair of pictures has them."""
    sources = {metric.name: metric.source for metric in metrics}
    deep = {metric.name: f"{metric.source}; of 16 bits: {metric.of_16_bits}" for metric in metrics if metric.of_16_bits}
    pairs = ((stimulus.file, stimulus.reference) for stimulus in stimuli if stimulus.is_fake and stimulus.reference)
    return sources | deep if deep and any(all(map(has_16_bits, pair)) for pair in pairs) else sources


def provenance(
    stimuli: "Sequence[Stimulus]",
    metrics: Sequence[Metric],
    settings: "Settings",
    tools: "Tools",
    results: "PictureResults",
) -> Row:
    """Return the columns of `runs` that document the settings; the caller adds identifier, command, threads and times.

    The hash of the settings covers what the values depend on; it is the same for values from the cache.
    """
    networks = tools.extractors
    resizer = settings.resizer if "inception" in networks else None
    has_sets = any(metric.kind == "set" for metric in metrics)
    weights = dict(sorted(tools.sha256.items()))
    canonical = {
        "metrics": _sources(stimuli, metrics),
        "definitions": {metric.name: metric.definition for metric in metrics},
        "decoder": tools.decoder,
        "resizer": resizer,
        "resize": "bicubic" if settings.resize else None,
        "weights": weights,
        "segmenter": networks["segmenter"].key if "segmenter" in networks else None,
        "caveats": tools.caveats,
        "interval": jackknife.METHOD if has_sets else None,
    }
    if tools.given:
        canonical["features"] = {name.removeprefix("@"): given.sha256 for name, given in tools.given.items()}
    if own := {name.removeprefix("@"): networks[name].key for name in networks if name.startswith("@")}:
        canonical["networks"] = own
    hashes = {stimuli[number].stimulus: digest.hex() for number, digest in results.hashes.items()}
    for number, companions in results.companions.items():
        for name in sorted(companions, reverse=True):
            hashes[stimuli[number].stimulus] += f" {name} {companions[name].hex()}"
    fractions = {stimulus.fraction for stimulus in stimuli if stimulus.fraction is not None}
    device = tools.device
    if device.startswith("cuda"):
        import torch

        device = f"{device} ({torch.cuda.get_device_name(device)})"
    libraries = ["numpy", "pillow", "numba"]  # libraries that the values depend on
    if tools.sha256 or tools.device != "cpu":
        libraries += ["torch", "torchvision"]
    libraries += ["scipy"] * has_sets
    libraries += [name for metric in metrics if metric.library for name in ("torch", metric.library)]
    software = [f"gan_eval {__version__}", f"python {platform.python_version()}", *installed(libraries)]
    return {
        "settings": json.dumps(canonical | {"kept_values_used": results.cached}, sort_keys=True, ensure_ascii=False),
        "settings_hash": sha256_json(canonical),
        "input_hash": sha256_json(hashes),
        "software": "; ".join(software),
        "weights_sha256": (
            next(iter(weights.values()), None)
            if len(weights) < 2
            else "; ".join(f"{name} {digest}" for name, digest in weights.items())
        ),
        "resizer": resizer,
        "device": device,
        "seed": jackknife.SEED if has_sets else None,
        "fraction": fractions.pop() if len(fractions) == 1 else None,
    }
