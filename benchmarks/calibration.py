"""Simulate false alarms and interval coverage of the default analysis and of the usual tests.

    python benchmarks/calibration.py --studies 1000 --write results/calibration.md

Each simulated study has 40 participants x 50 trials; the log-odds of an answer vary with a standard deviation of 0.5
over participants and 0.8 over stimuli, unless a block says otherwise. Either all participants judge the same 50 stimuli
(`shared`), or each is dealt 50 of a pool of 1000 (`pool`). Ours is what the tables `comparisons` and `mixed_models` of
`gan_eval.stats` say by default; the usual tests get the same answers.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
from calibration_blocks import BLOCKS, Part

from gan_eval.base.atomic import write_text
from gan_eval.base.inference import wilson
from gan_eval.base.parallel import RunTasks, in_parallel
from gan_eval.base.threads import usable_cores
from gan_eval.study.cluster import connected
from gan_eval.study.commands.console import Console

BEGIN, END = "<!-- calibration: begin -->", "<!-- calibration: end -->"
"""Marks around the part of a page that is written here."""
Rows = Sequence[Sequence[float]]
"""For each study, 1, 0 or NaN for each row of a block's tables."""


def main() -> None:
    """Simulate, then print the tables."""
    parser = argparse.ArgumentParser(description="false alarms and coverage of our analysis and of the usual tests")
    parser.add_argument("--studies", type=int, default=1000, help="for each column of each table")
    parser.add_argument("--workers", type=int, default=usable_cores())
    parser.add_argument("--cluster", help="tcp://HOST:PORT of Dask, or local:N; PYTHONPATH=benchmarks there")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(BLOCKS), action="append", help="a block, repeatable; default: all")
    parser.add_argument("--markdown", action="store_true", help="what stands in results/calibration.md")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it there, between the two marks")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write: a page has all blocks; leave --only out")
    blocks = tuple(options.only or BLOCKS)
    start = time.monotonic()
    with ExitStack() as stack:
        run_tasks: RunTasks = partial(in_parallel, workers=options.workers)
        if options.cluster:
            run_tasks = stack.enter_context(connected(options.cluster, None, Console(), threads=1)).in_parallel
        results = simulated(blocks, studies=options.studies, seed=options.seed, run_tasks=run_tasks)
    minutes = (time.monotonic() - start) / 60
    lines = list(page_lines(results, studies=options.studies, seed=options.seed))
    for line in lines:
        print(line if options.markdown else line.replace("|", " ").replace("--", ""))
    if options.write:
        write_text(options.write, with_tables(options.write.read_text(encoding="utf-8"), lines))
    _say(f"{minutes:.1f} minutes, {options.workers} processes on {os.cpu_count()} cores")


def simulated(blocks: Sequence[str], *, studies: int, seed: int, run_tasks: RunTasks) -> dict[str, list[Rows]]:
    """Each block's columns."""
    names = list(BLOCKS)
    cells = [(names.index(name), column) for name in blocks for column in range(_columns(name))]
    tasks = [(*cell, number) for number in range(studies) for cell in cells]
    from calibration import one_study  # not from __main__, which other machines cannot import

    outcomes = run_tasks(one_study, seed, tasks, on_done=_told(len(tasks)))
    columns: dict[tuple[int, int], list[list[float]]] = {cell: [] for cell in cells}
    for (block, column, _), outcome in zip(tasks, outcomes, strict=True):
        columns[block, column].append(outcome)
    return {name: [columns[names.index(name), column] for column in range(_columns(name))] for name in blocks}


def one_study(seed: int, task: tuple[int, ...]) -> list[float]:
    """Simulate and analyse one study: (block, column, number)."""
    place, column, number = task
    block = list(BLOCKS.values())[place]
    seeds = [seed, block.number, column, number]
    return block.study(column, np.random.default_rng(seeds))


def _columns(name: str) -> int:
    return len(BLOCKS[name].parts[0].columns)


def page_lines(results: Mapping[str, Sequence[Rows]], *, studies: int, seed: int) -> Iterator[str]:
    """The tables in Markdown, with the command that makes them."""
    yield "```"
    yield f"python benchmarks/calibration.py --studies {studies} --seed {seed} --write results/calibration.md"
    yield "```"
    yield ""
    low, high = (100 * float(end) for end in wilson(0.05 * studies, studies))
    yield f"{studies} studies for each column. The 95% interval of a share of 5% is {low:.1f} to {high:.1f}%."
    for name, columns in results.items():
        yield ""
        yield f"**{BLOCKS[name].heading}**"
        first = 0
        for part in BLOCKS[name].parts:
            yield ""
            yield from _table(part, [[study[first : first + len(part.rows)] for study in column] for column in columns])
            first += len(part.rows)


def with_tables(page: str, lines: Sequence[str], *, marks: tuple[str, str] = (BEGIN, END)) -> str:
    """The page with new lines between the marks.

    Raises:
        ValueError: it does not have them, each once and in order.
    """
    begin, end = marks
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ValueError(f"the page needs {begin} and, after it, {end}, each once")
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return "\n".join([f"{before}{begin}", "", *lines, "", f"{end}{after}"])


def _table(part: Part, columns: Sequence[Rows]) -> Iterator[str]:
    yield f"| {part.corner} | {' | '.join(part.columns)} |"
    yield "| -- |" + " -- |" * len(part.columns)
    for place, name in enumerate(part.rows):
        cells = [_share([study[place] for study in column]) for column in columns]
        yield f"| {name} | {' | '.join(cells)} |"


def _share(answers: Sequence[float]) -> str:
    """The share of the studies that give an answer, and their number where some give none."""
    known = [answer for answer in answers if not np.isnan(answer)]
    if not known:
        return "none"
    few = f" ({len(known)} studies)" if len(known) < len(answers) else ""
    return f"{100 * np.mean(known):.1f}{few}"


def _told(total: int) -> Callable[[int], None]:
    def say(done: int) -> None:
        if done % max(1, total // 20) == 0:
            _say(f"{done}/{total}")

    return say


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
