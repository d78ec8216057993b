"""Random numbers from (purpose, seed, counter), without a state to save, so a run resumes exactly at any step.

Every random decision asks for its own stream. The same counter gives the same numbers in any process, in any order
and with any number of workers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import numpy as np
import torch

_WORD = 32


class Purpose(IntEnum):
    """Purposes of random streams. The numbers are part of every run's definition: never change one."""

    INITIAL = 1  # initial weights, by network
    ORDER = 2  # order of the pairs, by epoch
    JITTER = 3  # crop and mirroring, by sample seen
    DROPOUT = 4  # dropout in training, by step
    SAMPLES = 5  # dropout and noise in the sample grids, by picture
    GENERATE = 6  # dropout and noise in generation, by picture
    VALIDATION = 7  # dropout and noise in validation, by picture
    MASK = 8  # hole and noise in training, by sample seen
    TEST_MASK = 9  # hole outside training, by picture


def sequence(purpose: Purpose, seed: int, *counters: int) -> np.random.SeedSequence:
    """Return the seed sequence of a stream; seed and counters are in 0 .. 2**64 - 1.

    Each number takes two words of 32 bits; with one word for small numbers, different streams could collide.
    """
    words = [int(purpose)]
    for number in (seed, *counters):
        words += [number & (2**_WORD - 1), number >> _WORD]
    return np.random.SeedSequence(words)


def stream(purpose: Purpose, seed: int, *counters: int) -> np.random.Generator:
    """Return the NumPy generator of a stream."""
    return np.random.Generator(np.random.PCG64(sequence(purpose, seed, *counters)))


def torch_seed(purpose: Purpose, seed: int, *counters: int) -> int:
    """Return a 63-bit seed for PyTorch."""
    return int(sequence(purpose, seed, *counters).generate_state(1, np.uint64)[0] >> np.uint64(1))


@contextmanager
def seeded(device: torch.device, purpose: Purpose, seed: int, *counters: int) -> Iterator[None]:
    """Within this context, PyTorch's global generators follow the stream; afterwards they are as before.

    In training, dropout takes its numbers from the global generator.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(torch_seed(purpose, seed, *counters))
        yield
