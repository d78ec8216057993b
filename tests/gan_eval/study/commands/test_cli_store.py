"""`participants`, `store merge` and `export` as a user gives them."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from made_sets import write_items

from gan_eval import __main__, tables
from gan_eval.__main__ import run
from gan_eval.base.reading import place_of
from gan_eval.store import open_store, push_lines
from gan_eval.study.forgetting import UNREACHED


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with two participants, one of them simulated, with one trial each of a plan of one."""
    path = tmp_path / "store.sqlite"
    with open_store(path) as opened:
        for number, simulated in enumerate((False, True), start=1):
            who = {"session": f"s{number}", "participant": f"P0{number}", "simulated": simulated}
            shared = {**who, "study": "faces", "protocol": "quick_response"}
            trial = {**shared, "trial": 1, "block": 1, "phase": "main", "stimulus": "d/real/1"}
            opened.begin({**shared, "status": "open", "list": number, "station": "left"}, [trial], None)
            opened.add(tables.TRIALS, [trial])
    return path


def test_who_has_done_what_is_reported_in_lines_and_in_json(command, store):
    status, out, _ = command("participants", "list", "--store", store)
    assert (status, out.splitlines()) == (
        0,
        [
            "P01: faces, quick_response, open, 1 of 1 trials, list 1, left",
            "P02: faces, quick_response, open, 1 of 1 trials, list 2, left, simulated",
        ],
    )
    found = json.loads(command("participants", "list", "--store", store, "--study", "faces", "--json")[1])
    assert [(row["participant"], row["trials"], row["planned"], row["simulated"]) for row in found] == [
        ("P01", 1, 1, False),
        ("P02", 1, 1, True),
    ]
    status, out, err = command("participants", "list", "--store", store, "--study", "faecs")
    assert (status, out, "--study faecs: " in err) == (2, "", True)


def test_a_participant_is_forgotten_once(command, store):
    before, words = store.read_bytes(), ("participants", "forget", "P01", "--store", store)
    status, out, err = command(*words, "--dry-run")
    assert (status, out) == (0, "P01: 3 rows would be removed (sessions 1, plans 1, trials 1)\n")
    assert err.splitlines() == ["P01: a session: faces, open", f"P01: {UNREACHED}"]
    status, _, err = command(*words)
    assert (status, "--yes" in err) == (2, True), "without a terminal it cannot ask"
    assert store.read_bytes() == before
    assert command(*words, "--yes")[:2] == (0, "P01: 3 rows removed (sessions 1, plans 1, trials 1)\n")
    for more in (["--yes"], ["--dry-run"], []):
        status, _, err = command(*words, *more)
        assert (status, "no participant P01" in err) == (2, True)


@pytest.mark.parametrize(("answer", "ended", "left"), [("", 130, 2), ("n\n", 0, 2), ("y\n", 0, 1)])
def test_on_a_terminal_it_is_asked_after_what_would_go_was_reported(store, answer, ended, left, monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert run(["participants", "forget", "P01", "--store", str(store)]) == ended
    said = capsys.readouterr()
    before = f"P01: a session: faces, open\nP01: {UNREACHED}\n"
    assert said.err.startswith(f"{before}Remove 3 rows for good (sessions 1, plans 1, trials 1)?")
    assert ("3 rows removed" in said.out) == (left == 1)
    with open_store(store) as opened:
        assert len(opened.rows(tables.SESSIONS)) == left


def test_stores_are_merged_into_a_new_one(command, store, tmp_path):
    (tmp_path / "copy.sqlite").write_bytes(store.read_bytes())
    merged = tmp_path / "all.sqlite"
    status, _, err = command("store", "merge", store, "--out", merged)
    assert (status, err) == (2, "gan-eval: store merge: found one store; give two or more\n")
    status, out, err = command("store", "merge", store, tmp_path / "copy.sqlite", "--out", merged)
    assert (status, out.strip()) == (0, str(merged))
    assert "2 sessions, 2 trials" in err


def test_a_push_makes_a_new_store_only_in_a_folder_that_is_there(command, store, tmp_path):
    new, absent = tmp_path / "new.sqlite", tmp_path / "absent.sqlite"
    for source, target, problem in (
        (absent, new, f"{absent}: no such store; give the path of one"),
        (store, tmp_path / "typo" / "new.sqlite", "no such store, and no such folder for a new one"),
    ):
        status, _, err = command("store", "push", source, target)
        assert (status, problem in err) == (2, True), err
        assert [*tmp_path.iterdir()] == [store]
    assert command("store", "push", store, new)[2] == (
        f"2 sessions, 2 trials copied from {store} into a new store, {new}\n"
    )
    with open_store(store) as opened:
        shared = {"session": "s3", "participant": "P03", "simulated": True, "study": "faces", "protocol": "paired"}
        opened.begin({**shared, "status": "open", "list": 3, "station": "left"}, [], None)
    assert command("store", "push", store, new)[2] == f"1 session, 0 trials copied from {store} into {new}\n"


def test_what_was_deleted_is_reported_by_push_and_merge(command, store, tmp_path):
    copy, merged = tmp_path / "copy.sqlite", tmp_path / "all.sqlite"
    assert command("store", "push", store, copy)[0] == 0
    assert command("participants", "forget", "P01", "--yes", "--store", store)[0] == 0
    assert command("store", "push", store, copy)[2].splitlines() == [
        f"0 sessions, 0 trials copied from {store} into {copy}",
        f"P01: deleted from {store}, but still in {copy}; delete it there with: gan-eval participants forget P01 "
        f"--store {copy}",
    ]
    left_out = "1 session left out: deleted from one of "
    assert command("store", "push", copy, store)[2].splitlines()[1:] == [f"{left_out}the two stores"]
    assert command("store", "merge", store, copy, "--out", merged)[2].splitlines() == [
        "1 session, 1 trial",
        f"{left_out}these stores",
    ]


URL = "postgresql://lab:hunter2@127.0.0.1:1/studies"


@pytest.mark.parametrize(
    "words",
    [
        *("participants list --store", "participants forget P01 --yes --store", f"store merge {URL}", "export --store"),
        *("export", "analyze", "analyze --store", "store push x", "quiz --participant P01 --stimuli x --store"),
    ],
)
def test_a_password_in_a_url_is_not_reported(command, tmp_path, words):
    out = [] if words.startswith(("participants", "store push", "quiz")) else ["--out", tmp_path / "out"]
    status, printed, err = command(*words.split(), URL, *out)
    assert (status, err.count("\n"), "hunter2" in printed + err) == (2, 1, False)


def test_a_session_in_a_servers_store_does_not_print_the_password(command, database, tmp_path):
    pictures = {kind: np.full((64, 64, 3), 40 * level, np.uint8) for level, kind in enumerate(("real", "fake"))}
    stimuli = write_items(tmp_path / "set", {str(number): pictures for number in range(4)})
    words = ("quiz", "--stimuli", stimuli, "--store", database, "--real", 1, "--fake", 1, "--participant", "P01")
    status, out, err = command(*words, "--simulate", "default")
    printed = [out, err, *push_lines(place_of(database), str(tmp_path / "absent" / "lab.sqlite"))]
    assert (status, "next: " in err, len(printed)) == (0, True, 3)
    for words in (("analyze", "--study", "x", "--store"), ("analyze",), ("store", "push", database)):
        status, *lines = command(*words, database, *["--out", tmp_path / "out"] * (words[0] == "analyze"))
        assert status == (0 if words == ("analyze",) else 2), lines
        printed += lines
    assert "hun" not in "".join(printed)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_all_that_a_command_writes_is_for_its_user_alone_also_in_a_folder_that_others_may_look_into(
    store, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "out"
    out.mkdir(mode=0o755)
    out.chmod(0o755)
    words = ["export", "--store", str(store), "--out", str(out), "--format", "csv,parquet,psych-ds,r"]
    monkeypatch.setattr(sys, "argv", ["gan-eval", *words])
    before = os.umask(0o022)
    try:
        assert __main__._start() == 0
    finally:
        os.umask(before)
    count, heads, sessions, *_ = capsys.readouterr().err.splitlines()
    assert (count, heads.split(), sessions.split()) == ("2 sessions, 2 trials", ["File", "Rows"], ["sessions.csv", "2"])
    assert out.stat().st_mode & 0o777 == 0o755
    made = list(out.rglob("*"))
    assert len(made) > 20
    for path in made:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
