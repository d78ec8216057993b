"""The tables of a run, and how it was computed."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gan_eval import __version__, tables
from gan_eval.files.digests import sha256_json
from gan_eval.metrics.catalogue import Metric
from gan_eval.metrics.definitions import jackknife
from gan_eval.metrics.run.measures import installed
from gan_eval.stimuli.pictures import SUFFIXES, has_16_bits
from gan_eval.tables.frames import Row, conform

if TYPE_CHECKING:
    from gan_eval.metrics.run.inputs import Settings, Stimulus
    from gan_eval.metrics.run.measures import Measure, Tools
    from gan_eval.metrics.run.pictures import PictureResults


@dataclass(frozen=True)
class Evaluation:
    """The metric tables, and the row of `runs` that their column `run` points to."""

    image_metrics: pd.DataFrame
    set_metrics: pd.DataFrame
    metric_comparisons: pd.DataFrame
    hole_metrics: pd.DataFrame
    runs: pd.DataFrame

    def by_name(self) -> dict[str, pd.DataFrame]:
        """Return the frames by table name; `hole_metrics` only if it has rows."""
        return {name: frame for name, frame in vars(self).items() if name != "hole_metrics" or len(frame)}


def image_table(
    stimuli: "Sequence[Stimulus]", measures: "Sequence[Measure]", results: "PictureResults", run: str
) -> pd.DataFrame:
    """Return the table `image_metrics`, in the order of the stimuli.

    Pair metrics and metrics of inputs have rows for the generated pictures, and for real pictures without a generated
    one.
    """
    in_pairs = np.array([stimulus.has_pair_metrics for stimulus in stimuli], bool)
    is_single = np.array([measure.metric.kind == "single" for measure in measures], bool)
    rows, columns = np.nonzero(in_pairs[:, None] | is_single[None, :])
    reasons = np.full(results.numbers.shape, None, object)
    for place, reason in results.reasons.items():
        reasons[place] = reason

    def text(values: Sequence[str | None]) -> pd.Series:
        return pd.Series(np.array(values, object), dtype="str").take(rows).reset_index(drop=True)

    names = ("stimulus", "item", "kind", "model", "dataset")
    frame = pd.DataFrame(
        {
            **{name: text([getattr(stimulus, name) for stimulus in stimuli]) for name in names},
            "metric": pd.Series([measure.metric.name for measure in measures], dtype="str").take(columns).to_numpy(),
            "value": results.numbers[rows, columns],
            "reason": pd.Series(reasons[rows, columns], dtype="str"),
            "run": run,
            "sha256": text([results.hashes[n].hex() if n in results.hashes else None for n in range(len(stimuli))]),
            "seen": pd.Series([stimulus.seen for stimulus in stimuli], dtype="boolean").take(rows).to_numpy(),
            "fraction": np.array([stimulus.fraction for stimulus in stimuli], np.float64)[rows],
        }
    )
    return conform(frame, tables.IMAGE_METRICS, where=tables.IMAGE_METRICS.name)


_FILE = re.compile(rf"^.*?(?:{'|'.join(map(re.escape, sorted(SUFFIXES)))}): ", re.IGNORECASE)
_SPECIFIC = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
"""Quoted names and numbers: the parts of a reason that differ between pictures."""


def missing_values(frames: Mapping[str, pd.DataFrame], *, most: int = 20) -> list[str]:
    """Return a message for each kind of reason for missing values, the most frequent kind first.

    Reasons that differ only in file names, quoted names or numbers are of one kind.
    """
    images, sets = frames["image_metrics"], frames["set_metrics"]
    lines = []
    for things, frame, owner in (
        ("sets", sets, sets["model"] + " on " + sets["dataset"]),
        ("pictures", images, images["stimulus"]),
    ):
        missing = frame.assign(owner=owner)[frame["value"].isna()]
        kinds = [_SPECIFIC.sub("", _FILE.sub("", str(reason))) for reason in missing["reason"]]
        gaps = [gap for _, gap in missing.groupby(np.array(kinds, object), sort=False)]
        for gap in sorted(gaps, key=lambda gap: -gap["owner"].nunique()):
            count, metrics = gap["owner"].nunique(), ", ".join(gap["metric"].unique())
            first, reason = gap["owner"].iloc[0], gap["reason"].iloc[0]
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
