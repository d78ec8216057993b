"""The SQLite file of kept values: its tables, how it is opened, how it stays within its size, what may go wrong."""

import errno
import sqlite3
from pathlib import Path

from gan_eval.databases import complaint, write_ahead
from gan_eval.files import make_folder

FORMAT = 1
"""Number of the tables' layout; a file of another layout is not touched."""
PATIENCE_S = 5.0
"""So long another process may be writing."""

_LAYOUT = f"""
CREATE TABLE definitions (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE numbers (
    picture BLOB, reference BLOB, definition INTEGER, value REAL, reason TEXT, used INTEGER,
    PRIMARY KEY (picture, reference, definition)
) WITHOUT ROWID;
CREATE TABLE features (
    picture BLOB, companion BLOB, definition INTEGER, used INTEGER, reason TEXT, vector BLOB,
    PRIMARY KEY (picture, companion, definition)
);
CREATE TABLE results (key BLOB PRIMARY KEY, used INTEGER, content TEXT);
PRAGMA user_version = {FORMAT};
"""
_TABLES = ("numbers", "features", "results")


def opened(file: Path) -> sqlite3.Connection:
    """The file, made with its tables where it is missing.

    Raises:
        sqlite3.Error: it is none of ours, is damaged, or is held by another for longer than `PATIENCE_S`.
        OSError: its folder cannot be made.
    """
    make_folder(file.parent)
    connection = sqlite3.connect(file, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        write_ahead(connection, patience_s=PATIENCE_S)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")  # two processes may find an empty file
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if layout == 0:
            for statement in filter(str.strip, _LAYOUT.split(";")):
                connection.execute(statement)
        connection.execute("COMMIT")
        if layout not in (0, FORMAT):
            raise sqlite3.DatabaseError(f"written by another version of gan_eval (layout {layout})")
    except BaseException:
        connection.close()
        raise
    return connection


def end_reading(connection: sqlite3.Connection) -> None:
    """Let others make room, and see what they have written."""
    if connection.in_transaction:
        connection.execute("COMMIT")


def make_room(connection: sqlite3.Connection, limit: int) -> None:
    """Drop what was used longest ago until a tenth of the limit is free, if more than that is used.

    The file does not become smaller: its free pages are used again.
    """
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    if _pages(connection) * page <= limit:
        return
    while _pages(connection) * page > 0.9 * limit:
        oldest = [_oldest_tenth(connection, table) for table in _TABLES]
        before = min((used for used in oldest if used is not None), default=None)
        if before is None:
            return
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE used <= ?", (before,))


def _oldest_tenth(connection: sqlite3.Connection, table: str) -> int | None:
    """The moment up to which a tenth of the table's rows were used last; None where it has none."""
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    found = connection.execute(f"SELECT used FROM {table} ORDER BY used LIMIT 1 OFFSET ?", (count // 10,)).fetchone()
    return None if found is None else int(found[0])


def _pages(connection: sqlite3.Connection) -> int:
    """Pages of the file that hold something."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(pages) - int(free)


def explained(error: Exception) -> str:
    """What has gone wrong, for the user."""
    text = complaint(error)
    if "locked" in text:
        return "another program holds the cache"
    if "readonly" in text or isinstance(error, PermissionError):
        return "the cache cannot be written to"
    if "full" in text or getattr(error, "errno", None) == errno.ENOSPC:
        return "the disk of the cache is full"
    if "malformed" in text or "not a database" in text:
        return "the cache is damaged, remove the file"
    return f"the cache cannot be used ({text})"
