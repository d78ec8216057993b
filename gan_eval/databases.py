"""SQLite files that several programs use."""

import sqlite3
import time


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
