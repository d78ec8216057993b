"""Small pictures for the tests of give-aways."""

import numpy as np
from PIL import Image


def picture(seed: int, size: tuple[int, int] = (40, 32)) -> Image.Image:
    """Noise of moderate range; `size` is (width, height)."""
    noise = np.random.default_rng(seed).integers(40, 200, (size[1], size[0], 3))
    return Image.fromarray(noise.astype(np.uint8))
