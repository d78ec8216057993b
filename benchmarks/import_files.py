"""Time importing the files of 40 participants of jsPsych, compared with pandas' own reading and joining of them.

    python benchmarks/import_files.py
    python benchmarks/import_files.py --files 40 --rows 1500 --repeats 5

Makes the files: a fixation and a judged picture in turn; a third of the files have other orders of columns. Then
`trials import` and `pandas.read_csv` with `concat` read them by turns, each in a process of its own, imports included.
Prints the median of wall time and of processor time. Figures mean something on a machine that does nothing else.
"""

import argparse
import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLUMNS = (
    "success", "timeout", "failed_images", "failed_audio", "failed_video", "trial_type", "trial_index",
    "plugin_version", "time_elapsed", "participant", "task", "rt", "stimulus", "response", "rt_key_duration", "truth",
    "correct_response", "correct", "slider_start",
)  # fmt: skip
BY_PANDAS = "import sys, pandas; pandas.concat([pandas.read_csv(file) for file in sys.argv[1:]])"


def make_files(folder: Path, files: int, rows: int) -> list[Path]:
    """Write a file for each participant."""
    rng = random.Random(1)
    paths = []
    for number in range(files):
        columns = rng.sample(COLUMNS, len(COLUMNS)) if number % 3 == 1 else COLUMNS
        elapsed, records = 0, []
        for at in range(rows):
            common = {"trial_index": at, "plugin_version": "2.2.0", "participant": f"P{number:02d}"}
            kind, key, time_ms = rng.choice(("real", "fake")), rng.choice("fjJ"), rng.randint(200, 1200)
            elapsed += time_ms
            if at % 2 == 0:
                fixation = {"trial_type": "html-keyboard-response", "task": "fixation", "stimulus": "+"}
                records.append({**common, **fixation, "rt": "null", "response": "null", "time_elapsed": elapsed})
                continue
            judged = {"trial_type": "image-keyboard-response", "task": "judgement", "truth": kind, "response": key}
            judged["stimulus"] = f"img/{kind}_{rng.randint(1, 300):03d}.png"
            judged["correct"] = str((key == "f") == (kind == "fake")).lower()
            records.append({**common, **judged, "rt": time_ms, "time_elapsed": elapsed})
        paths.append(folder / f"P{number:02d}.csv")
        with paths[-1].open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(records)
    return paths


def seconds(command: list[str]) -> tuple[float, float]:
    """Return the wall time and the processor time of a process."""
    before, start = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--rows", type=int, default=1500, help="Rows of each file.")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = [str(file) for file in make_files(Path(folder), options.files, options.rows)]
        out = str(Path(folder) / "trials.csv")
        ours = [sys.executable, "-P", "-m", "gan_eval", "trials", "import", *files, "--out", out]
        times = {"pandas": [], "import": []}  # type: dict[str, list[tuple[float, float]]]
        for _ in range(options.repeats):
            times["pandas"].append(seconds([sys.executable, "-c", BY_PANDAS, *files]))
            times["import"].append(seconds(ours))
    medians = {name: [statistics.median(column) for column in zip(*each, strict=True)] for name, each in times.items()}
    for name, (wall, used) in medians.items():
        print(f"{name:>7}: {wall:.2f} s, processor {used:.2f} s")
    ratios = [ours / theirs for ours, theirs in zip(medians["import"], medians["pandas"], strict=True)]
    print(f"  ratio: {ratios[0]:.2f}, processor {ratios[1]:.2f}")


if __name__ == "__main__":
    main()
