"""The start of a process (environment, streams, search path) and its end."""

import atexit
import codecs
import ctypes
import io
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

ALLOCATOR_SETTINGS = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "8589934592"}
"""glibc keeps freed blocks up to these sizes (bytes) instead of returning them to the system."""


def restart_with_allocator_settings() -> None:
    """Restart this process with `ALLOCATOR_SETTINGS` in its environment; a value set by the user wins.

    It makes training faster: each step frees and allocates the same large blocks, and returning them to the system
    takes about a fifth of its time. glibc reads the settings only when a process starts. Nothing happens if they are
    set already or if the system uses another allocator.
    """
    missing = {name: value for name, value in ALLOCATOR_SETTINGS.items() if name not in os.environ}
    if not missing or platform.libc_ver()[0] != "glibc" or "pytest" in sys.modules:
        return
    os.execve(sys.executable, sys.orig_argv, {**os.environ, **missing})


def return_free_memory() -> None:
    """Return freed memory to the system, which glibc keeps for later; elsewhere nothing happens."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def open_closed_streams() -> None:
    """Open stdin, stdout and stderr if they are closed (`>&-`); otherwise the next file would get their number."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(handle, True)
    os.close(handle)
    sys.stdin, sys.stdout, sys.stderr = (
        stream or Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - until the process ends
        for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
    )


def accept_any_text() -> None:
    """Let stdout and stderr take any text: write bytes of names unchanged, other unencodable text as `\\u…`."""

    def any_text(error: UnicodeError) -> tuple[str | bytes, int]:
        try:
            return codecs.lookup_error("surrogateescape")(error)
        except UnicodeError:
            return codecs.lookup_error("backslashreplace")(error)

    codecs.register_error("gan_eval.any_text", any_text)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="gan_eval.any_text")


def remove_current_folder_from_path() -> None:
    """Remove the current folder from `sys.path`, because a folder named `trainer` in it would be imported.

    `python -m` puts the current folder first; `gan-eval` does not. It stays if this package was imported from it.
    """
    here = Path.cwd()
    if (
        not sys.flags.safe_path
        and sys.path[0] in ("", str(here))
        and here.resolve() != Path(__file__).resolve().parents[2]
    ):
        del sys.path[0]


_statuses: list[int] = []


def release_nothing_at_exit() -> None:
    """Let `exit_process` end this process after its exit handlers: with PyTorch, 0.4 s sooner and with 120 MB less.

    To be called first, because exit handlers run in reverse order. Python would release all objects, and libraries what
    they hold, for which the pages of PyTorch's CUDA libraries are read; the memory goes anyway.
    """
    atexit.register(_end)


def _end() -> None:
    if _statuses:
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(_statuses[0])


def exit_process(status: int) -> NoReturn:
    """End the process with an exit status, even if flushing the output fails."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # a full disk, which has been reported; Python would flush again and end with its own status
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    _statuses.append(status)
    sys.exit(status)
