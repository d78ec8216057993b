"""Stores with wrong cells, damaged pages, or in another program's hands: one line says what, where and the fix."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from stored_rows import sit

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.store import merge, open_store
from gan_eval.store.layout import SCHEMA_VERSION
from gan_eval.tables.schema import Table


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two sessions of three trials each."""
    path = tmp_path_factory.mktemp("whole") / "station.sqlite"
    with open_store(path) as store:
        for name in ("s1", "s2"):
            sit(store, f"of {name}", session=name, planned=3, done=3)
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path))


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as raw:
        for statement in statements:
            raw.execute(statement)
        raw.commit()


def set_version(path: Path, *, version: object) -> None:
    change(path, f"UPDATE gan_eval_meta SET schema_version = {version}")


WRONG = [
    (tables.TRIALS, "reaction_time_ms", "'abc'", "found 'abc', wanted a number"),
    (tables.TRIALS, "simulated", "'maybe'", "found 'maybe', wanted true or false"),
    (tables.TRIALS, "confidence", "x'00ff'", r"found b'\x00\xff', wanted a number"),
    (tables.TRIALS, "participant", "x'414243'", "found b'ABC', wanted text"),
    (tables.TRIALS, "participant", "''", "found '', wanted text"),
    (tables.TRIALS, "phase", "'mean'", "found 'mean', wanted one of practice, main, catch"),
    (tables.TRIALS, "answered_at", "'yesterday'", "found 'yesterday', wanted an instant"),
    (tables.TRIALS, "block", "99999999999999999999", "found 100000000000000000000, wanted a whole number"),
    (tables.TRIALS, "kind", "printf('%.*c', 5000000, 'x')", "found 'xxxxxxxxxxx"),
    (tables.SESSIONS, "status", "'gone'", "found 'gone', wanted one of open, complete, aborted"),
]  # fmt: skip


def use(path: Path, way: str, table: Table, *, create: bool = False) -> None:
    """Read a store by rows, as a frame, or by a merge, which must leave nothing behind."""
    if way == "merge":
        try:
            merge([path], path.with_name("all.sqlite"))
        finally:
            assert not path.with_name("all.sqlite").exists()
    else:
        with open_store(path, create=create) as store:
            store.rows(table) if way == "rows" else store.frame(table)


@pytest.mark.parametrize(("table", "column", "value", "line"), WRONG)
def test_a_wrong_cell_is_named_with_file_table_row_and_column(
    path: Path, table: Table, column: str, value: str, line: str
) -> None:
    row = "session='s2'" if table is tables.SESSIONS else "session='s2' trial=2"
    change(path, f'UPDATE {table.name} SET "{column}" = {value} WHERE {row.replace(" ", " AND ")}')
    for way in ("frame", "merge"):
        with pytest.raises(UserError) as caught:
            use(path, way, table)
        message = str(caught.value)
        assert message.startswith(f"{path}: table {table.name}, row {row}, column {column}: {line}")
        assert len(message) < 400
        assert message.endswith("restore the store from a copy")


LOOSE = ("CREATE TABLE loose AS SELECT * FROM trials", "DROP TABLE trials", "ALTER TABLE loose RENAME TO trials")
"""The table without what the database itself refuses."""


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        (
            "UPDATE trials SET phase = NULL WHERE trial = 3",
            ", row session='s1' trial=3, column phase: found nothing, wanted one of practice",
        ),
        (
            "INSERT INTO trials SELECT * FROM trials WHERE session = 's2' AND trial = 2",
            ": row 6: the same session=s2, trial=2 as row 5",
        ),
    ],
)
def test_rows_that_no_store_of_ours_can_hold_are_named(path: Path, statement: str, line: str) -> None:
    change(path, *LOOSE, statement)
    with open_store(path, create=False) as store, pytest.raises(UserError) as caught:
        store.frame(tables.TRIALS)
    assert str(caught.value).startswith(f"{path}: table trials{line}")


def test_a_table_that_is_lost_is_not_made_anew(path: Path) -> None:
    change(path, "DROP TABLE trials")
    with pytest.raises(UserError, match=r"station\.sqlite: the store is damaged \(no such table: trials\)"):
        open_store(path)


def damage_schema(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:160] = bytes(range(60))
    path.write_bytes(content)


def spoil_schema(path: Path) -> None:
    """SQLite's complaint quotes the schema."""
    content = path.read_bytes()
    at = content.index(b"CREATE TABLE sessions")
    path.write_bytes(content[: at + 7] + b"\xf0(x\xff" + content[at + 11 :])


DAMAGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "schema page": (damage_schema, r"the store is damaged \("),
    "schema not UTF-8": (spoil_schema, r"the store is damaged \(malformed database schema"),
    "too large": (
        lambda path: change(path, "UPDATE trials SET second_onset_ms = 1e999 WHERE trial = 2"),
        r"column second_onset_ms: found inf, wanted a number of at most 1e\+15 ms; fix that cell",
    ),
    "no table": (lambda path: change(path, "DROP TABLE trials"), r"the store is damaged \(no such table: trials\)"),
    "no column": (lambda path: change(path, "ALTER TABLE trials DROP COLUMN rating"), r"damaged \(no such column: "),
    **{
        f"version {other}": (
            partial(set_version, version=other),
            "the store has schema version .*gan_eval that made it",
        )
        for other in (SCHEMA_VERSION - 1, SCHEMA_VERSION + 1, "'new'")
    },
    "not UTF-8": (
        lambda path: change(path, "UPDATE trials SET item = CAST(x'ff41' AS TEXT) WHERE trial = 2"),
        r"the store is damaged \(Could not decode to UTF-8 column 'item:?'",
    ),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_store_is_reported_in_one_line(path: Path, how: str) -> None:
    spoil, line = DAMAGED[how]
    spoil(path)
    for way in ("frame", "merge"):
        with pytest.raises(UserError, match=line) as caught:
            use(path, way, tables.TRIALS)
        assert str(caught.value).startswith(f"{path}: ")


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
connection.execute("UPDATE sessions SET station = 'held'")
print("held", flush=True)
sys.stdin.read()
"""


def test_who_holds_a_store_is_reported_after_a_while(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_eval.store.connect.PATIENCE_S", 0.2)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        who = f"process {holder.pid} " if Path("/proc/locks").exists() else "another program"
        for way, create in (("rows", True), ("rows", False), ("frame", False), ("merge", False)):
            with pytest.raises(UserError, match="is using the store; end it or wait for it") as caught:
                use(path, way, tables.TRIALS, create=create)
            assert str(caught.value).startswith(f"{path}: {who}")
        holder.communicate("")


def test_a_link_to_nothing_is_no_new_store(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").symlink_to("elsewhere.sqlite")
    with pytest.raises(UserError, match=r"store\.sqlite: a link to elsewhere\.sqlite, which is not there"):
        open_store(tmp_path / "store.sqlite")
    assert not (tmp_path / "elsewhere.sqlite").exists()
