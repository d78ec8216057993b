"""The results store: transactions, stored sessions and rows, and the writer thread. Rows are never overwritten."""

import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.base.reading import Address, Place, place_of
from gan_eval.base.sqlite_files import database_message
from gan_eval.store.connect import (
    DATABASE_ERRORS,
    database_error,
    empty_engine,
    may_write,
    read_only_engine,
    remote_engine,
    require_in_place,
    require_store_file,
    sqlite_engine,
    wait_until_started,
)
from gan_eval.store.deleted import deleted_from_moved, keep_deleted
from gan_eval.store.layout import (
    ADDED,
    INSERTS,
    LAYOUTS,
    SERVER_LOCK,
    absent_columns,
    checked_frame,
    checked_rows,
    frame_of,
    make_tables,
    version_of,
)
from gan_eval.tables import frames as tabular
from gan_eval.tables.cells import person_of
from gan_eval.tables.schema import Table

if TYPE_CHECKING:
    import pandas as pd

Result = TypeVar("Result")


def new_session_id() -> str:
    """Return a new UUIDv7 (RFC 9562): sortable by time, unique without a server."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def session_age(session: str) -> float:
    """Return the time in seconds since `new_session_id` made this identifier; 0 for any other identifier."""
    try:
        return time.time() - (uuid.UUID(session).int >> 80) / 1000
    except ValueError:
        return 0.0


Addition = tuple[Table, Mapping[str, Any]]
"""A row for a table."""


class Store:
    """One results store. Every method that writes is one transaction, durable when it returns.

    A store belongs to the thread that created it, because two threads on its one connection would share a transaction.
    Other threads open another store, or submit jobs to a `Writer`.
    """

    def __init__(self, engine: sa.Engine, where: str, *, scrub: Callable[[str], str] = str) -> None:
        """Set up without connecting; `scrub` removes a password from the database's messages."""
        self.engine = engine
        self.where = where  # path or URL, without a password
        self.lacking: frozenset[Table] = frozenset()
        """Tables that the store lacks because an older version made it; they are read as empty."""
        self.absent: frozenset[tuple[Table, str]] = frozenset()
        """Columns that it lacks in the same way, each with its table."""
        self._scrub = scrub
        self._owner = threading.current_thread()
        self._group: sa.Connection | None = None
        self._rollback_error: BaseException | None = None

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Open a transaction, or a savepoint in a `group`; database errors become `UserError`.

        Raises:
            RuntimeError: called in another thread than the one that created the store.
        """
        if (current := threading.current_thread()) is not self._owner:
            raise RuntimeError(
                f"{self.where}: this store belongs to the thread {self._owner.name}, not to {current.name}; "
                "open another one there, or give the job to a Writer"
            )
        try:
            with self.engine.begin() if self._group is None else self._savepoint(self._group) as connection:
                yield connection
        except DATABASE_ERRORS as error:
            message = database_message(getattr(error, "orig", None) or error)
            raise database_error(self._scrub(message), self.where) from None

    @contextmanager
    def group(self) -> Iterator[None]:
        """Commit all transactions of the block together at its end; one that fails is rolled back alone."""
        with self.transaction() as connection:
            if connection.dialect.name == "sqlite":  # otherwise a write after a read could fail
                lock_writes(connection)
            with self._joined(connection):
                yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read everything in the block at one moment, while other programs write; the block writes nothing."""
        if self._group is not None:  # it has a transaction
            yield
            return
        with self.transaction() as connection:
            is_file = connection.dialect.name == "sqlite"
            connection.exec_driver_sql("BEGIN" if is_file else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            with self._joined(connection):
                yield

    @contextmanager
    def _joined(self, connection: sa.Connection) -> Iterator[None]:
        """Make all transactions of the block a part of this one."""
        self._group, self._rollback_error = connection, None
        try:
            yield
        finally:
            self._group = None
        if self._rollback_error is not None:
            raise self._rollback_error

    @contextmanager
    def _savepoint(self, connection: sa.Connection) -> Iterator[sa.Connection]:
        if self._rollback_error is not None:
            raise self._rollback_error
        try:
            connection.exec_driver_sql("SAVEPOINT job")
            yield connection
            connection.exec_driver_sql("RELEASE SAVEPOINT job")
        except BaseException as error:
            try:
                connection.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
                connection.exec_driver_sql("RELEASE SAVEPOINT job")
            except DATABASE_ERRORS as failure:
                # The whole group is rolled back: SQLite's disk is full, or the server is gone. Later jobs of the group
                # must fail, too. Otherwise they would run outside the group, and its commit would report success.
                self._rollback_error = error if isinstance(error, DATABASE_ERRORS) else failure
            raise

    def begin(
        self,
        session: Mapping[str, Any],
        plan: Iterable[Mapping[str, Any]],
        consent: Mapping[str, Any] | None,
        *,
        more: Iterable[tuple[Table, Sequence[Mapping[str, Any]]]] = (),
        require: Callable[[sa.Connection], object] | None = None,
    ) -> None:
        """Store a session, its plan, the consent and `more` rows of other tables, all or none.

        Args:
            require: called in the transaction before anything is stored; raises `UserError` to refuse the session.

        Raises:
            UserError: the store cannot be written, or already has a session of this participant in this study.
        """
        with self.transaction() as connection:
            lock_writes(connection)  # two programs may admit one participant at the same moment
            if begun := sittings_of(connection, session["participant"], session["study"]):
                raise UserError(
                    f"{self.where}: participant {min(begun.values())} has begun a session elsewhere in the meantime; "
                    "give a new participant code"
                )
            if require is not None:
                require(connection)
            self._insert(connection, tables.SESSIONS, [session])
            self._insert(connection, tables.PLANS, list(plan))
            if consent is not None:
                self._insert(connection, tables.CONSENTS, [consent])
            for table, rows in more:
                self._insert(connection, table, rows)

    def add(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        session: str | None = None,
        require: Callable[[sa.Connection], object] | None = None,
    ) -> None:
        """Store rows of one table, all or none.

        Args:
            session: session of the rows. If another program has deleted its participant's data, the rows are refused;
                this can happen only on a server.
            require: called in the transaction before anything is stored; raises `UserError` to refuse the rows.

        Raises:
            UserError: the store cannot be written, already has a row with this key, or has no such session any more.
        """
        with self.transaction() as connection:
            if session is not None and connection.dialect.name != "sqlite":
                # lock the session's row, so that it cannot be deleted until this transaction ends
                layout = LAYOUTS[tables.SESSIONS].c
                query = sa.select(layout.session).where(layout.session == session)
                if connection.execute(query.with_for_update(read=True, key_share=True)).first() is None:
                    raise self._gone(session)
            if require is not None:
                require(connection)
            self._insert(connection, table, rows)

    def add_together(self, additions: Iterable[Addition]) -> bool:
        """Add rows of many sessions, all or none, to a SQLite file; return whether they were added.

        One statement for each table takes less time than one for each row, between which other threads get their turn.
        """
        if self.engine.dialect.name != "sqlite":  # `add` has to lock each session
            return False
        rows: dict[Table, list[Mapping[str, Any]]] = {}
        for table, row in additions:
            rows.setdefault(table, []).append(row)
        try:
            with self.transaction() as connection:
                for table, those in rows.items():
                    values = tuple(row.get(name) for row in those for name in table.names)
                    connection.exec_driver_sql(_insertion(table, len(those)), values)
        except UserError:  # `add` will report it for the row in question
            return False
        return True

    def update_session(
        self,
        session: str,
        columns: Mapping[str, Any],
        *,
        more: Iterable[tuple[Table, Sequence[Mapping[str, Any]]]] = (),
    ) -> None:
        """Set these columns of a session's row and store `more` rows of other tables, all or none.

        Raises:
            UserError: the store cannot be written, already has a row with this key, or has no such session any more.
        """
        layout = LAYOUTS[tables.SESSIONS]
        with self.transaction() as connection:
            update = layout.update().where(layout.c.session == session).values(**columns)
            if connection.execute(update).rowcount == 0:
                raise self._gone(session)
            for table, rows in more:
                self._insert(connection, table, rows)

    def rows(self, table: Table, **equal: Any) -> list[tabular.Row]:
        """Return a table's rows with these values, such as `rows(TRIALS, session="...")`, in the order of the key."""
        if table in self.lacking:
            return []
        with self.transaction() as connection:
            rows = connection.execute(_query(table, equal, self.absent)).mappings().all()
        return checked_rows(rows, table, self.where)

    def frame(self, table: Table, **equal: Any) -> "pd.DataFrame":
        """Return the same as `rows` as a pandas frame with the schema's dtypes."""
        import pandas as pd

        frames = [frame_of([], table)]
        if table not in self.lacking:
            with self.transaction() as connection:
                parts = connection.execute(_query(table, equal, self.absent)).partitions(tabular.ROWS_AT_ONCE)
                frames = [frame_of(rows, table) for rows in parts] or frames
        return checked_frame(pd.concat(frames, ignore_index=True), table, self.where)

    def require_in_place(self) -> None:
        """Check that a SQLite file has not been removed, moved or replaced since it was opened; else `UserError`."""
        with self.transaction() as connection:
            require_in_place(connection)

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _gone(self, session: str) -> UserError:
        return UserError(f"{self.where}: the session {session} is gone; its participant's data have been deleted")

    def _insert(self, connection: sa.Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            values = [{name: row.get(name) for name in table.names} for row in rows]
            connection.execute(INSERTS[table], values)


@cache
def _insertion(table: Table, rows: int) -> str:
    """Return SQLite's statement that adds this number of rows."""
    head, values, row = str(INSERTS[table].compile(dialect=sqlite.dialect())).partition(" VALUES ")
    return head + values + ", ".join([row] * rows)


def _query(table: Table, equal: Mapping[str, Any], absent: Collection[tuple[Table, str]]) -> sa.Select[Any]:
    """Return the query of a table's rows as the database holds them, in the order of the key."""
    layout = LAYOUTS[table]
    order = ("started_at", "session") if table is tables.SESSIONS else table.key
    columns: list[sa.Label[Any]] = [
        sa.type_coerce(sa.null() if (table, name) in absent else layout.c[name], sa.types.NULLTYPE).label(name)
        for name in table.names
    ]
    query = sa.select(*columns)
    query = query.where(*(layout.c[name] == value for name, value in equal.items()))
    return query.order_by(*(layout.c[name] for name in order))


def _engine_of_file(path: Path, *, create: bool, exclusive: bool, empty: bool) -> sa.Engine:
    """Return the engine of a SQLite file; one in memory stands for an empty file that is only read."""
    if empty and not create:
        return empty_engine()
    if create or exclusive or may_write(path):
        return sqlite_engine(path, exclusive=exclusive)
    return read_only_engine(path)


def open_store(where: str | Place, *, create: bool = True, exclusive: bool = False) -> Store:
    """Open a store by file path (SQLite) or URL (`postgresql://...`).

    Args:
        create: create a store if there is none, and wait for a server that is just starting. If false, a
            write-protected file is opened for reading, and an empty database is read as an empty store and not changed.
        exclusive: refuse to share a SQLite file with another program until the store is closed.

    Raises:
        UserError: the store does not exist and `create` is false; it is not a store or has another version; no
            permission; another program has locked it.

    >>> from tempfile import mkdtemp
    >>> from gan_eval.tables import TRIALS
    >>> with open_store(f"{mkdtemp()}/lab.sqlite") as store:
    ...     store.frame(TRIALS).empty
    True
    """
    address, empty = place_of(where), False
    if isinstance(address, Address):
        store = Store(remote_engine(address), str(address), scrub=address.scrub)
        if create:  # a program that only reads can be started again
            wait_until_started(store.engine)
    else:
        empty = require_store_file(address, create=create)
        store = Store(_engine_of_file(address, create=create, exclusive=exclusive, empty=empty), str(address))
    try:
        with store.transaction() as connection:
            if create or empty:
                lock_writes(connection)  # two programs may open a new store at the same moment
                make_tables(connection, store.where)
                if isinstance(address, Path):
                    keep_deleted(connection, deleted_from_moved(address))
            elif version_of(connection, store.where) is None:
                raise UserError(f"{store.where}: not a results store, no session is stored in it; name another one")
            store.lacking = frozenset(of for of in ADDED if not sa.inspect(connection).has_table(of.name))
            store.absent = absent_columns(connection)
    except BaseException:
        store.close()
        raise
    return store


GROUP = 64
"""Maximum number of jobs that share one commit."""


class _Queued(NamedTuple):
    job: Callable[[Store], Any]
    future: "Future[Any]"
    alone: bool
    adds: Addition | None


class Writer:
    """A thread that owns a store and runs submitted jobs in order, so that a slow disk does not stop the quiz.

    `writer.submit(lambda store: store.add(TRIALS, [row])).result()` returns when the row is durable. Jobs that wait
    while another one is stored share the next commit, and so one flush of the disk.
    """

    def __init__(self, open_in_thread: Callable[[], Store]) -> None:
        """Open the store with `open_in_thread`, which is called in the new thread."""
        self._lock = threading.Lock()
        self._queue: deque[_Queued] = deque()
        self._working = False
        """True while the thread has jobs, or is about to look for them."""
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        try:
            self._store = self._thread.submit(open_in_thread).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def submit(
        self, job: Callable[[Store], Result], *, alone: bool = False, adds: Addition | None = None
    ) -> "Future[Result]":
        """Queue `job`; the future is done when the job's rows are durable, or has its error.

        Args:
            job: called in the thread. All its transactions become durable together.
            alone: share no commit with other jobs; for a job that rewrites the file.
            adds: the row that the job adds, if it does nothing else and returns None. Waiting rows are added together,
                without their jobs; if that fails, each job runs.
        """
        future: Future[Result] = Future()
        with self._lock:
            if not self._working:
                try:
                    self._thread.submit(self._work)
                except RuntimeError:  # closed
                    future.set_exception(UserError("the results store is closed; the rows were not stored"))
                    return future
                self._working = True
            self._queue.append(_Queued(job, future, alone, adds))
        return future

    def _work(self) -> None:
        """Run the queued jobs until there are none; those that wait share a commit."""
        while jobs := self._next_jobs():
            self._run([queued for queued in jobs if queued.future.set_running_or_notify_cancel()])

    def _next_jobs(self) -> list[_Queued]:
        """Take the next job and those that may share its commit."""
        jobs: list[_Queued] = []
        with self._lock:
            while self._queue and len(jobs) < GROUP and not (jobs and (jobs[-1].alone or self._queue[0].alone)):
                jobs.append(self._queue.popleft())
            self._working = bool(jobs)
        return jobs

    def _run(self, jobs: Sequence[_Queued]) -> None:
        """Run jobs and commit them together; then report each job's result or error."""
        results: list[Callable[[], None]] = []  # called after the commit: a future is done when its rows are durable
        try:
            with self._store.group() if len(jobs) > 1 else nullcontext():
                for adds, some in groupby(jobs, key=lambda queued: queued.adds is not None):
                    results += (self._added if adds else self._results)(list(some))
        except BaseException as error:  # nothing of the group was stored
            results = [partial(queued.future.set_exception, error) for queued in jobs]
        for report in results:
            report()

    def _added(self, jobs: Sequence[_Queued]) -> list[Callable[[], None]]:
        """Add the rows of jobs that only add a row; return what reports each one's result."""
        rows = [queued.adds for queued in jobs if queued.adds is not None]
        if len(rows) > 1 and self._store.add_together(rows):
            return [partial(queued.future.set_result, None) for queued in jobs]
        return self._results(jobs)

    def _results(self, jobs: Sequence[_Queued]) -> list[Callable[[], None]]:
        """Run jobs in order; return what reports each one's result or error."""
        results: list[Callable[[], None]] = []
        for queued in jobs:
            try:
                results.append(partial(queued.future.set_result, queued.job(self._store)))
            except BaseException as error:
                results.append(partial(queued.future.set_exception, error))
        return results

    def close(self) -> None:
        """Finish the queued jobs and close the store; a second call does nothing.

        Raises:
            UserError: the store's file is gone (`Store.require_in_place`), so what was stored may be lost.
        """
        if self._closed:
            return
        self._closed = True
        in_place = self.submit(Store.require_in_place, alone=True)
        self.submit(Store.close, alone=True)
        self._thread.shutdown()
        in_place.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def sittings_of(connection: sa.Connection, participant: str, study: str | None = None) -> dict[str, str]:
    """Return the code in each session of a participant, by session; codes are compared by `person_of`."""
    layout = LAYOUTS[tables.SESSIONS].c
    query = sa.select(layout.session, layout.participant)
    if study is not None:
        query = query.where(layout.study == study)
    person = person_of(participant)
    return {session: str(code) for session, code in connection.execute(query) if person_of(str(code)) == person}


def lock_writes(connection: sa.Connection) -> None:
    """Keep other programs from writing until this transaction ends, so that what it reads does not change."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        if driver is not None and not driver.in_transaction:  # a `group` holds the lock already
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SERVER_LOCK)))
