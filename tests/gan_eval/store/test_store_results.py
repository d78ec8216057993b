"""The store and its writer: durable rows, frames of them, and refusals that name the store."""

import os
import sqlite3
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from stored_rows import SESSION, at_once, trial

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.store import Writer, keep_design, kept_design, merge, new_session_id, open_store
from gan_eval.store.layout import LAYOUTS
from gan_eval.store.results import lock_writes


def test_what_is_stored_comes_back_with_its_types(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite") as store:
        store.begin(SESSION, [], None)
        store.add(tables.TRIALS, [trial(2), trial(1)])
        rows = store.rows(tables.TRIALS, session="s1")
        assert [row["trial"] for row in rows] == [1, 2]
        assert rows[0] == {name: trial(1).get(name) for name in tables.TRIALS.names}
        frame = store.frame(tables.TRIALS)
        assert frame["trial"].dtype == "Int64"
        assert frame["exposure_ms"].tolist() == [1000 / 3, 1000 / 3]
        with pytest.raises(UserError, match="in the store already"):
            store.add(tables.TRIALS, [{**trial(1), "rating": 3.0}])
        assert store.rows(tables.TRIALS) == rows, "a trial is never overwritten"
        store.describe("s1", {"status": "complete", "ended_at": "2026-01-01T00:10:00Z"})
        assert store.rows(tables.SESSIONS)[0]["status"] == "complete"


def test_a_session_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    plan = {"session": "s1", "block": 1, "trial": 1, "phase": "main", "stimulus": "d/real/1"}
    with open_store(tmp_path / "s.sqlite") as store:
        with pytest.raises(UserError):
            store.begin(SESSION, [plan, plan], None)
        assert store.rows(tables.SESSIONS) == []
        store.begin(SESSION, [plan], {"session": "s1", "participant": "P01", "given": True})
        assert len(store.rows(tables.CONSENTS)) == 1


def test_a_kept_design_comes_back_and_none_where_it_is_not_there_or_damaged(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite") as store:
        assert kept_design(store, "h") is None
        keep_design(store, "h", {"quiz": {"real": 4}})
        assert kept_design(store, "h") == {"quiz": {"real": 4}}
        assert kept_design(store, "other") is None
        for damaged in ("{", "[1]", "[" * 100_000):
            with store.transaction() as connection:
                connection.execute(sa.text("UPDATE gan_eval_designs SET design = :text"), {"text": damaged})
            assert kept_design(store, "h") is None


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
        store.describe("s1", {"status": "complete"})
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
        with pytest.raises(UserError, match=r"bookmarks\.sqlite: not a results store"):
            open_store(path, create=create)
    assert path.read_bytes() == before


def test_a_participant_sits_once_even_when_two_programs_ask_at_once(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite") as one, open_store(tmp_path / "s.sqlite") as other:
        one.begin(SESSION, [], None)
        with pytest.raises(UserError, match="P01 has begun a session elsewhere"):
            other.begin({**SESSION, "session": "s2"}, [], None)
        other.begin({**SESSION, "session": "s3", "study": "another"}, [], None)


@pytest.mark.nightly
def test_many_programs_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    code = "import sys; from gan_eval.store import open_store; sys.stdin.read(); open_store(sys.argv[1])"
    assert at_once(code, *[(str(tmp_path / "s.sqlite"),)] * 4) == [""] * 4


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a folder that nobody can write")
def test_no_permission_is_reported_in_one_line() -> None:
    with pytest.raises(UserError, match=r"/proc/(gan-eval/)?s\.sqlite: .*(permission|cannot be written)"):
        open_store("/proc/s.sqlite")
    with pytest.raises(UserError, match=r"/proc/gan-eval/s\.sqlite: .*(permission|cannot be written)"):
        open_store("/proc/gan-eval/s.sqlite")


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
                with pytest.raises(RuntimeError, match=r"belongs to the thread MainThread, not to second.*Writer"):
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
    with pytest.raises(UserError, match="the results store is closed; this was not kept"):
        writer.submit(lambda store: store.rows(tables.TRIALS)).result(30)
    writer.close()
    with pytest.raises(UserError):
        Writer(lambda: open_store(tmp_path))
