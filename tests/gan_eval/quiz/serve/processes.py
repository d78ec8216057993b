"""The command `serve` as a process, and people who take part by link and try again as the page does."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
from robot import SCREEN

TRIALS = 10


def free_port() -> int:
    """A port that no program uses."""
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
        """End it without warning."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()
        self.errors.append(self._read_log())

    def stop(self) -> tuple[int, float]:
        """Ask it to end: its exit status, and the seconds that it took."""
        assert self.process is not None
        since = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        took = time.monotonic() - since
        self.errors.append(self._read_log())
        return self.process.returncode, took

    def _read_log(self) -> str:
        self._log.seek(0)
        return self._log.read()


def quiz_server(stimuli: Path, store: str, *options: str, by: Sequence[str] = ()) -> Server:
    """A server of a quiz of `TRIALS` trials on one set."""
    half = str(TRIALS // 2)
    return Server("--stimuli", str(stimuli), "--store", store, "--real", half, "--fake", half, *options, by=by)


@dataclass
class Person(threading.Thread):
    """Somebody who takes part in one session after another, in a thread."""

    name_of: str
    urls: Sequence[str]
    enough: threading.Event
    """Begin no further session."""
    seed: int
    acknowledged: dict[tuple[str, int], float] = field(default_factory=dict)
    """Reaction time of each trial of which the server said that it is stored."""
    complete: set[str] = field(default_factory=set)
    """Sessions whose end was shown."""
    reloads: int = 0
    problem: BaseException | None = None

    def __post_init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)
        self._random = random.Random(self.seed)
        self._now = 1000.0

    def __hash__(self) -> int:
        return self.seed

    def run(self) -> None:
        """Take part until it is enough."""
        number = 0
        try:
            with httpx.Client(timeout=20) as self._client:
                while not self.enough.is_set():
                    number += 1
                    self._take_part(f"{self.name_of}-{number}")
        except BaseException as error:
            self.problem = error

    def _take_part(self, code: str) -> None:
        self._token, self._tab = "", ""
        setup = self._enter("begin", code)
        following = self._ready()
        while following["page"] == "trial":
            if self._random.random() < 0.03:  # closes the tab, with a picture on the screen or not
                if self._random.random() < 0.5:
                    self._send("onset", trial=following["trial"], onset_ms=self._now, sent_ms=self._now)
                self.reloads += 1
                opened = self._ask("open", participant=code)
                if opened["page"] == "end":
                    break
                setup = self._enter("resume", code)
                following = setup["next"] if setup["ready"] else self._ready()
                continue
            self._look(following)
            following = self._answer(setup["session"], following)
        self.complete.add(setup["session"])

    def _enter(self, how: str, code: str) -> dict[str, Any]:
        self._tab = f"tab-{self._random.getrandbits(80):020x}"
        setup = self._ask(how, participant=code, tab=self._tab, consent=True)
        self._token = setup["token"]
        return setup

    def _ready(self) -> dict[str, Any]:
        following: dict[str, Any] = self._ask("ready", answers={}, screen=SCREEN)["next"]
        return following

    def _look(self, following: dict[str, Any]) -> None:
        """Fetch a picture, as often as it takes."""
        address = self._random.choice(following["ahead"])
        response = self._insist(lambda url: self._client.get(f"{url}/{address}"))
        assert response.content.startswith(b"\x89PNG")

    def _answer(self, session: str, following: dict[str, Any]) -> dict[str, Any]:
        trial, onset = following["trial"], self._now + 500
        if self._random.random() < 0.8:
            self._send("onset", trial=trial, onset_ms=onset, sent_ms=onset)
        reaction = round(self._random.uniform(200, 900), 3)
        self._now = onset + reaction + 1
        report = {
            "trial": trial,
            "showings": [{"onset_ms": onset, "offset_ms": self._now}],
            "presses": [{"key": "f", "at_ms": onset + reaction}],
        }
        for _ in range(1 + (self._random.random() < 0.1)):  # some send it twice
            answer = self._ask("trial", **report, sent_ms=self._now)
        self.acknowledged[session, trial] = reaction
        found: dict[str, Any] = answer["next"]
        return found

    def _ask(self, name: str, **body: Any) -> dict[str, Any]:
        """Send a message until it is answered."""
        response = self._insist(lambda url: self._post(url, name, body))
        found: dict[str, Any] = response.json()
        return found

    def _send(self, name: str, **body: Any) -> None:
        """Send a message once."""
        with contextlib.suppress(httpx.TransportError):
            self._post(self._random.choice(self.urls), name, body)

    def _post(self, url: str, name: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}", "X-Tab": self._tab} if self._token else {}
        return self._client.post(f"{url}/api/{name}", json=body, headers=headers)

    def _insist(self, send: Any) -> httpx.Response:
        for _ in range(2000):
            try:
                response: httpx.Response = send(self._random.choice(self.urls))
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            if response.status_code == 200:
                return response
            assert response.status_code in (429, 500, 503), (response.status_code, response.text)
            assert response.status_code != 500, response.text
            time.sleep(0.02)
        raise TimeoutError("the server has not answered")
