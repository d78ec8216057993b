"""Breakdowns of a training: memory, disk, other processes; each one line, with the checkpoints kept."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import distributed

from gan_eval.errors import UserError
from gan_eval.files import is_temporary_name
from gan_eval.settings.training import TrainingSettings
from trainer.loop import run as run_module
from trainer.loop.failures import LOST, breakdowns_explained, lost_processes_explained
from trainer.loop.train import train
from trainer.state.checkpoints import list_checkpoints

ROOT = Path(__file__).resolve().parents[3]
Settings = Callable[..., TrainingSettings]
Pairs = Callable[..., Path]


def gan_eval(*arguments: object, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "gan_eval", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=before,
    )  # fmt: skip


def test_out_of_memory_names_what_to_lower_and_keeps_checkpoints(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run_module.training_step
    steps = 0

    def greedy(*args: object, **options: object) -> dict[str, torch.Tensor]:
        nonlocal steps
        steps += 1
        if steps == 6:
            torch.empty(2**50)  # more than any machine gives: the allocator's own error
        return plain(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(run_module, "training_step", greedy)
    with pytest.raises(UserError, match="out of memory") as caught:
        train(tiny(batch_size=2), make_pairs(train=4), tmp_path / "run", direction="AtoB", checkpoint_every=4)
    line = str(caught.value)
    for word in ("batch_size 2", "image_size 64", "generator_channels", "precision = 'bf16'", "checkpoints are kept"):
        assert word in line
    assert [path.name for path in list_checkpoints(tmp_path / "run" / "checkpoints")] == ["step_0000004.pt"]


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")]
)
def test_memory_errors_of_all_kinds_are_explained(tiny: Settings, error: Exception) -> None:
    with pytest.raises(UserError, match="lower image_size, generator_channels or discriminator_channels"):
        with breakdowns_explained(tiny()):
            raise error


def test_errors_of_the_program_stay_errors(tiny: Settings) -> None:
    with pytest.raises(RuntimeError, match="shapes differ"):
        with breakdowns_explained(tiny(), processes=2):
            raise RuntimeError("shapes differ")


def test_a_lost_process_is_explained_and_signals_are_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with lost_processes_explained():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    try:
        with pytest.raises(UserError, match="another process of this training has ended"):
            with lost_processes_explained():
                raise RuntimeError("[gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:27000")
    finally:
        signal.signal(signal.SIGTERM, before)


USAGE = "ncclInvalidUsage: This usually reflects invalid usage of NCCL library.\nLast error:\n"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors might be late",
            "the GPU fails: CUDA error: no kernel image is available for execution on the device; the same command",
        ),
        ("CUDA error: out of memory", "out of memory for a training step"),
    ],
)
def test_the_words_of_a_gpu_reach_the_user(tiny: Settings, said: str, told: str) -> None:
    with pytest.raises(UserError, match=told), breakdowns_explained(tiny()):
        raise torch.AcceleratorError(said)


@pytest.mark.slow
def test_a_compiler_that_is_missing_is_told(tiny: Settings) -> None:
    from torch._dynamo.exc import TorchDynamoException

    with pytest.raises(UserError, match=r"--compile: .* \(InvalidCxxCompiler: No .* found\); leave it out"):
        with breakdowns_explained(tiny()):
            raise TorchDynamoException("InvalidCxxCompiler: No working C++ compiler found\n\nSet TORCHDYNAMO_VERBOSE=1")


SYSTEM = "ncclSystemError: System call (e.g. socket, malloc) or external library call failed.\nLast error:\n"
NCCL = {
    f"{USAGE}Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 50000": (
        r"numbers: Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 50000 \(ncclInvalidUsage\); "
        "give --nproc-per-node the number of this machine's GPUs"
    ),
    f"{SYSTEM}Error while creating shared memory segment /dev/shm/nccl-A (size 9637888)": (
        r"Error while creating shared memory segment /dev/shm/nccl-A \(size 9637888\) \(ncclSystemError\); give the "
        "machine or its container more shared memory"
    ),
    f"{SYSTEM}Cuda failure 999 'unknown error'": (
        r"Cuda failure 999 'unknown error' \(ncclSystemError\); start it again with NCCL_DEBUG=WARN"
    ),
}


@pytest.mark.parametrize("said", NCCL)
def test_the_words_of_nccl_reach_the_user(said: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    error = distributed.DistBackendError(f"NCCL error in: /torch/ProcessGroupNCCL.cpp:2077, NCCL version 2.21\n{said}")
    try:
        with pytest.raises(UserError, match=NCCL[said]) as caught, lost_processes_explained():
            raise error
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "the same command goes on from the last checkpoint" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely",
            LOST,
        ),
        ("ncclUnhandledCudaError\nLast error:\nCuda failure 2 'out of memory'", "out of memory for a training step"),
    ],
)
def test_an_error_of_nccl_that_is_another_s_is_told_as_such(tiny: Settings, said: str, told: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(UserError, match=told), breakdowns_explained(tiny(), processes=2):
            raise distributed.DistBackendError(f"NCCL error in: /torch/ProcessGroupNCCL.cpp:2077\n{said}")
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.slow
def test_the_signal_to_end_is_heard_while_the_main_thread_waits_in_c() -> None:
    code = (
        "import ctypes, os, threading, time\n"
        "from trainer.loop.failures import lost_processes_explained\n"
        "end = lambda: (time.sleep(0.3), os.kill(os.getpid(), 15))\n"
        "threading.Thread(target=end, daemon=True).start()\n"
        "with lost_processes_explained():\n"
        "    libc = ctypes.CDLL(None)\n"
        "    left = 30\n"
        "    while left: left = libc.sleep(left)\n"  # goes on after a signal, as a wait for a GPU does
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr == f"gan-eval: {LOST}\n"


@pytest.mark.parametrize("target", ["training_log.csv", "step_0000000.png", "step_0000002.safetensors"])
def test_full_disk_is_one_line_wherever_it_happens(
    make_pairs: Pairs, tiny: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """The log, the samples and the snapshots; the checkpoints' is in test_checkpoints."""
    flush = os.fsync

    def full(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        if is_temporary_name(name) and name.startswith(f".{Path(target).stem}.") and name.endswith(Path(target).suffix):
            raise OSError(28, "No space left on device")
        flush(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=rf"{target}: the disk is full"):
        train(tiny(snapshots=(2,)), make_pairs(train=2), tmp_path / "run", direction="AtoB", checkpoint_every=4)
    assert not [path for path in tmp_path.glob("run/**/*") if is_temporary_name(path.name)]


@pytest.mark.slow
def test_a_limit_on_memory_ends_the_command_with_status_2(make_pairs: Pairs, tmp_path: Path) -> None:
    data = make_pairs(train=1)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))

    small = ["--image-size", 64, "--steps", 2, "--set", "generator_channels=512"]
    done = gan_eval("train", "--data", data, "--out", tmp_path / "run", *small, before=limit)
    assert done.returncode == 2, done.stderr
    assert "out of memory" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
