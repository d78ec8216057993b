"""How this program is started: its verbs, settings that are read only then, alone or as one of several by `torchrun`;
and how it starts another Python."""

import codecs
import io
import math
import os
import platform
import re
import shlex
import shutil
import signal
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from gan_eval.errors import UserError

VERBS = {
    "export": "store:export",
    "demo": "study:demo",
    "try": "study:try_pictures",
    "study": "study:study_app",
    "run": "study:run",
    "train": "train:train",
    "generate": "train:generate",
    "quiz": "quiz:quiz",
    "metrics": "metrics:metrics",
    "power": "analysis:power",
    "analyze": "analysis:analyze",
    "report": "study:report",
    "doctor": "app:doctor",
    "stimuli": "stimuli:stimuli_app",
    "weights": "metrics:weights_app",
    "trials": "analysis:trials_app",
    "model": "train:model_app",
    "data": "data:data_app",
    "participants": "store:participants_app",
    "store": "store:store_app",
}
"""The commands of `gan-eval`, in the order of its help: the module of `gan_eval.cli`, and the function or group in it.
The file `run` reads them here, before anything is installed."""
_COMMAND = re.compile(rf"(?<![\w./\\-])gan-eval (?=(?:{'|'.join(VERBS)})\b)")

MAX_THREADS = 1024
"""Largest number of CPU threads that is accepted: PyTorch takes any, and fails far above the number of cores."""

ALLOCATOR_SETTINGS = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592"}
"""glibc keeps freed blocks up to these sizes (bytes) instead of handing them back to the system."""

WAITING_SETTINGS = {"GOMP_SPINCOUNT": "20000", "OPENBLAS_THREAD_TIMEOUT": "16"}
"""How long threads of PyTorch (libgomp: turns of a loop) and of NumPy's BLAS (OpenBLAS: 2^N processor cycles) spin
while they wait for each other: 0.2 and 0.01 ms. The defaults of 3 and 26 ms cost most of the time on a busy machine,
where a spinning thread keeps the core that the others need. On an idle machine a spin shorter than 20,000 turns slows
small networks down (`benchmarks/busy_machine.py`)."""
LOOK_S = 0.2
"""Seconds for which `free_cores` watches the processor."""
_torch_came_first = "torch" in sys.modules


def restart_with_allocator_settings() -> None:
    """Replace this process by itself with `ALLOCATOR_SETTINGS` in its environment; a value set by the user wins.

    It makes training faster: a step frees and takes the same large blocks again, and handing them back to the system
    each time costs about a fifth of it. glibc reads the settings only when a process starts. Nothing happens where they
    are set already, and on systems whose allocator does not know them.
    """
    missing = {name: value for name, value in ALLOCATOR_SETTINGS.items() if name not in os.environ}
    if not missing or platform.libc_ver()[0] != "glibc" or "pytest" in sys.modules:
        return
    os.execve(sys.executable, sys.orig_argv, {**os.environ, **missing})


def set_waiting_settings() -> None:
    """Put `WAITING_SETTINGS` into the environment; a value set by the user wins, and so does OMP_WAIT_POLICY.

    Importing `gan_eval` or `trainer` does this, because the libraries read the settings when they are loaded. Child
    processes inherit them.
    """
    for name, value in WAITING_SETTINGS.items():
        if name != "GOMP_SPINCOUNT" or "OMP_WAIT_POLICY" not in os.environ:
            os.environ.setdefault(name, value)


def warn_if_threads_spin() -> None:
    """Warn where PyTorch was imported before `gan_eval`, so that it has not read `WAITING_SETTINGS`."""
    if _torch_came_first and sys.platform == "linux":
        warnings.warn(
            "torch was imported before gan_eval: on a busy machine its threads slow each other down; import gan_eval "
            f"first, set GOMP_SPINCOUNT={WAITING_SETTINGS['GOMP_SPINCOUNT']} in the environment, or use one thread",
            stacklevel=3,
        )


def restart_in_utf8() -> None:
    """Replace this process by itself in UTF-8 mode where the system's locale knows ASCII alone.

    Names of files would arrive there as bytes that no table can hold, and our own words could not be printed. Nothing
    is lost: every file of ours is UTF-8 in any locale.
    """
    known = codecs.lookup(sys.getfilesystemencoding()).name
    if known != "ascii" or "pytest" in sys.modules:
        return
    os.execve(sys.executable, sys.orig_argv, {**os.environ, "PYTHONUTF8": "1"})


def open_closed_streams() -> None:
    """Open stdin, stdout and stderr where they are closed (`>&-`): else our next file would take their number."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    sys.stdin, sys.stdout, sys.stderr = (
        stream or Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - until the process ends
        for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
    )


def write_any_text() -> None:
    """Let stdout and stderr take every text: bytes of names as they are, what else cannot be encoded as `\\u…`."""
    codecs.register_error("gan_eval.any_text", _any_text)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="gan_eval.any_text")


def _any_text(error: UnicodeError) -> tuple[str | bytes, int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


def python_command(*arguments: str) -> list[str]:
    """The command for another Python like this one.

    -P: the folder that the user happens to be in is not looked into for modules, whatever its own folders are called.
    """
    return [sys.executable, "-P", *arguments]


def own_command(*arguments: str) -> list[str]:
    """The command for another `gan-eval`: of this very package, also where it lies in a folder and is not installed."""
    root = str(Path(__file__).resolve().parents[1])
    return python_command(
        "-c", f"import sys; sys.path.append({root!r}); import gan_eval.__main__ as m; m.main()", *arguments
    )


def run_own(*arguments: str) -> int:
    """Run another `gan-eval` to its end; its exit status.

    Ctrl-C reaches both processes and is left to the other one, which finishes its writing and tells the user.

    Raises:
        SystemExit: 130: it was interrupted, and has said so.
    """
    import subprocess  # here, for every command's start

    in_main_thread = threading.current_thread() is threading.main_thread()  # it alone may listen to signals
    # a handler, unlike SIG_IGN, is not handed on to the other process
    before = signal.signal(signal.SIGINT, lambda *_: None) if in_main_thread else None
    try:
        status = subprocess.run(own_command(*arguments), check=False).returncode
    finally:
        if in_main_thread:
            signal.signal(signal.SIGINT, before)
    if status == 130:
        raise SystemExit(130)
    return status


def leave_out_current_folder() -> None:
    """Do not look for modules in the current folder, where a folder called `trainer` would pass for ours.

    `python -m` puts it first on the path; `gan-eval` does not. It stays where this package itself comes from it.
    """
    here = Path.cwd()
    if (
        not sys.flags.safe_path
        and sys.path[0] in ("", str(here))
        and here.resolve() != Path(__file__).resolve().parents[1]
    ):
        del sys.path[0]


def setup_command(extra: str = "") -> str:
    """The command that installs an extra of this package, or what the package itself needs: in a checkout that of the
    checkout's own environment, elsewhere pip's."""
    root = Path(__file__).resolve().parents[1]
    if (root / "run").is_file() and (root / "constraints.txt").is_file():
        return f"{'py run' if sys.platform == 'win32' else './run'} setup --extras {extra or 'none'}"
    return f"pip install 'gan-eval[{extra}]'" if extra else "pip install gan-eval"


def as_typed(text: str, *, in_file: bool = False) -> str:
    """Return a text whose commands `gan-eval VERB` begin as the user types them.

    Args:
        text: for the terminal, a report or a help page.
        in_file: the text goes into a file, which may be read in another folder and by other people.
    """
    return _COMMAND.sub(lambda _: f"{program(in_file=in_file)} ", text) if _COMMAND.search(text) else text


def program(*, in_file: bool = False) -> str:
    """Return how this program is called: `gan-eval` where the shell finds it, else the checkout's `./run`.

    In a file the checkout's path is left out.
    """
    run = Path(__file__).resolve().parents[1] / "run"
    if shutil.which("gan-eval") or not run.is_file():
        return "gan-eval"
    is_short = in_file or Path.cwd() == run.parent
    if sys.platform == "win32":
        return "py run" if is_short else f'py "{run}"'
    return "./run" if is_short else shlex.quote(str(run))


def usable_cores() -> int:
    """Number of cores that this process may use, by its CPU affinity and the limits of its control group."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(cores, _core_limit())))


def free_cores() -> int:
    """Number of usable cores that other work leaves idle, at least 1; watches the processor for `LOOK_S` seconds.

    A load average would still count what has just ended, such as this study's last stage.
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
    """Seconds for which the cores of this process have been idle since the start; None where the system does not say.

    The file's lines are `cpuN user nice system idle iowait …`, in clock ticks.
    """
    try:
        lines = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
        own = {f"cpu{core}" for core in os.sched_getaffinity(0)}
        return sum(int(line[4]) + int(line[5]) for line in lines if line[0] in own) / os.sysconf("SC_CLK_TCK")
    except (AttributeError, IndexError, OSError, ValueError):
        return None


def _core_limit(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float:
    """Cores that the control groups of this process allow, infinity without a limit.

    Version 2 has `cpu.max` with "QUOTA PERIOD" or "max PERIOD", version 1 a file for each; every parent limits, too.
    """
    limit = math.inf
    with suppress(OSError, ValueError):
        for line in own.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):
                continue
            top = root / controllers if controllers else root
            group = top / path.lstrip("/")
            for folder in (group, *group.parents):
                limit = min(limit, _group_limit(folder))
                if folder == top:
                    break
    return limit


def _group_limit(folder: Path) -> float:
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return math.inf if quota == "max" else int(quota) / int(period)
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = ((folder / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    return math.inf


def processes() -> int:
    """The number of processes of this run: 1, or what `torchrun` was told."""
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


def leave(status: int) -> NoReturn:
    """End the process with an exit status; beside other processes at once, without taking the interpreter down.

    A thread of gloo may let go of its last tensor a moment after the work was done. Where the interpreter is being
    taken down by then, that aborts the process (pytorch/pytorch#179291).
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # a full disk, which has been told; Python would flush again and end with a status of its own
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if processes() == 1:
        sys.exit(status)
    os._exit(status)
