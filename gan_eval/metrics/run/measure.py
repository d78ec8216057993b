"""One pass over the pictures: each is read, hashed and decoded once, measured, and given to the networks.

Worker threads do the work; Pillow, the compiled kernels and torch release the interpreter's lock. Each thread takes a
job: a real picture and all pictures generated for it. The thread that completes a network's batch runs the network.

The cache holds features, and values from networks and from piq; the others take less time than decoding the pictures.
A definition, part of their key, names everything except the pictures that they depend on: the metric's own
`definition`, the weights, the device, the libraries and gan_eval's version (`Tools.definitions`).
"""

import hashlib
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from gan_eval import __version__
from gan_eval.base.errors import UserError, memory_ran_out
from gan_eval.base.progress import Progress
from gan_eval.base.start import return_free_memory
from gan_eval.metrics.definitions.record import ExtractorName, Metric, PictureFunction
from gan_eval.metrics.kernels.pictures import NO_MEMORY, Missing, Unmeasurable
from gan_eval.metrics.run.cache import Cache, Content, Key
from gan_eval.metrics.run.features import (
    FeatureBatches,
    FeatureResult,
    FeatureStore,
    GivenFeatures,
    load_extractor,
    read_features,
)
from gan_eval.metrics.run.inputs import Settings, Stimulus
from gan_eval.metrics.run.reference import read_reference
from gan_eval.metrics.weights.cache import WeightsFile, open_weights
from gan_eval.pictures import decode as images
from gan_eval.pictures.decode import Picture, PictureFile, Samples
from gan_eval.pictures.holes import hole_of

if TYPE_CHECKING:
    from gan_eval.metrics.kernels.pictures import HolePixels
    from gan_eval.metrics.networks.extractors import Extractor

T = TypeVar("T")
_NETWORK_LIBRARIES = ("torch", "torchvision", "numpy", "piq", "lpips")
_PROGRESS_EVERY_S = 0.1


class Tools:
    """The functions and networks of a run. Any number of threads may use them."""

    def __init__(self, metrics: Sequence[Metric], settings: Settings) -> None:
        """Load what the metrics need.

        Raises:
            UserError: a file does not hold the named weights, or the device cannot be used.
        """
        self.metrics, self.settings = metrics, settings
        self.extractors: dict[ExtractorName, Extractor] = {}
        self.sha256: dict[str, str] = {}
        """SHA-256 of the weights, by name."""
        self.unavailable: dict[str, Missing] = {}
        """The reason for each set metric that cannot be computed at all."""
        self.reference = settings.reference and read_reference(settings.reference, resizer=settings.resizer)
        """Statistics in place of the real pictures."""
        self.caveats: dict[str, str] = {}
        """Caveats on an extractor, or on a picture metric with weights."""
        needed = dict.fromkeys(metric.extractor for metric in metrics if metric.extractor)
        self.given: dict[ExtractorName, GivenFeatures] = {
            f"@{name}": read_features(name, given) for name, given in settings.features.items() if f"@{name}" in needed
        }
        """Features that the user gave, in place of an extractor's."""
        loaded = [name for name in needed if name not in self.given]
        of_pictures = [metric for metric in metrics if metric.kind != "set"]
        _require_libraries(of_pictures)
        self.device = _device(settings.device, has_networks=bool(loaded) or any(each.weights for each in metrics))
        files: dict[str, WeightsFile] = {}
        with self.at_work():
            self.measures = [(metric, metric.function or self._function(metric, files)) for metric in of_pictures]
            """Each metric with a value for each picture, and its function."""
            for name in loaded:
                self._load(name)

    def _load(self, name: ExtractorName) -> None:
        """Load an extractor, or set the reason why its metrics are unavailable."""
        try:
            extractor = load_extractor(name, self.settings, self.device)
        except Unmeasurable as error:
            reason = Missing(str(error))
            self.unavailable |= {metric.name: reason for metric in self.metrics if metric.extractor == name}
            return
        self.extractors[name] = extractor
        self.sha256 |= {name: extractor.sha256} if extractor.sha256 else {}
        self.caveats |= {name: extractor.caveat} if extractor.caveat else {}

    def _function(self, metric: Metric, files: dict[str, WeightsFile]) -> PictureFunction:
        """Return the function of a metric with weights; without weights, a function that raises the reason."""
        assert metric.make is not None
        try:
            for name, read in zip(metric.weights, metric.readers, strict=True):
                if name not in files:
                    files[name] = open_weights(name, read, self.settings.weights.get(name))
        except Unmeasurable as reason:
            return partial(_unavailable, str(reason))
        used = {name: files[name] for name in metric.weights}
        self.sha256 |= {name: file.sha256 for name, file in used.items()}
        if caveats := [file.caveat for file in used.values() if file.caveat]:
            self.caveats[metric.name] = "; ".join(caveats)
        return metric.make(*(file.contents for file in used.values()), device=self.device)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Within this context, torch, if it is loaded, uses one thread for each measuring thread."""
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
        return_free_memory()

    @cached_property
    def definitions(self) -> dict[str, str]:
        """Everything except the pictures that features and values depend on, by the name of the extractor or metric.

        It is part of the key of a cached value and of a part of many pictures; "" for a metric without its weights.
        """
        decoding = decoder(white=self.settings.white)
        network = cache(lambda: "; ".join([self.device.partition(":")[0], decoding, *installed(_NETWORK_LIBRARIES)]))
        made = {name: f"{extractor.key}; {network()}" for name, extractor in self.extractors.items()}
        for metric, _ in self.measures:
            weights = [self.sha256.get(name, "") for name in metric.weights]
            parts = [metric.definition, *weights, network() if metric.function is None else decoding]
            parts += installed(("torch", metric.library)) if metric.function is not None and metric.library else []
            if metric.kind == "pair" and self.settings.resize:
                parts.append("generated picture resized by Pillow's bicubic")
            made[metric.name] = "; ".join(parts) if all(weights) else ""
        return made

    def cached_definitions(self) -> dict[str, bytes]:
        """Return the hash of each definition of features, or of values that take time; for the cache."""
        slow = {metric.name for metric, _ in self.measures if metric.weights or metric.library} | self.extractors.keys()
        texts = {name: text for name, text in self.definitions.items() if text and name in slow}
        return {name: hashlib.sha256(text.encode()).digest() for name, text in texts.items()}


def _device(name: str | None, *, has_networks: bool) -> str:
    """Return the device of the networks; without networks, the CPU unless another one is named."""
    if not has_networks and name in (None, "cpu"):
        return "cpu"
    from gan_eval.metrics.kernels.devices import usable_device

    return usable_device(name)


def _require_libraries(metrics: Sequence[Metric]) -> None:
    """Raise ModuleNotFoundError if numba is missing; import torch for piq."""
    compiled = any(not (metric.library or metric.weights or metric.own) for metric in metrics)
    if compiled and find_spec("numba") is None:  # the threads' concurrent imports would not name it
        raise ModuleNotFoundError("No module named 'numba'", name="numba")
    if any(metric.kind == "pair" and metric.library for metric in metrics):
        import torch  # noqa: F401 - before `at_work`, which limits the threads of a torch that is loaded


def _unavailable(reason: str, *_: object) -> NoReturn:
    raise Unmeasurable(reason)


def decoder(*, white: int | None = None) -> str:
    """Return the key of decoding: gan_eval with its reading rules, Pillow and its JPEG library, and the given white."""
    from PIL import features

    return f"gan_eval {__version__}; pillow {version('pillow')}; jpeg {features.version_codec('jpg')}" + (
        f"; white {white}" if white else ""
    )


def installed(libraries: Sequence[str]) -> list[str]:
    """Return the names and versions of those libraries that are installed, each once."""
    versions = []
    for name in dict.fromkeys(libraries):
        with suppress(PackageNotFoundError):
            versions.append(f"{name} {version(name)}")
    return versions


@dataclass
class PictureFiles:
    """The files and pictures of one thread's job; each is read, hashed and decoded at most once."""

    white: int | None = None
    names: Mapping[Path, str] = field(default_factory=dict)
    """Names of files in messages, if not their paths."""
    opened: dict[Path, PictureFile] = field(default_factory=dict)
    _holes: "dict[bytes, HolePixels]" = field(default_factory=dict)

    def read(self, path: Path | Missing) -> PictureFile | Missing:
        """Return the file with its hash, or the reason if there is none or it cannot be read."""
        if isinstance(path, Missing):
            return path
        if path not in self.opened:
            try:
                file = self.opened[path] = images.open_picture(path, self.white)
            except UserError as error:
                return Missing(str(error))
            file.shown = self.names.get(path, "")
        return self.opened[path]

    def picture(self, file: PictureFile) -> Picture:
        """Return a picture as (H, W, 3) uint8; decoded once.

        Raises:
            Unmeasurable: the picture has 16 bits.
            UserError: it cannot be decoded.
        """
        return as_one_format([file.samples()])[0]

    def pair(
        self, file: PictureFile, reference: PictureFile, *, any_format: bool, resize: bool
    ) -> tuple[Samples, Samples]:
        """Return a generated picture and its reference, by `as_one_format`.

        Raises:
            Unmeasurable: the metric does not support their format.
            UserError: one cannot be decoded.
        """
        fake, real = as_one_format([file.samples(), reference.samples()], any_format=any_format)
        if resize and fake.shape != real.shape:
            fake = images.resize(fake, real.shape[:2]).copy()
        return fake, real

    def hole(self, mask: PictureFile) -> "HolePixels":
        """Return (H, W) bool: the hole that a mask picture shows; decoded once."""
        if mask.digest not in self._holes:
            self._holes[mask.digest] = hole_of(images.rgb_of(mask.samples()))
            mask.decoded = None
        return self._holes[mask.digest]


def as_one_format(pictures: Sequence[Samples], *, any_format: bool = False) -> Sequence[Samples]:
    """Return pictures in the format that a metric takes: (H, W, 3) uint8.

    With `any_format`, pictures of one format keep it, such as 16 bits, and others become 8-bit RGB.

    Raises:
        Unmeasurable: one has 16 bits, and the metric needs 8.
    """
    if not any_format and any(picture.dtype != np.uint8 for picture in pictures):
        raise Unmeasurable(
            "the picture has 16 bits, the metric needs 8-bit RGB; `gan-eval stimuli equalise` converts the set"
        )
    is_one = len({(picture.dtype, picture.shape[2]) for picture in pictures}) == 1
    return pictures if is_one else [images.rgb_of(picture) for picture in pictures]


def jobs_of(stimuli: Sequence[Stimulus]) -> list[list[int]]:
    """Group the numbers of the stimuli that share a real picture, in the order of their first members."""
    items = {stimulus.file: stimulus.item for stimulus in stimuli if stimulus.kind == "real"}
    groups: dict[str, list[int]] = {}
    for number, stimulus in enumerate(stimuli):
        item = items.get(stimulus.reference, stimulus.item) if stimulus.reference else stimulus.item
        groups.setdefault(item, []).append(number)
    return list(groups.values())


@dataclass
class PictureResults:
    """Results of the pass, by the number of the stimulus and the column of the measure."""

    numbers: NDArray[np.float64]
    """(stimuli, measures); NaN if a value is missing, or if the measure does not apply to the picture."""
    reasons: dict[tuple[int, int], str] = field(default_factory=dict)
    """Reasons for missing values."""
    unreadable: dict[int, str] = field(default_factory=dict)
    """Reasons why pictures could not be read."""
    hashes: dict[int, str] = field(default_factory=dict)
    """SHA-256 of each file that was read."""
    companions: dict[int, dict[str, str]] = field(default_factory=dict)
    """SHA-256 of the mask and of the input of a generated picture, if a metric needs them."""
    stores: dict[ExtractorName, FeatureStore] = field(default_factory=dict)
    """The features, by the extractor's name."""
    cached: int = 0
    """Number of values and features from the cache."""
    has_deep_pairs: bool = False
    """True if a metric compared two pictures of 16 bits."""

    def put(self, number: int, column: int, value: float | Missing) -> None:
        """Set a value, or the reason for a missing one."""
        if isinstance(value, Missing):
            self.reasons[number, column] = value.reason
        else:
            self.numbers[number, column] = value


def measure_pictures(
    stimuli: Sequence[Stimulus],
    tools: Tools,
    *,
    cache: Cache,
    threads: int = 1,
    on_progress: Progress | None = None,
) -> PictureResults:
    """Compute the pair and single metrics of the pictures, and their features."""
    stores = {name: FeatureStore(len(stimuli), extractor.size) for name, extractor in tools.extractors.items()}
    results = PictureResults(np.full((len(stimuli), len(tools.measures)), np.nan), stores=stores)
    work = _PicturePass(stimuli, tools, results, cache)
    threads = min(threads, len(work.jobs))
    with tools.at_work():
        with ThreadPoolExecutor(threads or 1, thread_name_prefix="metrics") as pool:
            try:
                running = {pool.submit(work.run) for _ in range(threads)}
                while running:
                    ended, running = wait(running, _PROGRESS_EVERY_S, FIRST_EXCEPTION)
                    for thread in ended:
                        thread.result()
                    cache.write()
                    if on_progress and len(stimuli) > 2:
                        on_progress(work.done, len(stimuli), "pictures")
            finally:
                work.jobs.clear()  # each thread ends after its job
        for batches in work.batches.values():
            batches.finish()
    return results


@dataclass
class _PicturePass:
    """The work of all threads; they write into different rows of one result."""

    stimuli: Sequence[Stimulus]
    tools: Tools
    results: PictureResults
    cache: Cache

    def __post_init__(self) -> None:
        self.jobs = deque(jobs_of(self.stimuli))
        self.batches = {name: FeatureBatches(extractor) for name, extractor in self.tools.extractors.items()}
        self.done = 0
        of_pairs = [entry for entry in enumerate(self.tools.measures) if not entry[1][0].of_items]
        self._measures = {True: of_pairs, False: [entry for entry in of_pairs if entry[1][0].kind == "single"]}
        """Columns with metrics and functions; key True: of pictures with pair metrics, False: of those without."""
        self._needed = dict.fromkeys(name for metric, _ in self.tools.measures for name in metric.companions)
        self._names = {stimulus.file: stimulus.shown for stimulus in self.stimuli if stimulus.shown}
        self._definitions = self.tools.cached_definitions() if self.cache.is_used else {}
        self._lock = threading.Lock()

    def run(self) -> None:
        """Measure jobs until none is left; called by each thread."""
        while self.jobs:
            try:
                job = self.jobs.popleft()
            except IndexError:  # another thread took the last one
                return
            files = PictureFiles(self.tools.settings.white, self._names)
            for number in job:
                try:
                    self._measure(number, files)
                except Exception as error:  # a bug
                    error.add_note(f"while measuring {self.stimuli[number].file}")
                    raise
            with self._lock:
                self.done += len(job)

    def _measure(self, number: int, files: PictureFiles) -> None:
        """Store the values, features and reasons of a picture."""
        stimulus, results = self.stimuli[number], self.results
        file = Missing(stimulus.problem) if stimulus.problem else files.read(stimulus.file)
        in_pairs = stimulus.has_pair_metrics
        if isinstance(file, Missing):
            results.unreadable[number] = file.reason
            for column, _ in self._measures[in_pairs]:
                results.put(number, column, file)
            return
        results.hashes[number] = file.digest.hex()
        sources = {name: files.read(stimulus.companion(name)) for name in self._needed if in_pairs}
        results.companions[number] = {
            name: source.digest.hex()
            for name, source in sources.items()
            if name != "reference" and isinstance(source, PictureFile)
        }
        for column, (metric, function) in self._measures[in_pairs]:
            needed = [file] * (metric.kind != "input") + [sources[name] for name in metric.companions]
            results.put(number, column, self._value(metric, function, needed, files))
        for extractor in self.tools.extractors.values():
            self._extract(number, extractor, file, files)
        if file.problem:
            results.unreadable[number] = file.problem
        if stimulus.kind == "fake" and stimulus.file != stimulus.reference:
            files.opened.pop(stimulus.file, None)  # to free its memory

    def _extract(self, number: int, extractor: "Extractor", file: PictureFile, files: PictureFiles) -> None:
        """Store the features of a picture, or pass it to its network."""
        companion = extractor.companion
        others = [files.read(self.stimuli[number].companion(companion, itself=file.path))] if companion else []
        pictures, features = self._known(extractor.name, [file, *others])
        if features is not None:
            self.results.stores[extractor.name].put(number, features)
            return
        deliver = partial(self._deliver, extractor.name, number, pictures)
        prepared = _or_missing(lambda: extractor.prepare(*map(files.picture, pictures)))
        if not isinstance(prepared, Missing):
            self.batches[extractor.name].add(prepared, deliver)
        else:  # the user may replace a segmenter that failed
            deliver(replace(prepared, is_lasting=prepared.is_lasting and extractor.name != "segmenter"))

    def _known(self, name: str, needed: Sequence[PictureFile | Missing]) -> tuple[list[PictureFile], Any]:
        """Return the pictures, and the reason if one is missing, or the cached content; None if there is neither."""
        pictures = [source for source in needed if isinstance(source, PictureFile)]
        if len(pictures) < len(needed):
            return pictures, next(source for source in needed if isinstance(source, Missing))
        definition = self._definitions.get(name)
        content = self.cache.found(_key(pictures), definition) if definition else None
        if content is not None:
            with self._lock:
                self.results.cached += 1
        return pictures, content

    def _value(
        self, metric: Metric, function: PictureFunction, needed: Sequence[PictureFile | Missing], files: PictureFiles
    ) -> float | Missing:
        """Return a metric's value, cached or computed, or the reason for a missing one."""
        pictures, known = self._known(metric.name, needed)
        if known is not None:
            return known

        def compute() -> float:
            if metric.kind != "pair":
                return function(files.picture(pictures[0]))
            resize = self.tools.settings.resize
            fake, real = files.pair(*pictures[:2], any_format=metric.any_format, resize=resize)
            self.results.has_deep_pairs |= fake.dtype == np.uint16
            return function(fake, real, *map(files.hole, pictures[2:]))

        value = _or_missing(compute)
        if not isinstance(value, Missing):
            value = Missing("the metric gave no number") if value != value else float(value)
        self._keep(metric.name, pictures, value)
        return value

    def _deliver(self, name: str, number: int, pictures: Sequence[PictureFile], result: FeatureResult) -> None:
        self.results.stores[name].put(number, result)
        self._keep(name, pictures, result)

    def _keep(self, name: str, pictures: Sequence[PictureFile], content: Content) -> None:
        definition = self._definitions.get(name)
        if definition:
            self.cache.keep(_key(pictures), definition, content)


def _or_missing(compute: Callable[[], T]) -> T | Missing:
    """Return what is computed, or the reason why it cannot be."""
    try:
        return compute()
    except Unmeasurable as reason:
        return Missing(str(reason))
    except UserError as error:
        return Missing(str(error), is_lasting=False)
    except Exception as error:
        if not memory_ran_out(error):
            raise
        return NO_MEMORY


def _key(pictures: Sequence[PictureFile]) -> Key:
    first, *others = (file.digest for file in pictures)
    return first, b"".join(others)
