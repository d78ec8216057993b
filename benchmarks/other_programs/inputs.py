"""The pairs of pictures that all programs get, in the forms that they ask for."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from metric_sides import damaged, photographs

Pair = tuple[Any, Any]
"""A picture and its original, (H, W, 3) uint8."""
Function = Callable[[Any, Any], Any]


@cache
def four_pairs() -> list[Pair]:
    """A blurred, a compressed and a noisy photograph, each before its original, and one photograph twice."""
    real = photographs(3)
    return [(damaged(picture, number), picture) for number, picture in enumerate(real)] + [(real[0], real[0])]


@cache
def large_pairs() -> list[Pair]:
    """The four pairs at twice the side, 512 pixels."""
    from PIL import Image

    def doubled(picture: Any) -> Any:
        height, width, _ = picture.shape
        return np.array(Image.fromarray(picture).resize((2 * width, 2 * height), Image.Resampling.BICUBIC))

    return [(doubled(fake), doubled(real)) for fake, real in four_pairs()]


def each(function: Function, form: Callable[[Any], Any] = np.asarray, *, large: bool = False) -> list[float]:
    """The function of each pair, mean over channels where it returns several."""
    pairs = large_pairs() if large else four_pairs()
    return [float(np.mean(np.asarray(function(form(fake), form(real))))) for fake, real in pairs]


def as_bytes(picture: Any) -> Any:
    """(1, 3, H, W) uint8."""
    import torch

    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].contiguous()


def as_doubles(picture: Any) -> Any:
    """0..1, double precision."""
    return as_bytes(picture).double() / 255


def as_singles(picture: Any) -> Any:
    """0..1, single precision."""
    return as_bytes(picture).float() / 255


def as_levels(picture: Any) -> Any:
    """0..255, double precision."""
    return as_bytes(picture).double()
