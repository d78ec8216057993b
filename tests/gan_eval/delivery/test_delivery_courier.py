"""The courier: at once, each row once, whatever happens to the server, the cable or the program."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from stations import Sitting, contents

from gan_eval import tables
from gan_eval.__main__ import run
from gan_eval.delivery.courier import Courier, deliver_all
from gan_eval.delivery.server import Server
from gan_eval.errors import UserError
from gan_eval.store import open_store
from gan_eval.store.connect import parse_address

PATIENCE_S = 30.0


def test_rows_arrive_while_the_session_goes_on(database, station):
    store = station()
    one = Sitting(store, "P01")
    courier = Courier(Path(store.where), parse_address(database))
    for number in (1, 2, 3):
        one.answer(number)
        assert courier.wait(PATIENCE_S)
        assert [row["trial"] for row in contents(database)["trials"]] == list(range(1, number + 1))
    one.end()
    courier.notify()
    assert courier.finish(PATIENCE_S) == ()
    assert contents(database) == contents(store.where)


def test_nothing_is_sent_while_a_picture_is_shown(database, station):
    store = station()
    one = Sitting(store, "P01")
    courier = Courier(Path(store.where), parse_address(database))
    assert courier.wait(PATIENCE_S)
    store.add(tables.ONSETS, [{"session": one.session, "trial": 1}])
    courier.notify()
    deadline = time.monotonic() + PATIENCE_S
    while courier._delivered < courier._notified and time.monotonic() < deadline:
        time.sleep(0.01)
    assert contents(database)["onsets"] == []
    assert courier.finish(PATIENCE_S) == ()  # the end of the session leaves nothing behind
    assert len(contents(database)["onsets"]) == 1


def test_a_server_that_stops_and_starts_loses_and_doubles_nothing(postgres, database, station):
    store = station()
    one = Sitting(store, "P01", trials=20)
    courier = Courier(Path(store.where), parse_address(database))
    assert courier.wait(PATIENCE_S)
    for how in ("fast", "immediate"):
        postgres.stop(how=how)
        try:
            began = time.monotonic()
            for number in range(1, 11):
                one.answer(number + (10 if how == "immediate" else 0))
                courier.notify()
            assert time.monotonic() - began < PATIENCE_S
            assert not courier.wait(0.5)
            assert courier._trouble is not None
        finally:
            postgres.start()
        assert courier.wait(PATIENCE_S)
        assert courier._trouble is None
    one.end()
    assert courier.finish(PATIENCE_S) == ()
    assert contents(database) == contents(store.where)


def test_a_pulled_cable_is_told_at_the_end_and_the_rows_go_later(cable, postgres, database, station):
    store = station()
    one = Sitting(store, "P01")
    database_name = database.rpartition("/")[2]
    courier = Courier(Path(store.where), parse_address(postgres.url(database_name, port=cable.port)))
    assert courier.wait(PATIENCE_S)
    cable.pull()
    one.answer(1)
    one.answer(2)
    one.end()
    courier.notify()
    began = time.monotonic()
    (line,) = courier.finish(0.5)
    assert time.monotonic() - began < PATIENCE_S / 3
    assert "2 trials not yet delivered" in line
    assert f"gan-eval store deliver {store.where} --to postgresql://lab@" in line
    assert contents(database)["trials"] == []
    assert deliver_all(Path(store.where), database).unsent == 0
    assert contents(database) == contents(store.where)


def test_a_cable_that_is_plugged_in_again_is_enough(cable, postgres, database, station):
    store = station()
    one = Sitting(store, "P01")
    cable.pull()
    url = postgres.url(database.rpartition("/")[2], port=cable.port)
    courier = Courier(Path(store.where), parse_address(url))
    one.answer(1)
    courier.notify()
    assert not courier.wait(0.3)
    cable.plug()
    assert courier.wait(PATIENCE_S)
    courier.close()
    assert contents(database) == contents(store.where)


def test_a_participant_of_another_station_is_refused_and_the_next_one_goes_through(database, station, capsys):
    first, second = station("first"), station("second")
    Sitting(first, "P07")
    assert deliver_all(Path(first.where), database).refused == ()
    again = Sitting(second, "P07")
    again.answer(1)
    courier = Courier(Path(second.where), parse_address(database))
    assert courier.wait(PATIENCE_S)
    Sitting(second, "P08").answer(1)
    (line,) = courier.finish(PATIENCE_S)
    assert "refused: participant P07 of study faces has a session from another station" in line
    assert {row["participant"] for row in contents(database)["trials"]} == {"P08"}
    assert len(contents(second.where)["trials"]) == 2
    assert deliver_all(Path(second.where), database).refused == (
        "participant P07 of study faces has a session from another station",
    )
    capsys.readouterr()
    assert run(["store", "deliver", second.where, "--to", database]) == 2
    told = capsys.readouterr()
    rows = sum(row["session"] == again.session for held in contents(second.where).values() for row in held)
    assert f"{rows} rows of 1 sessions refused by the server: participant P07 of study faces" in told.err
    assert len(told.err.splitlines()) == 1


def test_two_programs_may_deliver_one_store_at_once(database, station):
    store = station()
    for number in range(6):
        one = Sitting(store, f"P{number}")
        one.answer(1)
        one.end()
    results = []
    deliver = lambda: results.append(deliver_all(Path(store.where), database, again=True))  # noqa: E731
    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.refused for result in results] == [()] * 4
    assert contents(database) == contents(store.where)


def test_delivering_again_mends_a_server_that_lost_rows(database, station):
    store = station()
    Sitting(store, "P01").answer(1)
    assert deliver_all(Path(store.where), database).trials == 1
    with open_store(database) as server, server.transaction() as connection:
        connection.execute(server.layout(tables.TRIALS).delete())
    assert deliver_all(Path(store.where), database).trials == 0
    assert deliver_all(Path(store.where), database, again=True).trials == 1
    assert contents(database) == contents(store.where)


def test_what_cannot_be_delivered_is_told_without_the_password(postgres, station, tmp_path):
    store = station()
    with pytest.raises(UserError, match=r"--to postgresql://lab@.*password authentication failed") as caught:
        deliver_all(Path(store.where), postgres.url(password="se cret"))
    assert "cret" not in str(caught.value)
    with pytest.raises(UserError, match="no such store"):
        deliver_all(tmp_path / "absent.sqlite", postgres.url())
    with pytest.raises(UserError, match="--to: not a database URL"):
        deliver_all(Path(store.where), "server")


STATION = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from stations import Sitting
from gan_eval import tables
from gan_eval.store.connect import parse_address
from gan_eval.delivery.courier import Courier
from gan_eval.store import open_store
path, url, name = sys.argv[1:]
with open_store(path) as store:
    courier = Courier(Path(path), parse_address(url))
    for sitting in range(1000):
        one = Sitting(store, f"{{name}}-{{sitting}}", trials=40)
        courier.wait(60)
        for number in range(1, 41):
            one.answer(number)
            courier.notify()
            print(one.session, number, flush=True)
        one.end()
        courier.notify()
"""


@pytest.mark.slow
def test_a_killed_program_loses_and_doubles_nothing(database, tmp_path):
    path = tmp_path / "station.sqlite"
    acknowledged: list[tuple[str, int]] = []
    code = STATION.format(here=str(Path(__file__).parent))
    for turn in range(4):
        command = [sys.executable, "-c", code, str(path), database, f"P{turn}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            for _ in range(5 + 11 * turn):
                session, number = child.stdout.readline().split()
                acknowledged.append((session, int(number)))
            child.send_signal(signal.SIGKILL)
            rest = child.stdout.read().splitlines(keepends=True)
            acknowledged += [(line.split()[0], int(line.split()[1])) for line in rest if line.endswith("\n")]
    assert contents(database)["sessions"] != []  # before any mending
    assert deliver_all(path, database).refused == ()
    there = [(row["session"], row["trial"]) for row in contents(database)["trials"]]
    assert len(there) == len(set(there))
    assert set(acknowledged) <= set(there)
    assert contents(database) == contents(path)


def test_ten_stations_at_once(database, station):
    errors: list[str] = []

    def sit(name: str, store_path: str) -> None:
        with open_store(store_path) as store:
            one = Sitting(store, name, trials=50)
            courier = Courier(Path(store_path), parse_address(database))
            for number in range(1, 51):
                one.answer(number)
                courier.notify()
            one.end()
            errors.extend(courier.finish(PATIENCE_S))

    stores = {f"P{number}": station(f"station{number}").where for number in range(10)}
    threads = [threading.Thread(target=sit, args=pair) for pair in stores.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = contents(database)
    assert len(found["sessions"]) == 10
    assert {row["status"] for row in found["sessions"]} == {"complete"}
    assert len({(row["participant"], row["trial"]) for row in found["trials"]}) == 500 == len(found["trials"])


def test_what_nobody_expected_is_told_and_the_delivery_goes_on(database, station, monkeypatch):
    store = station()
    one = Sitting(store, "P01")

    def fail(_: Server) -> str:
        raise RuntimeError("the sky fell")

    with monkeypatch.context() as patched:
        patched.setattr(Server, "identity", fail)
        courier = Courier(Path(store.where), parse_address(database))
        assert not courier.wait(0.3)
        assert courier._trouble == "RuntimeError: the sky fell"
    one.answer(1)
    assert courier.wait(PATIENCE_S)
    assert courier.finish(PATIENCE_S) == ()
    assert contents(database) == contents(store.where)


def test_a_server_whose_tables_cannot_be_made_is_one_line(database, station, monkeypatch):
    def refuse(*_: object) -> None:
        raise sa.exc.IntegrityError("CREATE TABLE", None, Exception("duplicate key"))

    store = station()
    Sitting(store, "P01").answer(1)
    monkeypatch.setattr(Server, "_set_up", refuse)
    with pytest.raises(UserError, match=r"--to postgresql://lab@.*: duplicate key; nothing is lost"):
        deliver_all(Path(store.where), database)
    courier = Courier(Path(store.where), parse_address(database))
    (line,) = courier.finish(0.3)
    assert "1 trials not yet delivered (duplicate key)" in line


def test_a_local_store_that_cannot_be_read_at_the_end_does_not_cost_the_line(station, monkeypatch):
    store = station()
    Sitting(store, "P01")
    courier = Courier(Path(store.where), parse_address("postgresql://lab:secret@127.0.0.1:9/lab"))
    courier.wait(0.3)

    def fail(*_: object) -> None:
        raise UserError("the disk is full")

    monkeypatch.setattr("gan_eval.delivery.courier.UnsentRows", fail)
    (line,) = courier.finish(0.1)
    assert "some rows not yet delivered" in line
