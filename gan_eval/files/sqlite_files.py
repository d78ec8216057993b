"""SQLite files: their errors, the write-ahead log, and which process holds one."""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

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
