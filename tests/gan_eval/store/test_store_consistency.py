"""Rows that no session can have left are named by every command that reads a store, before anything is computed."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from stored_rows import sit

from gan_eval import analyze, read_trials
from gan_eval.__main__ import run
from gan_eval.errors import UserError
from gan_eval.store import merge, open_store, require_consistent
from gan_eval.store.export import export_store


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sessions of six planned trials: one complete, one under way, one aborted after four."""
    path = tmp_path_factory.mktemp("whole") / "s.sqlite"
    with open_store(path) as opened:
        for session, (status, done) in {"a": ("complete", 6), "b": ("open", 3), "c": ("aborted", 4)}.items():
            sit(opened, f"P-{session}", session=session, planned=6, done=done, status=status)
    damage(path, "UPDATE trials SET response = 'none', correct = NULL, reaction_time_ms = NULL WHERE trial = 1")
    with open_store(path) as opened:
        require_consistent(opened)
    return path


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path))


def damage(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(script)


DAMAGES = {
    "the end of a complete session": ("DELETE FROM trials WHERE session = 'a' AND trial > 5", "lacks 1 of its planned"),
    "the first trial, and all plans": (
        "DELETE FROM plans; DELETE FROM trials WHERE session = 'b' AND trial = 1",
        r"session 'b' \(P-b, open\) has trials up to number 3, but 1 of them are missing",
    ),
    "the end of a complete session, and all plans": (
        "DELETE FROM plans; UPDATE sessions SET status = 'complete' WHERE session = 'c'",
        r"session 'c' \(P-c, complete\) has 4 trials, another complete session of its design has 6",
    ),
    "all of a session but its row": (
        "DELETE FROM plans WHERE session = 'a'; DELETE FROM trials WHERE session = 'a'",
        r"session 'a' \(P-a, complete\) has no trials",
    ),
    "the middle of an aborted one": (
        "DELETE FROM trials WHERE session = 'c' AND trial IN (2, 3)",
        r"session 'c' \(P-c, aborted\) lacks 2 of its planned trials, the first is trial 2",
    ),
    "kind": (
        "UPDATE trials SET kind = 'real', correct = 1 WHERE session = 'b' AND trial = 3",
        "row session='b' trial=3: kind 'real', its plan has 'fake'",
    ),
    "kind without a plan": (
        "DELETE FROM plans; UPDATE trials SET kind = 'fake', correct = 0 WHERE session = 'a' AND trial = 4",
        "row session='a' trial=4: kind 'fake' of stimulus 'd/real/4', which has the other kind elsewhere",
    ),
    "kind against the name": (
        "DELETE FROM plans; UPDATE trials SET kind = 'fake', correct = 0 WHERE trial = 6",
        "row session='a' trial=6: kind 'fake' of stimulus 'd/real/6', which is named as a real picture",
    ),
    "correct": (
        "UPDATE trials SET correct = 0 WHERE session = 'c' AND trial = 4",
        "trial=4: correct False contradicts kind 'real' and response 'real'",
    ),
    "no session": (
        "DELETE FROM sessions WHERE session = 'b'",
        "table plans: 6 rows of session 'b' without that session",
    ),
    "onsets and trials alone": (
        "DELETE FROM sessions WHERE session = 'b'; DELETE FROM plans WHERE session = 'b'",
        "table onsets: 3 rows of session 'b' without that session",
    ),
    "two participants": (
        "UPDATE trials SET participant = 'X' WHERE trial = 4",
        "row session='a' trial=4: participant 'X', its session has 'P-a'",
    ),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_what_no_session_can_have_left_is_named(store: Path, case: str) -> None:
    script, line = DAMAGES[case]
    damage(store, script)
    with open_store(store) as opened, pytest.raises(UserError, match=rf"s\.sqlite: .*{line}"):
        require_consistent(opened)


def test_every_reader_refuses_it(tmp_path: Path, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script, line = DAMAGES["correct"]
    damage(store, script)
    readers: dict[str, Callable[[], object]] = {
        "analyze": lambda: analyze(store),
        "read_trials": lambda: read_trials(store),
        "export": lambda: export_store(store, tmp_path / "exported", formats=["csv"]),
        "merge": lambda: merge([store], tmp_path / "merged.sqlite"),
    }
    for reader in readers.values():
        with pytest.raises(UserError, match=rf"s\.sqlite: .*{line}"):
            reader()
    assert run(["analyze", "--store", str(store), "--out", str(tmp_path / "out")]) == 2
    assert run(["participants", "list", "--store", str(store)]) == 2
    listed = capsys.readouterr()
    assert "P-a: t, quick_response" in listed.out
    assert listed.err.count("s.sqlite: table") == 2
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"s.sqlite"}


@pytest.mark.parametrize(
    "column",
    ["reaction_time_ms", "requested_exposure_ms", "planned_exposure_ms", "exposure_ms", "second_exposure_ms"],
)
def test_a_time_is_negative_below_0_alone(store: Path, column: str) -> None:
    damage(store, f"UPDATE trials SET {column} = 0 WHERE trial = 2")
    with open_store(store) as opened:
        require_consistent(opened)
        damage(store, f"UPDATE trials SET {column} = -0.001 WHERE trial = 2")
        with pytest.raises(UserError, match=f"row session='a' trial=2: {column} -0.001 is negative"):
            require_consistent(opened)


def test_another_study_s_damage_is_no_obstacle(store: Path) -> None:
    damage(store, "UPDATE trials SET reaction_time_ms = -3 WHERE trial = 2")
    with open_store(store) as opened:
        require_consistent(opened, study="another")
        with pytest.raises(UserError, match="is negative"):
            require_consistent(opened, study="t")
