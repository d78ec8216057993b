"""How a run was computed: what a reader needs to compute its values again, as a row of the table `runs`."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gan_eval import __version__
from gan_eval.files import sha256_json
from gan_eval.metrics.catalogue import Metric
from gan_eval.metrics.run.tools import decoder, versions
from gan_eval.tabular import Row, iso

if TYPE_CHECKING:
    from gan_eval.metrics.run.evaluation import Settings
    from gan_eval.metrics.run.inputs import Stimulus
    from gan_eval.metrics.run.pictures import PictureResults
    from gan_eval.metrics.run.tools import Tools

_ALWAYS = ("numpy", "pillow", "numba")
_OF_NETWORKS = ("torch", "torchvision")


def now() -> str:
    """This moment in UTC, ISO 8601."""
    return iso(datetime.now(UTC))


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def provenance(
    stimuli: "Sequence[Stimulus]",
    metrics: Sequence[Metric],
    settings: "Settings",
    tools: "Tools",
    results: "PictureResults",
    *,
    put_beside: Sequence[Metric] = (),
    processes: int = 1,
) -> Row:
    """The columns of `runs` that say how; identifier, command, threads and times are the caller's.

    The settings' hash is over what the values depend on; whether some of them were kept ones is told beside.

    Args:
        stimuli: the pictures.
        metrics: those asked for.
        settings: of the run.
        tools: what measured.
        results: of the pass over the pictures.
        put_beside: metrics that were computed too.
        processes: how many shared the work.
    """
    from gan_eval.metrics.definitions import jackknife

    networks = {kind.name for kind in tools.network.kinds}
    resizer = settings.resizer if networks - {"segmenter"} else None
    has_sets = any(metric.kind == "set" for metric in metrics)
    canonical = {
        "metrics": {metric.name: metric.source for metric in metrics},
        "definitions": {metric.name: metric.definition or metric.distribution for metric in metrics},
        "decoder": decoder(tools.code),
        "resizer": resizer,
        "resize": "bicubic" if settings.resize else None,
        "precision": settings.precision if "inception" in networks else None,
        "weights": dict(sorted(tools.network.sha256.items())),
        "segmenter": _segmenter(settings, tools),
        "caveats": tools.network.told,
        "interval": jackknife.METHOD if has_sets else None,
    }
    beside = {metric.name: metric.definition for metric in put_beside}
    how = {**canonical, "put_beside": beside, "kept_values_used": results.kept, "processes": processes}
    hashes = {stimuli[number].stimulus: digest.hex() for number, digest in results.hashes.items()}
    for number, mask in results.masks.items():
        hashes[stimuli[number].stimulus] += f" mask {mask.hex()}"
    told = {stimulus.fraction for stimulus in stimuli if stimulus.fraction is not None}
    return {
        "settings": json.dumps(how, sort_keys=True, ensure_ascii=False),
        "settings_hash": sha256_json(canonical),
        "input_hash": sha256_json(hashes),
        "software": _software(metrics, settings, tools),
        "weights_sha256": _weights_text(tools.network.sha256),
        "resizer": resizer,
        "device": _device_text(tools.device),
        "seed": jackknife.SEED if has_sets else None,
        "fraction": told.pop() if len(told) == 1 else None,
    }


def _segmenter(settings: "Settings", tools: "Tools") -> str | None:
    """What the segmenter's reading depends on: its file and the settings beside it."""
    if settings.segmenter is None or all(kind.name != "segmenter" for kind in tools.network.kinds):
        return None
    from gan_eval.metrics.networks.segmenter_settings import segmenter_key

    return segmenter_key(settings.segmenter)


def _software(metrics: Sequence[Metric], settings: "Settings", tools: "Tools") -> str:
    """gan_eval, Python and the libraries that had a part in it."""
    names = dict.fromkeys(_ALWAYS)
    if tools.network.sha256 or tools.device != "cpu":
        names |= dict.fromkeys(_OF_NETWORKS)
    if any(metric.kind == "set" for metric in metrics):
        names |= {"scipy": None}
    names |= {metric.library: None for metric in metrics if metric.library}
    if settings.segmenter is not None and settings.segmenter.suffix.lower() == ".onnx" and _segmenter(settings, tools):
        names |= {"onnxruntime": None}
    own = dict.fromkeys(metric.distribution for metric in metrics if metric.distribution)
    if own:
        names |= {"torch": None, "torchmetrics": None}
    libraries = [f"{name} {found}" for name, found in versions(names)]
    return "; ".join([f"gan_eval {__version__}", f"python {platform.python_version()}", *libraries, *own])


def _weights_text(sha256: Mapping[str, str]) -> str | None:
    """One file's hash as it is; several as `brisque 7c8e…; inception 7ff4…`."""
    if len(sha256) < 2:
        return next(iter(sha256.values()), None)
    return "; ".join(f"{name} {digest}" for name, digest in sorted(sha256.items()))


def _device_text(device: str) -> str:
    """The device with its name: `cpu`, or `cuda (NVIDIA H200)`."""
    if not device.startswith("cuda"):
        return device
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})"
