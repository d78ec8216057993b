"""Arrays in files of NumPy (.npy, .npz): what their headers promise, checked before anything is allocated."""

import io
import math
import zipfile
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from gan_eval.base.errors import UserError
from gan_eval.base.limits import require_small, size_text

_MAX_HEAD = 16_384
"""Number of bytes that NumPy's own headers stay below (10,000), with the magic."""


class ArrayHead(NamedTuple):
    """Contents of an array's header."""

    shape: tuple[int, ...]
    in_fortran_order: bool
    dtype: np.dtype[Any]
    offset: int
    """Place of the first number after the start."""

    @property
    def size(self) -> int:
        """Number of bytes of its numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def array_head(file: IO[bytes]) -> ArrayHead:
    """Read the header of an array from its start; a few thousand bytes are read, whatever it says.

    Raises:
        ValueError: it is damaged.
    """
    start = io.BytesIO(file.read(_MAX_HEAD))
    version = np.lib.format.read_magic(start)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_fortran_order, dtype = read(start)
    if min(shape, default=0) < 0:
        raise ValueError(f"the shape {shape} has a negative number")
    return ArrayHead(shape, in_fortran_order, dtype, start.tell())


def require_whole(head: ArrayHead, held: int, what: str) -> None:
    """Refuse an array whose header promises more than its file holds: `held` bytes, with the header."""
    if head.offset + head.size > held and not head.dtype.hasobject:
        raise UserError(
            f"{what}: promises {size_text(head.size)} ({' x '.join(map(str, head.shape))} {head.dtype}), and the file "
            f"holds {size_text(max(0, held - head.offset))}; restore it"
        )


def require_small_arrays(path: Path, *names: str) -> None:
    """Refuse an array that promises more than its file holds, or more than the limit (`gan_eval.base.limits`).

    Args:
        path: a file .npy; or one .npz, of which only these arrays are checked.

    Raises:
        UserError: with the array's name.
        Exception: the file is damaged, as NumPy and zipfile raise.
    """
    if path.suffix.lower() == ".npy":
        with path.open("rb") as file:
            _require_small(array_head(file), path.stat().st_size, str(path))
        return
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if (name := member.filename.removesuffix(".npy")) in names:
                with archive.open(member) as file:
                    _require_small(array_head(file), member.file_size, f"{path}: {name}")


def _require_small(head: ArrayHead, held: int, what: str) -> None:
    require_whole(head, held, what)
    require_small(head.size, what)
