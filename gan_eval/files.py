"""Files that are either whole or absent: atomic writes, hashes, and the claim on an output folder."""

import errno
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError

OWN_FOLDER = ".gan-eval"
"""The folder inside an output folder that marks it as ours."""


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success fsync it and rename it onto `target`.

    On any error the temporary file is removed and `target` stays as it was.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem[:40]}-", suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise write_error(target, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        flush_to_disk(temporary)
        temporary.replace(target)
        flush_to_disk(target.parent)
    except OSError as error:
        raise write_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes were writing below `folder` through `atomic_path`; no other may be writing there."""
    for path in Path(folder).rglob(".*"):
        if re.fullmatch(r"\..+-[a-z0-9_]{8}(\.\w+)?", path.name) and path.is_file():
            path.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write `text` as UTF-8 with line feeds, whole or not at all."""
    write_bytes(target, text.encode())


def write_bytes(target: Path, data: bytes) -> None:
    """Write `data`, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(data)


def write_json(target: Path, value: Any) -> None:
    """Write `value` as readable JSON, whole or not at all."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        UserError: the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid JSON ({error}); restore it or remove it") from error


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of `data` in hex.

    >>> sha256_bytes(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes in hex.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; restore it") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); mend or remove it") from error


def sha256_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON: sorted keys, no spaces, so equal settings have equal hashes.

    >>> sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256_bytes(text.encode())


def claim_output_folder(folder: Path) -> Path:
    """Make `folder` ours, creating it where needed, and return it.

    A folder is ours when it holds `.gan-eval/`. An empty folder becomes ours.

    Raises:
        UserError: it is a file, or it holds somebody else's files, or it cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out {folder}: is a file; name a folder")
    if folder.is_dir() and not (folder / OWN_FOLDER).is_dir() and any(folder.iterdir()):
        raise UserError(
            f"--out {folder}: not empty and not written by gan_eval (no {OWN_FOLDER}/ in it); name an empty folder"
        )
    try:
        (folder / OWN_FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder


def write_error(target: Path, error: OSError) -> UserError:
    """The user's line for a failed write."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return UserError(f"{target}: the disk is full; free some space and give the same command again")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return UserError(f"{target}: no permission to write; choose another place or mend the permissions")
        case _:
            return UserError(f"{target}: cannot be written ({error.strerror or error})")


def flush_to_disk(path: Path) -> None:
    """fsync a file or a folder; Windows, which opens no folders, keeps their entries itself."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
