"""Where a run is computed: on one device, or on several with a process each, which `torchrun` starts; and its memory.

Several devices see one global batch: gradients are averaged by DistributedDataParallel; losses for the log and
BatchNorm's running statistics are averaged after each step, so that all processes always hold the same run. The first
process, the leader, alone writes, draws, measures and speaks.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from inspect import signature
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gan_eval.errors import UserError
from gan_eval.launch import processes
from gan_eval.settings.training import TrainingSettings

PRECISION: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed"}
"""Lightning Fabric's words. bf16: autocast; weights, optimizers and losses stay in fp32."""
PATIENCE = timedelta(hours=6)
"""So long the others wait for the leader, which may be reading many pictures or measuring."""
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
    """Threads that make batches ahead, the same bits with any number; default: 2 beside a GPU, else none."""
    tf32: bool = True
    """Convolutions in fp32 on a GPU may round their inputs to 10 bits (TensorFloat-32), as is PyTorch's default."""
    compiled: bool = False
    """Both networks go through `torch.compile`; on a GPU with CUDA graphs."""

    def workers_for(self, device: torch.device) -> int:
        """The number of worker threads.

        Raises:
            UserError: it is negative.
        """
        if self.workers is None:
            return 2 if device.type == "cuda" else 0
        if self.workers < 0:
            raise UserError(f"--workers {self.workers}: wanted 0 or more")
        return self.workers


AS_USUAL = Execution()


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


def exact_kernels(execution: Execution) -> AbstractContextManager[None]:
    """Inside, cuDNN takes kernels that give the same bits each time, and does not choose them by trying."""
    flags: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=execution.tf32
    )
    return flags


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


def memory_format(device: torch.device) -> torch.memory_format:
    """The order of memory in which a device's convolutions are fastest."""
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def on_device(batch: Tensor, device: torch.device) -> Tensor:
    """A batch on the device, in its order of memory; to a GPU without waiting."""
    if device.type == "cuda":
        batch = batch.pin_memory()
    return batch.to(device, non_blocking=True).contiguous(memory_format=memory_format(device))


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


_WORDS = ("out of memory", "can't allocate memory", "not enough memory")
"""What PyTorch's allocators say, in a plain RuntimeError on the CPU."""


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
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and not any(word in str(error).lower() for word in _WORDS):
            raise
        raise UserError(f"out of memory for {what}; {mend}") from error
