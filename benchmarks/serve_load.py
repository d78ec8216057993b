"""Time the answers of people who take part by link, all at the same time, against a server of this program's own.

    python benchmarks/serve_load.py                                   each load once
    python benchmarks/serve_load.py --load burst --repeats 5          one load, five times
    python benchmarks/serve_load.py --load steady300 --trials 60      for two minutes
    python benchmarks/serve_load.py --store postgresql://... --workers 2

The server is a process; the people are coroutines of this one, each with two connections that stay open, as a
browser has them. A person does what the page does: open, begin, ready, then for each trial the onset, the pictures that
are not there yet, and the answer. Times are those of the request `trial`, from its first byte to the last byte of
the acknowledgement, so this process' own delays are in them.

    begins      300 people agree at one moment
    steady50    50 people, one answer a second
    burst       50 people send the next answer as soon as the last one is acknowledged
    steady300   300 people, one answer every two seconds

The figures mean something on a machine that does nothing else: look at the load average that is printed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gan_eval.pictures.decode import write_png
from gan_eval.pictures.sets import stimulus_row, write_set


@dataclass(frozen=True)
class Load:
    """People who answer at one rate."""

    people: int
    seconds: float
    """Time from one answer to the next; 0: none."""
    trials: int


LOADS = {
    "begins": Load(300, 0, 0),
    "steady50": Load(50, 1, 40),
    "burst": Load(50, 0, 40),
    "steady300": Load(300, 2, 20),
}
SCREEN = {"width": 1920, "height": 1080, "window_width": 1920, "window_height": 1080}


def main() -> None:
    """Run the loads, and print their times."""
    parser = argparse.ArgumentParser(description="times of answers under load")
    parser.add_argument("--load", choices=list(LOADS), action="append", help="repeatable; default: all")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--trials", type=int, help="for each person")
    parser.add_argument("--size", type=int, default=256, help="of the pictures, in pixels")
    parser.add_argument("--store", help="URL of an empty store; default: a file in a temporary folder")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--command", default=f"{sys.executable} -m gan_eval", help="starts this program")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_set(Path(folder) / "set", arguments.size, 60)
        for name in arguments.load or LOADS:
            for repeat in range(arguments.repeats):
                load = LOADS[name]
                trials = load.trials if arguments.trials is None else arguments.trials
                load = Load(load.people, load.seconds, min(trials, load.trials and trials))
                store = arguments.store or f"{folder}/{name}-{repeat}.sqlite"
                with served(folder, store, max(load.trials, 40), arguments) as (server, port):
                    before, since = processor_seconds(server.pid), time.perf_counter()
                    times = asyncio.run(run_load(port, load, f"{name}-{os.getpid()}-{repeat}"))
                    took = time.perf_counter() - since
                    report(name, times, took, processor_seconds(server.pid) - before)


def report(name: str, times: dict[str, list[float]], took: float, processor: float) -> None:
    """Print the times of each request in milliseconds."""
    busy = os.getloadavg()[0]
    print(f"{name}: {took:.1f} s, processor of the server {processor:.1f} s, load average {busy:.1f}", flush=True)
    for request, values in times.items():
        p50, p99 = np.percentile(values, (50, 99))
        print(
            f"  {request:8} n={len(values):5} p50={p50:7.1f} p99={p99:7.1f} max={max(values):7.1f} "
            f"mean={statistics.fmean(values):7.1f} ms",
            flush=True,
        )


def make_set(folder: Path, size: int, items: int) -> None:
    """Make a set of random pictures: one real and one fake of each item."""
    generator, made = np.random.default_rng(1), []
    for number in range(items):
        for kind in ("real", "fake"):
            picture = generator.integers(0, 256, (size, size, 3)).astype(np.uint8)
            file = folder / kind / f"s{number}.png"
            write_png(file, picture)
            more: dict[str, Any] = {} if kind == "real" else {"model": "m", "reference_file": f"real/s{number}.png"}
            more |= {"dataset": "d", "stem": f"s{number}", "size": (size, size)}
            made.append(stimulus_row(folder, file, kind=kind, **more))
    write_set(folder, made)


@contextlib.contextmanager
def served(
    folder: str, store: str, trials: int, arguments: argparse.Namespace
) -> "Iterator[tuple[subprocess.Popen[str], int]]":
    """Start a server, and its port; at the end it is stopped."""
    command = [*arguments.command.split(), "serve", "--stimuli", f"{folder}/set", "--store", store, "--port", "0"]
    command += ["--real", str(-(-trials // 2)), "--fake", str(trials // 2), "--workers", str(arguments.workers)]
    with Path(folder, "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            if not line:
                raise SystemExit(Path(folder, "server.log").read_text())
            yield server, int(line.rsplit(":", 1)[1])
        finally:
            server.terminate()
            server.wait()


def processor_seconds(pid: int) -> float:
    """Processor time of a process so far, where the system says so."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Connection:
    """A connection that stays open; one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, headers: str = "", body: bytes = b"") -> tuple[int, bytes]:
        """Send a request; its status and content."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return status, await reader.readexactly(length)

    def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            self._streams[1].close()


class Person:
    """A participant's browser."""

    def __init__(self, port: int, code: str, times: dict[str, list[float]]) -> None:
        self.code, self.times = code, times
        self.talk, self.look = Connection(port), Connection(port)
        self.token = ""
        self.seen: set[str] = set()
        self.coming: dict[str, Any] = {}

    async def ask(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a message; what comes back. Overload is tried again, as in the page."""
        headers = "Content-Type: application/json\r\n"
        if self.token:
            headers += f"Authorization: Bearer {self.token}\r\nX-Tab: tab-0123456789abcdef\r\n"
        content = json.dumps(body).encode()
        since = time.perf_counter()
        status, answer = await self.talk.send("POST", f"/api/{name}", headers, content)
        if status != 200:
            raise SystemExit(f"{name}: {status} {answer[:500]!r}")
        self.times[name].append(1000 * (time.perf_counter() - since))
        result: dict[str, Any] = json.loads(answer)
        return result

    async def arrive(self) -> None:
        """Open the page and agree."""
        await self.ask("open", {"participant": self.code})
        setup = await self.ask("begin", {"participant": self.code, "tab": "tab-0123456789abcdef", "consent": True})
        self.token = setup["token"]

    async def get_ready(self) -> None:
        """Send everything before the first trial."""
        screen = {**SCREEN, "device_pixel_ratio": 1.0, "refresh_hz": 60.0}
        self.coming = (await self.ask("ready", {"answers": {}, "screen": screen}))["next"]

    async def fetch(self) -> None:
        """Fetch the pictures of this trial and of those ahead."""
        for address in self.coming.get("ahead", ()):
            if address not in self.seen:
                self.seen.add(address)
                since = time.perf_counter()
                status, _ = await self.look.send("GET", f"/{address}")
                assert status == 200, status
                self.times["picture"].append(1000 * (time.perf_counter() - since))

    async def take_part(self, load: Load) -> None:
        """Answer trials."""
        due = time.perf_counter() + random.uniform(0, load.seconds)
        await self.fetch()
        for _ in range(load.trials):
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            due += load.seconds
            trial, now = self.coming["trial"], 1000 * time.perf_counter()
            await self.ask("onset", {"trial": trial, "onset_ms": now, "sent_ms": now})
            body = {
                "trial": trial,
                "showings": [{"onset_ms": now, "offset_ms": now + 1}],
                "presses": [{"key": "f", "at_ms": now + 1}],
                "sent_ms": now + 1000,
                "frame_ms": 16.667,
                "missed_frames": 0,
            }
            self.coming = (await self.ask("trial", body))["next"]
            await self.fetch()


async def run_load(port: int, load: Load, name: str) -> dict[str, list[float]]:
    """Let people take part; the times of their requests in milliseconds."""
    times: dict[str, list[float]] = defaultdict(list)
    people = [Person(port, f"{name}-{number}", times) for number in range(load.people)]
    await asyncio.gather(*(person.arrive() for person in people))
    await asyncio.gather(*(person.get_ready() for person in people))
    if load.trials:
        await asyncio.gather(*(person.take_part(load) for person in people))
    for person in people:
        person.talk.close()
        person.look.close()
    return times


if __name__ == "__main__":
    main()
