"""Tables in bulk are the same frames as row by row."""

import pytest
from stored_rows import SESSION, trial

from gan_eval import tables
from gan_eval.store import checked, open_store, results
from gan_eval.tables import frames as tabular

pd = pytest.importorskip("pandas")


def full(path, count):
    """A store in which some columns are empty, some only at first, and texts hold what CSV and SQL might trip over."""
    odd = ["it's", 'say "so"', "a,b", "ü€", ""]
    rows = [
        {
            **trial(number),
            "flags": odd[number % 5] or None,
            "reaction_time_ms": None if number < count - 2 else 700 + number / 3,
            "correct": None if number % 3 else number % 2 == 0,
        }
        for number in range(1, count + 1)
    ]
    with open_store(path) as store:
        store.begin({**SESSION, "list": 3, "refresh_hz": 59.94}, [], None)
        store.add(tables.TRIALS, rows)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("table", [tables.SESSIONS, tables.TRIALS, tables.CHECKS], ids=lambda table: table.name)
@pytest.mark.parametrize("equal", [{}, {"session": "s1"}, {"session": "it's another"}], ids=["all", "one", "none"])
def test_in_bulk_and_row_by_row_give_equal_frames(tmp_path, table, equal):
    pytest.importorskip("adbc_driver_sqlite")
    with open_store(full(tmp_path / "s.sqlite", 3000)) as store:
        assert checked.can_read_in_bulk(store.engine)
        pd.testing.assert_frame_equal(store.frame(table, **equal), tabular.frame_of(store.rows(table, **equal), table))


@pytest.mark.parametrize("in_bulk", [True, False])
def test_an_empty_text_is_no_value_in_bulk_as_row_by_row(tmp_path, monkeypatch, in_bulk):
    if in_bulk:  # and not, much more slowly, row by row
        pytest.importorskip("adbc_driver_sqlite")
        monkeypatch.setattr(results.Store, "rows", None)
    else:
        monkeypatch.setattr(results, "can_read_in_bulk", lambda _: False)
    with open_store(tmp_path / "s.sqlite") as store:
        store.begin(SESSION, [], None)
        store.add(tables.TRIALS, [{**trial(number), "dataset": "" if number == 2 else "d"} for number in (1, 2, 3)])
        assert store.frame(tables.TRIALS)["dataset"].isna().tolist() == [False, True, False]


def test_without_the_driver_frames_come_row_by_row(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "can_read_in_bulk", lambda _: False)
    with open_store(full(tmp_path / "s.sqlite", 10)) as store:
        assert store.frame(tables.TRIALS)["trial"].tolist() == list(range(1, 11))


def test_a_store_can_be_written_after_it_was_read_in_bulk(tmp_path):
    with open_store(full(tmp_path / "s.sqlite", 10)) as store:
        assert len(store.frame(tables.TRIALS)) == 10
        store.add(tables.TRIALS, [trial(11)])
        assert len(store.frame(tables.TRIALS)) == 11
