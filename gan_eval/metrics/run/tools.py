"""Functions and networks of a run, known by their definitions before they are loaded.

A definition names everything that a value depends on next to the pictures: the metric's own `definition`, the weights,
the device, the libraries and gan_eval's version. It is the key of the cached values. Nothing is loaded until a picture
needs it, so a run whose values are all cached starts fast.
"""

import ctypes
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from gan_eval import __version__
from gan_eval.errors import UserError
from gan_eval.files.digests import sha256_file, sha256_json
from gan_eval.metrics.catalogue import ExtractorName, Kind, Metric, PictureFunction
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.weights.cache import find

if TYPE_CHECKING:
    from gan_eval.metrics.networks.extractor import Extractor
    from gan_eval.metrics.run.tables import Settings

_NETWORK_LIBRARIES = ("torch", "torchvision", "numpy", "piq", "lpips", "onnxruntime")


@dataclass(frozen=True)
class Measure:
    """A metric of this run with a value for each picture."""

    name: str
    kind: Kind
    definition: str
    """Everything that a value depends on, next to the pictures; "" if unknown: then nothing is cached."""
    takes_hole: bool = False
    """A pair metric that is also given the hole."""
    of_items: bool = False
    """It compares items, and is computed when all pictures have been read (`gan_eval.metrics.run.items`)."""
    any_format: bool = False
    """It is given every sample of pictures of any channels and depth; others are for 8-bit RGB."""
    function: PictureFunction | None = None
    """None: it has weights, and is loaded when a picture needs it."""


@dataclass(frozen=True)
class FeatureKind:
    """An extractor of this run."""

    name: ExtractorName
    size: int
    companion: str | None
    definition: str
    """As a measure's."""
    keeps_reasons: bool
    """As a measure's."""


@dataclass(frozen=True)
class NetworkFacts:
    """What must be known of the networks before they are loaded."""

    kinds: tuple[FeatureKind, ...] = ()
    sha256: dict[str, str] = field(default_factory=dict)
    """Of the weights that were read, by name."""
    unavailable: dict[str, str] = field(default_factory=dict)
    """The reason for each set metric that cannot be computed at all."""
    caveats: dict[ExtractorName, str] = field(default_factory=dict)
    """What a reader of the values must know about an extractor."""
    metric_caveats: dict[str, str] = field(default_factory=dict)
    """The same about a pair or single metric with weights."""

    @property
    def all_caveats(self) -> dict[str, str]:
        """By extractor, and by metric."""
        return {str(name): text for name, text in self.caveats.items()} | self.metric_caveats


@dataclass(frozen=True)
class _Loaded:
    facts: NetworkFacts
    functions: Mapping[str, PictureFunction]
    extractors: Mapping[ExtractorName, "Extractor"]


class Tools:
    """The measures and extractors of a run. Any number of threads may use it."""

    def __init__(self, metrics: Sequence[Metric], settings: "Settings", cache: Cache) -> None:
        """Set up; nothing is loaded yet.

        Raises:
            UserError: weights that were named will not do, or the device cannot be used.
        """
        self._cache = cache
        self._metrics = [metric for metric in metrics if not metric.is_pixel_metric]
        self._settings = settings
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._torch_threads: int | None = None
        self._is_at_work = False
        self.device = _device(settings.device)
        needed = any(metric.weights or metric.extractor for metric in self._metrics)
        with self.at_work():
            self.network = self._network_facts() if needed else NetworkFacts()
        self.measures = [self._measure(metric) for metric in metrics if metric.kind != "set"]

    def function(self, measure: Measure) -> PictureFunction:
        """The function of a pair or single metric, loaded with its weights where it needs some."""
        return measure.function or self._load().functions[measure.name]

    def extractor(self, name: ExtractorName) -> "Extractor":
        """The network of this name."""
        return self._load().extractors[name]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside, torch uses one thread for each thread that measures, also where it is loaded only then."""
        self._is_at_work = True
        if "torch" in sys.modules:
            self._hold_torch()
        try:
            yield
        finally:
            self._is_at_work = False
            if self._torch_threads is not None:
                import torch

                torch.set_num_threads(self._torch_threads)
                self._torch_threads = None

    def _hold_torch(self) -> None:
        import torch

        if self._torch_threads is None:
            self._torch_threads = torch.get_num_threads()
        torch.set_num_threads(1)

    def _measure(self, metric: Metric) -> Measure:
        """A pair or single metric with its definition, which is "" where its weights are missing."""
        weights = [self.network.sha256.get(name) for name in metric.weights]
        definition = ""
        if all(weights):
            where = self._where(network=not metric.is_pixel_metric)
            definition = "; ".join([metric.definition, *map(str, weights), where])
            if metric.kind == "pair" and self._settings.resize:
                definition += "; generated picture resized by Pillow's bicubic"
        return Measure(
            metric.name,
            metric.kind,
            definition,
            takes_hole=metric.takes_hole,
            of_items=metric.of_items is not None,
            any_format=metric.any_format,
            function=metric.function,
        )

    def _where(self, *, network: bool) -> str:
        """The device, what decodes, and the libraries of networks."""
        libraries = [f"{name} {version}" for name, version in versions(_NETWORK_LIBRARIES)] if network else []
        return "; ".join([self.device.partition(":")[0], decoder(), *libraries])

    def _network_facts(self) -> NetworkFacts:
        """The facts about the networks: cached ones where all weights are there, else those of the loaded ones."""
        try:
            names = dict.fromkeys(name for metric in self._metrics for name in metric.weights)
            hashes = {name: sha256_file(find(name, path=self._settings.weights.get(name))) for name in names}
            if self._settings.segmenter is not None:
                from gan_eval.metrics.networks.segmenter_settings import segmenter_key

                hashes["segmenter"] = segmenter_key(self._settings.segmenter)
        except UserError:  # one is missing or will not do: reported by loading, as the reason of its metrics
            return self._load().facts
        definitions = {metric.name: metric.definition for metric in self._metrics}
        parts = [definitions, hashes, self._settings.resizer, self._settings.precision, self._where(network=True)]
        key = bytes.fromhex(sha256_json(["networks", *parts]))
        cached = self._cache.result(key)
        if cached is not None:
            content = json.loads(cached)
            return NetworkFacts(**content | {"kinds": tuple(FeatureKind(**kind) for kind in content["kinds"])})
        facts = self._load().facts
        self._cache.keep_result(key, json.dumps({**vars(facts), "kinds": [vars(kind) for kind in facts.kinds]}))
        return facts

    def _load(self) -> _Loaded:
        """The functions and networks, loaded once."""
        with self._lock:
            if self._loaded is None:
                from gan_eval.metrics.networks.extractors import load_extractors
                from gan_eval.metrics.networks.learned import learned_metrics

                if self._is_at_work:
                    self._hold_torch()
                settings = self._settings
                with_weights: dict[str, Any] = {"paths": settings.weights, "device": self.device}
                learned = learned_metrics(self._metrics, **with_weights)
                networks = load_extractors(
                    self._metrics,
                    resizer=settings.resizer,
                    precision=settings.precision,
                    segmenter=settings.segmenter,
                    **with_weights,
                )
                where = self._where(network=True)
                kinds = [
                    FeatureKind(
                        name,
                        extractor.size,
                        extractor.companion,
                        f"{extractor.key}; {where}",
                        name != "segmenter",
                    )
                    for name, extractor in networks.ready.items()
                ]
                sha256 = learned.sha256 | networks.sha256
                facts = NetworkFacts(tuple(kinds), sha256, networks.unavailable, networks.caveats, learned.caveats)
                self._loaded = _Loaded(facts, learned.functions, networks.ready)
            return self._loaded


def _device(name: str | None) -> str:
    """The device with this name; else CUDA where there is one. torch is not loaded where the answer is plain.

    Raises:
        UserError: this machine has no such device.
    """
    if name is None:
        try:
            ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
        except OSError:  # no driver
            return "cpu"
    if name == "cpu":
        return "cpu"
    from gan_eval.metrics.kernels.devices import usable_device

    return usable_device(name)


def decoder() -> str:
    """Return the key of decoding: gan_eval with its reading rules, Pillow and its JPEG library."""
    from PIL import features

    return f"gan_eval {__version__}; pillow {version('pillow')}; jpeg {features.version_codec('jpg')}"


def versions(names: Iterable[str]) -> list[tuple[str, str]]:
    """The versions of those libraries that are installed."""
    return [(name, installed) for name in names if (installed := _version(name)) is not None]


@cache
def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
