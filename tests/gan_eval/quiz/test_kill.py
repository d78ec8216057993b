"""Sessions that are killed again and again, and what must be true of their store: `pytest -k kill --kills 200`.

Each sitting is a process of its own. It reports through a pipe what has appeared and is durable: a row once the
future of the job that stores it says so. The simulated participant is slowed down, so that a kill may fall anywhere.
"""

import json
import multiprocessing
import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from gan_eval import tables
from gan_eval.quiz.admission import Person, QuizStudy
from gan_eval.quiz.clock import VirtualClock
from gan_eval.quiz.room import run_session
from gan_eval.quiz.session import Session
from gan_eval.quiz.simulate import Observer
from gan_eval.settings.quiz import QuizSettings
from gan_eval.stimuli.sets import StimulusSet, read_set
from gan_eval.store import Store, Writer, open_store
from gan_eval.tables.frames import Row
from gan_eval.tables.schema import Table

SETTINGS = QuizSettings(real=5, fake=5, blank_ms=100)
Message = tuple[str, Row]
"""The table whose row is durable and the row; or `appeared` and the number of the trial."""

PAUSE_S = 0.002
"""Additional time of each step of the simulated participant."""
LATEST_KILL_S = 0.5
"""Share of kills at a time that is counted from the start."""


@dataclass
class Outcome:
    """The result of a loop of kills."""

    kills: int = 0
    sittings: int = 0
    acknowledged: int = 0
    """Trials whose commit had returned before a kill."""
    on_screen: int = 0
    """Trials that were marked `killed`."""
    reported: dict[str, list[Row]] = field(default_factory=dict)
    """The trials that are durable, by participant."""
    seen: dict[str, set[int]] = field(default_factory=dict)
    """The numbers of the trials whose onset is durable, by participant."""
    plans: dict[str, list[Row]] = field(default_factory=dict)


def sit(stimuli: Path, store: Path, participant: str, pipe: Connection) -> None:
    """One sitting of a simulated participant, in a process of its own."""
    advance = VirtualClock.advance_to

    def advance_slowly(clock: VirtualClock, when: int) -> None:
        time.sleep(PAUSE_S)
        advance(clock, when)

    VirtualClock.advance_to = advance_slowly  # type: ignore[method-assign]
    add, onset, submit = Store.add, Session.onset, Writer.submit
    added: list[Message] = []

    def add_and_note(opened: Store, table: Table, rows: list[Row], **how: Any) -> None:
        add(opened, table, rows, **how)
        added.extend((table.name, row) for row in rows)

    def submit_and_tell(writer: Writer, job: Callable[[Store], Any], **how: Any) -> Future[Any]:
        """Report what a job has added once its future says that it is durable."""
        rows: list[Message] = []

        def noted(opened: Store) -> Any:
            added.clear()
            result = job(opened)
            rows.extend(added)
            return result

        def report(future: Future[Any]) -> None:
            for message in rows if future.exception() is None else ():
                pipe.send_bytes(json.dumps(message).encode())

        future = submit(writer, noted, **how)
        future.add_done_callback(report)
        return future

    def onset_and_tell(session: Session, when: int) -> None:
        pipe.send_bytes(json.dumps(["appeared", {"trial": session.trial.planned["trial"]}]).encode())
        onset(session, when)
        time.sleep(3 * PAUSE_S)  # the picture is on the screen

    Store.add, Session.onset = add_and_note, onset_and_tell  # type: ignore[method-assign, assignment]
    Writer.submit = submit_and_tell  # type: ignore[method-assign, assignment]
    study = QuizStudy(name="s", settings=SETTINGS, shown=[read_set(stimuli)], seed=1, design={})
    run_session(study, store, Person(participant, Observer()))


def kill_sessions(stimuli: Path, store: Path, *, kills: int, seed: int) -> Outcome:
    """Kill a number of sittings, each at a random moment; a participant returns until the session is complete."""
    moments = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gan_eval.quiz.room", "gan_eval.giveaways.refusal"])
    outcome = Outcome()
    number = 1
    while outcome.kills < kills:
        participant = f"P{number:03d}"
        reading, writing = context.Pipe(duplex=False)
        process = context.Process(target=sit, args=(stimuli, store, participant, writing))
        process.start()
        writing.close()
        messages = _kill_at_any_moment(process, reading, moments)
        outcome.sittings += 1
        outcome.kills += process.exitcode == -9
        assert process.exitcode in (-9, 0), "a sitting failed"
        number += _check(store, participant, messages, outcome)
    return outcome


def _kill_at_any_moment(process: BaseProcess, reading: Connection, moments: random.Random) -> list[Message]:
    """Kill a sitting at a random time from its start, or soon after a random message; return its messages."""
    messages: list[Message] = []
    if moments.random() < 0.25:
        process.join(moments.uniform(0, LATEST_KILL_S))
    else:
        messages += _receive(reading, at_most=moments.randrange(1, 25))
        time.sleep(moments.uniform(0, 3 * PAUSE_S))
    process.kill()
    process.join()
    return messages + _receive(reading)


def _receive(reading: Connection, *, at_most: int | None = None) -> list[Message]:
    """Read this many messages, or all until the sitting ends."""
    found: list[Message] = []
    while at_most is None or len(found) < at_most:
        try:
            found.append(tuple(json.loads(reading.recv_bytes())))
        except (EOFError, OSError):
            break
    return found


def _check(store: Path, participant: str, messages: list[Message], outcome: Outcome) -> bool:
    """After one sitting: nothing acknowledged is lost or torn, nothing is doubled, order and marks are right.

    Returns whether the session is over.
    """
    if not store.is_file():
        assert not messages
        return False
    with closing(sqlite3.connect(store)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with open_store(store) as opened:
        plan, trials, onsets = (_rows_of(opened, table, participant) for table in _TABLES)
        over = any(row["status"] == "complete" for row in opened.rows(tables.SESSIONS, participant=participant))
    reported = outcome.reported.setdefault(participant, [])
    new = [row for name, row in messages if name == "trials"]
    reported += new
    outcome.acknowledged += len(new)
    outcome.on_screen += sum("killed" in (row["flags"] or "").split() for row in new)

    as_told = [{name: row.get(name) for name in tables.TRIALS.names} for row in reported]
    assert trials[: len(reported)] == as_told, "an acknowledged trial is lost, doubled or torn"
    assert len(trials) - len(reported) in (0, 1), "at most one commit was done whose acknowledgement was cut off"
    reported += trials[len(reported) :]
    assert [row["trial"] for row in trials] == [row["trial"] for row in plan[: len(trials)]]
    assert outcome.plans.get(participant) in (None, [], plan), "the plan has changed"
    outcome.plans[participant] = plan

    appeared = {row["trial"] for name, row in messages if name == "appeared"}
    seen = outcome.seen.setdefault(participant, set())
    assert not seen & appeared, "what was seen is shown again"
    for row in new:
        if row["trial"] not in appeared:
            assert (row["flags"], row["response"], row["exposure_ms"]) == ("killed", "none", None)
    seen |= {row["trial"] for row in onsets}
    assert {row["trial"] for name, row in messages if name == "onsets"} <= seen
    assert len(seen - {row["trial"] for row in trials}) <= 1, "only one picture can have been on the screen"
    assert not over or len(trials) == len(plan)
    return over


_TABLES = (tables.PLANS, tables.TRIALS, tables.ONSETS)


def _rows_of(store: Store, table: Table, participant: str) -> list[Row]:
    return [
        row
        for session in store.rows(tables.SESSIONS, participant=participant)
        for row in store.rows(table, session=session["session"])
    ]


def test_sessions_killed_at_any_moment_lose_double_and_tear_nothing(
    stimuli: StimulusSet, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills = pytestconfig.getoption("--kills")
    outcome = kill_sessions(stimuli.folder, tmp_path / "store.sqlite", kills=kills, seed=kills)
    print(outcome.kills, "kills", outcome.acknowledged, "acknowledged", outcome.on_screen, "on the screen")
    assert outcome.acknowledged >= kills // 2, "the kills come too early to say anything"
    assert outcome.on_screen or kills < 50, "no kill fell on a picture"
