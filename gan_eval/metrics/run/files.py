"""The files of one job: each is read once, hashed, and decoded from the same bytes where somebody needs the picture."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from gan_eval.errors import UserError
from gan_eval.metrics.run.file_reader import FileReader
from gan_eval.metrics.run.pixel_budget import PixelBudget, pixels_of
from gan_eval.stimuli import pictures
from gan_eval.stimuli.holes import hole_of
from gan_eval.stimuli.pictures import Picture

if TYPE_CHECKING:
    from gan_eval.metrics.kernels.backends import HolePixels, Pixels

NO_MEMORY = "too little memory for a picture of this size"


@dataclass
class PictureFile:
    """A file that was read."""

    path: Path
    digest: bytes
    """SHA-256 of its bytes."""
    content: memoryview | None
    """Until it is decoded or forgotten."""


class PictureFiles:
    """What one thread holds of the files that it is measuring; `close` it after the job."""

    def __init__(self, reader: FileReader, budget: PixelBudget, device: str = "cpu") -> None:
        """
        Args:
            reader: of this thread.
            budget: of all threads; decoding may wait for it.
            device: where the pictures are wanted; on the CPU they are arrays, elsewhere tensors.
        """
        self._budget = budget
        self._reserved = 0
        self._reader = reader
        self._device = device
        self._files: dict[str, PictureFile | UserError] = {}
        self._pictures: dict[bytes, Picture] = {}
        self._broken: dict[Path, UserError] = {}
        self._on_device: dict[bytes, Pixels] = {}
        self._holes: dict[bytes, HolePixels] = {}

    def read(self, path: Path) -> PictureFile:
        """The file with its hash.

        Raises:
            UserError: it cannot be read.
        """
        found = self._files.get(name := str(path))
        if found is None:
            try:
                content = self._reader.read(path)
                found = PictureFile(path, hashlib.sha256(content).digest(), content)
            except UserError as error:
                found = error
            self._files[name] = found
        if isinstance(found, UserError):
            raise found
        return found

    def picture(self, file: PictureFile) -> Picture:
        """(H, W, 3) uint8; decoded once.

        Raises:
            UserError: it cannot be decoded, or there is too little memory to do so.
        """
        if file.path in self._broken:
            raise self._broken[file.path]
        if file.digest not in self._pictures:
            try:
                content = self._taken(file)
                self._reserve(pixels_of(content))
                self._pictures[file.digest] = pictures.decode_rgb(content, file.path)
            except UserError as error:
                self._broken[file.path] = error
                raise
            except MemoryError as error:
                self._broken[file.path] = UserError(f"{file.path}: {NO_MEMORY}")
                raise self._broken[file.path] from error
        return self._pictures[file.digest]

    def pixels(self, file: PictureFile, like: PictureFile | None = None) -> "Pixels":
        """The picture where it is measured: moved there once.

        Args:
            file: which.
            like: bring it to this picture's size (bicubic) where they differ.

        Raises:
            UserError: see `picture`.
        """
        picture = self.picture(file)
        if like is not None and picture.shape != (target := self.picture(like)).shape:
            return self._moved(pictures.resize(picture, (target.shape[0], target.shape[1])).copy())
        if file.digest not in self._on_device:
            self._on_device[file.digest] = self._moved(picture)
        return self._on_device[file.digest]

    def hole(self, mask: PictureFile) -> "HolePixels":
        """(H, W) bool where it is measured: the hole that a mask picture shows; decoded and moved there once.

        Raises:
            UserError: see `picture`.
        """
        if mask.digest not in self._holes:
            self._holes[mask.digest] = self._moved(hole_of(self.picture(mask)))
            self._pictures.pop(mask.digest)
        return self._holes[mask.digest]

    def forget(self, path: Path) -> None:
        """Let go of a file and its picture."""
        file = self._files.pop(str(path), None)
        self._let_go(file)
        others = {getattr(other, "digest", None) for other in self._files.values()}
        if isinstance(file, PictureFile) and file.digest not in others:
            self._pictures.pop(file.digest, None)
            self._on_device.pop(file.digest, None)

    def close(self) -> None:
        """Let go of everything."""
        for file in self._files.values():
            self._let_go(file)
        self._files.clear()
        self._pictures.clear()
        self._on_device.clear()
        self._holes.clear()
        self._budget.give_back(self._reserved)
        self._reserved = 0

    def _reserve(self, pixels: int) -> None:
        """Take a pair's pixels for the whole job, when its first large picture comes; larger ones later add to them."""
        more = 2 * pixels - self._reserved
        if more > 0:
            self._budget.take(more, wait=self._reserved == 0)
            self._reserved += more

    def _taken(self, file: PictureFile) -> bytes:
        """The file's bytes, which are then no longer held."""
        if file.content is None:
            return pictures.read_file(file.path)
        content = bytes(file.content)
        self._let_go(file)
        return content

    def _let_go(self, file: PictureFile | UserError | None) -> None:
        if isinstance(file, PictureFile) and file.content is not None:
            self._reader.release(file.content)
            file.content = None

    def _moved(self, pixels: NDArray[Any]) -> "Pixels":
        if self._device == "cpu":
            return pixels
        import torch

        return torch.from_numpy(pixels).to(self._device, non_blocking=True)


def memory_ran_out(error: Exception) -> bool:
    """Whether the error is that of a picture too large for the memory, whoever asked for it."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in ("out of memory", "can't allocate"))
    )
