"""List participants; delete a participant's data."""

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from refusals import refused
from stored_rows import add, fill, held, meanwhile, sit

from gan_eval import tables
from gan_eval.store import (
    Writer,
    consistent_frames,
    forget,
    forget_in,
    list_participants,
    open_store,
    stored_of,
)


def files_naming(word: str, folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if word.encode() in file.read_bytes()]


def test_who_has_done_what_and_only_one_study_of_a_participant_may_be_forgotten(where: str) -> None:
    fill(where, "ann", "bob", station="left", list=4)
    fill(where, "ann", study="other", station="left", list=4)
    with open_store(where) as store:
        found = list_participants(store)
        assert [(each["participant"], each["study"]) for each in found] == [
            ("ann", "other"), ("ann", "t"), ("bob", "t"),
        ]  # fmt: skip
        assert all(each["station"] == "left" and each["list"] == 4 for each in found)
        assert {(each["trials"], each["planned"]) for each in found} == {(1, 2)}
        assert [each["participant"] for each in list_participants(store, "t")] == ["ann", "bob"]
    assert forget(where, "ann", study="other")["sessions"] == 1
    refused("no participant ann in the study other", forget, where, "ann", study="other")
    with open_store(where) as store:
        assert [each["study"] for each in list_participants(store)] == ["t", "t"]


def test_people_who_come_meanwhile_are_read_wholly_or_not_at_all(where: str) -> None:
    fill(where, "ann", planned=1)
    numbers = count(1)
    with open_store(where) as store, meanwhile(where, lambda other: sit(other, f"P{next(numbers)}", planned=1)):
        listed, frames = list_participants(store), consistent_frames(store, None)
    assert next(numbers) > len(tables.STORED_TABLES), "somebody has come between the tables"
    assert {(row["trials"], row["planned"]) for row in listed} == {(1, 1)}
    for table, frame in frames.items():
        assert sorted(frame["session"]) == sorted(frames[tables.SESSIONS]["session"]), table.name


def test_a_forgotten_participant_leaves_no_byte(tmp_path: Path) -> None:
    path = fill(tmp_path / "s.sqlite", "ann", "bob", "cid")
    stored = stored_of(path, "bob")
    assert [session["study"] for session in stored.sessions] == ["t"]
    assert stored_of(path, "BOB ") == stored, "one person"
    forgotten = forget(path, "bob")
    assert forgotten == stored.rows, "the same rows as listed before"
    assert forgotten == {table.name: 2 if table is tables.PLANS else 1 for table in tables.STORED_TABLES}
    assert files_naming("bob", tmp_path) == []
    assert b"of-ann" in path.read_bytes()
    with open_store(path) as store:
        assert [each["participant"] for each in list_participants(store)] == ["ann", "cid"]
        assert len(store.rows(tables.TRIALS)) == 2


def test_bytes_still_in_the_write_ahead_log_of_a_killed_program_go_too(tmp_path: Path) -> None:
    path = fill(tmp_path / "s.sqlite", "ann", "bob")
    with closing(sqlite3.connect(path)) as raw:  # as a killed program leaves it: copied with its log still full
        raw.execute("UPDATE trials SET flags = 'bob was here'  WHERE participant = 'bob'")
        raw.commit()
        copy = tmp_path / "killed"
        copy.mkdir()
        for file in (path, path.with_name("s.sqlite-wal")):
            (copy / file.name).write_bytes(file.read_bytes())
    assert b"bob was here" in (copy / "s.sqlite-wal").read_bytes()
    forget(copy / "s.sqlite", "bob")
    assert files_naming("bob", copy) == []


def test_an_unknown_code_and_a_store_in_use_are_refused_and_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_eval.store.connect.PATIENCE_S", 0)
    path = fill(tmp_path / "s.sqlite", "ann")
    refused(r"s\.sqlite: no participant P99", forget, path, "P99")
    refused("no participant ann in the study nowhere", forget, path, "ann", study="nowhere")
    with open_store(path) as other:
        refused("another program is using the store", forget, path, "ann")
        assert len(other.rows(tables.TRIALS)) == 1
    refused("no such store", forget, tmp_path / "absent.sqlite", "ann")


def test_a_file_that_was_not_rewritten_is_by_the_next_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fill(tmp_path / "s.sqlite", "ann", "bob")
    with monkeypatch.context() as patched:
        patched.setattr("gan_eval.store.people._REWRITE", (f"VACUUM INTO '{tmp_path / 'no' / 'folder'}'",))
        for _ in range(2):  # the second call has no rows to remove, and tries to rewrite the file
            refused(r"s\.sqlite:", forget, path, "bob")
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM trials").fetchone() == (1,)
    assert stored_of(path, "bob").sessions == (), "known until the file is rewritten"
    assert set(forget(path, "bob").values()) == {0}
    assert files_naming("bob", tmp_path) == []
    refused("no participant bob", forget, path, "bob")


def test_participants_are_forgotten_while_a_server_uses_the_store(tmp_path: Path) -> None:
    path = fill(tmp_path / "s.sqlite", "ann", "bob", "cid")

    with open_store(path, create=False) as reader, Writer(lambda: open_store(path)) as writer:
        assert len(reader.rows(tables.SESSIONS)) == 3
        with held(writer):
            before = [writer.submit(add(number, "session-of-ann-t")) for number in range(2, 12)]
            forgotten = [writer.submit(lambda store: forget_in(store, "bob"), alone=True)]
            forgotten += [writer.submit(lambda store: forget_in(store, "cid"), alone=True)]
            after = [writer.submit(add(number, "session-of-ann-t")) for number in range(12, 22)]
        rows = {table.name: 2 if table is tables.PLANS else 1 for table in tables.STORED_TABLES}
        assert [future.result(60) for future in forgotten] == [rows, rows], "each in a transaction of its own"
        assert [future.exception(60) for future in (*before, *after)] == [None] * 20
        assert len(list(tmp_path.iterdir())) == 3, "the store is open, with its log"
        assert files_naming("bob", tmp_path) == files_naming("cid", tmp_path) == []
        assert [row["trial"] for row in reader.rows(tables.TRIALS)] == [*range(1, 22)]


def test_a_log_that_is_being_read_is_emptied_by_the_next_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_eval.store.connect.PATIENCE_S", 0.1)
    path = fill(tmp_path / "s.sqlite", "ann")
    with open_store(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM sessions").fetchall()
            refused(r"\(another program is reading it\)", forget_in, store, "ann")
            assert stored_of(path, "ann").sessions == (), "known until the log is emptied"
        assert set(forget_in(store, "ann").values()) == {0}
        assert list_participants(store) == []
        assert files_naming("of-ann", tmp_path) == []
