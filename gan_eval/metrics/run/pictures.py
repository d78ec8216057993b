"""What is done with each picture: find what is kept of it, measure what is not, and hand it to the networks."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.metrics.kernels.pictures import Unmeasurable
from gan_eval.metrics.run.cache import UNKNOWN, Cache, Kept
from gan_eval.metrics.run.companions import Companions, Wanted
from gan_eval.metrics.run.features import FeatureBatches, FeatureKey, FeatureStore, Found
from gan_eval.metrics.run.file_reader import FileReader
from gan_eval.metrics.run.files import NO_MEMORY, PictureFile, PictureFiles, memory_ran_out
from gan_eval.metrics.run.inputs import NO_INPUT, Stimulus
from gan_eval.metrics.run.pixel_budget import PixelBudget
from gan_eval.metrics.run.tools import FeatureKind, Measure, Tools

if TYPE_CHECKING:
    from gan_eval.metrics.kernels.backends import Pixels
    from gan_eval.metrics.networks.extractor import Extractor


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
