"""Values of earlier runs, in a SQLite file of the user's cache folder, by the pictures' content.

A value depends on the bytes of the picture (and of its reference) and on how it is computed, gan_eval's version
included: that is its whole key. Names and times decide nothing, so a changed picture is
measured again and a copied one is not. New values are written in a transaction every second or so: whatever ends the
program, little is lost, and the same command goes on.

A cache that cannot be used (locked, damaged, read-only, on a full disk) is reported once, and the run goes on without.
"""

import errno
import hashlib
import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gan_eval.errors import UserError
from gan_eval.files.atomic import make_folder
from gan_eval.files.digests import remembered_digests, restore_digests
from gan_eval.files.sqlite_files import SQLITE_ERRORS, database_message, write_ahead
from gan_eval.metrics.weights.cache import cache_folder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LIMIT_MB = 4096
"""Size of the cache where `$GAN_EVAL_CACHE_MB` names no other; 0: no cache. Beyond it, least recently used rows go."""
_WRITE_EVERY_S = 1.0
_TOUCH_AFTER_S = 3600
"""A value used again is marked as used once an hour at the most, so that reading alone hardly writes."""

IN_MEMORY = Path(":memory:")
"""SQLite's name for a database without a file, which ends with its connection."""
UNKNOWN = -1
"""In place of a definition's number: its values are not cached."""

CachedValue = tuple[float | None, str | None]
"""A value, with the pixel format in which it was measured where that is not the common 8-bit RGB; or None with the
reason why there is no value."""


def cache_file() -> Path:
    """`metrics.sqlite` in `$GAN_EVAL_CACHE`, else in the user's cache folder for gan_eval."""
    return cache_folder().parent / "metrics.sqlite"


def cache_limit() -> int:
    """The greatest size of the cache in bytes.

    Raises:
        UserError: `$GAN_EVAL_CACHE_MB` is no number of megabytes.
    """
    given = os.environ.get("GAN_EVAL_CACHE_MB", str(LIMIT_MB))
    try:
        megabytes = float(given)
    except ValueError as error:
        raise UserError(f"GAN_EVAL_CACHE_MB={given}: wanted a number of megabytes") from error
    if not 0 <= megabytes < math.inf:
        raise UserError(f"GAN_EVAL_CACHE_MB={given}: wanted a number of megabytes, 0 for no cache")
    return int(megabytes * 2**20)


class Cache:
    """Cached values of pictures, features, and results of sets. Any number of threads may use it."""

    def __init__(self, file: Path | None, *, limit: int | None = None, keeps_fakes: bool = True) -> None:
        """
        Args:
            file: the SQLite file, made where it is missing, or `IN_MEMORY`; None: nothing is cached.
            limit: its greatest size in bytes; default: `cache_limit()`.
            keeps_fakes: whether values of generated pictures are cached too.
        """
        self.keeps_fakes = keeps_fakes
        self.problem: str | None = None
        """Why the cache is not used, where it should be."""
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._numbers: dict[str, int] = {}
        self._waiting: list[tuple[str, Sequence[object]]] = []
        self._written_at = time.monotonic()
        self._limit = cache_limit() if limit is None else limit
        if file is not None and self._limit > 0:
            with self._guarded():
                self._connection = open_database(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def is_used(self) -> bool:
        """Whether anything can be found and kept."""
        return self._connection is not None

    def number(self, definition: str) -> int:
        """The number that stands for a definition in the cache; UNKNOWN without a cache, or for an empty definition."""
        with self._guarded() as connection:
            if connection is not None and definition:
                if definition not in self._numbers:
                    end_reading(connection)
                    connection.execute("INSERT OR IGNORE INTO definitions (text) VALUES (?)", (definition,))
                    rows = connection.execute("SELECT number FROM definitions WHERE text = ?", (definition,))
                    self._numbers[definition] = int(rows.fetchone()[0])
                return self._numbers[definition]
        return UNKNOWN

    def numbers(self, picture: bytes, reference: bytes = b"") -> dict[int, CachedValue]:
        """The values of a picture by itself, and beside its reference, by the definition's number."""
        with self._guarded() as connection:
            if connection is None:
                return {}
            if not connection.in_transaction:
                connection.execute("BEGIN")  # one for many reads, until the next writing: each would lock the file
            rows = connection.execute(
                "SELECT definition, value, reason, used FROM numbers WHERE picture = ? AND reference IN (x'', ?)",
                (picture, reference),
            ).fetchall()
            if rows and rows[0][3] < time.time() - _TOUCH_AFTER_S:
                self._later("UPDATE numbers SET used = ? WHERE picture = ?", (int(time.time()), picture))
            return {number: (value, reason) for number, value, reason, _ in rows}
        return {}

    def keep_number(self, picture: bytes, reference: bytes, number: int, value: CachedValue) -> None:
        """Keep a picture's value; `reference` is empty for a value of the picture by itself."""
        with self._guarded():
            row = (picture, reference, number, *value, int(time.time()))
            self._later("INSERT OR REPLACE INTO numbers VALUES (?, ?, ?, ?, ?, ?)", row)

    def features(self, picture: bytes, companion: bytes, number: int) -> "NDArray[np.float32] | str | None":
        """A picture's features, or the reason why it has none; None where neither is cached."""
        import numpy as np

        with self._guarded() as connection:
            if connection is None:
                return None
            row = connection.execute(
                "SELECT used, reason, vector FROM features WHERE picture = ? AND companion = ? AND definition = ?",
                (picture, companion, number),
            ).fetchone()
            if row is None:
                return None
            used, reason, vector = row
            if used < time.time() - _TOUCH_AFTER_S:
                key = (int(time.time()), picture, companion, number)
                self._later("UPDATE features SET used = ? WHERE picture = ? AND companion = ? AND definition = ?", key)
            return str(reason) if vector is None else np.frombuffer(vector, np.float32)
        return None

    def keep_features(self, picture: bytes, companion: bytes, number: int, result: "NDArray[np.float32] | str") -> None:
        """Keep a picture's features, or the reason why it has none."""
        reason, vector = (result, None) if isinstance(result, str) else (None, result.tobytes())
        with self._guarded():
            row = (picture, companion, number, int(time.time()), reason, vector)
            self._later("INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?, ?)", row)

    def result(self, key: bytes) -> str | None:
        """The text that was cached under a key; None where there is none."""
        with self._guarded() as connection:
            if connection is None:
                return None
            row = connection.execute("SELECT content FROM results WHERE key = ?", (key,)).fetchone()
            if row is not None:
                self._later("UPDATE results SET used = ? WHERE key = ?", (int(time.time()), key))
            return None if row is None else str(row[0])
        return None

    def keep_result(self, key: bytes, content: str) -> None:
        """Keep a text under a key."""
        with self._guarded():
            self._later("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", (key, int(time.time()), content))

    def write(self, *, now: bool = False) -> None:
        """Write what is new, where the last time is a second ago or `now`."""
        if not now and time.monotonic() - self._written_at < _WRITE_EVERY_S:
            return
        with self._guarded() as connection:
            waiting, self._waiting = self._waiting, []
            self._written_at = time.monotonic()
            if connection is None:
                return
            end_reading(connection)
            if not waiting:
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, row in waiting:
                    connection.execute(statement, row)
                make_room(connection, self._limit)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Write what is new and close the file."""
        self.write(now=True)
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _later(self, statement: str, row: Sequence[object]) -> None:
        if self._connection is not None:
            self._waiting.append((statement, row))

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection | None]:
        """The connection, for one thread at a time; an error of SQLite ends its use, not the run."""
        with self._lock:
            try:
                yield self._connection
            except (*SQLITE_ERRORS, OSError) as error:
                self.problem = f"{self._file}: {error_text(error)}; measured without kept values"
                self._waiting.clear()
                connection, self._connection = self._connection, None
                if connection is not None:
                    connection.close()


@contextmanager
def remembering_digests(folder: Path) -> Iterator[None]:
    """Inside, files that were hashed in an earlier run on a folder are hashed again only if they have changed.

    Without a usable cache every run hashes them; only measuring reports why it is not usable.
    """
    key = hashlib.sha256(f"file digests of {Path(folder).resolve()}".encode(errors="surrogateescape")).digest()
    before = None
    with suppress(UserError, ValueError), Cache(cache_file()) as cache:
        before = cache.result(key)
        restore_digests(before or "[]")
    try:
        yield
    finally:
        digests = remembered_digests()
        if digests != before:
            with suppress(UserError), Cache(cache_file()) as cache:
                cache.keep_result(key, digests)


FORMAT = 1
"""Number of the tables' layout; a file of another layout is not touched."""
PATIENCE_S = 5.0
"""Seconds to wait for another process that writes."""

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


def open_database(file: Path) -> sqlite3.Connection:
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
    """End a reading transaction, so that other processes can make room and their writes are seen."""
    if connection.in_transaction:
        connection.execute("COMMIT")


def make_room(connection: sqlite3.Connection, limit: int) -> None:
    """Drop the least recently used rows until a tenth of the limit is free, if more than the limit is used.

    The file does not become smaller: its free pages are used again.
    """
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    if _pages(connection) * page <= limit:
        return
    while _pages(connection) * page > 0.9 * limit:
        oldest: list[tuple[int]] = []  # of each table the moment up to which a tenth of its rows were last used
        for table in _TABLES:
            (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            oldest += connection.execute(f"SELECT used FROM {table} ORDER BY used LIMIT 1 OFFSET ?", (count // 10,))
        if not oldest:
            return
        before = min(int(used) for (used,) in oldest)
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE used <= ?", (before,))


def _pages(connection: sqlite3.Connection) -> int:
    """Pages of the file that hold something."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(pages) - int(free)


def error_text(error: Exception) -> str:
    """The user's message for an error of the cache."""
    text = database_message(error)
    if "locked" in text:
        return "another program holds the cache"
    if "readonly" in text or isinstance(error, PermissionError):
        return "the cache cannot be written to"
    if "full" in text or getattr(error, "errno", None) == errno.ENOSPC:
        return "the disk of the cache is full"
    if "malformed" in text or "not a database" in text:
        return "the cache is damaged, remove the file"
    return f"the cache cannot be used ({text})"
