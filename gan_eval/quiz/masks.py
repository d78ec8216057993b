"""Backward masks: what takes a picture's place when it vanishes, so that no afterimage can be judged. Plain numpy.

A mask is made before its trial, and is the same whenever the trial is shown: it follows from session and trial.
"""

from typing import Literal

import numpy as np

from gan_eval.quiz.draw import order
from gan_eval.stimuli.pictures import Picture

BLOCK = 16
"""Pixels on a side of the blocks that are shuffled."""


def mask(picture: Picture, kind: Literal["noise", "scramble"], generator: np.random.Generator) -> Picture:
    """A mask of the picture's size.

    Args:
        picture: (H, W, 3) uint8.
        kind: noise, a random grey level for each pixel; scramble, the picture's own blocks shuffled and mirrored.
        generator: random numbers.
    """
    if kind == "scramble":
        return scrambled(picture, generator)
    grey = generator.integers(0, 256, picture.shape[:2], dtype=np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def mask_generator(session: str, trial: int) -> np.random.Generator:
    """The random numbers of one trial's masks."""
    return order.generator("mask", session, trial)


def scrambled(picture: Picture, generator: np.random.Generator) -> Picture:
    """The blocks of a picture in random order, each mirrored or not along either axis.

    Where a side is no multiple of the block, blocks at its end are filled up by reflection and cut again.

    >>> rows = np.arange(48 * 32 * 3, dtype=np.uint16).reshape(48, 32, 3)
    >>> bool((np.sort(scrambled(rows, np.random.default_rng(0)), axis=None) == rows.ravel()).all())
    True
    """
    height, width = picture.shape[:2]
    filled = np.pad(picture, ((0, -height % BLOCK), (0, -width % BLOCK), (0, 0)), mode="symmetric")
    rows, columns = filled.shape[0] // BLOCK, filled.shape[1] // BLOCK
    blocks = filled.reshape(rows, BLOCK, columns, BLOCK, 3).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK, 3)
    blocks = blocks[generator.permutation(len(blocks))]
    for axis in (1, 2):
        mirrored = generator.random(len(blocks)) < 0.5
        blocks[mirrored] = np.flip(blocks[mirrored], axis)
    whole = blocks.reshape(rows, columns, BLOCK, BLOCK, 3).swapaxes(1, 2).reshape(filled.shape)
    return np.ascontiguousarray(whole[:height, :width])
