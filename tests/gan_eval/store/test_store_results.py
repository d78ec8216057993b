"""The store and its writer: durable rows, refusals that name the store, jobs that share a commit, kills in bursts."""

import os
import random
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any

import pytest
import sqlalchemy as sa
from refusals import refused
from stored_rows import SESSION, Job, add, at_once, held, start, together, trial

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.store import Store, Writer, merge, new_session_id, open_store, store_design, stored_design
from gan_eval.store.connect import sqlite_engine
from gan_eval.store.layout import LAYOUTS
from gan_eval.store.results import GROUP, lock_writes


def test_a_session_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    plan = {"session": "s1", "block": 1, "trial": 1, "phase": "main", "stimulus": "d/real/1"}
    with open_store(tmp_path / "s.sqlite") as store:
        with pytest.raises(UserError):
            store.begin(SESSION, [plan, plan], None)
        assert store.rows(tables.SESSIONS) == []
        store.begin(SESSION, [plan], {"session": "s1", "participant": "P01", "given": True})
        assert len(store.rows(tables.CONSENTS)) == 1


def test_each_commit_waits_for_the_disk_but_in_these_tests(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path / "s.sqlite")
    opened = engine.raw_connection()  # without what tests/conftest.py does to the connections of stores
    assert opened.cursor().execute("PRAGMA synchronous").fetchone() == (2,)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 0
    opened.close()
    engine.dispose()


def test_a_frame_has_the_cells_of_the_rows_whether_columns_are_constant_or_not(where: str) -> None:
    last = {"study": "u", "correct": None, "flags": "late", "onset_ms": 2.5, "block": 2}
    with open_store(where) as store:
        for number in (1, 2, 3):
            store.add(tables.TRIALS, [trial(number, **(last if number == 3 else {"block": 1}))])
        frame, rows = store.frame(tables.TRIALS), store.rows(tables.TRIALS)
        assert len(store.frame(tables.TRIALS, study="t")) == 2
    cells = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert [{name: value for name, value in row.items() if value is not None} for row in rows] == [
        {name: value for name, value in row.items() if value is not None} for row in cells
    ]
    assert frame["correct"].tolist()[:2] == [False, True]
    assert frame.dtypes.astype(str)[["block", "onset_ms", "simulated"]].tolist() == ["Int64", "float64", "boolean"]


def test_a_kept_design_comes_back_and_none_where_it_is_not_there_or_damaged(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite") as store:
        assert stored_design(store, "h") is None
        store_design(store, "h", {"quiz": {"real": 4}})
        assert stored_design(store, "h") == {"quiz": {"real": 4}}
        assert stored_design(store, "other") is None
        for damaged in ("{", "[1]", "[" * 100_000):
            with store.transaction() as connection:
                connection.execute(sa.text("UPDATE gan_eval_designs SET design = :text"), {"text": damaged})
            assert stored_design(store, "h") is None


@pytest.mark.parametrize("statement", ["", "PRAGMA journal_mode=WAL", "PRAGMA user_version=1"])
def test_a_database_without_tables_is_an_empty_store(tmp_path: Path, statement: str) -> None:
    """The first start was cut short; the next one continues, and reading changes nothing."""
    path = tmp_path / "store.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    path.touch()
    before = path.read_bytes()
    with open_store(path, create=False) as store:
        assert {len(store.rows(table)) for table in tables.STORED_TABLES} == {0}
    assert path.read_bytes() == before
    with open_store(path) as store:
        store.begin(SESSION, [], None)
    with open_store(path, create=False) as store:
        assert len(store.rows(tables.SESSIONS)) == 1


def test_a_copy_made_by_the_database_has_all_answers_and_a_copy_of_the_file_alone_has_not(tmp_path: Path) -> None:
    path, copy, file = (tmp_path / f"{name}.sqlite" for name in ("s", "copy", "file"))
    with open_store(path) as store:
        store.begin(SESSION, [], None)
        with closing(sqlite3.connect(path)) as shell:
            shell.execute(f"VACUUM INTO '{copy}'")
        file.write_bytes(path.read_bytes())
    with open_store(copy, create=False) as whole, open_store(file, create=False) as part:
        assert [len(store.rows(tables.SESSIONS)) for store in (whole, part)] == [1, 0]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_new_store_and_what_lies_next_to_it_are_for_their_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "s.sqlite"
    with open_store(path) as store:
        store.begin(SESSION, [], None)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == dict.fromkeys(("s.sqlite", "s.sqlite-wal", "s.sqlite-shm"), 384)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    merge([path], tmp_path / "all.sqlite")
    assert (tmp_path / "all.sqlite").stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with open_store(path) as store:
        store.update_session("s1", {"status": "complete"})
    assert path.stat().st_mode & 0o777 == 0o640, "what a user has decided stays"


def test_a_store_that_may_not_be_written_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.sqlite"
    with open_store(path) as store:
        store.begin(SESSION, [], None)
    before = path.read_bytes()
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with open_store(path, create=False) as store:
        assert len(store.rows(tables.SESSIONS)) == 1
        with pytest.raises(UserError, match="cannot be opened for writing"):
            store.begin({**SESSION, "session": "s2", "participant": "P02"}, [], None)
        assert [*tmp_path.iterdir()] == [path], "nothing is made next to it"
    assert path.read_bytes() == before


def test_another_programs_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.sqlite"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    for create in (True, False):
        refused(r"bookmarks\.sqlite:", open_store, path, create=create)
    assert path.read_bytes() == before


@pytest.mark.nightly
def test_many_programs_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = "import sys; from gan_eval.store import open_store; sys.stdin.read(); open_store(sys.argv[1])"
    assert at_once(code, *[(str(tmp_path / "s.sqlite"),)] * 4) == [""] * 4


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a folder that nobody can write")
def test_no_permission_is_reported_in_one_line() -> None:
    refused(r"/proc/(gan-eval/)?s\.sqlite: .*(permission|cannot be written)", open_store, "/proc/s.sqlite")
    refused(r"/proc/gan-eval/s\.sqlite: .*(permission|cannot be written)", open_store, "/proc/gan-eval/s.sqlite")


def test_what_is_only_read_reserves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_eval.store.connect.PATIENCE_S", 0)
    with open_store(tmp_path / "s.sqlite") as store, store.transaction() as connection:
        lock_writes(connection)
        with open_store(tmp_path / "s.sqlite", create=False) as other:
            assert other.rows(tables.TRIALS) == []


def test_a_store_is_of_one_thread(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite") as store, ThreadPoolExecutor(thread_name_prefix="second") as second:
        store.begin(SESSION, [], None)
        with store.transaction() as connection:
            connection.execute(LAYOUTS[tables.TRIALS].insert().values(**trial(1)))
            for job in (store.rows, store.frame, lambda table: store.add(table, [trial(2)])):
                with pytest.raises(RuntimeError, match="MainThread"):
                    second.submit(job, tables.TRIALS).result()
        assert [row["trial"] for row in store.rows(tables.TRIALS)] == [1]


def test_session_identifiers_are_version_7_and_rise_with_time() -> None:
    first = [uuid.UUID(new_session_id()) for _ in range(100)]
    assert {identifier.version for identifier in first} == {7}
    assert {identifier.variant for identifier in first} == {uuid.RFC_4122}
    assert len(set(first)) == 100
    assert (first[0].int >> 80) <= (first[-1].int >> 80)


def test_closing_finishes_what_is_queued_and_refuses_what_comes_later(tmp_path: Path) -> None:
    writer = Writer(lambda: open_store(tmp_path / "s.sqlite"))
    queued = writer.submit(lambda store: store.add(tables.TRIALS, [trial(1)]))
    writer.close()
    assert queued.result(0) is None
    with pytest.raises(UserError, match="closed"):
        writer.submit(lambda store: store.rows(tables.TRIALS)).result(30)
    writer.close()
    with pytest.raises(UserError):
        Writer(lambda: open_store(tmp_path))


@pytest.fixture
def writer(where: str) -> Iterator[Writer]:
    with Writer(lambda: open_store(where)) as opened:
        yield opened


def stored(writer: Writer) -> list[int]:
    rows = writer.submit(lambda store: store.rows(tables.TRIALS)).result(60)
    return [row["trial"] for row in rows]


def listen(writer: Writer, event: str, call: Callable[..., None]) -> None:
    writer.submit(lambda store: sa.event.listen(store.engine, event, call)).result(60)


def test_jobs_that_wait_share_a_commit_and_are_done_in_order_after_it(writer: Writer) -> None:
    futures: list[Future[Any]] = []
    at_commit: list[int] = []
    order: list[int] = []

    def note(number: int, store: Store) -> None:
        order.append(number)
        add(number)(store)

    listen(writer, "commit", lambda _: at_commit.append(sum(future.done() for future in futures)))
    with held(writer):
        futures += [writer.submit(partial(note, number)) for number in range(1, 101)]
    assert [future.exception(60) for future in futures] == [None] * 100
    assert order == list(range(1, 101))
    assert at_commit == [0, GROUP], "two commits, and before each of them none of its jobs is reported as done"
    assert stored(writer) == order


def test_one_job_alone_is_a_transaction_without_savepoints(writer: Writer) -> None:
    statements: list[str] = []
    listen(writer, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    writer.submit(add(1)).result(60)
    assert [statement.split()[0] for statement in statements] == ["INSERT"]


def test_waiting_rows_are_added_by_one_statement_and_a_refused_one_is_an_error_of_its_job_alone(tmp_path: Path) -> None:
    statements: list[str] = []
    with Writer(lambda: open_store(tmp_path / "s.sqlite")) as writer:
        listen(writer, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))

        def adding(*numbers: int) -> list[type]:
            with held(writer):
                futures = [writer.submit(add(number), adds=(tables.TRIALS, trial(number))) for number in numbers]
            return [type(future.exception(60)) for future in futures]

        assert adding(1, 2, 3, 4) == [NoneType] * 4
        assert [statement.split()[0] for statement in statements] == ["BEGIN", "SAVEPOINT", "INSERT", "RELEASE"]
        assert adding(5, 1, 6) == [NoneType, UserError, NoneType]
        writer.submit(add(7)).result(60)
        rows = writer.submit(lambda store: store.rows(tables.TRIALS)).result(60)
    assert rows == [{**rows[-1], **trial(number)} for number in range(1, 8)], "equal to a row that was added alone"


def test_an_error_in_a_group_is_that_of_its_job_alone(writer: Writer) -> None:
    def fault(store: Store) -> None:
        with store.transaction() as connection:
            connection.execute(LAYOUTS[tables.TRIALS].insert().values(**trial(50)))
            raise ZeroDivisionError

    def half(store: Store) -> None:
        store.add(tables.TRIALS, [trial(3)])
        store.add(tables.TRIALS, [trial(1)])

    def caught(store: Store) -> None:
        refused("in the store already", store.add, tables.TRIALS, [trial(51), trial(1)])
        store.add(tables.TRIALS, [trial(4)])

    def begin(store: Store) -> None:
        store.begin(SESSION, [], None)

    jobs = (add(1), add(1), begin, begin, add(2), fault, half, caught, add(5))
    results = together(writer, *jobs)
    kinds = [type(result) for result in results]
    nothing = type(None)
    assert kinds == [nothing, UserError, nothing, UserError, nothing, ZeroDivisionError, UserError, nothing, nothing]
    assert "in the store already" in str(results[1])
    assert "P01 has begun a session elsewhere" in str(results[3])
    assert stored(writer) == [1, 2, 3, 4, 5], "each transaction of a job is whole or absent, as without a group"


def test_a_group_lets_nobody_write_between_what_it_reads_and_writes(tmp_path: Path) -> None:
    """Without a lock from its start, SQLite refuses the first write after a read that has grown old."""
    path = tmp_path / "s.sqlite"

    def other(store: Store) -> int:
        from gan_eval.store import connect

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(connect, "PATIENCE_S", 0)
            with open_store(path, create=False) as second:
                refused("is using the store", second.add, tables.TRIALS, [trial(9)])
        return len(store.rows(tables.TRIALS))

    with Writer(lambda: open_store(path)) as writer:
        assert together(writer, other, add(1), other) == [0, None, 1]


def loose(store: Store) -> None:
    """Make a table of which a row may fail at the commit only."""
    with store.transaction() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.exec_driver_sql(
            "CREATE TABLE loose (of TEXT REFERENCES sessions (session) DEFERRABLE INITIALLY DEFERRED)"
        )


def insert_loose(store: Store) -> None:
    with store.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO loose VALUES ('nowhere')")


def test_a_commit_that_fails_is_an_error_of_every_job_and_the_next_one_succeeds(writer: Writer) -> None:
    writer.submit(loose).result(60)
    results = together(writer, add(1), insert_loose, lambda store: store.rows(tables.TRIALS), add(2))
    assert [type(result) for result in results] == [UserError] * 4
    assert "foreign key" in str(results[0]).lower()
    assert stored(writer) == []
    assert together(writer, add(1), add(2)) == [None, None]
    assert stored(writer) == [1, 2]


@pytest.mark.parametrize("swallowed", [False, True])
def test_a_group_rolled_back_on_a_full_disk_is_an_error_of_every_job(tmp_path: Path, swallowed: bool) -> None:
    """SQLite ends the whole transaction then, and the driver would report a commit of nothing as a success."""

    def limit(pages: int) -> Job:
        def set_limit(store: Store) -> None:
            with store.transaction() as connection:
                connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

        return set_limit

    def large(store: Store) -> None:
        try:
            store.add(tables.TRIALS, [{**trial(2), "flags": "x" * 100_000}])
        except UserError:
            if not swallowed:
                raise

    with Writer(lambda: open_store(tmp_path / "s.sqlite")) as writer:
        writer.submit(limit(1)).result(60)  # SQLite takes the present size, where that is more
        results = together(writer, add(1), large, add(3), lambda store: store.rows(tables.TRIALS))
        assert ["disk is full" in str(result) for result in results] == [True] * 4
        assert stored(writer) == []
        writer.submit(limit(1_000_000)).result(60)
        assert together(writer, add(1), large, add(3)) == [None] * 3
        assert stored(writer) == [1, 2, 3]


def test_an_error_that_a_job_swallows_within_its_transaction_spoils_no_other_job(writer: Writer) -> None:
    """On PostgreSQL a transaction with an error in it ends in a rollback, without an error at its commit."""

    def swallow(store: Store) -> None:
        with store.transaction() as connection:
            with pytest.raises(sa.exc.SQLAlchemyError):
                connection.execute(LAYOUTS[tables.TRIALS].insert().values(**trial(1)))

    results = together(writer, add(1), swallow, add(2))
    assert (results[0], results[2]) == (None, None)
    assert stored(writer) == [1, 2]


def test_a_job_that_is_cancelled_while_it_waits_is_not_done(writer: Writer) -> None:
    with held(writer):
        first, second, third = (writer.submit(add(number)) for number in (1, 2, 3))
        assert second.cancel()
    assert (first.result(60), third.result(60)) == (None, None)
    assert stored(writer) == [1, 3]


BURSTS = """
import os, sys, threading
from stored_rows import trial
from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.store import Writer, open_store
where, run, room = sys.argv[1], sys.argv[2], int(sys.argv[3])
writer = Writer(lambda: open_store(where))
if room:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
def answer(person):
    session = f"{run}-{person}"
    for number in range(1, 100_000):
        try:
            writer.submit(lambda store: store.add(tables.TRIALS, [trial(number, session)])).result()
        except UserError as error:
            os.write(2, f"{error}\\n".encode())
            return
        os.write(1, f"{session} {number}\\n".encode())
people = [threading.Thread(target=answer, args=(person,)) for person in range(20)]
for each in people:
    each.start()
for each in people:
    each.join()
"""
"""Twenty people answer as fast as they can, and report each answer that is durable."""


def bursts(where: str, run: object, reports: Path, *, room: int = 0) -> "subprocess.Popen[bytes]":
    """Start a process of such people; it appends what it reports to a file."""
    with reports.open("ab") as out:
        return start(BURSTS, where, str(run), str(room), stdout=out.fileno())


def all_stored(where: str) -> list[tuple[str, int]]:
    with open_store(where) as store:
        return [(row["session"], row["trial"]) for row in store.rows(tables.TRIALS)]


def reported_in(reports: Path) -> set[tuple[str, int]]:
    lines = [line.split() for line in reports.read_text().splitlines()]
    return {(session, int(number)) for session, number in lines}


@pytest.mark.slow
def test_bursts_killed_at_any_time_lose_no_reported_answer(where: str, tmp_path: Path, kills: int) -> None:
    moments, processes = random.Random(2), 2 if "://" in where else 1
    files = [tmp_path / f"{run}-{process}" for run in range(kills) for process in range(processes)]
    for run in range(0, len(files), processes):
        children = [bursts(where, file.name, file) for file in files[run : run + processes]]
        while not all(file.stat().st_size for file in files[run : run + processes]):
            time.sleep(0.001)
        for child in children:
            time.sleep(moments.uniform(0, 0.2))
            child.kill()
            assert child.communicate() == (None, b"")
    reported = set().union(*map(reported_in, files))
    rows = all_stored(where)
    print(len(files), "kills", len(reported), "reported", len(rows), "stored")
    assert len(reported) > 20 * len(files), "the kills come too early to say anything"
    assert len(rows) == len(set(rows))
    assert reported <= set(rows), "a reported answer is lost"
    assert len(set(rows) - reported) <= 20 * len(files), "each person waits for one answer"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_is_full_in_a_burst_costs_no_answer_that_was_reported(tmp_path: Path) -> None:
    where, reports = str(tmp_path / "s.sqlite"), tmp_path / "reports"
    lines = bursts(where, 0, reports, room=200_000).communicate(timeout=60)[1].decode().splitlines()
    assert [f"{where}: the disk is full" in line for line in lines] == [True] * 20
    rows = all_stored(where)
    assert set(rows) == reported_in(reports)
    assert len(rows) == len(set(rows)) > 20
