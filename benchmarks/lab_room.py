"""A lab room on one computer: 50 stations deliver 200 trials each to one PostgreSQL server.

    python benchmarks/lab_room.py --stations 50 --trials 200 --pace 1 0

The server is started in a temporary folder by an ordinary user, with its settings as Debian ships them: each commit is
flushed to the disk. Each station is a process with a store of its own; a trial is committed there first and then
delivered, as in a session. PACE is the time between two trials of a station in seconds; 0: the next trial as soon as
the one before was delivered, far faster than people answer. Printed for each pace: errors, lost and doubled trials,
median and 99th percentile of the time from the commit on the station to the commit on the server, trials a second.
A trial that was not delivered within a minute is an error, and counts with that minute in the times.
With --cut the server is restarted after this share of the trials; then only nothing lost and nothing doubled count.
"""

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "gan_eval" / "delivery"))

from stations import Sitting
from temporary_postgres import TemporaryPostgres, find_binaries

from gan_eval import tables
from gan_eval.delivery.courier import Courier
from gan_eval.store import open_store
from gan_eval.store.connect import parse_address

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Room:
    """What is run."""

    stations: int
    trials: int
    pace: float
    cut: float | None


def main() -> None:
    """Run the room at each pace and print what came of it."""
    parser = argparse.ArgumentParser(description="many stations, one server")
    parser.add_argument("--stations", type=int, default=50)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--pace", type=float, nargs="+", default=[1.0, 0.0])
    parser.add_argument("--cut", type=float, help="restart the server after this share of the time, as in 0.5")
    options = parser.parse_args()
    binaries = find_binaries()
    if binaries is None:
        sys.exit("PostgreSQL's initdb and pg_ctl are not installed")
    with TemporaryPostgres(binaries) as server:
        for number, pace in enumerate(options.pace):
            run(server, f"room{number}", Room(options.stations, options.trials, pace, options.cut))


def run(server: TemporaryPostgres, name: str, room: Room) -> None:
    """One room from the first trial to the last."""
    url = server.make_database(name)
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    start, results = context.Barrier(room.stations + 1), context.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"station{number}.sqlite" for number in range(room.stations)]
        children = [context.Process(target=sit, args=(path, url, room, start, results)) for path in paths]
        for child in children:
            child.start()
        start.wait()
        began = time.perf_counter()
        if room.cut is not None:
            time.sleep(room.cut * room.trials * max(room.pace, 0.02))
            server.stop()
            server.start()
        found = [results.get() for _ in children]
        took = time.perf_counter() - began
        for child in children:
            child.join()
        latencies = sorted(seconds for one, _ in found for seconds in one)
        errors = [line for _, lines in found for line in lines]
        tell(url, room, latencies, errors, took)


def sit(path: Path, url: str, room: Room, start: Barrier, results: "multiprocessing.SimpleQueue[object]") -> None:
    """One station: its latencies in seconds and what it has to complain of."""
    number = int(path.stem.removeprefix("station"))
    latencies: list[float] = []
    errors: list[str] = []
    with open_store(path) as store:
        one = Sitting(store, f"P{number}", trials=room.trials)
        courier = Courier(path, parse_address(url))
        courier.wait(PATIENCE_S)
        start.wait()
        due = time.perf_counter() + room.pace * number / room.stations
        for trial in range(1, room.trials + 1):
            time.sleep(max(0.0, due - time.perf_counter()))
            due += room.pace
            one.answer(trial)
            committed = time.perf_counter()
            if not courier.wait(PATIENCE_S):
                errors.append(f"P{number}, trial {trial}: not delivered within {PATIENCE_S:g} s")
            latencies.append(time.perf_counter() - committed)
        one.end()
        results.put((latencies, [*errors, *courier.finish(PATIENCE_S)]))


def tell(url: str, room: Room, latencies: list[float], errors: list[str], took: float) -> None:
    """Print one room's result."""
    with open_store(url) as store:
        counts = Counter((row["participant"], row["trial"]) for row in store.rows(tables.TRIALS))
    wanted = {(f"P{station}", trial) for station in range(room.stations) for trial in range(1, room.trials + 1)}
    doubled = sum(count - 1 for count in counts.values())
    p50, p99 = statistics.median(latencies), latencies[int(0.99 * (len(latencies) - 1))]
    pace = f"a trial every {room.pace:g} s" if room.pace else "as fast as it goes"
    print(
        f"{room.stations} stations x {room.trials} trials, {pace}: {len(errors)} errors, "
        f"{len(wanted - counts.keys())} lost, {doubled} doubled; delivered after p50 {1e3 * p50:.1f} ms, "
        f"p99 {1e3 * p99:.1f} ms, worst {1e3 * latencies[-1]:.0f} ms; {len(latencies) / took:.0f} trials/s"
    )
    for line in sorted(set(errors))[:5]:
        print("  ", line)


if __name__ == "__main__":
    main()
