"""Merge of several stores; contradictions between them are refused."""

import signal
import subprocess
import sys

import pytest
from stored_rows import SESSION, trial

from gan_eval import tables
from gan_eval.errors import UserError
from gan_eval.store import merge, open_store


def station(path, session, participant, trials=(1, 2), **changed):
    with open_store(path) as store:
        store.begin({**SESSION, "session": session, "participant": participant}, [], None)
        store.add(tables.TRIALS, [{**trial(n, session), "participant": participant, **changed} for n in trials])
    return path


def test_the_new_store_holds_what_the_stations_held(tmp_path):
    sources = [station(tmp_path / f"{n}.sqlite", f"s{n}", f"P{n}") for n in (1, 2, 3)]
    before = [path.read_bytes() for path in sources]
    merged = merge(sources, tmp_path / "all.sqlite")
    assert (merged["sessions"], merged["trials"]) == (3, 6)
    assert [path.read_bytes() for path in sources] == before
    with open_store(tmp_path / "all.sqlite", create=False) as store:
        for number, path in enumerate(sources, start=1):
            with open_store(path) as source:
                for table in (tables.SESSIONS, tables.TRIALS):
                    assert store.rows(table, session=f"s{number}") == source.rows(table)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.sqlite", "2.sqlite", "3.sqlite", "all.sqlite"]


def test_a_store_and_its_copy_are_taken_once(tmp_path):
    one = station(tmp_path / "one.sqlite", "s1", "P1")
    (tmp_path / "copy.sqlite").write_bytes(one.read_bytes())
    merged = merge([one, tmp_path / "copy.sqlite"], tmp_path / "all.sqlite")
    assert (merged["sessions"], merged["trials"]) == (1, 2)


@pytest.mark.parametrize(
    ("session", "participant", "changed", "message"),
    [
        ("s1", "P1", {"correct": False}, "the two stores hold different rows of trials for session s1 trial 1"),
        ("s2", "P1", {}, "participant P1 of study t has another session there, s1; here it is s2"),
        ("s2", "p1", {}, "participant p1 of study t has another session there, s1; here it is s2"),
    ],
)
def test_what_two_stores_contradict_is_refused(tmp_path, session, participant, changed, message):
    one = station(tmp_path / "one.sqlite", "s1", "P1")
    two = station(tmp_path / "two.sqlite", session, participant, **changed)
    with pytest.raises(UserError, match=rf"two\.sqlite and the stores before it: {message}; nothing was merged"):
        merge([one, two], tmp_path / "all.sqlite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.sqlite", "two.sqlite"]


KILLED = """
import os, signal, sys
from pathlib import Path
from gan_eval.store import merge, merging
step = merging.push
def killed(source, *given, **how):
    if source.name == "2.sqlite":
        os.kill(os.getpid(), signal.SIGKILL)
    return step(source, *given, **how)
merging.push = killed
merge([Path(name) for name in sys.argv[2:]], Path(sys.argv[1]))
"""


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_same_command_after_a_kill_cleans_up_and_finishes(tmp_path):
    sources = [station(tmp_path / f"{n}.sqlite", f"s{n}", f"P{n}") for n in (1, 2)]
    out = tmp_path / "all.sqlite"
    foreign = [tmp_path / ".all.sqlite.gan-eval-notes.tmp", tmp_path / ".all-12345678.sqlite"]
    for path in foreign:
        path.write_text("somebody's")
    command = [sys.executable, "-c", KILLED, str(out), *map(str, sources)]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) > 4, "something was left behind"
    assert merge(sources, out)["trials"] == 4
    assert sorted(tmp_path.iterdir()) == sorted([*sources, *foreign, out])
    with open_store(out, create=False) as store:
        assert len(store.rows(tables.TRIALS)) == 4


def test_nothing_is_overwritten_and_what_is_no_store_is_named(tmp_path):
    one = station(tmp_path / "one.sqlite", "s1", "P1")
    with pytest.raises(UserError, match=r"one\.sqlite: exists already"):
        merge([one], one)
    with pytest.raises(UserError, match=r"absent\.sqlite: no such store"):
        merge([one, tmp_path / "absent.sqlite"], tmp_path / "all.sqlite")
    (tmp_path / "notes.txt").write_text("no database, but long enough to be taken for one " * 40)
    with pytest.raises(UserError, match=r"notes\.txt"):
        merge([one, tmp_path / "notes.txt"], tmp_path / "all.sqlite")
    assert not (tmp_path / "all.sqlite").exists()
