"""Functions and networks of a run, the definitions of their values for the cache, and the features from networks.

A definition names everything except the pictures that a value depends on: the metric's own `definition`, the weights,
the device, the libraries and gan_eval's version. It is part of the key of a cached value.
"""

import hashlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gan_eval import __version__
from gan_eval.errors import memory_ran_out
from gan_eval.machine.start import return_free_memory
from gan_eval.metrics.definitions.record import ExtractorName, Metric, PictureFunction
from gan_eval.metrics.kernels.pictures import NO_MEMORY, Unmeasurable
from gan_eval.metrics.run.features import FeatureResult, GivenFeatures, read_features
from gan_eval.metrics.run.inputs import Settings
from gan_eval.metrics.run.reference import read_reference
from gan_eval.metrics.weights.cache import WeightsFile, open_weights

if TYPE_CHECKING:
    from torch import Tensor

    from gan_eval.metrics.networks.extractors import Extractor

_NETWORK_LIBRARIES = ("torch", "torchvision", "numpy", "piq", "lpips")


@dataclass(frozen=True)
class Measure:
    """A metric of this run with a value for each picture."""

    metric: Metric
    function: PictureFunction
    definition: str
    """Everything except the pictures that a value depends on; "" if unknown, and then nothing is cached."""

    @cached_property
    def key(self) -> bytes:
        """Key of the definition in the cache; b"" if unknown."""
        return hashlib.sha256(self.definition.encode()).digest() if self.definition else b""


class Tools:
    """The measures and networks of a run. Any number of threads may use them."""

    def __init__(self, metrics: Sequence[Metric], settings: Settings) -> None:
        """Load what the metrics need.

        Raises:
            UserError: a file does not hold the named weights, or the device cannot be used.
        """
        self.device = "cpu"
        self.decoder = decoder(white=settings.white)
        self.extractors: dict[ExtractorName, Extractor] = {}
        self.sha256: dict[str, str] = {}
        """SHA-256 of the weights, by name."""
        self.unavailable: dict[str, str] = {}
        """The reason for each set metric that cannot be computed at all."""
        self.given: dict[ExtractorName, GivenFeatures] = {}
        """Features that the user gave, in place of an extractor's."""
        self.reference = settings.reference and read_reference(settings.reference, resizer=settings.resizer)
        """Statistics in place of the real pictures."""
        self.caveats: dict[str, str] = {}
        """Caveats on an extractor, or on a picture metric with weights."""
        extractors = dict.fromkeys(metric.extractor for metric in metrics if metric.extractor)
        for name, features in settings.features.items():
            if f"@{name}" in extractors:
                self.given[f"@{name}"] = read_features(name, features)
                del extractors[f"@{name}"]
        own = [metric for metric in metrics if metric.kind != "set" and not (metric.library or metric.weights)]
        if own and find_spec("numba") is None:  # the threads' concurrent imports would not name it
            raise ModuleNotFoundError("No module named 'numba'", name="numba")
        needs_networks = bool(extractors) or any(metric.weights for metric in metrics)
        if needs_networks or settings.device not in (None, "cpu"):
            from gan_eval.metrics.kernels.devices import usable_device

            self.device = usable_device(settings.device)
        if any(metric.kind == "pair" and metric.library for metric in metrics):
            import torch  # noqa: F401 - before `at_work`, which limits the threads of a torch that is loaded
        files: dict[str, WeightsFile] = {}
        with self.at_work():
            self.measures = [
                Measure(
                    metric,
                    metric.function or self._function(metric, settings.weights, files),
                    self._definition(metric, resize=settings.resize),
                )
                for metric in metrics
                if metric.kind != "set"
            ]
            for name in extractors:
                try:
                    extractor = load_extractor(name, settings, self.device)
                except Unmeasurable as reason:
                    self.unavailable |= {metric.name: str(reason) for metric in metrics if metric.extractor == name}
                    continue
                self.extractors[name] = extractor
                self.sha256 |= {name: extractor.sha256} if extractor.sha256 else {}
                self.caveats |= {name: extractor.caveat} if extractor.caveat else {}

    def _function(self, metric: Metric, weights: Mapping[str, Path], files: dict[str, WeightsFile]) -> PictureFunction:
        """Return the function of a metric with weights; without weights, a function that raises the reason."""
        assert metric.make is not None
        try:
            for name, read in zip(metric.weights, metric.readers, strict=True):
                if name not in files:
                    files[name] = open_weights(name, read, weights.get(name))
        except Unmeasurable as reason:
            return partial(_unavailable, str(reason))
        used = {name: files[name] for name in metric.weights}
        self.sha256 |= {name: file.sha256 for name, file in used.items()}
        if caveats := [file.caveat for file in used.values() if file.caveat]:
            self.caveats[metric.name] = "; ".join(caveats)
        return metric.make(*(file.contents for file in used.values()), device=self.device)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Within this context, torch uses one thread for each measuring thread."""
        torch = sys.modules.get("torch")
        if torch is None:
            yield
            return
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)

    def free_networks(self) -> None:
        """Free the memory of the networks, which comparing sets does not need."""
        for extractor in self.extractors.values():
            extractor.free()
        if self.extractors:
            return_free_memory()

    def feature_definition(self, extractor: "Extractor") -> str:
        """Return everything except the pictures that an extractor's features depend on."""
        return f"{extractor.key}; {self._network()}"

    def _definition(self, metric: Metric, *, resize: bool) -> str:
        weights = [self.sha256.get(name, "") for name in metric.weights]
        if not all(weights):
            return ""
        parts = [metric.definition, *weights, self.decoder if metric.function is not None else self._network()]
        if metric.function is not None and metric.library:
            parts += installed(("torch", metric.library))
        if metric.kind == "pair" and resize:
            parts.append("generated picture resized by Pillow's bicubic")
        return "; ".join(parts)

    def _network(self) -> str:
        """Return the settings, besides the weights, that a network's output depends on."""
        return "; ".join([self.device.partition(":")[0], self.decoder, *installed(_NETWORK_LIBRARIES)])


def load_extractor(name: ExtractorName, settings: Settings, device: str) -> "Extractor":
    """Load the extractor that metrics name, on a device: cpu, cuda, ...

    Raises:
        UserError: a named file cannot be used.
        Unmeasurable: its weights are not in the cache, or no segmenter was given.
    """
    from gan_eval.metrics.networks import extractors, segmenter

    if name == "inception":
        load = partial(extractors.inception_extractor, resizer=settings.resizer, device=device)
        file = open_weights(name, load, settings.weights.get(name))
        return replace(file.contents, sha256=file.sha256, caveat=file.caveat)
    if name.startswith("@"):
        from gan_eval.metrics.networks.own import load_own_network

        own = name.removeprefix("@")
        return load_own_network(own, settings.networks[own], device=device)
    if name == "spectrum":
        from gan_eval.metrics.definitions.spectrum import RINGS, radial_spectrum

        key = "radial-spectrum/int-luma/hann/64-rings"
        return extractors.VectorExtractor(
            name=name, size=RINGS, key=key, vector=lambda picture, _: radial_spectrum(picture)
        )
    if name == "label_colours":
        return segmenter.label_colours()
    if settings.segmenter is None:
        raise Unmeasurable("no segmenter was given: --segmenter FILE")
    return segmenter.load_segmenter(settings.segmenter, device=device)


def _unavailable(reason: str, *_: object) -> NoReturn:
    raise Unmeasurable(reason)


def decoder(*, white: int | None = None) -> str:
    """Return the key of decoding: gan_eval with its reading rules, Pillow and its JPEG library, and the given white."""
    from PIL import features

    return f"gan_eval {__version__}; pillow {version('pillow')}; jpeg {features.version_codec('jpg')}" + (
        f"; white {white}" if white else ""
    )


def installed(libraries: Iterable[str]) -> list[str]:
    """Return the names and versions of those libraries that are installed, each once."""
    found = []
    for name in dict.fromkeys(libraries):
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    return found


class FeatureBatches:
    """Collects prepared pictures; the thread that fills a batch runs the network on it.

    Every batch has the same size, the last one filled up with copies, so that a picture's features do not depend on
    the number of others.
    """

    def __init__(self, extractor: "Extractor") -> None:
        self._extractor = extractor
        self._lock = threading.Lock()
        self._waiting: list[tuple[Tensor, Callable[[FeatureResult], None]]] = []

    def add(self, prepared: "Tensor", deliver: Callable[[FeatureResult], None]) -> None:
        """Add a prepared picture; `deliver` is called with its features."""
        with self._lock:
            self._waiting.append((prepared, deliver))
            if len(self._waiting) < self._extractor.batch_size:
                return
            batch, self._waiting = self._waiting, []
        self._run(batch)

    def finish(self) -> None:
        """Run the batch that is not full."""
        batch, self._waiting = self._waiting, []
        if batch:
            self._run(batch)

    def _run(self, batch: "list[tuple[Tensor, Callable[[FeatureResult], None]]]") -> None:
        prepared = [picture for picture, _ in batch]
        prepared += prepared[-1:] * (self._extractor.batch_size - len(batch))
        results: Iterable[FeatureResult]
        try:
            results = self._extractor.features(prepared)[: len(batch)]
        except Exception as error:
            if not memory_ran_out(error):
                raise
            results = [NO_MEMORY] * len(batch)
        for (_, deliver), result in zip(batch, results, strict=True):
            deliver(result)
