"""Commands compared with an earlier build: CPU and wall time of whole processes, as ratios.

Without names of work it is their start-up: little input, and the help of every command. `survey` is a survey of 2,035
people, each with 12 photographs and 12 pictures of one model: 48,840 answers, and 5,016 of 209 people.

    python benchmarks/start.py                            # metrics, analyze, quiz and the help of every command
    python benchmarks/start.py metrics analyze --rounds 5
    OMP_NUM_THREADS=1 python benchmarks/start.py survey --commit 928379fb
    python benchmarks/start.py --commit 41d32fd7          # the earlier build; it gets a git worktree of its own

metrics: PSNR, SSIM and NIQE of two pairs. analyze: 25 answers. quiz: up to the first page, drawn off screen. help: the
help of each command compared with `python -c "import typer, rich"`. The sides take turns, after one run each that
compiles what is to be compiled; printed are medians.
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from metric_sides import ROOT, pair_folders

FIRST_PAGE = """
import os, sys
from importlib.machinery import PathFinder
from gan_eval.__main__ import main

class Patched:  # the application, when the command imports it: a timer ends the process after the first page
    def find_spec(name, path=None, target=None):
        if name != "gan_eval.quiz.app.application":
            return None
        spec = PathFinder.find_spec(name, path, target)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            from PySide6.QtCore import QTimer
            from PySide6.QtWidgets import QApplication
            run = module.QuizApplication.run
            def run_to_the_first_page(self):
                QTimer.singleShot(0, lambda: (QApplication.processEvents(), os._exit(0)))
                return run(self)
            module.QuizApplication.run = run_to_the_first_page
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Patched)
main()
"""
SURVEYS = (2035, 209)
"""Numbers of people."""
OF_EACH_KIND = 12
"""Number of pictures of each kind that a person sees."""
EXPERIENCE = ("No experience", "Some experience, with simple pictures", "I've drawn people's faces for years")
"""Answers to a question, in the words of a form."""
Cost = tuple[float, float]
"""CPU and wall seconds."""


def main() -> None:
    """Compare the commands."""
    parser = argparse.ArgumentParser(description="time commands compared with an earlier build")
    parser.add_argument(
        "work", nargs="*", metavar="WORK", help="from: metrics, analyze, quiz, help (default: these), survey"
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--commit", default="41d32fd7", help="the earlier build")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, worktree(options.commit) as before:
        folder = Path(scratch)
        if "survey" in options.work:
            compare_surveys(folder, before, options.rounds)
        commands = dict(prepared(folder)) if options.work != ["survey"] else {}
        for work in [name for name in commands if name in (options.work or commands)]:
            sides = {"before": (commands[work], before), "now": (commands[work], ROOT)}
            print(line(work, timed(sides, folder, options.rounds)), flush=True)
        if "help" in (options.work or ["help"]):
            from gan_eval.base.commands import VERBS  # earlier builds, which also load this file, have none here

            bare, command = [sys.executable, "-c", "import typer, rich"], [sys.executable, "-P", "-m", "gan_eval"]
            for verb in VERBS:
                sides = {"before": (bare, ROOT), "now": ([*command, verb, "--help"], ROOT)}
                print(line(f"{verb} --help", timed(sides, folder, options.rounds)))
    print(f"{options.rounds} rounds; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def prepared(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each command with its name; `{out}` stands for a folder of each side."""
    real, fake = pair_folders(folder, 2)
    command = [sys.executable, "-P", "-m", "gan_eval"]
    sides = ["--real", str(real), "--fake", str(fake)]
    yield "metrics", [*command, "metrics", *sides, "--metrics", "psnr,ssim,niqe", "--no-cache", "--out", "{out}/m"]
    with (folder / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["participant", "stimulus", "item", "kind", "model", "dataset", "response"])
        draw = random.Random(1)
        for number in range(25):
            model = "" if number % 2 else "pix2pix"
            item, kind = f"facades/{number // 5}", "fake" if model else "real"
            stimulus = f"facades/{model or 'real'}/{number // 5}"
            writer.writerow([f"P{number % 5}", stimulus, item, kind, model, "facades", draw.choice(["real", "fake"])])
    yield "analyze", [*command, "analyze", str(folder / "answers.csv"), "--out", "{out}/a"]
    made = [*command, "stimuli", "import", *sides, "--dataset", "d", "--model", "m", "--out", str(folder / "set")]
    subprocess.run(made, check=True, env=environment(ROOT), capture_output=True)
    quiz = ["quiz", "--stimuli", str(folder / "set"), "--participant", "P1", "--real", "1", "--fake", "1", "--windowed"]
    quiz += ["--store", "{out}/{run}.sqlite", "--allow-giveaways", "metadata"]
    yield "quiz", [sys.executable, "-P", "-c", FIRST_PAGE, *quiz]


def compare_surveys(folder: Path, before: Path, rounds: int) -> None:
    """Print the ratios of `analyze` and `report` of both surveys; each side reports its own tables."""
    command = [sys.executable, "-P", "-m", "gan_eval"]
    for people in SURVEYS:
        answers = folder / f"survey_{people}.csv"
        count = write_survey(answers, people)
        tables = f"{{out}}/survey_{people}"
        for verb, words in (("analyze", [str(answers), "--out", tables]), ("report", [tables])):
            sides = {"before": ([*command, verb, *words], before), "now": ([*command, verb, *words], ROOT)}
            print(line(f"{verb} of {count} answers", timed(sides, folder, rounds)), flush=True)


def write_survey(file: Path, people: int) -> int:
    """Write simulated answers of people who differ in skill, bias and experience; return their number."""
    draw, rows = random.Random(1), list[list[str]]()
    easiness = [draw.gauss(0.5, 0.8) for _ in range(2 * OF_EACH_KIND)]
    for person in range(people):
        level, bias = draw.randrange(len(EXPERIENCE)), draw.gauss(0, 0.3)
        skill = draw.gauss(0.2 * level, 0.5)
        for picture in draw.sample(range(2 * OF_EACH_KIND), 2 * OF_EACH_KIND):
            is_fake = picture >= OF_EACH_KIND
            leaning = bias + (skill + easiness[picture]) * (1 if is_fake else -1)
            called = "fake" if draw.gauss(leaning, 1) > 0 else "real"
            kind, model = ("fake", "diffusion") if is_fake else ("real", "")
            rows.append([f"P{person:04d}", f"{picture:02d}.jpg", kind, model, EXPERIENCE[level], called])
    with file.open("w", encoding="utf-8", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(["participant", "stimulus", "kind", "model", "experience", "response"])
        writer.writerows(rows)
    return len(rows)


def timed(sides: Mapping[str, tuple[list[str], Path]], folder: Path, rounds: int) -> dict[str, list[Cost]]:
    """Return the costs of both sides, in turn."""
    found: dict[str, list[Cost]] = {side: [] for side in sides}
    for number in range(-1, rounds):
        for side, (command, tree) in sides.items():
            (folder / side).mkdir(exist_ok=True)
            words = [word.replace("{out}", str(folder / side)).replace("{run}", f"{number}") for word in command]
            started = time.perf_counter()
            log = folder / "log.txt"
            with log.open("w") as output:
                process = subprocess.Popen(words, env=environment(tree), stdout=output, stderr=output)
                _, status, used = os.wait4(process.pid, 0)
            if status:
                sys.exit(f"{side}: {words}\n{log.read_text()}")
            if number >= 0:
                found[side].append((used.ru_utime + used.ru_stime, time.perf_counter() - started))
    return found


def line(work: str, found: Mapping[str, list[Cost]]) -> str:
    """Return the medians of both sides, and the ratio of the later to the earlier."""
    before, now = ([statistics.median(times) for times in zip(*found[side], strict=True)] for side in ("before", "now"))
    times = ", ".join(f"{kind} {a:.3f} to {b:.3f} s" for kind, a, b in zip(("CPU", "wall"), before, now, strict=True))
    return f"{work}: {now[0] / before[0]:.2f} of the CPU time, {now[1] / before[1]:.2f} of the wall time ({times})"


def environment(tree: Path) -> dict[str, str]:
    """Environment in which the package comes from a tree, with byte code on disk, without a screen or kept values."""
    own = {"PYTHONPATH": str(tree), "QT_QPA_PLATFORM": "offscreen", "GAN_EVAL_CACHE_MB": "0"}
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | own


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """Yield a worktree of a commit."""
    with tempfile.TemporaryDirectory() as scratch:
        tree, git = Path(scratch) / "before", ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


if __name__ == "__main__":
    main()
