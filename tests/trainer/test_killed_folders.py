"""A command that makes a folder, killed with signal 9 anywhere and given again, leaves what a whole one leaves."""

import multiprocessing
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from made_photographs import noise, save
from training_runs import Pairs, Settings, finished_run

from gan_eval.pictures.equalise import Form, equalise
from gan_eval.pictures.importing import import_folder
from trainer.datasets.fetch import fetch
from trainer.datasets.make import pair_edges, pair_folders
from trainer.datasets.presets import PRESETS
from trainer.generate import generate

KILLS = 5
"""Number of kills of each command, each at another place of its run."""

pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="needs POSIX signals and fork"
)

Command = Callable[[Path], object]
"""A command that makes a folder."""


def run_until(command: Command, out: Path, last: int, counted: Path) -> None:
    """Run in a process of its own: it is killed where it touches `out` for the `last`th time, before it does.

    Without a kill, how often it did is written to `counted`.
    """
    torch.set_num_threads(1)
    touches = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal touches
        if event == "open" or event.startswith(("os.", "shutil.")):
            if not any(str(each).startswith(str(out)) for each in arguments if isinstance(each, str | os.PathLike)):
                return
            touches += 1
            if touches == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    command(out)
    out = counted  # no longer watched
    counted.write_text(str(touches))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def commands(tmp_path: Path, make_pairs: Pairs, tiny: Settings) -> dict[str, Command]:
    results = tmp_path / "results"
    for number in range(9):
        role = ("real", "fake", "input")[number % 3]
        save(results / role / f"p0{number // 3}.png", noise(number, 40, 32))
    import_folder(results, tmp_path / "set", dataset="d")
    data = make_pairs(train=2, val=2)
    archive = Path(shutil.make_archive(str(tmp_path / "facades"), "zip", make_pairs(name="facades", train=2, val=1)))
    return {
        "import": partial(import_folder, results, dataset="d"),
        "equalise": partial(equalise, tmp_path / "set", form=Form()),
        "pair": partial(pair_folders, results / "real", results / "fake"),
        "edges": partial(pair_edges, results / "real"),
        "fetch": partial(fetch, PRESETS["facades"], source=str(archive)),
        "generate": partial(_generate, finished_run(tmp_path / "run", tiny()), data),
    }


def _generate(run: Path, data: Path, out: Path) -> None:
    generate(run, data, split="val", out=out)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["import", "equalise", "pair", "edges", "fetch", "generate"])
def test_the_same_command_finishes_what_a_kill_left(commands: dict[str, Command], tmp_path: Path, name: str) -> None:
    command = commands[name]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["trainer.generate"])  # each start is a fork: no imports to wait for

    def start(out: Path, last: int) -> int | None:
        process = context.Process(target=run_until, args=(command, out, last, tmp_path / "touches"))
        process.start()
        process.join()
        return process.exitcode

    straight = tmp_path / "straight"
    assert start(straight, 0) == 0
    wanted = contents(straight)
    touches = int((tmp_path / "touches").read_text())
    rng = random.Random(name)
    for kill in range(KILLS):
        out = tmp_path / f"killed-{kill}"
        first, last = kill * touches // KILLS + 1, (kill + 1) * touches // KILLS
        kill_at = rng.randint(first, max(first, last))
        assert start(out, kill_at) == -signal.SIGKILL, "it came to the end"
        command(out)
        assert contents(out) == wanted, f"killed at {kill_at} of {touches}"
