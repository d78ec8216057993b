"""Training batches: pictures are decoded once and cached, cropped by a counter, and prepared by worker threads.

An item in memory is K pictures (3, J, J) uint8: K = 2 for a pair (input, target), K = 1 for a photograph.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_eval.settings.training import TrainingSettings
from trainer.datasets.dataset import DataSet, map_pictures
from trainer.randomness import Purpose, stream
from trainer.step import Batch

Item = Sequence[NDArray[Any]]  # an item: K pictures, each (3, J, J) uint8

CACHE_BYTES = 4 * 2**30  # items beyond this memory are decoded each time


class Pictures:
    """The items of one split at one size, in order."""

    def __init__(self, data_set: DataSet, paths: list[Path], *, side: int, cache_bytes: int = CACHE_BYTES) -> None:
        """Read and decode every picture once, to report bad ones before the training."""
        self.paths = paths
        self._data_set = data_set
        self._side = side
        item_bytes = data_set.pictures_per_item * 3 * side * side
        cached = frozenset(paths[: cache_bytes // item_bytes])

        def read(path: Path) -> Item | None:
            item = self.read(path)
            return item if path in cached else None

        items = map_pictures(paths, read)
        self._cache = [item for item in items if item is not None]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Item:
        """Return the item at this index: K pictures (3, side, side)."""
        return self._cache[index] if index < len(self._cache) else self.read(self.paths[index])

    def read(self, path: Path) -> Item:
        """Return the item of a file: K pictures (3, side, side)."""
        return [np.ascontiguousarray(picture.transpose(2, 0, 1)) for picture in self._data_set.read(path, self._side)]


Assemble = Callable[[Sequence[NDArray[np.float32]], list[int]], Batch]
"""Function that makes a batch of K crops (N, 3, size, size) in [-1, 1] and the sample numbers since the run's start."""

STEPS_AHEAD = 2  # number of prepared batches for each worker


def jitter_size(settings: TrainingSettings) -> int:
    """Return the side from which crops are taken: round(size * 286 / 256), or the size without jitter."""
    return round(settings.image_size * 286 / 256) if settings.jitter else settings.image_size


def as_tensor(pictures: NDArray[Any]) -> Tensor:
    """Convert uint8 0..255 to float32 in [-1, 1], same shape."""
    return torch.from_numpy(_scaled(np.array(pictures, dtype=np.float32, order="C")))


def _scaled(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale 0..255 to -1..1 in place. NumPy works in the calling thread; PyTorch would start threads in each worker."""
    levels /= np.float32(127.5)
    levels -= np.float32(1)
    return levels


@dataclass(frozen=True)
class Schedule:
    """The order of the pairs: each pair once per epoch, in an order that the seed determines."""

    pairs: int
    batch_size: int  # pairs a step
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.pairs // self.batch_size)

    def samples(self, step: int) -> range:
        """Return the sample numbers of step `step` (from 0), counted since the run's start.

        `divmod(sample, pairs)` gives the epoch and the place in its order. The last batch of an epoch may be smaller.
        """
        epoch, batch = divmod(step, self.steps_per_epoch)
        start = epoch * self.pairs + batch * self.batch_size
        return range(start, min(start + self.batch_size, (epoch + 1) * self.pairs))

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return the permutation of one epoch."""
        return stream(Purpose.ORDER, self.seed, epoch).permutation(self.pairs)


class Batches:
    """Training batches by step number, in any order and with any number of workers.

    Workers are threads: decoding, resizing and scaling release the interpreter's lock, the cache is shared without
    copies, and every system behaves the same. They prepare the next steps during the current one.
    """

    def __init__(
        self,
        pictures: Pictures,
        settings: TrainingSettings,
        *,
        assemble: Assemble,
        workers: int = 0,
        pin_for: torch.device | None = None,
    ) -> None:
        self.schedule = Schedule(len(pictures), settings.batch_size, settings.seed)
        self._pictures = pictures
        self._settings = settings
        self._assemble = assemble
        self._pin = pin_for is not None
        self._order = lru_cache(maxsize=2)(self.schedule.order)
        begin = None if pin_for is None else partial(torch.cuda.set_device, pin_for)  # a thread starts on the first GPU
        self._pool = ThreadPoolExecutor(workers, "batches", begin) if workers else None
        self._ready = STEPS_AHEAD * workers
        self._ahead: dict[int, Future[Batch]] = {}

    def __call__(self, step: int) -> Batch:
        """Return the batch of step `step` (from 0)."""
        if self._pool is None:
            return self._make(step)
        window = range(step, step + self._ready + 1)
        for other in [other for other in self._ahead if other not in window]:
            self._ahead.pop(other).cancel()
        for coming in window:
            if coming not in self._ahead:
                self._ahead[coming] = self._pool.submit(self._make, coming)
        return self._ahead.pop(step).result()

    def close(self) -> None:
        """Stop the workers."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _make(self, step: int) -> Batch:
        size = self._settings.image_size
        samples = self.schedule.samples(step)
        order = self._order(samples.start // self.schedule.pairs)
        items = [
            jitter(self._pictures[order[sample % self.schedule.pairs]], self._settings, sample=sample)
            for sample in samples
        ]
        crops = []
        for pictures in zip(*items, strict=True):
            crop = np.empty((len(items), 3, size, size), np.float32)
            for row, picture in enumerate(pictures):
                crop[row] = picture
            crops.append(_scaled(crop))
        batch = self._assemble(crops, list(samples))
        return batch.pinned() if self._pin else batch


def jitter(item: Item, settings: TrainingSettings, *, sample: int) -> Item:
    """Return a random crop, the same for input and target, mirrored with probability 1/2 if the settings allow it.

    Returns:
        K pictures (3, size, size).
    """
    rng = stream(Purpose.JITTER, settings.seed, sample)
    size = settings.image_size
    top, left = rng.integers(0, item[0].shape[-1] - size + 1, size=2)
    mirrored = rng.random() < 0.5
    crops = [picture[..., top : top + size, left : left + size] for picture in item]
    return [crop[..., ::-1] for crop in crops] if settings.mirror and mirrored else crops
