"""The training pictures of one split: decoded once, at the size from which crops are taken, and cached.

An item in memory is (K, 3, J, J) uint8: K = 2 for a pair (input, target), K = 1 for a photograph.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan_eval.files import sha256_bytes, sha256_file, sha256_json
from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import read_file, resize
from trainer.datasets.sources import of_all, read_pair

Levels = NDArray[np.uint8]

CACHE_BYTES = 4 * 2**30
"""Items beyond this much memory are decoded each time they are needed."""


def hash_pictures(paths: list[Path]) -> str:
    """SHA-256 over the names and contents of the pictures.

    Raises:
        UserError: pictures cannot be read.
    """
    return sha256_json(of_all(paths, lambda path: [path.name, sha256_file(path)]))


class Pictures:
    """The items of one split at one size, in order."""

    def __init__(
        self,
        paths: list[Path],
        read: Callable[[Path, bytes | None], Levels],
        *,
        bytes_each: int,
        cache_bytes: int = CACHE_BYTES,
        threads: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Read and decode every picture once, so that the bad ones are named before hours of training.

        Args:
            paths: the pictures.
            read: gives the item of a file; its second argument is the file's bytes where they were read already.
            bytes_each: memory that an item takes.
            cache_bytes: bound of the cache; 0 switches it off.
            threads: threads that read and decode; default: the cores, at most 8.
            on_progress: called with the pictures read and their number.

        Raises:
            UserError: pictures are broken.
        """
        self.paths = paths
        self._read = read
        cached = frozenset(paths[: cache_bytes // bytes_each])

        def take(path: Path) -> tuple[str, Levels | None]:
            content = read_file(path)
            item = read(path, content)
            return sha256_bytes(content), item if path in cached else None

        taken = of_all(paths, take, threads=threads, on_progress=on_progress)
        self._cache = [item for _, item in taken if item is not None]
        self.sha256 = sha256_json([[path.name, digest] for path, (digest, _) in zip(paths, taken, strict=True)])
        """What `hash_pictures` gives, without a second reading of the files."""

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Levels:
        """(K, 3, side, side) uint8."""
        return self._cache[index] if index < len(self._cache) else self._read(self.paths[index], None)


class PairedPictures(Pictures):
    """A|B pictures: each item is input and target."""

    def __init__(self, paths: list[Path], direction: Direction, *, side: int, **how: object) -> None:
        """
        Args:
            paths: the pictures.
            direction: which half is the input.
            side: pixels a side of the pairs; halves of any shape become squares, as in the reference implementation.
            **how: `cache_bytes`, `threads` and `on_progress` of `Pictures`.

        Raises:
            UserError: pictures are broken or cannot be halved.
        """

        def read(path: Path, content: bytes | None) -> Levels:
            return stacked(read_pair(path, direction, content=content), side)

        super().__init__(paths, read, bytes_each=2 * 3 * side * side, **how)  # type: ignore[arg-type]


def stacked(pictures: tuple[Levels, ...], side: int) -> Levels:
    """Pictures (H, W, 3) of any sizes as one item (K, 3, side, side)."""
    sized = [resize(picture, (side, side)) for picture in pictures]
    return np.ascontiguousarray(np.stack(sized).transpose(0, 3, 1, 2))
