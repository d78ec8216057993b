"""The interface of a data set (a folder of pictures in splits), and work on many pictures in several threads."""

import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

from gan_eval.base.errors import UserError
from gan_eval.base.progress import Progress
from gan_eval.base.reading import no_folder
from gan_eval.base.threads import usable_cores
from gan_eval.pictures.decode import Picture
from gan_eval.settings.training import joined_splits

T = TypeVar("T")

Role = Literal["input", "target"]
Size = int | Literal["native"]  # side of square pictures; native: each picture's own size

SPLITS = ("train", "val", "test")  # the usual splits, in the order in which they are listed
VALIDATION_SPLITS = ("val", "test")  # splits for validation, best first; never the training split
MIN_SIDE = 8  # minimum side of a picture in pixels
MAX_NAMED = 5  # number of bad pictures that a message names
MAX_THREADS = 8  # more threads do not read a disk faster


class DataSet(ABC):
    """A folder of pictures in splits, one item in each picture."""

    pictures_per_item: ClassVar[int]  # 2 for input and target, 1 for a photograph, which is both
    pattern: ClassVar[str]  # the paths in the folder, for messages

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    @abstractmethod
    def by_split(self) -> dict[str, list[Path]]:
        """Return the pictures of each non-empty split."""

    @abstractmethod
    def has_split(self, split: str) -> bool:
        """Return whether the data set has this split."""

    @abstractmethod
    def paths(self, split: str, *, limit: int | None = None) -> list[Path]:
        """Return the pictures of a split in natural order, at most `limit`."""

    def training_paths(self, train_split: str, *, limit: int | None = None) -> list[Path]:
        """Return the training pictures, at most `limit`: of a split, or of several joined with "+"."""
        first, *others = joined_splits(train_split)
        if not others:
            return self.paths(first, limit=limit)
        return list(dict.fromkeys(path for split in (first, *others) for path in self.paths(split)))[:limit]

    @abstractmethod
    def names(self, paths: list[Path], split: str) -> dict[str, Path]:
        """Return the pictures of a split by the names of their items."""

    @abstractmethod
    def read(self, path: Path, size: Size = "native") -> tuple[Picture, ...]:
        """Return the `pictures_per_item` pictures of an item, each (H, W, 3) uint8, as squares of side `size`."""

    @staticmethod
    @abstractmethod
    def require_shape(path: Path, width: int, height: int) -> None:
        """Refuse a file's picture of a size that cannot be used."""

    def remarks(self, _paths: list[Path], *, is_trained: bool = False) -> list[str]:
        """Return warnings about these pictures, from a sample of them; `is_trained`: none about the direction."""
        return []

    def drawn_role(self, _paths: list[Path]) -> Role | None:
        """Return which picture of these items looks drawn, from a sample of them; None if unclear."""
        return None

    def require_folder(self) -> None:
        """Refuse a missing folder."""
        if self.folder.is_dir():
            return
        from trainer.datasets.presets import PRESETS

        fix, name = "", self.folder.name
        if name in PRESETS:
            fetch = ["gan-eval", "data", "fetch", name, "--data-root", str(self.folder.parent)]
            fix = f"; {shlex.join(fetch)} makes it"
        raise UserError(f"{no_folder(self.folder, 'data folder')}{fix}")


def excluding(paths: list[Path], others: Iterable[Path]) -> list[Path]:
    """Return the paths that are not among the others."""
    excluded = frozenset(others)
    return [path for path in paths if path not in excluded]


def map_pictures(paths: list[Path], work: Callable[[Path], T]) -> list[T]:
    """Apply `work` to each picture in several threads (decoding releases the lock); return the results in order.

    Raises:
        UserError: pictures cannot be used; the message names the first ones.
    """
    tried = try_pictures(paths, work)
    bad = [result for result in tried if isinstance(result, UserError)]
    if len(bad) == 1:
        raise bad[0]
    if bad:  # all are in one folder, which is named once
        unusable = [path for path, result in zip(paths, tried, strict=True) if isinstance(result, UserError)]
        listed = ", ".join(path.name for path in unusable[:MAX_NAMED])
        more = f" and {len(bad) - MAX_NAMED} more" if len(bad) > MAX_NAMED else ""
        raise UserError(
            f"{unusable[0].parent}: {len(bad)} of {len(paths)} pictures cannot be used; fix or remove {listed}{more}; "
            f"the first: {bad[0]}"
        )
    return [result for result in tried if not isinstance(result, UserError)]


def try_pictures(
    paths: list[Path], work: Callable[[Path], T], *, on_progress: Progress | None = None
) -> list[T | UserError]:
    """Apply `work` to each picture in several threads; return the results, or errors of bad pictures, in order."""

    def result_or_error(path: Path) -> T | UserError:
        try:
            return work(path)
        except UserError as error:
            return error

    done: list[T | UserError] = []
    pool = ThreadPoolExecutor(min(MAX_THREADS, usable_cores()), "pictures")
    try:
        for result in pool.map(result_or_error, paths):
            done.append(result)
            if on_progress is not None:
                on_progress(len(done), len(paths))
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupt does not wait for the remaining pictures
    return done
