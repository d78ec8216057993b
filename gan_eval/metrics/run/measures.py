"""Functions and networks of a run, known by their definitions before they are loaded, and the features from networks.

A definition names everything that a value depends on, other than the pictures: the metric's own `definition`, the
weights, the device, the libraries and gan_eval's version. It is the key of the cached values. Nothing is loaded until a
picture needs it, so a run with all values cached starts fast.
"""

import ctypes
import hashlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from gan_eval import __version__
from gan_eval.errors import UserError
from gan_eval.files.atomic import write_error
from gan_eval.files.digests import sha256_bytes, sha256_file
from gan_eval.metrics.definitions.record import ExtractorName, Metric, PictureFunction
from gan_eval.metrics.kernels.pictures import NO_MEMORY, memory_ran_out
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.weights.cache import find

if TYPE_CHECKING:
    from torch import Tensor

    from gan_eval.metrics.networks.extractor import Extractor
    from gan_eval.metrics.run.tables import Settings

_NETWORK_LIBRARIES = ("torch", "torchvision", "numpy", "piq", "lpips")

IN_MEMORY = 64 * 2**20
"""Size in bytes above which features are stored in a file instead."""
_ROWS_AT_ONCE = 1024

FeatureResult = NDArray[np.float32] | str
"""(size,) features, or the reason why there are none."""


def definition_key(definition: str) -> bytes:
    """Return what stands for a definition in the cache; b"" for an unknown one, whose values are not cached."""
    return bytes.fromhex(sha256_bytes(definition.encode())) if definition else b""


@dataclass(frozen=True)
class Measure:
    """A metric of this run with a value for each picture."""

    metric: Metric
    definition: str
    """Everything that a value depends on, other than the pictures; "" if unknown: then nothing is cached."""

    @property
    def name(self) -> str:
        return self.metric.name

    @property
    def kind(self) -> str:
        return self.metric.kind

    @cached_property
    def key(self) -> bytes:
        return definition_key(self.definition)


@dataclass(frozen=True)
class FeatureKind:
    """An extractor of this run."""

    name: ExtractorName
    size: int
    companion: str | None
    definition: str
    """See `Measure.definition`."""

    @cached_property
    def key(self) -> bytes:
        return definition_key(self.definition)


@dataclass(frozen=True)
class NetworkFacts:
    """Facts about the networks that are needed before they are loaded."""

    kinds: tuple[FeatureKind, ...] = ()
    sha256: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the weights, by name."""
    unavailable: dict[str, str] = field(default_factory=dict)
    """The reason for each set metric that cannot be computed at all."""
    caveats: dict[str, str] = field(default_factory=dict)
    """Caveats on an extractor, or on a picture metric with weights."""

    def as_json(self) -> dict[str, Any]:
        """Return the facts for the cache."""
        kinds = [[kind.name, kind.size, kind.companion, kind.definition] for kind in self.kinds]
        return {"kinds": kinds, "sha256": self.sha256, "unavailable": self.unavailable, "caveats": self.caveats}

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> "NetworkFacts":
        """Return cached facts."""
        return cls(**content | {"kinds": tuple(FeatureKind(*kind) for kind in content["kinds"])})


class Tools:
    """The measures and extractors of a run. Any number of threads may use it."""

    def __init__(self, metrics: Sequence[Metric], settings: "Settings", cache: Cache) -> None:
        """Set up; networks are loaded only if their facts are not cached.

        Raises:
            UserError: named weights are no such weights, or the device cannot be used.
        """
        self._metrics = [metric for metric in metrics if not metric.is_pixel_metric]
        self._settings = settings
        self._lock = threading.Lock()
        self._loaded: tuple[NetworkFacts, Mapping[str, PictureFunction], Mapping[str, Extractor]] | None = None
        self._torch_threads: int | None = None
        self._is_at_work = False
        self.device = _device(settings.device)
        needed = any(metric.weights or metric.extractor for metric in self._metrics)
        with self.at_work():
            self.network = self._network_facts(cache) if needed else NetworkFacts()
        self.measures = [self._measure(metric) for metric in metrics if metric.kind != "set"]

    def function(self, measure: Measure) -> PictureFunction:
        """Return the function of a pair or single metric, loaded with its weights where it needs some."""
        return measure.metric.function or self._load()[1][measure.name]

    def extractor(self, name: ExtractorName) -> "Extractor":
        """Return the network of this name."""
        return self._load()[2][name]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside, torch uses one thread for each thread that measures, also if it is loaded only then."""
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
        weights = [self.network.sha256.get(name) for name in metric.weights]
        if not all(weights):
            return Measure(metric, "")
        definition = "; ".join([metric.definition, *map(str, weights), self._where(network=not metric.is_pixel_metric)])
        if metric.kind == "pair" and self._settings.resize:
            definition += "; generated picture resized by Pillow's bicubic"
        return Measure(metric, definition)

    def _where(self, *, network: bool) -> str:
        """The device, what decodes, and the libraries of networks."""
        libraries = [f"{name} {version}" for name, version in versions(_NETWORK_LIBRARIES)] if network else []
        return "; ".join([self.device.partition(":")[0], decoder(), *libraries])

    def _network_facts(self, cache: Cache) -> NetworkFacts:
        """The facts about the networks: cached ones if all weights are there, else those of the loaded ones."""
        settings = self._settings
        try:
            names = dict.fromkeys(name for metric in self._metrics for name in metric.weights)
            hashes = {name: sha256_file(find(name, path=settings.weights.get(name))) for name in names}
            if settings.segmenter is not None:
                from gan_eval.metrics.networks.segmenter_settings import segmenter_key

                hashes["segmenter"] = segmenter_key(settings.segmenter)
        except UserError:  # one is missing or unusable: loading reports it, as the reason of its metrics
            return self._load()[0]
        definitions = {metric.name: metric.definition for metric in self._metrics}
        parts = ["networks", definitions, hashes, settings.resizer, settings.precision, self._where(network=True)]
        cached = cache.result(parts)
        if cached is not None:
            return NetworkFacts.of_json(cached)
        facts = self._load()[0]
        cache.keep_result(parts, facts.as_json())
        return facts

    def _load(self) -> "tuple[NetworkFacts, Mapping[str, PictureFunction], Mapping[str, Extractor]]":
        """The functions and networks with their facts, loaded once."""
        with self._lock:
            if self._loaded is None:
                from gan_eval.metrics.networks.extractors import load_extractors
                from gan_eval.metrics.networks.learned import learned_metrics

                if self._is_at_work:
                    self._hold_torch()
                settings = self._settings
                learned = learned_metrics(self._metrics, paths=settings.weights, device=self.device)
                networks = load_extractors(
                    self._metrics,
                    paths=settings.weights,
                    device=self.device,
                    resizer=settings.resizer,
                    precision=settings.precision,
                    segmenter=settings.segmenter,
                )
                where = self._where(network=True)
                facts = NetworkFacts(
                    tuple(
                        FeatureKind(name, extractor.size, extractor.companion, f"{extractor.key}; {where}")
                        for name, extractor in networks.ready.items()
                    ),
                    learned.sha256 | networks.sha256,
                    networks.unavailable,
                    {str(name): text for name, text in networks.caveats.items()} | learned.caveats,
                )
                self._loaded = facts, learned.functions, {str(name): ready for name, ready in networks.ready.items()}
            return self._loaded


def _device(name: str | None) -> str:
    """The device with this name; else CUDA where there is one. torch is not loaded if the answer needs none."""
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
    """Return the versions of those libraries that are installed."""
    return [(name, installed) for name in names if (installed := _version(name)) is not None]


@cache
def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@dataclass(frozen=True)
class FeatureTable:
    """Features of one extractor."""

    values: NDArray[np.float32]
    """(N, size), in memory or mapped from a file."""
    place: Mapping[str, int]
    """Row of each stimulus that has features."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why a stimulus has none, where its file could be read."""

    def take(self, stimuli: Sequence[str]) -> NDArray[np.float32]:
        """(n, size) features in the stimuli's order; not copied where they stand in a row.

        Raises:
            KeyError: a stimulus has no features.
        """
        rows = np.array([self.place[stimulus] for stimulus in stimuli], dtype=np.intp)
        if len(rows) and (np.diff(rows) == 1).all():
            return self.values[rows[0] : rows[-1] + 1]
        return self.values[rows]


class FeatureStore:
    """One row for each stimulus; in memory, or in a temporary file where there are many."""

    def __init__(self, count: int, size: int, *, in_memory: int = IN_MEMORY) -> None:
        """Make room for `count` vectors of `size` numbers: in memory, or in a temporary file above `in_memory` bytes.

        Raises:
            UserError: the disk of the temporary folder is full.
        """
        self.reasons: dict[int, str] = {}
        self.filled = np.zeros(count, bool)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if 4 * count * size <= in_memory:
            self.values: NDArray[np.float32] = np.zeros((count, size), np.float32)
        else:
            self._folder = tempfile.TemporaryDirectory(prefix="gan-eval-features-", ignore_cleanup_errors=True)
            file = Path(self._folder.name) / "features.f32"
            try:  # reserve the space: writing into a mapped file that has none ends the program
                with file.open("wb") as opened:
                    if hasattr(os, "posix_fallocate"):
                        os.posix_fallocate(opened.fileno(), 0, 4 * count * size)
                    else:
                        opened.truncate(4 * count * size)
            except OSError as error:
                raise write_error(file, error) from error
            self.values = np.memmap(file, np.float32, "r+", shape=(count, size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Free the rows; a table of them must not be used any more."""
        if self._folder is not None:
            self._folder.cleanup()

    def put(self, row: int, result: FeatureResult) -> None:
        """Set a row; any number of threads may do so for different rows."""
        if isinstance(result, str):
            self.reasons[row] = result
        else:
            self.values[row] = result
            self.filled[row] = True

    @property
    def done(self) -> int:
        """Rows that are filled or have a reason."""
        return int(np.count_nonzero(self.filled)) + len(self.reasons)

    def content_hash(self) -> str:
        """SHA-256 over the rows and the reasons."""
        digest = hashlib.sha256(self.filled.tobytes())
        for start in range(0, len(self.values), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            digest.update(self.values[rows].tobytes())
        digest.update(repr(sorted(self.reasons.items())).encode())
        return digest.hexdigest()

    def table(self, names: Sequence[str]) -> FeatureTable:
        """The rows by the stimuli's names."""
        place = {names[row]: row for row in np.flatnonzero(self.filled).tolist()}
        return FeatureTable(self.values, place, {names[row]: reason for row, reason in self.reasons.items()})


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
