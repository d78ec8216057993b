"""Databases: read SQLite's errors, enable its write-ahead log, refuse a log that an earlier file has left."""

import os
import sqlite3
import time
from pathlib import Path

from gan_eval.base.errors import UserError

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


LOGS = ("-wal", "-journal")
"""Endings of SQLite's logs next to an open file. They stay when the program is killed; `-shm` has no rows."""


def refuse_left_logs(path: Path) -> None:
    """Refuse the place of a new SQLite file if the logs of an earlier one are there: SQLite would read them into it.

    Raises:
        UserError: there is no file at `path`, but one of its logs, and it is not empty.
    """
    for log in (Path(f"{os.path.realpath(path)}{ending}") for ending in LOGS):
        has_rows = log.is_symlink() or (log.exists() and log.stat().st_size > 0)
        if has_rows and not os.path.lexists(path):  # else another program is just making the file
            raise UserError(
                f"{path}: no such file, but {log} is left from one and may hold its last answers; put that file back "
                f"next to it, or move {log.name} away, or name another file"
            )
