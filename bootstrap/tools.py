"""Running other programs with quiet, plain progress; the one error of setting up."""

import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

LINES_KEPT = 15
"""How much of a failed tool's output is shown."""


class SetupError(Exception):
    """What went wrong and what to do about it, as the user's lines."""


def say(text: str) -> None:
    """One thing for the user to read; standard output is left to the verbs."""
    print(f"run: {text}", file=sys.stderr, flush=True)


def ends_well(command: Sequence[object]) -> bool:
    """Whether a command can be run and exits with 0; its output is thrown away."""
    try:
        return subprocess.run([str(word) for word in command], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run_shown(command: Sequence[str], *, folder: Path, what: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a tool, showing its last line from time to time instead of all its output.

    Raises:
        SetupError: it failed; the message holds the last lines it said.
    """
    try:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=None if environment is None else dict(environment),
            close_fds=False,  # passes on the lock of `environment.exclusive`, the only handle that can be inherited
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise SetupError(f"{what}: {command[0]} cannot be started ({error.strerror})") from error
    lines: deque[str] = deque(maxlen=LINES_KEPT)
    reader = threading.Thread(target=_collect, args=(process, lines), daemon=True)
    reader.start()
    try:
        _watch(process, lines, what)
        reader.join(timeout=5)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode:
        output = "\n".join(f"    {line}" for line in lines)
        raise SetupError(f"{what}: failed with exit status {process.returncode}. Its last lines:\n{output}")


def _collect(process: subprocess.Popen[str], lines: deque[str]) -> None:
    for line in process.stdout or ():
        if line.strip():
            lines.append(line.strip())


def _watch(process: subprocess.Popen[str], lines: deque[str], what: str) -> None:
    """Wait for a tool: on a terminal one line that changes, else one line every half a minute."""
    terminal = sys.stderr.isatty()
    width = shutil.get_terminal_size().columns - 1
    started = printed = time.monotonic()
    while process.poll() is None:
        try:
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            now = time.monotonic()
            line = f"  {what}, {now - started:.0f} s: {lines[-1] if lines else ''}"
            if terminal:
                print("\r" + line[:width].ljust(width), end="", file=sys.stderr, flush=True)
            elif now - printed >= 30:
                printed = now
                print(line[:120], file=sys.stderr, flush=True)
    if terminal:
        print("\r" + " " * width + "\r", end="", file=sys.stderr, flush=True)
