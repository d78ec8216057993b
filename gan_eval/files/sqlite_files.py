"""Databases: read SQLite's errors, enable its write-ahead log."""

import sqlite3
import time

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""Exceptions of SQLite; its message about a damaged file may quote bytes that are not UTF-8."""


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
