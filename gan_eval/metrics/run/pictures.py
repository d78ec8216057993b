"""The pass over the pictures: each file is read once, measured, and given to the networks for the set metrics.

Worker threads do all of it; Pillow, the compiled kernels and torch release the interpreter's lock. Each takes a job (a
real picture and all that were generated for it), looks up its cached values, and decodes only the pictures that lack
one. The thread that fills a network's batch runs it.
"""

import hashlib
import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.metrics.definitions.record import ExtractorName, OnProgress
from gan_eval.metrics.kernels.pictures import NO_INPUT, NO_MEMORY, Unmeasurable, memory_ran_out
from gan_eval.metrics.run.cache import Cache, Content, Key
from gan_eval.metrics.run.files import PictureFile, PictureFiles
from gan_eval.metrics.run.inputs import NO_MASK, Stimulus
from gan_eval.metrics.run.measures import FeatureBatches, FeatureResult, FeatureStore, Measure, Tools

if TYPE_CHECKING:
    from gan_eval.metrics.networks.extractors import Extractor

Job = tuple[int, ...]
"""Numbers of the stimuli that share a real picture, so that its file is read once."""
Value = tuple[float | None, str | None]
"""A value, with the pixel format in which it was measured if not 8-bit RGB; or None with the reason for no value."""
Companions = Mapping[str, PictureFile | str]
"""Companions of a picture by name (reference, mask, input): the file, or why there is none."""

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
    masks: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of each mask file that was read."""
    inputs: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of the file that each generated picture was made from, if a metric looks at it."""
    formats: dict[int, str] = field(default_factory=dict)
    """The pixel format in which a generated picture was compared with its reference, if one of the two is not 8-bit
    RGB."""
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
    results = PictureResults(np.full((len(stimuli), len(tools.measures)), np.nan), stores=stores)
    work = _PicturePass(stimuli, tools, results, cache, resize=resize)

    def report() -> None:
        cache.write()
        if on_progress:
            on_progress(work.done, len(stimuli), "pictures")
            if stores:
                expected = len(stores) * (len(stimuli) - len(results.unreadable))
                on_progress(sum(store.done for store in stores.values()), expected, "features")

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
        needs = {
            "reference": any(measure.metric.kind == "pair" for measure in tools.measures),
            "mask": any(measure.metric.takes_hole for measure in tools.measures),
            "input": any(measure.metric.kind == "input" for measure in tools.measures),
        }
        self._needed = [name for name, is_needed in needs.items() if is_needed]
        self._large = threading.Lock()
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
            files, cached = PictureFiles(self._large), 0
            try:
                for number in job:
                    try:
                        cached += self._measure(number, files)
                    except UserError:
                        raise
                    except Exception as error:  # a mistake of the program
                        error.add_note(f"while measuring {self._stimuli[number].file}")
                        raise
            finally:
                files.close()
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
        companions = self._companions(number, files)
        keys = _cache_keys(file, companions)
        found: dict[Key, dict[bytes, Content]] = {}

        def cached_content(key: Key | None, definition: bytes) -> Content | None:
            if key is None or not definition:
                return None
            if key not in found:
                found[key] = self._cache.found(key)
            return found[key].get(definition)

        for column, measure in measures:
            key = keys.get("hole" if measure.metric.takes_hole else measure.metric.kind)
            content = cached_content(key, measure.key)
            if content is not None:
                value, text = json.loads(content)
                cached += 1
            else:
                (value, text), is_lasting = self._value(number, measure, file, companions, files)
                if is_lasting and key is not None and measure.key:
                    self._cache.keep(key, measure.key, json.dumps([value, text]))
            if value is None:
                results.reasons[number, column] = text or ""
                continue
            results.numbers[number, column] = value
            if text is not None:
                results.formats[number] = text
        for name, extractor in self._tools.extractors.items():
            store, companion = results.stores[name], _companion_of(extractor, stimulus, files)
            if isinstance(companion, str):
                store.put(number, companion)
                continue
            key = file.digest, companion.digest if companion else b""
            content = cached_content(key, self._feature_keys[name])
            if content is None:
                self._put_features(number, extractor, key, file, companion, files)
            else:
                store.put(number, content if isinstance(content, str) else np.frombuffer(content, np.float32))
                cached += 1
        if stimulus.is_fake and str(stimulus.file) != str(stimulus.reference):
            files.forget(stimulus.file)
        return cached

    def _companions(self, number: int, files: PictureFiles) -> Companions:
        """Read the companions that a picture's pair metrics need."""
        stimulus, companions = self._stimuli[number], dict[str, PictureFile | str]()
        if not stimulus.has_pair_metrics:
            return companions
        paths = {
            "reference": (stimulus.reference, stimulus.no_reference),
            "mask": (stimulus.mask, NO_MASK),
            "input": (stimulus.input, NO_INPUT),
        }
        digests = {"mask": self._results.masks, "input": self._results.inputs}
        for name in self._needed:
            companions[name] = companion = _file_or_reason(*paths[name], files)
            if name in digests and isinstance(companion, PictureFile):
                digests[name][number] = companion.digest
        return companions

    def _value(
        self, number: int, measure: Measure, file: PictureFile, companions: Companions, files: PictureFiles
    ) -> tuple[Value, bool]:
        """A metric's value of a picture or the reason for none, and whether that depends on the pictures alone."""
        measured_as, metric = None, measure.metric
        try:
            if measure.metric.kind == "input":
                return (float(measure.function(files.picture(_required(companions["input"])))), None), True
            self._decode(number, file, files)
            if measure.metric.kind == "pair":
                reference = _required(companions["reference"])
                fake, real, measured_as = files.pair(file, reference, any_format=metric.any_format, resize=self._resize)
                holes = (files.hole(_required(companions["mask"])),) if metric.takes_hole else ()
                value = measure.function(fake, real, *holes)
            else:
                value = measure.function(files.picture(file))
        except Unmeasurable as reason:
            return (None, str(reason)), True
        except UserError as error:
            return (None, str(error)), False
        except Exception as error:
            if not memory_ran_out(error):
                raise
            return (None, NO_MEMORY), False
        return ((None, "the metric gave no number") if value != value else (float(value), measured_as)), True

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
        file: PictureFile,
        companion: PictureFile | None,
        files: PictureFiles,
    ) -> None:
        """Give a picture to its network, or put the reason why it has no features into the store."""
        store = self._results.stores[extractor.name]
        definition = self._feature_keys[extractor.name]
        try:
            self._decode(number, file, files)
            prepared = extractor.prepare(*(files.picture(source) for source in (file, companion) if source is not None))
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


def _cache_keys(file: PictureFile, companions: Companions) -> dict[str, Key]:
    """Return the cache key of each kind of value; a kind is not there if a companion is missing."""
    reference, mask, source = (companions.get(name) for name in ("reference", "mask", "input"))
    keys = {"single": (file.digest, b"")}
    if isinstance(source, PictureFile):
        keys["input"] = source.digest, b""
    if isinstance(reference, PictureFile):
        keys["pair"] = file.digest, reference.digest
        if isinstance(mask, PictureFile):
            keys["hole"] = file.digest, hashlib.sha256(reference.digest + mask.digest).digest()
    return keys


def _companion_of(extractor: "Extractor", stimulus: Stimulus, files: PictureFiles) -> PictureFile | str | None:
    """Return the companion that an extractor wants: a file, why there is none, or nothing."""
    if extractor.companion is None:
        return None
    if extractor.companion == "input":
        return _file_or_reason(stimulus.input, NO_INPUT, files)
    real = stimulus.reference if stimulus.is_fake else stimulus.file
    return _file_or_reason(real, stimulus.no_reference, files)


def _file_or_reason(path: Path | None, no_path: str, files: PictureFiles) -> PictureFile | str:
    """A companion's file; if there is none, or it cannot be read, the reason."""
    if path is None:
        return no_path
    try:
        return files.read(path)
    except UserError as error:
        return str(error)


def _required(companion: PictureFile | str) -> PictureFile:
    """The companion's file."""
    if isinstance(companion, PictureFile):
        return companion
    raise UserError(companion)
