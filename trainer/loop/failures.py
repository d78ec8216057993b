"""Breakdowns of a training as the user's line: memory that does not suffice, another process that is gone.

Ctrl-C during training: the step in hand is finished first.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from torch import distributed

from gan_eval.errors import UserError
from gan_eval.settings.training import TrainingSettings
from trainer.devices import memory_for

LOST = (
    "another process of this training has ended, or was stopped; what it said stands above; "
    "the same command goes on from the last checkpoint"
)
_LOST_WORDS = ("closed by peer", "reset by peer", "broken pipe", "gloo", "nccl")
"""What the libraries between processes say, in a plain RuntimeError."""


@contextmanager
def breakdowns_explained(settings: TrainingSettings, *, processes: int = 1) -> Iterator[None]:
    """Inside, what breaks a training down without being an error of the program becomes a line for the user.

    Raises:
        UserError: out of memory, or another process has ended.
    """
    with memory_for(_size(settings), _mend(settings)):
        if processes == 1:
            yield
        else:
            with lost_processes_explained():
                yield


def _size(settings: TrainingSettings) -> str:
    return f"a training step at batch_size {settings.batch_size} and image_size {settings.image_size}"


def _mend(settings: TrainingSettings) -> str:
    smaller = ["batch_size"] if settings.batch_size > 1 else []
    smaller += ["image_size", "generator_channels", "discriminator_channels"]
    precision = ", or give precision = 'bf16'" if settings.precision == "fp32" else ""
    return (
        f"lower {', '.join(smaller[:-1])} or {smaller[-1]}{precision}, and train into a new folder; "
        "checkpoints are kept; train --estimate tells the memory beforehand"
    )


@contextmanager
def lost_processes_explained() -> Iterator[None]:
    """Inside, the end of another process of the run ends this one with one line, whichever way it shows first.

    It shows in a message that fails, or in the signal by which `torchrun` ends the remaining processes. The signal is
    heard even while the main thread waits for a GPU, where Python's own handlers would not run.

    Raises:
        UserError: a message to another process failed.
    """
    leaving = threading.Event()
    with _heard(signal.SIGTERM, leaving):
        try:
            yield
        except RuntimeError as error:
            known = isinstance(error, distributed.DistError)
            if not known and not any(word in str(error).lower() for word in _LOST_WORDS):
                raise
            leaving.set()
            raise UserError(LOST) from error


@contextmanager
def _heard(number: signal.Signals, leaving: threading.Event) -> Iterator[None]:
    """Inside, the signal ends the process with the line, unless it is leaving with its own.

    Python writes each signal's number to a socket the moment it comes; a thread reads there.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread may listen to signals
        yield
        return

    reading, writing = socket.socketpair()
    writing.setblocking(False)

    def listen() -> None:
        while heard := reading.recv(1):
            if heard[0] == number and not leaving.is_set():
                print(f"gan-eval: {LOST}", file=sys.stderr, flush=True)
                os._exit(128 + number)

    handler = signal.signal(number, lambda *_: None)
    wakeup = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield
    except BaseException:
        leaving.set()  # the process goes anyway, with a line of its own
        raise
    finally:
        if not leaving.is_set():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        writing.close()
        listener.join()
        reading.close()


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Inside, the first Ctrl-C only sets a flag; yields a function that tells whether it is set.

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
