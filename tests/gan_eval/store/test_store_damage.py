"""Damaged stores: rows that no session can have left, wrong cells, broken pages, another program at work."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from refusals import refused
from stored_rows import sit

from gan_eval import analyze, read_trials, tables
from gan_eval.__main__ import run
from gan_eval.base.errors import UserError
from gan_eval.store import forget, merge, open_store, push, require_consistent
from gan_eval.store.export import export_store
from gan_eval.store.layout import SCHEMA_VERSION
from gan_eval.tables.schema import Table


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sessions of six planned trials: one complete, one under way, one aborted after four."""
    path = tmp_path_factory.mktemp("whole") / "s.sqlite"
    with open_store(path) as opened:
        for session, (status, done) in {"a": ("complete", 6), "b": ("open", 3), "c": ("aborted", 4)}.items():
            sit(opened, f"P-{session}", session=session, planned=6, done=done, status=status)
    damage(path, "UPDATE trials SET response = 'none', correct = NULL, reaction_time_ms = NULL WHERE trial = 1")
    with open_store(path) as opened:
        require_consistent(opened)
    return path


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path))


def damage(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript("; ".join(statements))


DAMAGES = {
    "the end of a complete session": ("DELETE FROM trials WHERE session = 'a' AND trial > 5", "lacks 1 of its planned"),
    "the first trial, and all plans": (
        "DELETE FROM plans; DELETE FROM trials WHERE session = 'b' AND trial = 1",
        r"session 'b' \(P-b, open\) has trials up to number 3, but 1 of them are missing",
    ),
    "the end of a complete session, and all plans": (
        "DELETE FROM plans; UPDATE sessions SET status = 'complete' WHERE session = 'c'",
        r"session 'c' \(P-c, complete\) has 4 trials, another complete session of its design has 6",
    ),
    "all of a session but its row": (
        "DELETE FROM plans WHERE session = 'a'; DELETE FROM trials WHERE session = 'a'",
        r"session 'a' \(P-a, complete\) has no trials",
    ),
    "the middle of an aborted one": (
        "DELETE FROM trials WHERE session = 'c' AND trial IN (2, 3)",
        r"session 'c' \(P-c, aborted\) lacks 2 of its planned trials, the first is trial 2",
    ),
    "kind": (
        "UPDATE trials SET kind = 'real', correct = 1 WHERE session = 'b' AND trial = 3",
        "row session='b' trial=3: kind 'real', its plan has 'fake'",
    ),
    "kind without a plan": (
        "DELETE FROM plans; UPDATE trials SET kind = 'fake', correct = 0 WHERE session = 'a' AND trial = 4",
        "row session='a' trial=4: kind 'fake' of stimulus 'd/real/4', which has the other kind elsewhere",
    ),
    "kind against the name": (
        "DELETE FROM plans; UPDATE trials SET kind = 'fake', correct = 0 WHERE trial = 6",
        "row session='a' trial=6: kind 'fake' of stimulus 'd/real/6', which is named as a real picture",
    ),
    "correct": (
        "UPDATE trials SET correct = 0 WHERE session = 'c' AND trial = 4",
        "trial=4: correct False contradicts kind 'real' and response 'real'",
    ),
    "no session": (
        "DELETE FROM sessions WHERE session = 'b'",
        "table plans: 6 rows of session 'b' without that session",
    ),
    "onsets and trials alone": (
        "DELETE FROM sessions WHERE session = 'b'; DELETE FROM plans WHERE session = 'b'",
        "table onsets: 3 rows of session 'b' without that session",
    ),
    "two participants": (
        "UPDATE trials SET participant = 'X' WHERE trial = 4",
        "row session='a' trial=4: participant 'X', its session has 'P-a'",
    ),
    "marks of no trial": (
        "UPDATE marks SET trial = 5 WHERE session = 'b'",
        "table marks, row session='b' trial=5: no trial that showed 'd/m/1'",
    ),
    "marks of another picture": (
        "UPDATE marks SET stimulus = 'd/other/1' WHERE session = 'c'",
        "table marks, row session='c' trial=1: no trial that showed 'd/other/1'",
    ),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_what_no_session_can_have_left_is_named(store: Path, case: str) -> None:
    script, line = DAMAGES[case]
    damage(store, script)
    with open_store(store) as opened, pytest.raises(UserError, match=rf"s\.sqlite: .*{line}"):
        require_consistent(opened)


def test_every_reader_refuses_it(tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script, line = DAMAGES["correct"]
    damage(store, script)
    readers: dict[str, Callable[[], object]] = {
        "analyze": lambda: analyze(store),
        "read_trials": lambda: read_trials(store),
        "export": lambda: export_store(store, tmp_path / "exported", formats=["csv"]),
        "merge": lambda: merge([store], tmp_path / "merged.sqlite"),
    }
    for reader in readers.values():
        refused(rf"s\.sqlite: .*{line}", reader)
    assert run(["analyze", "--store", str(store), "--out", str(tmp_path / "out")]) == 2
    assert run(["participants", "list", "--store", str(store)]) == 2
    listed = capsys.readouterr()
    assert "P-a: t, quick_response" in listed.out
    assert listed.err.count("s.sqlite: table") == 2
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"s.sqlite"}


@pytest.mark.parametrize(
    "column", ["reaction_time_ms", "requested_exposure_ms", "planned_exposure_ms", "exposure_ms", "second_exposure_ms"]
)
def test_a_time_is_negative_below_0_alone(store: Path, column: str) -> None:
    damage(store, f"UPDATE trials SET {column} = 0 WHERE trial = 2")
    with open_store(store) as opened:
        require_consistent(opened)
        damage(store, f"UPDATE trials SET {column} = -0.001 WHERE trial = 2")
        refused(rf"row session='a' trial=2: {column} -0.001", require_consistent, opened, study="t")
        require_consistent(opened, study="another")


WRONG = [
    (tables.TRIALS, "reaction_time_ms", "'abc'", "found 'abc', expected a number"),
    (tables.TRIALS, "simulated", "'maybe'", "found 'maybe', expected true or false"),
    (tables.TRIALS, "confidence", "x'00ff'", r"found b'\x00\xff', expected a number"),
    (tables.TRIALS, "participant", "x'414243'", "found b'ABC', expected text"),
    (tables.TRIALS, "participant", "''", "empty; every row must hold a value"),
    (tables.TRIALS, "phase", "'mean'", "found 'mean', expected one of practice, main, catch"),
    (tables.TRIALS, "answered_at", "'yesterday'", "found 'yesterday', expected an instant"),
    (tables.TRIALS, "block", "99999999999999999999", "found 100000000000000000000, expected a whole number"),
    (tables.TRIALS, "kind", "printf('%.*c', 5000, 'x')", "found 'xxxxxxxxxxx"),
    (tables.SESSIONS, "status", "'gone'", "found 'gone', expected one of open, complete, aborted"),
]  # fmt: skip


def use(store: Path, way: str, table: Table, *, create: bool = False) -> None:
    """Read a store by rows, as a frame, or by a merge, which must leave nothing behind."""
    if way == "merge":
        try:
            merge([store], store.with_name("all.sqlite"))
        finally:
            assert not store.with_name("all.sqlite").exists()
    else:
        with open_store(store, create=create) as opened:
            opened.rows(table) if way == "rows" else opened.frame(table)


@pytest.mark.parametrize(("table", "column", "value", "line"), WRONG)
def test_a_wrong_cell_is_named_with_file_table_row_and_column(
    store: Path, monkeypatch: pytest.MonkeyPatch, table: Table, column: str, value: str, line: str
) -> None:
    row = "session='b'" if table is tables.SESSIONS else "session='b' trial=2"
    damage(store, f'UPDATE {table.name} SET "{column}" = {value} WHERE {row.replace(" ", " AND ")}')
    for way, at_once in (("frame", 20_000), ("frame", 1), ("merge", 20_000)):
        monkeypatch.setattr("gan_eval.tables.frames.ROWS_AT_ONCE", at_once)
        with pytest.raises(UserError) as caught:
            use(store, way, table)
        message = str(caught.value)
        where = f"{store}: table {table.name}, row {row}"
        contradicts = way == "merge" and message.startswith(f"{where}: {column} ")  # its session, or its plan
        assert contradicts or message.startswith(f"{where}, column {column}: {line}")
        assert len(message) < 400


def test_a_store_that_was_made_before_there_were_marks_is_read_and_extended(store: Path, tmp_path: Path) -> None:
    damage(store, "DROP TABLE marks")
    store.chmod(0o400)
    before = store.read_bytes()
    with open_store(store, create=False) as opened:
        require_consistent(opened)
        assert opened.rows(tables.MARKS) == []
        assert opened.frame(tables.MARKS).empty
    assert export_store(store, tmp_path / "csv", formats=["csv"]).files["marks.csv"] == 0
    assert store.read_bytes() == before
    store.chmod(0o600)
    assert merge([store], tmp_path / "merged.sqlite").rows["marks"] == 0
    assert forget(store, "P-c")["marks"] == 0
    with open_store(store) as opened:
        trial = opened.rows(tables.TRIALS, session="a")[0]
        mark = {name: trial.get(name) for name in tables.MARKS.names} | {"mark": 1, "x": 0.25, "y": 0.5}
        opened.add(tables.MARKS, [mark, {**mark, "mark": 2}])
        for again in (mark, {**mark, "x": 0.75}):
            refused("in the store already", opened.add, tables.MARKS, [again])
        assert [row["mark"] for row in opened.rows(tables.MARKS)] == [1, 2]


OPTIONAL = {
    (table, column.name)
    for table in tables.STORED_TABLES
    for column in table.columns
    if column.optional and column.name not in ("simulated", "fraction")  # which every store has
}


def test_a_store_that_was_made_before_there_was_a_column_is_read_and_extended(store: Path, tmp_path: Path) -> None:
    damage(store, *(f"ALTER TABLE {table.name} DROP COLUMN {name}" for table, name in OPTIONAL))
    store.chmod(0o400)
    before = store.read_bytes()
    with open_store(store, create=False) as opened:
        require_consistent(opened)
        assert opened.absent == OPTIONAL
        assert {row["window_system"] for row in opened.rows(tables.SESSIONS)} == {None}
        assert all(opened.frame(table)[name].isna().all() for table, name in OPTIONAL)
        assert opened.frame(tables.SESSIONS, session="none").empty
    assert export_store(store, tmp_path / "csv", formats=["csv"]).files["sessions.csv"] > 0
    assert store.read_bytes() == before
    store.chmod(0o600)
    new = tmp_path / "new.sqlite"
    assert push(store, new).sessions > 0
    with open_store(new) as opened:
        opened.update_session("a", {"window_system": "wayland"})
    assert push(new, store).refused == ()
    with open_store(store) as opened:
        opened.update_session("a", {"window_system": "xcb"})
        assert [row["window_system"] for row in opened.rows(tables.SESSIONS, session="a")] == ["xcb"]


def test_a_column_that_older_stores_lack_is_optional() -> None:
    required = [column.name for table in tables.STORED_TABLES for column in table.columns if not column.optional]
    assert (SCHEMA_VERSION, len(required)) == (3, 104), "declare a new column of a store with optional=True"


LOOSE = "CREATE TABLE loose AS SELECT * FROM trials; DROP TABLE trials; ALTER TABLE loose RENAME TO trials"
"""The table without what the database itself refuses."""
DAMAGED = {
    "UPDATE trials SET second_onset_ms = 1e999 WHERE trial = 2": (
        r"column second_onset_ms: found inf, expected a finite number; fix that cell"
    ),
    "DROP TABLE trials": r"the store is damaged \(no such table: trials\)",
    "ALTER TABLE trials DROP COLUMN rating": r"damaged \(no such column: ",
    f"{LOOSE}; UPDATE trials SET phase = NULL WHERE trial = 3": (
        ": table trials, row session='a' trial=3, column phase: empty; every row must hold a value"
    ),
    "UPDATE trials SET item = CAST(x'ff41' AS TEXT) WHERE trial = 2": (
        r"the store is damaged \(Could not decode to UTF-8 column 'item:?'"
    ),
    **{
        f"UPDATE gan_eval_meta SET schema_version = {other}": "the store has schema version .*gan_eval that made it"
        for other in (SCHEMA_VERSION - 1, SCHEMA_VERSION + 1, "'new'")
    },
}


def require_refused(store: Path, line: str) -> None:
    for way in ("frame", "merge", "rows"):
        with pytest.raises(UserError, match=line) as caught:
            use(store, way, tables.TRIALS, create=way == "rows")
        assert str(caught.value).startswith(f"{store}: ")


@pytest.mark.parametrize(("statement", "line"), DAMAGED.items())
def test_a_damaged_store_is_reported_in_one_line(store: Path, statement: str, line: str) -> None:
    damage(store, statement)
    require_refused(store, line)


def test_a_damaged_file_is_reported_in_one_line(store: Path) -> None:
    content = store.read_bytes()
    store.write_bytes(content[:100] + bytes(range(60)) + content[160:])
    require_refused(store, r"the store is damaged \(")
    at = content.index(b"CREATE TABLE sessions")  # SQLite's complaint quotes the schema, which is not UTF-8 then
    store.write_bytes(content[: at + 7] + b"\xf0(x\xff" + content[at + 11 :])
    require_refused(store, r"the store is damaged \(malformed database schema")


def test_a_row_that_is_there_twice_is_named(store: Path) -> None:
    damage(store, LOOSE, "INSERT INTO trials SELECT * FROM trials WHERE session = 'b' AND trial = 2")
    refused(r"s\.sqlite:.*row 9:.*session=b, trial=2.*row 8", use, store, "frame", tables.TRIALS)


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
connection.execute("UPDATE sessions SET station = 'held'")
print("held", flush=True)
sys.stdin.read()
"""


def test_who_holds_a_store_is_reported_after_a_while(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_eval.store.connect.PATIENCE_S", 0.05)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        who = f"process {holder.pid} " if Path("/proc/locks").exists() else "another program"
        for way, create in (("rows", True), ("rows", False), ("frame", False), ("merge", False)):
            with pytest.raises(UserError) as caught:
                use(store, way, tables.TRIALS, create=create)
            assert str(caught.value).startswith(f"{store}: {who}")
        holder.communicate("")


def test_a_link_to_nothing_is_no_new_store(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").symlink_to("elsewhere.sqlite")
    refused(r"store\.sqlite:.*elsewhere\.sqlite", open_store, tmp_path / "store.sqlite")
    assert not (tmp_path / "elsewhere.sqlite").exists()
