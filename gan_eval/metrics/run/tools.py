"""What measures in a run: functions of pictures and networks, known by their definitions before they are loaded.

Nothing is loaded until a picture needs it, so that a run over pictures whose values are all kept starts at once. What
the networks' definitions are is itself kept, by the hashes of their weights and of the code that reads them.

The code of a user's own metric, so that its kept values are those of this code.
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
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_eval.errors import UserError
from gan_eval.files import sha256_file, sha256_json
from gan_eval.metrics.catalogue import METRICS, ExtractorName, Metric, PictureFunction
from gan_eval.metrics.own.entries import own_class
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.run.code_hash import Code, CodeHashes
from gan_eval.weights.cache import find

if TYPE_CHECKING:
    from gan_eval.metrics.networks.extractor import Extractor
    from gan_eval.metrics.run.evaluation import Settings

BUILT_IN = tuple(metric.name for metric in METRICS.values() if metric.needs_pictures_alone)
"""Pair and single metrics that need nothing but the pictures."""
_EXTRACTORS: dict[ExtractorName, str] = {
    "inception": "gan_eval.metrics.networks.extractors:inception_extractor",
    "vgg16": "gan_eval.metrics.networks.extractors:vgg16_extractor",
    "segmenter": "gan_eval.metrics.networks.segmenter:load_segmenter",
}
"""The code of each extractor."""
_NETWORKS = (
    "gan_eval.metrics.networks.extractors:load_extractors",
    "gan_eval.metrics.networks.learned:learned_metrics",
)
"""The code that tells the facts of networks."""
_NETWORK_LIBRARIES = ("torch", "torchvision", "numpy", "piq", "lpips", "onnxruntime")


@dataclass(frozen=True)
class Measure:
    """A pair or single metric of this run."""

    name: str
    is_pair: bool
    definition: str
    """All that a value depends on, beside the pictures; "" where that is not known and nothing is kept."""
    keeps_reasons: bool
    """A missing value's reason depends on the pictures alone too: not where another's program may fail."""
    takes_hole: bool = False
    """A pair metric that is also given the hole."""


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
    def told(self) -> dict[str, str]:
        """All caveats by what they are about."""
        return {str(name): text for name, text in self.caveats.items()} | self.metric_caveats


@dataclass(frozen=True)
class _Loaded:
    facts: NetworkFacts
    functions: Mapping[str, PictureFunction]
    extractors: Mapping[ExtractorName, "Extractor"]


class Tools:
    """The measures and extractors of a run. Any number of threads may use it."""

    def __init__(self, metrics: Sequence[Metric], settings: "Settings", cache: Cache) -> None:
        """
        Raises:
            UserError: weights that were named will not do, or the device cannot be used.
        """
        self.code = CodeHashes(cache)
        self._keeps = cache.is_used
        self._metrics = [metric for metric in metrics if metric.name not in BUILT_IN]
        self._settings = settings
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._torch_threads: int | None = None
        self._is_at_work = False
        self.device = _device(settings.device)
        needed = any(metric.weights or metric.extractor for metric in self._metrics)
        with self.at_work():
            self.network = self._known(cache) if needed else NetworkFacts()
        self.measures = [self._measure(metric) for metric in metrics if metric.kind != "set"]

    def function(self, name: str) -> PictureFunction:
        """The function of a pair or single metric."""
        return built_in(name) if name in BUILT_IN else self._load().functions[name]

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
        definition = ""
        weights = [self.network.sha256.get(name) for name in metric.weights]
        code = self._code_of(metric) if metric.definition and self._keeps else None
        if code is not None and all(weights):
            parts = [metric.definition, code, *map(str, weights), self._where(network=metric.name not in BUILT_IN)]
            if metric.kind == "pair" and self._settings.resize:
                parts.append("generated picture resized by Pillow's bicubic")
            definition = "; ".join(parts)
        return Measure(metric.name, metric.kind == "pair", definition, not metric.distribution, metric.takes_hole)

    def _code_of(self, metric: Metric) -> str | None:
        """What stands for the code that computes a pair or single metric; None where that cannot be told."""
        if metric.distribution:
            return own_code(metric.name)
        return f"code {self.code.of(*code_roots(metric.name))}"

    def _where(self, *, network: bool) -> str:
        libraries = [f"{name} {version}" for name, version in versions(_NETWORK_LIBRARIES)] if network else []
        return "; ".join([self.device.partition(":")[0], decoder(self.code), *libraries])

    def _known(self, cache: Cache) -> NetworkFacts:
        """The facts about the networks: kept ones where all weights are there, else those of the loaded ones."""
        hashes = self._weights_hashes()
        if hashes is None:
            return self._load().facts
        definitions = {metric.name: metric.definition for metric in self._metrics}
        facts = [definitions, hashes, self._settings.resizer, self._settings.precision, self._where(network=True)]
        key = bytes.fromhex(sha256_json(["networks", *facts, self.code.of(*_NETWORKS)]))
        kept = cache.result(key)
        if kept is not None:
            content = json.loads(kept)
            return NetworkFacts(**content | {"kinds": tuple(FeatureKind(**kind) for kind in content["kinds"])})
        found = self._load().facts
        cache.keep_result(key, json.dumps({**vars(found), "kinds": [vars(kind) for kind in found.kinds]}))
        return found

    def _weights_hashes(self) -> dict[str, str] | None:
        """SHA-256 of the weights' files by name; None where one is missing or will not do."""
        given = self._settings.weights
        try:
            names = dict.fromkeys(name for metric in self._metrics for name in metric.weights)
            hashes = {name: sha256_file(find(name, path=given.get(name))) for name in names}
            if self._settings.segmenter is not None:
                from gan_eval.metrics.networks.segmenter_settings import segmenter_key

                hashes["segmenter"] = segmenter_key(self._settings.segmenter)
            return hashes
        except UserError:
            return None

    def _load(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._read()
            return self._loaded

    def _read(self) -> _Loaded:
        from gan_eval.metrics.networks.extractors import load_extractors
        from gan_eval.metrics.networks.learned import learned_metrics
        from gan_eval.metrics.own.pictures import own_functions

        if self._is_at_work:
            self._hold_torch()
        settings = self._settings
        with_weights: dict[str, Any] = {"paths": settings.weights, "device": self.device}
        learned = learned_metrics(self._metrics, **with_weights)
        found = load_extractors(
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
                one.size,
                one.companion,
                f"{one.key}; code {self.code.of(_EXTRACTORS[name])}; {where}" if self._keeps else "",
                name != "segmenter",
            )
            for name, one in found.ready.items()
        ]
        facts = NetworkFacts(
            tuple(kinds), learned.sha256 | found.sha256, found.unavailable, found.caveats, learned.caveats
        )
        return _Loaded(facts, learned.functions | own_functions(self._metrics, device=self.device), found.ready)


@cache
def built_in(name: str) -> PictureFunction:
    """The function of a metric that needs nothing but the pictures."""
    module, _, function = METRICS[name].code[0].partition(":")
    found: PictureFunction = getattr(import_module(module), function)
    return found


def code_roots(name: str) -> tuple[str, ...]:
    """Where the code of a pair or single metric of gan_eval begins, each as `module:name`."""
    return METRICS[name].code


def _device(name: str | None) -> str:
    """The device with this name; else CUDA where there is one. torch is not loaded where the answer is plain.

    Raises:
        UserError: this machine has no such device.
    """
    if name == "cpu" or (name is None and not _has_cuda_driver()):
        return "cpu"
    from gan_eval.metrics.kernels.devices import usable_device

    return usable_device(name)


def _has_cuda_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True


_INSTALLED = ("site-packages", "dist-packages")


def own_code(name: str) -> str | None:
    """What stands for the code of an own metric: a hash of what its class reaches in its own package, and in what lies
    beside that where it is not among the installed ones, whose versions tell; and torchmetrics, which it is built on.

    None where its source is not there: it cannot be told whether it is the same.
    """
    found = own_class(name)
    top = found.__module__.partition(".")[0]
    file = getattr(sys.modules.get(top), "__file__", None)
    if file is None or not Path(file).is_file():
        return None
    folder = Path(file).parent.parent if Path(file).stem == "__init__" else Path(file).parent
    installed = any(part in _INSTALLED for part in folder.parts)

    def read(module: str) -> tuple[str, bool] | None:
        if installed and module.partition(".")[0] != top:
            return None
        path = folder.joinpath(*module.split("."))
        for source, is_package in ((path.with_name(f"{path.name}.py"), False), (path / "__init__.py", True)):
            if source.is_file():
                return source.read_text(encoding="utf-8"), is_package
        return None

    if read(found.__module__) is None:
        return None
    try:
        code = Code(read).hash_of(f"{found.__module__}:{found.__qualname__.partition('.')[0]}")
    except (SyntaxError, ValueError, OSError):  # changed since it was imported
        return None
    return f"code {code[:16]}; torchmetrics {version('torchmetrics')}"


def decoder(code: CodeHashes) -> str:
    """What turns a file into a picture: Pillow, its JPEG library, and this program's reading rules."""
    from PIL import features

    jpeg = features.version_codec("jpg")
    rules = code.of(
        "gan_eval.stimuli.pictures:decode_rgb", "gan_eval.stimuli.pictures:resize", "gan_eval.stimuli.holes:hole_of"
    )
    return f"pillow {version('pillow')}; jpeg {jpeg}; reading {rules}"


def versions(names: Iterable[str]) -> list[tuple[str, str]]:
    """The versions of those libraries that are installed."""
    return [(name, found) for name in names if (found := _installed(name)) is not None]


@cache
def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
