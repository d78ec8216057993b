"""Databases: recognise files and URLs, read SQLite's errors, turn on its write-ahead log."""

import sqlite3
import time
from pathlib import Path

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""Exceptions of SQLite. Its message about a damaged schema quotes bytes of the file, which need not be UTF-8."""


def is_address(where: object) -> bool:
    """Return whether a store is given by a URL, not by a path."""
    return "://" in str(where)


def is_store(where: str | Path) -> bool:
    """Return whether a URL or a file is a database (a file by its first bytes; a pipe is not opened)."""
    if is_address(where):
        return True
    try:
        if not Path(where).is_file():
            return False
        with Path(where).open("rb") as file:
            return file.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def database_message(error: BaseException) -> str:
    """Return the first line of a database's error message."""
    message = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
    return (message.splitlines() or [""])[0] or type(error).__name__


def write_ahead(connection: sqlite3.Connection, *, patience_s: float) -> None:
    """Turn on the write-ahead log; SQLite's own timeout does not cover two programs that do this at the same time.

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
