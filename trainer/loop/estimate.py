"""An estimate of the time, memory and disk space of a training, from its first steps."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_eval.machine.threads import processes
from trainer.devices import cpu_threads, exact_kernels, machine_of, new_fabric, speaker
from trainer.job import TrainingJob
from trainer.loop.failures import breakdowns_explained
from trainer.loop.plan import Say
from trainer.loop.run import Run, open_run
from trainer.watch.validation import write_grid

OnProgress = Callable[[str, int, int], None]
"""Called with the current activity, its steps done, and their total."""

WARM_UP = 3  # steps before the timed ones; they fill caches and create the optimizers' state
TIMED = 20
BUDGET_S = 120.0  # time after which no further step is timed


@dataclass(frozen=True)
class Estimate:
    """Time, memory and disk space of a run on this machine."""

    steps: int  # steps of the whole run
    steps_timed: int
    step_s: float  # median time of a step
    samples_s: float  # time of all sample grids
    validations: int
    validations_s: float  # time of all validations
    memory: str  # kind of `memory_bytes`: memory of the process, or of the GPU
    memory_bytes: int | None  # peak on each device; None where the system does not report it
    disk: Mapping[str, int]  # maximum bytes of the run's folder, by purpose
    devices: int
    machine: Mapping[str, Any]

    @property
    def total_s(self) -> float:
        """Time of the whole run without checkpoints, which take at most 5 %."""
        return self.steps * self.step_s + self.samples_s + self.validations_s

    def as_dict(self) -> dict[str, Any]:
        """Return all values by name."""
        more = {"steps_per_s": 1 / self.step_s, "total_s": self.total_s, "disk_bytes": sum(self.disk.values())}
        return {**asdict(self), **more}

    def lines(self) -> list[str]:
        """Return the estimate as lines of text."""
        where = f"{self.machine['device']}, threads {self.machine['threads']}"
        where = f"{self.devices} devices, each {where}" if self.devices > 1 else where
        measuring = clock(self.validations_s)
        of_it = f", {measuring} of it for {self.validations} validations" if self.validations else ""
        memory = "unknown on this system" if self.memory_bytes is None else f"{size(self.memory_bytes)} at most"
        shares = ", ".join(f"{name} {size(share)}" for name, share in self.disk.items() if share)
        timed = f"median of {self.steps_timed} steps"
        return [
            f"speed:  {1 / self.step_s:.3g} steps/s on {where} ({timed})",
            f"time:   {clock(self.total_s)} for {self.steps} steps{of_it}",
            f"memory: {memory} ({self.memory})",
            f"disk:   {size(sum(self.disk.values()))} ({shares})",
        ]


def estimate(
    job: TrainingJob, *, on_message: Say | None = None, on_progress: OnProgress | None = None
) -> Estimate | None:
    """Do the first steps of a training with its real networks and batches, and estimate what the whole run takes.

    All files go into a temporary folder that is removed. Errors are those of `train`. The processes that do not lead
    return None.
    """
    with breakdowns_explained(job.settings, processes=processes()):
        fabric = new_fabric(job.settings)
    with (
        breakdowns_explained(job.settings, processes=fabric.world_size),
        cpu_threads(job.threads, fabric.device, settings=job.settings),
        tempfile.TemporaryDirectory(prefix="gan-eval-estimate-") as folder,
    ):
        scratch, say = Path(folder), speaker(fabric, on_message)
        say(f"estimate: reading the pictures of {job.data} and making the networks")
        run = open_run(fabric, job, scratch, finished=False, say=say)
        assert run is not None  # the folder is new
        with closing(run), exact_kernels(fabric.device):
            times = step_times(run, fabric.device, on_progress if run.leads else None)
            found = measured(run, job, scratch, times, fabric.device, say) if run.leads else None
        fabric.barrier()
        return found


def measured(run: Run, job: TrainingJob, scratch: Path, times: list[float], device: torch.device, say: Say) -> Estimate:
    """Return the estimate from the times of the steps, after timing a grid of samples and a validation."""
    say("estimate: timing a grid of samples" + (" and a validation" if run.validation is not None else ""))
    due, gan, grid, net = run.milestones, run.gan, scratch / "grid.png", run.generator
    sample_s = seconds_of(partial(write_grid, net, run.plan.task, run.samples, grid))
    validation_s, parts = 0.0, 1.0
    if run.validation is not None:
        validation = run.validation.first_part()
        validation(net)  # the first call also loads what the metrics need
        parts = len(run.validation) / len(validation)
        validation_s = parts * seconds_of(partial(validation, net))
    validations = 0 if run.validation is None else len(due.validations)
    generator = bytes_of(gan.generator.state_dict())
    others = (gan.discriminator, gan.generator_optimizer, gan.discriminator_optimizer)
    checkpoint = generator + sum(bytes_of(part.state_dict()) for part in others)
    pictures = sum(path.stat().st_size for path in (scratch / "validation").rglob("*") if path.is_file())
    memory, memory_bytes = peak_memory(device)
    return Estimate(
        steps=run.total,
        steps_timed=len(times),
        step_s=statistics.median(times),
        samples_s=len(due.samples) * sample_s,
        validations=validations,
        validations_s=validations * validation_s,
        memory=memory,
        memory_bytes=memory_bytes,
        disk={
            "checkpoints": (job.keep + 1) * checkpoint,  # one more while it is being written
            "generators": (len(due.snapshots) + 1 + (run.validation is not None)) * generator,
            "pictures": len(due.samples) * grid.stat().st_size + round(parts * pictures),
        },
        devices=run.plan.devices,
        machine=machine_of(device),
    )


def step_times(run: Run, device: torch.device, on_progress: OnProgress | None = None) -> list[float]:
    """Return the seconds of each of up to TIMED steps after the warm-up; fewer where the run is shorter or slow."""
    is_gpu = device.type == "cuda"
    progress = on_progress or (lambda *_: None)
    began = time.monotonic()
    for _ in range(min(WARM_UP, run.total - 1)):
        run.step()
    times: list[float] = []
    to_time = min(TIMED, run.total - run.done)
    while len(times) < to_time and (not times or time.monotonic() - began < BUDGET_S):
        started = waited_time(is_gpu)
        run.step()
        times.append(waited_time(is_gpu) - started)
        progress("estimate: timed steps", len(times), to_time)
    return times


def waited_time(is_gpu: bool) -> float:
    """Return the time once the GPU has done its work."""
    if is_gpu:
        torch.cuda.synchronize()
    return time.perf_counter()


def seconds_of(call: Callable[[], object]) -> float:
    """Return the time that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def bytes_of(state: Any) -> int:
    """Return the bytes of all tensors in nested dicts and lists."""
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    values = state.values() if isinstance(state, Mapping) else state if isinstance(state, list | tuple) else ()
    return sum(bytes_of(value) for value in values)


def peak_memory(device: torch.device) -> tuple[str, int | None]:
    """Return which memory limits a run on the device, and this process' peak use of it."""
    if device.type == "cuda":
        return "GPU memory in tensors", torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return "resident memory", None
    unit = 1 if sys.platform == "darwin" else 1024
    return "resident memory of the process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def clock(seconds: float) -> str:
    """Return a duration as text.

    >>> clock(0.4), clock(75), clock(100_000)
    ('0:00:00', '0:01:15', '1 day, 3:46:40')
    """
    return str(timedelta(seconds=round(seconds)))


def size(count: int) -> str:
    """Return a number of bytes as text.

    >>> size(999), size(2_600_000_000)
    ('1 MB', '2600 MB')
    """
    return f"{max(1, round(count / 1e6))} MB"
