"""Where a run is computed: on one device, or on several with a process each, which `torchrun` starts; and its memory.

Several devices see one global batch: gradients are averaged by DistributedDataParallel; losses for the log and
BatchNorm's running statistics are averaged after each step, so that all processes always hold the same run. The first
process, the leader, alone writes, draws, measures and speaks.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from inspect import signature
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gan_eval.errors import UserError
from gan_eval.launch import free_cores, processes, usable_cores, warn_if_threads_spin
from gan_eval.settings.training import TrainingSettings

PRECISION: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed"}
"""Lightning Fabric's words. bf16: autocast; weights, optimizers and losses stay in fp32."""
PATIENCE = timedelta(hours=6)
"""So long the others wait for the leader, which may be reading many pictures or measuring."""
WORKERS = 4
"""Or one for each core: they decode what does not fit in the cache fast enough for 16 pairs every 30 ms."""
WORKSPACE = ":4096:8"
"""Size and number of cuBLAS's workspaces, read when it starts, with which its sums have one order."""
MIN_STEP_SIZE = 2**19
"""Smallest `step_size` that gains from a second thread: smaller steps are mostly Python's work on single operations."""
STOP_EVERY = 10
"""On a GPU, steps between two looks at whether somebody was told to stop: each look waits for the device."""
_SEND_BUFFERS = (
    "forward_sync_buffers"
    if "forward_sync_buffers" in signature(DistributedDataParallel).parameters
    else "broadcast_buffers"
)
"""DistributedDataParallel's option, by its PyTorch 2.15 or its earlier name; `average` does that work."""


@dataclass(frozen=True)
class Execution:
    """How the steps are computed. Not part of a run's definition: another choice agrees closely, not bit for bit."""

    workers: int | None = None
    """Threads that make batches ahead, the same bits with any number; default: beside a GPU WORKERS, else none."""
    tf32: bool = True
    """Convolutions in fp32 on a GPU may round their inputs to 10 bits (TensorFloat-32), as is PyTorch's default."""
    threads: int | None = None
    """Threads of PyTorch on the CPU; default: see `cpu_threads`."""
    compiled: bool = False
    """The networks go through `torch.compile`; on a GPU with CUDA graphs."""

    def workers_for(self, device: torch.device) -> int:
        """The number of worker threads.

        Raises:
            UserError: it is negative.
        """
        if self.workers is None:
            return min(WORKERS, usable_cores()) if device.type == "cuda" else 0
        if self.workers < 0:
            raise UserError(f"--workers {self.workers}: wanted 0 or more")
        return self.workers


AS_USUAL = Execution()


@contextmanager
def cpu_threads(
    requested: int | None,
    device: torch.device,
    *,
    recorded: int | None = None,
    settings: TrainingSettings | None = None,
) -> Iterator[None]:
    """Inside, PyTorch uses this number of threads on the CPU. Equal bits need equal numbers.

    Args:
        requested: the number; None: the number in OMP_NUM_THREADS; else the one recorded; else on a CPU one thread for
            each core that other work leaves free, but no more than PyTorch had before, and on a GPU as many as before.
        device: that of the networks.
        recorded: the number with which the run began.
        settings: of a training: a network too small to gain from two threads gets one.

    Raises:
        UserError: the number is below 1.
    """
    before = torch.get_num_threads()
    if requested is not None and requested < 1:
        raise UserError(f"--threads {requested}: wanted 1 or more")
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
    """Size of a training step, to compare steps by: pixels of a batch times the square of the generator's channels.

    >>> step_size(TrainingSettings(image_size=64, generator_channels=4))
    65536
    """
    return settings.batch_size * settings.image_size**2 * settings.generator_channels**2


def new_fabric(settings: TrainingSettings) -> Fabric:
    """The device of this process, the precision, and the other processes where `torchrun` started several.

    Raises:
        UserError: fewer GPUs than processes, or BatchNorm over the whole batch on several CPU processes.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it greets from every process
    precision = PRECISION[settings.precision]
    world = processes()
    if world == 1:
        return Fabric(accelerator="auto", devices=1, precision=precision)
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    if 0 < torch.cuda.device_count() < here:
        raise UserError(f"--nproc-per-node {here}: this machine has {torch.cuda.device_count()} GPUs; give that number")
    options: dict[str, Any] = {_SEND_BUFFERS: False, "gradient_as_bucket_view": True}
    strategy = DDPStrategy(timeout=PATIENCE, **options)
    fabric = Fabric(accelerator="auto", devices=here, num_nodes=world // here, strategy=strategy, precision=precision)
    if synchronised(settings, fabric) and fabric.device.type != "cuda":
        raise UserError(
            "statistics 'batch': BatchNorm over several devices needs GPUs; give another norm or one process"
        )
    fabric.launch()
    return fabric


def speaker(fabric: Fabric, on_message: Callable[[str], None] | None) -> Callable[[str], None]:
    """Takes a message for the user: `on_message` where this process leads, else nobody."""
    return (on_message if fabric.is_global_zero else None) or (lambda _line: None)


@contextmanager
def leader_first(fabric: Fabric) -> Iterator[None]:
    """Inside, the leader goes first, and the others when it is through; where it fails they are not let in."""
    if not fabric.is_global_zero:
        fabric.barrier()
    yield
    if fabric.is_global_zero:
        fabric.barrier()


@contextmanager
def exact_kernels(device: torch.device, *, tf32: bool = True) -> Iterator[None]:
    """Inside, a GPU takes kernels that give the same bits each time, and does not choose them by trying.

    An operation that has none is warned of by PyTorch, and goes on. On a CPU the kernels are such ones anyway.

    Args:
        device: that of the networks.
        tf32: see `Execution`.
    """
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    deterministic: Any = torch.utils.deterministic
    filled = deterministic.fill_uninitialized_memory
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=tf32):
        if device.type != "cuda":
            yield
            return
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", WORKSPACE)
        try:
            torch.use_deterministic_algorithms(True, warn_only=True)
            deterministic.fill_uninitialized_memory = False  # a pass over memory for nothing
            yield
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
            deterministic.fill_uninitialized_memory = filled


def synchronised(settings: TrainingSettings, fabric: Fabric) -> bool:
    """Whether BatchNorm takes its statistics from several devices."""
    return fabric.world_size > 1 and settings.norm == "batch" and settings.statistics == "batch"


def average(fabric: Fabric, tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over the devices, in place and in one message; on one device do nothing."""
    if fabric.world_size == 1 or not tensors:
        return
    message = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(message)
    parts = message.div_(fabric.world_size).split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


def running_statistics(*nets: nn.Module) -> list[Tensor]:
    """The running means and variances of the networks."""
    return [buffer for net in nets for buffer in net.buffers() if buffer.is_floating_point()]


def anybody(fabric: Fabric, here: bool, *, step: int) -> bool:
    """Whether `here` is true in any process; asked by all of them after each step.

    On several GPUs the answer is looked for every STOP_EVERY steps alone, and is False between.
    """
    if fabric.world_size == 1:
        return here
    if fabric.device.type == "cuda" and step % STOP_EVERY:
        return False
    anywhere = torch.tensor(float(here), device=fabric.device)
    distributed.all_reduce(anywhere)
    return bool(anywhere)


def require_same_step(fabric: Fabric, done: int) -> None:
    """Make sure that all processes go on from the same step.

    Raises:
        UserError: they found different checkpoints, so they do not see the same folder.
    """
    if fabric.world_size > 1 and (leaders := fabric.broadcast(done)) != done:
        raise UserError(
            f"--out: process {fabric.global_rank} found step {done}, the first one step {leaders}; "
            "choose a folder that all machines share"
        )


def same_everywhere(fabric: Fabric, value: dict[str, Any]) -> dict[str, Any]:
    """What the leader has, in every process."""
    return value if fabric.world_size == 1 else fabric.broadcast(value)


def memory_format(device: torch.device, precision: str = "fp32") -> torch.memory_format:
    """The order of memory in which a device's convolutions are fastest: a CPU's in bf16 too have channels last."""
    last = device.type == "cuda" or (device.type == "cpu" and precision == "bf16")
    return torch.channels_last if last else torch.contiguous_format


def on_device(batch: Tensor, device: torch.device) -> Tensor:
    """A batch on the device, in its order of memory; to a GPU without waiting, where it lies in pinned memory."""
    return batch.to(device, non_blocking=True).contiguous(memory_format=memory_format(device))


def placed(net: nn.Module, device: torch.device, precision: str = "fp32") -> nn.Module:
    """A network on the device, in its order of memory."""
    return net.to(device).to(memory_format=memory_format(device, precision))


def captured(net: nn.Module, device: torch.device) -> nn.Module:
    """The network through `torch.compile`, on a GPU with CUDA graphs.

    Dropout takes the numbers that it would take without. Each size of a batch, of which a run has two where an epoch's
    last batch is smaller, is captured once and for all.
    """
    options: dict[str, Any] = {"fallback_random": True, "triton.cudagraphs": device.type == "cuda"}
    return cast(nn.Module, torch.compile(net, dynamic=False, options=options))


def machine_of(device: torch.device, execution: Execution) -> dict[str, Any]:
    """What makes equal runs equal bit for bit, apart from their definition."""
    machine: dict[str, Any] = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
    }
    if device.type == "cuda":
        machine |= {"cudnn": torch.backends.cudnn.version(), "tf32": execution.tf32}
    return machine | ({"compiled": True} if execution.compiled else {})


_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "_status_alloc_failed")
"""What PyTorch's allocators say, in a plain RuntimeError on the CPU, and cuDNN and cuBLAS of theirs."""


@contextmanager
def memory_for(what: str, mend: str) -> Iterator[None]:
    """Inside, running out of memory is a user's problem.

    Args:
        what: what the memory was for, such as "a batch of 4 at 512x512".
        mend: what to lower.

    Raises:
        UserError: the memory did not suffice.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(f"out of memory for {what}; {mend}") from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocator, of whichever library, could not give what was asked for."""
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or any(word in str(error).lower() for word in _WORDS)
