"""A run killed with signal 9 again and again ends like an undisturbed one, bit for bit."""

import multiprocessing
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from training_runs import Pairs, Settings, brightness, hashes, result, train

from gan_eval.settings.training import TrainingSettings
from trainer.job import ValidationMeasure
from trainer.state.checkpoints import list_checkpoints

KILLS = 6

pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="needs POSIX signals and fork"
)


def run_once(settings: TrainingSettings, data: Path, out: Path) -> None:
    """Start or resume a run in this process, and train to the end."""
    torch.set_num_threads(1)
    measure = ValidationMeasure(brightness, {"brightness": True})
    train(settings, data, out, direction="BtoA", checkpoint_every=3, measure=measure)


def latest(checkpoints: Path) -> str:
    """The last checkpoint's name."""
    return next((path.name for path in list_checkpoints(checkpoints)), "")


def left_by(run: Path) -> dict[str, Any]:
    """Everything that a run leaves: files by their hashes; log and last checkpoint by values, without times."""
    ends = (".png", ".safetensors", "validation.csv")
    files = {name: digest for name, digest in hashes(run).items() if name.endswith(ends)}
    return {**result(run), "files": files, "checkpoints": [path.name for path in list_checkpoints(run / "checkpoints")]}


@pytest.mark.nightly
def test_killed_again_and_again(make_pairs: Pairs, tiny: Settings, tmp_path: Path) -> None:
    """Kill in the middle of epochs, log windows and files being written; with dropout, validation and snapshots."""
    data = make_pairs(train=5, val=2)
    settings = tiny(steps=36, batch_size=2, snapshots=(0, 7, 25), validate_every=10, validation_metrics=("brightness",))
    run_once(settings, data, tmp_path / "straight")

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["trainer.loop.run"])  # each start is a fork: no imports to wait for
    checkpoints = tmp_path / "killed" / "checkpoints"
    rng = random.Random(11)
    for _ in range(KILLS):
        before = latest(checkpoints)
        process = context.Process(target=run_once, args=(settings, data, tmp_path / "killed"))
        process.start()
        while latest(checkpoints) == before and process.is_alive():
            time.sleep(0.001)
        process.join(timeout=rng.uniform(0, 0.1))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "it came to the end"
    run_once(settings, data, tmp_path / "killed")
    assert left_by(tmp_path / "killed") == left_by(tmp_path / "straight")
