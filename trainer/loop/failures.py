"""Failures that end a training early: out of memory, the end of another process, Ctrl-C."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from torch import distributed

from gan_eval.errors import UserError, first_sentence
from gan_eval.settings.training import TrainingSettings
from trainer.devices import is_out_of_memory, memory_for

LOST_WORDS = ("closed by peer", "reset by peer", "broken pipe", "gloo", "nccl")
"""Words of a plain RuntimeError with which the communication libraries report a failure between processes."""


@contextmanager
def breakdowns_explained(settings: TrainingSettings, *, processes: int = 1) -> Iterator[None]:
    """Turn running out of memory, and the loss of another process, into messages for the user."""
    what = f"a training step at batch_size {settings.batch_size} and image_size {settings.image_size}"
    fix = (
        "lower these, generator_channels or discriminator_channels, or give precision = 'bf16', and train into a new "
        "folder; checkpoints are kept; train --estimate reports the memory beforehand"
    )
    with memory_for(what, fix):
        try:
            yield
        except RuntimeError as error:
            is_lost = isinstance(error, distributed.DistError) or any(word in str(error).lower() for word in LOST_WORDS)
            if processes == 1 or not is_lost or is_out_of_memory(error):
                raise
            raise UserError(
                f"another process of this training ended or cannot be reached ({first_sentence(error)}); see its lines "
                "above; rerun the command to resume from the last checkpoint"
            ) from error


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C only set a flag, so that the current step is finished; yield a function that returns it.

    A second Ctrl-C interrupts immediately. Outside the main thread, which alone receives signals, nothing changes.
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
