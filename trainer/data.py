"""Paired pictures: `ROOT/<split>/*.jpg`, each with A on the left and B on the right, decoded once and cached.

A pair in memory is (2, 3, J, J) uint8: input then target, at the size from which crops are taken.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_eval.errors import UserError
from gan_eval.files import sha256_file, sha256_json
from gan_eval.images import Picture, list_pictures, read_rgb, resize
from gan_eval.study import Direction, TrainingSettings
from trainer.randomness import Purpose, stream

Pair = NDArray[np.uint8]
T = TypeVar("T")

SMALLEST_SIDE = 8
"""Halves with fewer pixels a side are no pictures."""
CACHE_BYTES = 4 * 2**30
"""Pairs beyond this much memory are decoded each time they are needed."""
NAMED = 5
"""Of several bad pictures, so many are named."""


def list_pairs(data: Path, split: str, *, limit: int | None = None) -> list[Path]:
    """The pictures of `data/split` in natural order, at most `limit`.

    Raises:
        UserError: no such folder or split, or no pictures in it.
    """
    data = Path(data)
    if not data.is_dir():
        raise UserError(f"{data}: no such data folder")
    if not (data / split).is_dir():
        splits = ", ".join(sorted(folder.name for folder in data.iterdir() if folder.is_dir())) or "none"
        raise UserError(f"{data}: no split {split!r} (a folder of pictures); there are: {splits}")
    return list_pictures(data / split)[:limit]


def hash_pairs(paths: list[Path]) -> str:
    """SHA-256 over the names and contents of the pictures.

    Raises:
        UserError: pictures cannot be read.
    """
    return sha256_json(of_all(paths, lambda path: [path.name, sha256_file(path)]))


def of_all(paths: list[Path], work: Callable[[Path], T]) -> list[T]:
    """`work` of every picture, in order.

    Raises:
        UserError: it fails on some. All are tried first, so that one line tells of all that must be mended.
    """
    done: list[T] = []
    bad: dict[Path, UserError] = {}
    for path in paths:
        try:
            done.append(work(path))
        except UserError as error:
            bad[path] = error
    if len(bad) == 1:
        raise next(iter(bad.values()))
    if bad:
        raise UserError(_all_bad(bad, len(paths)))
    return done


def _all_bad(bad: dict[Path, UserError], tried: int) -> str:
    """One line for several bad pictures of one folder: the count, the mend, and the first with their reasons."""
    folder = next(iter(bad)).parent
    reasons = [str(error).removeprefix(f"{folder}{os.sep}").rsplit("; ", 1)[0] for error in bad.values()]
    more = [f"and {len(bad) - NAMED} more"] if len(bad) > NAMED else []
    listed = "; ".join([*reasons[:NAMED], *more])
    return f"{folder}: {len(bad)} of {tried} pictures cannot be used; mend or remove them: {listed}"


def read_pair(path: Path, direction: Direction) -> tuple[Picture, Picture]:
    """Input and target of one side-by-side picture, each (H, W, 3) uint8.

    Raises:
        UserError: the picture is broken, or its width is odd, or its halves are too small.
    """
    picture = read_rgb(path)
    height, width = picture.shape[:2]
    if width % 2:
        raise UserError(f"{path}: the width {width} is odd, so A and B cannot be halves; make it even or remove it")
    if min(height, width // 2) < SMALLEST_SIDE:
        raise UserError(f"{path}: halves of {width // 2}x{height} pixels are too small; remove it")
    a, b = picture[:, : width // 2], picture[:, width // 2 :]
    return (a, b) if direction == "AtoB" else (b, a)


def jitter_size(settings: TrainingSettings) -> int:
    """The side from which crops are taken: round(size * 286 / 256), or the size itself without jitter."""
    return round(settings.image_size * 286 / 256) if settings.jitter else settings.image_size


def as_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """uint8 0..255 to float32 in [-1, 1], same shape."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).to(torch.float32).div_(127.5).sub_(1.0)


class PairedPictures:
    """The pairs of one split at one size, in the order of their names."""

    def __init__(self, paths: list[Path], direction: Direction, *, side: int, cache_bytes: int = CACHE_BYTES) -> None:
        """Decode every picture once, so that the bad ones are named before hours of training.

        Raises:
            UserError: pictures are broken or cannot be halved.
        """
        self.paths = paths
        self.direction = direction
        self.side = side
        room = cache_bytes // (2 * 3 * side * side)
        self._cache: list[Pair] = []

        def take(path: Path) -> None:
            halves = read_pair(path, direction)
            if len(self._cache) < room:
                self._cache.append(self._stacked(halves))

        of_all(paths, take)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Pair:
        """(2, 3, side, side) uint8: input, target."""
        if index < len(self._cache):
            return self._cache[index]
        return self._stacked(read_pair(self.paths[index], self.direction))

    def _stacked(self, halves: tuple[Picture, Picture]) -> Pair:
        sized = [resize(half, (self.side, self.side)) for half in halves]
        return np.ascontiguousarray(np.stack(sized).transpose(0, 3, 1, 2))


@dataclass(frozen=True)
class Position:
    """Where a step stands in the passes over the data."""

    epoch: int
    """From 0."""
    start: int
    """The first of the step's places in the epoch's order."""
    stop: int
    """The place after its last; an epoch's last batch may be smaller."""


@dataclass(frozen=True)
class Schedule:
    """Which pair is seen when: every pair once an epoch, in an order that follows from the seed."""

    pairs: int
    batch_size: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.pairs // self.batch_size)

    def position(self, step: int) -> Position:
        """The place of step `step`, counted from 0."""
        epoch, batch = divmod(step, self.steps_per_epoch)
        start = batch * self.batch_size
        return Position(epoch, start, min(start + self.batch_size, self.pairs))

    def images(self, steps: int) -> int:
        """How many pairs the first `steps` steps see."""
        return steps and self.position(steps - 1).epoch * self.pairs + self.position(steps - 1).stop

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The permutation of one epoch."""
        return stream(Purpose.ORDER, self.seed, epoch).permutation(self.pairs)


class Batches:
    """Training batches by step number: any step can be asked for, in any order."""

    def __init__(self, pictures: PairedPictures, settings: TrainingSettings) -> None:
        self.schedule = Schedule(len(pictures), settings.batch_size, settings.seed)
        self._pictures = pictures
        self._settings = settings
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets of step `step` (from 0), each (N, 3, size, size) float32 in [-1, 1]."""
        place = self.schedule.position(step)
        if place.epoch != self._epoch:
            self._epoch, self._order = place.epoch, self.schedule.order(place.epoch)
        first = place.epoch * self.schedule.pairs
        crops = [
            jitter(self._pictures[self._order[n]], self._settings, sample=first + n)
            for n in range(place.start, place.stop)
        ]
        batch = as_tensor(np.stack(crops, axis=1))
        return batch[0], batch[1]


def jitter(pair: Pair, settings: TrainingSettings, *, sample: int) -> Pair:
    """A random crop to the picture size, mirrored half of the time, the same for input and target.

    Args:
        pair: (2, 3, J, J) uint8.
        sample: number of the sample since the start of the run; it decides the crop.

    Returns:
        (2, 3, size, size) uint8, a view of `pair`.
    """
    rng = stream(Purpose.JITTER, settings.seed, sample)
    size = settings.image_size
    top, left = rng.integers(0, pair.shape[-1] - size + 1, size=2)
    mirrored = rng.random() < 0.5
    crop = pair[..., top : top + size, left : left + size]
    return crop[..., ::-1] if settings.mirror and mirrored else crop
