"""CPU threads: how many may run, and how they wait for each other."""

import math
import os
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path

MAX_THREADS = 1024
"""Maximum number of CPU threads: PyTorch accepts any number and fails far above the number of cores."""
WAITING_SETTINGS = {"GOMP_SPINCOUNT": "20000", "OPENBLAS_THREAD_TIMEOUT": "16"}
"""Spin limits of threads of PyTorch (libgomp: turns of a loop) and of NumPy's BLAS (OpenBLAS: 2^N processor cycles)
that wait for each other: 0.2 and 0.01 ms. The defaults of 3 and 26 ms cost most of the time on a busy machine,
where a spinning thread keeps the core that the others need. On an idle machine a spin shorter than 20,000 turns slows
small networks down (`benchmarks/busy_machine.py`)."""
LOOK_S = 0.2
"""Number of seconds for which `free_cores` watches the processor."""
_torch_came_first = "torch" in sys.modules


def set_waiting_settings() -> None:
    """Put `WAITING_SETTINGS` into the environment; a value set by the user wins, and so does OMP_WAIT_POLICY.

    Importing `gan_eval` or `trainer` does this, because the libraries read the settings when they are loaded. Child
    processes inherit them.
    """
    for name, value in WAITING_SETTINGS.items():
        if name != "GOMP_SPINCOUNT" or "OMP_WAIT_POLICY" not in os.environ:
            os.environ.setdefault(name, value)


def warn_if_threads_spin() -> None:
    """Warn if PyTorch was imported before `gan_eval` and so has not read `WAITING_SETTINGS`."""
    if _torch_came_first and sys.platform == "linux":
        warnings.warn(
            "torch was imported before gan_eval: on a busy machine its threads slow each other down; import gan_eval "
            f"first, set GOMP_SPINCOUNT={WAITING_SETTINGS['GOMP_SPINCOUNT']} in the environment, or use one thread",
            stacklevel=3,
        )


def usable_cores() -> int:
    """Return the number of cores that this process may use, by its CPU affinity and control-group limits."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(cores, _core_limit())))


def free_cores() -> int:
    """Return the number of usable cores that are idle, at least 1; this watches the processor for `LOOK_S` seconds.

    A load average would still count work that has just ended, such as the study's last stage.
    """
    usable = usable_cores()
    before = _idle_seconds()
    if usable == 1:
        return 1
    if before is None:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        idle = (os.cpu_count() or usable) - load
    else:
        time.sleep(LOOK_S)
        idle = ((_idle_seconds() or before) - before) / LOOK_S
    return max(1, min(usable, round(idle)))


def _idle_seconds(file: Path = Path("/proc/stat")) -> float | None:
    """Return the idle seconds of this process's cores since the start; None if the system does not report them.

    The file's lines are `cpuN user nice system idle iowait …`, in clock ticks.
    """
    try:
        lines = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
        cores = {f"cpu{core}" for core in os.sched_getaffinity(0)}
        return sum(int(line[4]) + int(line[5]) for line in lines if line[0] in cores) / os.sysconf("SC_CLK_TCK")
    except (AttributeError, IndexError, OSError, ValueError):
        return None


def _core_limit(root: Path = Path("/sys/fs/cgroup"), cgroup: Path = Path("/proc/self/cgroup")) -> float:
    """Return the number of cores that the control groups (version 2) of this process allow; infinity without a limit.

    Each has `cpu.max` with "QUOTA PERIOD" or "max PERIOD"; the limits of every parent apply, too.
    """
    limit = math.inf
    with suppress(OSError, ValueError):
        path = cgroup.read_text(encoding="utf-8").strip().removeprefix("0::")
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError, ZeroDivisionError):
                quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
                limit = min(limit, int(quota) / int(period))  # skips "max"
            if folder == root:
                break
    return limit
