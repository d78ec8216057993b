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

M_TRIM_THRESHOLD = -1
"""Option of `mallopt`: the free memory that is kept at the end of the heap; -1: all."""
M_MMAP_MAX = -4
"""Option of `mallopt`: the number of blocks that are taken from the system separately."""


M_MMAP_THRESHOLD = -3
"""Option of `mallopt`: the size from which blocks are taken from the system separately."""
M_ARENA_MAX = -8
"""Option of `mallopt`: the number of heaps."""
SERVER_TRIM_BYTES = 4 * 2**20
SERVER_MMAP_BYTES = 512 * 2**10


def keep_little_memory() -> None:
    """Let glibc use one heap for all threads, and return each large picture's memory to the system; else do nothing."""
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(M_ARENA_MAX, 1)
        library.mallopt(M_MMAP_THRESHOLD, SERVER_MMAP_BYTES)
        library.mallopt(M_TRIM_THRESHOLD, SERVER_TRIM_BYTES)


def keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next blocks instead of returning it to the system; elsewhere do nothing.

    Each training step frees and allocates the same large blocks. Kept, they cost a tenth of the page faults (5 times
    two arrays of 40 MB: 531 in place of 5320, glibc 2.36). Environment variables of the user (`MALLOC_…`) win.
    """
    if platform.libc_ver()[0] == "glibc" and not any(name.startswith("MALLOC_") for name in os.environ):
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, -1)


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
