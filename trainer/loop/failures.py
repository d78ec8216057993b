"""What ends a training early: memory that does not suffice, another process that ended, Ctrl-C."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from torch import distributed

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.devices import memory_for

LOST = (
    "another process of this training has ended, or was stopped; what it said stands above; "
    "the same command goes on from the last checkpoint"
)
LOST_WORDS = ("closed by peer", "reset by peer", "broken pipe", "gloo", "nccl")
"""What the libraries between processes say, in a plain RuntimeError."""


@contextmanager
def breakdowns_explained(settings: TrainingSettings, *, processes: int = 1) -> Iterator[None]:
    """Inside, what breaks a training down without being an error of the program becomes a message for the user.

    Raises:
        UserError: out of memory, or another process has ended.
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
        yield


@contextmanager
def lost_processes_explained() -> Iterator[None]:
    """Inside, the end of another process of the run ends this one with one message, whichever way it shows first.

    It shows in a message that fails, or in SIGTERM, by which `torchrun` ends the remaining processes. Python writes
    each signal's number to a socket the moment it comes, and a thread reads there: so it is noticed even while the main
    thread waits for a GPU, where Python's own handlers would not run.

    Raises:
        UserError: a message to another process failed.
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
        if isinstance(error, distributed.DistError) or any(word in str(error).lower() for word in LOST_WORDS):
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
