"""The training pictures of one split: decoded once, at the size from which crops are taken, and cached.

An item in memory is (K, 3, J, J) uint8: K = 2 for a pair (input, target), K = 1 for a photograph.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan_eval.files import sha256_file, sha256_json
from trainer.datasets.dataset import DataSet, map_pictures

Levels = NDArray[np.uint8]

CACHE_BYTES = 4 * 2**30
"""Items beyond this much memory are decoded each time they are needed."""


def hash_pictures(paths: list[Path]) -> str:
    """SHA-256 over the names and contents of the pictures.

    Raises:
        UserError: pictures cannot be read.
    """
    return sha256_json(map_pictures(paths, lambda path: [path.name, sha256_file(path)]))


class Pictures:
    """The items of one split at one size, in order."""

    def __init__(
        self,
        data_set: DataSet,
        paths: list[Path],
        *,
        side: int,
        cache_bytes: int = CACHE_BYTES,
        threads: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Read and decode every picture once, so that the bad ones are named before hours of training.

        Args:
            data_set: reads them.
            paths: the pictures.
            side: pixels a side of the items.
            cache_bytes: bound of the cache; 0 switches it off.
            threads: threads that read and decode; default: the cores, at most 8.
            on_progress: called with the pictures read and their number.

        Raises:
            UserError: pictures are broken, or of sizes that cannot be used.
        """
        self.paths = paths
        self._data_set = data_set
        self._side = side
        cached = frozenset(paths[: cache_bytes // (data_set.pictures_per_item * 3 * side * side)])

        def read(path: Path) -> Levels | None:
            item = self.read(path)
            return item if path in cached else None

        items = map_pictures(paths, read, threads=threads, on_progress=on_progress)
        self._cache = [item for item in items if item is not None]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Levels:
        """(K, 3, side, side) uint8."""
        return self._cache[index] if index < len(self._cache) else self.read(self.paths[index])

    def read(self, path: Path) -> Levels:
        """The item of a file, (K, 3, side, side) uint8.

        Raises:
            UserError: the picture is broken, or of a size that cannot be used.
        """
        pictures = self._data_set.read(path, self._side)
        return np.ascontiguousarray(np.stack(pictures).transpose(0, 3, 1, 2))
