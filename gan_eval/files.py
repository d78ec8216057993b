"""Files that are either whole or absent: atomic writes, hashes, the claim on an output folder, and who else uses
a SQLite file."""

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
import stat
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gan_eval.errors import UserError, shortened

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


def require_file(path: Path) -> os.stat_result | None:
    """Refuse what may have no end, or is waited for without end; whoever opens the path tells all other trouble.

    Returns:
        The file's status; None where it has none.

    Raises:
        UserError: a pipe, a socket or a device.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - a path's own `stat` costs twice as much
    except (OSError, ValueError):
        return None
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise UserError(f"{path}: a pipe, socket or device, not a file; name a file")
    return status


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        UserError: the file is missing or is not JSON.
    """
    try:
        return json.loads(_read_text(path, "; mend or remove it"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON ({syntax_problem(error)}); restore it or remove it") from error


def read_record(path: Path, **kinds: type) -> dict[str, Any]:
    """Read one of our own records: a JSON object.

    Args:
        path: the record.
        **kinds: type of each field that it must have.

    Raises:
        UserError: the file is missing, is not JSON, or lacks one of these fields.
    """
    record = read_json(path)
    if not (isinstance(record, dict) and all(type(record.get(name)) is kind for name, kind in kinds.items())):
        wanted = ", ".join(kinds) or "a JSON object"
        raise UserError(f"{path}: damaged: {wanted} not found in it; restore it, or name another folder")
    return record


def read_toml(path: Path) -> dict[str, Any]:
    """Read TOML.

    Raises:
        UserError: the file is missing, cannot be read or is not TOML in UTF-8.
    """
    try:
        return tomllib.loads(_read_text(path, ""))
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text; TOML is text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid TOML: {syntax_problem(error)}") from error


def _read_text(path: Path, advice: str) -> str:
    """A file's text in UTF-8; `advice` ends the message where it cannot be read.

    Raises:
        UserError: it is missing, or cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    require_file(path)
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}){advice}") from error


def syntax_problem(error: ValueError | RecursionError) -> str:
    """What a reader of JSON or TOML says; it also fails on depth, and on numbers of thousands of digits.

    >>> syntax_problem(RecursionError("maximum recursion depth exceeded"))
    'nested too deeply'
    """
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).partition("; use sys.")[0]


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of `data` in hex.

    >>> sha256_bytes(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


SETTLED_S = 2.0
"""A file that changed less than so many seconds ago may change again within its time stamp's resolution."""
FileState = tuple[str, int, int, int, int]
"""Absolute path, size, inode, and the times (ns) at which content and inode changed."""
_digests: dict[FileState, str] = {}
_earlier_digests: dict[FileState, str] = {}


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
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); mend or remove it") from error


def known_digest(path: Path, status: os.stat_result) -> str | None:
    """SHA-256 of a file in the state in which it was hashed before; None where it was not."""
    state = _state_of(path, status)
    if (earlier := _earlier_digests.pop(state, None)) is not None:  # in one step: several threads read one picture
        _digests[state] = earlier
    return _digests.get(state)


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


def remembered_digests() -> str:
    """What this process hashed or looked up, as text for `restore_digests` of a later one."""
    return json.dumps([[*state, digest] for state, digest in list(_digests.items())])


def restore_digests(text: str) -> None:
    """Take over what an earlier process remembered."""
    _earlier_digests.update({tuple(state): digest for *state, digest in json.loads(text)})


def sha256_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON: sorted keys, no spaces, so equal settings have equal hashes.

    >>> sha256_json({"a": 1, "b": 2}) == sha256_json({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256_bytes(utf8(text))


def relative_path(place: Path, folder: Path) -> str:
    """A place as seen from a folder: it still holds when both are moved together. Absolute on another drive."""
    try:
        return Path(os.path.relpath(place.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return place.resolve().as_posix()


def check_output_folder(folder: Path) -> None:
    """See, before any work is done, that `claim_output_folder` will be able to; nothing is made yet.

    Raises:
        UserError: it is a file, or it holds somebody else's files or a linked folder, or it cannot be written.
    """
    folder = Path(folder)
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"--out {folder}: is a file; name a folder")
        if folder.is_dir() and not (folder / OWN_FOLDER).is_dir() and any(folder.iterdir()):
            raise UserError(
                f"--out {folder}: not empty and not written by gan_eval (no {OWN_FOLDER}/ in it); name an empty folder"
            )
        refuse_links(folder)
    except OSError as error:
        raise write_error(folder, error) from error
    _check_place(folder, "--out")


_JUNCTION = 0xA0000003
"""Marks a folder that Windows leads elsewhere (`mklink /J`), which is no symbolic link."""


def refuse_links(folder: Path) -> None:
    """Refuse an output folder with a linked folder in it: what is written or removed there would be elsewhere.

    The output folder itself may be a link, say to a larger disk. So may its files, which are replaced and never written
    into, but for those in `.gan-eval/`.

    Raises:
        UserError: a folder below it, or anything in `.gan-eval/`, is a symbolic link or a junction.
    """
    for here, folders, files in os.walk(folder):
        is_own = OWN_FOLDER in Path(here).relative_to(folder).parts
        for path in (os.path.join(here, name) for name in (*folders, *(files if is_own else ()))):  # noqa: PTH118
            if _is_link(path):
                raise UserError(
                    f"--out {folder}: {path} is a link, and what is written there would land elsewhere; remove the "
                    "link, or name another folder"
                )


def _is_link(path: str) -> bool:
    try:
        status = os.lstat(path)
    except FileNotFoundError:  # another process has just removed it
        return False
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION


def check_output_file(file: Path, *, option: str = "--out") -> None:
    """See, before any work is done, that a file can be written; nothing is made yet.

    Raises:
        UserError: it is a folder, or there cannot be such a file.
    """
    file = Path(file)
    if os.path.isdir(file):  # noqa: PTH112 - a path's own method fails where a folder may not be looked into
        raise UserError(f"{option} {file}: is a folder; name a file")
    _check_place(file.parent, option, what=file)


def _check_place(folder: Path, option: str, *, what: Path | None = None) -> None:
    """Refuse a place where nothing can be made.

    Raises:
        UserError: nothing can be made in `folder`, which need not be there yet.
    """
    folder = folder.absolute()
    existing = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not os.path.isdir(existing):  # noqa: PTH112
        raise UserError(f"{option} {what or folder}: {existing} is a file; name another place")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise write_error(what or folder, PermissionError(errno.EACCES, ""))


def claim_output_folder(folder: Path, *, private: bool = True) -> Path:
    """Make `folder` ours, creating it where needed, and return it.

    A folder is ours when it holds `.gan-eval/`. An empty folder becomes ours.

    Args:
        folder: which.
        private: what is created is for this user alone; else as the user's umask says.

    Raises:
        UserError: it is a file, or it holds somebody else's files or a linked folder, or it cannot be written.
    """
    folder = Path(folder)
    check_output_folder(folder)
    try:
        make_folder(folder / OWN_FOLDER, private=private)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder


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


SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises: its complaint about a damaged schema quotes bytes of the file, which need not be UTF-8."""


def database_message(error: BaseException) -> str:
    """The first line of what SQLite or another database says."""
    message = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
    return (message.splitlines() or [""])[0] or type(error).__name__


def write_ahead(connection: sqlite3.Connection, *, patience_s: float) -> None:
    """Turn on the write-ahead log; SQLite's own patience does not cover two programs that do so at once.

    Raises:
        sqlite3.OperationalError: another program holds the file for longer than `patience_s`.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def who_holds(path: Path) -> str:
    """Which other programs have locked a SQLite file, or else have it open, as far as the system tells; for messages.

    Linux alone tells it, and of other users' programs that lock nothing not even Linux.
    """
    processes = _lockers(path) or _openers(path)
    names = []
    for number in sorted(processes)[:3]:
        try:
            command = Path(f"/proc/{number}/comm").read_text(errors="replace").strip()
        except OSError:
            command = "already gone"
        names.append(f"process {number} ({command})")
    return " and ".join(names) or "another program"


def _lockers(path: Path) -> set[int]:
    """The processes that hold a lock on the file or on what SQLite keeps beside it."""
    inodes, processes = set(), set()
    for name in (path.name, f"{path.name}-shm", f"{path.name}-wal"):
        with suppress(OSError):
            inodes.add(str(path.with_name(name).stat().st_ino))
    with suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():  # 1: POSIX ADVISORY WRITE 4711 08:01:1234 120 120
            words = line.split()
            if len(words) > 5 and words[1] != "->" and words[5].rpartition(":")[2] in inodes:
                processes.add(int(words[4]))
    return {number for number in processes if number > 0 and number != os.getpid()}


def _openers(path: Path) -> set[int]:
    """The processes that have the file open."""
    processes = set()
    with suppress(OSError):
        same = path.stat()
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):
                opened = link.stat()
                if (opened.st_dev, opened.st_ino) == (same.st_dev, same.st_ino):
                    processes.add(int(link.parts[2]))
    return processes - {os.getpid()}
