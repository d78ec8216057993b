"""Peak memory and CPU time of commands compared with an earlier build, as ratios.

    python benchmarks/memory.py                                # all but fid, which takes long
    python benchmarks/memory.py analyze store --answers 30000
    python benchmarks/memory.py fid --pictures 5000 --weights FILE

analyze: answers in a CSV file. store: the same number of answers in a store. serve: the server, after 20 people with
100 trials each. train: steps of Pix2Pix at 256 pixels, batch 1. fid: FID of two folders of pictures of 64 pixels.

Each side runs once, in processes of its own; peak memory hardly depends on other work on the machine. A ratio is that
of the later build to the earlier one.
"""

import argparse
import asyncio
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from start import environment, worktree

ROOT = Path(__file__).resolve().parent.parent
KEEPING = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592"}
"""Environment in which glibc keeps freed memory, as both builds do in a training."""
WORK = ("analyze", "store", "serve", "train", "fid")


class Cost(NamedTuple):
    """The cost of one process."""

    peak_mb: float
    cpu_s: float


def main() -> None:
    """Compare the builds."""
    parser = argparse.ArgumentParser(description="peak memory compared with an earlier build")
    parser.add_argument("work", nargs="*", metavar="WORK", help=f"from: {', '.join(WORK)}; default: all but fid")
    parser.add_argument("--commit", default="41d32fd7", help="the earlier build")
    parser.add_argument("--answers", type=int, default=300_000)
    parser.add_argument("--pictures", type=int, default=5000, help="of both folders together")
    parser.add_argument("--weights", type=Path, help="of Inception; default: those of `gan-eval weights fetch`")
    parser.add_argument("--served", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.served:
        print(peak_of_server(options.served))
        return
    with tempfile.TemporaryDirectory() as scratch, worktree(options.commit) as before:
        folder = Path(scratch)
        for work in options.work or WORK[:-1]:
            costs = []
            for name, tree in (("before", before), ("now", ROOT)):
                (folder / name).mkdir(exist_ok=True)
                costs.append(cost_of(command_of(work, folder, folder / name, tree, options), tree))
            (peak, cpu), (now_peak, now_cpu) = costs
            print(
                f"{work}: {now_peak / peak:.2f} of the peak memory ({peak:.0f} to {now_peak:.0f} MB), "
                f"{now_cpu / cpu:.2f} of the CPU time ({cpu:.1f} to {now_cpu:.1f} s)",
                flush=True,
            )


def command_of(work: str, folder: Path, out: Path, tree: Path, options: argparse.Namespace) -> list[str]:
    """Return the command of one piece of work; its data are made for the first side."""
    command = [sys.executable, "-P", "-m", "gan_eval"]
    if work in ("analyze", "store"):
        answers = folder / ("answers.csv" if work == "analyze" else "answers.sqlite")
        if not answers.exists():
            apart(make_answers, folder, options.answers)
        return [*command, "analyze", str(answers), "--out", str(out / work)]
    if work == "train":
        return [sys.executable, str(tree / "benchmarks" / "train_step.py"), "--device", "cpu", "--side", "fp32"]
    if work == "serve":
        return [sys.executable, __file__, "--served", str(out)]
    if not (folder / "fake").exists():
        apart(make_pictures, folder, options.pictures)
    command += ["metrics", "--real", str(folder / "real"), "--fake", str(folder / "fake"), "--metrics", "fid"]
    command += ["--weights", f"inception={options.weights}"] if options.weights else []
    return [*command, "--no-cache", "--out", str(out / work)]


def cost_of(command: list[str], tree: Path) -> Cost:
    """Return the cost of a process; of a server, the peak that its client prints."""
    ours = environment(tree) | {"PYTHONPATH": f"{tree}{os.pathsep}{tree / 'benchmarks'}", "OMP_NUM_THREADS": "2"}
    ours |= KEEPING if "train_step" in command[1] else {}
    process = subprocess.Popen(command, env=ours, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    printed, said = process.stdout.read(), process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)}\n{said}")
    peak = float(printed) if "--served" in command else used.ru_maxrss / 1024
    return Cost(peak, used.ru_utime + used.ru_stime)


def apart(make: Callable[[Path, int], None], folder: Path, count: int) -> None:
    """Make data in a process of its own: the peak of a process is at least that of the one that starts it."""
    process = multiprocessing.get_context("spawn").Process(target=make, args=(folder, count))
    process.start()
    process.join()


def make_answers(folder: Path, count: int) -> None:
    """Write simulated answers as a store and as a CSV file."""
    import sqlite3

    import pandas as pd
    from analysis import make_store, pool

    make_store(folder / "answers.sqlite", pool(1, 1), count, 1)
    columns = "participant, stimulus, item, kind, model, dataset, response"
    with sqlite3.connect(folder / "answers.sqlite") as connection:
        pd.read_sql(f"select {columns} from trials", connection).to_csv(folder / "answers.csv", index=False)


def make_pictures(folder: Path, count: int) -> None:
    """Write PNG files of 64 pixels: every second one is real."""
    from metric_sides import photographs
    from PIL import Image

    for kind in ("real", "fake"):
        (folder / kind).mkdir()
    for number, picture in enumerate(photographs(count)):
        file = folder / ("fake" if number % 2 else "real") / f"{number // 2:05}.png"
        Image.fromarray(picture).resize((64, 64)).save(file)


def peak_of_server(folder: Path) -> float:
    """Return the peak memory in MB of this build's server after 20 people with 100 trials each."""
    sys.path[:0] = os.environ["PYTHONPATH"].split(os.pathsep)
    import serve_load

    serve_load.make_set(folder / "set", 256, 120)
    options = argparse.Namespace(command=f"{sys.executable} -P -m gan_eval", workers=1)
    with serve_load.served(str(folder), str(folder / "served.sqlite"), 100, options) as (server, port):
        asyncio.run(serve_load.run_load(port, serve_load.Load(20, 0, 100), "people"))
        return sum(peaks(server.pid))


def peaks(pid: int) -> Iterator[float]:
    """Yield the peak memory in MB of a process and of its children."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    yield int(found[1]) / 1024 if found else 0.0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from peaks(int(child))


if __name__ == "__main__":
    main()
