"""A million trials out of a store, compared with pandas' own reading, and every table of their analysis.

    OMP_NUM_THREADS=1 python benchmarks/analysis.py
    OMP_NUM_THREADS=1 python benchmarks/analysis.py --models 3 --datasets 2 --exposures 2

Makes a store of simulated sessions (200 trials each with confidence, of a pool of 2,000 stimuli, two metrics), reads
its trials as `gan_eval.store` does and by `pandas.read_sql`, and analyses them. Seconds are wall time; the peak is that
of reading and analysis. Figures mean something on a machine that does nothing else.
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
from gan_eval.stats.analysis import analyze
from gan_eval.store import open_store

EACH = 200
"""Trials of a session."""
POOL = 2000


def pool(models: int, datasets: int) -> pd.DataFrame:
    """The stimuli: half real, the fakes by turns of each model on each data set."""
    number = np.arange(POOL)
    is_fake, dataset = number % 2 == 1, np.char.add("set", (number // 2 % datasets).astype(str))
    model = np.char.add("model", (number // 2 // datasets % models).astype(str))
    return pd.DataFrame(
        {
            "stimulus": [f"{dataset[n]}/{model[n] if is_fake[n] else 'real'}/{n:04d}" for n in number],
            "item": [f"{dataset[n]}/{n:04d}" for n in number],
            "kind": np.where(is_fake, "fake", "real"),
            "model": [str(model[n]) if is_fake[n] else None for n in number],
            "dataset": dataset,
        }
    )


def make_store(path: Path, stimuli: pd.DataFrame, trials: int, exposures: int) -> None:
    """A store with simulated answers; rows go in by SQLite's own module, many at a time."""
    open_store(path).close()
    rng = np.random.default_rng(1)
    alike: dict[str, Any] = {"study": "speed", "protocol": "yes_no", "simulated": True}
    with sqlite3.connect(path) as connection:
        for number in range(trials // EACH):
            session = f"0190{number:08x}-0000-7000-8000-{rng.integers(2**48):012x}"
            who: dict[str, Any] = {"session": session, "participant": f"P{number:05d}", **alike}
            sitting = {**who, "status": "complete", "started_at": f"2000-01-01T00:00:00.{number:06d}Z"}
            pd.DataFrame([sitting]).to_sql("sessions", connection, if_exists="append", index=False)
            shown = stimuli.iloc[rng.choice(POOL, EACH, replace=False)].reset_index(drop=True)
            is_fake = (shown["kind"] == "fake").to_numpy()
            called = rng.random(EACH) < np.where(is_fake, 0.6, 0.4)
            exposure = 250.0 * 2.0 ** (np.arange(EACH) % exposures)
            frame = shown.assign(
                **who,
                block=1,
                trial=np.arange(1, EACH + 1),
                phase="main",
                requested_exposure_ms=exposure,
                planned_exposure_ms=exposure,
                exposure_ms=exposure + rng.normal(0, 0.2, EACH),
                onset_ms=np.cumsum(rng.uniform(2000, 3000, EACH)),
                response=np.where(called, "fake", "real"),
                correct=called == is_fake,
                reaction_time_ms=rng.lognormal(6.6, 0.4, EACH),
                confidence=rng.integers(1, 6, EACH),
                flags="",
                answered_at="2000-01-01T00:00:00.000Z",
            )
            frame.to_sql("trials", connection, if_exists="append", index=False)


def metric_values(stimuli: pd.DataFrame) -> pd.DataFrame:
    """Two metrics of every fake of the pool."""
    rng, fakes = np.random.default_rng(2), stimuli[stimuli["kind"] == "fake"].assign(reason=None, run="r")
    return pd.concat([fakes.assign(metric=name, value=rng.normal(20, 3, len(fakes))) for name in ("psnr", "niqe")])


def timed(name: str, work: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of a work, and its seconds."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    print(f"  {name:<44}{seconds:>8.2f} s")
    return result, seconds


def measure(path: Path, stimuli: pd.DataFrame) -> None:
    """Read and analyse one store."""
    with open_store(path, create=False) as store:
        store.frame(tables.SESSIONS)  # loads the driver
        frame, whole = timed("read", lambda: store.frame(tables.TRIALS))
    found, _ = timed("analysed", lambda: analyze(frame, image_metrics=metric_values(stimuli)))
    print(f"  {len(found)} tables with {sum(map(len, found.values()))} rows")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    with sqlite3.connect(path) as connection:
        _, peer = timed("pandas.read_sql", lambda: pd.read_sql("select * from trials", connection))
    print(f"  reading: {peer / whole:.1f} times as quick as pandas.read_sql")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1_000_000)
    for name in ("models", "datasets", "exposures"):
        parser.add_argument(f"--{name}", type=int, default=1)
    options = parser.parse_args()
    stimuli = pool(options.models, options.datasets)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        make_store(path, stimuli, options.trials, options.exposures)
        print(f"{options.trials} trials, {path.stat().st_size / 2**20:.0f} MiB")
        reader = multiprocessing.get_context("spawn").Process(target=measure, args=(path, stimuli))
        reader.start()
        reader.join()


if __name__ == "__main__":
    main()
