"""Pictures for property tests: ordinary ones and those on which rounding or a border goes wrong."""

import numpy as np
from hypothesis import strategies as st
from metric_pictures import texture

from gan_eval.pictures.decode import Picture


def checkerboard(height: int, width: int, cell: int, dark: int, bright: int) -> Picture:
    """Squares of two greys."""
    i, j = np.indices((height, width))
    grey = np.where((i // cell + j // cell) % 2, bright, dark).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


CONTENTS = {
    "noise": lambda rng, h, w: rng.integers(0, 256, (h, w, 3)),
    "black and white noise": lambda rng, h, w: 255 * rng.integers(0, 2, (h, w, 3)),
    "saturated": lambda rng, h, w: 255 - abs(rng.normal(0, 6, (h, w, 3))),
    "dark": lambda rng, h, w: abs(rng.normal(0, 4, (h, w, 3))),
    "flat": lambda rng, h, w: np.full((h, w, 3), rng.integers(0, 256)),
    "flat with dots": lambda rng, h, w: np.where(rng.random((h, w, 1)) < 0.01, 0, np.full((h, w, 3), 250)),
    "gradient": lambda rng, h, w: np.linspace(150, 255, w)[None, :, None] * np.ones((h, 1, 3)),
    "half flat": lambda rng, h, w: np.where(np.arange(w)[:, None] < w // 2, rng.integers(0, 256, (h, w, 3)), 255),
    "checkerboard": lambda rng, h, w: checkerboard(h, w, *rng.integers(1, 9, 1), *rng.integers(0, 256, 2)),
    "bright checkerboard": lambda rng, h, w: checkerboard(h, w, *rng.integers(1, 9, 1), *rng.integers(235, 256, 2)),
    "texture": lambda rng, h, w: texture(int(rng.integers(1000)), h, w),
}
"""Makers of pictures, ordinary and nasty, of (generator, height, width)."""


@st.composite
def pictures(draw: st.DrawFn, count: int, sides: st.SearchStrategy[int]) -> list[Picture]:
    """Some pictures of one size, each of any content."""
    height, width, rng = draw(sides), draw(sides), np.random.default_rng(draw(st.integers(0, 10**6)))
    makers = [CONTENTS[draw(st.sampled_from(sorted(CONTENTS)))] for _ in range(count)]
    return [np.clip(np.rint(make(rng, height, width)), 0, 255).astype(np.uint8) for make in makers]
