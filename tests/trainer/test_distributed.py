"""Training on two devices: two CPU processes started by `torchrun`."""

import copy
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from made_photographs import make_photographs
from torch import nn
from training_runs import flat, result, train

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from gan_eval.tables import TRAINING_LOG
from gan_eval.tables.frames import read_rows
from trainer import devices
from trainer.inference import inference
from trainer.loop import gan
from trainer.nets.build import empty_generator
from trainer.nets.layers import initialise
from trainer.state.checkpoints import list_checkpoints
from trainer.step import Gan

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {"image_size": 64, "generator_channels": 2, "discriminator_channels": 2, "seed": 5}
NOISY = {**SMALL, "steps": 14}
"""BatchNorm and dropout."""
QUIET = {**SMALL, "steps": 4, "norm": "instance", "dropout": 0.0}
"""Nothing that depends on the process."""


@contextmanager
def torchrun(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A command in two processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["--rdzv-conf=read_timeout=480"]  # its 60 s are over where the machine stalls while it starts
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*command, *map(str, arguments)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six training pairs of noise."""
    return make_photographs(tmp_path_factory.mktemp("data"), size=(128, 64), train=6, val=1)


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Undisturbed runs of two processes, and one that was interrupted and resumed."""
    out = tmp_path_factory.mktemp("runs")
    settings = {"quiet": QUIET, "noisy": NOISY, "interrupted": NOISY}
    (out / "settings.json").write_text(json.dumps(settings))
    with torchrun(Path(__file__).with_name("distributed_runs.py"), data, out, out / "settings.json") as process:
        output, complaints = process.communicate(timeout=540)
    assert process.returncode == 0, complaints
    assert output.count("continuing from step 3 of 14") == 1, "the leader alone speaks"
    assert complaints == ""
    return out


def held(runs: Path, name: str, rank: int) -> dict[str, Any]:
    return torch.load(runs / f"{name}.rank{rank}.pt", weights_only=True)


def state_of(run: Path) -> dict[str, Any]:
    """The last checkpoint without times, and the log without them."""
    state = torch.load(list_checkpoints(run / "checkpoints")[0], weights_only=True)
    del state["seconds"], state["fingerprint"]
    state["log"] = [{**row, "seconds": None} for row in read_rows(run / "training_log.csv", TRAINING_LOG)]
    return state


def assert_equal(a: Any, b: Any) -> None:
    """Bit for bit, also the names in them."""
    assert flat(a) == flat(b)


@pytest.mark.nightly
def test_both_processes_hold_the_same_weights_and_statistics(runs: Path) -> None:
    for name in ("quiet", "noisy", "interrupted"):
        first, second = (held(runs, name, rank) for rank in range(2))
        assert_equal(first, second)
        assert_equal(first["generator"], state_of(runs / name)["generator"])


@pytest.mark.nightly
def test_two_processes_equal_one_with_twice_the_batch(runs: Path, data: Path, tmp_path: Path) -> None:
    """But for biases that instance norm cancels: their gradients are rounding errors, which Adam blows up."""
    one = train(TrainingSettings(**QUIET, batch_size=2), data, tmp_path / "one")
    here, there = state_of(one), state_of(runs / "quiet")
    for part in ("generator", "discriminator"):
        for name, tensor in here[part].items():
            if not name.endswith("bias"):
                torch.testing.assert_close(there[part][name], tensor, rtol=1e-4, atol=1e-6)
    assert [row["images"] for row in there["log"]] == [row["images"] for row in here["log"]]
    for row, other in zip(there["log"], here["log"], strict=True):
        assert row["term"] == other["term"]
        assert row["value"] == pytest.approx(other["value"], rel=1e-4)


@pytest.mark.nightly
def test_ctrl_c_in_one_process_stops_all_after_the_same_step(runs: Path, data: Path) -> None:
    assert [held(runs, "interrupted", rank)["stops"] for rank in range(2)] == [[3, 14], [3, 14]]
    assert result(runs / "interrupted") == result(runs / "noisy")
    with pytest.raises(UserError, match=r"another devices \(2 there, 1 asked for\)"):
        train(TrainingSettings(**NOISY), data, runs / "noisy")


@pytest.mark.nightly
def test_a_killed_process_ends_the_other_and_the_run_resumes(runs: Path, data: Path, tmp_path: Path) -> None:
    changes = [f"--set={name}={value}" for name, value in NOISY.items() if name not in ("steps", "image_size", "seed")]
    out = tmp_path / "run"
    command = ["-m", "gan_eval", "train", "--data", data, "--out", out, "--checkpoint-every", 2, *changes]
    command += ["--steps", 14, "--image-size", 64, "--seed", 5]
    with torchrun(*command) as process:
        until(lambda: list_checkpoints(out / "checkpoints") or process.poll() is not None)
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        killed = next(
            int(worker) for worker in workers if b"\0RANK=1\0" in Path(f"/proc/{worker}/environ").read_bytes()
        )
        os.kill(killed, signal.SIGKILL)
        process.communicate(timeout=120)
    assert process.returncode == 1
    assert not (out / "generator.safetensors").exists()

    with torchrun(*command) as process:
        output, complaints = process.communicate(timeout=540)
    assert process.returncode == 0, complaints
    assert output.splitlines() == [str(out)]
    assert "continuing from step" in complaints
    assert result(out) == result(runs / "noisy")


def until(condition: Callable[[], object]) -> None:
    ending = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < ending
        time.sleep(0.01)


def test_synchronised_batch_norm_needs_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    started = {"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0"}
    for name, value in started.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="statistics 'batch': BatchNorm over several devices needs GPUs"):
        devices.new_fabric(TrainingSettings(**SMALL, statistics="batch"))


def test_one_process_alone_can_run_a_synchronised_generator() -> None:
    settings = TrainingSettings(**SMALL, statistics="batch")
    net = empty_generator(settings)
    initialise(net, torch.Generator().manual_seed(0))
    synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(net))
    wrapped = Fabric(accelerator="cpu", devices=1).setup(synchronised)
    plain = gan.plain_generator(Gan(wrapped, net, None, None), settings)  # type: ignore[arg-type]
    assert not any(isinstance(module, nn.SyncBatchNorm) for module in plain.modules())
    weights = synchronised.state_dict()
    assert {name: tensor.data_ptr() for name, tensor in plain.state_dict().items()} == {
        name: tensor.data_ptr() for name, tensor in weights.items()
    }
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with inference(plain, "eval"), inference(net, "eval"):
        assert_equal(plain(picture), net(picture))
