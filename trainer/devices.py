"""The device of a run: threads, kernels, memory and numerical precision."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gan_eval.base.errors import UserError, memory_ran_out
from gan_eval.base.threads import free_cores, usable_cores, warn_if_threads_spin
from gan_eval.settings.training import TrainingSettings

NetT = TypeVar("NetT", bound=nn.Module)
WORKERS = 4
"""Number of threads that prepare batches for a GPU, at most one per core: enough for 16 pairs every 30 ms."""
WORKSPACE = ":4096:8"
"""Size and number of cuBLAS workspaces that make its sums deterministic; read when cuBLAS starts."""
MIN_STEP_SIZE = 2**19
"""Smallest step that is faster with a second thread: pixels of a batch times the square of the generator's channels.
Smaller steps are mostly Python's overhead."""


def workers_for(device: torch.device, requested: int | None) -> int:
    """Return the number of threads that prepare batches; by default WORKERS with a GPU, else 0."""
    if requested is not None:
        return requested
    return min(WORKERS, usable_cores()) if device.type == "cuda" else 0


@contextmanager
def cpu_threads(
    requested: int | None,
    device: torch.device,
    *,
    recorded: int | None = None,
    settings: TrainingSettings | None = None,
) -> Iterator[None]:
    """Set PyTorch's number of CPU threads. Equal bits need equal numbers.

    Args:
        requested: the number; None: the number in OMP_NUM_THREADS, else the recorded one, else on a CPU one thread for
            each idle core (at most PyTorch's own number) and on a GPU PyTorch's own number.
        device: the networks' device.
        recorded: the number with which the run began.
        settings: a training's; a network too small to gain from two threads gets one.
    """
    before = torch.get_num_threads()
    threads = requested
    if threads is None and "OMP_NUM_THREADS" not in os.environ:
        threads = recorded
        if threads is None and before > 1 and device.type == "cpu":
            threads = min(before, free_cores())
            if settings is not None:
                size = settings.batch_size * settings.image_size**2 * settings.generator_channels**2
                threads = 1 if size < MIN_STEP_SIZE else threads
    threads = threads or before
    if threads > 1:
        warn_if_threads_spin()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_device() -> torch.device:
    """Return the first GPU, on a Mac its GPU, and where there is none the CPU."""
    if torch.backends.mps.is_available():
        return torch.device("mps", 0)
    return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Compute in bfloat16 where it is safe, if the precision is bf16; weights and losses stay in float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


@contextmanager
def exact_kernels(device: torch.device) -> Iterator[None]:
    """Use deterministic GPU kernels, with cudnn.benchmark off. A CPU's kernels are always deterministic.

    PyTorch warns about operations without a deterministic kernel. TensorFloat-32 keeps PyTorch's default.
    """
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", WORKSPACE)
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    deterministic: Any = torch.utils.deterministic
    filled = deterministic.fill_uninitialized_memory
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=True):
        try:
            torch.use_deterministic_algorithms(True, warn_only=True)
            deterministic.fill_uninitialized_memory = False  # it would cost a pass over memory
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
            deterministic.fill_uninitialized_memory = filled


def memory_format(device: torch.device, precision: str = "fp32") -> torch.memory_format:
    """Return the memory order of the fastest convolutions: channels last on a GPU, and on a CPU in bf16."""
    last = device.type == "cuda" or (device.type == "cpu" and precision == "bf16")
    return torch.channels_last if last else torch.contiguous_format


def on_device(batch: Tensor, device: torch.device) -> Tensor:
    """Return a batch on the device, in its memory order; pinned memory is copied to a GPU without waiting."""
    return batch.to(device, non_blocking=True).contiguous(memory_format=memory_format(device))


def placed(net: NetT, device: torch.device, precision: str = "fp32") -> NetT:
    """Return a network on the device, in its memory order."""
    return net.to(device).to(memory_format=memory_format(device, precision))


def machine_of(device: torch.device) -> dict[str, Any]:
    """Return what, besides its definition, determines the bits of a run."""
    machine: dict[str, Any] = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
    }
    if device.type == "cuda":
        machine["cudnn"] = torch.backends.cudnn.version()
    return machine


@contextmanager
def memory_for(what: str, fix: str) -> Iterator[None]:
    """Convert a lack of memory into a message for the user."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not memory_ran_out(error):
            raise
        raise UserError(f"out of memory for {what}; {fix}") from error
