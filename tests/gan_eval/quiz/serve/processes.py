"""The command `serve` as a process, and people who take part by link and try again as the page does."""

import contextlib
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx2 as httpx
from robot import Page

TRIALS = 10


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Server:
    """`gan-eval serve` as a process of its own, that may be killed and started again on its port."""

    def __init__(self, *options: str, folder: Path | None = None, by: Sequence[str] = ()) -> None:
        """Set up; `folder` is the one that it works in, and `by` a command that starts the server's."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [*by, sys.executable, "-m", "gan_eval", "serve", *options, "--port", str(self.port)]
        self._folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.errors: list[str] = []
        self.store = ""

    def start(self, *, wait: bool = True) -> None:
        """Start it; with `wait`, until it answers."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._log = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would stop the server  # noqa: SIM115
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment, cwd=self._folder
        )
        if wait:
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
            assert line.startswith("serving "), (line, self._read_log())

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()
        self.errors.append(self._read_log())

    def stop(self) -> int:
        """Ask it to end within a minute; return its exit status."""
        assert self.process is not None
        until = time.monotonic() + 30
        # before it answers, SIGTERM ends it as it ends any program
        while self.process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(self.url)
                break
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        self.errors.append(self._read_log())
        return self.process.returncode

    def _read_log(self) -> str:
        self._log.seek(0)
        return self._log.read()


def quiz_server(stimuli: Path, store: str, *options: str, by: Sequence[str] = ()) -> Server:
    """A server of a quiz of `TRIALS` trials on one set."""
    half = str(TRIALS // 2)
    server = Server("--stimuli", str(stimuli), "--store", store, "--real", half, "--fake", half, *options, by=by)
    server.store = store
    return server


class Person(Page):
    """Somebody who takes part in one session after another, in a thread, and tries again as the page does."""

    def __init__(self, name: str, urls: Sequence[str], enough: threading.Event, seed: int) -> None:
        """Set up; `enough` is set when no further session is to begin."""
        self.clients = [httpx.Client(base_url=url, timeout=20) for url in urls]
        super().__init__(self.clients[0], name)
        self.acknowledged: dict[tuple[str, int], float] = {}
        """Reaction time of each trial of which the server said that it is stored."""
        self.complete: set[str] = set()
        """Sessions whose end was shown."""
        self.reloads = 0
        self.problem: BaseException | None = None
        self._name, self._enough, self._random, self._now = name, enough, random.Random(seed), 1000.0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            for number in itertools.count(1):
                if self._enough.is_set():
                    return
                self.participant = f"{self._name}-{number}"
                self._take_part()
        except BaseException as error:
            self.problem = error

    def _take_part(self) -> None:
        self.token = ""
        following = self._enter("begin")
        while following["page"] == "trial":
            if self._random.random() < 0.03:  # closes the tab, with a picture on the screen or not
                if self._random.random() < 0.5:
                    self._send("onset", trial=following["trial"], onset_ms=self._now, sent_ms=self._now)
                self.reloads += 1
                if self.open()["page"] == "end":
                    break
                following = self._enter("resume")
                continue
            self._look(self._random.choice(following["ahead"]))
            following = self._answer(following["trial"])
        self.complete.add(self.setup["session"])

    def _look(self, address: str) -> None:
        assert self._insist(lambda: self.client.get(address)).content.startswith(b"\x89PNG")

    def _enter(self, how: str) -> dict[str, Any]:
        self.tab = f"tab-{self._random.getrandbits(80):020x}"
        setup = self.arrive(how)
        following: dict[str, Any] = setup["next"] if setup["ready"] else self.ready()
        return following

    def _answer(self, trial: int) -> dict[str, Any]:
        onset = self._now + 500
        if self._random.random() < 0.8:
            self._send("onset", trial=trial, onset_ms=onset, sent_ms=onset)
        reaction = round(self._random.uniform(200, 900), 3)
        self._now = onset + reaction + 1
        report: dict[str, Any] = {
            "trial": trial,
            "showings": [{"onset_ms": onset, "offset_ms": self._now}],
            "presses": [{"key": "f", "at_ms": onset + reaction}],
        }
        for _ in range(1 + (self._random.random() < 0.1)):  # some send it twice
            answer = self.ask("trial", **report, sent_ms=self._now)
        self.acknowledged[self.setup["session"], trial] = reaction
        found: dict[str, Any] = answer["next"]
        return found

    def call(self, name: str, **body: Any) -> httpx.Response:
        return self._insist(lambda: Page.call(self, name, **body))

    def _send(self, name: str, **body: Any) -> None:
        with contextlib.suppress(httpx.TransportError):
            Page.call(self, name, **body)

    def _insist(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        for _ in range(2000):
            self.client = self._random.choice(self.clients)
            with contextlib.suppress(httpx.TransportError):
                response = send()
                if response.status_code == 200:
                    return response
                assert response.status_code in (429, 503), (response.status_code, response.text)
            time.sleep(0.02)
        raise TimeoutError("the server has not answered")
