"""Older stores are brought up to date when they are opened, newer ones refused."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from stored_rows import SESSION, trial

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.store import SCHEMA_VERSION, STORED_TABLES, open_store

VERSION_1 = """
CREATE TABLE gan_eval_meta (schema_version INTEGER NOT NULL);
INSERT INTO gan_eval_meta VALUES (1);
CREATE TABLE sessions (
    session TEXT NOT NULL, study TEXT, design_hash TEXT, participant TEXT NOT NULL, protocol TEXT NOT NULL,
    list BIGINT, seed BIGINT, status TEXT NOT NULL, simulated BOOLEAN NOT NULL, started_at TEXT, ended_at TEXT,
    software TEXT, platform TEXT, presenter TEXT, screen_width BIGINT, screen_height BIGINT,
    device_pixel_ratio DOUBLE, refresh_hz DOUBLE, fraction DOUBLE, PRIMARY KEY (session));
CREATE TABLE plans (
    session TEXT NOT NULL, block BIGINT NOT NULL, trial BIGINT NOT NULL, phase TEXT NOT NULL, stimulus TEXT NOT NULL,
    stimulus_b TEXT, position TEXT, item TEXT, kind TEXT, model TEXT, dataset TEXT, requested_exposure_ms DOUBLE,
    sha256 TEXT, simulated BOOLEAN, fraction DOUBLE, PRIMARY KEY (session, trial));
CREATE TABLE trials (
    session TEXT NOT NULL, study TEXT, participant TEXT NOT NULL, protocol TEXT, block BIGINT, trial BIGINT NOT NULL,
    phase TEXT NOT NULL, stimulus TEXT NOT NULL, stimulus_b TEXT, position TEXT, item TEXT, kind TEXT, model TEXT,
    dataset TEXT, requested_exposure_ms DOUBLE, planned_exposure_ms DOUBLE, exposure_ms DOUBLE, onset_ms DOUBLE,
    response TEXT, choice TEXT, rating DOUBLE, correct BOOLEAN, reaction_time_ms DOUBLE, confidence DOUBLE,
    flags TEXT, answered_at TEXT, simulated BOOLEAN NOT NULL, fraction DOUBLE, PRIMARY KEY (session, trial));
CREATE TABLE consents (
    session TEXT NOT NULL, participant TEXT NOT NULL, version TEXT, text TEXT, given BOOLEAN NOT NULL,
    answered_at TEXT, simulated BOOLEAN, fraction DOUBLE, PRIMARY KEY (session));
CREATE TABLE checks (
    session TEXT NOT NULL, "check" TEXT NOT NULL, value DOUBLE, unit TEXT, verdict TEXT, measured_at TEXT,
    simulated BOOLEAN, fraction DOUBLE, PRIMARY KEY (session, "check"));
CREATE TABLE participants (
    session TEXT NOT NULL, participant TEXT NOT NULL, question TEXT NOT NULL, answer TEXT, answered_at TEXT,
    simulated BOOLEAN, fraction DOUBLE, PRIMARY KEY (session, question));
INSERT INTO sessions (session, study, participant, protocol, list, status, simulated, started_at)
    VALUES ('old', 'study', 'P01', 'quick_response', 1, 'open', 0, '2025-01-01T00:00:00.000Z');
INSERT INTO trials (session, participant, trial, phase, stimulus, kind, response, correct, simulated, exposure_ms)
    VALUES ('old', 'P01', 1, 'main', 'd/real/1', 'real', 'real', 1, 0, 99.5);
"""


def version_of(path):
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute("SELECT schema_version FROM gan_eval_meta").fetchone()[0]


def test_a_store_of_version_1_is_brought_up_to_date_with_its_rows(tmp_path):
    path = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(VERSION_1)
    with open_store(path, create=False) as store:
        (session,) = store.rows(tables.SESSIONS)
        assert set(session) == set(tables.SESSIONS.names)
        assert (session["participant"], session["station"], session["rounded"]) == ("P01", None, None)
        assert (session["picture_width_px"], session["picture_width_deg"], session["pixels_per_degree"]) == (None,) * 3
        (old,) = store.rows(tables.TRIALS)
        assert (old["correct"], old["exposure_ms"], old["second_onset_ms"]) == (True, 99.5, None)
        store.add(tables.TRIALS, [{**trial(2, "old"), "second_onset_ms": 7.5}])
        store.add(tables.ONSETS, [{"session": "old", "trial": 2, "onset_ms": 1.5}])
        store.begin({**SESSION, "station": "left"}, [], None)
        assert [row["station"] for row in store.rows(tables.SESSIONS)] == [None, "left"]
    assert version_of(path) == SCHEMA_VERSION
    with open_store(path) as store:
        assert [row["second_onset_ms"] for row in store.rows(tables.TRIALS)] == [None, 7.5]


def test_an_update_that_is_killed_leaves_the_old_store_as_it_was(tmp_path):
    path = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(VERSION_1)
    code = """
import os, signal, sys
from gan_eval.store import layout, open_store
add = layout._add_missing_columns
def add_and_die(connection, table):
    add(connection, table)
    if table.name == "trials":
        os.kill(os.getpid(), signal.SIGKILL)
layout._add_missing_columns = add_and_die
open_store(sys.argv[1])
"""
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    with closing(sqlite3.connect(path)) as raw:
        names = {name for (name,) in raw.execute("SELECT name FROM pragma_table_info('trials')")}
        assert "second_onset_ms" not in names
        assert raw.execute("SELECT name FROM sqlite_master WHERE name = 'onsets'").fetchall() == []
    assert version_of(path) == 1
    open_store(path).close()
    assert version_of(path) == SCHEMA_VERSION


def test_a_column_that_came_without_a_new_version_is_added_too(tmp_path):
    path = tmp_path / "s.sqlite"
    open_store(path).close()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("ALTER TABLE trials DROP COLUMN confidence")
        raw.commit()
    with open_store(path) as store:
        store.add(tables.TRIALS, [{**trial(1), "confidence": 3.0}])
        assert store.rows(tables.TRIALS)[0]["confidence"] == 3.0


def test_a_newer_store_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "s.sqlite"
    open_store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE gan_eval_meta SET schema_version = ?", (SCHEMA_VERSION + 1,))
    with pytest.raises(UserError, match=r"s\.sqlite: the store has schema version .* update gan_eval"):
        open_store(path)


def test_every_stored_table_has_a_session_to_be_forgotten_by():
    assert [table.name for table in STORED_TABLES if "session" not in table.by_name] == []
