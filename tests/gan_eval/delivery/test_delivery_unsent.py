"""What is unsent: told by the rows themselves, whatever happens to the file, the server or the notes."""

import sqlite3

from stations import Sitting

from gan_eval import tables
from gan_eval.delivery.unsent import UnsentRows
from gan_eval.store.connect import parse_address

ADDRESS = parse_address("postgresql://lab@server/studies")


def told(unsent: UnsentRows, **how: bool) -> dict[str, list[int]]:
    """The trials that are unsent, by participant."""
    return {
        parcel.session["participant"]: [row["trial"] for row in parcel.rows.get(tables.TRIALS, [])]
        for parcel in unsent.parcels(**how)
    }


def note_all(unsent: UnsentRows) -> None:
    for parcel in unsent.parcels(everything=True):
        unsent.note(parcel)


def test_what_was_noted_is_not_sent_again(station):
    store = station()
    one = Sitting(store, "P01")
    with UnsentRows(store.where, ADDRESS) as unsent:
        unsent.note_server("a")
        assert told(unsent) == {"P01": []}
        note_all(unsent)
        assert told(unsent) == {}
        one.answer(1)
        one.answer(2)
        assert unsent.trials() == 2
        (parcel,) = unsent.parcels()
        assert not parcel.changed
        assert parcel.rows[tables.TRIALS][0]["correct"] is False
        note_all(unsent)
        one.end()
        (parcel,) = unsent.parcels()
        assert parcel.changed
        assert parcel.session["status"] == "complete"
        assert set(parcel.rows) == {tables.CHECKS}


def test_a_session_that_begins_and_ends_between_two_looks_is_found(station):
    store = station()
    with UnsentRows(store.where, ADDRESS) as unsent:
        unsent.note_server("a")
        assert told(unsent, everything=True) == {}
        whole = Sitting(store, "P01")
        whole.answer(1)
        whole.end()
        assert told(unsent) == {"P01": [1]}


def test_rows_after_the_end_are_found(station):
    store = station()
    one = Sitting(store, "P01")
    one.end()
    with UnsentRows(store.where, ADDRESS) as unsent:
        unsent.note_server("a")
        note_all(unsent)
        store.add(tables.PARTICIPANTS, [{"session": one.session, "participant": "P01", "question": "age"}])
        assert [set(parcel.rows) for parcel in unsent.parcels()] == [{tables.PARTICIPANTS}]


def test_a_database_made_anew_gets_everything(station):
    store = station()
    Sitting(store, "P01").answer(1)
    with UnsentRows(store.where, ADDRESS) as unsent:
        unsent.note_server("a")
        note_all(unsent)
        unsent.note_server("b")
        assert told(unsent) == {"P01": [1]}
    with UnsentRows(store.where, ADDRESS) as unsent:
        assert unsent.server == "b"
    with UnsentRows(store.where, parse_address("postgresql://lab@elsewhere/studies")) as unsent:
        assert unsent.trials() == 1


def test_a_file_that_was_rewritten_hides_no_row(station):
    store = station()
    gone = Sitting(store, "P01")
    gone.answer(1)
    kept = Sitting(store, "P02")
    kept.answer(1)
    with UnsentRows(store.where, ADDRESS) as unsent:
        unsent.note_server("a")
        note_all(unsent)
    store.close()
    with sqlite3.connect(store.where) as raw:
        for table in ("sessions", "plans", "onsets", "trials", "consents"):
            raw.execute(f"DELETE FROM {table} WHERE session = ?", (gone.session,))
    raw.execute("VACUUM")  # numbers the rows anew
    raw.close()
    kept.answer(2)
    with UnsentRows(store.where, ADDRESS) as unsent:
        assert told(unsent) == {"P02": [2]}


def test_a_lone_onset_waits_for_its_trial(station):
    store = station()
    one = Sitting(store, "P01")
    with UnsentRows(store.where, ADDRESS) as unsent:
        unsent.note_server("a")
        assert not unsent.parcels()[0].waits
        note_all(unsent)
        store.add(tables.ONSETS, [{"session": one.session, "trial": 1}])
        assert unsent.parcels()[0].waits
