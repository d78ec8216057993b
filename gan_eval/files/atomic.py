"""Files that are whole or absent: atomic writes, private files and folders, errors of writing."""

import errno
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError, shortened
from gan_eval.files.reading import require_file

OWN_FOLDER = ".gan-eval"
"""The folder inside an output folder that marks it as ours."""


def make_private() -> None:
    """Let this process and those that it starts make files and folders for their user alone; once, at its start.

    It reaches what other libraries write. Windows has rules of its own for this.
    """
    os.umask(0o077)


def make_folder(folder: Path, *, private: bool = True) -> None:
    """Make a folder and those above it where they are missing, for this user alone; one that is there stays as it is.

    Args:
        folder: which.
        private: others may not look into the new ones; else what the user's umask says.

    Raises:
        OSError: it cannot be made, or is a file.
    """
    folder = Path(folder)
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_folder(folder.parent, private=private)
    folder.mkdir(mode=0o700 if private else 0o777, exist_ok=True)


def make_file(path: Path, *, private: bool = True) -> None:
    """Make an empty file, for this user alone, or else as the user's umask says.

    Raises:
        OSError: it cannot be made; `FileExistsError`: it is there, and stays as it is.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if private else 0o666))


def temporary_name(name: str) -> str:
    """A new name, hidden, for what becomes `name` when it is whole; it keeps the suffix, by which writers choose.

    >>> is_temporary_name(temporary_name("a.png")), is_temporary_name(".a-notes.png")
    (True, False)
    """
    stem, suffix = _stem_and_suffix(name)
    return f".{stem}.gan-eval-{secrets.token_hex(6)}.tmp{suffix}"


def is_temporary_name(name: str) -> bool:
    """Whether `temporary_name` made this name, or SQLite made it from such a one."""
    return _is_temporary_name(name, r".+", r"(\.[^.]+)?")


def _is_temporary_name(name: str, stem: str, suffix: str) -> bool:
    pattern = rf"\.{stem}\.gan-eval-[0-9a-f]{{12}}\.tmp{suffix}(-wal|-shm|-journal)?"
    return re.fullmatch(pattern, name, re.DOTALL) is not None


def _stem_and_suffix(name: str) -> tuple[str, str]:
    """The parts of a name in its temporary names, short enough that these stay within 255 bytes."""
    path = Path(name)
    return path.stem[:40], path.suffix if len(path.suffix) <= 16 else ""


@contextmanager
def atomic_path(target: Path, *, private: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success fsync it and rename it onto `target`.

    On any error the temporary file is removed and `target` stays as it was.

    Args:
        target: the file that is to be.
        private: for this user alone; else as the user's umask says.

    Raises:
        UserError: the disk is full or the folder cannot be written.
    """
    target = Path(target)
    require_file(target)  # not even root replaces a device
    temporary = target.parent / temporary_name(target.name)
    try:
        make_folder(target.parent, private=private)
        make_file(temporary, private=private)
    except OSError as error:
        raise write_error(target, error) from error
    try:
        yield temporary
        flush_to_disk(temporary)
        temporary.replace(target)
        flush_to_disk(target.parent)
    except OSError as error:
        raise write_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield a new folder in `parent`, for what is moved out of it when it is whole; it is removed at the end."""
    folder = Path(parent) / temporary_name(name)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(folder: Path, *, older_than_s: float = 0.0) -> None:
    """Remove what killed processes left of `atomic_path` and `temporary_folder` in `folder` and below.

    Only what has a name that `temporary_name` makes goes; hidden folders other than ours are not entered.

    Args:
        folder: nobody else may be writing there,
        older_than_s: or only what has not changed for so many seconds goes.
    """
    for here, folders, names in os.walk(folder):
        for name in filter(is_temporary_name, (*folders, *names)):
            _remove_leftover(Path(here, name), older_than_s)
        folders[:] = [name for name in folders if name == OWN_FOLDER or not name.startswith(".")]


def remove_leftovers_of(target: Path) -> None:
    """Remove what killed processes left of writing `target`; nobody else may be writing it."""
    stem, suffix = (re.escape(part) for part in _stem_and_suffix(target.name))
    for path in target.parent.glob(".*"):
        if _is_temporary_name(path.name, stem, suffix):
            _remove_leftover(path, 0.0)


def _remove_leftover(path: Path, older_than_s: float) -> None:
    with suppress(OSError):  # it does no harm where it stays
        if older_than_s and time.time() - path.lstat().st_mtime <= older_than_s:
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def write_text(target: Path, text: str, *, private: bool = True) -> None:
    """Write `text` as UTF-8 with line feeds, whole or not at all.

    A byte of a file's name that is no UTF-8 is written as `\\udcff`, which JSON reads as it was.
    """
    write_bytes(target, utf8(text), private=private)


def utf8(text: str) -> bytes:
    """Text as UTF-8; what has none is written in the way of JSON and Python, such as `\\udcff`."""
    return text.encode(errors="backslashreplace")


def write_bytes(target: Path, data: bytes, *, private: bool = True) -> None:
    """Write `data`, whole or not at all."""
    with atomic_path(target, private=private) as temporary:
        temporary.write_bytes(data)


def write_json(target: Path, value: Any, *, private: bool = True) -> None:
    """Write `value` as readable JSON, whole or not at all."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False) + "\n", private=private)


def write_error(target: Path | str, error: OSError, what: str = "written") -> UserError:
    """The user's line for a failed write, or another use of a file."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return UserError(f"{target}: the disk is full; free some space and give the same command again")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            verb = "write" if what == "written" or error.errno == errno.EROFS else "use it"
            return UserError(f"{target}: no permission to {verb}; choose another place or mend the permissions")
        case errno.EISDIR:
            return UserError(f"{target}: is a folder, and a file belongs there; remove or rename the folder")
        case errno.ENAMETOOLONG:
            return UserError(f"{shortened(str(target), 200)}: this name is too long; choose a shorter one")
        case _:
            return UserError(f"{target}: cannot be {what} ({error.strerror or error})")


def flush_to_disk(path: Path) -> None:
    """fsync a file or a folder; Windows, which opens no folders, keeps their entries itself."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
