"""The pass over the pictures: each file is read once, measured, and given to the networks for the set metrics.

Worker threads do all of it; Pillow, the compiled kernels and torch release the interpreter's lock. Each takes a job (a
real picture and all that were generated for it), looks up its cached values, and decodes only the pictures that lack
one. The thread that fills a network's batch runs it.
"""

import hashlib
import json
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.metrics.definitions.record import ExtractorName, OnProgress
from gan_eval.metrics.kernels.pictures import NO_MEMORY, Unmeasurable, memory_ran_out
from gan_eval.metrics.run.cache import Cache, Content, Key
from gan_eval.metrics.run.files import PictureFile, PictureFiles
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.measures import FeatureBatches, FeatureResult, FeatureStore, Measure, Tools

if TYPE_CHECKING:
    from gan_eval.metrics.networks.extractors import Extractor

Job = tuple[int, ...]
"""Numbers of the stimuli that share a real picture, so that its file is read once."""
Value = float | str
"""A value, or the reason for none."""

_PROGRESS_EVERY_S = 0.1


def jobs_of(stimuli: Sequence[Stimulus]) -> list[Job]:
    """Group stimuli by the item of the real picture that they share, in the order in which the groups begin."""
    items = {str(stimulus.file): stimulus.item for stimulus in stimuli if not stimulus.is_fake}
    groups: dict[str, list[int]] = {}
    for number, stimulus in enumerate(stimuli):
        item = items.get(str(stimulus.reference), stimulus.item) if stimulus.reference else stimulus.item
        groups.setdefault(item, []).append(number)
    return [tuple(group) for group in groups.values()]


@dataclass
class PictureResults:
    """The results of the pass. Stimuli are known by their number, measures by their column."""

    numbers: NDArray[np.float64]
    """(stimuli, measures); NaN if there is none, or if the measure does not concern the picture."""
    reasons: dict[tuple[int, int], str] = field(default_factory=dict)
    """Why a value is missing."""
    unreadable: dict[int, str] = field(default_factory=dict)
    """Why a picture could not be read."""
    hashes: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of each file that was read."""
    companions: dict[int, dict[str, bytes]] = field(default_factory=dict)
    """SHA-256 of the mask, and of the input, of a generated picture, if a metric looks at them."""
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
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> PictureResults:
    """Compute the pair and single metrics of the pictures, and their features."""
    stores = {name: FeatureStore(len(stimuli), extractor.size) for name, extractor in tools.extractors.items()}
    stores |= {name: features.store(stimuli) for name, features in tools.given.items()}
    results = PictureResults(np.full((len(stimuli), len(tools.measures)), np.nan), stores=stores)
    work = _PicturePass(stimuli, tools, results, cache, resize=resize)

    def report() -> None:
        cache.write()
        if on_progress:
            on_progress(work.done, len(stimuli), "pictures")

    with tools.at_work():
        with ThreadPoolExecutor(threads, thread_name_prefix="metrics") as pool:
            try:
                running = [pool.submit(work.run) for _ in range(threads)]
                while (state := wait(running, _PROGRESS_EVERY_S, FIRST_EXCEPTION)).not_done:
                    for ended in state.done:
                        ended.result()
                    report()
                for ended in running:
                    ended.result()
            finally:
                work.jobs.clear()  # each thread ends after its job
        for batches in work.batches.values():
            batches.finish()
    report()
    return results


class _PicturePass:
    """The work that the threads share; they write into different rows of one result."""

    def __init__(
        self, stimuli: Sequence[Stimulus], tools: Tools, results: PictureResults, cache: Cache, *, resize: bool
    ) -> None:
        self.jobs = deque(jobs_of(stimuli))
        self.batches: dict[str, FeatureBatches] = {}
        self.done = 0
        self._stimuli = stimuli
        self._tools = tools
        self._results = results
        self._cache = cache
        self._resize = resize
        measures = [entry for entry in enumerate(tools.measures) if not entry[1].metric.of_items]
        self._measures = {True: measures, False: [entry for entry in measures if entry[1].metric.kind == "single"]}
        """Columns and measures, by whether a picture has pair metrics."""
        self._needed = dict.fromkeys(name for measure in tools.measures for name in measure.metric.companions)
        self._feature_keys = {
            name: hashlib.sha256(tools.feature_definition(extractor).encode()).digest()
            for name, extractor in tools.extractors.items()
        }
        self._lock = threading.Lock()

    def run(self) -> None:
        """Measure job after job until there are none; called by each thread."""
        while self.jobs:
            try:
                job = self.jobs.popleft()
            except IndexError:  # another thread took the last one
                return
            files, cached = PictureFiles(), 0
            for number in job:
                try:
                    cached += self._measure(number, files)
                except Exception as error:  # a mistake of the program
                    error.add_note(f"while measuring {self._stimuli[number].file}")
                    raise
            with self._lock:
                self.done += len(job)
                self._results.cached += cached

    def _measure(self, number: int, files: PictureFiles) -> int:
        """Put the values, features and reasons of a picture into the results; the number of those from the cache."""
        stimulus, results, cached = self._stimuli[number], self._results, 0
        measures = self._measures[stimulus.has_pair_metrics]
        try:
            if stimulus.problem is not None:
                raise UserError(stimulus.problem)
            file = files.read(stimulus.file)
        except UserError as error:
            results.unreadable[number] = str(error)
            results.reasons |= {(number, column): str(error) for column, _ in measures}
            return 0
        results.hashes[number] = file.digest
        needed = self._needed if stimulus.has_pair_metrics else ()
        companions = {name: files.companion(*stimulus.companion(name)) for name in needed}
        results.companions[number] = {
            name: found.digest
            for name, found in companions.items()
            if name != "reference" and isinstance(found, PictureFile)
        }
        found: dict[Key, dict[bytes, Content]] = {}

        def cached_content(key: Key, definition: bytes) -> Content | None:
            if not definition:
                return None
            if key not in found:
                found[key] = self._cache.found(key)
            return found[key].get(definition)

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
            content = cached_content(key, measure.key)
            if content is not None:
                value: Value = json.loads(content)
                cached += 1
            else:
                value, is_lasting = self._value(number, measure, pictures, files)
                if is_lasting and measure.key:
                    self._cache.keep(key, measure.key, json.dumps(value))
            if isinstance(value, str):
                results.reasons[number, column] = value
            else:
                results.numbers[number, column] = value
        for name, extractor in self._tools.extractors.items():
            store, pictures = results.stores[name], [file]
            if extractor.companion is not None:
                source = files.companion(*stimulus.companion(extractor.companion, own=file.path))
                if isinstance(source, str):
                    store.put(number, source)
                    continue
                pictures.append(source)
            key = _cache_key(pictures)
            content = cached_content(key, self._feature_keys[name])
            if content is None:
                self._put_features(number, extractor, key, pictures, files)
            else:
                store.put(number, content if isinstance(content, str) else np.frombuffer(content, np.float32))
                cached += 1
        if stimulus.is_fake and str(stimulus.file) != str(stimulus.reference):
            files.forget(stimulus.file)
        return cached

    def _value(
        self, number: int, measure: Measure, pictures: Sequence[PictureFile], files: PictureFiles
    ) -> tuple[Value, bool]:
        """A metric's value of pictures or the reason for none, and whether that depends on the pictures alone."""
        metric, file = measure.metric, pictures[0]
        try:
            if metric.kind != "input":
                self._decode(number, file, files)
            if metric.kind == "pair":
                fake, real = files.pair(file, pictures[1], any_format=metric.any_format, resize=self._resize)
                value = measure.function(fake, real, *map(files.hole, pictures[2:]))
            else:
                value = measure.function(files.picture(file))
        except Unmeasurable as reason:
            return str(reason), True
        except UserError as error:
            return str(error), False
        except Exception as error:
            if not memory_ran_out(error):
                raise
            return NO_MEMORY, False
        return "the metric gave no number" if value != value else float(value), True

    def _decode(self, number: int, file: PictureFile, files: PictureFiles) -> None:
        try:
            files.samples(file)
        except UserError as error:
            self._results.unreadable[number] = str(error)
            raise

    def _put_features(
        self,
        number: int,
        extractor: "Extractor",
        key: Key,
        pictures: Sequence[PictureFile],
        files: PictureFiles,
    ) -> None:
        """Give a picture to its network, or put the reason why it has no features into the store."""
        store = self._results.stores[extractor.name]
        definition = self._feature_keys[extractor.name]
        try:
            self._decode(number, pictures[0], files)
            prepared = extractor.prepare(*map(files.picture, pictures))
        except Unmeasurable as reason:
            # a segmenter's reason is a failure of the user's network, which may be another one next time
            self._deliver(store, key, b"" if extractor.name == "segmenter" else definition, number, str(reason))
        except UserError as error:
            if number not in self._results.unreadable:
                store.put(number, str(error))
        except Exception as error:
            if not memory_ran_out(error):
                raise
            store.put(number, NO_MEMORY)
        else:
            with self._lock:
                batches = self.batches.setdefault(extractor.name, FeatureBatches(extractor))
            batches.add(prepared, partial(self._deliver, store, key, definition, number))

    def _deliver(self, store: FeatureStore, key: Key, definition: bytes, number: int, result: FeatureResult) -> None:
        store.put(number, result)
        if definition and result is not NO_MEMORY:
            self._cache.keep(key, definition, result if isinstance(result, str) else result.tobytes())


def _cache_key(pictures: Sequence[PictureFile]) -> Key:
    """Return the cache key of a value of these pictures."""
    first, *others = (file.digest for file in pictures)
    rest = b"".join(others)
    return first, rest if len(others) < 2 else hashlib.sha256(rest).digest()
