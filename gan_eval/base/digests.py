"""SHA-256 of bytes, files and settings, with a cache for unchanged files that can be saved for later runs."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gan_eval.base.atomic import write_text
from gan_eval.base.errors import UserError
from gan_eval.base.reading import read_json, require_file


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of `data` in hex.

    >>> sha256_bytes(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


SETTLED_S = 2.0
"""Time in seconds after a change within which another change may have the same time stamp."""
FileState = tuple[str, int, int, int, int]
"""Absolute path, size, inode, and the times in ns at which content and inode changed."""
_digests: dict[FileState, str] = {}


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex; a file that was hashed before and has not changed is not read."""
    status = require_file(path)
    try:
        digest = status and _digests.get(_state_of(path, status))
        if not digest:
            with Path(path).open("rb") as file:
                status = os.fstat(file.fileno())
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                is_unchanged = os.fstat(file.fileno()).st_mtime_ns == status.st_mtime_ns
            if is_unchanged and time.time() - max(status.st_mtime, status.st_ctime) > SETTLED_S:
                _digests[_state_of(path, status)] = digest
        return digest
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; restore it") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); fix or remove it") from error


@contextmanager
def unchanged(*paths: Path) -> Iterator[None]:
    """Refuse files that another program writes while the block reads and hashes them; else the hash may be of others.

    Raises:
        UserError: a file has changed.
    """
    before = [_state_of(path, status) for path in paths if (status := require_file(path))]
    yield
    for path in paths:
        status = require_file(path)
        if status and _state_of(path, status) not in before:
            raise UserError(f"{path}: was written while it was read; give the command again when it is complete")


def _state_of(path: Path, status: os.stat_result) -> FileState:
    return os.path.abspath(path), status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns  # noqa: PTH100


def restore_digests(record: Path) -> None:
    """Load the digests that an earlier run saved by `keep_digests`, so that only changed files are hashed again."""
    _digests.update(_kept_in(record))


def keep_digests(record: Path) -> None:
    """Save the digests of files that have not changed since they were hashed, for the next run."""
    kept: dict[FileState, str] = {}
    for state, digest in list(_digests.items()):
        with suppress(OSError):  # the file was removed
            if _state_of(Path(state[0]), os.stat(state[0])) == state:  # noqa: PTH116
                kept[state] = digest
    if kept != _kept_in(record):
        with suppress(UserError, ValueError):  # a full disk, or a name that is not text; the next run hashes again
            write_text(record, json.dumps(list(kept.items())))


def _kept_in(record: Path) -> dict[FileState, str]:
    with suppress(UserError, ValueError, TypeError):  # missing or damaged
        return {tuple(state): str(digest) for state, digest in read_json(record)}
    return {}


def sha256_json(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON (sorted keys, no spaces): equal settings have equal hashes.

    >>> sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()
