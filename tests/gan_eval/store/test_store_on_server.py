"""The lab's server supports what a store's file does: list, forget, merge, export."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.quiz.admission import Person, QuizStudy
from gan_eval.quiz.room import SessionResult, run_session
from gan_eval.quiz.simulate import Observer
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stimuli.pictures import write_png
from gan_eval.stimuli.sets import read_set, stimulus_row, write_set
from gan_eval.store import forget, list_participants, merge, open_store
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
        assert [(each.participant, each.trials, each.planned) for each in list_participants(store)] == [
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
    assert (merged.sessions, merged.trials) == (3, 2)
    export_store(filled, tmp_path / "server", formats=["csv"])
    export_store(tmp_path / "all.sqlite", tmp_path / "file", formats=["csv"])
    trials = [tabular.read_rows(tmp_path / name / "trials.csv", tables.TRIALS) for name in ("server", "file")]
    assert trials[0] == trials[1]


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
            assert [each.participant for each in list_participants(store)] == ["P1", "P2"]
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


def test_sessions_on_one_server_get_lists_of_their_own(database: str, tmp_path: Path) -> None:
    made = []
    for number in range(4):
        for kind in ("real", "fake"):
            path = tmp_path / kind / f"{number}.png"
            write_png(path, np.random.default_rng([number, kind == "real"]).integers(0, 256, (48, 64, 3)).astype("u1"))
            named = {"dataset": "tiles", "stem": str(number), "size": (48, 64)}
            made.append(stimulus_row(tmp_path, path, kind=kind, model="m" if kind == "fake" else None, **named))
    write_set(tmp_path, made)

    def sit(participant: str) -> SessionResult:
        settings, shown = QuizSettings(real=2, fake=2), [read_set(tmp_path)]
        study = QuizStudy(name="tiles", settings=settings, shown=shown, seed=1, design={})
        return run_session(study, database, Person(participant, Observer()))

    assert [(sit(code).list_number, sit_again(sit, code)) for code in ("P01", "P02")] == [(1, True), (2, True)]
    with open_store(database) as store:
        assert len(store.rows(tables.TRIALS)) == 8


def sit_again(sit: Callable[[str], object], code: str) -> bool:
    """Check that a second session of a participant is refused."""
    with pytest.raises(UserError, match="complete session already"):
        sit(code.lower())
    return True
