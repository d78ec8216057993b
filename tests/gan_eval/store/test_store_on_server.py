"""The lab's server supports what a store's file does: list, forget, merge, export."""

import json
import threading
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from refusals import refused
from stored_rows import add, at_once, sit, together, trial

from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.store import (
    Store,
    Writer,
    forget,
    hold_session,
    list_participants,
    open_store,
    progress_of,
    server_secret,
)


@pytest.fixture
def filled(database: str) -> str:
    """The URL of a server that holds two participants with one trial each."""
    with open_store(database) as store:
        for number in (1, 2):
            sit(store, f"P{number}", session=f"s{number}")
    return database


def test_nothing_is_added_to_a_session_that_was_forgotten(filled: str) -> None:
    forget(filled, "P1")
    with open_store(filled) as store:
        refused("session s1", store.add, tables.TRIALS, [trial(2, "s1")], session="s1")
        with pytest.raises(UserError, match="session s1"):
            store.update_session("s1", {"screen_width": 800}, more=[(tables.CHECKS, [{"session": "s1", "check": "c"}])])
        assert [store.rows(table, session="s1") for table in tables.STORED_TABLES] == [[]] * len(tables.STORED_TABLES)


def test_reading_makes_no_tables_in_anybodys_database(database: str) -> None:
    refused("postgresql://lab@", open_store, database, create=False)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_a_column_that_an_older_store_lacks_is_read_as_empty_and_added(filled: str) -> None:
    with psycopg.connect(filled) as connection:
        connection.execute("ALTER TABLE sessions DROP COLUMN window_system")
    for create in (False, True):
        with open_store(filled, create=create) as opened:
            assert {row["window_system"] for row in opened.rows(tables.SESSIONS)} == {None}
            assert opened.frame(tables.SESSIONS)["window_system"].isna().all()
            assert opened.absent == (set() if create else {(tables.SESSIONS, "window_system")})


def test_who_may_only_read_can_read(filled: str) -> None:
    with psycopg.connect(filled) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'open'")
        connection.execute("GRANT USAGE ON SCHEMA public TO reader")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    url = sa.make_url(filled).set(username="reader", password="open").render_as_string(hide_password=False)
    try:
        with open_store(url, create=False) as store:
            assert [each["participant"] for each in list_participants(store)] == ["P1", "P2"]
            assert store.rows(tables.TRIALS) != []
    finally:
        with psycopg.connect(filled) as connection:
            connection.execute("DROP OWNED BY reader")
            connection.execute("DROP ROLE reader")


def test_a_store_is_opened_for_writing_when_the_server_has_started(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = 'connection to server at "127.0.0.1", port 5432 failed: FATAL:  the database system is starting up'
    refusals: list[str] = []

    def starts(*_: object) -> None:
        if len(refusals) < most:
            refusals.append(words)
            raise psycopg.OperationalError(words)

    sa.event.listen(sa.Engine, "do_connect", starts)
    try:
        most = 2
        with open_store(filled) as store:
            assert (len(store.rows(tables.SESSIONS)), len(refusals)) == (2, 2)
        most = 3
        refused("PostgreSQL is starting or stopping .*wait a moment, then rerun", open_store, filled, create=False)
        assert len(refusals) == 3, "a reader does not wait"
        most = 10_000
        monkeypatch.setattr("gan_eval.store.connect.STARTING_S", 1)
        refused("PostgreSQL is starting or stopping", open_store, filled)
    finally:
        sa.event.remove(sa.Engine, "do_connect", starts)


def test_a_servers_words_are_reported_without_the_password(filled: str) -> None:
    secret = sa.make_url(filled).password
    with open_store(filled, create=False) as store:
        with pytest.raises(UserError, match=r"\*\*\*") as caught, store.transaction() as connection:
            connection.execute(sa.text(f"SELECT CAST('{secret}' AS INTEGER)"))
    assert str(secret) not in str(caught.value)


ARRIVALS = """
import itertools, json, sys, threading
from stored_rows import trial
from gan_eval import tables
from gan_eval.base.errors import UserError
from gan_eval.store import Writer, deal_list, open_store
where, process = sys.argv[1:]
free = lambda taken: next(number for number in itertools.count() if number not in taken)
writer, lists, answers = Writer(lambda: open_store(where)), [], []
sys.stdin.read()
def insist(job):
    while True:
        try:
            return writer.submit(job).result()
        except UserError as error:
            if "deadlock detected" not in str(error):
                raise
def arrive(person):
    for number in range(3):
        session = f"{process}-{person}-{number}"
        lists.append(insist(lambda store: deal_list(store, session, "t", simulated=False, choose=free))[0])
    for number in range(8):
        try:
            insist(lambda store: store.add(tables.TRIALS, [trial(number, f"both-{person}")]))
            answers.append((person, number))
        except UserError as error:
            assert "in the store already" in str(error), error
people = [threading.Thread(target=arrive, args=(person,)) for person in range(4)]
for each in people:
    each.start()
for each in people:
    each.join()
writer.close()
print(json.dumps([lists, answers]))
"""
"""Four people arrive three times each, and send eight answers each, which the other process stores as well."""


def test_two_processes_deal_no_list_twice_and_store_no_trial_twice(database: str) -> None:
    with open_store(database):
        pass
    printed = at_once(ARRIVALS, (database, "one"), (database, "other"))
    lists, answers = ([*one, *other] for one, other in zip(*map(json.loads, printed), strict=True))
    assert sorted(lists) == list(range(24))
    assert sorted(answers) == [[person, number] for person in range(4) for number in range(8)]
    with open_store(database) as store:
        assert len(store.rows(tables.TRIALS)) == 32


def test_a_deadlock_of_two_groups_is_an_error_of_one_job_which_succeeds_when_it_is_tried_again(filled: str) -> None:
    with open_store(filled) as store:
        server_secret(store)
    both = threading.Barrier(2, timeout=60)
    results: dict[str, list[Any]] = {}

    def answer(name: str, first: str, second: str) -> None:
        begun = threading.Event()
        with Writer(lambda: open_store(filled)) as writer:

            def hold_first(store: Store) -> None:
                hold_session(store, first, name)
                both.wait()

            writer.submit(lambda _: begun.wait(60))
            jobs = [
                hold_first,
                lambda store: hold_session(store, second, name),
                lambda store: store.add(tables.TRIALS, [trial(1, name)]),
            ]
            futures = [writer.submit(job) for job in jobs]
            begun.set()
            results[name] = [future.exception(60) for future in futures]
            if results[name][1] is not None:
                writer.submit(jobs[1]).result(60)

    people = [threading.Thread(target=answer, args=names) for names in (("a", "s1", "s2"), ("b", "s2", "s1"))]
    for each in people:
        each.start()
    for each in people:
        each.join()
    failed = [error for errors in results.values() for error in errors if error is not None]
    assert [type(error) for error in failed] == [UserError]
    assert "deadlock detected" in str(failed[0])
    (retried,) = (name for name, errors in results.items() if errors[1] is not None)
    with open_store(filled) as store:
        assert {"a", "b"} < {row["session"] for row in store.rows(tables.TRIALS)}, "the other jobs are stored"
        assert progress_of(store, {"a": "s2", "b": "s1"}[retried]).tab == retried


def test_a_connection_lost_in_a_group_is_an_error_of_every_job_and_the_next_group_has_another(database: str) -> None:
    def lose(store: Store) -> None:
        with store.transaction() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with Writer(lambda: open_store(database)) as writer:
        errors = together(writer, add(1), lose, add(2))
        assert [type(error) for error in errors] == [UserError] * 3
        assert {"terminating connection" in str(error) for error in errors} == {True}
        assert together(writer, add(1), add(2)) == [None, None]
        assert len(writer.submit(lambda store: store.rows(tables.TRIALS)).result(60)) == 2
