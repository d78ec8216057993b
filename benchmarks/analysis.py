"""A million trials out of a store and into rates, detection and correlations, beside pandas' own reading.

    python benchmarks/analysis.py --trials 1000000

Makes a store of simulated sessions (200 trials each, a pool of 2,000 stimuli, two metrics), reads its trials as
`gan_eval.store` does and by `pandas.read_sql`, and asks for the three tables. Seconds are wall time; the peak is that
of the whole process, the making of the store apart. Figures mean something on a machine that does nothing else.
"""

import argparse
import multiprocessing
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gan_eval import tables
from gan_eval.stats.answers.detection import signal_detection
from gan_eval.stats.answers.rates import rates
from gan_eval.stats.metrics_and_people.correlations import correlations_and_differences
from gan_eval.stats.trials import USED, fill_trials
from gan_eval.store import open_store

EACH = 200
"""Trials of a session."""
POOL = 2000


def make_store(path: Path, trials: int) -> None:
    """A store with simulated answers; rows go in by SQLite's own module, many at a time."""
    open_store(path).close()
    rng = np.random.default_rng(1)
    alike = {"study": "speed", "protocol": "quick_response", "simulated": True}
    with sqlite3.connect(path) as connection:
        for number in range(trials // EACH):
            stimulus, called = rng.choice(POOL, EACH, replace=False), rng.random(EACH) < 0.5
            session = f"0190{number:08x}-0000-7000-8000-{rng.integers(2**48):012x}"
            who = {"session": session, "participant": f"P{number:05d}", **alike}
            sitting = {**who, "status": "complete", "started_at": f"2000-01-01T00:00:00.{number:06d}Z"}
            pd.DataFrame([sitting]).to_sql("sessions", connection, if_exists="append", index=False)
            frame = pd.DataFrame(
                {
                    **who,
                    "block": 1,
                    "trial": np.arange(1, EACH + 1),
                    "phase": "main",
                    "stimulus": [f"set/{'model' if one % 2 else 'real'}/{one:04d}" for one in stimulus],
                    "item": [f"set/{one:04d}" for one in stimulus],
                    "kind": np.where(stimulus % 2, "fake", "real"),
                    "model": np.where(stimulus % 2, "model", None),
                    "dataset": "set",
                    "requested_exposure_ms": 1000.0,
                    "planned_exposure_ms": 1000.0,
                    "exposure_ms": rng.normal(1000, 0.2, EACH),
                    "onset_ms": np.cumsum(rng.uniform(2000, 3000, EACH)),
                    "response": np.where(called, "fake", "real"),
                    "correct": called == (stimulus % 2 == 1),
                    "reaction_time_ms": rng.lognormal(6.6, 0.4, EACH),
                    "flags": "",
                    "answered_at": "2000-01-01T00:00:00.000Z",
                }
            )
            frame.to_sql("trials", connection, if_exists="append", index=False)


def metric_values() -> pd.DataFrame:
    """Two metrics of every fake of the pool."""
    rng, fakes = np.random.default_rng(2), range(1, POOL, 2)
    shared = {"kind": "fake", "model": "model", "dataset": "set", "reason": None, "run": "r"}
    rows = [
        {"stimulus": f"set/model/{one:04d}", "item": f"set/{one:04d}", "metric": name, "value": value, **shared}
        for name in ("psnr", "niqe")
        for one, value in zip(fakes, rng.normal(20, 3, len(fakes)), strict=True)
    ]
    return pd.DataFrame(rows)


def timed(name: str, work: Callable[[], Any]) -> tuple[Any, float]:
    """What a work gives, and its seconds."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    print(f"  {name:<44}{seconds:>8.2f} s")
    return result, seconds


def measure(path: Path) -> None:
    """Read and analyse one store."""
    with open_store(path, create=False) as store:
        store.frame(tables.SESSIONS)  # loads the driver
        everything, whole = timed("read, all columns", lambda: store.frame(tables.TRIALS))
        del everything
        frame, _ = timed("read, the columns that statistics use", lambda: store.frame(tables.TRIALS, columns=USED))
    with sqlite3.connect(path) as connection:
        _, peer = timed("pandas.read_sql, all columns", lambda: pd.read_sql("select * from trials", connection))
    values = metric_values()
    filled, first = timed("checked", lambda: fill_trials(frame))
    parts = (
        timed("rates", lambda: rates(filled))[1],
        timed("detection", lambda: signal_detection(filled))[1],
        timed("correlations", lambda: correlations_and_differences(filled, image_metrics=values))[1],
    )
    print(f"  {'analysed in all':<44}{first + sum(parts):>8.2f} s")
    print(f"  reading: {peer / whole:.1f} times as quick as pandas.read_sql")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        make_store(path, options.trials)
        print(f"{options.trials} trials, {path.stat().st_size / 2**20:.0f} MiB")
        reader = multiprocessing.get_context("spawn").Process(target=measure, args=(path,))
        reader.start()
        reader.join()


if __name__ == "__main__":
    main()
