"""The facts about the metrics of the hole of an inpainted picture."""

import math

from gan_eval.metrics.facts import Metric

_HOLE = "hole: where the set's mask_file is white"

HOLE_METRICS = (
    Metric(
        name="psnr_hole",
        kind="pair",
        measures="as psnr, over the hole's pixels alone",
        low=0,
        high=math.inf,
        higher_is_better=True,
        unit="dB",
        source=f"10 log10(255² / MSE) over the hole's pixels and their channels; inf where equal; {_HOLE}",
        definition="psnr/rgb8/hole",
        takes_hole=True,
    ),
    Metric(
        name="ssim_hole",
        kind="pair",
        measures="as ssim: its map averaged over the hole's pixels, those 5 pixels from the border or more",
        low=-1,
        high=1,
        higher_is_better=True,
        source="Wang et al. 2004; Gaussian window 11, sigma 1.5, population covariance, 8-bit values, no border; "
        f"windows with their middle in the {_HOLE}",
        definition="ssim/gauss11/rgb/valid/hole",
        least_size=(11, 11),
        takes_hole=True,
    ),
    Metric(
        name="l1_hole",
        kind="pair",
        measures="mean absolute difference from the reference over the hole's pixels and their channels",
        low=0,
        high=255,
        higher_is_better=False,
        unit="grey levels",
        source=f"mean |x - y| of 8-bit values, 0 to 255, over the hole; {_HOLE}",
        definition="l1/rgb8/hole",
        takes_hole=True,
    ),
)
