"""Atomic writes (a file is complete or absent), a lock for one writer, private files, messages of failed writes."""

import errno
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gan_eval.base.errors import UserError, shortened
from gan_eval.base.reading import require_file

OWN_FOLDER = ".gan-eval"
"""The folder inside an output folder that marks it as written by gan_eval."""


def make_private() -> None:
    """Make new files of this process and its child processes private to their user; call it once, at the start.

    It also applies to files written by libraries. Windows has its own rules.
    """
    before = os.umask(0o077)
    os.environ.setdefault(_MASK, str(before))  # a command may start itself again


_MASK = "GAN_EVAL_UMASK"
"""Variable with the user's own mask of permissions, which `make_private` sets."""


def share_with_group(file: Path) -> None:
    """Make a file readable by its user's group, if the user's own mask of permissions lets the group read new files.

    The group may then also enter, but not list, an output folder around it, whose other files are private.
    """
    permit_group(file, 0o040)
    if (file.parent / OWN_FOLDER).is_dir():
        permit_group(file.parent, 0o010)


def permit_group(path: Path, mode: int) -> None:
    """Add permissions of the user's group to a file or folder, as far as the user's own mask lets new files have them.

    Args:
        mode: 0o040 (read) or 0o010 (enter).
    """
    path.chmod(path.stat().st_mode | (mode & ~int(os.environ.get(_MASK, 0o077))))


def make_public(folder: Path) -> None:
    """Make a folder and what is in it readable by everybody whom the user's own mask of permissions allows."""
    mask = int(os.environ.get(_MASK, 0o022))
    for path in (folder, *folder.rglob("*")):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~mask)


def temporary_name(name: str) -> str:
    """Return a new hidden name for a file that becomes `name` when complete; it keeps the suffix.

    >>> is_temporary_name(temporary_name("a.png")), is_temporary_name(".a-notes.png")
    (True, False)
    """
    path = Path(name)
    stem, suffix = path.stem[:40], path.suffix if len(path.suffix) <= 16 else ""  # a name has at most 255 bytes
    return f".{stem}.gan-eval-{os.urandom(6).hex()}.tmp{suffix}"


def is_temporary_name(name: str) -> bool:
    """Return True for a name from `temporary_name`, or one that SQLite derived from it."""
    return _TEMPORARY.fullmatch(name) is not None


_TEMPORARY = re.compile(r"\.(.+)\.gan-eval-[0-9a-f]{12}\.tmp(\.[^.]+?)?(-wal|-shm|-journal)?", re.DOTALL)


class LockedError(UserError):
    """Another process holds a lock."""


@contextmanager
def system_lock(lock: Path, refusal: Callable[[], str], *, patience_s: float = 0.0) -> Iterator[None]:
    """Hold the system's lock on a file while the block runs.

    Args:
        lock: the lock file; its folder is created if needed.
        refusal: returns the message if another process holds the lock for longer than `patience_s`.

    Raises:
        UserError: another process holds the lock, or the file cannot be written.
    """
    from filelock import FileLock, Timeout  # not at the top: the quiz does not need it at its start

    for last in (False, True):
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            file_lock = FileLock(lock, timeout=patience_s, mode=0o600, poll_interval=0.02)
            file_lock.acquire()
            break
        except Timeout as error:
            raise LockedError(refusal()) from error
        except OSError as error:  # once: the process that held the lock may just have removed the folder
            if last or not isinstance(error, FileNotFoundError):
                raise write_error(lock, error) from error
    try:
        yield
    finally:
        file_lock.release()


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path next to `target`; on success fsync it and rename it to `target`.

    On any error the temporary file is removed and `target` stays as it was.
    """
    target = Path(target)
    if target.exists() and not target.is_file():
        require_file(target)  # root could replace a device
    temporary = target.parent / temporary_name(target.name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
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


def rename_new(source: Path, target: Path) -> None:
    """Rename a file in one step; never replace another one.

    Raises:
        FileExistsError: `target` exists.
    """
    if os.name == "nt":
        source.rename(target)  # replaces nothing there
        return
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, such as that of a memory stick
        target.touch(exist_ok=False)
        source.replace(target)
    else:
        source.unlink()


@contextmanager
def temporary_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield a new folder in `parent` for unfinished results; it is removed at the end."""
    folder = Path(parent) / temporary_name(name)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(folder: Path, *, older_than_s: float = 0.0) -> None:
    """Remove temporary files and folders of killed processes in `folder` and below.

    Only names from `temporary_name` are removed; other hidden folders are not entered.

    Args:
        older_than_s: keep what has changed within this number of seconds. With 0, no other process may be writing.
    """
    for here, folders, names in os.walk(folder):
        for name in filter(is_temporary_name, (*folders, *names)):
            _remove_leftover(Path(here, name), older_than_s)
        folders[:] = [name for name in folders if name == OWN_FOLDER or not name.startswith(".")]


def remove_leftovers_of(target: Path) -> None:
    """Remove temporary files that killed processes left while writing `target`; no other process may be writing it."""
    target_name = _TEMPORARY.fullmatch(temporary_name(target.name))
    for path in target.parent.glob(".*"):
        if target_name and (match := _TEMPORARY.fullmatch(path.name)) and match.group(1, 2) == target_name.group(1, 2):
            _remove_leftover(path, 0.0)


def _remove_leftover(path: Path, older_than_s: float) -> None:
    with suppress(OSError):  # a leftover is harmless
        if older_than_s and time.time() - path.lstat().st_mtime <= older_than_s:
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def write_text(target: Path, text: str) -> None:
    """Write `text` as UTF-8 with line feeds, whole or not at all.

    A byte of a file's name that is not UTF-8 is written as `\\udcff`; JSON reads it back.
    """
    write_bytes(target, text.encode(errors="backslashreplace"))


def write_bytes(target: Path, data: bytes) -> None:
    """Write `data`, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(data)


def write_json(target: Path, value: Any) -> None:
    """Write `value` as readable JSON, whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_bytes(target, text.encode(errors="backslashreplace"))  # as in `write_text`


def write_error(target: Path | str, error: OSError, what: str = "written") -> UserError:
    """Return the user's message for a failed write; `what` names another failed operation, such as `removed`."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return UserError(f"{target}: the disk is full; free some space and repeat the command")
        case errno.EACCES | errno.EPERM | errno.EROFS:
            verb = "write" if what == "written" or error.errno == errno.EROFS else "use it"
            return UserError(f"{target}: no permission to {verb}; choose another place or fix the permissions")
        case errno.EISDIR:
            return UserError(f"{target}: is a folder, and a file belongs there; remove or rename the folder")
        case errno.ENAMETOOLONG:
            return UserError(f"{shortened(str(target), 200)}: this name is too long; choose a shorter one")
        case _:
            return UserError(f"{target}: cannot be {what} ({error.strerror or error})")


def flush_to_disk(path: Path) -> None:
    """fsync a file or a folder; a folder on Windows is skipped, because it cannot be opened."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
