"""Failures that end a training early: out of memory, Ctrl-C."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from gan_eval.settings.training import TrainingSettings
from trainer.devices import memory_for


@contextmanager
def memory_for_training(settings: TrainingSettings) -> Iterator[None]:
    """Convert a lack of memory into a message for the user."""
    what = f"a training step at batch_size {settings.batch_size} and image_size {settings.image_size}"
    fix = (
        "lower these, generator_channels or discriminator_channels, or give precision = 'bf16', and train into a new "
        "folder; checkpoints are kept; train --estimate reports the memory beforehand"
    )
    with memory_for(what, fix):
        yield


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C only set a flag, so that the current step finishes; yield a function that returns it. A
    second Ctrl-C interrupts immediately. Only the main thread receives signals.
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
