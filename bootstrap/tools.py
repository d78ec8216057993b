"""Running other programs with quiet, plain progress; the one error of setting up."""

import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

LINES_KEPT = 15
"""Number of output lines of a failed tool that are shown."""

REPLACING = re.compile(r"(Found existing|Attempting uninstall|Uninstalling|Successfully uninstalled)")
"""Lines of pip about replaced packages: its last ones before it copies files for minutes."""
COPYING = re.compile(r"Installing collected packages: (.+)")
"""pip's last line before it copies all packages, which takes the longest and prints nothing."""


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


class StatusLine:
    """A line about a step that takes long: rewritten in place on a terminal, elsewhere printed every half minute."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._terminal = sys.stderr.isatty()
        self._width = shutil.get_terminal_size().columns - 1
        self._started = self._printed = time.monotonic()

    def show(self, detail: str = "") -> None:
        """Show the step, the seconds since it began and what it is doing now."""
        now = time.monotonic()
        line = f"  {self._what}, {now - self._started:.0f} s{': ' if detail else ''}{detail}"
        if self._terminal:
            print("\r" + line[: self._width].ljust(self._width), end="", file=sys.stderr, flush=True)
        elif now - self._printed >= 30:
            self._printed = now
            print(line[:120], file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line from a terminal."""
        if self._terminal:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)


def current_step(lines: Sequence[str]) -> str:
    """What an installer is doing now, from the lines it has printed.

    >>> current_step(["Installing collected packages: six, numpy", "Successfully uninstalled setuptools-65.5.0"])
    'copying 2 packages into .venv, the longest step'
    """
    line = next((line for line in reversed(lines) if not REPLACING.match(line)), "")
    copying = COPYING.match(line)
    return f"copying {len(copying[1].split(','))} packages into .venv, the longest step" if copying else line


def _collect(process: subprocess.Popen[str], lines: deque[str]) -> None:
    for line in process.stdout or ():
        if line.strip():
            lines.append(line.strip())


def _watch(process: subprocess.Popen[str], lines: deque[str], what: str) -> None:
    """Wait for a tool and show what it is doing."""
    status = StatusLine(what)
    while process.poll() is None:
        try:
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            status.show(current_step(list(lines)))
    status.clear()
