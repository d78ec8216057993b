"""Small pictures of noise."""

import io

import numpy as np
from PIL import Image


def picture_bytes(seed: int, size: tuple[int, int] = (32, 16)) -> bytes:
    """A PNG of noise, (width, height) pixels."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()
