"""SHA-256 of bytes, files and settings; digests of unchanged files are remembered, on request also by later runs."""

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError
from gan_eval.files.atomic import utf8, write_text
from gan_eval.files.reading import read_json, require_file


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of `data` in hex.

    >>> sha256_bytes(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


SETTLED_S = 2.0
"""Seconds after a change during which another change may leave the same time stamp."""
FileState = tuple[str, int, int, int, int]
"""Absolute path, size, inode, and the times (ns) at which content and inode changed."""
_digests: dict[FileState, str] = {}


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes in hex; a file whose state is that of its last hashing is not read again.

    Raises:
        UserError: the file cannot be read.
    """
    status = require_file(path)
    try:
        known = status and known_digest(path, status)
        if not known:
            with Path(path).open("rb") as file:
                status = os.fstat(file.fileno())
                known = hashlib.file_digest(file, "sha256").hexdigest()
                if os.fstat(file.fileno()).st_mtime_ns == status.st_mtime_ns:
                    remember_digest(path, status, known)
        return known
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; restore it") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); fix or remove it") from error


def known_digest(path: Path, status: os.stat_result) -> str | None:
    """SHA-256 of a file in the state in which it was hashed before; None where it was not."""
    return _digests.get(_state_of(path, status))


def remember_digest(path: Path, status: os.stat_result, digest: str) -> None:
    """Remember a file's SHA-256, unless it has changed within the last seconds (`SETTLED_S`).

    Args:
        path: the file.
        status: of the open file, before it was hashed.
        digest: SHA-256 of its bytes in hex.
    """
    if time.time() - max(status.st_mtime, status.st_ctime) > SETTLED_S:
        _digests[_state_of(path, status)] = digest


def _state_of(path: Path, status: os.stat_result) -> FileState:
    return os.path.abspath(path), status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns  # noqa: PTH100


def restore_digests(record: Path) -> None:
    """Remember the digests that an earlier run kept (`keep_digests`): only what has changed since is hashed again."""
    _digests.update(_kept_in(record))


def keep_digests(record: Path) -> None:
    """Keep the digests of files that are still in the state in which they were hashed, for the next run."""
    kept: dict[FileState, str] = {}
    for state, digest in list(_digests.items()):
        with suppress(OSError):  # it has gone
            if _state_of(Path(state[0]), os.stat(state[0])) == state:  # noqa: PTH116
                kept[state] = digest
    if kept != _kept_in(record):
        with suppress(UserError, ValueError):  # a full disk, or names that are no text: the next run hashes again
            write_text(record, json.dumps(list(kept.items())))


def _kept_in(record: Path) -> dict[FileState, str]:
    with suppress(UserError, ValueError, TypeError):  # there is none, or it is damaged
        return {tuple(state): str(digest) for state, digest in read_json(record)}
    return {}


def sha256_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON: sorted keys, no spaces, so equal settings have equal hashes.

    >>> sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256_bytes(utf8(text))
