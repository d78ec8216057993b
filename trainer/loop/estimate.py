"""An estimate of the time, memory and disk space of a training, from its first steps."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gan_eval.base.progress import Progress
from trainer.devices import cpu_threads, exact_kernels, machine_of, one_device
from trainer.job import Say, TrainingJob
from trainer.loop.run import Run, memory_for_training, open_run
from trainer.watch.validation import write_grid

WARM_UP = 3  # steps before the timed ones; they fill caches and create the optimizers' state
TIMED = 20
BUDGET_S = 120.0  # time in seconds after which no further step is timed


@dataclass(frozen=True)
class TimeEstimate:
    """Time, memory and disk space of a run on this machine."""

    steps: int  # steps of the whole run
    steps_timed: int
    step_s: float  # median time of a step in seconds
    samples_s: float  # time of all sample grids
    validations: int
    validations_s: float  # time of all validations
    total_s: float  # time of the whole run without checkpoints, which take at most 5%
    memory_bytes: int | None  # peak on the device; None where the system does not report it
    disk: Mapping[str, int]  # maximum bytes of the run's folder, by purpose
    disk_bytes: int
    machine: Mapping[str, Any]

    def lines(self) -> list[str]:
        """Return the estimate as lines of text."""
        where = f"{self.machine['device']}, threads {self.machine['threads']}"
        total, measuring = (timedelta(seconds=round(seconds)) for seconds in (self.total_s, self.validations_s))
        validations = f", {measuring} of it for {self.validations} validations" if self.validations else ""
        memory = "unknown on this system" if self.memory_bytes is None else f"{self.memory_bytes / 1e6:.0f} MB at most"
        shares = ", ".join(f"{name} {share / 1e6:.0f} MB" for name, share in self.disk.items())
        return [
            f"speed:  {1 / self.step_s:.3g} steps/s on {where} (median of {self.steps_timed} steps)",
            f"time:   {total} for {self.steps} steps{validations}",
            f"memory: {memory}",
            f"disk:   {self.disk_bytes / 1e6:.0f} MB ({shares})",
        ]


def estimate(job: TrainingJob, *, on_message: Say | None = None, on_progress: Progress | None = None) -> TimeEstimate:
    """Do the first steps of a training with its real networks and batches, and estimate the whole run.

    All files go into a temporary folder that is removed. Errors are those of `train`.
    """
    with memory_for_training(job.settings):
        device, say = one_device(), on_message or (lambda _line: None)
        with (
            cpu_threads(job.threads, device, settings=job.settings),
            tempfile.TemporaryDirectory(prefix="gan-eval-estimate-") as folder,
        ):
            say(f"estimate: reading the pictures of {job.data} and making the networks")
            run = open_run(device, job, Path(folder), finished=False, say=say)
            assert run is not None  # the folder is new
            with closing(run), exact_kernels(device):
                times = step_times(run, device, on_progress)
                return measured(run, job, Path(folder), times, device, say)


def measured(
    run: Run, job: TrainingJob, scratch: Path, times: list[float], device: torch.device, say: Say
) -> TimeEstimate:
    """Return the estimate from the times of the steps, after timing a grid of samples and a validation."""
    say("estimate: timing a grid of samples" + (" and a validation" if run.validation is not None else ""))
    due, grid, net = run.plan.milestones, scratch / "grid.png", run.generator
    samples_s = len(due.samples) * seconds_of(partial(write_grid, net, run.plan.task, run.samples, grid))
    validations, validations_s, pictures = 0, 0.0, 0.0
    if run.validation is not None:
        part = run.validation.first_part()
        part(net)  # the first call also loads what the metrics need
        parts, validations = len(run.validation) / len(part), len(due.validations)
        validations_s = validations * parts * seconds_of(partial(part, net))
        pictures = parts * sum(path.stat().st_size for path in (scratch / "validation").rglob("*") if path.is_file())
    step_s = statistics.median(times)
    nets = run.gan.generator, run.gan.discriminator
    generator, discriminator = (sum(weight.nbytes for weight in net.state_dict().values()) for net in nets)
    disk = {  # a checkpoint also has two moments of each weight; one more exists while it is being written
        "checkpoints": (job.keep + 1) * 3 * (generator + discriminator),
        "generators": (len(due.snapshots) + 1 + (run.validation is not None)) * generator,
        "pictures": len(due.samples) * grid.stat().st_size + round(pictures),
    }
    return TimeEstimate(
        steps=run.total,
        steps_timed=len(times),
        step_s=step_s,
        samples_s=samples_s,
        validations=validations,
        validations_s=validations_s,
        total_s=run.total * step_s + samples_s + validations_s,
        memory_bytes=peak_memory(device),
        disk=disk,
        disk_bytes=sum(disk.values()),
        machine=machine_of(device),
    )


def step_times(run: Run, device: torch.device, on_progress: Progress | None = None) -> list[float]:
    """Return the seconds of each of up to TIMED steps after the warm-up; fewer if the run is short or slow."""

    def step() -> None:
        run.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    began = time.monotonic()
    for _ in range(min(WARM_UP, run.total - 1)):
        step()
    times: list[float] = []
    to_time = min(TIMED, run.total - run.done)
    while len(times) < to_time and (not times or time.monotonic() - began < BUDGET_S):
        times.append(seconds_of(step))
        if on_progress is not None:
            on_progress(len(times), to_time, "timed steps")
    return times


def seconds_of(call: Callable[[], object]) -> float:
    """Return the duration of a call in seconds."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def peak_memory(device: torch.device) -> int | None:
    """Return this process's peak use of the limiting memory: the GPU's, or the system's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
