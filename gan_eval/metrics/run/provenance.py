"""How a run was computed: what a reader needs to compute its values again, as a row of the table `runs`."""

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gan_eval import __version__
from gan_eval.files import sha256_json
from gan_eval.metrics.catalogue import Metric
from gan_eval.metrics.run.pictures import formats_measured
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


def provenance(
    stimuli: "Sequence[Stimulus]",
    metrics: Sequence[Metric],
    settings: "Settings",
    tools: "Tools",
    results: "PictureResults",
    *,
    processes: int = 1,
) -> Row:
    """The columns of `runs` that say how; identifier, command, threads and times are the caller's.

    The settings' hash is over what the values depend on, not over whether some of them came from the cache.

    Args:
        stimuli: the pictures.
        metrics: those that were requested.
        settings: of the run.
        tools: what measured.
        results: of the pass over the pictures.
        processes: how many shared the work.
    """
    from gan_eval.metrics.definitions import jackknife

    networks = {kind.name for kind in tools.network.kinds}
    resizer = settings.resizer if networks & {"inception", "vgg16"} else None
    has_sets = any(metric.kind == "set" for metric in metrics)
    weights = dict(sorted(tools.network.sha256.items()))
    segmenter = None  # its file and the settings beside it, where it was used
    if settings.segmenter is not None and "segmenter" in networks:
        from gan_eval.metrics.networks.segmenter_settings import segmenter_key

        segmenter = segmenter_key(settings.segmenter)
    canonical = {
        "metrics": {metric.name: metric.source for metric in metrics},
        "definitions": {metric.name: metric.definition for metric in metrics},
        "decoder": decoder(),
        "resizer": resizer,
        "resize": "bicubic" if settings.resize else None,
        "precision": settings.precision if "inception" in networks else None,
        "weights": weights,
        "segmenter": segmenter,
        "caveats": tools.network.all_caveats,
        "interval": jackknife.METHOD if has_sets else None,
    }
    how = {
        **canonical,
        "formats": formats_measured(stimuli, results),
        "kept_values_used": results.cached,
        "processes": processes,
    }
    hashes = {stimuli[number].stimulus: digest.hex() for number, digest in results.hashes.items()}
    for number, mask in results.masks.items():
        hashes[stimuli[number].stimulus] += f" mask {mask.hex()}"
    for number, given in results.inputs.items():
        hashes[stimuli[number].stimulus] += f" input {given.hex()}"
    fractions = {stimulus.fraction for stimulus in stimuli if stimulus.fraction is not None}
    device = tools.device
    if device.startswith("cuda"):
        import torch

        device = f"{device} ({torch.cuda.get_device_name(device)})"
    return {
        "settings": json.dumps(how, sort_keys=True, ensure_ascii=False),
        "settings_hash": sha256_json(canonical),
        "input_hash": sha256_json(hashes),
        "software": _software(metrics, settings, tools, has_segmenter=segmenter is not None),
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


def _software(metrics: Sequence[Metric], settings: "Settings", tools: "Tools", *, has_segmenter: bool) -> str:
    """gan_eval, Python and the libraries that had a part in the values, with their versions."""
    libraries = dict.fromkeys(_ALWAYS)
    if tools.network.sha256 or tools.device != "cpu":
        libraries |= dict.fromkeys(_OF_NETWORKS)
    if any(metric.kind == "set" for metric in metrics):
        libraries |= {"scipy": None}
    libraries |= {metric.library: None for metric in metrics if metric.library}
    if has_segmenter and settings.segmenter is not None and settings.segmenter.suffix.lower() == ".onnx":
        libraries |= {"onnxruntime": None}
    installed = [f"{name} {version}" for name, version in versions(libraries)]
    return "; ".join([f"gan_eval {__version__}", f"python {platform.python_version()}", *installed])
