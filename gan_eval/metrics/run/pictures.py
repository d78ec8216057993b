"""What is done with each picture: find what is kept of it, measure what is not, and hand it to the networks.

What a picture is measured beside: its reference, and the mask of its hole.

One pass over the pictures: each file is read once, measured, and handed to the networks for the set metrics.

Worker threads do all of it: Pillow, the compiled kernels and torch release the interpreter's lock, and as many single
threads as cores are faster than single pictures spread over cores. Each takes a job (a real picture and all that were
generated for it), finds what is kept of it, decodes only what is missing something, and lets go of it. The thread that
fills a network's batch runs it. So decoding, measuring and the networks overlap, and no more than a job and a batch
are held for each thread, however many pictures there are.

The results of the pass over the pictures as the table `image_metrics`.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.metrics.catalogue import OnProgress
from gan_eval.metrics.kernels.pictures import NO_INPUT, NO_MEMORY, Unmeasurable, memory_ran_out
from gan_eval.metrics.run.cache import UNKNOWN, Cache, Kept
from gan_eval.metrics.run.features import FeatureBatches, FeatureKey, FeatureStore, Found
from gan_eval.metrics.run.files import FileReader, PictureFile, PictureFiles, PixelBudget
from gan_eval.metrics.run.inputs import NO_MASK, Stimulus
from gan_eval.metrics.run.tools import FeatureKind, Measure, Tools
from gan_eval.tabular import conform

if TYPE_CHECKING:
    from gan_eval.metrics.kernels.pictures import Pixels
    from gan_eval.metrics.networks.extractor import Extractor


@dataclass(frozen=True)
class Companions:
    """The files, or why there is none; None where none is wanted."""

    reference: PictureFile | str | None = None
    mask: PictureFile | str | None = None

    def found(self, name: Literal["reference", "mask"]) -> PictureFile:
        """The file of this companion.

        Raises:
            UserError: why there is none.
        """
        file: PictureFile | str | None = getattr(self, name)
        if isinstance(file, PictureFile):
            return file
        raise UserError(str(file))

    def key(self, measure: Measure) -> bytes:
        """What a value depends on beside the picture: empty, or a hash of the companions' content."""
        if not measure.is_pair:
            return b""
        return self.masked if measure.takes_hole else self.plain

    @property
    def plain(self) -> bytes:
        """Of the reference; empty where there is none."""
        return self.reference.digest if isinstance(self.reference, PictureFile) else b""

    @cached_property
    def masked(self) -> bytes:
        """Of reference and mask; empty where one is lacking."""
        if not (isinstance(self.reference, PictureFile) and isinstance(self.mask, PictureFile)):
            return b""
        return hashlib.sha256(self.reference.digest + self.mask.digest).digest()


@dataclass(frozen=True)
class Wanted:
    """What the measures of a run need beside a generated picture."""

    reference: bool
    mask: bool

    def of(self, stimulus: Stimulus, files: PictureFiles) -> Companions:
        """The companions of one picture, their files read."""
        if not stimulus.has_pair_metrics:
            return Companions()
        return Companions(
            _read(stimulus.reference, stimulus.no_reference, files) if self.reference else None,
            _read(stimulus.mask, NO_MASK, files) if self.mask else None,
        )


def _read(path: Path | None, missing: str, files: PictureFiles) -> PictureFile | str:
    if path is None:
        return missing
    try:
        return files.read(path)
    except UserError as error:
        return str(error)


@dataclass
class PictureResults:
    """What the pass gave. Stimuli are known by their number, measures by their column."""

    numbers: NDArray[np.float64]
    """(stimuli, measures); NaN where there is none, or where the measure does not concern the picture."""
    reasons: dict[tuple[int, int], str] = field(default_factory=dict)
    """Why a value is missing."""
    unreadable: dict[int, str] = field(default_factory=dict)
    """Why a picture could not be read."""
    hashes: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of each file that could be read, and was."""
    masks: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of each mask's file that was wanted and could be read."""
    stores: dict[str, FeatureStore] = field(default_factory=dict)
    """The features, by the extractor's name."""
    kept: int = 0
    """Values and features that were found in the cache."""

    @classmethod
    def empty(cls, stimuli: int, measures: int, stores: Mapping[str, FeatureStore]) -> Self:
        """Results with no value yet."""
        return cls(np.full((stimuli, measures), np.nan), stores=dict(stores))


class PictureWork:
    """What the threads do; they write into different rows of one result."""

    def __init__(
        self, stimuli: Sequence[Stimulus], tools: Tools, results: PictureResults, cache: Cache, resize: bool
    ) -> None:
        self._stimuli = stimuli
        self._tools = tools
        self._results = results
        self._cache = cache
        self._resize = resize
        measures = [
            (column, measure, cache.number(measure.definition)) for column, measure in enumerate(tools.measures)
        ]
        self._measures = {True: measures, False: [entry for entry in measures if not entry[1].is_pair]}
        self._companions = Wanted(
            reference=any(measure.is_pair for measure in tools.measures),
            mask=any(measure.takes_hole for measure in tools.measures),
        )
        self._kinds = [(kind, cache.number(kind.definition)) for kind in tools.network.kinds]
        self._batches: dict[str, FeatureBatches] = {}
        self._budget = PixelBudget()
        self._lock = threading.Lock()
        self.done = 0

    def run(self, jobs: Iterable[Sequence[int]]) -> None:
        """Measure job after job."""
        reader = FileReader()
        for job in jobs:
            files, kept = PictureFiles(reader, self._budget, self._tools.device), 0
            try:
                for number in job:
                    kept += self._noted(number, files)
            finally:
                files.close()
            with self._lock:
                self.done += len(job)
                self._results.kept += kept

    def _noted(self, number: int, files: PictureFiles) -> int:
        """As `_measure`; a mistake of the program tells the picture."""
        try:
            return self._measure(number, files)
        except UserError:
            raise
        except Exception as error:
            error.add_note(f"while measuring {self._stimuli[number].file}")
            raise

    def finish(self) -> None:
        """Run the batches that are not full."""
        for batches in self._batches.values():
            batches.finish()

    def _measure(self, number: int, files: PictureFiles) -> int:
        """Do all that is wanted of a picture, and tell how much of it was kept."""
        stimulus = self._stimuli[number]
        try:
            if stimulus.problem is not None:
                raise UserError(stimulus.problem)
            file = files.read(stimulus.file)
        except UserError as error:
            self._results.unreadable[number] = str(error)
            for column, _, _ in self._measures[stimulus.has_pair_metrics]:
                self._results.reasons[number, column] = str(error)
            return 0
        self._results.hashes[number] = file.digest
        companions = self._companions.of(stimulus, files)
        if isinstance(companions.mask, PictureFile):
            self._results.masks[number] = companions.mask.digest
        kept = self._values(number, file, companions, files)
        for kind, definition in self._kinds:
            kept += self._features(number, kind, definition, file, files)
        if stimulus.is_fake and str(stimulus.file) != str(stimulus.reference):
            files.forget(stimulus.file)
        return kept

    def _values(self, number: int, file: PictureFile, companions: Companions, files: PictureFiles) -> int:
        wanted = self._measures[self._stimuli[number].has_pair_metrics]
        if not wanted:
            return 0
        known = self._cache.numbers(file.digest, companions.plain)
        if companions.masked:
            known |= self._cache.numbers(file.digest, companions.masked)
        for column, measure, definition in wanted:
            kept = known.get(definition)
            if kept is None:
                kept, lasts = self._compute(number, measure, file, companions, files)
                if lasts and definition != UNKNOWN:
                    self._cache.keep_number(file.digest, companions.key(measure), definition, kept)
            value, reason = kept
            if value is None:
                self._results.reasons[number, column] = reason or ""
            else:
                self._results.numbers[number, column] = value
        return sum(definition in known for _, _, definition in wanted)

    def _compute(
        self,
        number: int,
        measure: Measure,
        file: PictureFile,
        companions: Companions,
        files: PictureFiles,
    ) -> tuple[Kept, bool]:
        """The value or the reason, and whether it depends on the pictures alone."""
        function = self._tools.function(measure.name)
        try:
            fake = self._pixels(number, file, files)
            if measure.is_pair:
                reference = companions.found("reference")
                fake, real = files.pixels(file, like=reference) if self._resize else fake, files.pixels(reference)
                value = function(fake, real, *([files.hole(companions.found("mask"))] if measure.takes_hole else []))
            else:
                value = function(fake)
        except Unmeasurable as reason:
            return (None, str(reason)), measure.keeps_reasons
        except UserError as error:
            return (None, str(error)), False
        except Exception as error:
            if not memory_ran_out(error):
                raise
            return (None, NO_MEMORY), False
        return ((None, "the metric gave no number") if value != value else (float(value), None)), True

    def _pixels(self, number: int, file: PictureFile, files: PictureFiles) -> "Pixels":
        try:
            return files.pixels(file)
        except UserError as error:
            self._results.unreadable[number] = str(error)
            raise

    def _features(self, number: int, kind: FeatureKind, definition: int, file: PictureFile, files: PictureFiles) -> int:
        store = self._results.stores[kind.name]
        companion = self._companion(self._stimuli[number], kind, files)
        if isinstance(companion, str):
            store.put(number, companion)
            return 0
        key: FeatureKey = (file.digest, companion.digest if companion else b"", definition)
        kept = self._cache.features(*key)
        if kept is not None:
            store.put(number, kept)
            return 1
        extractor = self._tools.extractor(kind.name)
        try:
            self._pixels(number, file, files)
            pictures = [files.picture(one) for one in (file, companion) if one is not None]
            prepared = extractor.prepare(*pictures)
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
            self._batches_of(kind, extractor, store).add(number, key, prepared)
        return 0

    def _companion(self, stimulus: Stimulus, kind: FeatureKind, files: PictureFiles) -> PictureFile | str | None:
        """The file of the further picture that the extractor wants, or why there is none; None where it wants none."""
        if kind.companion is None:
            return None
        if kind.companion == "input":
            path, missing = stimulus.input, NO_INPUT
        else:
            path, missing = stimulus.reference if stimulus.is_fake else stimulus.file, stimulus.no_reference
        if path is None:
            return missing
        try:
            return files.read(path)
        except UserError as error:
            return str(error)

    def _batches_of(self, kind: FeatureKind, extractor: "Extractor", store: FeatureStore) -> FeatureBatches:
        with self._lock:
            if kind.name not in self._batches:
                self._batches[kind.name] = FeatureBatches(extractor, partial(self._deliver, store))
            return self._batches[kind.name]

    def _deliver(self, store: FeatureStore, number: int, key: FeatureKey, found: Found) -> None:
        store.put(number, found)
        if key[2] != UNKNOWN and found is not NO_MEMORY:
            self._cache.keep_features(*key, found)


Job = tuple[int, ...]
"""Numbers of the stimuli that share a real picture, so that its file is read once."""

_LOOK_EVERY_S = 0.1
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
    return [job for group in groups.values() for job in _split(stimuli, group)]


def _split(stimuli: Sequence[Stimulus], group: Sequence[int]) -> list[Job]:
    """The group as one job, or where its real pictures are several ones, a job for each of their files."""
    parts: dict[str, list[int]] = {}
    for number in group:
        one = stimuli[number]
        parts.setdefault(str(one.reference or one.file), []).append(number)
    reals = {str(stimuli[number].file) for number in group if not stimuli[number].is_fake}
    if len(reals) <= 1 and len(parts) <= MOST_COPIES:
        return [tuple(group)]
    return [tuple(part) for part in parts.values()]


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
        cache: what was measured before.
        resize: bring a generated picture to its reference's size (bicubic) where they differ; else that is a reason.
        threads: worker threads.
        on_progress: told the pictures and the features done.

    Raises:
        UserError: what an extractor or a measure needs will not do.
    """
    result = PictureResults.empty(len(stimuli), len(tools.measures), stores)
    work = PictureWork(stimuli, tools, result, cache, resize)
    total = sum(map(len, jobs))

    def tick() -> None:
        cache.write()
        if on_progress:
            on_progress(work.done, total, "pictures")
            if stores:
                wanted = len(stores) * (total - len(result.unreadable))
                on_progress(sum(store.done for store in stores.values()), wanted, "features")

    with tools.at_work():
        _run(work, jobs, threads, tick=tick)
    tick()
    return result


def _run(work: PictureWork, jobs: Iterable[Job], threads: int, *, tick: Callable[[], object]) -> None:
    """Have the threads take jobs until there are none; on an error or an interruption they stop after their job."""
    waiting = _Jobs(jobs)
    with ThreadPoolExecutor(threads, thread_name_prefix="metrics") as pool:
        try:
            running = [pool.submit(work.run, waiting) for _ in range(threads)]
            while (state := wait(running, _LOOK_EVERY_S, FIRST_EXCEPTION)).not_done:
                for ended in state.done:
                    ended.result()
                tick()
            for ended in running:
                ended.result()
        finally:
            waiting.stop()
    work.finish()


class _Jobs:
    """Hands out each job once, to any number of threads."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = iter(jobs)
        self._lock = threading.Lock()
        self._stopped = False

    def __iter__(self) -> Iterator[Job]:
        while True:
            with self._lock:
                job = None if self._stopped else next(self._jobs, None)
            if job is None:
                return
            yield job

    def stop(self) -> None:
        self._stopped = True


_COMPARED = ["item", "kind", "model", "dataset", "metric", "value", "fraction"]


def image_table(
    stimuli: Sequence[Stimulus], measures: Sequence[Measure], results: PictureResults, run: str
) -> pd.DataFrame:
    """The table, in the order of the stimuli; pair metrics have rows for the generated pictures, and for real ones that
    nothing was generated for."""
    in_pairs = np.array([stimulus.has_pair_metrics for stimulus in stimuli], bool)
    is_pair = np.array([measure.is_pair for measure in measures], bool)
    rows, columns = np.nonzero(in_pairs[:, None] | ~is_pair[None, :])
    reasons = np.full(results.numbers.shape, None, object)
    for place, reason in results.reasons.items():
        reasons[place] = reason

    def text(values: Sequence[str | None]) -> pd.Series:
        return pd.Series(np.array(values, object), dtype="str").take(rows).reset_index(drop=True)

    frame = pd.DataFrame(
        {
            "stimulus": text([one.stimulus for one in stimuli]),
            "item": text([one.item for one in stimuli]),
            "kind": text([one.kind for one in stimuli]),
            "model": text([one.model for one in stimuli]),
            "dataset": text([one.dataset for one in stimuli]),
            "metric": pd.Series([measure.name for measure in measures], dtype="str").take(columns).to_numpy(),
            "value": results.numbers[rows, columns],
            "reason": pd.Series(reasons[rows, columns], dtype="str"),
            "run": run,
            "fraction": np.array([one.fraction for one in stimuli], np.float64)[rows],
        }
    )
    return conform(frame, tables.IMAGE_METRICS, where=tables.IMAGE_METRICS.name)


def compared_rows(frame: pd.DataFrame) -> Iterator[Mapping[str, Any]]:
    """Of each generated picture's row what `gan_eval.metrics.run.differences.compare_pictures` looks at."""
    generated = frame.loc[frame["kind"] == "fake", _COMPARED]
    for values in zip(*(generated[name].tolist() for name in _COMPARED), strict=True):
        yield dict(zip(_COMPARED, values, strict=True))
