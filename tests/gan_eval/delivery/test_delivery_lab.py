"""A session in a lab room: nothing changes without a server, and a server is asked before the first trial."""

import sys
from pathlib import Path

import numpy as np
import pytest
from stations import Sitting, contents

from gan_eval.delivery import open_lab
from gan_eval.delivery.courier import deliver_all
from gan_eval.delivery.server import Server
from gan_eval.errors import UserError
from gan_eval.launch import setup_command
from gan_eval.quiz import run_session
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stimuli.pictures import write_png
from gan_eval.stimuli.sets import StimulusSet, read_set, stimulus_row, write_set


def test_a_path_is_no_lab(tmp_path):
    with open_lab(tmp_path / "store.sqlite") as lab:
        assert lab.local == tmp_path / "store.sqlite"
        assert lab.next_list("faces") is None
        lab.require_newcomer("faces", "P01")
        lab.notify()
        assert lab.finish() == ()
        assert lab.warning is None
    assert not lab.local.exists()


def test_a_session_is_written_here_and_delivered_there(database, tmp_path, station):
    with open_lab(database, local=tmp_path / "station.sqlite") as lab:
        lab.require_newcomer("faces", "P01")
        assert lab.next_list("faces") == 1
        one = Sitting(station(), "P01")
        lab.notify()
        one.answer(1)
        one.end()
        lab.notify()
        assert lab.finish() == ()
    assert contents(database) == contents(lab.local)


def test_a_participant_of_another_station_is_refused_at_admission(database, tmp_path, station):
    store = station("other")
    session = Sitting(store, "P07").session
    deliver_all(tmp_path / "other.sqlite", database)
    with open_lab(database, local=tmp_path / "station.sqlite") as lab:
        with pytest.raises(UserError, match=r"--participant P07: .* session from another station"):
            lab.require_newcomer("faces", "P07")
        lab.require_newcomer("faces", "P07", own=session)
        lab.require_newcomer("houses", "P07")


def test_a_server_that_is_away_is_no_obstacle(tmp_path, station):
    url = "postgresql://lab:secret@127.0.0.1:9/lab"
    with open_lab(url, local=tmp_path / "station.sqlite") as lab:
        lab.require_newcomer("faces", "P01")
        assert lab.next_list("faces") is None
        assert "the session goes on" in lab.warning
        assert "secret" not in lab.warning
        Sitting(station(), "P01").answer(1)
        lab.notify()
        (line,) = lab._courier.finish(0.2)
        assert "1 trials not yet delivered" in line
        assert "secret" not in line


def test_a_silent_server_is_not_waited_for(cable, postgres, tmp_path):
    cable.pull()
    with open_lab(postgres.url(port=cable.port), local=tmp_path / "station.sqlite") as lab:
        lab.require_newcomer("faces", "P01")
        assert lab.warning is not None


def test_a_wrong_password_is_told_before_the_first_trial(postgres, tmp_path):
    with open_lab(postgres.url(password="se cret"), local=tmp_path / "station.sqlite") as lab:
        with pytest.raises(UserError, match="password authentication failed") as caught:
            lab.require_newcomer("faces", "P01")
    assert "cret" not in str(caught.value)


def test_a_missing_driver_is_told_with_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with open_lab("postgresql://lab:secret@server/lab", local=tmp_path / "station.sqlite") as lab:
        with pytest.raises(UserError, match="the PostgreSQL driver is missing; install it with: ") as caught:
            lab.require_newcomer("faces", "P01")
    assert str(caught.value).endswith(setup_command("postgres"))
    assert "secret" not in str(caught.value)


@pytest.fixture
def stimuli(tmp_path: Path) -> StimulusSet:
    """Four items, real and generated, with pictures that nothing but their noise tells apart."""
    folder = tmp_path / "set"
    generator = np.random.default_rng(1)
    made = []
    for number in range(4):
        for kind in ("real", "fake"):
            path = folder / kind / f"{number}.png"
            write_png(path, generator.integers(0, 256, (48, 64, 3)).astype(np.uint8))
            named = {"dataset": "tiles", "stem": str(number), "size": (48, 64)}
            made.append(stimulus_row(folder, path, kind=kind, model="m" if kind == "fake" else None, **named))
    write_set(folder, made)
    return read_set(folder)


def test_whole_sessions_reach_the_server_with_lists_of_their_own(database, stimuli, tmp_path):
    def sit(participant: str, station: str):
        return run_session(
            [stimuli],
            QuizSettings(real=2, fake=2),
            participant=participant,
            store=database,
            study_name="tiles",
            design_hash="0" * 64,
            seed=1,
            simulate="default",
            station_store=tmp_path / f"{station}.sqlite",
        )

    first, second = sit("P01", "left"), sit("P02", "right")
    assert (first.status, second.status) == ("complete", "complete")
    assert (first.list_number, second.list_number) == (1, 2)
    assert not any("deliver" in line or "refused" in line for line in (*first.warnings, *second.warnings))
    with pytest.raises(UserError, match=r"P01: .* session from another station"):
        sit("P01", "right")
    found = contents(database)
    for name, rows in contents(tmp_path / "left.sqlite").items():
        assert [row for row in found[name] if row["session"] == first.session] == rows
    assert len(found["trials"]) == len(first.trials) + len(second.trials)


def test_what_nobody_expected_of_the_server_is_a_warning(monkeypatch, tmp_path):
    def fail(_: Server) -> str:
        raise RuntimeError("the sky fell on secret")

    monkeypatch.setattr(Server, "identity", fail)
    with open_lab("postgresql://lab:secret@server/lab", local=tmp_path / "station.sqlite") as lab:
        lab.require_newcomer("faces", "P01")
        assert "RuntimeError: the sky fell on ***; the session goes on" in lab.warning


def test_a_courier_that_cannot_start_is_told_at_the_end(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with open_lab("postgresql://lab:secret@server/lab", local=tmp_path / "station.sqlite") as lab:
        lab.notify()
        lab.notify()
        (line,) = lab.finish()
    assert "nothing delivered (--store postgresql://lab@server/lab: the PostgreSQL driver is missing" in line
