"""Out of memory, as the user's line."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gan_eval.errors import UserError

_WORDS = ("out of memory", "can't allocate memory", "not enough memory")
"""What PyTorch's allocators say, in a plain RuntimeError on the CPU."""


@contextmanager
def memory_for(what: str, mend: str) -> Iterator[None]:
    """Inside, running out of memory is a user's problem.

    Args:
        what: what the memory was for, such as "a batch of 4 at 512x512".
        mend: what to lower.

    Raises:
        UserError: the memory did not suffice.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and not any(word in str(error).lower() for word in _WORDS):
            raise
        raise UserError(f"out of memory for {what}; {mend}") from error
