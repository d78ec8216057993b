"""Speed of the metrics compared with other programs, on this machine: each line a ratio from one run.

    python benchmarks/metrics.py                  # every line
    python benchmarks/metrics.py ssim niqe        # some
    python benchmarks/metrics.py --list

The peers get an environment of their own (`--peers DIR`), where this benchmark is then run, so that both sides share
one process, one torch and the same pictures. The sides take turns, and every round gives one ratio: printed are the
median of the rounds, their least and greatest, and both sides' median times. What is cold is left out on both sides:
imports, compiling, reading the network's weights. Pictures are photographs that come with scikit-image, cut, blurred,
compressed and sprinkled with noise.
"""

import argparse
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from metric_sides import LINES, Line
from peers import METRIC_PEERS, ROOT, peers_python

PAUSE_S = 0.25


def main() -> None:
    """Make the environment, go into it, and print the table."""
    parser = argparse.ArgumentParser(description="time our metrics compared with other programs")
    parser.add_argument("lines", nargs="*", metavar="LINE", help=f"from: {', '.join(LINES)}; default: all")
    parser.add_argument("--rounds", type=int, help="default: what each line is made for")
    parser.add_argument("--peers", type=Path, default=ROOT / "build" / "peers", help="folder of the environment")
    parser.add_argument("--list", action="store_true", help="list what each line compares")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = [name for name in options.lines if name not in LINES]
    if unknown:
        parser.error(f"no line {unknown[0]!r}; choose from {', '.join(LINES)}")
    if options.list:
        for name, line in LINES.items():
            print(f"{name:18} {line.work}; compared with {line.compared_with}")
    elif options.inside:
        compare({name: LINES[name] for name in options.lines or LINES}, options.rounds)
    else:
        python = peers_python(options.peers, METRIC_PEERS)
        sys.exit(subprocess.run([python, __file__, "--inside", *sys.argv[1:]], check=False).returncode)


def compare(lines: dict[str, Line], rounds: int | None) -> None:
    """Time the lines one after the other."""
    print("| line | work | compared with | ratio (least to greatest) | ours | theirs | rounds |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for name, line in lines.items():
        with tempfile.TemporaryDirectory() as scratch:
            ours, theirs = line.prepare(Path(scratch))
            pairs = [(timed(ours), timed(theirs)) for _ in range(rounds or line.rounds)]
        ratios = sorted(their / our for our, their in pairs)
        our_time, their_time = (statistics.median(side) / line.calls for side in zip(*pairs, strict=True))
        print(
            f"| {name} | {line.work} | {line.compared_with} | **{digits(statistics.median(ratios))}×** "
            f"({digits(ratios[0])} to {digits(ratios[-1])}) | "
            f"{duration(our_time)} | {duration(their_time)} | {len(pairs)} |",
            flush=True,
        )


def timed(work: Callable[[], Any]) -> float:
    """Seconds of one call.

    The threads of the other side's BLAS wait for more work in a busy loop, up to a tenth of a second: the pause lets
    them fall asleep, so that neither side's call shares its cores with them.
    """
    time.sleep(PAUSE_S)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def duration(seconds: float) -> str:
    """A time with three digits."""
    return f"{digits(seconds)} s" if seconds >= 1 else f"{digits(seconds * 1e3)} ms"


def digits(value: float) -> str:
    """Three significant digits.

    >>> digits(12.345), digits(0.12345), digits(1234.5)
    ('12.3', '0.123', '1234')
    """
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}" if value else "0"


if __name__ == "__main__":
    main()
