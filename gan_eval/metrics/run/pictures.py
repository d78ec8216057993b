"""The pass over the pictures: each file is read once, measured, and given to the networks for the set metrics.

Worker threads do all of it: Pillow, the compiled kernels and torch release the interpreter's lock, and as many single
threads as cores are faster than single pictures spread over cores. Each takes a job (a real picture and all that were
generated for it), looks up its cached values, decodes only the pictures that lack one, and frees them. The thread that
fills a network's batch runs it. So decoding, measuring and the networks overlap, and no more than a job and a batch
are held for each thread, however many pictures there are.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.metrics.catalogue import OnProgress
from gan_eval.metrics.kernels.pictures import NO_INPUT, NO_MEMORY, Unmeasurable, memory_ran_out
from gan_eval.metrics.run.cache import UNKNOWN, Cache, CachedValue
from gan_eval.metrics.run.features import FeatureBatches, FeatureKey, FeatureResult, FeatureStore
from gan_eval.metrics.run.files import PictureFile, PictureFiles, PixelBudget
from gan_eval.metrics.run.inputs import NO_MASK, Stimulus
from gan_eval.metrics.run.tools import FeatureKind, Measure, Tools
from gan_eval.stimuli import pictures
from gan_eval.stimuli.pixel_formats import RGB8, Samples, format_of
from gan_eval.tables.frames import conform

if TYPE_CHECKING:
    pass

Job = tuple[int, ...]
"""Numbers of the stimuli that share a real picture, so that its file is read once."""

_PROGRESS_EVERY_S = 0.1
MOST_COPIES = 8
"""Files of an item's real picture in so many sets are taken for copies of one, to be decoded once."""


def jobs_of(stimuli: Sequence[Stimulus]) -> list[Job]:
    """Stimuli grouped by the real picture that they share, in the order in which the groups begin.

    That is the item's; an item with several real pictures is split by their files, so that a job holds few pictures.
    """
    items = {str(stimulus.file): stimulus.item for stimulus in stimuli if not stimulus.is_fake}
    groups: dict[str, list[int]] = {}
    for number, stimulus in enumerate(stimuli):
        item = items.get(str(stimulus.reference), stimulus.item) if stimulus.reference else stimulus.item
        groups.setdefault(item, []).append(number)
    jobs: list[Job] = []
    for group in groups.values():
        parts: dict[str, list[int]] = {}
        for number in group:
            parts.setdefault(str(stimuli[number].reference or stimuli[number].file), []).append(number)
        real_files = {str(stimuli[number].file) for number in group if not stimuli[number].is_fake}
        is_one = len(real_files) <= 1 and len(parts) <= MOST_COPIES
        jobs += [tuple(group)] if is_one else map(tuple, parts.values())
    return jobs


@dataclass
class PictureResults:
    """The results of the pass. Stimuli are known by their number, measures by their column."""

    numbers: NDArray[np.float64]
    """(stimuli, measures); NaN where there is none, or where the measure does not concern the picture."""
    reasons: dict[tuple[int, int], str] = field(default_factory=dict)
    """Why a value is missing."""
    unreadable: dict[int, str] = field(default_factory=dict)
    """Why a picture could not be read."""
    hashes: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of each file that was read."""
    masks: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of each mask file that was read."""
    inputs: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of the file that each generated picture was made from, where a metric looks at it."""
    formats: dict[int, str] = field(default_factory=dict)
    """In which pixel format each generated picture was measured beside its reference, where one of the two is not
    8-bit RGB."""
    stores: dict[str, FeatureStore] = field(default_factory=dict)
    """The features, by the extractor's name."""
    cached: int = 0
    """Values and features that came from the cache."""


def measure_pictures(
    stimuli: Sequence[Stimulus],
    jobs: Sequence[Job],
    tools: Tools,
    *,
    stores: Mapping[str, FeatureStore],
    cache: Cache,
    resize: bool = False,
    threads: int = 1,
    on_progress: OnProgress | None = None,
) -> PictureResults:
    """Compute the pair and single metrics of the jobs' pictures, and their features.

    Args:
        stimuli: all pictures.
        jobs: those to measure (`jobs_of`), all or some.
        tools: the measures and extractors.
        stores: where each extractor's features go.
        cache: values of earlier runs.
        resize: bring a generated picture to its reference's size (bicubic) where they differ; else that is a reason.
        threads: worker threads.
        on_progress: called with the pictures and the features done.

    Raises:
        UserError: what an extractor or a measure needs will not do.
    """
    results = PictureResults(np.full((len(stimuli), len(tools.measures)), np.nan), stores=dict(stores))
    work = _PicturePass(stimuli, jobs, tools, results, cache, resize=resize)
    total = sum(map(len, jobs))

    def report() -> None:
        cache.write()
        if on_progress:
            on_progress(work.done, total, "pictures")
            if stores:
                expected = len(stores) * (total - len(results.unreadable))
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
                work.stop()
        work.finish()
    report()
    return results


@dataclass(frozen=True)
class _Companions:
    """What a picture's pair metrics need beside it: files, or why there is none; None where it is not needed."""

    reference: PictureFile | str | None
    mask: PictureFile | str | None
    input: PictureFile | str | None

    @cached_property
    def keys(self) -> tuple[bytes, bytes]:
        """Hashes of the reference, and of reference and mask; empty where one is missing."""
        if not isinstance(self.reference, PictureFile):
            return b"", b""
        digest = self.reference.digest
        has_mask = isinstance(self.mask, PictureFile)
        return digest, hashlib.sha256(digest + self.mask.digest).digest() if has_mask else b""  # type: ignore[union-attr]


class _PicturePass:
    """The work that the threads share; they write into different rows of one result."""

    def __init__(
        self,
        stimuli: Sequence[Stimulus],
        jobs: Sequence[Job],
        tools: Tools,
        results: PictureResults,
        cache: Cache,
        *,
        resize: bool,
    ) -> None:
        self._stimuli = stimuli
        self._jobs = deque(jobs)
        self._tools = tools
        self._results = results
        self._cache = cache
        self._resize = resize
        measures = [
            (column, measure, cache.number(measure.definition))
            for column, measure in enumerate(tools.measures)
            if not measure.of_items
        ]
        self._measures = {True: measures, False: [entry for entry in measures if entry[1].kind == "single"]}
        """By whether a picture has pair metrics: column, measure and number of its definition."""
        self._needs_reference = any(measure.kind == "pair" for measure in tools.measures)
        self._needs_input = any(measure.kind == "input" for measure in tools.measures)
        self._needs_mask = any(measure.takes_hole for measure in tools.measures)
        self._kinds = [(kind, cache.number(kind.definition)) for kind in tools.network.kinds]
        self._batches: dict[str, FeatureBatches] = {}
        self._budget = PixelBudget()
        self._lock = threading.Lock()
        self.done = 0

    def run(self) -> None:
        """Measure job after job until there are none; called by each thread."""
        while self._jobs:
            try:
                job = self._jobs.popleft()
            except IndexError:  # another thread took the last one
                return
            files, cached = PictureFiles(self._budget), 0
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

    def _keeps(self, stimulus: Stimulus) -> bool:
        """Whether what is measured of a picture is cached."""
        return self._cache.keeps_fakes or not stimulus.is_fake

    def stop(self) -> None:
        """Let each thread end after its job."""
        self._jobs.clear()

    def finish(self) -> None:
        """Run the batches that are not full."""
        for batches in self._batches.values():
            batches.finish()

    def _measure(self, number: int, files: PictureFiles) -> int:
        """Compute the values and features of a picture; the number of those that came from the cache."""
        stimulus, results = self._stimuli[number], self._results
        try:
            if stimulus.problem is not None:
                raise UserError(stimulus.problem)
            file = files.read(stimulus.file)
        except UserError as error:
            results.unreadable[number] = str(error)
            for column, _, _ in self._measures[stimulus.has_pair_metrics]:
                results.reasons[number, column] = str(error)
            return 0
        results.hashes[number] = file.digest
        reference = mask = source = None
        if stimulus.has_pair_metrics:
            if self._needs_reference:
                reference = _file_or_reason(stimulus.reference, stimulus.no_reference, files)
            if self._needs_mask:
                mask = _file_or_reason(stimulus.mask, NO_MASK, files)
                if isinstance(mask, PictureFile):
                    results.masks[number] = mask.digest
            if self._needs_input:
                source = _file_or_reason(stimulus.input, NO_INPUT, files)
                if isinstance(source, PictureFile):
                    results.inputs[number] = source.digest
        cached = self._put_values(number, file, _Companions(reference, mask, source), files)
        for kind, definition in self._kinds:
            kept = definition if self._keeps(stimulus) else UNKNOWN
            cached += self._put_features(number, kind, kept, file, files)
        if stimulus.is_fake and str(stimulus.file) != str(stimulus.reference):
            files.forget(stimulus.file)
        return cached

    def _put_values(self, number: int, file: PictureFile, companions: _Companions, files: PictureFiles) -> int:
        """Put the values of a picture, or the reasons, into the results; the number of those from the cache."""
        measures = self._measures[self._stimuli[number].has_pair_metrics]
        if not measures:
            return 0
        plain_key, masked_key = companions.keys
        cached = self._cache.numbers(file.digest, plain_key)
        if masked_key:
            cached |= self._cache.numbers(file.digest, masked_key)
        of_input = self._cache.numbers(companions.input.digest) if isinstance(companions.input, PictureFile) else {}
        found = 0
        for column, measure, definition in measures:
            result = (of_input if measure.kind == "input" else cached).get(definition)
            found += result is not None
            if result is None:
                result, is_lasting = self._value(number, measure, file, companions, files)
                is_kept = measure.kind == "input" or self._keeps(self._stimuli[number])
                if is_lasting and is_kept and definition != UNKNOWN:
                    key = (masked_key if measure.takes_hole else plain_key) if measure.kind == "pair" else b""
                    measured = companions.input if measure.kind == "input" else file
                    self._cache.keep_number(_required(measured).digest, key, definition, result)
            value, text = result
            if value is None:
                self._results.reasons[number, column] = text or ""
                continue
            self._results.numbers[number, column] = value
            if text is not None:
                self._results.formats[number] = text
        return found

    def _value(
        self, number: int, measure: Measure, file: PictureFile, companions: _Companions, files: PictureFiles
    ) -> tuple[CachedValue, bool]:
        """A metric's value of a picture or the reason for none, and whether that depends on the pictures alone."""
        function, measured_as = self._tools.function(measure), None
        try:
            if measure.kind == "input":
                return (float(function(files.pixels(_required(companions.input)))), None), True
            self._decode(number, file, files)
            if measure.kind == "pair":
                reference = _required(companions.reference)
                pair: tuple[Any, ...] | None = None
                if measure.any_format:
                    pair = of_other_formats(files, file, reference, resize=self._resize)
                if pair is not None:
                    measured_as = format_measured(files.samples(file), files.samples(reference))
                else:
                    picture = files.pixels(file, like=reference if self._resize else None)
                    pair = picture, files.pixels(reference)
                if measure.takes_hole:
                    pair += (files.hole(_required(companions.mask)),)
                value = function(*pair)
            else:
                value = function(files.pixels(file))
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
        self, number: int, kind: FeatureKind, definition: int, file: PictureFile, files: PictureFiles
    ) -> int:
        """Put a picture's features into their store, at once or with their batch; 1 if they came from the cache."""
        store, stimulus = self._results.stores[kind.name], self._stimuli[number]
        companion: PictureFile | str | None = None
        if kind.companion == "input":
            companion = _file_or_reason(stimulus.input, NO_INPUT, files)
        elif kind.companion is not None:
            real = stimulus.reference if stimulus.is_fake else stimulus.file
            companion = _file_or_reason(real, stimulus.no_reference, files)
        if isinstance(companion, str):
            store.put(number, companion)
            return 0
        key: FeatureKey = (file.digest, companion.digest if companion else b"", definition)
        cached = self._cache.features(*key)
        if cached is not None:
            store.put(number, cached)
            return 1
        extractor = self._tools.extractor(kind.name)
        try:
            self._decode(number, file, files)
            prepared = extractor.prepare(*(files.picture(source) for source in (file, companion) if source is not None))
        except Unmeasurable as reason:
            if kind.keeps_reasons:
                self._deliver(store, number, key, str(reason))
            else:
                store.put(number, str(reason))
        except UserError as error:
            if number not in self._results.unreadable:
                store.put(number, str(error))
        except Exception as error:
            if not memory_ran_out(error):
                raise
            store.put(number, NO_MEMORY)
        else:
            with self._lock:
                if kind.name not in self._batches:
                    self._batches[kind.name] = FeatureBatches(extractor, partial(self._deliver, store))
                batches = self._batches[kind.name]
            batches.add(number, key, prepared)
        return 0

    def _deliver(self, store: FeatureStore, number: int, key: FeatureKey, result: FeatureResult) -> None:
        store.put(number, result)
        if key[2] != UNKNOWN and result is not NO_MEMORY:
            self._cache.keep_features(*key, result)


def _file_or_reason(path: Path | None, no_path: str, files: PictureFiles) -> PictureFile | str:
    """A companion's file; where there is none, or it cannot be read, the reason."""
    if path is None:
        return no_path
    try:
        return files.read(path)
    except UserError as error:
        return str(error)


def of_other_formats(
    files: PictureFiles, file: PictureFile, reference: PictureFile, *, resize: bool
) -> tuple[Samples, Samples] | None:
    """A pair of which not both are 8-bit RGB, with every sample where they have one format; None for any other.

    Of two formats, grey and RGB are brought to 8-bit RGB.

    Raises:
        Unmeasurable: they differ in channels.
        UserError: one cannot be decoded.
    """
    fake, real = files.samples(file), files.samples(reference)
    formats = of_fake, of_real = format_of(fake), format_of(real)
    if of_fake.is_rgb8 and of_real.is_rgb8:
        return None
    if of_fake != of_real:
        if any(found.channels not in (1, 3) for found in formats):
            raise Unmeasurable(f"the generated picture is {of_fake}, the real one {of_real}; bring both to one format")
        fake, real = files.rgb8(file), files.rgb8(reference)
    return (pictures.resize(fake, real.shape[:2]) if resize else fake), real


def format_measured(fake: Samples, real: Samples) -> str:
    """The pixel format in which such a pair is measured, in words.

    >>> grey = np.zeros((2, 2, 1), np.uint16)
    >>> format_measured(grey, grey), format_measured(np.zeros((2, 2, 3), np.uint8), grey)
    ('16-bit grey', '8-bit RGB, brought to it from two formats')
    """
    of_fake, of_real = format_of(fake), format_of(real)
    return str(of_real) if of_fake == of_real else f"{RGB8}, brought to it from two formats"


def formats_measured(stimuli: Sequence[Stimulus], results: PictureResults) -> dict[str, dict[str, list[str]]]:
    """The pixel formats in which generated pictures were measured, by data set and model; only of data sets where one
    is another than 8-bit RGB."""
    datasets = {str(stimuli[number].dataset) for number in results.formats}
    found: dict[str, dict[str, list[str]]] = {}
    for number, stimulus in enumerate(stimuli):
        if stimulus.is_fake and str(stimulus.dataset) in datasets and not np.isnan(results.numbers[number]).all():
            formats = found.setdefault(str(stimulus.dataset), {}).setdefault(str(stimulus.model), [])
            measured_as = results.formats.get(number, str(RGB8))
            formats += [] if measured_as in formats else [measured_as]
    return found


def _required(companion: PictureFile | str | None) -> PictureFile:
    """The companion's file.

    Raises:
        UserError: the reason why there is none.
    """
    if isinstance(companion, PictureFile):
        return companion
    raise UserError(str(companion))


def image_table(
    stimuli: Sequence[Stimulus], measures: Sequence[Measure], results: PictureResults, run: str
) -> pd.DataFrame:
    """The table `image_metrics`, in the order of the stimuli.

    Pair metrics and those of inputs have rows for the generated pictures, and for real ones that nothing was generated
    for.
    """
    in_pairs = np.array([stimulus.has_pair_metrics for stimulus in stimuli], bool)
    is_single = np.array([measure.kind == "single" for measure in measures], bool)
    rows, columns = np.nonzero(in_pairs[:, None] | is_single[None, :])
    reasons = np.full(results.numbers.shape, None, object)
    for place, reason in results.reasons.items():
        reasons[place] = reason

    def text(values: Sequence[str | None]) -> pd.Series:
        return pd.Series(np.array(values, object), dtype="str").take(rows).reset_index(drop=True)

    frame = pd.DataFrame(
        {
            "stimulus": text([stimulus.stimulus for stimulus in stimuli]),
            "item": text([stimulus.item for stimulus in stimuli]),
            "kind": text([stimulus.kind for stimulus in stimuli]),
            "model": text([stimulus.model for stimulus in stimuli]),
            "dataset": text([stimulus.dataset for stimulus in stimuli]),
            "metric": pd.Series([measure.name for measure in measures], dtype="str").take(columns).to_numpy(),
            "value": results.numbers[rows, columns],
            "reason": pd.Series(reasons[rows, columns], dtype="str"),
            "run": run,
            "sha256": text([results.hashes[n].hex() if n in results.hashes else None for n in range(len(stimuli))]),
            "seen": pd.Series([stimulus.seen for stimulus in stimuli], dtype="boolean").take(rows).to_numpy(),
            "fraction": np.array([stimulus.fraction for stimulus in stimuli], np.float64)[rows],
        }
    )
    return conform(frame, tables.IMAGE_METRICS, where=tables.IMAGE_METRICS.name)
