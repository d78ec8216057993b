"""`[training.inpainting]`: a generator that fills holes in pictures, instead of one that translates them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gan_eval.settings.sections import OptionalPath, Section

MaskKind = Literal["centre", "blocks", "region", "strokes", "folder"]
FillKind = Literal["zero", "mean", "noise"]
JudgedPatches = Literal["all", "hole"]
StyleNetwork = Literal["none", "vgg13_bn", "vgg16"]

MOST_WEIGHT = 1e12
"""Of a term in a sum; sums of such stay within single precision."""
NEUTRAL_GREY = 128
"""The level of the holes in the pictures that people are shown as the input."""


class InpaintingSettings(Section):
    """`[training.inpainting]`: which holes there are, and how their filling is judged."""

    masks: dict[MaskKind, Annotated[float, Field(gt=0, le=MOST_WEIGHT)]] = Field(default={"centre": 1.0}, min_length=1)
    """The kinds of holes with their shares: centre, blocks, region, strokes, folder."""
    centre: float = Field(default=0.5, gt=0, lt=1)
    """Side of the centre square as a share of the picture's side."""
    least_area: float = Field(default=0.01, gt=0, lt=1)
    """Every hole takes at least this share of the picture,"""
    most_area: float = Field(default=0.6, gt=0, lt=1)
    """and at most this."""
    shapes: OptionalPath = ""
    """Folder of silhouettes, white on black, for the holes of kind region, below the data root; default: made ones."""
    mask_folder: OptionalPath = ""
    """Folder of masks (white is hole) for the holes of kind folder, below the data root."""
    fill: FillKind = "zero"
    """What the generator sees in the hole: 0 of -1..1, ImageNet's mean colour, or noise N(0, 1) cut off at -1 and 1."""
    mask_channel: bool = False
    """Whether the generator sees the mask as a fourth channel."""
    source_size: int | None = Field(default=None, ge=8, le=16_384)
    """Pictures are first brought to this side, then to image_size: so smaller sources are enlarged."""

    overlap: int = Field(default=0, ge=0, le=16_384)
    """Width in pixels of the border, inside the hole, on which the reconstruction counts more."""
    overlap_weight: float = Field(default=10.0, ge=0, le=MOST_WEIGHT)
    """Weight of each pixel of that border."""
    overlap_shown: bool = False
    """Whether the generator sees that border, so that the hole itself is smaller by it on each side."""
    hole_weight: float = Field(default=1.0, ge=0, le=MOST_WEIGHT)
    """Weight of each other pixel of the hole in the reconstruction."""
    context_weight: float = Field(default=1.0, ge=0, le=MOST_WEIGHT)
    """Weight of each pixel around the hole in the reconstruction, where the generator gives whole pictures."""

    judged_patches: JudgedPatches = "all"
    """Which of a PatchGAN's logits count: all, or those where there is a hole; a global logit always does."""

    style_network: StyleNetwork = "none"
    """The network whose features' Gram matrices are compared: torchvision's VGG13 with BatchNorm, or VGG16."""
    lambda_style: float = Field(default=0.0, ge=0, le=MOST_WEIGHT)
    """Weight of the root mean square distance of those Gram matrices."""
    lambda_tv: float = Field(default=0.0, ge=0, le=MOST_WEIGHT)
    """Weight of the total variation of the filled picture."""

    @model_validator(mode="after")
    def _holes_can_be_made(self) -> Self:
        if self.least_area >= self.most_area:
            raise ValueError(f"least_area: {self.least_area:g} is not below most_area {self.most_area:g}")
        if "centre" in self.masks and not self.least_area <= self.centre**2 <= self.most_area:
            raise ValueError(
                f"centre: a square of side {self.centre:g} takes {self.centre**2:.3g} of the picture, which is not "
                f"between least_area {self.least_area:g} and most_area {self.most_area:g}"
            )
        if ("folder" in self.masks) != bool(self.mask_folder):
            raise ValueError("mask_folder: goes with the mask kind folder; give both or neither")
        if self.shapes and "region" not in self.masks:
            raise ValueError("shapes: goes with the mask kind region; add it to masks, or leave shapes out")
        return self

    @model_validator(mode="after")
    def _style_has_a_network(self) -> Self:
        if (self.style_network == "none") != (self.lambda_style == 0):
            raise ValueError("lambda_style: goes with style_network; give both or neither")
        return self

    def centre_side(self, image_size: int) -> int:
        """Side in pixels of the square that a context encoder gives: the even number nearest to its share."""
        return 2 * round(image_size * self.centre / 2)

    def pixels_count(self, *, context: bool) -> bool:
        """Whether any pixel has a weight in the reconstruction.

        Args:
            context: whether the generator gives the pixels around the hole too.
        """
        border = self.overlap_weight if self.overlap else 0.0
        return bool(self.hole_weight or border or (context and self.context_weight))
