"""Picture metrics with pretrained weights: read once, handed to the pass over the pictures as functions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.kernels.devices import usable_device
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.weights.cache import find, is_official


@dataclass
class Learned:
    """Metrics ready to be computed."""

    functions: dict[str, Callable[..., float]] = field(default_factory=dict)
    """Functions by the metric's name; if weights are missing, one that raises the reason for every picture."""
    sha256: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the files, by the weights' name."""
    caveats: dict[str, str] = field(default_factory=dict)
    """Caveats on a metric whose weights are none of the known files."""


def learned_metrics(
    metrics: Iterable[Metric], *, paths: Mapping[str, Path] | None = None, device: str | None = None
) -> Learned:
    """The pair and single metrics among `metrics` that need weights, with their weights.

    Raises:
        UserError: a named file cannot be used, or the device is not available. Weights that are not in the cache
            are a reason, not an error.
    """
    learned = Learned()
    files: dict[str, WeightsFile] = {}
    for metric in metrics:
        if metric.make is None:
            continue
        device = usable_device(device)
        try:
            for name, read in zip(metric.weights, metric.readers, strict=True):
                if name not in files:
                    files[name] = open_weights(name, read, (paths or {}).get(name))
        except Unmeasurable as reason:
            learned.functions[metric.name] = partial(_unavailable, str(reason))
            continue
        of_metric = [files[name] for name in metric.weights]
        learned.functions[metric.name] = metric.make(*(file.contents for file in of_metric), device=device)
        learned.sha256 |= {name: files[name].sha256 for name in metric.weights}
        if caveats := [file.caveat for file in of_metric if file.caveat]:
            learned.caveats[metric.name] = "; ".join(caveats)
    return learned


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights."""

    contents: Any
    sha256: str
    caveat: str
    """Empty for a known file."""


def open_weights(name: str, read: Callable[[Path], Any], path: Path | None) -> WeightsFile:
    """Read the file of these weights: the named one, or that in the cache.

    Raises:
        Unmeasurable: it is not in the cache, is damaged there, or lacks layers.
        UserError: it was named and cannot be used.
    """
    try:
        file = find(name, path=path)
        contents = read(file)
    except UserError as error:
        if path is not None:
            raise
        raise Unmeasurable(str(error)) from error
    sha256 = sha256_file(file)
    is_known = is_official(name, sha256)
    return WeightsFile(contents, sha256, "" if is_known else f"{file.name} is not a known file of the weights {name}")


def _unavailable(reason: str, *_: object) -> NoReturn:
    raise Unmeasurable(reason)
