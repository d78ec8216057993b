"""Random numbers that follow from what they are for, and from nothing else."""

import numpy as np

from gan_eval.files import sha256_bytes


def generator(*key: int | str) -> np.random.Generator:
    """Random numbers of their own for each key: seeds, list numbers, and words that say what for.

    >>> bool(generator(1, "order", "a").random() == generator(1, "order", "a").random())
    True
    >>> bool(generator(1, "order", "a").random() == generator(1, "order", "b").random())
    False
    """
    numbers = [part for part in key if isinstance(part, int)]
    words = [part for part in key if isinstance(part, str)]
    return np.random.default_rng([*numbers, int(sha256_bytes("\0".join(words).encode())[:16], 16)])
