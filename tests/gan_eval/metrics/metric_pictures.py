"""Pictures made from a seed."""

import numpy as np

from gan_eval.images import Picture


def texture(seed: int, height: int = 192, width: int = 192) -> Picture:
    """A picture with structure at several scales, as (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 128.0)
    for cell, strength in ((1, 10), (4, 20), (16, 35)):
        coarse = rng.normal(0, strength, (-(-height // cell), -(-width // cell), 3))
        picture += coarse.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def disturbed(picture: Picture, seed: int, strength: float = 12.0) -> Picture:
    """The picture with seeded noise."""
    noise = np.random.default_rng(seed).normal(0, strength, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)
