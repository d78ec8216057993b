"""Databases: recognise files and URLs, read SQLite's errors, enable its write-ahead log."""

import sqlite3
import time
from pathlib import Path

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""Exceptions of SQLite; its message about a damaged file may quote bytes that are not UTF-8."""


def is_address(where: object) -> bool:
    """Return whether a store is given by a URL, not a path."""
    return "://" in str(where)


def is_store(where: str | Path) -> bool:
    """Return whether a path or URL is a database; a file is judged by its first bytes."""
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
    """Enable the write-ahead log; wait here, because SQLite's own timeout does not cover this statement.

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
