"""Locks: one process at a time, and which one has it.

The system's own lock (filelock) ends with its process, however that ends. A record next to the lock file names the
holder, for messages. It decides only where the system's lock cannot: for another machine.
"""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from gan_eval.errors import UserError
from gan_eval.files.atomic import OWN_FOLDER, make_folder, write_error
from gan_eval.files.output_folders import check_output_folder, claim_output_folder

RECORD_PATIENCE_S = 0.5
"""Longest wait for the record of a holder that has just taken the lock."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock."""

    process: int
    machine: str
    since: str
    """In UTC, to the minute."""


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
def hold_lock(
    lock: Path, place: str, doing: str, *, private: bool = True, say: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Hold a lock while the block runs; another process that wants it is refused. Its files are removed at the end.

    The lock of a process that was killed is taken over.

    Args:
        lock: the lock file, whose folder is made where it is missing.
        place: how messages begin, such as `--out RUN`.
        doing: the activity, such as `training there`.
        private: folders that are made are for this user alone; else as the user's umask says.
        say: called with a message where a lock is taken over.

    Raises:
        UserError: another process has it, or had it on another machine; or the file cannot be written.
    """
    made = [folder for folder in (lock.parent, lock.parent.parent) if not folder.exists()]
    try:
        with system_lock(lock, lambda: _refusal(lock, place, doing), private=private):
            _check_earlier_holder(lock, place, doing, say)
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
            record = Holder(os.getpid(), socket.gethostname(), now)
            try:
                _record_file(lock).write_text(json.dumps(asdict(record)), encoding="utf-8")
            except OSError as error:
                raise write_error(_record_file(lock), error) from error
            try:
                yield
            finally:
                with suppress(OSError):
                    _record_file(lock).unlink()
                    lock.unlink()  # Windows removes no open file
    finally:
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


def _check_earlier_holder(lock: Path, place: str, doing: str, say: Callable[[str], None] | None) -> None:
    """Refuse the lock of another machine, which cannot be checked from here; report one that is taken over."""
    earlier, here = _record(lock), socket.gethostname()
    if earlier is None:
        return
    if earlier.machine != here:
        raise UserError(
            f"{place}: process {earlier.process} on {earlier.machine} has been {doing} since {earlier.since}; {here} "
            f"cannot check whether it still is: wait for it, or, if it has ended, remove {_record_file(lock)}"
        )
    if say is not None:
        say(
            f"{place}: process {earlier.process}, which was {doing} since {earlier.since}, ended unexpectedly; "
            "taking over its lock"
        )


def _refusal(lock: Path, place: str, doing: str) -> str:
    deadline = time.monotonic() + RECORD_PATIENCE_S
    while (holder := _record(lock)) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    who = f"process {holder.process} on {holder.machine}" if holder else "another process"
    return f"{place}: {who} has been {doing}{f' since {holder.since}' if holder else ''}; wait for it, or end it"


def _record_file(lock: Path) -> Path:
    return lock.with_name(f"{lock.name}.json")


def _record(lock: Path) -> Holder | None:
    """Return the record of the holder; None where there is none that can be read."""
    try:
        holder = Holder(**json.loads(_record_file(lock).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    texts = (holder.machine, holder.since)
    return holder if type(holder.process) is int and all(isinstance(text, str) for text in texts) else None
