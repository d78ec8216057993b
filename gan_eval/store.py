"""The results store: what participants did, durable before the next stimulus is shown.

SQLite by default (write-ahead log, synchronous FULL: a row whose call has returned survives a killed process and a
power cut), any SQLAlchemy URL otherwise. The tables are those of `gan_eval.tables`. `Writer` owns a store on a
thread of its own, so that a slow disk never stops the thread that shows pictures.
"""

import queue
import secrets
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import sqlalchemy as sa

from gan_eval import tables, tabular
from gan_eval.errors import UserError
from gan_eval.files import write_error
from gan_eval.schema import Dtype, Table

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
"""Raised when the stored layout changes; a store of a newer version is refused, an older one brought up to date."""

PATIENCE_S = 5
"""How long one program waits for another to finish writing."""

STORED_TABLES = (
    tables.SESSIONS,
    tables.PLANS,
    tables.TRIALS,
    tables.CONSENTS,
    tables.CHECKS,
    tables.PARTICIPANTS,
)
"""The tables that a store holds."""
_TYPES: dict[Dtype, type[sa.types.TypeEngine[Any]]] = {
    "text": sa.Text,
    "instant": sa.Text,
    "json": sa.Text,
    "int": sa.BigInteger,
    "float": sa.Double,
    "bool": sa.Boolean,
}

Result = TypeVar("Result")


class Store:
    """One results store. Every writing method is one transaction, durable when the method returns."""

    def __init__(self, engine: sa.Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        self._metadata = sa.MetaData()
        self._meta = sa.Table("gan_eval_meta", self._metadata, sa.Column("schema_version", sa.Integer, nullable=False))
        self._tables = {table.name: _layout(table, self._metadata) for table in STORED_TABLES}

    @property
    def where(self) -> str:
        """Path or URL, without a password."""
        return self._where

    def begin(
        self,
        session: Mapping[str, Any],
        plan: Iterable[Mapping[str, Any]],
        consent: Mapping[str, Any] | None,
    ) -> None:
        """Store a session, its dealt plan and the consent, all or nothing.

        Raises:
            UserError: the store cannot be written, or it holds a session of this participant in this study already.
        """
        with self._transaction() as connection:
            self._reserve(connection)
            self._require_newcomer(connection, session)
            self._insert(connection, tables.SESSIONS, [session])
            self._insert(connection, tables.PLANS, list(plan))
            if consent is not None:
                self._insert(connection, tables.CONSENTS, [consent])

    def add(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store rows of one table, all or nothing; durable on return.

        Raises:
            UserError: the store cannot be written, or a row with this key is in it already.
        """
        with self._transaction() as connection:
            self._insert(connection, table, rows)

    def set_status(self, session: str, status: str, ended_at: str | None) -> None:
        """Mark a session open, complete or aborted."""
        layout = self._tables[tables.SESSIONS.name]
        with self._transaction() as connection:
            connection.execute(
                layout.update().where(layout.c.session == session).values(status=status, ended_at=ended_at)
            )

    def rows(self, table: Table, **equal: Any) -> list[tabular.Row]:
        """Rows of a table in the order of its key, filtered by equality: `rows(TRIALS, session="...")`."""
        layout = self._tables[table.name]
        query = layout.select().where(*(layout.c[name] == value for name, value in equal.items()))
        if table is tables.SESSIONS:
            query = query.order_by(layout.c.started_at, layout.c.session)
        else:
            query = query.order_by(*(layout.c[name] for name in table.key))
        with self._transaction() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def frame(self, table: Table, **equal: Any) -> "pd.DataFrame":
        """The same as a pandas frame with the schema's dtypes."""
        return tabular.frame_of(self.rows(table, **equal), table)

    def close(self) -> None:
        """Release the connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _insert(self, connection: sa.Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            values = [{name: row.get(name) for name in table.names} for row in rows]
            connection.execute(self._tables[table.name].insert(), values)

    def _reserve(self, connection: sa.Connection) -> None:
        """Let nobody else write until this transaction ends, so that what it reads first stays true."""
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _require_newcomer(self, connection: sa.Connection, session: Mapping[str, Any]) -> None:
        """One participant sits once in a study, even where two programs ask at the same moment."""
        layout = self._tables[tables.SESSIONS.name]
        who = (layout.c.study == session["study"]) & (layout.c.participant == session["participant"])
        if connection.execute(sa.select(layout.c.session).where(who)).first() is not None:
            raise UserError(
                f"{self._where}: participant {session['participant']} has begun a session elsewhere in the meantime; "
                "give a new participant code"
            )

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._engine, self._where)

    def _prepare(self) -> None:
        """Create the tables where they are missing and check the schema's version."""
        with self._transaction() as connection:
            self._reserve(connection)  # two programs may open a new store at the same moment
            known = sa.inspect(connection).has_table(self._meta.name)
            version = connection.execute(sa.select(self._meta.c.schema_version)).scalar() if known else None
            if version is not None and version > SCHEMA_VERSION:
                raise UserError(
                    f"{self._where}: the store has schema version {version}, this program knows {SCHEMA_VERSION}; "
                    "update gan_eval"
                )
            self._metadata.create_all(connection)
            if version is None:
                connection.execute(self._meta.insert().values(schema_version=SCHEMA_VERSION))


def open_store(where: str | Path, *, create: bool = True) -> Store:
    """Open a store by file path (SQLite) or SQLAlchemy URL (`postgresql://...`).

    Args:
        where: path or URL.
        create: make a new store where there is none.

    Raises:
        UserError: there is none and `create` is false; it is not a store; it is of a newer version; no permission.
    """
    text = str(where)
    if "://" in text:
        store = _remote_store(text)
    else:
        path = Path(text)
        if not create and not path.is_file():
            raise UserError(f"{path}: no such store")
        if path.is_file():
            _require_store(path, may_be_new=create)
        if path.is_dir():
            raise UserError(f"{path}: is a folder; --store names a file such as {path / 'store.sqlite'}")
        _make_parent(path)
        store = Store(_sqlite_engine(path), str(path))
    store._prepare()
    return store


class Writer:
    """A thread that owns a store and does what it is given, in order.

    `writer.submit(lambda store: store.add(TRIALS, [row])).result()` returns when the row is durable.
    """

    def __init__(self, open_it: Callable[[], Store]) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[[Store], Any], Future[Any]] | None] = queue.SimpleQueue()
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._work, args=(open_it, ready), name="store-writer", daemon=True)
        self._thread.start()
        ready.result()

    def submit(self, job: Callable[[Store], Result]) -> "Future[Result]":
        """Queue `job`; the future is done when the job's transaction is durable, or holds its error."""
        future: Future[Result] = Future()
        self._jobs.put((job, future))
        return future

    def close(self) -> None:
        """Finish what is queued and release the store."""
        self._jobs.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _work(self, open_it: Callable[[], Store], ready: "Future[None]") -> None:
        try:
            store = open_it()
        except BaseException as error:
            ready.set_exception(error)
            return
        ready.set_result(None)
        with store:
            while (task := self._jobs.get()) is not None:
                job, future = task
                try:
                    future.set_result(job(store))
                except BaseException as error:
                    future.set_exception(error)


def new_session_id() -> str:
    """A UUIDv7 (RFC 9562): sortable by time, unique without a server."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


class _Transaction:
    """A connection in a transaction; database errors become the user's line."""

    def __init__(self, engine: sa.Engine, where: str) -> None:
        self._context = engine.begin()
        self._where = where

    def __enter__(self) -> sa.Connection:
        try:
            return self._context.__enter__()
        except sa.exc.DBAPIError as error:
            raise _database_error(error, self._where) from error

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self._context.__exit__(kind, error, trace)
        except sa.exc.DBAPIError as failure:
            raise _database_error(failure, self._where) from failure
        if isinstance(error, sa.exc.DBAPIError):
            raise _database_error(error, self._where) from error


def _layout(table: Table, metadata: sa.MetaData) -> sa.Table:
    columns = [
        sa.Column(column.name, _TYPES[column.dtype], nullable=not column.filled, primary_key=column.name in table.key)
        for column in table.columns
    ]
    return sa.Table(table.name, metadata, *columns)


def _sqlite_engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), poolclass=sa.StaticPool)

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA busy_timeout={1000 * PATIENCE_S}")
        _switch_to_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")

    return engine


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; SQLite's own patience does not cover two programs that do so at once."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _remote_store(text: str) -> Store:
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UserError("--store: not a database URL; wanted one such as postgresql://user@host/database") from error
    shown = url.render_as_string(hide_password=True)
    try:
        return Store(sa.create_engine(url, pool_pre_ping=True), shown)
    except (ImportError, sa.exc.ArgumentError) as error:
        raise UserError(f"--store {shown}: cannot be opened ({error})") from error


def _require_store(path: Path, *, may_be_new: bool) -> None:
    """Refuse another program's database before a byte of it is changed.

    A database without any table may be a store that another program is just making.

    Raises:
        UserError: the file is a database, but not a results store.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        return  # opening it for real says what is wrong
    if "gan_eval_meta" not in names and (names or not may_be_new):
        raise UserError(f"{path}: not a results store; name another file with --store")


def _make_parent(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path, error) from error


def _database_error(error: sa.exc.DBAPIError, where: str) -> UserError:
    detail = str(error.orig).splitlines()[0] if error.orig else str(error)
    low = detail.lower()
    if "disk is full" in low or "no space" in low:
        return UserError(f"{where}: the disk is full; free some space; what was answered before is safe")
    if "unique" in low or "duplicate key" in low:
        return UserError(f"{where}: this row is in the store already ({detail}); nothing was overwritten")
    if "not a database" in low or "malformed" in low:
        return UserError(f"{where}: not a results store; name another file with --store")
    if "readonly" in low or "unable to open" in low or "permission" in low:
        return UserError(f"{where}: the store cannot be opened for writing; mend its permissions or name another place")
    return UserError(f"{where}: the store gave an error: {detail}")
