"""Checks of pictures that may not be what their folder says: a row each, and the only place of the thresholds.

`gan_eval.pictures.agreement` looks at the pictures, `trainer.datasets.pairs` at A|B pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_eval.tables.checks import Check

Pixels = NDArray[np.uint8]
"""(H, W, 3) levels."""


@dataclass(frozen=True)
class Change:
    """A mistake of programs that save pictures: what generated pictures are like then."""

    id: str
    name: str
    """Continuation of a message after "agree better with their real ones"."""
    threshold: float
    """Maximum ratio of the differences with the change and without it."""
    share: float
    """Minimum share of the pictures looked at."""
    apply: Callable[[Pixels], Pixels] = field(repr=False)
    """Function that applies it to the real picture."""
    of: Literal["places", "colours", "levels"] = "places"
    """Quantities that are compared: levels of fields; each channel of fields less their grey, less its mean; or the
    mean levels in each eighth of the real levels."""


def _levels(change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Callable[[Pixels], Pixels]:
    """Return a change of single levels; `change` takes levels of 0 to 1, its result is cut to them."""
    table = np.rint(255 * change(np.arange(256) / 255).clip(0, 1)).astype(np.uint8)
    return lambda pixels: table[pixels]


def _ordered(channels: str) -> Callable[[Pixels], Pixels]:
    """Return the change of order after which the channels are these, such as GBR: green stands first."""
    order = ["RGB".index(channel) for channel in channels]
    return lambda pixels: pixels[:, :, order]


def _in_ycbcr(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("YCbCr"))


_WRAPPED = ((2 * np.arange(256) - 255) % 256).astype(np.uint8)

# fmt: off
CHANGES = (
    Change("mirrored", "if they are mirrored", 0.6, 0.1, lambda real: real[:, ::-1]),
    Change("upside_down", "if they are mirrored upside down", 0.6, 0.1, lambda real: real[::-1]),
    Change("turned_180", "if they are turned by 180 degrees", 0.6, 0.1, lambda real: real[::-1, ::-1]),
    Change("turned_right", "if they are turned by 90 degrees", 0.6, 0.1, lambda real: np.rot90(real, 3)),
    Change("turned_left", "if they are turned by 90 degrees to the left", 0.6, 0.1, np.rot90),
    Change("transposed", "if they are transposed: rows and columns are exchanged, as in arrays of MATLAB and HDF5",
           0.6, 0.1, lambda real: real.swapaxes(0, 1)),
    Change("transposed_180", "if they are transposed (rows and columns are exchanged) and turned by 180 degrees",
           0.6, 0.1, lambda real: real[::-1, ::-1].swapaxes(0, 1)),
    Change("ycbcr", "if they are in YCbCr or Lab, which was not brought back to RGB", 0.5, 0.1, _in_ycbcr,
           "colours"),
    Change("bgr", "if red and blue are exchanged, as OpenCV reads and writes them (BGR)",
           0.5, 0.1, lambda real: real[:, :, ::-1], "colours"),
    *(Change(order.lower(), f"if their channels are in the order {order}", 0.5, 0.1, _ordered(order), "colours")
      for order in ("GBR", "BRG", "RBG", "GRB")),
    Change("negative", "as negatives (255 less the level)", 0.12, 0.3, lambda real: 255 - real, "levels"),
    Change("brighter", "if they are brighter by a gamma of 2.2, as where it is applied twice",
           0.12, 0.3, _levels(lambda real: real ** (1 / 2.2)), "levels"),
    Change("darker", "if they are darker by a gamma of 2.2, as where linear light is saved without it",
           0.12, 0.3, _levels(lambda real: real**2.2), "levels"),
    Change("upper_half", "in levels 128 to 255, as where -1 to 1 is brought to 0 to 1 twice",
           0.12, 0.3, _levels(lambda real: (real + 1) / 2), "levels"),
    Change("lower_half", "in levels 0 to 127, half of the range", 0.12, 0.3, _levels(lambda real: real / 2), "levels"),
    Change("dark_half_lost", "with the darker half black, as where -1 to 1 is saved as 0 to 1",
           0.12, 0.3, _levels(lambda real: 2 * real - 1), "levels"),
    Change("wrapped", "if levels below 0 are wrapped to 255, as where -1 to 1 is cast to 8 bits without clipping",
           0.15, 0.5, lambda real: _WRAPPED[real], "levels"),
)
"""The family of changes after which pictures of a pair are compared again."""

_ROWS = (
    Check("changed", "the changes above", 0, "asks",
          "{count} of {n} generated pictures looked at agree better with their real ones {how}: save them again"),
    Check("moved", "ratio of the differences of mean columns, or rows, moved by up to 8 pixels and as they are, where "
          "50% of the pictures and 3, or both of two, have one move", 0.8, "asks",
          "{count} of {n} generated pictures looked at agree better with their real ones if they are moved by {x} "
          "pixels to the right and {y} down: cut or padded at another side?", 3, 0.5),
    Check("other_partner", "ratio of the difference from another real one and the smaller one of both pairs, each "
          "less the mean colour, in 10% of the pictures", 0.5, "asks",
          "{count} of {n} generated pictures looked at agree better with the real picture of another one, such as "
          "{fake} with {real}: are names or their order mixed up?", share=0.1),
    Check("no_partners", "share of comparisons in which partners share more than others (information of their levels, "
          "places of edges); chance is 0.5, with an SD of 0.06", 0.65, "asks",
          "{what} are no more alike than others ({n} pairs looked at): if their names match by chance, as running "
          "numbers do, they are no partners"),
    Check("neighbour", "number of the last pairs of which a neighbour's partner shares more, by 1 SD, less those of "
          "which it shares less", 3, "asks",
          "{what} are less alike than those of neighbours, from number {first} of the {n} looked at on: is a file "
          "missing, so that each one behind it has its neighbour's partner?", share=1),
    Check("fit", "sizes differ: ratio of the differences in the better half with another fit and with this one",
          0.8, "asks", "real and generated pictures agree better {fit}"),
    Check("side_by_side", "deviation of one aspect ratio from two or three times the other", 0.01, "asks",
          "the {role} one looks like {parts} pictures {where}: save the part to compare as a picture of its own"),
    Check("dark", "part of the peak that no picture reaches, such as 12 bits in 16", 0.25, "asks",
          "{name}: no picture has a level above {highest} of {peak}: all are dark, or use only part of the range; if "
          "white is {white}, {fix}"),
    Check("one_colour", "number of pictures in one colour, where others are not", 1, "asks",
          "{name}: {count} of {n} pictures looked at are of one colour, such as {example}: made black by a filter, or "
          "failed?"),
    Check("repeated", "number of generated pictures that equal another one", 2, "asks",
          "{name}: {count} of {n} pictures looked at are the same as another one"),
    Check("no_dark_levels", "lowest level of generated pictures above that of the middle real one, where 10% of the "
          "real levels are lower", 48, "asks",
          "{name}: no picture looked at has a level below {lowest}, the real ones have: was the contrast lowered, to "
          "levels {lowest} to {highest}?", share=0.1),
    Check("no_lower_half", "lowest level of generated pictures, where that above is passed", 112, "asks",
          "{name}: no picture looked at has a level below {lowest}, the real ones have: was -1 to 1 brought to 0 to 1 "
          "twice?"),
    Check("black", "share of levels 0 in the middle generated picture above that in the real one", 0.2, "asks",
          "{name}: {fake:.0%} of the levels are 0, of the real ones {real:.0%}: was -1 to 1 saved as 0 to 1?"),
    Check("grid", "number of pictures of tiles between margins of 2 pixels", 1, "asks",
          "{name}: {count} pictures are grids of many samples, such as {example}"),
    Check("tiles", "ratio of the smallest step of the levels at a seam and the 98% quantile of others, across and down",
          1.5, "asks",
          "{name}: {count} of {n} pictures looked at seem to be grids of {across} x {down} samples; cut them into "
          "pictures of their own"),
    Check("epochs", "share of the names that are of the same pictures in several epochs", 0.5, "asks",
          "{name}: the names are of {pictures} pictures in {epochs} epochs ({some}), which count as {n}; keep those of "
          "one epoch"),
    Check("mask_inverted", "share of the pictures that agree better inside the hole", 0.5, "asks",
          "{where}: inverted? {count} of {n} generated pictures {agree} their real ones inside the hole and differ "
          "outside it, with {hole} as the hole; if {other} is the hole, give --mask-hole {other}"),
    Check("mask_equal", "difference inside the hole of an inverted mask, in mean levels of 8 x 8 pixels, as of JPEG",
          1.5, "refuses", "equal"),
    Check("mask_of_other", "share of the pictures that differ outside the hole, too; one, where all others are equal",
          0.5, "asks",
          "{where}: {count} of {n} generated pictures differ from their real ones outside the hole, too: masks of "
          "other pictures, or smaller than what was filled"),
    Check("tall_halves", "height of the halves of A|B pictures, in widths", 1.5, "asks",
          "{count} of {n} pictures have halves higher than wide, such as {size}: single pictures, or A above B? The "
          "left and the right half are taken for a pair; gan-eval data pair makes pairs of two folders"),
    Check("panels", "ratio of the mean step of the levels at the seams of three or four parts and the 98% quantile of "
          "others; or thirds share more than others in 70% of comparisons, halves in fewer", 1.5, "asks",
          "the {n} pictures looked at seem to have {parts} parts side by side, which are no halves: cut them, and join "
          "two parts by gan-eval data pair", share=0.7),
    Check("no_seam", "median ratio of the step of the levels in the middle and of those around it, which are 2 or more",
          1.3, "asks",
          "the {n} pictures looked at have no seam in the middle: single pictures, such as inputs alone? The left and "
          "the right half are taken for a pair", 6, 2),
    Check("exchanged_halves", "number of pictures in which A surely looks drawn, and B", 2, "asks",
          "A looks drawn in {a} of {n} pictures, B in {b}: are the halves of some exchanged? One direction holds for "
          "all"),
    Check("other_sides", "share of the pictures in which another half looks drawn than in the training", 0.75, "asks",
          "the {now} looks drawn in these pictures, in those of the training the {before}: are their halves exchanged? "
          "--direction {direction} takes the other half as input"),
)
# fmt: on
CHECKS = {check.id: check for check in _ROWS}
"""All checks by their identifiers."""
