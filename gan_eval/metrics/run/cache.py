"""Features and values of networks from earlier runs, in a SQLite file of the user's cache folder.

The key of an entry is the bytes of the picture (and of its reference) and a definition. New entries are written
about once per second; after a crash, rerun the command to continue. If the cache cannot be used (locked,
damaged, read-only, on a full disk), one message says so, and the run continues without it.
"""

import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from gan_eval.base.digests import sha256_json
from gan_eval.base.errors import UserError
from gan_eval.base.sqlite_files import SQLITE_ERRORS, database_message, write_ahead
from gan_eval.metrics.kernels.pictures import Missing
from gan_eval.metrics.weights.cache import cache_folder

LIMIT_MB = 4096
"""Size in megabytes at which the cache is emptied unless `$GAN_EVAL_CACHE_MB` sets another; 0: no cache."""
PATIENCE_S = 5.0
"""Seconds to wait for another process that writes."""
FORMAT = 5
"""Number of the table's layout; the values of another layout are dropped."""
IN_MEMORY = Path(":memory:")
"""SQLite's name for a database in memory."""
_WRITE_EVERY_S = 1.0

T = TypeVar("T")
Key = tuple[bytes, bytes]
"""SHA-256 of a picture, and of its companion, such as its reference; b"" if there is none."""
Content = float | NDArray[np.floating] | Missing
"""A value, float32 features, or the reason for missing ones."""


def cache_file() -> Path:
    """Return `metrics.sqlite` in `$GAN_EVAL_CACHE`, else in the user's cache folder for gan_eval."""
    return cache_folder().parent / "metrics.sqlite"


class Cache:
    """Cached features and values of networks, and results of sets. Any number of threads may use it."""

    def __init__(self, file: Path | None, *, limit: int | None = None) -> None:
        """Open the file; None: nothing is cached. `limit` in bytes; default: `$GAN_EVAL_CACHE_MB`.

        Raises:
            UserError: `$GAN_EVAL_CACHE_MB` is not a number of megabytes.
        """
        megabytes = os.environ.get("GAN_EVAL_CACHE_MB", str(LIMIT_MB))
        if not re.fullmatch("[0-9]+", megabytes):
            raise UserError(f"GAN_EVAL_CACHE_MB={megabytes}: expected a number of megabytes, 0 for no cache")
        self.problem: str | None = None
        """Reason why the cache cannot be used."""
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._waiting: list[tuple[object, ...]] = []
        self._written_at = time.monotonic()
        self._limit = int(megabytes) * 2**20 if limit is None else limit
        self.is_used = file is not None and self._limit > 0
        if file is not None and self.is_used:
            with self._guarded():
                self._connection = _open(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Write new values and close the file."""
        self.write(now=True)
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def found(self, key: Key, definition: bytes) -> Content | None:
        """Return what is cached of a picture with this companion; None if there is nothing."""
        match self._stored(*key, definition):
            case bytes(features):
                return np.frombuffer(features, np.float32)
            case str(reason):
                return Missing(reason)
            case value:
                return value

    def keep(self, key: Key, definition: bytes, content: Content) -> None:
        """Cache a value or features of a picture, or the reason for missing ones if it is lasting."""
        if isinstance(content, Missing):
            if content.is_lasting:
                self._store(*key, definition, content.reason)
        else:
            self._store(*key, definition, content.tobytes() if isinstance(content, np.ndarray) else content)

    def result(self, parts: object, compute: Callable[[], T]) -> T:
        """Return the cached result of a computation from its inputs in JSON; compute and cache it if there is none."""
        if not self.is_used:
            return compute()
        key = bytes.fromhex(sha256_json(parts)), b"", b""
        if (text := self._stored(*key)) is not None:
            found: T = json.loads(text)
            return found
        result = compute()
        self._store(*key, json.dumps(result))
        return result

    def _stored(self, *key: bytes) -> Any:
        with self._guarded() as connection:
            if connection is None:
                return None
            if not connection.in_transaction:
                connection.execute("BEGIN")  # one transaction for many reads, because each one locks the file
            query = "SELECT content FROM kept WHERE picture = ? AND companion = ? AND definition = ?"
            return next(connection.execute(query, key), (None,))[0]

    def _store(self, *row: object) -> None:
        with self._guarded() as connection:
            if connection is not None:
                self._waiting.append(row)

    def write(self, *, now: bool = False) -> None:
        """Write new values if the last write was a second ago, or if `now` is true."""
        if not now and time.monotonic() - self._written_at < _WRITE_EVERY_S:
            return
        with self._guarded() as connection:
            waiting, self._waiting = self._waiting, []
            self._written_at = time.monotonic()
            if connection is None:
                return
            if connection.in_transaction:
                connection.execute("COMMIT")  # end the transaction of the reads
            if not waiting:
                return
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", waiting)
            page, pages, free = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_size", "page_count", "freelist_count")
            )
            if page * (pages - free) > self._limit:  # the file keeps its size; SQLite uses free pages again
                connection.execute("DELETE FROM kept")
            connection.execute("COMMIT")

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection | None]:
        """Yield the connection to one thread at a time; after an error of SQLite the run continues without a cache."""
        with self._lock:
            try:
                yield self._connection
            except (*SQLITE_ERRORS, OSError) as error:
                self.problem = f"{self._file}: {database_message(error)}; measured without cached values"
                self._waiting.clear()
                connection, self._connection = self._connection, None
                if connection is not None:
                    connection.close()


def _open(file: Path) -> sqlite3.Connection:
    """Open the file, and create the table if it is missing or has another layout."""
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(file, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        write_ahead(connection, patience_s=PATIENCE_S)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")  # two processes may find an empty file
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if layout != FORMAT:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                connection.execute(f'DROP TABLE "{table}"')
            connection.execute(
                "CREATE TABLE kept (picture BLOB, companion BLOB, definition BLOB, content, "
                "PRIMARY KEY (picture, companion, definition))"
            )
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection
