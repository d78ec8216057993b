"""SQLite files: their errors and the write-ahead log."""

import sqlite3
import time

SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""Exceptions of SQLite. Its message about a damaged schema quotes bytes of the file, which need not be UTF-8."""


def database_message(error: BaseException) -> str:
    """Return the first line of a message of SQLite or another database."""
    message = error.object.decode(errors="replace") if isinstance(error, UnicodeDecodeError) else str(error)
    return (message.splitlines() or [""])[0] or type(error).__name__


def write_ahead(connection: sqlite3.Connection, *, patience_s: float) -> None:
    """Turn on the write-ahead log; SQLite's own timeout does not cover two programs that do so at the same time.

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
