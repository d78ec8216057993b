"""What ends a training early: memory that does not suffice, a GPU that fails, another process that ended, Ctrl-C."""

import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

import torch
from torch import distributed

from gan_eval.errors import UserError, first_sentence, shortened
from gan_eval.settings.training import TrainingSettings
from trainer.devices import is_out_of_memory, memory_for

LOST = (
    "another process of this training has ended, or was stopped; what it said stands above; "
    "the same command goes on from the last checkpoint"
)
LOST_WORDS = ("closed by peer", "reset by peer", "broken pipe", "gloo", "ncclremoteerror")
"""What the libraries between processes say of the end of another one, in a plain RuntimeError."""
NCCL_MENDS = {
    "duplicate gpu": "give --nproc-per-node the number of this machine's GPUs, and leave CUDA_VISIBLE_DEVICES as it is",
    "shared memory": "give the machine or its container more shared memory (docker run --ipc=host, or --shm-size=8g)",
    "timeout": "look at the other processes' lines above, one of which did not come along",
    "socket": "name the network between the machines with NCCL_SOCKET_IFNAME, or train on one machine",
}
"""What to do, by a word of NCCL's message,"""
NCCL_MEND = "start it again with NCCL_DEBUG=WARN, which tells the place"
"""and where none of them is there."""


@contextmanager
def breakdowns_explained(settings: TrainingSettings, *, processes: int = 1) -> Iterator[None]:
    """Inside, what breaks a training down without being an error of the program becomes a message for the user.

    Raises:
        UserError: out of memory, another process has ended, or the processes cannot exchange their numbers; the GPU's
            own error, or the compiler's of `--compile`.
    """
    smaller = ["batch_size"] if settings.batch_size > 1 else []
    smaller += ["image_size", "generator_channels", "discriminator_channels"]
    precision = ", or give precision = 'bf16'" if settings.precision == "fp32" else ""
    what = f"a training step at batch_size {settings.batch_size} and image_size {settings.image_size}"
    mend = (
        f"lower {', '.join(smaller[:-1])} or {smaller[-1]}{precision}, and train into a new folder; "
        "checkpoints are kept; train --estimate tells the memory beforehand"
    )
    with memory_for(what, mend), lost_processes_explained() if processes > 1 else nullcontext():
        try:
            yield
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            if isinstance(error, torch.AcceleratorError):
                mend = (
                    "the same command goes on from the last checkpoint, with CUDA_VISIBLE_DEVICES= before it on the CPU"
                )
                raise UserError(f"the GPU fails: {first_sentence(error)}; {mend}") from error
            if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                mend = "leave it out, or install what is missing, such as a C++ compiler"
                raise UserError(
                    f"--compile: the networks cannot be compiled here ({first_sentence(error)}); {mend}"
                ) from error
            raise


@contextmanager
def lost_processes_explained() -> Iterator[None]:
    """Inside, the end of another process of the run ends this one with one message, whichever way it shows first.

    It shows in a message that fails, or in SIGTERM, by which `torchrun` ends the remaining processes. Python writes
    each signal's number to a socket the moment it comes, and a thread reads there: so it is noticed even while the main
    thread waits for a GPU, where Python's own handlers would not run.

    Raises:
        UserError: a message to another process failed; with NCCL's own reason, where that is another one.
    """
    leaving = threading.Event()  # with a message of its own
    is_main_thread = threading.current_thread() is threading.main_thread()  # it alone may listen to signals
    if is_main_thread:
        reading, writing = socket.socketpair()
        writing.setblocking(False)

        def listen() -> None:
            while received := reading.recv(1):
                if received[0] == signal.SIGTERM and not leaving.is_set():
                    print(f"gan-eval: {LOST}", file=sys.stderr, flush=True)
                    os._exit(128 + signal.SIGTERM)

        handler = signal.signal(signal.SIGTERM, lambda *_: None)
        wakeup = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
    try:
        yield
    except RuntimeError as error:
        leaving.set()
        words = str(error).lower()
        if is_out_of_memory(error):
            raise
        if "nccl" in words and not any(word in words for word in LOST_WORDS):
            raise UserError(nccl_problem(str(error))) from error
        if isinstance(error, distributed.DistError) or any(word in words for word in LOST_WORDS):
            raise UserError(LOST) from error
        raise
    except BaseException:
        leaving.set()
        raise
    finally:
        if is_main_thread:
            if not leaving.is_set():
                signal.signal(signal.SIGTERM, handler)
            signal.set_wakeup_fd(wakeup)
            writing.close()
            listener.join()
            reading.close()


def nccl_problem(text: str) -> str:
    """The user's line of an error of NCCL, the library between GPUs: what failed in its own words, and the mend.

    >>> print(nccl_problem("NCCL error in: a.cpp:1, invalid usage\nncclInvalidUsage: ...\nLast error:\nDuplicate GPU"))
    ... # doctest: +ELLIPSIS
    the GPUs' processes cannot exchange their numbers: Duplicate GPU (ncclInvalidUsage); give --nproc-per-node the ...
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    own = lines.index("Last error:") + 1 if "Last error:" in lines else len(lines)  # NCCL's, after PyTorch's
    reason = lines[own] if own < len(lines) else lines[0]
    kind = re.search(r"nccl[A-Z]\w+", text)
    named = f" ({kind[0]})" if kind and kind[0] not in reason else ""
    mend = next((mend for word, mend in NCCL_MENDS.items() if word in reason.lower()), NCCL_MEND)
    return (
        f"the GPUs' processes cannot exchange their numbers: {shortened(reason.rstrip('.'), 200)}{named}; {mend}; "
        "the same command goes on from the last checkpoint"
    )


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Inside, the first Ctrl-C only sets a flag, so that the step in hand is finished; yields what gives the flag.

    A second Ctrl-C interrupts at once. Outside the main thread, which alone receives signals, nothing changes.
    """
    pressed = False

    def remember(_signal: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    in_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, remember) if in_main_thread else None
    try:
        yield lambda: pressed
    finally:
        if in_main_thread:
            signal.signal(signal.SIGINT, before)
