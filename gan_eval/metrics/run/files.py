"""The files of one job: each is read once, hashed, and decoded from the same bytes where somebody needs the picture.

Reading files into memory that is used again: taking fresh memory for each costs as much as the reading itself.

A bound on the pixels that all threads hold at a time, so that a folder of huge pictures fits into memory.
"""

import hashlib
import io
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from PIL import Image

from gan_eval.errors import UserError
from gan_eval.files import require_file
from gan_eval.metrics.kernels.pictures import NO_MEMORY
from gan_eval.stimuli import pictures
from gan_eval.stimuli.holes import hole_of
from gan_eval.stimuli.pictures import Picture

if TYPE_CHECKING:
    from gan_eval.metrics.kernels.pictures import HolePixels, Pixels

_KEPT = 2**24
"""Bytes of a buffer above which it is not kept for the next file."""


class FileReader:
    """Reads the files of one thread."""

    def __init__(self) -> None:
        self._free: list[bytearray] = []

    def read(self, path: Path) -> memoryview:
        """The file's bytes, to be handed back with `release`.

        Raises:
            UserError: the file is missing or cannot be read.
        """
        require_file(path)
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a path's own `open` costs twice as much
                size = os.fstat(file.fileno()).st_size
                buffer = self._buffer(size + 1)
                filled = 0
                while count := file.readinto(memoryview(buffer)[filled:]):
                    filled += count
                    if filled == len(buffer):  # it grows while it is read
                        buffer = buffer + bytearray(len(buffer))
        except OSError:
            return memoryview(pictures.read_file(path))  # which has the words for it
        return memoryview(buffer)[:filled]

    def release(self, content: memoryview) -> None:
        """Let the bytes go; nobody may look at them any more."""
        buffer = content.obj
        if isinstance(buffer, bytearray) and len(buffer) <= _KEPT:
            self._free.append(buffer)

    def _buffer(self, size: int) -> bytearray:
        buffer = self._free.pop() if self._free else bytearray()
        return buffer if len(buffer) >= size else bytearray(2 * size)


MOST_AT_WORK = 200_000_000
"""Pixels of decoded pictures, over all threads. At 256x256 that is 1,500 pairs: they never come near it."""
_LOOKED_INTO = 2**18
"""Bytes from which a file's header is read beforehand: a smaller one is no photograph of very many pixels."""


class PixelBudget:
    """Hands out pixels to the threads; who holds some never waits, so that no two can wait for each other."""

    def __init__(self, most: int = MOST_AT_WORK) -> None:
        """
        Args:
            most: pixels at a time; who wants more than that has them alone.
        """
        self._most = most
        self._taken = 0
        self._changed = threading.Condition()

    def take(self, pixels: int, *, wait: bool) -> None:
        """Take pixels, or first wait until there are so many, or nobody holds any."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._taken == 0 or self._taken + pixels <= self._most)
            self._taken += pixels

    def give_back(self, pixels: int) -> None:
        """Let others have them."""
        with self._changed:
            self._taken -= pixels
            self._changed.notify_all()


def pixels_of(content: memoryview | bytes) -> int:
    """Pixels that a picture's file says it has; 0 where it is small, or says nothing that can be read."""
    if len(content) < _LOOKED_INTO:
        return 0
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.width * image.height
    except Exception:  # whatever the damaged bytes lead to; decoding tells it
        return 0


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
