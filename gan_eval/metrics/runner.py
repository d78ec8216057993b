"""Stimuli in, metric tables out."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd

from gan_eval import __version__, tables
from gan_eval.errors import UserError
from gan_eval.files import claim_output_folder, sha256_file, sha256_json
from gan_eval.metrics import jackknife
from gan_eval.metrics.features import Extractor, load_extractor
from gan_eval.metrics.inputs import Stimulus, stimuli_of_frame, stimuli_of_sets
from gan_eval.metrics.learned import learned_metrics
from gan_eval.metrics.picture_pass import OnProgress, PicturePass, measure_pictures, usable_cores
from gan_eval.metrics.registry import DEFAULT_RESIZER, Metric, select
from gan_eval.metrics.resizers import RESIZERS
from gan_eval.metrics.set_pass import compare_sets
from gan_eval.stimuli import StimulusSet
from gan_eval.tabular import Row, frame_of, write_table
from gan_eval.weights import find, is_official

DEFAULT = ("psnr", "ssim", "niqe", "fid")
_LIBRARIES = ("torch", "numpy", "scipy", "pillow")


@dataclass(frozen=True)
class Settings:
    """How metrics are computed."""

    metrics: tuple[str, ...] = DEFAULT
    resizer: str = DEFAULT_RESIZER
    """Rule by which pictures are brought to the network's size (see `gan_eval.metrics.resizers`)."""
    resize: bool = False
    """Bring a generated picture to its reference's size (bicubic); otherwise different sizes are a reason."""
    weights: Path | None = None
    """File of the Inception weights; default: the cache."""
    brisque_weights: Path | None = None
    """File of BRISQUE's regression; default: the cache."""
    device: str | None = None
    """Where the network runs: cpu, cuda, ...; default: CUDA where there is one."""
    threads: int | None = None
    """Worker threads; default: the usable cores."""


@dataclass(frozen=True)
class Evaluation:
    """The two metric tables, and the row of `runs` that their column `run` points to."""

    image_metrics: pd.DataFrame
    set_metrics: pd.DataFrame
    runs: pd.DataFrame

    def by_name(self) -> dict[str, pd.DataFrame]:
        """The frames by their tables' names."""
        return {"image_metrics": self.image_metrics, "set_metrics": self.set_metrics, "runs": self.runs}


def evaluate(
    stimuli: pd.DataFrame | StimulusSet | Path,
    metrics: Sequence[str] = DEFAULT,
    *,
    root: Path | None = None,
    weights: Path | None = None,
    brisque_weights: Path | None = None,
    resizer: str = DEFAULT_RESIZER,
    resize: bool = False,
    device: str | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute metrics of stimuli.

    Args:
        stimuli: a frame with the columns of the table `stimuli`, a stimulus set, or its folder.
        metrics: names from `gan_eval.metrics.registry.METRICS`.
        root: the folder that a frame's files are relative to; default: the working folder.
        weights, brisque_weights, resizer, resize, device, threads: see `Settings`.
        on_progress: called with (done, total, what).

    Returns:
        The tables `image_metrics` and `set_metrics`. A value that could not be had is missing, with its reason.

    Raises:
        UserError: an unknown metric or resizer, a missing column, `weights` that are not the network's.
    """
    settings = Settings(tuple(metrics), resizer, resize, weights, brisque_weights, device, threads)
    found = stimuli_of_frame(stimuli, root) if isinstance(stimuli, pd.DataFrame) else stimuli_of_sets([stimuli])
    evaluation = run_metrics(found, settings, command="evaluate", on_progress=on_progress)
    return evaluation.image_metrics, evaluation.set_metrics


def write_metrics(
    sets: Sequence[StimulusSet | Path],
    names: Sequence[str],
    out: Path,
    *,
    weights: Path | None = None,
    brisque_weights: Path | None = None,
    resizer: str = DEFAULT_RESIZER,
    resize: bool = False,
    device: str | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, pd.DataFrame]:
    """Compute metrics of one or several stimulus sets and write `out/{image_metrics,set_metrics,runs}.{csv,parquet}`.

    Args:
        sets: stimulus sets, or their folders.
        names: the metrics.
        out: a folder that is empty or ours.
        weights, brisque_weights, resizer, resize, device, threads: see `Settings`.
        on_progress: called with (done, total, what).

    Returns:
        The tables by name.

    Raises:
        UserError: a set, a name, the weights or `out` will not do.
    """
    stimuli = stimuli_of_sets(sets)
    select(names)
    claim_output_folder(out)
    settings = Settings(tuple(names), resizer, resize, weights, brisque_weights, device, threads)
    frames = run_metrics(stimuli, settings, command="metrics", on_progress=on_progress).by_name()
    for table in (tables.IMAGE_METRICS, tables.SET_METRICS, tables.RUNS):
        for suffix in (".csv", ".parquet"):
            write_table(frames[table.name], Path(out) / f"{table.name}{suffix}", table)
    return frames


def run_metrics(
    stimuli: Sequence[Stimulus], settings: Settings, *, command: str, on_progress: OnProgress | None = None
) -> Evaluation:
    """Compute metrics of stimuli, with the row that says how.

    Raises:
        UserError: an unknown metric or resizer, or weights that were named and are not the network's.
    """
    metrics = select(settings.metrics)
    if settings.resizer not in RESIZERS:
        raise UserError(f"resizer {settings.resizer!r}: unknown; choose one of {', '.join(RESIZERS)}")
    run, started = f"metrics-{uuid4().hex[:12]}", _now()
    learned = learned_metrics(metrics, paths={"brisque": settings.brisque_weights})
    network = _network(metrics, settings)
    pictures = measure_pictures(
        stimuli,
        metrics,
        extractor=network.extractor,
        learned=learned.functions,
        resize=settings.resize,
        threads=settings.threads,
        on_progress=on_progress,
    )
    set_rows = compare_sets(
        stimuli,
        metrics,
        pictures,
        unavailable=network.unavailable,
        caveat=network.caveat,
        on_progress=on_progress,
    )
    run_row = {
        "run": run,
        "command": command,
        **_provenance(metrics, settings, pictures, network),
        "weights_sha256": _weights_hash({"inception": network.sha256, **learned.sha256}),
        "started_at": started,
        "ended_at": _now(),
        "fraction": _common_fraction(stimuli),
    }
    return Evaluation(
        frame_of([{**row, "run": run} for row in _image_rows(pictures)], tables.IMAGE_METRICS),
        frame_of([{**row, "run": run} for row in set_rows], tables.SET_METRICS),
        frame_of([run_row], tables.RUNS),
    )


def _image_rows(pictures: PicturePass) -> list[Row]:
    return [
        {
            "stimulus": value.stimulus.stimulus,
            "item": value.stimulus.item,
            "kind": value.stimulus.kind,
            "model": value.stimulus.model,
            "dataset": value.stimulus.dataset,
            "metric": value.metric,
            "value": value.value,
            "reason": value.reason,
            "fraction": value.stimulus.fraction,
        }
        for value in pictures.numbers
    ]


@dataclass(frozen=True)
class _Network:
    extractor: Extractor | None
    sha256: str | None
    unavailable: dict[str, str]
    """The reason for each metric that needs weights which are not there."""
    caveat: str | None = None
    """What a reader of the values must know about the weights."""


def _network(metrics: Sequence[Metric], settings: Settings) -> _Network:
    """The network that the metrics need. Missing weights are a reason; a named file that will not do is an error."""
    needing = [metric.name for metric in metrics if metric.extractor == "inception"]
    if not needing:
        return _Network(None, None, {})
    try:
        path = find("inception", path=settings.weights)
        extractor = load_extractor(path, resizer=settings.resizer, device=settings.device)
    except UserError as error:
        if settings.weights is not None:
            raise
        return _Network(None, None, dict.fromkeys(needing, str(error)))
    digest = sha256_file(path)
    caveat = None if is_official("inception", digest) else f"{path.name} is not a known file of Inception 2015-12-05"
    return _Network(extractor, digest, {}, caveat)


def _provenance(
    metrics: Sequence[Metric], settings: Settings, pictures: PicturePass, network: _Network
) -> Mapping[str, Any]:
    """What a reader needs to compute the values again."""
    canonical = {
        "metrics": {metric.name: metric.source for metric in metrics},
        "resizer": settings.resizer,
        "resize": "bicubic" if settings.resize else None,
        "interval": f"jackknife, {jackknife.GROUPS} groups of items",
    }
    return {
        "settings": json.dumps(canonical, sort_keys=True, ensure_ascii=False),
        "settings_hash": sha256_json(canonical),
        "input_hash": sha256_json(pictures.hashes),
        "software": _software(),
        "resizer": settings.resizer if network.extractor else None,
        "device": network.extractor.device if network.extractor else "cpu",
        "threads": settings.threads or usable_cores(),
        "seed": jackknife.SEED,
    }


def _weights_hash(used: Mapping[str, str | None]) -> str | None:
    """One file's hash as it is; several as `brisque 7c8e…; inception 7ff4…`."""
    found = {name: digest for name, digest in sorted(used.items()) if digest}
    if len(found) < 2:
        return next(iter(found.values()), None)
    return "; ".join(f"{name} {digest}" for name, digest in found.items())


def _common_fraction(stimuli: Sequence[Stimulus]) -> float | None:
    """The fraction of all stimuli that tell one; None where they differ or none does."""
    told = {stimulus.fraction for stimulus in stimuli if stimulus.fraction is not None}
    return told.pop() if len(told) == 1 else None


def _software() -> str:
    libraries = [f"{name} {_version(name)}" for name in _LIBRARIES]
    return "; ".join([f"gan_eval {__version__}", f"python {platform.python_version()}", *libraries])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
