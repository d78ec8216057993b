"""The store: durable rows, refusals that name the store, and what a newer version or a full disk does."""

import signal
import sqlite3
import subprocess
import sys
import uuid

import pytest

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.store import SCHEMA_VERSION, Writer, new_session_id, open_store

SESSION = {
    "session": "s1",
    "study": "t",
    "participant": "P01",
    "protocol": "quick_response",
    "status": "open",
    "simulated": False,
    "started_at": "2026-01-01T00:00:00Z",
}


def trial(number: int, session: str = "s1") -> dict[str, object]:
    return {
        "session": session,
        "study": "t",
        "participant": "P01",
        "trial": number,
        "phase": "main",
        "stimulus": f"d/real/{number}",
        "kind": "real",
        "exposure_ms": 1000.25,
        "correct": True,
        "simulated": False,
    }


def test_what_is_stored_comes_back_with_its_types(tmp_path):
    with open_store(tmp_path / "s.sqlite") as store:
        store.begin(SESSION, [], None)
        store.add(tables.TRIALS, [trial(2), trial(1)])
        rows = store.rows(tables.TRIALS, session="s1")
        assert [row["trial"] for row in rows] == [1, 2]
        assert rows[0] == {name: trial(1).get(name) for name in tables.TRIALS.names}
        frame = store.frame(tables.TRIALS)
        assert frame["trial"].dtype == "Int64"
        assert frame["exposure_ms"].tolist() == [1000.25, 1000.25]
        store.set_status("s1", "complete", "2026-01-01T00:10:00Z")
        assert store.rows(tables.SESSIONS)[0]["status"] == "complete"


def test_a_session_is_stored_whole_or_not_at_all(tmp_path):
    plan = {"session": "s1", "block": 1, "trial": 1, "phase": "main", "stimulus": "d/real/1"}
    with open_store(tmp_path / "s.sqlite") as store:
        with pytest.raises(UserError):
            store.begin(SESSION, [plan, plan], None)
        assert store.rows(tables.SESSIONS) == []
        store.begin(SESSION, [plan], {"session": "s1", "participant": "P01", "given": True})
        assert len(store.rows(tables.CONSENTS)) == 1


def test_a_trial_is_never_overwritten(tmp_path):
    with open_store(tmp_path / "s.sqlite") as store:
        store.add(tables.TRIALS, [trial(1)])
        with pytest.raises(UserError, match="in the store already"):
            store.add(tables.TRIALS, [{**trial(1), "correct": False}])
        assert store.rows(tables.TRIALS)[0]["correct"] is True


def test_a_newer_store_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "s.sqlite"
    open_store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE gan_eval_meta SET schema_version = ?", (SCHEMA_VERSION + 1,))
    with pytest.raises(UserError, match=r"s\.sqlite: the store has schema version .* update gan_eval"):
        open_store(path)


def test_what_is_not_a_store_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be taken for one " * 40)
    with pytest.raises(UserError, match=r"notes\.txt: not a results store"):
        open_store(tmp_path / "notes.txt")
    with pytest.raises(UserError, match="is a folder"):
        open_store(tmp_path)
    with pytest.raises(UserError, match="no such store"):
        open_store(tmp_path / "absent.sqlite", create=False)
    assert not (tmp_path / "absent.sqlite").exists()


def test_another_programs_database_is_left_as_it_is(tmp_path):
    path = tmp_path / "bookmarks.sqlite"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    for create in (True, False):
        with pytest.raises(UserError, match=r"bookmarks\.sqlite: not a results store"):
            open_store(path, create=create)
    assert path.read_bytes() == before
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(UserError, match="not a results store"):
        open_store(tmp_path / "empty.sqlite", create=False)


def test_a_participant_sits_once_even_when_two_programs_ask_at_once(tmp_path):
    with open_store(tmp_path / "s.sqlite") as one, open_store(tmp_path / "s.sqlite") as other:
        one.begin(SESSION, [], None)
        with pytest.raises(UserError, match="P01 has begun a session elsewhere"):
            other.begin({**SESSION, "session": "s2"}, [], None)
        other.begin({**SESSION, "session": "s3", "study": "another"}, [], None)


def test_a_full_disk_is_told_and_earlier_trials_are_safe(tmp_path):
    path = tmp_path / "s.sqlite"
    with open_store(path) as store:
        store.add(tables.TRIALS, [trial(1)])
        with store._engine.connect() as connection:  # SQLite's own stand-in for a disk without room
            connection.exec_driver_sql("PRAGMA max_page_count=1")
        with pytest.raises(UserError, match="disk is full"):
            store.add(tables.TRIALS, [{**trial(number), "flags": "x" * 4000} for number in range(2, 400)])
    with open_store(path) as store:
        assert [row["trial"] for row in store.rows(tables.TRIALS)] == [1]


def test_a_password_is_never_told():
    for url in ("nodatabase://user:hunter2@127.0.0.1/lab", "post gres://user:hunter2@lab"):
        with pytest.raises(UserError) as caught:
            open_store(url)
        assert "hunter2" not in str(caught.value)


def test_the_writer_keeps_the_order_and_hands_errors_back(tmp_path):
    with Writer(lambda: open_store(tmp_path / "s.sqlite")) as writer:
        done = [writer.submit(lambda store, n=n: store.add(tables.TRIALS, [trial(n)])) for n in (1, 2, 2, 3)]
        errors = [future.exception() for future in done]
        assert [type(error) for error in errors] == [type(None), type(None), UserError, type(None)]
        rows = writer.submit(lambda store: store.rows(tables.TRIALS)).result()
    assert [row["trial"] for row in rows] == [1, 2, 3]
    with pytest.raises(UserError):
        Writer(lambda: open_store(tmp_path))


def test_many_programs_may_open_a_new_store_at_once(tmp_path):
    for turn in range(3):
        path = str(tmp_path / str(turn))
        code = f"import sys; from gan_eval.store import open_store; sys.stdin.read(); open_store({path!r})"
        command = [sys.executable, "-c", code]
        children = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
        for child in children:
            assert child.stdin is not None
            child.stdin.close()
        assert [child.stderr.read() for child in children if child.stderr] == [b"", b"", b"", b""]


CHILD = """
import sys
from gan_eval import tables
from gan_eval.store import open_store
store = open_store(sys.argv[1])
session, n = sys.argv[2], 0
while True:
    n += 1
    store.add(tables.TRIALS, [{"session": session, "participant": "P", "trial": n, "phase": "main",
                               "stimulus": f"s{n}", "simulated": False}])
    print(n, flush=True)
"""


def test_no_acknowledged_trial_is_lost_when_the_process_is_killed(tmp_path):
    path = tmp_path / "s.sqlite"
    for turn in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), f"k{turn}"], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(20 + 7 * turn)]
        child.send_signal(signal.SIGKILL)
        told += [int(line) for line in child.stdout.read().splitlines() if line.strip()]
        child.wait()
        with open_store(path) as store:
            kept = [row["trial"] for row in store.rows(tables.TRIALS, session=f"k{turn}")]
        assert kept == list(range(1, len(kept) + 1))
        assert len(kept) in (len(told), len(told) + 1)


def test_session_identifiers_are_version_7_and_rise_with_time():
    first = [uuid.UUID(new_session_id()) for _ in range(100)]
    assert {identifier.version for identifier in first} == {7}
    assert {identifier.variant for identifier in first} == {uuid.RFC_4122}
    assert len(set(first)) == 100
    assert (first[0].int >> 80) <= (first[-1].int >> 80)
