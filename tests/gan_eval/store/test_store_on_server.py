"""The lab's server supports what a store's file does: list, forget, merge, export."""

from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.store import deal_list, forget, list_participants, merge, open_store
from gan_eval.store.export import export_store
from gan_eval.tables import frames as tabular


@pytest.fixture
def filled(database: str) -> str:
    """The URL of a server that holds two participants with one trial each."""
    with open_store(database) as store:
        for number in (1, 2):
            shared = {"session": f"s{number}", "participant": f"P{number}", "study": "faces", "simulated": False}
            trial = {**shared, "trial": 1, "block": 1, "phase": "main", "stimulus": "d/real/1", "exposure_ms": 99.5}
            store.begin({**shared, "protocol": "quick_response", "status": "open"}, [trial], None)
            store.add(tables.TRIALS, [trial])
    return database


def test_a_participant_is_listed_and_forgotten(filled: str) -> None:
    with open_store(filled) as store:
        assert [(each["participant"], each["trials"], each["planned"]) for each in list_participants(store)] == [
            ("P1", 1, 1),
            ("P2", 1, 1),
        ]
    forgotten = forget(filled, "P1")
    assert {name: count for name, count in forgotten.items() if count} == {"sessions": 1, "plans": 1, "trials": 1}
    with pytest.raises(UserError, match="no participant P1"):
        forget(filled, "P1")
    with open_store(filled) as store:
        assert {row["participant"] for row in store.rows(tables.TRIALS)} == {"P2"}


def test_a_server_is_merged_with_a_station_and_exported(filled: str, tmp_path: Path) -> None:
    shared = {"session": "s3", "participant": "P3", "study": "faces", "simulated": False}
    with open_store(tmp_path / "station.sqlite") as station:
        station.begin({**shared, "protocol": "quick_response", "status": "open"}, [], None)
    merged = merge([filled, tmp_path / "station.sqlite"], tmp_path / "all.sqlite")
    assert (merged["sessions"], merged["trials"]) == (3, 2)
    export_store(filled, tmp_path / "server", formats=["csv"])
    with open_store(filled) as server:
        rows = server.rows(tables.TRIALS)
    assert tabular.read_rows(tmp_path / "server" / "trials.csv", tables.TRIALS) == rows


def test_reading_makes_no_tables_in_anybodys_database(database: str) -> None:
    with pytest.raises(UserError, match=r"postgresql://lab@.*: not a results store"):
        open_store(database, create=False)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


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


def test_a_servers_words_are_reported_without_the_password(filled: str) -> None:
    secret = sa.make_url(filled).password
    with open_store(filled, create=False) as store:
        with pytest.raises(UserError, match=r"\*\*\*") as caught, store.transaction() as connection:
            connection.execute(sa.text(f"SELECT CAST('{secret}' AS INTEGER)"))
    assert str(secret) not in str(caught.value)


def test_sessions_on_one_server_get_lists_of_their_own(database: str) -> None:
    with open_store(database) as store:
        dealt = [deal_list(store, f"s{number}", "t", simulated=False, choose=len) for number in range(2)]
    assert dealt == [(0, frozenset()), (1, frozenset({0}))]
