"""The server's side: each row once, one sitting a participant, and what two stores tell differently is refused."""

import threading

import psycopg
import pytest
from stations import Sitting, contents

from gan_eval import tables
from gan_eval.delivery.server import RefusedError, Server, UnreachableError
from gan_eval.delivery.unsent import Parcel
from gan_eval.errors import UserError
from gan_eval.store import open_store
from gan_eval.store.connect import parse_address
from gan_eval.store.layout import Layout


def parcel_of(sitting: Sitting) -> Parcel:
    """All of a session."""
    (session,) = sitting.store.rows(tables.SESSIONS, session=sitting.session)
    found = {
        table: sitting.store.rows(table, session=sitting.session)
        for table in (tables.PLANS, tables.ONSETS, tables.TRIALS)
    }
    return Parcel(session, True, {table: rows for table, rows in found.items() if rows})


@pytest.fixture
def server(database):
    with Server(parse_address(database)) as one:
        one.identity()
        yield one


def test_what_is_sent_twice_is_stored_once(server, station, database):
    one = Sitting(station(), "P01")
    one.answer(1)
    parcel = parcel_of(one)
    server.send(parcel)
    server.send(parcel)
    assert contents(database)["trials"] == contents(one.store.where)["trials"]
    one.end()
    server.send(parcel_of(one))
    server.send(parcel)  # older news
    assert contents(database)["sessions"][0]["status"] == "complete"


def test_a_row_with_other_values_is_refused_and_nothing_is_overwritten(server, station, database):
    one = Sitting(station(), "P01")
    one.answer(1)
    server.send(parcel_of(one))
    before = contents(database)
    one.answer(2)
    changed = parcel_of(one)
    changed.rows[tables.TRIALS][0]["response"] = "fake"
    with pytest.raises(RefusedError, match=rf"different rows of trials for session {one.session} trial 1"):
        server.send(changed)
    another_seed = Parcel({**changed.session, "seed": 7}, True, {})
    with pytest.raises(RefusedError, match="different rows for session"):
        server.send(another_seed)
    assert contents(database) == before


def test_one_participant_sits_once_in_a_study(server, station, database):
    first, second = Sitting(station("a"), "P07"), Sitting(station("b"), "P07")
    server.send(parcel_of(first))
    with pytest.raises(RefusedError, match="participant P07 of study faces has a session from another station"):
        server.send(parcel_of(second))
    assert [row["session"] for row in contents(database)["sessions"]] == [first.session]
    assert {row["session"] for row in contents(database)["plans"]} == {first.session}
    assert server.sitting("faces", "P07")["session"] == first.session
    assert server.sitting("faces", "P08") is None
    server.send(parcel_of(Sitting(station("c"), "P07", study="houses")))


def test_codes_that_differ_only_in_case_are_one_person(server, station):
    first, second = Sitting(station("a"), "Straße1"), Sitting(station("b"), "STRASSE1")
    server.send(parcel_of(first))
    assert server.sitting("faces", "STRASSE1")["session"] == first.session
    with pytest.raises(RefusedError, match="participant STRASSE1 of study faces has a session from another station"):
        server.send(parcel_of(second))


def test_a_row_that_the_server_cannot_hold_is_refused_not_tried_for_ever(server, station):
    one = Sitting(station(), "P01")
    one.answer(1, flags="a\0b")
    with pytest.raises(RefusedError, match="NUL"):
        server.send(parcel_of(one))


def test_many_stations_may_open_an_empty_database_at_once(database):
    identities, numbers, errors = [], [], []

    def open_it():
        try:
            with Server(parse_address(database)) as server:
                identities.append(server.identity())
                numbers.extend([server.next_list("faces", simulated=False) for _ in range(3)])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(set(identities)) == 1
    assert sorted(numbers) == list(range(1, 37))


def test_lists_go_on_after_those_of_the_sessions(server, station):
    one = Sitting(station(), "P01")
    parcel = parcel_of(one)
    server.send(Parcel({**parcel.session, "list": 9}, True, {}))
    assert [server.next_list("faces", simulated=False) for _ in range(2)] == [10, 11]
    assert server.next_list("houses", simulated=False) == 1
    assert server.next_list("faces", simulated=True) == 1


def test_an_older_server_gets_the_columns_that_it_lacks(database, station):
    open_store(database).close()
    with psycopg.connect(database) as raw:
        raw.execute("ALTER TABLE trials DROP COLUMN confidence")
    one = Sitting(station(), "P01")
    one.answer(1, confidence=0.75)
    with Server(parse_address(database)) as server:
        server.identity()
        server.send(parcel_of(one))
    assert contents(database)["trials"][0]["confidence"] == 0.75


def test_a_server_with_two_sessions_of_one_participant_is_told(database):
    with open_store(database) as store, psycopg.connect(database) as raw:
        for session in ("a", "b"):
            raw.execute(
                "INSERT INTO sessions (session, study, participant, protocol, status, simulated) "
                "VALUES (%s, 'faces', 'P01', 'quick_response', 'open', false)",
                (session,),
            )
        raw.commit()
        assert len(store.rows(tables.SESSIONS)) == 2
    with Server(parse_address(database)) as server, pytest.raises(UserError, match="two sessions of one participant"):
        server.identity()


@pytest.mark.parametrize("wrong", ["password", "database", "option"])
def test_a_wrong_url_is_told_as_lasting_and_without_the_password(postgres, wrong):
    secret = "an+other/secret word"
    urls = {
        "password": postgres.url(password=secret),
        "database": postgres.url("absent"),
        "option": f"{postgres.url()}?no_such_option=1",
    }
    with Server(parse_address(urls[wrong])) as server, pytest.raises(UnreachableError) as caught:
        server.identity()
    assert caught.value.lasting
    assert "secret" not in str(caught.value)
    assert "hun" not in str(caught.value)


def test_a_port_where_nobody_listens_is_unreachable_for_now():
    with Server(parse_address("postgresql://lab:secret@127.0.0.1:9/lab")) as server:
        with pytest.raises(UnreachableError) as caught:
            server.identity()
    assert not caught.value.lasting
    assert "secret" not in str(caught.value)


def test_a_server_that_stops_while_it_is_set_up_is_unreachable_for_now(postgres, database, monkeypatch):
    bring_up_to_date = Layout.bring_up_to_date

    def stop_first(layout, connection, where):
        with psycopg.connect(database, autocommit=True) as raw:
            raw.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        bring_up_to_date(layout, connection, where)

    with Server(parse_address(database)) as server:
        monkeypatch.setattr(Layout, "bring_up_to_date", stop_first)
        with pytest.raises(UnreachableError):
            server.identity()
        monkeypatch.undo()
        assert server.identity()
