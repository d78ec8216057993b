"""Picture metrics with pretrained weights: read once, handed to the pass over the pictures as functions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from gan_eval.errors import UserError
from gan_eval.files import sha256_file
from gan_eval.metrics.catalogue import Metric
from gan_eval.metrics.definitions.no_reference import brisque, load_regression
from gan_eval.metrics.definitions.perceptual import dists_distance, lpips_distance, read_dists_weights, read_trunk
from gan_eval.metrics.kernels.devices import usable_device
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.weights.cache import find, is_official

_READ: dict[str, Callable[[Path], Any]] = {
    "alexnet": partial(read_trunk, trunk="alexnet"),
    "vgg16": partial(read_trunk, trunk="vgg16"),
    "dists": read_dists_weights,
    "brisque": load_regression,
}
"""By the weights' name."""

_MAKE: dict[str, Callable[..., Callable[..., float]]] = {
    "lpips_alex": lambda alexnet, *, device: lpips_distance("alexnet", alexnet, device=device),
    "lpips_vgg": lambda vgg16, *, device: lpips_distance("vgg16", vgg16, device=device),
    "dists": lambda vgg16, dists, *, device: dists_distance(vgg16, dists, device=device),
    "brisque": lambda regression, *, device: partial(brisque, regression=regression),
}
"""By the metric's name, from what was read of its weights."""


@dataclass
class Learned:
    """Metrics ready to be computed."""

    functions: dict[str, Callable[..., float]] = field(default_factory=dict)
    """By the metric's name; where weights are missing, a function that tells so for every picture."""
    sha256: dict[str, str] = field(default_factory=dict)
    """Of the files that were read, by the weights' name."""
    caveats: dict[str, str] = field(default_factory=dict)
    """What a reader must know about a metric's values: its weights are none of the known files."""


def learned_metrics(
    metrics: Iterable[Metric], *, paths: Mapping[str, Path] | None = None, device: str | None = None
) -> Learned:
    """The pair and single metrics among `metrics` that need weights, with their weights.

    Args:
        metrics: those wanted; others are passed over.
        paths: files by the weights' name (`alexnet`, `vgg16`, `dists`, `brisque`); default: the cache.
        device: where the networks run: cpu, cuda, ...; default: CUDA where there is one.

    Raises:
        UserError: a file that was named will not do, or there is no such device. Weights that are not in the cache
            are a reason, not an error.
    """
    wanted = [metric for metric in metrics if metric.name in _MAKE]
    found = Learned()
    if not wanted:
        return found
    device = usable_device(device)
    files = _Files(paths or {})
    for metric in wanted:
        try:
            contents = [files.read(name) for name in metric.weights]
        except Unmeasurable as reason:
            found.functions[metric.name] = partial(_unavailable, str(reason))
            continue
        found.functions[metric.name] = _MAKE[metric.name](*contents, device=device)
        found.sha256 |= {name: files.sha256[name] for name in metric.weights}
        notes = [files.caveats[name] for name in metric.weights if name in files.caveats]
        if notes:
            found.caveats[metric.name] = "; ".join(notes)
    return found


class _Files:
    """The files of weights, each found and read once."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths
        self._contents: dict[str, Any] = {}
        self.sha256: dict[str, str] = {}
        self.caveats: dict[str, str] = {}

    def read(self, name: str) -> Any:
        """What the file holds.

        Raises:
            Unmeasurable: it is not in the cache, or damaged there.
            UserError: it was named and will not do.
        """
        if name not in self._contents:
            given = self._paths.get(name)
            try:
                path = find(name, path=given)
                self._contents[name] = _READ[name](path)
            except UserError as error:
                if given is not None:
                    raise
                raise Unmeasurable(str(error)) from error
            self.sha256[name] = sha256_file(path)
            if not is_official(name, self.sha256[name]):
                self.caveats[name] = f"{path.name} is not a known file of the weights {name}"
        return self._contents[name]


def _unavailable(reason: str, *_: object) -> NoReturn:
    raise Unmeasurable(reason)
