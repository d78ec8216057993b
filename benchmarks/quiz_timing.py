"""Exposures and reaction times of the quiz compared with PsychoPy's, seen from outside on the same private screen.

    python benchmarks/quiz_timing.py --trials 200 --presses 200

Both show the same noisy pictures for 100, 250, 500 and 1000 ms, mixed, in alternating blocks, full screen under a
private Xvfb; `screen_watch.py` watches the pixels. Then each shows pictures until a key comes, and `screen_watch.py`
presses one a known time after it has seen the onset. Figures are milliseconds; they mean something on a machine that
does nothing else. Needs Xvfb, libX11 and libXtst; PsychoPy goes into an environment of its own (`--peers`).
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, Literal, Protocol

import numpy as np
from peers import ROOT, peers_python

from gan_eval import tables
from gan_eval.base.commands import own_command
from gan_eval.pictures.decode import write_png
from gan_eval.pictures.sets import stimulus_row, write_set
from gan_eval.store import open_store
from gan_eval.tables.frames import Row

HERE = Path(__file__).resolve().parent
EXPOSURES = (100, 250, 500, 1000)
SCREEN = (1280, 800)
PICTURE = 256
PATCH = (SCREEN[0] // 2 + 32, SCREEN[1] // 2 + 32, 16, 16)
"""Within the picture, outside the fixation mark."""
KEYS = "f,j"
KINDS: tuple[Literal["real", "fake"], ...] = ("real", "fake")
PSYCHOPY = "psychopy==2026.2.5"
PSYCHOPY_NEEDS = (
    "pyglet==1.5.27",
    "arabic-reshaper",
    "freetype-py",
    "i18next",
    "json-tricks",
    "psutil",
    "pyserial",
    "python-bidi",
    "pyyaml",
    "requests",
    "six",
)
"""Packages that PsychoPy imports for a window and a keyboard."""

Environment = dict[str, str]


@dataclass(frozen=True)
class Pair:
    """One trial as the program recorded it, and as it was seen."""

    recorded: Row
    seen: dict[str, int]
    key: str

    def number(self, column: str) -> float:
        """A recorded number."""
        return float(self.recorded[column])

    @property
    def seen_exposure(self) -> float:
        """Times in ms."""
        return (self.seen["offset_ns"] - self.seen["onset_ns"]) / 1e6

    @property
    def true_reaction(self) -> float:
        """Times in ms."""
        return (self.seen["pressed_ns"] - self.seen["onset_ns"]) / 1e6


@contextmanager
def private_screen() -> Iterator[Environment]:
    """A private X server; the environment in which programs find it."""
    reading, writing = os.pipe()
    size = f"{SCREEN[0]}x{SCREEN[1]}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    environment = {name: value for name, value in os.environ.items() if name not in ("WAYLAND_DISPLAY", "XAUTHORITY")}
    try:
        yield {**environment, "DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def watched(environment: Environment, out: Path, *options: str) -> Iterator[None]:
    """The observer runs while the block does."""
    patch = ",".join(map(str, PATCH))
    command = [sys.executable, str(HERE / "screen_watch.py"), "--patch", patch, "--out", str(out), *options]
    observer = subprocess.Popen(command, env=environment)
    time.sleep(0.5)
    try:
        yield
    finally:
        observer.terminate()
        observer.wait(10)


def make_stimuli(folder: Path, items: int) -> None:
    """A stimulus set of noise."""
    generator, rows = np.random.default_rng(1), []
    for number in range(items):
        shared: dict[str, Any] = {"dataset": "noise", "stem": f"{number:03d}", "size": (PICTURE, PICTURE)}
        for kind in KINDS:
            path = folder / kind / f"{number:03d}.png"
            write_png(path, generator.integers(0, 256, (PICTURE, PICTURE, 3)).astype(np.uint8))
            made: dict[str, Any] = (
                {"model": "noise", "reference_file": f"real/{number:03d}.png"} if kind == "fake" else {}
            )
            rows.append(stimulus_row(folder, path, kind=kind, **shared, **made))
    write_set(folder, rows)


def run_quietly(command: list[str], environment: Environment) -> None:
    """Run a program; what it says is shown where it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")


class Quiz:
    """Our side."""

    name = "quiz"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, environment: Environment, block: str, trials: int, *, flashes: bool) -> list[Row]:
        """One session; its trials."""
        store = self._folder / f"{block}.sqlite"
        flash = ["--protocol", "yes_no", "--exposure-ms", ",".join(map(str, EXPOSURES)), "--response-ms", "1000"]
        each = str(trials // 2)
        command = ["quiz", "--stimuli", str(self._folder / "set"), "--real", each, "--fake", each]
        command += ["--participant", "P01", "--no-intro", "--store", str(store)]
        command += flash if flashes else ["--response-ms", "4000"]
        run_quietly(own_command(*command), environment)
        with open_store(store, create=False) as opened:
            return opened.rows(tables.TRIALS)


class PsychoPy:
    """The other side."""

    name = PSYCHOPY.replace("==", " ")

    def __init__(self, folder: Path, python: Path) -> None:
        self._folder = folder
        self._python = python

    def run(self, environment: Environment, block: str, trials: int, *, flashes: bool) -> list[Row]:
        """One block of the same pictures and exposures."""
        pictures = sorted(self._folder.glob("set/*/*.png"))[:trials]
        exposures = [EXPOSURES[number % len(EXPOSURES)] if flashes else None for number in range(trials)]
        random.Random(block).shuffle(exposures)
        plan = [
            {"picture": str(picture), "exposure_ms": exposure}
            for picture, exposure in zip(pictures, exposures, strict=True)
        ]
        plan_file, out = self._folder / f"{block}.json", self._folder / f"{block}-trials.csv"
        plan_file.write_text(json.dumps(plan), encoding="utf-8")
        command = [str(self._python), str(HERE / "psychopy_side.py"), str(plan_file), str(out)]
        home = {"HOME": str(self._folder), "XDG_CONFIG_HOME": str(self._folder)}
        run_quietly(command, {**environment, **home})
        with out.open(encoding="utf-8") as file:
            return list(csv.DictReader(file))


class Side(Protocol):
    """A program that shows pictures."""

    name: str

    def run(self, environment: Environment, block: str, trials: int, *, flashes: bool) -> list[Row]:
        """Run one block; return its trials."""


def watch_side(
    side: Side, environment: Environment, folder: Path, block: str, trials: int, *, flashes: bool
) -> list[Pair]:
    """Run one block of a side while the observer looks on."""
    out = folder / f"{block}-seen.csv"
    with watched(environment, out, *([] if flashes else ["--keys", KEYS])):
        recorded = side.run(environment, block, trials, flashes=flashes)
    with out.open(encoding="utf-8") as file:
        seen = list(csv.DictReader(file))
    if len(seen) != len(recorded):
        raise SystemExit(f"{side.name}: {len(recorded)} trials recorded, {len(seen)} seen")
    numbers = [{name: int(value) for name, value in row.items() if name != "key"} for row in seen]
    return [Pair(*each) for each in zip(recorded, numbers, (row["key"] for row in seen), strict=True)]


def report(title: str, values: Sequence[float]) -> None:
    """One line."""
    largest = max(map(abs, values))
    print(f"  {title:<34}{len(values):>5}{fmean(values):>9.3f}{pstdev(values):>8.3f}{largest:>9.3f}")


def report_exposures(name: str, pairs: Sequence[Pair]) -> None:
    """Seen minus requested; for the quiz also recorded minus seen."""
    report(f"{name}: seen - requested", [pair.seen_exposure - pair.number("requested_exposure_ms") for pair in pairs])
    for exposure in EXPOSURES:
        chosen = [pair.seen_exposure - exposure for pair in pairs if pair.number("requested_exposure_ms") == exposure]
        report(f"    {exposure} ms", chosen)
    if name == Quiz.name:
        report("    recorded - seen exposure", [pair.number("exposure_ms") - pair.seen_exposure for pair in pairs])
        report("    recorded - seen onset", [pair.number("onset_ms") - pair.seen["onset_ns"] / 1e6 for pair in pairs])
        off = [pair for pair in pairs if abs(pair.seen_exposure - pair.number("requested_exposure_ms")) > 5]
        flagged = sum("late" in str(pair.recorded["flags"]) for pair in off)
        print(f"    off by more than 5 ms: {len(off)}, of which flagged: {flagged}")


def report_reactions(name: str, pairs: Sequence[Pair]) -> None:
    """Recorded minus true reaction times, and keys that did not arrive as they were pressed."""
    answered = [pair for pair in pairs if pair.recorded["reaction_time_ms"] not in (None, "")]
    report(f"{name}: recorded - true", [pair.number("reaction_time_ms") - pair.true_reaction for pair in answered])
    print(
        f"    keys lost: {len(pairs) - len(answered)} of {len(pairs)}, taken for another: {wrong_keys(name, answered)}"
    )


def wrong_keys(name: str, pairs: Sequence[Pair]) -> int:
    """Presses that were recorded as another key's."""
    answers = {"real": "j", "fake": "f"}
    keys = [answers[pair.recorded["response"]] if name == Quiz.name else pair.recorded["key"] for pair in pairs]
    return sum(key != pair.key for key, pair in zip(keys, pairs, strict=True))


def compare(folder: Path, sides: Sequence[Side], options: argparse.Namespace) -> None:
    """All blocks of both sides, alternating, and the report."""
    exposures: dict[str, list[Pair]] = {side.name: [] for side in sides}
    reactions: dict[str, list[Pair]] = {side.name: [] for side in sides}
    with private_screen() as environment:
        for number in range(options.blocks):
            for side, kind in ((side, kind) for kind in ("flashes", "presses") for side in sides):
                flashes = kind == "flashes"
                trials = (options.trials if flashes else options.presses) // options.blocks
                block = f"{side.name.split()[0]}-{kind}-{number}"
                if trials:
                    found = watch_side(side, environment, folder, block, trials, flashes=flashes)
                    (exposures if flashes else reactions)[side.name] += found
    print(f"  {'milliseconds':<34}{'n':>5}{'mean':>9}{'sd':>8}{'largest':>9}")
    for name, pairs in exposures.items():
        if pairs:
            report_exposures(name, pairs)
    for name, pairs in reactions.items():
        if pairs:
            report_reactions(name, pairs)
    gaps = [pair.seen["onset_gap_ns"] / 1e6 for pairs in (*exposures.values(), *reactions.values()) for pair in pairs]
    report("between two looks of the observer", gaps)


def main() -> None:
    """Read the options, run both sides, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200, help="of mixed exposures, a side; 0: none")
    parser.add_argument("--presses", type=int, default=200, help="a side; 0: none")
    parser.add_argument("--blocks", type=int, default=2, help="the sides take turns so often")
    parser.add_argument("--peers", type=Path, default=ROOT / "build" / "psychopy", help="PsychoPy's environment")
    parser.add_argument("--quiz-alone", action="store_true", help="leave PsychoPy out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_stimuli(folder / "set", max(options.trials, options.presses) // options.blocks)
        sides: list[Side] = [Quiz(folder)]
        if not options.quiz_alone:
            sides.append(PsychoPy(folder, peers_python(options.peers, PSYCHOPY_NEEDS, alone=(PSYCHOPY,))))
        compare(folder, sides, options)


if __name__ == "__main__":
    main()
