"""Which half of a picture is drawn (labels, map, edges) and which is photographed.

What is drawn has areas of one level; what is photographed has noise and texture. The share of neighbouring pixels with
nearly the same grey level told the halves of each of 905 pictures of facades, maps, cityscapes, edges2shoes and a set
with exchanged sides.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from gan_eval.settings.training import Direction
from gan_eval.stimuli.pictures import Picture

Side = Literal["A", "B"]

_SAME = 2
"""Grey levels by which neighbours of a drawn area may differ: JPEG moves them a little."""
MARGIN = 0.01
"""A difference of the shares below this says nothing."""
FEWEST = 3
"""Pictures that must tell their sides before the set's are named."""
MAJORITY = 0.75
"""Of the pictures that tell, so many must agree."""


def flatness(half: Picture) -> float:
    """The share of horizontally neighbouring pixels whose grey levels differ by at most two, 0..1.

    >>> flatness(np.zeros((4, 4, 3), np.uint8))
    1.0
    """
    grey = half.sum(axis=2, dtype=np.int16) // 3
    return float((np.abs(np.diff(grey, axis=1)) <= _SAME).mean())


def drawn_side(flat_a: Sequence[float], flat_b: Sequence[float]) -> Side | None:
    """The half that is drawn in most pictures of a set; None where the pictures do not tell.

    >>> drawn_side([0.4, 0.5, 0.4], [0.8, 0.9, 0.7])
    'B'
    """
    apart = [a - b for a, b in zip(flat_a, flat_b, strict=True) if abs(a - b) > MARGIN]
    for_a = sum(difference > 0 for difference in apart)
    if len(apart) < FEWEST:
        return None
    if for_a >= MAJORITY * len(apart):
        return "A"
    return "B" if for_a <= (1 - MAJORITY) * len(apart) else None


def direction_from(drawn: Side) -> Direction:
    """The direction from what is drawn to what is photographed."""
    return "AtoB" if drawn == "A" else "BtoA"


def doubt(drawn: Side | None, direction: Direction) -> str | None:
    """The user's line where a direction makes drawings from photographs; None where it does not, or nobody can tell.

    >>> doubt("B", "AtoB")
    'B looks drawn, and AtoB makes drawings from photographs; --direction BtoA turns it round'
    """
    if drawn is None or direction_from(drawn) == direction:
        return None
    turned = direction_from(drawn)
    return f"{drawn} looks drawn, and {direction} makes drawings from photographs; --direction {turned} turns it round"
