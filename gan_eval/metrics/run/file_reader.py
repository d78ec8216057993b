"""Reading files into memory that is used again: taking fresh memory for each costs as much as the reading itself."""

import os
from pathlib import Path

from gan_eval.files import require_file
from gan_eval.stimuli import pictures

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
