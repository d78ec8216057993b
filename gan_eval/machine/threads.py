"""CPU threads: how many may run, how they wait for each other, and the processes of `torchrun`."""

import math
import os
from contextlib import suppress
from pathlib import Path

from gan_eval.errors import UserError

MAX_THREADS = 1024
"""Largest number of CPU threads that is accepted: PyTorch takes any, and fails far above the number of cores."""
WAITING_SETTINGS = {"GOMP_SPINCOUNT": "20000", "OPENBLAS_THREAD_TIMEOUT": "16"}
"""Spin limits of threads of PyTorch (libgomp: turns of a loop) and of NumPy's BLAS (OpenBLAS: 2^N processor cycles)
that wait for each other: 0.2 and 0.01 ms. The defaults of 3 and 26 ms cost most of the time on a busy machine,
where a spinning thread keeps the core that the others need. On an idle machine a spin shorter than 20,000 turns slows
small networks down (`benchmarks/busy_machine.py`)."""


def set_waiting_settings() -> None:
    """Put `WAITING_SETTINGS` into the environment; a value set by the user wins, and so does OMP_WAIT_POLICY.

    Importing `gan_eval` or `trainer` does this, because the libraries read the settings when they are loaded. Child
    processes inherit them.
    """
    for name, value in WAITING_SETTINGS.items():
        if name != "GOMP_SPINCOUNT" or "OMP_WAIT_POLICY" not in os.environ:
            os.environ.setdefault(name, value)


def usable_cores() -> int:
    """Number of cores that this process may use, by its CPU affinity and the limits of its control group."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(cores, _core_limit())))


def _core_limit(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float:
    """Cores that the control groups (version 2) of this process allow, infinity without a limit."""
    limit = math.inf
    with suppress(OSError, ValueError):
        path = own.read_text(encoding="utf-8").strip().removeprefix("0::")
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError, ZeroDivisionError):
                quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
                limit = min(limit, int(quota) / int(period))  # skips "max"
            if folder == root:
                break
    return limit


def processes() -> int:
    """The number of processes of this run: 1, or the number given to `torchrun`."""
    return int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def process_rank() -> int:
    """The number of this process, from 0; number 0 is the one that speaks."""
    return int(os.environ["RANK"]) if "TORCHELASTIC_RUN_ID" in os.environ else 0


def require_one_process(verb: str) -> None:
    """Refuse a command under `torchrun`.

    Raises:
        UserError: `torchrun` has started several, and each would do the whole command.
    """
    if processes() > 1:
        mend = "train the models with `torchrun … -m gan_eval train STUDY.toml --model NAME` first"
        raise UserError(f"{verb}: not under torchrun, where each process would do all of it; {mend}")
