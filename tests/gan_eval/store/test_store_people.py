"""List participants; delete a participant's data."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from stored_rows import SESSION, trial

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.store import STORED_TABLES, Store, Writer, forget, forget_in, list_participants, open_store, stored_of


def fill(path: Path | str, *participants: str, study: str = "t") -> None:
    """A store in which each participant has a plan of two trials, one of them done, consent, check and an answer."""
    with open_store(path) as store:
        for name in participants:
            session = {"session": f"session-of-{name}-{study}"}
            who = {**session, "participant": f"code-{name}"}
            plan = [
                {**session, "block": 1, "trial": number, "phase": "main", "stimulus": f"d/real/{number}"}
                for number in (1, 2)
            ]
            row = {**SESSION, **who, "study": study, "station": "left", "list": 4}
            store.begin(row, plan, {**who, "given": True, "text": f"agreed by {name}"})
            store.add(tables.ONSETS, [{**session, "trial": 1, "onset_ms": 1.0}])
            store.add(tables.TRIALS, [{**trial(1), **who, "study": study, "flags": f"flag-of-{name}"}])
            store.add(tables.CHECKS, [{**session, "check": "refresh", "value": 60.0}])
            store.add(tables.PARTICIPANTS, [{**who, "question": "age", "answer": f"age of {name}"}])


def test_who_has_done_what_and_only_one_study_of_a_participant_may_be_forgotten(where: str) -> None:
    fill(where, "ann", "bob")
    fill(where, "ann", study="other")
    with open_store(where) as store:
        found = list_participants(store)
        assert [(each["participant"], each["study"]) for each in found] == [
            ("code-ann", "other"), ("code-ann", "t"), ("code-bob", "t"),
        ]  # fmt: skip
        assert all(each["station"] == "left" and each["list"] == 4 for each in found)
        assert {(each["trials"], each["planned"]) for each in found} == {(1, 2)}
        assert [each["participant"] for each in list_participants(store, "t")] == ["code-ann", "code-bob"]
    assert forget(where, "code-ann", study="other")["sessions"] == 1
    with pytest.raises(UserError, match="no participant code-ann in the study other"):
        forget(where, "code-ann", study="other")
    with open_store(where) as store:
        assert [each["study"] for each in list_participants(store)] == ["t", "t"]


def test_a_forgotten_participant_leaves_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    fill(path, "ann", "bob", "cid")
    stored = stored_of(path, "code-bob")
    assert [session["study"] for session in stored.sessions] == ["t"]
    assert stored_of(path, "Code-BOB ") == stored, "one person"
    forgotten = forget(path, "code-bob")
    assert forgotten == stored.rows, "the same rows as listed before"
    assert forgotten == {table.name: 2 if table is tables.PLANS else 1 for table in STORED_TABLES}
    for file in tmp_path.iterdir():
        assert b"bob" not in file.read_bytes(), file
    assert b"code-ann" in path.read_bytes()
    with open_store(path) as store:
        assert [each["participant"] for each in list_participants(store)] == ["code-ann", "code-cid"]
        assert len(store.rows(tables.TRIALS)) == 2


def test_bytes_still_in_the_write_ahead_log_of_a_killed_program_go_too(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    fill(path, "ann", "bob")
    with closing(sqlite3.connect(path)) as raw:  # as a killed program leaves it: copied with its log still full
        raw.execute("UPDATE trials SET flags = 'bob was here'  WHERE participant = 'code-bob'")
        raw.commit()
        copy = tmp_path / "killed"
        copy.mkdir()
        for file in (path, path.with_name("s.sqlite-wal")):
            (copy / file.name).write_bytes(file.read_bytes())
    assert b"bob was here" in (copy / "s.sqlite-wal").read_bytes()
    forget(copy / "s.sqlite", "code-bob")
    assert [file.name for file in copy.iterdir() if b"bob" in file.read_bytes()] == []


def test_an_unknown_code_and_a_store_in_use_are_refused_and_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_eval.store.connect.PATIENCE_S", 0)
    path = tmp_path / "s.sqlite"
    fill(path, "ann")
    with pytest.raises(UserError, match=r"s\.sqlite: no participant P99"):
        forget(path, "P99")
    with pytest.raises(UserError, match="no participant code-ann in the study nowhere"):
        forget(path, "code-ann", study="nowhere")
    with open_store(path) as other:
        with pytest.raises(UserError, match="another program is using the store"):
            forget(path, "code-ann")
        assert len(other.rows(tables.TRIALS)) == 1
    with pytest.raises(UserError, match="no store there"):
        forget(tmp_path / "absent.sqlite", "code-ann")


def test_a_file_that_could_not_be_rewritten_is_rewritten_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.sqlite"
    fill(path, "ann", "bob")
    with monkeypatch.context() as patched:
        patched.setattr("gan_eval.store.people._REWRITE", (f"VACUUM INTO '{tmp_path / 'no' / 'folder'}'",))
        for _ in range(2):  # the second call has no rows to remove, and tries to rewrite the file
            with pytest.raises(
                UserError, match=r"s\.sqlite: the rows are removed, but .* free some space or end other"
            ):
                forget(path, "code-bob")
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM trials").fetchone() == (1,)
    assert stored_of(path, "code-bob").sessions == (), "known until the file is rewritten"
    assert set(forget(path, "code-bob").values()) == {0}
    for file in tmp_path.iterdir():
        assert b"bob" not in file.read_bytes(), file
    with pytest.raises(UserError, match="no participant code-bob"):
        forget(path, "code-bob")


def test_a_participant_is_forgotten_while_a_server_uses_the_store(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    fill(path, "ann", "bob")

    def answer(number: int) -> Callable[[Store], None]:
        row = {**trial(number, "session-of-ann-t"), "participant": "code-ann"}
        return lambda store: store.add(tables.TRIALS, [row])

    with open_store(path, create=False) as reader, Writer(lambda: open_store(path)) as writer:
        assert len(reader.rows(tables.SESSIONS)) == 2
        before = [writer.submit(answer(number)) for number in range(2, 12)]
        forgotten = writer.submit(lambda store: forget_in(store, "code-bob"), alone=True)
        after = [writer.submit(answer(number)) for number in range(12, 22)]
        assert forgotten.result(60) == {table.name: 2 if table is tables.PLANS else 1 for table in STORED_TABLES}
        assert [future.exception(60) for future in (*before, *after)] == [None] * 20
        assert len(list(tmp_path.iterdir())) == 3, "the store is open, with its log"
        for file in tmp_path.iterdir():
            assert b"bob" not in file.read_bytes(), file
        assert [row["trial"] for row in reader.rows(tables.TRIALS)] == [*range(1, 22)]


def test_a_log_that_somebody_is_reading_is_emptied_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_eval.store.connect.PATIENCE_S", 0.1)
    path = tmp_path / "s.sqlite"
    fill(path, "ann")
    with open_store(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM sessions").fetchall()
            with pytest.raises(UserError, match=r"rows are removed, but .* \(another program is reading it\)"):
                forget_in(store, "code-ann")
            assert stored_of(path, "code-ann").sessions == (), "known until the log is emptied"
        assert set(forget_in(store, "code-ann").values()) == {0}
        assert list_participants(store) == []
        for file in tmp_path.iterdir():
            assert b"code-ann" not in file.read_bytes(), file
