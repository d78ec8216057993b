"""The thread that owns a store, and identifiers that need no server."""

import uuid

import pytest
from stored_rows import trial

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.store import Writer, new_session_id, open_store


def test_the_writer_keeps_the_order_and_hands_errors_back(tmp_path):
    with Writer(lambda: open_store(tmp_path / "s.sqlite")) as writer:
        done = [writer.submit(lambda store, n=n: store.add(tables.TRIALS, [trial(n)])) for n in (1, 2, 2, 3)]
        errors = [future.exception() for future in done]
        assert [type(error) for error in errors] == [type(None), type(None), UserError, type(None)]
        rows = writer.submit(lambda store: store.rows(tables.TRIALS)).result()
    assert [row["trial"] for row in rows] == [1, 2, 3]
    with pytest.raises(UserError):
        Writer(lambda: open_store(tmp_path))


def test_session_identifiers_are_version_7_and_rise_with_time():
    first = [uuid.UUID(new_session_id()) for _ in range(100)]
    assert {identifier.version for identifier in first} == {7}
    assert {identifier.variant for identifier in first} == {uuid.RFC_4122}
    assert len(set(first)) == 100
    assert (first[0].int >> 80) <= (first[-1].int >> 80)


def test_closing_finishes_what_is_queued_and_refuses_what_comes_later(tmp_path):
    writer = Writer(lambda: open_store(tmp_path / "s.sqlite"))
    queued = writer.submit(lambda store: store.add(tables.TRIALS, [trial(1)]))
    writer.close()
    assert queued.result(0) is None
    with pytest.raises(UserError, match="the results store is closed; this was not kept"):
        writer.submit(lambda store: store.rows(tables.TRIALS)).result(30)
    writer.close()
