"""The limit of size for what is read from files of others: the size that a file states is checked before it is read."""

import csv
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gan_eval.base.errors import UserError
from gan_eval.base.reading import read_bytes, require_file

LARGEST_MEMBER = 500_000_000
"""Maximum number of bytes of one member of an archive, array, cell or table, unless `--largest-member` raises it."""
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_PIECE = 2**20
VARIABLE = "GAN_EVAL_LARGEST_MEMBER"
"""Variable of the environment that has the limit where `--largest-member` is not given."""
_given: int | None = None


@contextmanager
def members_up_to(size: int) -> Iterator[None]:
    """Read members of at most `size` bytes inside, in place of `LARGEST_MEMBER`."""
    global _given
    before, _given = _given, size
    try:
        yield
    finally:
        _given = before


def largest_member() -> int:
    """Return the number of bytes that a member may have."""
    if _given is not None:
        return _given
    text = os.environ.get(VARIABLE)
    return parse_size(text, VARIABLE) if text else LARGEST_MEMBER


def parse_size(text: str, option: str = "--largest-member") -> int:
    """Return the number of bytes of a size; `option` is for messages.

    Raises:
        UserError: the text is not a size.

    >>> parse_size("2GB"), parse_size("1.5 mb"), parse_size("700")
    (2000000000, 1500000, 700)
    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Z]{0,2})", text.strip().upper())
    if match is None or match[2] not in _UNITS:
        raise UserError(f"{option} {text}: expected a size such as 700MB or 2GB")
    return int(float(match[1]) * _UNITS[match[2]])


def size_text(size: int) -> str:
    """Return a size for messages.

    >>> size_text(600_000_000), size_text(3_220_000_000), size_text(12)
    ('600 MB', '3.22 GB', '12 B')
    """
    unit = next((name for name in ("TB", "GB", "MB", "KB") if size >= _UNITS[name]), "B")
    return f"{size / _UNITS[unit]:,.3g} {unit}" if size < 10**15 else f"{size / 10**12:.0e} TB"


def require_small(size: int, what: str) -> None:
    """Refuse what is larger than the limit; `what` names it in the message.

    Raises:
        UserError: with the option that raises the limit.
    """
    if size > (limit := largest_member()):
        unit = "GB" if size > 10**9 else "MB" if size > 10**6 else "KB"
        enough = f"{math.ceil(size / _UNITS[unit])}{unit}"
        raise UserError(
            f"{what}: has {size_text(size)}, more than the {size_text(limit)} that are read; if that is right, raise "
            f"the limit: --largest-member {enough} (or {VARIABLE}={enough})"
        )


def require_small_parquet(path: Path | IO[bytes], what: str = "") -> None:
    """Refuse a Parquet table that states more numbers, or more bytes when unpacked, than the limit.

    Args:
        what: names it in the message; default: the path.

    Raises:
        Exception: it cannot be read.
    """
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        facts = file.metadata
        numbers = facts.num_rows * facts.num_columns * 8  # equal ones take no place in the file
        require_small(
            max(numbers, sum(facts.row_group(at).total_byte_size for at in range(facts.num_row_groups))),
            what or str(path),
        )


def read_small(path: Path, *, what: str = "file") -> bytes:
    """Read a file as `gan_eval.base.reading.read_bytes` does, but refuse one beyond the limit before reading it."""
    if (status := require_file(path)) is not None:
        require_small(status.st_size, str(path))
    return read_bytes(path, what=what)


@contextmanager
def long_cells() -> Iterator[None]:
    """Let Python's csv read cells up to the limit inside; its own limit is 131,072 characters."""
    before = csv.field_size_limit(min(largest_member(), 2**31 - 1))
    try:
        yield
    finally:
        csv.field_size_limit(before)


def copy_small(source: IO[bytes], target: IO[bytes], what: str) -> None:
    """Copy bytes piece by piece, and stop where they exceed the limit, whatever their container has stated."""
    done = 0
    while piece := source.read(_PIECE):
        done += len(piece)
        require_small(done, what)
        target.write(piece)
