"""Time `trials import` of two checkouts by turns: a CSV and an .xlsx of 50,000 rows, and a CSV of 20.

    python benchmarks/import_trials.py ../other
    python benchmarks/import_trials.py ../other --rows 50000 --repeats 5

Prints the median processor time of this checkout and of the other one, imports included, and their ratio. Each import
is a process of its own, after one of each that is not counted.
"""

import argparse
import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import openpyxl

HERE = Path(__file__).resolve().parents[1]
HEADER = ("participant", "trial", "stimulus", "kind", "model", "response", "rt_s", "status", "age")


def make_rows(count: int) -> list[tuple[str | int | float, ...]]:
    """Return the answers of 100 people, or of 2 in a small table."""
    rng = random.Random(1)
    each = -(-count // (100 if count > 100 else 2))
    rows: list[tuple[str | int | float, ...]] = []
    for at in range(count):
        person, trial = divmod(at, each)
        picture = (7 * trial + person) % each
        kind = ("real", "fake")[picture % 2]
        model = "" if kind == "real" else f"m{picture % 4 // 2}"
        answer = rng.choice(("real", "fake")) if rng.random() < 0.3 else kind
        facts = (f"img/{kind}_{picture:04d}.png", kind, model, answer, round(rng.uniform(0.3, 2.5), 4))
        rows.append((f"P{person:03d}", trial + 1, *facts, rng.choice(("completed", "returned")), 20 + person % 40))
    return rows


def make_files(folder: Path, rows: int) -> list[Path]:
    """Write the three files."""
    files = [folder / "large.csv", folder / "small.csv", folder / "large.xlsx"]
    for file, count in zip(files, (rows, 20), strict=False):
        with file.open("w", newline="") as text:
            csv.writer(text).writerows([HEADER, *make_rows(count)])
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (HEADER, *make_rows(rows)):
        sheet.append([cell if cell != "" else None for cell in row])
    book.save(files[2])
    return files


def seconds(checkout: Path, file: Path) -> float:
    """Return the processor time of an import."""
    options = [str(file), "--map", "reaction_time_ms=rt_s*1000", "--out", str(file.with_suffix(".out.csv"))]
    command = [sys.executable, "-P", "-m", "gan_eval", "trials", "import", *options]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the first import compiles the modules, as an installation does
    before = os.times()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="The other checkout.")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for file in make_files(Path(folder), options.rows):
            times = [
                [seconds(checkout, file) for checkout in (HERE, options.other)] for _ in range(options.repeats + 1)
            ]
            ours, others = (statistics.median(column) for column in zip(*times[1:], strict=True))
            print(
                f"{file.name}: {ours:.2f} s, the other {others:.2f} s, ratio {ours / others:.2f}, N = {options.repeats}"
            )


if __name__ == "__main__":
    main()
