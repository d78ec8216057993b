"""Speed of training, and of FID, next to other work on the same cores.

    python benchmarks/busy_machine.py                        training, idle and busy, five rounds
    python benchmarks/busy_machine.py --condition busy       the same next to busy processes alone
    python benchmarks/busy_machine.py --spin 0 5000 20000    also with other lengths of spinning
    python benchmarks/busy_machine.py --work fid             FID of 2 x 2500 random vectors of 2048 features
    python benchmarks/busy_machine.py --work demo            the demo next to busy processes: seconds, once

Sides are run in turn, each in a process of its own: `now` is the command as a user gives it, `before` has the threads
and the spinning that PyTorch and OpenBLAS have by default, `one` has one thread. "Busy" means as many endless loops as
there are cores, started by this program. "Idle" means that it starts none: look at the load that is printed. On a
machine that is busy with other work, too, `before` can take minutes for a few steps: give fewer --steps.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from gan_eval.base.threads import WAITING_SETTINGS, usable_cores

CORES = str(usable_cores())
DEFAULTS = {"GOMP_SPINCOUNT": "300000", "OPENBLAS_THREAD_TIMEOUT": "26"}
"""The libraries' own numbers."""
FID = """
import time
import gan_eval
import numpy as np
from gan_eval.metrics.definitions.frechet import fid
real, fake = np.random.default_rng(0).normal(size=(2, 2500, 2048)).astype("f4")
fid(real[:50], fake[:50])
started = time.perf_counter()
fid(real, fake)
print(1 / (time.perf_counter() - started))
"""


def main() -> None:
    """Run the sides in turn and print the ratios."""
    parser = argparse.ArgumentParser(description="time training and FID next to other work")
    parser.add_argument("--work", choices=["train", "fid", "demo"], default="train")
    parser.add_argument("--condition", nargs="+", choices=["idle", "busy"], default=["idle", "busy"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--side", nargs="+", choices=["before", "now", "one"], default=["before", "now", "one"])
    parser.add_argument("--spin", nargs="*", default=[], help="further values of GOMP_SPINCOUNT, with all cores")
    options = parser.parse_args()
    if options.work == "demo":
        with busy_processes(), tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            command = [sys.executable, "-m", "gan_eval", "demo", "--simulate", "default", "--out", f"{folder}/demo"]
            subprocess.run(command, env=environment({}), check=True)
        print(f"demo next to {CORES} busy processes: {time.monotonic() - started:.0f} s (wanted: at most 480)")
        return
    sides = {"before": {**DEFAULTS, "OMP_NUM_THREADS": CORES}, "now": {}, "one": {"OMP_NUM_THREADS": "1"}}
    sides = {side: sides[side] for side in options.side}
    sides |= {f"spin {spin}": {"GOMP_SPINCOUNT": spin, "OMP_NUM_THREADS": CORES} for spin in options.spin}
    speeds: dict[tuple[str, str], list[float]] = {(c, side): [] for c in options.condition for side in sides}
    for number in range(1, options.rounds + 1):
        for (condition, side), found in speeds.items():
            load = os.getloadavg()[0]
            with busy_processes(0 if condition == "idle" else int(CORES)):
                found.append(speed_of(options, sides[side]))
            print(
                f"round {number}: {condition:4} {side:10} {found[-1]:8.3g} a second (load before: {load:.1f})",
                flush=True,
            )
    for (condition, side), found in speeds.items():
        spread = f"{min(found):.3g} to {max(found):.3g}"
        print(f"{condition:4} {side:10} median {statistics.median(found):8.3g} a second ({spread})")
    report(speeds, ("busy", "now"), ("idle", "one"), "wanted: at least 0.5")
    report(speeds, ("idle", "now"), ("idle", "before"), "wanted: at least 0.97")
    report(speeds, ("busy", "now"), ("busy", "before"), "the gain")


def report(speeds: dict[tuple[str, str], list[float]], a: tuple[str, str], b: tuple[str, str], wanted: str) -> None:
    """Print the ratio of two sides' speeds, round by round, where both were timed."""
    if a not in speeds or b not in speeds:
        return
    ratios = [x / y for x, y in zip(speeds[a], speeds[b], strict=True)]
    spread = f"rounds {min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{' '.join(a)} / {' '.join(b)} = {statistics.median(ratios):.2f} ({spread}; {wanted})")


def environment(of_side: dict[str, str]) -> dict[str, str]:
    """Environment of a side's process, without the variables that this program compares."""
    names = {"OMP_NUM_THREADS", "OMP_WAIT_POLICY", *WAITING_SETTINGS}
    inherited = {name: value for name, value in os.environ.items() if name not in names}
    return {**inherited, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), **of_side}


def speed_of(options: argparse.Namespace, of_side: dict[str, str]) -> float:
    """Training steps a second, without the first third; or values of FID a second."""
    if options.work == "fid":
        of_side = {**of_side, "OPENBLAS_NUM_THREADS": of_side.get("OMP_NUM_THREADS", CORES)}
        command = [sys.executable, "-c", FID]
        return float(subprocess.run(command, env=environment(of_side), check=True, stdout=subprocess.PIPE).stdout)
    with tempfile.TemporaryDirectory() as folder:
        data, run = Path(folder) / "data", Path(folder) / "run"
        (data / "train").mkdir(parents=True)
        pixels = np.random.default_rng(0).integers(0, 256, (4, options.size, 2 * options.size, 3), dtype=np.uint8)
        for number, picture in enumerate(pixels):
            Image.fromarray(picture).save(data / "train" / f"{number}.png")
        command = [sys.executable, "-m", "gan_eval", "train", "--data", str(data), "--out", str(run)]
        command += ["--image-size", str(options.size), "--steps", str(options.steps)]
        for net in ("generator", "discriminator"):
            command += ["--set", f"{net}_channels={options.channels}"]
        quiet = subprocess.DEVNULL
        subprocess.run(command, env=environment(of_side), check=True, stdout=quiet, stderr=quiet)
        with (run / "training_log.csv").open(encoding="utf-8") as file:
            rows = sorted({(int(row["step"]), float(row["seconds"])) for row in csv.DictReader(file)})
    (first, began), (last, ended) = rows[len(rows) // 3], rows[-1]
    return (last - first) / (ended - began)


@contextmanager
def busy_processes(count: int = int(CORES)) -> Iterator[None]:
    """Run this number of endless loops inside the block."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(1 if loops else 0)
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    main()
