"""The pass over the pictures: each is decoded once, measured, and given to the networks for the set metrics.

Worker threads do the work; Pillow, the compiled kernels and torch release the interpreter's lock. Each thread takes a
job (a real picture and all pictures generated for it), looks up the cached values, and decodes only the pictures with a
missing value. The thread that completes a network's batch runs the network on it.
"""

import functools
import hashlib
import json
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError, memory_ran_out
from gan_eval.files.digests import read_hashed
from gan_eval.metrics.definitions.record import ExtractorName, OnProgress
from gan_eval.metrics.kernels.pictures import NO_MEMORY, Unmeasurable
from gan_eval.metrics.run.cache import Cache, Key
from gan_eval.metrics.run.features import FeatureResult, FeatureStore
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.measures import FeatureBatches, Measure, Tools
from gan_eval.pictures import decode as images
from gan_eval.pictures.decode import Picture, Samples
from gan_eval.pictures.holes import hole_of

if TYPE_CHECKING:
    from gan_eval.metrics.kernels.pictures import HolePixels
    from gan_eval.metrics.networks.extractors import Extractor

Job = tuple[int, ...]
"""Numbers of the stimuli that share a real picture, so that its file is read once."""
Value = float | str
"""A value, or the reason for a missing one."""

_PROGRESS_EVERY_S = 0.1


@dataclass(frozen=True)
class PictureFile:
    """A file that exists."""

    path: Path
    digest: bytes
    """SHA-256 of its bytes."""


class PictureFiles:
    """The files and pictures of one thread's job; each picture is decoded at most once."""

    def __init__(self, white: int | None = None) -> None:
        self._white = white
        self._files: dict[str, PictureFile] = {}
        self._contents: dict[bytes, bytes] = {}
        """Bytes of files that were read for their hash and are not decoded yet."""
        self._samples: dict[bytes, Samples] = {}
        self._holes: dict[bytes, HolePixels] = {}
        self.undecoded: dict[Path, str] = {}
        """Reasons why files of the current stimulus could not be decoded."""

    def read(self, path: Path | None, no_path: str = "") -> PictureFile | str:
        """Return the file with its hash; `no_path` if there is no path, or the reason if it cannot be read."""
        if path is None:
            return no_path
        if str(path) not in self._files:
            try:
                digest, content = read_hashed(path)
            except UserError as error:
                return str(error)
            file = self._files[str(path)] = PictureFile(path, bytes.fromhex(digest))
            if content is not None:
                self._contents[file.digest] = content
        return self._files[str(path)]

    def picture(self, file: PictureFile) -> Picture:
        """Return a picture as (H, W, 3) uint8; decoded once.

        Raises:
            Unmeasurable: the picture has 16 bits.
            UserError: it cannot be decoded.
        """
        samples = self.samples(file)
        if samples.dtype != np.uint8:
            raise Unmeasurable(
                "the picture has 16 bits, the metric needs 8-bit RGB; `gan-eval stimuli equalise` converts the set"
            )
        return samples

    def samples(self, file: PictureFile) -> Samples:
        """Return a picture as (H, W, 3) uint8, or with 16 bits as (H, W, 1 or 3) uint16; decoded once.

        Raises:
            UserError: it cannot be decoded, or it has changed since its hash was computed.
        """
        if file.digest not in self._samples:
            try:
                content = self._contents.pop(file.digest, None)
                if content is None:
                    content = images.read_file(file.path)
                    if hashlib.sha256(content).digest() != file.digest:  # the value would be cached under a wrong hash
                        raise UserError(f"{file.path}: has changed while it was measured; rerun the command")
                self._samples[file.digest] = images.decode_measured(content, file.path, white=self._white)
            except UserError as error:
                self.undecoded[file.path] = str(error)
                raise
        return self._samples[file.digest]

    def pair(
        self, file: PictureFile, reference: PictureFile, *, any_format: bool, resize: bool
    ) -> tuple[Samples, Samples]:
        """Return a generated picture and its reference.

        With `any_format`, two 16-bit pictures stay 16-bit; two pictures of different formats become 8-bit RGB.

        Raises:
            Unmeasurable: the metric does not support their format.
            UserError: one cannot be decoded.
        """
        if not any_format:
            fake, real = self.picture(file), self.picture(reference)
        else:
            fake, real = self.samples(file), self.samples(reference)
            if (fake.dtype, fake.shape[2]) != (real.dtype, real.shape[2]):
                fake, real = images.rgb_of(fake), images.rgb_of(real)
        if resize and fake.shape != real.shape:
            fake = images.resize(fake, real.shape[:2]).copy()
        return fake, real

    def hole(self, mask: PictureFile) -> "HolePixels":
        """Return (H, W) bool: the hole that a mask picture shows; decoded once.

        Raises:
            UserError: as for `picture`.
        """
        if mask.digest not in self._holes:
            self._holes[mask.digest] = hole_of(images.rgb_of(self.samples(mask)))
            self._samples.pop(mask.digest)
        return self._holes[mask.digest]

    def forget(self, path: Path) -> None:
        """Free a file and its picture."""
        if file := self._files.pop(str(path), None):
            self._samples.pop(file.digest, None)
            self._contents.pop(file.digest, None)


def jobs_of(stimuli: Sequence[Stimulus]) -> list[Job]:
    """Group the stimuli that share a real picture, in the order of their first members."""
    items = {str(stimulus.file): stimulus.item for stimulus in stimuli if not stimulus.is_fake}
    groups: dict[str, list[int]] = {}
    for number, stimulus in enumerate(stimuli):
        item = items.get(str(stimulus.reference), stimulus.item) if stimulus.reference else stimulus.item
        groups.setdefault(item, []).append(number)
    return [tuple(group) for group in groups.values()]


@dataclass
class PictureResults:
    """Results of the pass, by the number of the stimulus and the column of the measure."""

    numbers: NDArray[np.float64]
    """(stimuli, measures); NaN if a value is missing, or if the measure does not apply to the picture."""
    reasons: dict[tuple[int, int], str] = field(default_factory=dict)
    """Reasons for missing values."""
    unreadable: dict[int, str] = field(default_factory=dict)
    """Reasons why pictures could not be read."""
    hashes: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of each file that was read."""
    companions: dict[int, dict[str, bytes]] = field(default_factory=dict)
    """SHA-256 of the mask and of the input of a generated picture, if a metric needs them."""
    stores: dict[ExtractorName, FeatureStore] = field(default_factory=dict)
    """The features, by the extractor's name."""
    cached: int = 0
    """Number of values and features from the cache."""


def measure_pictures(
    stimuli: Sequence[Stimulus],
    tools: Tools,
    *,
    cache: Cache,
    resize: bool = False,
    white: int | None = None,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> PictureResults:
    """Compute the pair and single metrics of the pictures, and their features."""
    stores = {name: FeatureStore(len(stimuli), extractor.size) for name, extractor in tools.extractors.items()}
    stores |= {name: features.store(stimuli) for name, features in tools.given.items()}
    results = PictureResults(np.full((len(stimuli), len(tools.measures)), np.nan), stores=stores)
    work = _PicturePass(stimuli, tools, results, cache, resize, white)
    with tools.at_work():
        with ThreadPoolExecutor(threads, thread_name_prefix="metrics") as pool:
            try:
                running = {pool.submit(work.run) for _ in range(threads)}
                while running:
                    ended, running = wait(running, _PROGRESS_EVERY_S, FIRST_EXCEPTION)
                    for thread in ended:
                        thread.result()
                    cache.write()
                    if on_progress:
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
    resize: bool
    white: int | None

    def __post_init__(self) -> None:
        self.jobs = deque(jobs_of(self.stimuli))
        self.batches: dict[str, FeatureBatches] = {}
        self.done = 0
        measures = [entry for entry in enumerate(self.tools.measures) if not entry[1].metric.of_items]
        self._measures = {True: measures, False: [entry for entry in measures if entry[1].metric.kind == "single"]}
        """Columns and measures; key True: of pictures with pair metrics, False: of those without."""
        self._needed = dict.fromkeys(name for measure in self.tools.measures for name in measure.metric.companions)
        self._feature_keys = {
            name: hashlib.sha256(self.tools.feature_definition(extractor).encode()).digest()
            for name, extractor in self.tools.extractors.items()
        }
        self._lock = threading.Lock()

    def run(self) -> None:
        """Measure jobs until none is left; called by each thread."""
        while self.jobs:
            try:
                job = self.jobs.popleft()
            except IndexError:  # another thread took the last one
                return
            files, cached = PictureFiles(self.white), 0
            for number in job:
                try:
                    cached += self._measure(number, files)
                except Exception as error:  # a bug
                    error.add_note(f"while measuring {self.stimuli[number].file}")
                    raise
            with self._lock:
                self.done += len(job)
                self.results.cached += cached

    def _measure(self, number: int, files: PictureFiles) -> int:
        """Store the values, features and reasons of a picture; return how many came from the cache."""
        stimulus, results, cached = self.stimuli[number], self.results, 0
        files.undecoded.clear()
        measures = self._measures[stimulus.has_pair_metrics]
        file = stimulus.problem or files.read(stimulus.file)
        if isinstance(file, str):
            results.unreadable[number] = file
            results.reasons |= {(number, column): file for column, _ in measures}
            return 0
        results.hashes[number] = file.digest
        needed = self._needed if stimulus.has_pair_metrics else ()
        companions = {name: files.read(*stimulus.companion(name)) for name in needed}
        results.companions[number] = {
            name: found.digest
            for name, found in companions.items()
            if name != "reference" and isinstance(found, PictureFile)
        }
        cached_by_key = functools.cache(self.cache.found)
        for column, measure in measures:
            sources = [companions[name] for name in measure.metric.companions]
            missing = next((source for source in sources if isinstance(source, str)), None)
            if missing is not None:
                results.reasons[number, column] = missing
                continue
            pictures = [source for source in sources if isinstance(source, PictureFile)]
            if measure.metric.kind != "input":
                pictures = [file, *pictures]
            key = _cache_key(pictures)
            content = cached_by_key(key).get(measure.key)
            if content is not None:
                value: Value = json.loads(content)
                cached += 1
            else:
                value, is_lasting = self._value(measure, pictures, files)
                if is_lasting and measure.key:
                    self.cache.keep(key, measure.key, json.dumps(value))
            if isinstance(value, str):
                results.reasons[number, column] = value
            else:
                results.numbers[number, column] = value
        for name, extractor in self.tools.extractors.items():
            store, pictures = results.stores[name], [file]
            if extractor.companion is not None:
                source = files.read(*stimulus.companion(extractor.companion, own=file.path))
                if isinstance(source, str):
                    store.put(number, source)
                    continue
                pictures.append(source)
            key = _cache_key(pictures)
            content = cached_by_key(key).get(self._feature_keys[name])
            if content is None:
                self._prepare(number, extractor, key, pictures, files)
            else:
                store.put(number, content if isinstance(content, str) else np.frombuffer(content, np.float32))
                cached += 1
        if stimulus.file in files.undecoded:
            results.unreadable[number] = files.undecoded[stimulus.file]
        if stimulus.is_fake and str(stimulus.file) != str(stimulus.reference):
            files.forget(stimulus.file)
        return cached

    def _value(self, measure: Measure, pictures: Sequence[PictureFile], files: PictureFiles) -> tuple[Value, bool]:
        """Return a metric's value or the reason for a missing one, and True if it depends only on the pictures."""
        metric = measure.metric
        try:
            if metric.kind == "pair":
                fake, real = files.pair(*pictures[:2], any_format=metric.any_format, resize=self.resize)
                value = measure.function(fake, real, *map(files.hole, pictures[2:]))
            else:
                value = measure.function(files.picture(pictures[0]))
        except Unmeasurable as reason:
            return str(reason), True
        except UserError as error:
            return str(error), False
        except Exception as error:
            if not memory_ran_out(error):
                raise
            return NO_MEMORY, False
        return "the metric gave no number" if value != value else float(value), True

    def _prepare(
        self, number: int, extractor: "Extractor", key: Key, pictures: Sequence[PictureFile], files: PictureFiles
    ) -> None:
        """Pass a picture to its network, or store the reason for missing features."""
        store, definition = self.results.stores[extractor.name], self._feature_keys[extractor.name]
        try:
            prepared = extractor.prepare(*map(files.picture, pictures))
        except Unmeasurable as reason:
            # the reason of a segmenter is a failure of the user's network, which the user may replace
            self._deliver(store, key, b"" if extractor.name == "segmenter" else definition, number, str(reason))
        except UserError as error:
            store.put(number, str(error))
        except Exception as error:
            if not memory_ran_out(error):
                raise
            store.put(number, NO_MEMORY)
        else:
            with self._lock:
                batches = self.batches.setdefault(extractor.name, FeatureBatches(extractor))
            batches.add(prepared, functools.partial(self._deliver, store, key, definition, number))

    def _deliver(self, store: FeatureStore, key: Key, definition: bytes, number: int, result: FeatureResult) -> None:
        store.put(number, result)
        if definition and result is not NO_MEMORY:
            self.cache.keep(key, definition, result if isinstance(result, str) else result.tobytes())


def _cache_key(pictures: Sequence[PictureFile]) -> Key:
    first, *others = (file.digest for file in pictures)
    return first, b"".join(others)
