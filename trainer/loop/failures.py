"""Messages for what ends a training early: out of memory, a failing GPU, the end of another process, Ctrl-C."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import torch
from torch import distributed

from gan_eval.errors import UserError, first_sentence
from gan_eval.settings.training import TrainingSettings
from trainer.devices import is_out_of_memory, memory_for

AGAIN = "rerun the command to resume from the last checkpoint"
LOST_WORDS = ("closed by peer", "reset by peer", "broken pipe", "gloo", "nccl")
"""Words of a plain RuntimeError with which the communication libraries report a failure between processes."""


@contextmanager
def breakdowns_explained(settings: TrainingSettings, *, processes: int = 1) -> Iterator[None]:
    """Turn the errors that are not a program's fault into messages for the user."""
    smaller = ["batch_size"] if settings.batch_size > 1 else []
    smaller += ["image_size", "generator_channels", "discriminator_channels"]
    precision = ", or give precision = 'bf16'" if settings.precision == "fp32" else ""
    what = f"a training step at batch_size {settings.batch_size} and image_size {settings.image_size}"
    fix = (
        f"lower {', '.join(smaller[:-1])} or {smaller[-1]}{precision}, and train into a new folder; "
        "checkpoints are kept; train --estimate reports the memory beforehand"
    )
    with memory_for(what, fix):
        try:
            yield
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            words, reason = str(error).lower(), first_sentence(error)
            if processes > 1 and (isinstance(error, distributed.DistError) or any(w in words for w in LOST_WORDS)):
                raise UserError(
                    f"another process of this training ended or cannot be reached ({reason}); see its lines above; "
                    f"{AGAIN}"
                ) from error
            if isinstance(error, torch.AcceleratorError):
                raise UserError(
                    f"the GPU failed: {reason}; {AGAIN}; to use the CPU, set CUDA_VISIBLE_DEVICES to nothing"
                ) from error
            raise


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
