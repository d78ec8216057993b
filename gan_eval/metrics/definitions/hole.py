"""PSNR, SSIM, L1 and LPIPS in the hole of an inpainted picture: the map of each averaged over the hole's pixels.
DISTS has no map and is of the hole's bounding box.

Over the whole picture the known pixels, which are equal by construction in a composite, hide how the hole was filled.
"""

from dataclasses import replace
from functools import partial

from gan_eval.metrics.definitions.perceptual import DISTS, LPIPS_ALEX, lpips_distance
from gan_eval.metrics.definitions.record import Metric
from gan_eval.metrics.definitions.similarity import WINDOW, decibels, in_eight_bits, peak_of, require_side
from gan_eval.metrics.kernels import compiled
from gan_eval.metrics.kernels.pictures import HolePixels, Pixels, Unmeasurable, as_hole, as_pair

_HOLE = "hole: where the set's mask_file is white"
_REACH = WINDOW // 2


def psnr_hole(fake: Pixels, real: Pixels, hole: HolePixels) -> float:
    """Peak signal-to-noise ratio in dB over the hole's pixels and their channels: 10 log10(peak² / MSE),
    peak 255, of 16 bits 65535.

    Raises:
        Unmeasurable: the sizes differ, or the mask has no hole.

    >>> import numpy as np
    >>> black, hole = np.zeros((16, 16, 3), np.uint8), np.eye(16, dtype=bool)
    >>> round(psnr_hole(black + np.uint8(1), black, hole), 4), psnr_hole(black, black, hole)
    (48.1308, inf)
    """
    squares, _, count = _sums(fake, real, hole)
    return decibels(squares, count, peak=peak_of(fake))


PSNR_HOLE = Metric(
    name="psnr_hole",
    title="PSNR, hole",
    kind="pair",
    measures="as psnr, over the hole's pixels alone",
    higher_is_better=True,
    unit="dB",
    source="10 log10(peak² / MSE) over the hole's pixels and their channels, peak 255, of 16 bits 65535; "
    f"inf where equal; {_HOLE}",
    definition="psnr/rgb8/hole",
    any_format=True,
    function=psnr_hole,
    takes_hole=True,
)


def ssim_hole(fake: Pixels, real: Pixels, hole: HolePixels) -> float:
    """Structural similarity (Wang et al. 2004): mean of the map of `ssim` over the hole, then over R, G, B.

    A pixel of the map is the middle of its window, and windows lie wholly inside the picture: pixels of the hole
    nearer to the border than 5 do not count. A window at the hole's edge sees known pixels too.

    Raises:
        Unmeasurable: the sizes differ, a side is below 11 pixels, or the map has no pixel in the hole.

    >>> import numpy as np
    >>> black, hole = np.zeros((16, 16, 3), np.uint8), np.eye(16, dtype=bool)
    >>> ssim_hole(black, black, hole)
    1.0
    """
    fake, real = as_pair(fake, real, any_format=True)
    require_side(fake.shape, WINDOW, "SSIM")
    where = as_hole(hole, fake)[_REACH:-_REACH, _REACH:-_REACH]
    if not bool(where.any()):
        raise Unmeasurable(f"no pixel of the hole is {_REACH} pixels from the border or more, as SSIM's window needs")
    x, y = in_eight_bits(fake), in_eight_bits(real)
    return float(compiled.similarity(x, y, luminance=True, where=where).mean())


SSIM_HOLE = Metric(
    name="ssim_hole",
    title="SSIM, hole",
    kind="pair",
    measures="as ssim: its map averaged over the hole's pixels, those 5 pixels from the border or more",
    low=-1,
    high=1,
    higher_is_better=True,
    source="Wang et al. 2004; Gaussian window 11, sigma 1.5, population covariance, no border; "
    f"windows with their middle in the {_HOLE}",
    definition="ssim/gauss11/rgb/valid/hole",
    any_format=True,
    function=ssim_hole,
    least_size=(WINDOW, WINDOW),
    takes_hole=True,
)


def l1_hole(fake: Pixels, real: Pixels, hole: HolePixels) -> float:
    """Mean absolute difference over the hole's pixels and their channels.

    Args, Raises: as `psnr_hole`.

    >>> import numpy as np
    >>> black, hole = np.zeros((16, 16, 3), np.uint8), np.eye(16, dtype=bool)
    >>> l1_hole(black + np.uint8(3), black, hole)
    3.0
    """
    _, absolutes, count = _sums(fake, real, hole)
    return absolutes / (count * (peak_of(fake) // 255))


L1_HOLE = Metric(
    name="l1_hole",
    title="L1, hole",
    kind="pair",
    measures="mean absolute difference from the reference over the hole's pixels and their channels",
    high=255,
    unit="grey levels",
    source=f"mean |x - y|, 0 to 255 (16-bit samples divided by 257), over the hole; {_HOLE}",
    definition="l1/rgb8/hole",
    any_format=True,
    function=l1_hole,
    takes_hole=True,
)


def _sums(fake: Pixels, real: Pixels, hole: HolePixels) -> tuple[int, int, int]:
    """The exact sums of squared and of absolute differences in the hole, and the count of its values."""
    fake, real = as_pair(fake, real, any_format=True)
    where = as_hole(hole, fake)
    return *compiled.difference_sums(fake, real, where), fake.shape[2] * int(where.sum())


LPIPS_ALEX_HOLE = replace(
    LPIPS_ALEX,
    name="lpips_alex_hole",
    title="LPIPS, AlexNet, hole",
    measures="as lpips_alex: its map (spatial=True), averaged over the hole's pixels",
    source=f"{LPIPS_ALEX.source}; each layer's map enlarged bilinearly to the picture's size, their sum; {_HOLE}",
    definition="lpips/0.1/alex/hole",
    takes_hole=True,
    make=partial(lpips_distance, "alexnet", has_map=True),
)
DISTS_HOLE = replace(
    DISTS,
    name="dists_hole",
    title="DISTS, hole",
    measures="as dists, of the hole's bounding box cut out of both pictures",
    source=f"{DISTS.source}; of the smallest rectangle that holds the hole; {_HOLE}",
    definition="dists/piq/hole-box",
    takes_hole=True,
)


METRICS = (PSNR_HOLE, SSIM_HOLE, L1_HOLE, LPIPS_ALEX_HOLE, DISTS_HOLE)
