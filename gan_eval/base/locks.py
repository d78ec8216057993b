"""Locks for one process at a time. The operating system releases a lock when its process ends, also after a kill."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gan_eval.base.atomic import OWN_FOLDER, remove_leftovers, system_lock
from gan_eval.base.output_folders import check_output_folder


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Claim an output folder, lock it while the block runs, and remove what killed processes left in it."""
    folder = Path(folder)
    check_output_folder(folder)
    with hold_lock(folder / OWN_FOLDER / "folder.lock", f"--out {folder}", "writing there"):
        remove_leftovers(folder)
        yield


@contextmanager
def hold_lock(lock: Path, place: str, doing: str) -> Iterator[None]:
    """Hold a lock while the block runs, then remove its file.

    Args:
        lock: the lock file; its folder is created if needed.
        place: beginning of the message, such as `--out RUN`.
        doing: the activity, such as `training there`.

    Raises:
        UserError: another process holds the lock, or the file cannot be written.
    """
    made = [folder for folder in (lock.parent, lock.parent.parent) if not folder.exists()]
    try:
        with system_lock(lock, lambda: f"{place}: {who_holds(lock)} is {doing}; wait for it, or end it"):
            try:
                yield
            finally:
                with suppress(OSError):  # Windows cannot remove an open file
                    lock.unlink()
    finally:
        with suppress(OSError):  # remove the folders that were created only for the lock
            if made and not any(made[0].iterdir()) and not any(path != made[0] for path in made[0].parent.iterdir()):
                for folder in made:
                    folder.rmdir()


def refuse_if_held(lock: Path, place: str, doing: str) -> None:
    """Check early whether `hold_lock` would succeed; create nothing."""
    if lock.exists():
        with hold_lock(lock, place, doing):
            pass


def who_holds(path: Path) -> str:
    """Return the names of other programs that have locked a file, or SQLite's files next to it (Linux only)."""
    inodes, processes = set(), set()
    for name in (path.name, f"{path.name}-shm", f"{path.name}-wal"):
        with suppress(OSError):
            inodes.add(str(path.with_name(name).stat().st_ino))
    with suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():  # "1: POSIX ADVISORY WRITE 4711 08:01:1234 120 120"
            words = line.split()
            if len(words) > 5 and words[1] != "->" and words[5].rpartition(":")[2] in inodes:
                processes.add(int(words[4]))
    names = []
    for number in sorted(processes - {0, -1, os.getpid()})[:3]:
        with suppress(OSError):
            command = Path(f"/proc/{number}/comm").read_text(errors="replace").strip()
            names.append(f"process {number} ({command})")
    return " and ".join(names) or "another program"
