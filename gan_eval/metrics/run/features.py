"""Features of pictures: batches that fill up for a network, the store of its results, and the table by stimulus."""

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from gan_eval.files.atomic import write_error
from gan_eval.metrics.kernels.pictures import NO_MEMORY, memory_ran_out

if TYPE_CHECKING:
    from torch import Tensor

    from gan_eval.metrics.networks.extractor import Extractor


@dataclass(frozen=True)
class FeatureTable:
    """Features of one extractor."""

    values: NDArray[np.float32]
    """(N, size), in memory or mapped from a file."""
    place: Mapping[str, int]
    """Row of each stimulus that has features."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why a stimulus has none, where its file could be read."""

    def having(self, stimuli: Iterable[str]) -> list[str]:
        """Those of the stimuli that have features, in their order."""
        return [stimulus for stimulus in stimuli if stimulus in self.place]

    def take(self, stimuli: Sequence[str]) -> NDArray[np.float32]:
        """(n, size) features in the stimuli's order; not copied where they stand in a row.

        Raises:
            KeyError: a stimulus has no features.
        """
        rows = np.array([self.place[stimulus] for stimulus in stimuli], dtype=np.intp)
        if len(rows) and (np.diff(rows) == 1).all():
            return self.values[rows[0] : rows[-1] + 1]
        return self.values[rows]


IN_MEMORY = 64 * 2**20
"""Bytes of features above which they are stored in a file instead."""
_ROWS_AT_ONCE = 1024

FeatureKey = tuple[bytes, bytes, int]
"""SHA-256 of the picture and of its companion, and the number of the definition: see `gan_eval.metrics.run.cache`."""
FeatureResult = NDArray[np.float32] | str
"""(size,) features, or the reason why there are none."""


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


class _Waiting(NamedTuple):
    row: int
    key: FeatureKey
    prepared: "Tensor"


class FeatureBatches:
    """Collects prepared pictures; the thread that fills a batch runs the network on it.

    Every batch has the same size, the last one filled up with copies, so that a picture's features do not depend on
    how many others there are.
    """

    def __init__(self, extractor: "Extractor", deliver: Callable[[int, FeatureKey, FeatureResult], None]) -> None:
        """`deliver` is called with each picture's row, key and features."""
        self._extractor = extractor
        self._deliver = deliver
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []

    def add(self, row: int, key: FeatureKey, prepared: "Tensor") -> None:
        """Take in a prepared picture."""
        with self._lock:
            self._waiting.append(_Waiting(row, key, prepared))
            if len(self._waiting) < self._extractor.batch_size:
                return
            batch, self._waiting = self._waiting, []
        self._run(batch)

    def finish(self) -> None:
        """Run the batch that is not full."""
        with self._lock:
            batch, self._waiting = self._waiting, []
        if batch:
            self._run(batch)

    def _run(self, batch: "list[_Waiting]") -> None:
        prepared = [picture.prepared for picture in batch]
        prepared += prepared[-1:] * (self._extractor.batch_size - len(batch))
        try:
            features = self._extractor.features(prepared)
        except Exception as error:
            if not memory_ran_out(error):
                raise
            for picture in batch:
                self._deliver(picture.row, picture.key, NO_MEMORY)
            return
        for picture, vector in zip(batch, features[: len(batch)], strict=True):
            self._deliver(picture.row, picture.key, vector)
