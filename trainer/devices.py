"""The devices of a run: one, or several with a process each that `torchrun` starts; threads, kernels and memory.

Several devices share one global batch. DistributedDataParallel averages the gradients; the logged losses and
BatchNorm's running statistics are averaged after each step, so all processes hold the same state. Only the first
process, the leader, writes files, measures and prints.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from inspect import signature
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gan_eval.errors import UserError
from gan_eval.machine.threads import free_cores, processes, usable_cores, warn_if_threads_spin
from gan_eval.settings.training import TrainingSettings

PRECISION: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed"}
"""Precision names of Lightning Fabric. bf16 is autocast: weights, optimizers and losses stay in fp32."""
PATIENCE = timedelta(hours=6)
"""Time that processes wait for the leader, which may be reading many pictures or measuring."""
WORKERS = 4
"""Threads that prepare batches for a GPU, at most one for each core: enough for 16 pairs every 30 ms."""
WORKSPACE = ":4096:8"
"""Size and number of cuBLAS workspaces that make its sums deterministic; read when cuBLAS starts."""
MIN_STEP_SIZE = 2**19
"""Smallest `step_size` that gains from a second thread: in smaller steps most time is Python's overhead."""
STOP_EVERY = 10
"""On GPUs, steps between two checks for an interrupt in any process: each check waits for the device."""
_OPTIONS = signature(DistributedDataParallel).parameters  # PyTorch 2.15 renames one
_SEND_BUFFERS = "forward_sync_buffers" if "forward_sync_buffers" in _OPTIONS else "broadcast_buffers"


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
            is_small = settings is not None and step_size(settings) < MIN_STEP_SIZE
            threads = 1 if is_small else min(before, free_cores())
    threads = threads or before
    if threads > 1:
        warn_if_threads_spin()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def step_size(settings: TrainingSettings) -> int:
    """Return a measure of a step's work: pixels of a batch times the square of the generator's channels."""
    return settings.batch_size * settings.image_size**2 * settings.generator_channels**2


def new_fabric(settings: TrainingSettings) -> Fabric:
    """Return the device of this process, the precision, and the other processes if `torchrun` started several."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it prints a greeting in every process
    precision = PRECISION[settings.precision]
    world = processes()
    if world == 1:
        return Fabric(accelerator="auto", devices=1, precision=precision)
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    if here < world:
        raise UserError(f"--nnodes: {world} processes, but {here} on this machine; give --nproc-per-node alone")
    if 0 < torch.cuda.device_count() < world:
        raise UserError(
            f"--nproc-per-node {world}: this machine has {torch.cuda.device_count()} GPUs; give that number"
        )
    options: dict[str, Any] = {_SEND_BUFFERS: False, "gradient_as_bucket_view": True}
    strategy = DDPStrategy(timeout=PATIENCE, **options)
    fabric = Fabric(accelerator="auto", devices=world, strategy=strategy, precision=precision)
    if synchronised(settings, fabric) and fabric.device.type != "cuda":
        raise UserError(
            "statistics 'batch': BatchNorm over several devices needs GPUs; give another norm or one process"
        )
    fabric.launch()
    return fabric


def speaker(fabric: Fabric, on_message: Callable[[str], None] | None) -> Callable[[str], None]:
    """Return `on_message` in the leader, and elsewhere a function that drops messages."""
    return (on_message if fabric.is_global_zero else None) or (lambda _line: None)


@contextmanager
def leader_first(fabric: Fabric) -> Iterator[None]:
    """Run the block in the leader first, then in the other processes; if the leader fails, they do not run it."""
    if not fabric.is_global_zero:
        fabric.barrier()
    yield
    if fabric.is_global_zero:
        fabric.barrier()


@contextmanager
def exact_kernels(device: torch.device) -> Iterator[None]:
    """Use deterministic GPU kernels, with cudnn.benchmark off. A CPU's kernels are always deterministic.

    PyTorch warns of an operation without a deterministic kernel. TensorFloat-32 stays allowed, as PyTorch has it.
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


def synchronised(settings: TrainingSettings, fabric: Fabric) -> bool:
    """Return whether BatchNorm takes its statistics from several devices."""
    return fabric.world_size > 1 and settings.norm == "batch" and settings.statistics == "batch"


def average(fabric: Fabric, tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the devices, in place and in one message."""
    if fabric.world_size == 1 or not tensors:
        return
    message = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(message)
    parts = message.div_(fabric.world_size).split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def running_statistics(*nets: nn.Module) -> list[Tensor]:
    """Return the running means and variances of the networks."""
    return [buffer for net in nets for buffer in net.buffers() if buffer.is_floating_point()]


def any_rank(fabric: Fabric, here: bool, *, step: int) -> bool:
    """Return whether `here` is true in any process; every process calls it after each step.

    On several GPUs the check is made only every STOP_EVERY steps; between them the answer is False.
    """
    if fabric.world_size == 1:
        return here
    if fabric.device.type == "cuda" and step % STOP_EVERY:
        return False
    anywhere = torch.tensor(float(here), device=fabric.device)
    distributed.all_reduce(anywhere)
    return bool(anywhere)


def memory_format(device: torch.device, precision: str = "fp32") -> torch.memory_format:
    """Return the memory order of the fastest convolutions: channels last on a GPU, and on a CPU in bf16."""
    last = device.type == "cuda" or (device.type == "cpu" and precision == "bf16")
    return torch.channels_last if last else torch.contiguous_format


def on_device(batch: Tensor, device: torch.device) -> Tensor:
    """Return a batch on the device, in its memory order; pinned memory is copied to a GPU without waiting."""
    return batch.to(device, non_blocking=True).contiguous(memory_format=memory_format(device))


def placed(net: nn.Module, device: torch.device, precision: str = "fp32") -> nn.Module:
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


_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "_status_alloc_failed")
"""Words of PyTorch's CPU allocator, cuDNN and cuBLAS, which raise a plain RuntimeError."""


@contextmanager
def memory_for(what: str, fix: str) -> Iterator[None]:
    """Turn running out of memory into a message for the user."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(f"out of memory for {what}; {fix}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error, of any library, means that memory ran out."""
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or any(word in str(error).lower() for word in _WORDS)
