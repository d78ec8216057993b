"""Connections to a store's database, a SQLite file or a PostgreSQL server, and messages for database errors."""

import os
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from gan_eval.base.atomic import write_error
from gan_eval.base.commands import setup_command
from gan_eval.base.errors import UserError
from gan_eval.base.locks import who_holds
from gan_eval.base.reading import Address, require_file
from gan_eval.base.sqlite_files import SQLITE_ERRORS, database_message, refuse_left_logs, write_ahead
from gan_eval.store.layout import META

CONNECT_S = 3
"""Maximum time in seconds for a new connection to a server."""

SILENCE_S = 10
"""Maximum time in seconds that a server may not respond, or may be locked by another program."""

PATIENCE_S = 10
"""Maximum time in seconds to wait for another program that uses a store."""


CACHE_KB = 256
"""Maximum size of the part of a SQLite file that a writing process keeps in memory; the system has it, too."""


def may_write(path: Path) -> bool:
    """Return whether a SQLite file and the files next to it can be written."""
    return all(os.access(each, os.W_OK) for each in (path.resolve(), path.resolve().parent))


def address_to_read(path: Path) -> str:
    """Return SQLite's address for reading a file; `immutable` if SQLite may not create files next to it."""
    has_log = os.path.lexists(f"{path.resolve()}-wal")
    return f"{path.resolve().as_uri()}?mode=ro{'' if has_log or may_write(path) else '&immutable=1'}"


def read_only_engine(path: Path) -> sa.Engine:
    """Return an engine with one read-only connection to a SQLite file."""
    options = {"uri": True, "timeout": PATIENCE_S, "check_same_thread": False}
    connect = partial(sqlite3.connect, address_to_read(path), **options)
    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.StaticPool)


def sqlite_engine(path: Path, *, exclusive: bool = False) -> sa.Engine:
    """Return an engine with one connection to a SQLite file: write-ahead log, each commit flushed to disk.

    A commit fails if the file is not at its path any more (`require_in_place`).
    """
    file = os.path.abspath(path)  # noqa: PTH100
    engine = sa.create_engine(sa.URL.create("sqlite", database=file), poolclass=sa.StaticPool)

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: sa.pool.ConnectionPoolEntry) -> None:
        connection.execute(f"PRAGMA busy_timeout={1000 * PATIENCE_S}")
        if exclusive:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        write_ahead(connection, patience_s=PATIENCE_S)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        record.info[_OPENED] = (file, _device_and_inode(file))

    @sa.event.listens_for(engine, "commit")
    def check_file(connection: sa.Connection) -> None:
        if connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]  # else nothing was written
            require_in_place(connection)

    return engine


_OPENED = "gan_eval_file"
"""Key in a SQLite connection's `info`: its file's path, device and inode when it was opened."""


def _device_and_inode(file: str) -> tuple[int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116 - a path's own `stat` costs twice as much
    except OSError:
        return None
    return status.st_dev, status.st_ino


def require_in_place(connection: sa.Connection) -> None:
    """Check that the open SQLite file is still the one at its path, where its rows will be looked for.

    Raises:
        UserError: the file has been removed, moved or replaced.
    """
    file, opened = connection.info.get(_OPENED, ("", None))
    if file and _device_and_inode(file) != opened:
        raise UserError(
            f"{file}: this file was removed, moved or replaced while it was in use; nothing more is stored until the "
            "same file is back; or end this command, look for the file, and start again"
        )


def remote_engine(address: Address) -> sa.Engine:
    """Return an engine for a server, not connected yet, which detects lost connections; the address's options win.

    Raises:
        UserError: the PostgreSQL driver is not installed.
    """
    milliseconds = round(1000 * SILENCE_S)
    settings = {
        "connect_timeout": CONNECT_S,
        "tcp_user_timeout": milliseconds,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "application_name": "gan_eval",
        "options": f"-c lock_timeout={milliseconds}",
    }
    settings = {name: value for name, value in settings.items() if name not in address.url.query}
    try:
        return sa.create_engine(address.url, hide_parameters=True, connect_args=settings, pool_pre_ping=True)
    except ImportError as error:
        raise UserError(
            f"--store {address}: the PostgreSQL driver is missing; install it with: {setup_command('postgres')}"
        ) from error


def wait_until_started(engine: sa.Engine) -> None:
    """Wait, at most `STARTING_S`, while PostgreSQL says that it is starting; the first use reports other errors."""
    deadline = time.monotonic() + STARTING_S
    while time.monotonic() < deadline:
        try:
            with engine.connect():
                return
        except DATABASE_ERRORS as error:
            if not any(words in str(error) for words in STARTING):
                return
        time.sleep(0.5)


def empty_engine() -> sa.Engine:
    """Return an engine with an empty database in memory, in place of an empty file that is only read."""
    return sa.create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=sa.StaticPool)


def require_store_file(path: Path, *, create: bool) -> bool:
    """Refuse a file that is not a store, without changing it; create the empty, private file of a new store.

    A database without tables is an empty store: the program that created it was stopped, had no space left, or is still
    at it. SQLite gives its other files the permissions of the store's file.

    Returns:
        True if the store is empty.

    Raises:
        UserError: the file does not exist and `create` is false, or only its logs exist; it is a folder or another
            program's database; it may not be written; another program has locked it.
    """
    require_file(path)
    try:
        if path.is_dir():
            raise UserError(f"{path}: is a folder; --store names a file such as {path / 'store.sqlite'}")
        if path.is_file():
            names = _tables_of(path)
            if names and META not in names:
                raise UserError(f"{path}: not a results store; name another file with --store")
            return names == set()
        if path.is_symlink():
            raise UserError(f"{path}: a link to {path.readlink()}, which does not exist; create it, or name a file")
        if not create:
            raise UserError(f"{path}: no such store; give the path of one, such as DIR/store.sqlite of a study in DIR")
        refuse_left_logs(path)
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        path.touch(0o600)
        return True
    except OSError as error:
        raise write_error(path, error) from error


def _tables_of(path: Path) -> set[str] | None:
    """Return the names of a file's tables; None for a file that SQLite cannot read, which opening the store reports."""
    try:
        with closing(sqlite3.connect(address_to_read(path), uri=True, timeout=PATIENCE_S)) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except SQLITE_ERRORS as error:
        if "locked" in str(error):
            raise database_error(database_message(error), str(path)) from error
        return None


DATABASE_ERRORS = (sa.exc.SQLAlchemyError, sqlite3.Error, UnicodeError, OverflowError)
"""Exceptions of SQLAlchemy and the drivers, also for a value that the database cannot store."""

STARTING = ("starting up", "shutting down", "not yet accepting connections", "in recovery mode")
"""Words in PostgreSQL's message while it starts or stops."""
STARTING_S = 30
"""Maximum time in seconds to wait for PostgreSQL to start, when a store is opened to write into it."""

_LINES = (
    (("disk is full", "no space"), "the disk is full; free some space; what was answered before is safe"),
    (("disk i/o",),
     "the disk is full or damaged, or its folder cannot be written; fix that; what was answered before is safe"),
    (("not a database",), "not a results store; name another file with --store"),
    (("malformed", "corrupt", "no such table", "no such column", "decode to utf-8"),
     "the store is damaged ({detail}); restore it from a copy, or save what is left by `sqlite3 FILE .recover`"),
    (STARTING, "PostgreSQL is starting or stopping ({detail}); wait a moment, then rerun the command"),
    (("readonly", "unable to open", "permission"),
     "the store cannot be opened for writing; change its permissions, or use a copy in another place"),
    (("locked",), "{holder} is using the store; end it or wait for it, then rerun the command"),
)  # fmt: skip
"""Words in a database's message, in lower case, and the message that the user reads instead."""


def database_error(detail: str, where: str) -> UserError:
    """Return the error with the user's message for a database's message `detail`."""
    low = detail.lower()
    if "unique" in low or "duplicate key" in low:
        return UserError(f"{where}: this row is in the store already ({detail}); nothing was overwritten")
    for words, line in _LINES:
        if any(word in low for word in words):
            holder = who_holds(Path(where)) if "{holder}" in line else ""
            return UserError(f"{where}: {line.format(detail=detail, holder=holder)}")
    return UserError(f"{where}: the store gave an error: {detail}")
