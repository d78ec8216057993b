"""Servers that are killed again and again while people answer: `pytest -m nightly -k server_kills --kills 200`."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from processes import TRIALS, Person, Server, free_port, quiz_server

from gan_eval import tables
from gan_eval.pictures.sets import StimulusSet
from gan_eval.store import open_store
from gan_eval.tables.frames import Row

if TYPE_CHECKING:
    from temporary_postgres import TemporaryPostgres  # type: ignore[import-not-found]

PEOPLE = 4


def rows_of(store: str) -> tuple[list[Row], list[Row], list[Row]]:
    with open_store(store) as opened:
        sessions, plans, trials = (opened.rows(table) for table in (tables.SESSIONS, tables.PLANS, tables.TRIALS))
    return sessions, plans, trials


def begin_to_answer(servers: list[Server], enough: threading.Event, *, seed: int = 0) -> list[Person]:
    """Start the servers, and people who answer at all of them until it is enough."""
    for server in servers:
        server.start()
    return [Person(f"P{number}", [s.url for s in servers], enough, seed + number) for number in range(PEOPLE)]


def wait_for_answers(people: list[Person], more: int) -> None:
    """Wait until the servers have acknowledged this number of further answers."""
    wanted = sum(len(person.acknowledged) for person in people) + more
    while sum(len(person.acknowledged) for person in people) < wanted:
        assert not any(person.problem for person in people), [person.problem for person in people]
        time.sleep(0.001)


def end_of_answers(people: list[Person], enough: threading.Event) -> None:
    enough.set()
    for person in people:
        person.thread.join(120)
        assert not person.thread.is_alive()
        assert person.problem is None, repr(person.problem)


def kill_servers(servers: list[Server], store: str, *, kills: int, seed: int) -> None:
    """Kill one of the servers at random moments while people answer; in the end look at the store."""
    moments, enough, before = random.Random(seed), threading.Event(), dict[tuple[str, int], Row]()
    people = begin_to_answer(servers, enough, seed=seed)
    for _ in range(kills):
        server = moments.choice(servers)
        if moments.random() < 0.9:
            wait_for_answers(people, moments.randrange(1, 40))
        time.sleep(moments.uniform(0, 0.02))
        server.kill()
        _, plans, _ = rows_of(store)
        after = {(row["session"], row["trial"]): row for row in plans}
        assert {key: after.get(key) for key in before} == before, "a plan has changed"
        before = after
        server.start(wait=moments.random() < 0.9)  # else it is killed while it starts
    end_of_answers(people, enough)
    for server in servers:
        assert server.stop() == 0
    assert faults(servers) == []
    require_nothing_lost(store, people, kills)


def faults(servers: list[Server]) -> list[str]:
    return [text for server in servers for text in server.errors if "Traceback" in text]


def require_nothing_lost(store: str, people: list[Person], kills: int) -> None:
    sessions, plans, trials = rows_of(store)
    acknowledged = {key: value for person in people for key, value in person.acknowledged.items()}
    complete = set[str]().union(*(person.complete for person in people))
    stored = {(row["session"], row["trial"]): row for row in trials}
    reloads = sum(person.reloads for person in people)
    marked = sum("killed" in (row["flags"] or "") for row in trials)
    print(
        kills, "kills,", len(acknowledged), "acknowledged,", len(trials), "stored,", reloads, "reloads,",
        marked, "on the screen at a reload,", len(complete), "complete sessions",
    )  # fmt: skip
    lost = [key for key in acknowledged if key not in stored]
    assert lost == [], "acknowledged answers are lost"
    assert len(stored) == len(trials), "answers are doubled"
    wrong = [key for key, value in acknowledged.items() if stored[key]["reaction_time_ms"] != pytest.approx(value)]
    assert wrong == [], "another answer is stored than the one that was acknowledged"
    assert set(stored) == {(row["session"], row["trial"]) for row in plans}, "a session is not whole"
    assert {row["session"] for row in sessions} == complete
    assert {row["status"] for row in sessions} == {"complete"}
    lists = [row["list"] for row in sessions]
    assert sorted(lists) == list(range(1, len(lists) + 1)), "a list was dealt twice, or used up by a kill"
    assert len({row["participant"] for row in sessions}) == len(sessions)
    assert len(plans) == TRIALS * len(sessions)
    assert all(row["flags"] == "killed" for key, row in stored.items() if key not in acknowledged)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    """Servers; those that still run at the end are killed."""
    made: list[Server] = []
    yield made
    for server in made:
        if server.process is not None and server.process.poll() is None:
            server.kill()


@pytest.mark.slow
def test_a_server_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    stimuli: StimulusSet, tmp_path: Path, servers: list[Server], kills: int
) -> None:
    store = str(tmp_path / "store.sqlite")
    servers.append(quiz_server(stimuli.folder, store))
    kill_servers(servers, store, kills=kills, seed=1)


@pytest.mark.nightly
def test_two_servers_on_one_database_continue_each_others_sessions_and_lose_nothing(
    stimuli: StimulusSet, database: str, servers: list[Server], kills: int
) -> None:
    """Every request goes to one of the two at random; one is killed while the other answers."""
    servers += [quiz_server(stimuli.folder, database) for _ in range(2)]
    kill_servers(servers, database, kills=kills, seed=2)


@pytest.mark.nightly
def test_a_database_that_is_restarted_costs_nothing(
    stimuli: StimulusSet, database: str, postgres: "TemporaryPostgres", servers: list[Server], kills: int
) -> None:
    servers += [quiz_server(stimuli.folder, database, "--workers", "2") for _ in range(min(kills, 2))]
    moments, enough = random.Random(3), threading.Event()
    people = begin_to_answer(servers, enough)
    for _ in range(kills):
        wait_for_answers(people, moments.randrange(1, 80))
        postgres.restart()
    end_of_answers(people, enough)
    assert {server.stop() for server in servers} == {0}
    assert faults(servers) == []
    require_nothing_lost(database, people, kills)


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
def test_a_process_that_dies_is_replaced(stimuli: StimulusSet, database: str, servers: list[Server]) -> None:
    server = quiz_server(stimuli.folder, database, "--workers", "2")
    servers.append(server)
    server.start()
    assert server.process is not None
    pid = server.process.pid

    def helpers() -> set[int]:
        pids = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return {each for each in pids if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()}

    def started(but: set[int]) -> set[int]:
        until = time.monotonic() + 30
        while not (found := helpers() - but):
            assert time.monotonic() < until
            time.sleep(0.05)
        return found

    (first,) = started(set())
    os.kill(first, signal.SIGKILL)
    started({first})
    assert server.stop() == 0


INCOMPLETE = b"POST /api/open HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
"""A request that never ends."""


@pytest.mark.slow
@pytest.mark.parametrize("presses", [pytest.param(0, marks=pytest.mark.nightly), 2])
def test_a_request_that_hangs_is_cancelled_without_a_traceback_and_nothing_is_lost(
    presses: int, stimuli: StimulusSet, tmp_path: Path, servers: list[Server]
) -> None:
    """After the time of grace, and immediately if Ctrl-C is pressed twice."""
    server = quiz_server(stimuli.folder, str(tmp_path / "store.sqlite"))
    servers.append(server)
    enough = threading.Event()
    people = begin_to_answer([server], enough)
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(INCOMPLETE)
        wait_for_answers(people, 20)
        for _ in range(presses):
            assert server.process is not None
            server.process.send_signal(signal.SIGINT)
            time.sleep(0.3)
        assert server.stop() == 0
    assert not re.search("Traceback|ERROR", server.errors[-1]), server.errors[-1]
    assert "every answer is stored" in server.errors[-1]
    server.start()
    end_of_answers(people, enough)
    assert server.stop() == 0
    require_nothing_lost(server.store, people, 0)


@pytest.mark.nightly
def test_sigterm_ends_a_server_with_all_stored(stimuli: StimulusSet, database: str, servers: list[Server]) -> None:
    server = quiz_server(stimuli.folder, database, "--workers", "2")
    servers.append(server)
    enough = threading.Event()
    people = begin_to_answer([server], enough)
    with (
        socket.create_connection(("127.0.0.1", server.port)),
        socket.create_connection(("127.0.0.1", server.port)) as slow,
    ):
        slow.sendall(INCOMPLETE)
        wait_for_answers(people, 20)
        assert server.stop() == 0
    assert "every answer is stored" in server.errors[-1]
    assert faults(servers) == []
    server.start()
    end_of_answers(people, enough)
    assert server.stop() == 0
    require_nothing_lost(database, people, 0)


@pytest.mark.nightly
@pytest.mark.parametrize("proxy", ["caddy", "nginx"])
def test_whole_sessions_behind_the_proxies_of_the_page(
    proxy: str, stimuli: StimulusSet, tmp_path: Path, servers: list[Server]
) -> None:
    """Caddy 2.6.2 and nginx 1.22.1 with the settings of docs/proxy.md, without TLS."""
    program = shutil.which(proxy, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if program is None:
        pytest.skip(f"{proxy} is not installed")
    store, place, enough = str(tmp_path / "store.sqlite"), free_port(), threading.Event()
    server = quiz_server(stimuli.folder, store)
    servers.append(server)
    text = (Path(__file__).parents[4] / "docs" / "proxy.md").read_text(encoding="utf-8")
    of_page = {"caddy": r"```\n(\{\n    log.*?)```", "nginx": r"```\n(server \{.*?)```"}[proxy]
    found = re.search(of_page, text, re.DOTALL)
    assert found
    settings = found[1].replace("127.0.0.1:8700", f"127.0.0.1:{server.port}")
    file = tmp_path / "settings"
    if proxy == "caddy":
        file.write_text("{\nadmin off" + settings.replace("quiz.example.org", f"http://127.0.0.1:{place}")[1:])
        command = [program, "run", "--adapter", "caddyfile", "--config", str(file)]
    else:
        settings = re.sub(" +ssl_.*\n", "", settings).replace("443 ssl", f"127.0.0.1:{place}")
        file.write_text(f"daemon off;\npid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{settings}\n}}\n")
        command = [program, "-p", str(tmp_path), "-c", str(file), "-e", "stderr"]
    server.start()
    with subprocess.Popen(command, env=os.environ | {"HOME": str(tmp_path)}, stderr=subprocess.DEVNULL) as running:
        url = f"http://127.0.0.1:{place}" + "/quiz" * (proxy == "nginx")
        people = [Person(f"P{number}", [url], enough, number) for number in range(PEOPLE)]
        wait_for_answers(people, 3 * TRIALS)
        end_of_answers(people, enough)
        running.terminate()
    assert server.stop() == 0
    require_nothing_lost(store, people, 0)
