"""Locks: one process at a time, and which process has one.

The system's own lock (filelock) ends with its process, however that ends.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER, make_folder, write_error
from gan_eval.files.output_folders import check_output_folder, claim_output_folder


@contextmanager
def hold_folder(folder: Path, *, private: bool = True) -> Iterator[Path]:
    """Claim an output folder and hold it while the block runs; another process that wants it is refused.

    Args:
        folder: made where it is missing.
        private: what is created is for this user alone; else as the user's umask says.

    Raises:
        UserError: as for `claim_output_folder`; or another process has the folder.
    """
    folder = Path(folder)
    check_output_folder(folder)
    with hold_lock(folder / OWN_FOLDER / "folder.lock", f"--out {folder}", "writing there", private=private):
        yield claim_output_folder(folder, private=private)


@contextmanager
def hold_lock(lock: Path, place: str, doing: str, *, private: bool = True) -> Iterator[None]:
    """Hold a lock while the block runs; another process that wants it is refused. Its file is removed at the end.

    Args:
        lock: the lock file, whose folder is made where it is missing.
        place: beginning of the message, such as `--out RUN`.
        doing: the activity, such as `training there`.
        private: folders that are made are for this user alone; else as the user's umask says.

    Raises:
        UserError: another process has it, or the file cannot be written.
    """
    made = [folder for folder in (lock.parent, lock.parent.parent) if not folder.exists()]
    try:
        with system_lock(
            lock, lambda: f"{place}: {who_holds(lock)} is {doing}; wait for it, or end it", private=private
        ):
            try:
                yield
            finally:
                with suppress(OSError):  # Windows removes no open file
                    lock.unlink()
    finally:
        with suppress(OSError):  # the folders that were made for the lock alone
            if made and not any(made[0].iterdir()) and not any(path != made[0] for path in made[0].parent.iterdir()):
                for folder in made:
                    folder.rmdir()


def refuse_if_held(lock: Path, place: str, doing: str) -> None:
    """Refuse early what `hold_lock` would refuse; nothing is made.

    Raises:
        UserError: another process has the lock.
    """
    if lock.exists():
        with hold_lock(lock, place, doing):
            pass


@contextmanager
def system_lock(
    lock: Path, refusal: Callable[[], str], *, patience_s: float = 0.0, private: bool = True
) -> Iterator[None]:
    """Hold the system's lock on a file while the block runs.

    Args:
        lock: the lock file, whose folder is made where it is missing.
        refusal: returns the message where another process has the lock.
        patience_s: longest wait for the other process.
        private: folders that are made are for this user alone; else as the user's umask says.

    Raises:
        UserError: another process has it, or the file cannot be written.
    """
    from filelock import FileLock, Timeout  # here, because the quiz starts without it

    for last in (False, True):
        try:
            make_folder(lock.parent, private=private)
            own = FileLock(lock, timeout=patience_s, mode=0o600, poll_interval=0.02)
            own.acquire()
            break
        except Timeout as error:
            raise UserError(refusal()) from error
        except OSError as error:  # a folder that is gone: the process that had the lock has just removed it
            if last or not isinstance(error, FileNotFoundError):
                raise write_error(lock, error) from error
    try:
        yield
    finally:
        own.release()


def who_holds(path: Path) -> str:
    """Return which other programs have locked a file, or else have it open, for messages.

    Only Linux reports it; for other users' programs it reports locks alone.
    """
    names = []
    for number in sorted(_lockers(path) or _openers(path))[:3]:
        try:
            command = Path(f"/proc/{number}/comm").read_text(errors="replace").strip()
        except OSError:
            command = "already gone"
        names.append(f"process {number} ({command})")
    return " and ".join(names) or "another program"


def _lockers(path: Path) -> set[int]:
    """Return the processes that hold a lock on the file, or on the files that SQLite keeps next to it."""
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
    """Return the processes that have the file open."""
    processes = set()
    with suppress(OSError):
        same = path.stat()
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):
                opened = link.stat()
                if (opened.st_dev, opened.st_ino) == (same.st_dev, same.st_ino):
                    processes.add(int(link.parts[2]))
    return processes - {os.getpid()}
