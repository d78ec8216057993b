"""The facts of a picture's pixels: brightness, contrast, borders, sharpness, blocks."""

import numpy as np
from numpy.typing import NDArray

from gan_eval.giveaways.clues import Facts
from gan_eval.stimuli.pictures import Picture

Plane = NDArray[np.float64]
"""(H, W) float64, 0..255."""

LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601)."""
BLOCK = 8
"""Side of the blocks that JPEG codes, in pixels."""
_FLOOR = 0.1
"""Grey levels added to both sides of a ratio of steps, so that flat pictures have one."""


def pixel_facts(picture: Picture) -> Facts:
    """Return the picture clues of one picture.

    Args:
        picture: (H, W, 3) uint8, 0..255.

    Returns:
        The values by clue; None where the picture is too small for one.
    """
    luma = picture @ LUMA
    large = min(luma.shape) >= 3
    return {
        "brightness": float(luma.mean()),
        "contrast": float(luma.std()),
        "saturation": saturation(picture),
        "border_step": border_step(luma) if large else None,
        "sharpness": float(laplacian(luma).var()) if large else None,
        "blockiness": blockiness(luma) if max(luma.shape) > BLOCK else None,
    }


def saturation(picture: Picture) -> float:
    """Mean of (largest - smallest channel) / largest channel over (H, W, 3) uint8; black has none."""
    largest = picture.max(axis=2).astype(np.float64)
    smallest = picture.min(axis=2)
    return float(((largest - smallest) / np.maximum(largest, 1)).mean())


def laplacian(luma: Plane) -> Plane:
    """The sum of a pixel's 4 neighbours less 4 times itself, for the (H - 2, W - 2) pixels inside."""
    inside = luma[1:-1, 1:-1]
    return luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * inside


def border_step(luma: Plane) -> float:
    """The largest of the four steps onto the border, relative to the steps inside: about 1 without a border.

    A step is the mean absolute difference between two neighbouring rows (or columns).
    """
    ratios = []
    for steps in (_row_steps(luma), _row_steps(luma.T)):
        inside = (steps[1:-1].mean() if len(steps) > 2 else 0.0) + _FLOOR
        ratios += [(steps[0] + _FLOOR) / inside, (steps[-1] + _FLOOR) / inside]
    return float(max(ratios))


def blockiness(luma: Plane) -> float:
    """Mean step across the edges of 8x8 blocks, relative to the mean step elsewhere: about 1 without blocks.

    The grid is that of a JPEG whose first block is the picture's corner (after Wang, Sheikh and Bovik, No-reference
    perceptual quality assessment of JPEG compressed images, ICIP 2002).
    """
    at_edges, elsewhere = [], []
    for steps in (_row_steps(luma), _row_steps(luma.T)):
        edge = np.arange(1, len(steps) + 1) % BLOCK == 0
        at_edges.append(steps[edge])
        elsewhere.append(steps[~edge])
    return float((np.concatenate(at_edges).mean() + _FLOOR) / (np.concatenate(elsewhere).mean() + _FLOOR))


def _row_steps(luma: Plane) -> NDArray[np.float64]:
    """Mean absolute difference of each row to the next: (H - 1,)."""
    return np.abs(np.diff(luma, axis=0)).mean(axis=1)
