"""Locks: one process at a time, and who it is.

The system's own lock goes with its process, however that ends, so that nobody has to guess whether the number of a
process still means the same one. The record in the file says who holds it. It decides only where the system cannot: of
another machine, and on a file system without locks.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files import OWN_FOLDER, check_output_folder, claim_output_folder, make_folder, write_error

_BEYOND = 1 << 30
"""Windows locks bytes, which nobody else can read then: this one is beyond all that is written in such files."""

_ATTEMPTS = 50
"""File and folder may be removed, by whoever had the lock until now, between any two steps."""


def wait_for_lock(handle: int, *, patience_s: float) -> bool:
    """Lock a file or a folder for this process until the handle is closed; False: another one has it for too long.

    Args:
        handle: of an open file; on Windows none of a folder.
        patience_s: how long is waited for another process.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            if sys.platform == "win32":
                import msvcrt

                os.lseek(handle, _BEYOND, os.SEEK_SET)
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if sys.platform != "win32" and not isinstance(error, BlockingIOError):
                return True  # a file system without locks
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock."""

    process: int
    machine: str
    since: str
    """In UTC, to the minute."""
    life: str
    """See `_life`."""


@contextmanager
def hold_folder(folder: Path, *, private: bool = True) -> Iterator[Path]:
    """Claim an output folder and hold it while the block runs; another process that wants it is refused at once.

    Args:
        folder: which; made where it is missing.
        private: what is created is for this user alone; else as the user's umask says.

    Raises:
        UserError: as for `claim_output_folder`; or another process has the folder.
    """
    folder = Path(folder)
    check_output_folder(folder)
    with hold_lock(folder / OWN_FOLDER / "folder.lock", f"--out {folder}", "writing there", private=private):
        yield claim_output_folder(folder, private=private)


@contextmanager
def hold_lock(
    lock: Path, place: str, doing: str, *, private: bool = True, say: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold a lock while the block runs; another process that wants it is refused at once. The file goes at the end.

    The lock of a process that was killed is taken over.

    Args:
        lock: the file, whose folder is made where it is missing.
        place: what messages begin with, such as `--out RUN`.
        doing: what is done, such as `training there`.
        private: folders that are made are for this user alone; else as the user's umask says.
        say: told of a lock that is taken over.

    Raises:
        UserError: another process has it, or had it on another machine; or the file cannot be written.
    """
    made = [folder for folder in (lock.parent, lock.parent.parent) if not folder.exists()]
    try:
        handle = _lock(lock, private=private)
    except OSError as error:
        raise write_error(lock, error) from error
    if handle is None:
        raise UserError(_refusal(_record_of_holder(lock), place, doing))
    try:
        earlier, here = _record(lock), socket.gethostname()
        if earlier is not None:
            if earlier.machine != here:
                raise UserError(
                    f"{place}: process {earlier.process} of the machine {earlier.machine} has been {doing} since "
                    f"{earlier.since}; whether it still is cannot be checked from {here}: wait for it, or, where it "
                    f"has ended, remove {lock}"
                )
            if earlier.life and earlier.life == _life(earlier.process):  # a file system without locks
                raise UserError(_refusal(earlier, place, doing))
            if say is not None:
                say(
                    f"{place}: process {earlier.process}, which was {doing} since {earlier.since}, has ended "
                    "without a word; its lock is taken over"
                )
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        text = json.dumps(asdict(Holder(os.getpid(), here, now, _life(os.getpid()))))
        try:
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, text.encode())
        except OSError as error:
            raise write_error(lock, error) from error
        try:
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(handle, 0)  # a file without a record is nobody's, wherever it cannot be removed
                lock.unlink()  # Windows removes no open file
    finally:
        os.close(handle)
        if sys.platform == "win32" and _record(lock) is None:
            with suppress(OSError):
                lock.unlink()
        with suppress(OSError):  # the folders that were made for the lock alone
            if made and not any(made[0].iterdir()) and not any(path != made[0] for path in made[0].parent.iterdir()):
                for folder in made:
                    folder.rmdir()


def refuse_if_held(lock: Path, place: str, doing: str, *, say: Callable[[str], None] | None = None) -> None:
    """Refuse early what `hold_lock` would refuse; nothing is made.

    Raises:
        UserError: another process has the lock, or had it on another machine.
    """
    if lock.exists():
        with hold_lock(lock, place, doing, say=say):
            pass


def _lock(lock: Path, *, private: bool) -> int | None:
    """Return the handle of the locked file; None: another process has it.

    A link is not followed: what it leads to would be emptied.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    for attempt in range(_ATTEMPTS):
        make_folder(lock.parent, private=private)
        try:
            handle = os.open(lock, flags, 0o600)
        except FileNotFoundError:
            if attempt == _ATTEMPTS - 1:
                raise
            continue
        if not wait_for_lock(handle, patience_s=0.0):
            os.close(handle)
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(lock)):  # noqa: PTH116
                return handle
        os.close(handle)
    return None


def _record(lock: Path) -> Holder | None:
    try:
        holder = Holder(**json.loads(lock.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):  # nobody's, or a disk that was full
        return None
    texts = (holder.machine, holder.since, holder.life)
    return holder if type(holder.process) is int and all(isinstance(text, str) for text in texts) else None


def _record_of_holder(lock: Path) -> Holder | None:
    """The record of who has the lock, and may be about to write it."""
    for _ in range(25):
        if (holder := _record(lock)) is not None:
            return holder
        time.sleep(0.02)
    return None


def _refusal(holder: Holder | None, place: str, doing: str) -> str:
    who = "another process has been"
    since = ""
    if holder is not None:
        who, since = f"process {holder.process} on {holder.machine} has been", f" since {holder.since}"
    return f"{place}: {who} {doing}{since}; wait for it, or end it"


def _life(process: int) -> str:
    """What tells a process from a later one of the same number: the boot, and its start. Empty where it does not run.

    Linux alone tells it.
    """
    try:
        words = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "" if words[0] in "ZX" else f"{boot} {words[19]}"
