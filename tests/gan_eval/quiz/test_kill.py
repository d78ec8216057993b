"""Sessions that are killed again and again, and what must be true of their store: `-m nightly -k kill --kills 200`.

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
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from gan_eval import tables
from gan_eval.pictures.sets import StimulusSet, read_set
from gan_eval.quiz.admission import Person, QuizStudy
from gan_eval.quiz.clock import VirtualClock
from gan_eval.quiz.room import run_session
from gan_eval.quiz.session import Session
from gan_eval.quiz.simulate import Observer
from gan_eval.settings.quiz import QuizSettings
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


def kill_sessions(stimuli: Path, store: Path, *, kills: int, seed: int) -> dict[str, list[list[Message]]]:
    """Kill a number of sittings, each at a random moment; a participant returns until the session is complete.

    Returns:
        The messages of each sitting, by participant.
    """
    moments = random.Random(seed)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gan_eval.quiz.room", "gan_eval.pictures.audit"])
    sittings: dict[str, list[list[Message]]] = {}
    participant = "P001"
    while kills > 0:
        reading, writing = context.Pipe(duplex=False)
        process = context.Process(target=sit, args=(stimuli, store, participant, writing))
        process.start()
        writing.close()
        sittings.setdefault(participant, []).append(_kill_at_any_moment(process, reading, moments))
        assert process.exitcode in (-9, 0), "a sitting failed"
        kills -= process.exitcode == -9
        if store.is_file():
            with open_store(store) as opened:
                if opened.rows(tables.SESSIONS, participant=participant, status="complete"):
                    participant = f"P{len(sittings) + 1:03d}"
    return sittings


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


def _receive(reading: Connection, *, at_most: int = 10**6) -> list[Message]:
    """Read this many messages, or all until the sitting ends."""
    found: list[Message] = []
    with suppress(EOFError, OSError):
        while len(found) < at_most:
            found.append(tuple(json.loads(reading.recv_bytes())))
    return found


def require_nothing_lost(store: Store, participant: str, sittings: list[list[Message]], *, over: bool) -> None:
    """Nothing acknowledged is lost or torn, nothing is doubled, order and marks are right."""
    session = next(iter(store.rows(tables.SESSIONS, participant=participant)), None)
    if session is None:
        assert not any(sittings)
        return
    assert session["status"] == "complete" or not over
    plan, trials = (store.rows(table, session=session["session"]) for table in (tables.PLANS, tables.TRIALS))
    assert [row["trial"] for row in trials] == [row["trial"] for row in plan[: len(trials)]]
    assert len(trials) == len(plan) or not over
    stored, seen, acknowledged = {row["trial"]: row for row in trials}, set[int](), 0
    for messages in sittings:
        rows: dict[str, list[Row]] = {name: [] for name in ("appeared", "onsets", "trials")}
        for name, row in messages:
            rows[name].append(row)
        appeared = {row["trial"] for row in rows["appeared"]}
        assert not seen & appeared, "what was seen is shown again"
        seen |= {row["trial"] for row in rows["onsets"]}
        for row in rows["trials"]:
            as_told = {name: row.get(name) for name in tables.TRIALS.names}
            assert stored.get(row["trial"]) == as_told, "an acknowledged trial is lost or torn"
            if row["trial"] not in appeared:
                assert (row["flags"], row["response"], row["exposure_ms"]) == ("killed", "none", None)
        acknowledged += len(rows["trials"])
    assert 0 <= len(trials) - acknowledged <= len(sittings), "one commit at most for each cut-off acknowledgement"


def test_sessions_killed_at_any_time_lose_and_repeat_nothing(stimuli: StimulusSet, tmp_path: Path, kills: int) -> None:
    store = tmp_path / "store.sqlite"
    sittings = kill_sessions(stimuli.folder, store, kills=kills, seed=kills)
    with closing(sqlite3.connect(store)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with open_store(store) as opened:
        for participant, messages in sittings.items():
            require_nothing_lost(opened, participant, messages, over=participant != list(sittings)[-1])
    answers = [row for each in sittings.values() for messages in each for name, row in messages if name == "trials"]
    on_screen = sum("killed" in (row["flags"] or "").split() for row in answers)
    print(kills, "kills", len(answers), "acknowledged", on_screen, "on the screen")
    assert len(answers) >= kills // 2, "the kills come too early to say anything"
    assert on_screen or kills < 50, "no kill fell on a picture"
